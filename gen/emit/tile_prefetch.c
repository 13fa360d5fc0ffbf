#include "gen/emit/tile_prefetch.h"

#include "gen/base/number.h"

/* How many steps of a block of `count` share one prefetch of a pixel's line: a tile of few columns
 * has fewer pixels than a line has channels. */
static int64_t steps_per_pixel(const struct tile *t, int64_t count)
{
    int64_t per_line = 64 / t->nest->src_bytes, steps = 1;
    while (per_line / (2 * steps) >= t->cols && count % (2 * steps) == 0)
        steps *= 2;
    return steps;
}

/* One line of the next tile's pixels: of the channels of a line every `steps`th fetches that line
 * of one pixel after the other, so that each line is asked for once, spread over the loop. With
 * taps the next column tile's pixels are near, but not those a row tile down, which come to L2
 * while a row of tiles runs. */
static void prefetch_pixels(struct tile *t, const struct tile_row *row, LLVMValueRef ic,
                            int64_t steps)
{
    const struct nest *n = t->nest;
    struct em *em = t->em;
    int64_t per_line = 64 / n->src_bytes;
    int64_t pixel = n->p->p.stride[CONVC_W] * reads_src_bytes(t, CONVC_STRIDE_W);
    LLVMValueRef in_line = LLVMBuildAnd(em->builder, ic, em_int(em, per_line - 1), "");
    LLVMValueRef first = LLVMBuildSub(em->builder, ic, in_line, ""), rest;
    LLVMValueRef which = em_divide(em, in_line, em_int(em, steps), &rest);
    LLVMValueRef p = em_at(em, row->origin, em_mul(em, which, pixel));
    p = em_at(em, p, em_mul(em, first, n->src_bytes));
    if (problem_pointwise(n->p)) {
        em_prefetch(em, em_at_const(em, p, t->cols * pixel), EM_L1);
        return;
    }
    int64_t down = n->rows.wide * n->row_step * n->p->p.stride[CONVC_H];
    em_prefetch(em, em_at_const(em, p, down * n->src_stride[CONVC_STRIDE_H] * n->src_bytes), EM_L2);
}

/* This tile's share of the next channel block's weights, spread over its steps: the part that lies,
 * in the next block, where `wei` lies in this one, drawn together. */
static LLVMValueRef next_weights(struct tile *t, LLVMValueRef wei, int64_t tiles)
{
    struct em *em = t->em;
    int64_t block = layout_block_elements(&t->nest->layout) * t->nest->bytes;
    LLVMValueRef rest, here = LLVMBuildPtrToInt(em->builder, wei, em->i64, "");
    LLVMValueRef begin = LLVMBuildPtrToInt(em->builder, t->wei, em->i64, "");
    LLVMValueRef within = em_divide(em, em_sub(em, here, begin), em_int(em, tiles), &rest);
    LLVMValueRef share = em_mul_add(em, t->number, ceil_div(block, tiles), block);
    return em_opaque(em, em_at(em, t->wei, em_add(em, share, within)));
}

/* Lines that step ic of a loop asks for. */
static void prefetch_weights(struct tile *t, LLVMValueRef from, LLVMValueRef ic, int64_t tiles)
{
    int64_t width = t->channel->width * t->nest->bytes, step = ceil_div(width, tiles);
    LLVMValueRef p = em_at(t->em, from, em_mul(t->em, ic, step));
    for (int64_t line = 0; line < step; line += 64)
        em_prefetch(t->em, em_at_const(t->em, p, line), EM_L1);
}

struct tile_ahead tile_ahead(struct tile *t, const struct tile_row *row, LLVMValueRef wei)
{
    struct tile_ahead ahead = { .row = row };
    if (t->nest->plan.prefetch == PREFETCH_WEIGHTS) {
        ahead.tiles = t->nest->out[CONVC_D] * t->nest->row_tiles * t->nest->cols.tiles;
        ahead.weights = next_weights(t, wei, ahead.tiles);
    }
    return ahead;
}

void tile_prefetch(struct tile *t, const struct tile_ahead *ahead, LLVMValueRef turn, int64_t i,
                   int64_t count)
{
    enum plan_prefetch kind = t->nest->plan.prefetch;
    int64_t shared = steps_per_pixel(t, count);
    for (int r = 0; kind == PREFETCH_PIXELS && i % shared == 0 && r < t->rows; r++)
        prefetch_pixels(t, &ahead->row[r], turn, shared);
    if (kind == PREFETCH_WEIGHTS)
        prefetch_weights(t, ahead->weights, turn, ahead->tiles);
}
