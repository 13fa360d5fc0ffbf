/* Direct plans with lanes=ow: output columns in the lanes. */
#include "gen/base/number.h"
#include "gen/plan/direct_candidates.h"

/* Rows by output channels by one or two vectors, of which the whole window is written down. */
static void add_windows(struct direct_list *l, struct plan_direct d)
{
    const struct problem *p = l->p;
    int lanes = layout_lanes(p, &d, l->t);
    int64_t ow = p->out[CONVC_W], oh = p->out[CONVC_H];
    /* A single channel's tile stands beside its resident weights. */
    int most = p->ocg == 1 ? l->t->vector_registers / 4 : direct_accumulators(l->t, 2) - 2;
    d.taps = TAPS_WINDOW;
    d.border = problem_axis_pads(p, CONVC_W) ? BORDER_PEEL : BORDER_NONE;
    for (d.vecs = 1; d.vecs <= 2 && (d.vecs - 1) * lanes < ow; d.vecs++) {
        for (d.rows = 1; d.rows <= TILE_ROWS && d.rows <= oh; d.rows++) {
            int64_t fit = most / d.rows / d.vecs;
            if (!fit || split_even(oh, d.rows).wide != d.rows)
                continue;
            d.cols = (int)split_even(p->ocg, fit < p->ocg ? fit : p->ocg).wide;
            int64_t emitted = nest_emitted(p, &d, l->t);
            for (int i = 0; i < 2 && emitted >= 0 && emitted <= WRITTEN_MOST; i++) {
                d.order = i ? ORDER_WEIGHTS : ORDER_ROWS;
                direct_add(l, &d);
            }
        }
    }
}

/* Tiles of taps in loops, of `ow` columns. */
static void add_tiles(struct direct_list *l, struct plan_direct d, int64_t ow)
{
    const struct problem *p = l->p;
    int64_t vectors = ceil_div(ow, layout_lanes(p, &d, l->t));
    for (d.vecs = 1; d.vecs <= 4 && d.vecs <= vectors; d.vecs++) {
        int most = direct_accumulators(l->t, d.vecs) / d.vecs;
        int64_t cols = most < p->ocg ? most : p->ocg, blocks = ceil_div(p->ocg, cols);
        d.cols = (int)(ceil_div(p->ocg, blocks));
        d.chunk = nest_chunk(ceil_div(vectors, d.vecs));
        for (int rows = 1; rows <= 4 && rows * d.cols * d.vecs <= direct_accumulators(l->t, d.vecs);
             rows *= 2) {
            d.rows = d.fold ? 1 : rows;
            direct_add_orders(l, d);
        }
    }
}

static void add_all(struct direct_list *l, struct plan_direct d)
{
    const struct problem *p = l->p;
    bool few = direct_halves_pay(l, p->out[CONVC_W], 2);
    if (p->p.kernel[CONVC_H] * p->p.kernel[CONVC_W] > 1 && (!d.half || few))
        add_windows(l, d);
    int64_t pixels = p->out[0] * p->out[1] * p->out[2];
    bool fold = nest_foldable(p) && nest_even_pixels(p) && pixels != p->out[CONVC_W];
    add_tiles(l, d, p->out[CONVC_W]);
    if (fold) {
        d.fold = pixels;
        add_tiles(l, d, pixels);
    }
}

void direct_add_lanes_ow(struct direct_list *l)
{
    const struct problem *p = l->p;
    if (p->p.dst_stride[CONVC_STRIDE_W] != 1 || p->p.src_stride[CONVC_STRIDE_W] != 1)
        return;
    add_all(l, (struct plan_direct){ .lanes = LANES_OW });
    if (direct_halves_pay(l, p->out[CONVC_W], 4))
        add_all(l, (struct plan_direct){ .lanes = LANES_OW, .half = true });
}
