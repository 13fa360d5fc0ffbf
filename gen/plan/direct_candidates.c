/* The direct plans worth considering: every lane axis that fits, tiles that fill the registers,
 * both loop orders, and the border policies. */
#include "gen/plan/direct_candidates.h"
#include "gen/plan/strip.h"

#include "gen/base/number.h"

/* SHARES_MAX: column tiles over which the next weights are worth spreading. */
enum { CANDIDATES_MAX = 320, PEEL_MAX = 1200, SHARES_MAX = 64 };

int direct_accumulators(const struct target *t, int vecs)
{
    static const int wide[] = { 0, 28, 28, 27, 24, 25 }, narrow[] = { 0, 12, 12, 12, 8 };
    static const int products[] = { 0, 12, 10, 9, 8 }; /* that need a register of their own */
    if (!target_narrow(t))
        return wide[vecs];
    return t->fma ? narrow[vecs] : products[vecs];
}

/* Tiles whose pixels are not evenly apart are written down one by one, in some 800 bytes each. */
static bool too_scattered(const struct direct_list *l, const struct plan_direct *d)
{
    enum { WRITTEN_TILES = 20 };
    struct nest n;
    nest_of(l->p, d, l->t, &n);
    return n.scattered && n.cols.tiles * n.classes > WRITTEN_TILES;
}

static bool same(const struct plan_direct *a, const struct plan_direct *b)
{
    return a->lanes == b->lanes && a->rows == b->rows && a->cols == b->cols && a->vecs == b->vecs &&
           a->order == b->order && a->border == b->border && a->fold == b->fold &&
           a->chunk == b->chunk && a->taps == b->taps && a->prefetch == b->prefetch &&
           a->split == b->split && a->rest == b->rest && a->strip == b->strip && a->half == b->half;
}

void direct_add(struct direct_list *l, const struct plan_direct *d)
{
    struct plan plan = { .algorithm = PLAN_DIRECT, .direct = *d };
    struct diag ignored = { 0 };
    plan.direct.strip = l->strip;
    for (size_t i = 0; i < l->count; i++) {
        if (same(&l->list[i].plan.direct, &plan.direct))
            return;
    }
    if (l->count == CANDIDATES_MAX ||
        plan_direct_check(&plan, l->whole, l->t, &ignored) != CONVC_OK || too_scattered(l, d))
        return;
    struct candidate *c = &l->list[l->count++];
    c->plan = plan;
    plan_direct_cost(l->whole, &plan, l->t, &c->cost);
}

bool direct_halves_pay(const struct direct_list *l, int64_t extent, int64_t most)
{
    int64_t lanes = target_lanes(l->t, dtype_bytes(l->p->p.acc_dtype)), last = extent % lanes;
    return l->t->halves && last && 2 * last <= lanes && extent < most * lanes;
}

static bool peel_fits(const struct direct_list *l, const struct plan_direct *d)
{
    int64_t emitted = nest_emitted(l->p, d, l->t);
    return emitted >= 0 && emitted <= PEEL_MAX;
}

/* Is there a next tile, whose pixels are worth asking for? With taps only where they come in lines
 * and from beyond L2, which Zen 4 waits for. */
static bool pixels_ahead(const struct direct_list *l, const struct nest *n)
{
    int64_t pixel = l->p->p.ic * n->src_bytes, image = n->in[0] * n->in[1] * n->in[2] * pixel;
    if (problem_pointwise(l->p))
        return n->cols.tiles > 1;
    return l->t->halves && n->row_tiles > 1 && pixel >= 64 && image > l->t->l2_bytes;
}

void direct_add_orders(struct direct_list *l, struct plan_direct d)
{
    d.border = BORDER_NONE;
    if (problem_axis_pads(l->p, CONVC_W))
        d.border = BORDER_PEEL;
    if (d.border == BORDER_PEEL && !peel_fits(l, &d)) {
        d.border = BORDER_COMPUTED;
        d.taps = TAPS_LOOP;
    }
    struct nest n;
    nest_of(l->p, &d, l->t, &n);
    int64_t tiles = n.out[CONVC_D] * n.row_tiles * n.cols.tiles;
    for (int i = 0; i < (pixels_ahead(l, &n) ? 4 : 2); i++) {
        d.order = i & 1 ? ORDER_WEIGHTS : ORDER_ROWS;
        d.prefetch = i & 2 ? PREFETCH_PIXELS : PREFETCH_NONE;
        direct_add(l, &d);
    }
    if (n.blocks > 1 && tiles > 1 && tiles <= SHARES_MAX) {
        d.order = ORDER_WEIGHTS;
        d.prefetch = PREFETCH_WEIGHTS;
        direct_add(l, &d);
    }
}

/* Eight sums at least: two multiply-adds a cycle, four cycles each. */
static int split(const struct problem *p, const struct plan_direct *d)
{
    int sums = d->rows * d->cols * d->vecs, sets = 1;
    if (d->lanes != LANES_OC && d->lanes != LANES_IC)
        return 0;
    if (p->f.terms && p->f.reduce == REDUCE_FOLD)
        return 0;
    while (sums * sets < 8)
        sets *= 2;
    return sets > 1 ? sets : 0;
}

void direct_add_shapes(struct direct_list *l, struct plan_direct d, int most, int64_t ow,
                       int64_t oh)
{
    for (int rows = 1; rows <= 4 && rows <= oh; rows *= 2) {
        int64_t widest = most / rows < ow ? most / rows : ow;
        int64_t tiles = widest ? ceil_div(ow, widest) : 0;
        if (!widest || (rows > 1 && tiles > 3))
            break;
        for (int64_t i = tiles; i <= tiles + 2; i++) {
            d.rows = rows;
            d.cols = (int)ceil_div(ow, i);
            d.split = split(l->p, &d);
            d.chunk = nest_chunk(split_even(ow, d.cols).tiles);
            direct_add_orders(l, d);
        }
    }
}

/* Inputs turned over, where tiles are so narrow that lines of pixels would be read in pieces. Those
 * that fill 32 registers use a line whole. */
static void add_strips(struct direct_list *l)
{
    struct problem room;
    const struct plan_direct d = { .cols = 1, .strip = true };
    if (!target_narrow(l->t) || l->whole->p.src_stride[CONVC_STRIDE_C] == 1 ||
        l->whole->p.padding_mode != CONVC_PAD_ZEROS)
        return;
    l->p = strip_problem(l->whole, &d, l->t, &room);
    l->strip = true;
    direct_add_lanes_oc(l);
    l->p = l->whole;
    l->strip = false;
}

enum convc_status plan_direct_candidates(struct arena *a, const struct problem *p,
                                         const struct target *t, struct candidates *out,
                                         struct diag *d)
{
    struct direct_list l = {
        .p = p, .whole = p, .t = t, .list = arena_array(a, CANDIDATES_MAX, sizeof(struct candidate))
    };
    *out = (struct candidates){ 0 };
    if (!l.list)
        return diag_memory(d);
    if (p->f.windowed)
        return CONVC_OK;
    direct_add_lanes_oc(&l);
    direct_add_lanes_groups(&l);
    direct_add_lanes_ow(&l);
    direct_add_lanes_ic(&l);
    add_strips(&l);
    /* Always possible, however odd the problem, but for windows. */
    struct plan_direct plain = { .lanes = LANES_OC, .rows = 1, .cols = 1, .vecs = 1 };
    plain.border = problem_axis_pads(p, CONVC_W) ? BORDER_COMPUTED : BORDER_NONE;
    direct_add(&l, &plain);
    out->list = l.list;
    out->count = l.count;
    return CONVC_OK;
}
