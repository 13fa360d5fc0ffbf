/* The direct plans worth considering: every lane axis that fits, tiles that fill the registers,
 * both loop orders, and the border policies. */
#include "gen/plan/nest.h"
#include "gen/plan/plan_direct.h"

/* SHARES_MAX: column tiles over which the next weights are worth spreading. */
enum { CANDIDATES_MAX = 320, PEEL_MAX = 1200, SHARES_MAX = 64 };

struct list {
    const struct problem *p;
    const struct target *t;
    struct candidate *list;
    size_t count;
};

/* Accumulators that leave room for operands, by vectors across: measured to be free of spills. */
static int accumulators(const struct target *t, int vecs)
{
    static const int wide[] = { 0, 28, 28, 27, 24 }, narrow[] = { 0, 12, 12, 12, 8 };
    return t->vector_registers >= 32 ? wide[vecs] : narrow[vecs];
}

static bool same(const struct plan_direct *a, const struct plan_direct *b)
{
    return a->lanes == b->lanes && a->rows == b->rows && a->cols == b->cols && a->vecs == b->vecs &&
           a->order == b->order && a->border == b->border && a->fold == b->fold &&
           a->chunk == b->chunk && a->taps == b->taps && a->prefetch == b->prefetch;
}

static void add(struct list *l, const struct plan_direct *d)
{
    struct plan plan = { .algorithm = PLAN_DIRECT, .direct = *d };
    struct diag ignored = { 0 };
    for (size_t i = 0; i < l->count; i++) {
        if (same(&l->list[i].plan.direct, d))
            return;
    }
    if (l->count == CANDIDATES_MAX || plan_direct_check(&plan, l->p, l->t, &ignored) != CONVC_OK)
        return;
    struct candidate *c = &l->list[l->count++];
    c->plan = plan;
    plan_direct_cost(l->p, &plan, l->t, &c->cost);
}

static bool peel_fits(const struct list *l, const struct plan_direct *d)
{
    struct nest n;
    nest_of(l->p, d, l->t, &n);
    int64_t emitted = nest_emitted(&n);
    return emitted >= 0 && emitted <= PEEL_MAX;
}

/* Both orders, and the border policy that fits; every tile computes its places where peeling would
 * write down too much. */
static void add_orders(struct list *l, struct plan_direct d)
{
    d.border = BORDER_NONE;
    if (problem_axis_pads(l->p, CONVC_W))
        d.border = BORDER_PEEL;
    if (d.border == BORDER_PEEL && !peel_fits(l, &d)) {
        d.border = BORDER_COMPUTED;
        d.taps = TAPS_LOOP;
    }
    for (int i = 0; i < 4; i++) {
        d.order = i & 1 ? ORDER_WEIGHTS : ORDER_ROWS;
        d.prefetch = i & 2 ? PREFETCH_PIXELS : PREFETCH_NONE;
        add(l, &d);
    }
    struct nest n;
    nest_of(l->p, &d, l->t, &n);
    if (n.blocks > 1 && n.out[CONVC_D] * n.rows.tiles * n.cols.tiles <= SHARES_MAX) {
        d.order = ORDER_WEIGHTS;
        d.prefetch = PREFETCH_WEIGHTS;
        add(l, &d);
    }
}

/* Work items of some 16 tiles where rows are long. */
static int64_t chunk(int64_t tiles)
{
    int64_t chunks = (tiles + 15) / 16;
    return chunks > 1 ? (tiles + chunks - 1) / chunks : 0;
}

/* Row heights and column widths for `most` accumulators over `ow` columns. */
static void add_shapes(struct list *l, struct plan_direct d, int most, int64_t ow, int64_t oh)
{
    for (int rows = 1; rows <= 4 && rows <= oh; rows *= 2) {
        int64_t widest = most / rows < ow ? most / rows : ow;
        int64_t tiles = widest ? (ow + widest - 1) / widest : 0;
        if (!widest || (rows > 1 && tiles > 3))
            break;
        for (int64_t i = tiles; i <= tiles + 2; i++) {
            d.rows = rows;
            d.cols = (int)((ow + i - 1) / i);
            d.chunk = chunk(split_even(ow, d.cols).tiles);
            add_orders(l, d);
        }
    }
}

