/* Direct plans with lanes=groups: output channels of several groups in the lanes. */
#include "gen/plan/direct_candidates.h"

static void add_all(struct direct_list *l, struct plan_direct d)
{
    const struct problem *p = l->p;
    int lanes = layout_lanes(p, &d, l->t);
    int64_t held = layout_vector_groups(p, lanes);
    if (held < 2 && !(held == 1 && p->icg == 1))
        return;
    size_t before = l->count;
    bool beside = p->p.src_stride[CONVC_STRIDE_C] == 1;
    /* Few registers hold what the columns share beside them, and no weights. */
    bool depthwise = p->icg == 1 && p->ocg == 1, few = target_narrow(l->t);
    int most = depthwise && few ? 12 : l->t->vector_registers * 3 / 8;
    for (d.vecs = 1; beside && d.vecs <= 2 && (d.vecs - 1) * held < p->p.groups; d.vecs++)
        direct_add_windows(l, d, most);
    if (l->count > before)
        return; /* nothing is faster than a window */
    for (d.vecs = 1; d.vecs <= 2 && (d.vecs - 1) * held < p->p.groups; d.vecs++) {
        if (p->p.kernel[CONVC_W] * p->icg <= 16)
            d.taps = TAPS_UNROLL;
        /* Unrolled taps keep a row of source vectors alive beside the accumulators. */
        most = direct_accumulators(l->t, 1) / 2 - (target_narrow(l->t) ? 0 : 2);
        direct_add_shapes(l, d, most / d.vecs, p->out[CONVC_W], p->out[CONVC_H]);
    }
}

void direct_add_lanes_groups(struct direct_list *l)
{
    add_all(l, (struct plan_direct){ .lanes = LANES_GROUPS });
    if (direct_halves_pay(l, l->p->p.oc, 3))
        add_all(l, (struct plan_direct){ .lanes = LANES_GROUPS, .half = true });
}
