/* Direct plans with lanes=ow: output columns in the lanes. */
#include "gen/plan/direct_candidates.h"

void direct_add_lanes_ow(struct direct_list *l)
{
    const struct problem *p = l->p;
    if (p->p.dst_stride[CONVC_STRIDE_W] != 1 || p->p.src_stride[CONVC_STRIDE_W] != 1)
        return;
    int lanes = target_lanes(l->t, dtype_bytes(p->p.src_dtype));
    int64_t pixels = p->out[0] * p->out[1] * p->out[2];
    bool fold = nest_foldable(p) && nest_even_pixels(p) && pixels != p->out[CONVC_W];
    for (int i = 0; i < 1 + fold; i++) {
        int64_t ow = i ? pixels : p->out[CONVC_W], vectors = (ow + lanes - 1) / lanes;
        for (int vecs = 1; vecs <= 4 && vecs <= vectors; vecs++) {
            int most = direct_accumulators(l->t, vecs) / vecs;
            int64_t cols = most < p->ocg ? most : p->ocg, blocks = (p->ocg + cols - 1) / cols;
            struct plan_direct d = { .lanes = LANES_OW, .rows = 1, .vecs = vecs };
            d.cols = (int)((p->ocg + blocks - 1) / blocks);
            d.fold = i ? pixels : 0;
            d.chunk = nest_chunk((vectors + vecs - 1) / vecs);
            for (int rows = 1; rows <= 4 && rows * d.cols * vecs <= direct_accumulators(l->t, vecs);
                 rows *= 2) {
                d.rows = i ? 1 : rows;
                direct_add_orders(l, d);
            }
        }
    }
}
