/* The Winograd plans worth considering: every pair of tile sizes, each with the blocks and register
 * tiles that should serve it best. */
#include "gen/base/number.h"
#include "gen/plan/plan_winograd.h"
#include "gen/plan/winograd.h"

#include <stdlib.h>

/* KEPT: plans of one pair of tile sizes. */
enum { CANDIDATES_MAX = 128, TRIED_MAX = 64, KEPT = 4 };

struct list {
    const struct problem *p;
    const struct target *t;
    struct candidate *list;
    size_t count;
    struct candidate tried[TRIED_MAX];
    size_t tries;
};

static void try_plan(struct list *l, const struct plan_winograd *w)
{
    struct plan plan = { .algorithm = PLAN_WINOGRAD, .winograd = *w };
    struct diag ignored = { 0 };
    if (l->tries == TRIED_MAX || plan_winograd_check(&plan, l->p, l->t, &ignored) != CONVC_OK)
        return;
    struct candidate *c = &l->tried[l->tries++];
    c->plan = plan;
    plan_winograd_cost(l->p, &plan, l->t, &c->cost);
}

/* Blocks of some multiples of a full row panel, and all tiles in one. That one is two work items,
 * each with half of the output channels where they are many: each streams its own weights, and the
 * input transform, which both need, is little beside them. */
static void try_blocks(struct list *l, struct plan_winograd w, int64_t tiles)
{
    static const int panels[] = { 1, 2, 4, 8 };
    int64_t lanes = target_lanes(l->t, dtype_bytes(l->p->p.acc_dtype));
    for (size_t i = 0; i < sizeof panels / sizeof *panels; i++) {
        w.block = panels[i] * w.rows;
        if (w.block >= tiles) {
            w.block = 0;
            w.oc = l->p->ocg >= 8 * w.vecs * lanes ? ceil_div(l->p->ocg, 2) : 0;
            i = sizeof panels / sizeof *panels;
        }
        try_plan(l, &w);
    }
}

/* Register tiles that fill the registers. */
static void try_tiles(struct list *l, struct plan_winograd w, int64_t tiles)
{
    static const int wide[] = { 0, 24, 14, 8 }, narrow[] = { 0, 12, 6, 4 };
    int64_t lanes = target_lanes(l->t, dtype_bytes(l->p->p.acc_dtype));
    int64_t vectors = ceil_div(l->p->ocg, lanes);
    for (int vecs = 1; vecs <= 3; vecs++) {
        if (vecs > vectors || (vecs == 1 && vectors > 1))
            continue;
        w.vecs = vecs;
        w.rows = !target_narrow(l->t) ? wide[vecs] : narrow[vecs];
        try_blocks(l, w, tiles);
    }
}

static int cheaper(const void *a, const void *b)
{
    double x = ((const struct candidate *)a)->cost.cycles;
    double y = ((const struct candidate *)b)->cost.cycles;
    return (x > y) - (x < y);
}

static void add_tiles_of(struct list *l, int h, int v)
{
    const struct problem *p = l->p;
    if (!winograd_axis_exists(h, p->p.kernel[CONVC_H]) ||
        !winograd_axis_exists(v, p->p.kernel[CONVC_W]))
        return;
    struct plan_winograd w = { .m = { h, v }, .prefetch = PREFETCH_WEIGHTS };
    int64_t rows = ceil_div(p->out[CONVC_H], h), cols = ceil_div(p->out[CONVC_W], v);
    l->tries = 0;
    try_tiles(l, w, p->out[CONVC_D] * rows * cols);
    qsort(l->tried, l->tries, sizeof *l->tried, cheaper);
    for (size_t i = 0; i < l->tries && i < KEPT && l->count < CANDIDATES_MAX; i++)
        l->list[l->count++] = l->tried[i];
}

enum convc_status plan_winograd_candidates(struct arena *a, const struct problem *p,
                                           const struct target *t, struct candidates *out,
                                           struct diag *d)
{
    struct list l = { .p = p,
                      .t = t,
                      .list = arena_array(a, CANDIDATES_MAX, sizeof(struct candidate)) };
    if (!l.list)
        return diag_memory(d);
    for (int h = 1; h < WINOGRAD_POINTS; h++) {
        for (int w = 1; w < WINOGRAD_POINTS; w++)
            add_tiles_of(&l, h, w);
    }
    out->list = l.list;
    out->count = l.count;
    return CONVC_OK;
}
