/* Direct plans with lanes=oc: output channels of one group in the lanes. */
#include "gen/base/number.h"
#include "gen/plan/direct_candidates.h"

/* Five vectors side by side are for half ones: with full ones a block reads enough lines at once.
 */
enum { FULL_MOST = 4, HALF_MOST = 5 };

static void add_vectors(struct direct_list *l, struct plan_direct d, int64_t vectors)
{
    const struct problem *p = l->p;
    int64_t pixels = p->out[0] * p->out[1] * p->out[2];
    bool fold = nest_foldable(p) && pixels != p->out[CONVC_W];
    for (int vecs = 1; vecs <= (d.half ? HALF_MOST : FULL_MOST) && vecs <= vectors; vecs++) {
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

static void add_all(struct direct_list *l, struct plan_direct d)
{
    const struct problem *p = l->p;
    int lanes = layout_lanes(p, &d, l->t), registers = l->t->vector_registers;
    if (p->ocg <= lanes && p->ocg > lanes / 4 && p->p.groups > 1)
        direct_add_windows(l, d, registers * 3 / 8);
    else if (p->ocg > lanes && p->p.src_stride[CONVC_STRIDE_C] != 1)
        direct_add_windows(l, d, registers * 3 / 4);
    add_vectors(l, d, ceil_div(p->ocg, lanes));
    /* A last vector that is mostly empty. Half vectors would leave as many channels over. */
    d.rest = true;
    if (!d.half && p->ocg % lanes && p->ocg % lanes <= lanes * 3 / 4)
        add_vectors(l, d, p->ocg / lanes);
}

void direct_add_lanes_oc(struct direct_list *l)
{
    add_all(l, (struct plan_direct){ .lanes = LANES_OC, .vecs = 1 });
    if (direct_halves_pay(l, l->p->ocg, 8))
        add_all(l, (struct plan_direct){ .lanes = LANES_OC, .vecs = 1, .half = true });
}
