/* tile_dot: tiles whose lanes hold input channels, LANES_IC.
 *
 * Each accumulator holds partial sums of one output: a vector of the source times a vector of the
 * weights, both of consecutive channels. At the end its lanes are added up, many accumulators at
 * once. This serves few output channels, which would leave most lanes of LANES_OC empty. Stands on:
 * tile_read, em_math.
 */
#ifndef GEN_EMIT_TILE_DOT_H
#define GEN_EMIT_TILE_DOT_H

#include "gen/emit/tile_read.h"

/* Multiply-adds of `elements` consecutive elements from the reads on; `wei` points at the first for
 * the block's first channel. */
void tile_dot_line(struct reads *s, LLVMValueRef wei, int64_t elements);

/* Adds the lanes up, adds bias and residual, applies the activation, stores. */
void tile_dot_store(struct tile *t);

#endif
