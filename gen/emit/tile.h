/* tile: the register tile. Rows x columns x vectors of accumulators over all taps and channels.
 *
 *     acc[row][col][vec] += src(...) * wei(...)
 *
 * With LANES_OC and LANES_GROUPS, columns are output columns and the lanes hold channels; with
 * LANES_OW, columns are output channels and the lanes hold output columns; with LANES_IC, vectors
 * are output channels and the lanes hold partial sums of one output. One body of code is one
 * tile shape at one kind of place; the nest around it says where. Stands on: em, border, em_math,
 * nest.
 */
#ifndef GEN_EMIT_TILE_H
#define GEN_EMIT_TILE_H

#include "gen/emit/em.h"
#include "gen/plan/nest.h"

/* Pointers at the first column of an output row. */
struct out_row {
    LLVMValueRef dst, residual;
    LLVMValueRef user[FUNCTIONS_ARGS]; /* of tensor args */
    LLVMValueRef exists;               /* i1: short phases lack their last row */
};

struct tile {
    struct em *em;
    const struct nest *nest;
    const struct channel_class *channel;
    const struct segment *segment;
    LLVMTypeRef element, vector;
    int rows, cols, vecs;
    int sets; /* of accumulators: steps take turns */

    /* Run-time place: pointers at the image and the first channel of the block. */
    LLVMValueRef src, wei, bias, residual, dst;
    LLVMValueRef user[FUNCTIONS_ARGS]; /* as bias, as dst, or the scalar */
    LLVMValueRef od, oh, ow;           /* first output */
    LLVMValueRef narrow; /* i1: the last column repeats the one before and is not stored; or NULL */
    LLVMValueRef number; /* of this tile among those of the image and channel block */

    LLVMValueRef one; /* hidden, where sums of terms are multiply-adds; or NULL */

    struct em_var acc[TILE_ACCUMULATORS];

    /* Columns [0, stored) are in memory, at `out`. */
    int stored;
    struct out_row out[TILE_ROWS];
};

/* Shapes the tile for a channel class, a segment and a number of rows. */
void tile_open(struct tile *t, struct em *em, const struct nest *n,
               const struct channel_class *channel, const struct segment *segment, int rows);

/* Computes and stores the tile. */
void tile_emit(struct tile *t);

/* ---- for the parts of the tile only -------------------------------------------------------- */

/* One input row that a tap of the tile reads. */
struct tile_row {
    bool used;           /* takes part                              */
    bool constant;       /* outside: reads padding_value everywhere */
    LLVMValueRef start;  /* its column 0                            */
    LLVMValueRef origin; /* where tap 0 of the tile's first column reads; may lie outside */
};

/* Multiply-adds of one row of taps: kw and ic over `row[0..rows)`; `wei` points at kw = 0. */
void tile_width(struct tile *t, const struct tile_row row[TILE_ROWS], LLVMValueRef wei);

/* Multiply-adds of all rows of taps of one depth tap, taps=window; `plane` is where its pixels
 * begin, `wei` points at kh = kw = 0. */
void tile_window(struct tile *t, LLVMValueRef plane, LLVMValueRef wei);

/* Adds bias and residual and applies the activation, or the epilogue; stores what is not stored
 * yet: all columns, or those before `end`, not for LANES_IC and tiles that are turned. */
void tile_store(struct tile *t);

/* Asks for the residual that tile_store will add, before the sums begin: where it comes from beyond
 * L2 it is near when they end. */
void tile_ask_residual(struct tile *t);
void tile_store_columns(struct tile *t, int end);

struct out_row tile_out_row(struct tile *t, int r);

/* Accumulators before the first term; one more term; one accumulator, its sets joined. */
void tile_begin(struct tile *t);
void tile_accumulate(struct tile *t, struct em_var acc, LLVMValueRef src, LLVMValueRef wei);
LLVMValueRef tile_sum(struct tile *t, int r, int c, int v);

/* The problem's epilogue of a vector of outputs; arg[a] is arg a for them. */
LLVMValueRef tile_epilogue(struct tile *t, LLVMValueRef acc, const LLVMValueRef arg[]);

/* Elements of the source, and of tensors that are as dst, as reals; results as elements of dst. */
LLVMValueRef tile_src(struct tile *t, LLVMValueRef p);
LLVMValueRef tile_src_lanes(struct tile *t, LLVMValueRef p, const struct em_lanes *on,
                            LLVMValueRef other);
LLVMValueRef tile_src_gather(struct tile *t, LLVMValueRef p, const int64_t *offset,
                             const struct em_lanes *on, LLVMValueRef other);
LLVMValueRef tile_dst_lanes(struct tile *t, LLVMValueRef p, const struct em_lanes *on);
LLVMValueRef tile_dst_gather(struct tile *t, LLVMValueRef p, const int64_t *offset,
                             const struct em_lanes *on);
LLVMValueRef tile_dst_round(struct tile *t, LLVMValueRef x);

/* The element of weights, bias or an arg at p in every lane. */
LLVMValueRef tile_splat(struct tile *t, LLVMValueRef p);

/* Active lanes of vector v of the tile. */
struct em_lanes tile_lanes(const struct tile *t, int v);

struct em_var tile_acc(const struct tile *t, int set, int r, int c, int v);

#endif
