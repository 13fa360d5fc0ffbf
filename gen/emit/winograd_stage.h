/* winograd_stage: the three stages of a work item of Winograd's algorithm.
 *
 * A work item is one block of tiles of one image and group, and one block of output channels. V
 * stays for the channel blocks that follow in the same call. Scratch memory holds, in this order:
 * what lies outside of the image (one pixel's channels), a patch (one tile's inputs, one vector of
 * channels), a table of pointers to a tile's pixels, the strips, M and V. Stands on: em, border,
 * em_math, em_transpose, winograd.
 */
#ifndef GEN_EMIT_WINOGRAD_STAGE_H
#define GEN_EMIT_WINOGRAD_STAGE_H

#include "gen/emit/em.h"
#include "gen/plan/winograd.h"

struct winograd_stage {
    struct em *em;
    const struct winograd *w;
    LLVMTypeRef element, vector;

    LLVMValueRef scratch;
    /* Pointers at the image and the first channel of the group or, but for src, of the block. */
    LLVMValueRef src, wei, bias, residual, dst;
    LLVMValueRef tile, tiles; /* the block's first tile, counted from the image's; how many */
    LLVMValueRef wide_panels; /* of its row panels */
    LLVMValueRef last;        /* i1: the group's last block of output channels */
};

void winograd_input(const struct winograd_stage *s);
void winograd_products(const struct winograd_stage *s);
void winograd_output(const struct winograd_stage *s);

/* ---- for the stages only ------------------------------------------------------------------- */

/* Place of a tile in the image. */
struct winograd_place {
    LLVMValueRef od, y, x; /* its first output */
};
struct winograd_place winograd_locate(const struct winograd_stage *s, LLVMValueRef tile);

LLVMValueRef winograd_scratch(const struct winograd_stage *s, int64_t at);

/* ---- strips --------------------------------------------------------------------------------- */

/* The pixel of the src strip that holds what lies outside of the image; filled once per call. */
LLVMValueRef winograd_strip_outside(const struct winograd_stage *s);
void winograd_strip_begin(const struct winograd_stage *s);

/* Fills the src strip for a row of tiles from `tile` on, as far as the block goes. */
void winograd_strip_read(const struct winograd_stage *s, LLVMValueRef tile);

/* One vector of channels of the outputs of one row of tiles. */
struct winograd_strip {
    LLVMValueRef dst, residual; /* of the first output and channel */
    LLVMValueRef rows, cols;    /* outputs that exist              */
    int active;                 /* channels                        */
};

/* From the dst strip through residual and activation; biases have been added. */
void winograd_strip_write(const struct winograd_stage *s, const struct winograd_strip *to);

#endif
