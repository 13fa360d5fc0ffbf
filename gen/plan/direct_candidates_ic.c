/* Direct plans with lanes=ic: output channels too few to fill a vector. */
#include "gen/plan/direct_candidates.h"

void direct_add_lanes_ic(struct direct_list *l)
{
    const struct problem *p = l->p;
    int lanes = target_lanes(l->t, dtype_bytes(p->p.acc_dtype));
    int64_t pixels = p->out[0] * p->out[1] * p->out[2];
    if (p->ocg >= lanes)
        return;
    struct plan_direct d = { .lanes = LANES_IC, .vecs = (int)split_even(p->ocg, TILE_DOTS).wide };
    int most = direct_accumulators(l->t, 4) / d.vecs;
    most = most < lanes ? most : lanes;
    direct_add_shapes(l, d, most, p->out[CONVC_W], p->out[CONVC_H]);
    if (nest_foldable(p) && pixels != p->out[CONVC_W]) {
        d.fold = pixels;
        direct_add_shapes(l, d, most, pixels, 1);
    }
}
