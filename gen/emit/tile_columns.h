/* tile_columns: a vector of output columns, each lane from the column of the input that it reads.
 *
 * Where each lane reads is known while emitting, so that strides and borders cost shuffles or masks
 * and hardly ever a gather. What several taps load is loaded once.
 * Stands on: tile.
 */
#ifndef GEN_EMIT_TILE_COLUMNS_H
#define GEN_EMIT_TILE_COLUMNS_H

#include "gen/emit/tile.h"

enum { COLUMNS_SEEN = 64 };

/* Vectors loaded from one row, by their distance from `src`. */
struct columns {
    LLVMValueRef src; /* where tap 0 of the tile's first column reads; maybe outside */
    struct {
        int64_t distance;
        int active;
        LLVMValueRef value;
    } seen[COLUMNS_SEEN];
    int seen_count;
};

/* What vector v of the tile's columns reads under tap kw; lanes that read padding hold it. NULL:
 * all of them read zeros. */
LLVMValueRef tile_columns(struct tile *t, struct columns *row, int64_t kw, int v);

#endif
