/* stencil_tile: the register tile of a stencil plan, swept along a row.
 *
 * A tile is some output rows, or rows of kept forms, by some vectors. Its source rows are at a
 * constant stride from the first where they all read inside; of a single row each is found on its
 * own, and may be padding. Vectors that touch the border of a row, or its end, are known while
 * emitting: what their lanes read is loaded from within the row and moved into place.
 * Stands on: em_math, border, stencil_nest.
 */
#ifndef GEN_EMIT_STENCIL_TILE_H
#define GEN_EMIT_STENCIL_TILE_H

#include "gen/emit/em.h"
#include "gen/plan/stencil_nest.h"

/* A row of the source that a single row of outputs reads. */
struct stencil_row {
    int64_t at[2]; /* depth, row of the window */
    LLVMValueRef begin, inside;
};

struct stencil_tile {
    struct em *em;
    const struct stencil_nest *n;
    LLVMTypeRef vector; /* of what is computed in                 */
    LLVMTypeRef real;   /* of the accumulator's type, as many lanes */
    struct stencil_steps *steps;
    LLVMValueRef *value; /* of each step */

    int rows; /* 1 where `single` */
    bool single;
    LLVMValueRef src; /* the window's first row of the tile's first; of a single row, the channel */
    LLVMValueRef od, oh; /* of a single row */
    struct stencil_row row[STENCIL_SRC_ROWS];
    int row_count;

    /* Where factors are more than registers hold they are read, lest the compiler keep them all in
     * registers that it then spills: a table in the module, and the one that was read last. */
    LLVMValueRef table, seen_table;
    double factor[STENCIL_FORMS];
    int factors, last;
    LLVMValueRef last_value;

    LLVMValueRef scratch;
    struct stencil_rolled *rolled; /* NULL: column forms are not rolled */
    /* At the first output of the tile's first row, of filter 0. */
    LLVMValueRef dst, residual, bias;
    LLVMValueRef user[FUNCTIONS_ARGS];
};

/* Vectors of a sweep. */
struct stencil_span {
    const struct stencil_sweep *sweep;
    bool columns;   /* of kept forms */
    int64_t vector; /* the first one; -1: known to the kernel alone */
    int vecs;
    bool inside;       /* reads inside, and is whole */
    LLVMValueRef at;   /* elements from the row's first output to the span's */
    LLVMValueRef from; /* pointer at the tile's source that much further    */
};

/* A constant in all lanes. */
LLVMValueRef stencil_number(const struct stencil_tile *t, double value);

/* Decides about the factors; once, before all tiles. */
void stencil_find_factors(struct stencil_tile *t);

/* Kept forms of the tile's rows, then its outputs. */
void stencil_tile_emit(struct stencil_tile *t);

/* The outputs of vectors that are whole and read inside, and of the others, where none are kept. */
void stencil_tile_emit_inside(struct stencil_tile *t);
void stencil_tile_emit_edges(struct stencil_tile *t);

/* Places a span at a vector of its sweep, and emits what it computes. */
void stencil_emit_span(struct stencil_tile *t, struct stencil_span *span, LLVMValueRef vector);

/* ---- columns that are passed on in registers ------------------------------------------------ */

/* The sweep of a tile over its outputs. */
void stencil_roll(struct stencil_tile *t);

/* One vector of column form `keep`, of row r and vector v of the tile. */
void stencil_set_rolled(struct stencil_tile *t, int keep, int r, int v, LLVMValueRef x);
LLVMValueRef stencil_read_rolled(struct stencil_tile *t, const struct stencil_step *step);

/* ---- where operands come from --------------------------------------------------------------- */

/* The rows that a single row reads, once for all its spans. */
void stencil_find_rows(struct stencil_tile *t);

/* An element of the source, or of a kept form, for every lane. */
LLVMValueRef stencil_read(struct stencil_tile *t, const struct stencil_span *span,
                          const struct stencil_step *step);

#endif
