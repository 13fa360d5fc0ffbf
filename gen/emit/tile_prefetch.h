/* tile_prefetch: what a tile asks for ahead of its use, a little in every step.
 *
 * Pixels of the next column tile, with taps those of the next row tile, or this tile's share of the
 * next channel block's weights, as the plan says. Stands on: tile_read.
 */
#ifndef GEN_EMIT_TILE_PREFETCH_H
#define GEN_EMIT_TILE_PREFETCH_H

#include "gen/emit/tile_read.h"

/* What a loop over channels asks for ahead. */
struct tile_ahead {
    const struct tile_row *row;
    LLVMValueRef weights; /* PREFETCH_WEIGHTS: from here on */
    int64_t tiles;
};

/* Of a loop whose weights begin at `wei`. */
struct tile_ahead tile_ahead(struct tile *t, const struct tile_row *row, LLVMValueRef wei);

/* In step i of a block of `count`, which is `turn` of the loop's steps. */
void tile_prefetch(struct tile *t, const struct tile_ahead *ahead, LLVMValueRef turn, int64_t i,
                   int64_t count);

#endif
