/* Direct plans with lanes=oc: output channels of one group in the lanes. */
#include "gen/base/number.h"
#include "gen/plan/direct_candidates.h"

static void add_vectors(struct direct_list *l, struct plan_direct d, int64_t vectors)
{
    const struct problem *p = l->p;
    int64_t pixels = p->out[0] * p->out[1] * p->out[2];
    bool fold = nest_foldable(p) && pixels != p->out[CONVC_W];
    for (int vecs = 1; vecs <= 4 && vecs <= vectors; vecs++) {
        int most = direct_accumulators(l->t, vecs) / vecs;
        d.vecs = vecs;
        d.fold = 0;
        direct_add_shapes(l, d, most, p->out[CONVC_W], p->out[CONVC_H]);
        if (fold) {
            d.fold = pixels;
            direct_add_shapes(l, d, most, pixels, 1);
        }
    }
}

void direct_add_lanes_oc(struct direct_list *l)
{
    const struct problem *p = l->p;
    int lanes = target_lanes(l->t, dtype_bytes(p->p.acc_dtype));
    struct plan_direct d = { .lanes = LANES_OC };
    if (p->ocg <= lanes && p->ocg > lanes / 4 && p->p.groups > 1)
        direct_add_windows(l, LANES_OC, 1, l->t->vector_registers * 3 / 8);
    else if (p->ocg > lanes && p->p.src_stride[CONVC_STRIDE_C] != 1)
        direct_add_windows(l, LANES_OC, 1, l->t->vector_registers * 3 / 4);
    add_vectors(l, d, ceil_div(p->ocg, lanes));
    /* A last vector that is mostly empty. */
    d.rest = true;
    if (p->ocg % lanes && p->ocg % lanes <= lanes * 3 / 4)
        add_vectors(l, d, p->ocg / lanes);
}