static void add_lanes_oc(struct list *l)
{
    const struct problem *p = l->p;
    int lanes = target_lanes(l->t, dtype_bytes(p->p.src_dtype));
    int64_t vectors = (p->ocg + lanes - 1) / lanes;
    int64_t pixels = p->out[0] * p->out[1] * p->out[2];
    bool fold = nest_foldable(p) && pixels != p->out[CONVC_W];
    for (int vecs = 1; vecs <= 4 && vecs <= vectors; vecs++) {
        struct plan_direct d = { .lanes = LANES_OC, .vecs = vecs };
        if (p->icg == 1 && p->p.kernel[CONVC_W] <= 8)
            d.taps = TAPS_UNROLL;
        add_shapes(l, d, accumulators(l->t, vecs) / vecs, p->out[CONVC_W], p->out[CONVC_H]);
        if (fold) {
            d.fold = pixels;
            add_shapes(l, d, accumulators(l->t, vecs) / vecs, pixels, 1);
        }
    }
}

static void add_lanes_groups(struct list *l)
{
    const struct problem *p = l->p;
    int lanes = target_lanes(l->t, dtype_bytes(p->p.src_dtype));
    int64_t held = layout_vector_groups(p, lanes);
    if (held < 2 && !(held == 1 && p->icg == 1))
        return;
    for (int vecs = 1; vecs <= 2 && (vecs - 1) * held < p->p.groups; vecs++) {
        struct plan_direct d = { .lanes = LANES_GROUPS, .vecs = vecs };
        if (p->p.kernel[CONVC_W] * p->icg <= 16)
            d.taps = TAPS_UNROLL;
        /* Unrolled taps keep a row of source vectors alive beside the accumulators. */
        int most = accumulators(l->t, 1) / 2 - (l->t->vector_registers < 32 ? 0 : 2);
        add_shapes(l, d, most / vecs, p->out[CONVC_W], p->out[CONVC_H]);
    }
}

static void add_lanes_ow(struct list *l)
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
            int most = accumulators(l->t, vecs) / vecs;
            int64_t cols = most < p->ocg ? most : p->ocg, blocks = (p->ocg + cols - 1) / cols;
            struct plan_direct d = { .lanes = LANES_OW, .rows = 1, .vecs = vecs };
            d.cols = (int)((p->ocg + blocks - 1) / blocks);
            d.fold = i ? pixels : 0;
            d.chunk = chunk((vectors + vecs - 1) / vecs);
            for (int rows = 1; rows <= 4 && rows * d.cols * vecs <= accumulators(l->t, vecs);
                 rows *= 2) {
                d.rows = i ? 1 : rows;
                add_orders(l, d);
            }
        }
    }
}

enum convc_status plan_direct_candidates(struct arena *a, const struct problem *p,
                                         const struct target *t, struct candidates *out,
                                         struct diag *d)
{
    struct list l = { .p = p,
                      .t = t,
                      .list = arena_array(a, CANDIDATES_MAX, sizeof(struct candidate)) };
    if (!l.list)
        return diag_memory(d);
    add_lanes_oc(&l);
    add_lanes_groups(&l);
    add_lanes_ow(&l);
    /* Always possible, however odd the problem. */
    struct plan_direct plain = { .lanes = LANES_OC, .rows = 1, .cols = 1, .vecs = 1 };
    plain.border = problem_axis_pads(p, CONVC_W) ? BORDER_COMPUTED : BORDER_NONE;
    add(&l, &plain);
    out->list = l.list;
    out->count = l.count;
    return CONVC_OK;
}
