/* Direct plans with lanes=oc: output channels of one group in the lanes. */
#include "gen/plan/direct_candidates.h"

void direct_add_lanes_oc(struct direct_list *l)
{
    const struct problem *p = l->p;
    int lanes = target_lanes(l->t, dtype_bytes(p->p.src_dtype));
    int64_t vectors = (p->ocg + lanes - 1) / lanes;
    int64_t pixels = p->out[0] * p->out[1] * p->out[2];
    bool fold = nest_foldable(p) && pixels != p->out[CONVC_W];
    if (vectors == 1 && p->ocg > lanes / 4)
        direct_add_windows(l, LANES_OC, 1);
    for (int vecs = 1; vecs <= 4 && vecs <= vectors; vecs++) {
        struct plan_direct d = { .lanes = LANES_OC, .vecs = vecs };
        if (p->icg == 1 && p->p.kernel[CONVC_W] <= 8)
            d.taps = TAPS_UNROLL;
        direct_add_shapes(l, d, direct_accumulators(l->t, vecs) / vecs, p->out[CONVC_W],
                          p->out[CONVC_H]);
        if (fold) {
            d.fold = pixels;
            direct_add_shapes(l, d, direct_accumulators(l->t, vecs) / vecs, pixels, 1);
        }
    }
}
