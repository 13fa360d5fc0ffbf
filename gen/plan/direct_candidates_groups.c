/* Direct plans with lanes=groups: output channels of several groups in the lanes. */
#include "gen/plan/direct_candidates.h"

void direct_add_lanes_groups(struct direct_list *l)
{
    const struct problem *p = l->p;
    int lanes = target_lanes(l->t, dtype_bytes(p->p.acc_dtype));
    int64_t held = layout_vector_groups(p, lanes);
    if (held < 2 && !(held == 1 && p->icg == 1))
        return;
    size_t before = l->count;
    bool beside = p->p.src_stride[CONVC_STRIDE_C] == 1;
    /* Few registers hold what the columns share beside them, and no weights. */
    bool depthwise = p->icg == 1 && p->ocg == 1, few = target_narrow(l->t);
    int most = depthwise && few ? 12 : l->t->vector_registers * 3 / 8;
    for (int vecs = 1; beside && vecs <= 2 && (vecs - 1) * held < p->p.groups; vecs++)
        direct_add_windows(l, LANES_GROUPS, vecs, most);
    if (l->count > before)
        return; /* nothing is faster than a window */
    for (int vecs = 1; vecs <= 2 && (vecs - 1) * held < p->p.groups; vecs++) {
        struct plan_direct d = { .lanes = LANES_GROUPS, .vecs = vecs };
        if (p->p.kernel[CONVC_W] * p->icg <= 16)
            d.taps = TAPS_UNROLL;
        /* Unrolled taps keep a row of source vectors alive beside the accumulators. */
        most = direct_accumulators(l->t, 1) / 2 - (target_narrow(l->t) ? 0 : 2);
        direct_add_shapes(l, d, most / vecs, p->out[CONVC_W], p->out[CONVC_H]);
    }
}
