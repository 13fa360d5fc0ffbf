/* Direct plans with taps=window: tiles of several rows and columns, few enough that what is read
 * has registers beside them. */
#include "gen/plan/direct_candidates.h"

static void add_tile(struct direct_list *l, struct plan_direct d)
{
    d.border = problem_axis_pads(l->p, CONVC_W) ? BORDER_PEEL : BORDER_NONE;
    int64_t emitted = nest_emitted(l->p, &d, l->t);
    if (emitted < 0 || emitted > WRITTEN_MOST)
        return;
    /* Two vectors are for lines of L1 that one would read half of. */
    bool depthwise = d.lanes == LANES_GROUPS && l->p->icg == 1 && l->p->ocg == 1;
    bool half = depthwise && target_narrow(l->t) && d.vecs * l->t->vector_bytes <= 64;
    for (int order = d.vecs > 1 && !half ? ORDER_PIXELS : ORDER_ROWS; order <= ORDER_PIXELS;
         order++) {
        /* Several multiply-adds a pixel and channel hide how pixels lie. */
        if (order == ORDER_PIXELS && l->p->icg > 1)
            continue;
        d.order = (enum plan_order)order;
        direct_add(l, &d);
    }
}

/* Tiles of `rows` rows that cover the columns evenly. */
static void add_widths(struct direct_list *l, struct plan_direct d, int most)
{
    int64_t ow = l->p->out[CONVC_W], last = 0;
    for (int64_t cols = most / d.rows; cols >= 1 && 2 * cols * d.rows >= most / 2; cols--) {
        struct split s = split_even(ow, cols < ow ? cols : ow);
        if (s.wide == last)
            continue;
        last = s.wide;
        d.cols = (int)s.wide;
        d.chunk = s.tiles > 64 ? nest_chunk(s.tiles) : 0;
        add_tile(l, d);
    }
}

void direct_add_windows(struct direct_list *l, struct plan_direct d, int accumulators)
{
    const struct problem *p = l->p;
    int most = accumulators / d.vecs;
    d.cols = 1;
    d.taps = TAPS_WINDOW;
    if (p->p.kernel[CONVC_H] * p->p.kernel[CONVC_W] == 1)
        return;
    for (d.rows = 1; d.rows <= TILE_ROWS && d.rows <= most; d.rows++) {
        struct nest n;
        nest_of(p, &d, l->t, &n);
        if (n.rows.wide == d.rows)
            add_widths(l, d, most);
    }
}
