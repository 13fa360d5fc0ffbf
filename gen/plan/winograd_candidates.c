/* The Winograd plans worth considering, and what they should cost. */
#include "gen/plan/plan_winograd.h"
#include "gen/plan/winograd.h"

enum { CANDIDATES_MAX = 64 };

struct list {
    const struct problem *p;
    const struct target *t;
    struct candidate *list;
    size_t count;
};

static void add(struct list *l, const struct plan_winograd *w)
{
    struct plan plan = { .algorithm = PLAN_WINOGRAD, .winograd = *w };
    struct diag ignored = { 0 };
    if (l->count == CANDIDATES_MAX || plan_winograd_check(&plan, l->p, l->t, &ignored) != CONVC_OK)
        return;
    struct candidate *c = &l->list[l->count++];
    c->plan = plan;
    plan_winograd_cost(l->p, &plan, l->t, &c->cost);
}

static void add_blocks(struct list *l, struct plan_winograd w)
{
    static const int64_t block[] = { 0, 14, 28, 49, 98 };
    for (size_t i = 0; i < sizeof block / sizeof *block; i++) {
        w.block = block[i];
        w.prefetch = PREFETCH_WEIGHTS;
        add(l, &w);
    }
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
    for (int h = 1; h <= 6; h++) {
        for (int w = 1; w <= 6; w++) {
            struct plan_winograd plan = { .m = { h, w }, .rows = 13, .vecs = 2 };
            if (t->vector_registers < 32)
                plan.rows = 6;
            add_blocks(&l, plan);
        }
    }
    out->list = l.list;
    out->count = l.count;
    return CONVC_OK;
}

void plan_winograd_cost(const struct problem *p, const struct plan *plan, const struct target *t,
                        struct cost *cost)
{
    struct winograd w;
    winograd_of(p, &plan->winograd, t, &w);
    *cost = (struct cost){ .limit = "fma" };
    cost->fma = (double)w.tiles * w.points * (double)(w.k * w.vectors) * (double)p->p.groups / 2;
    cost->cycles = cost->fma * 1.2;
}
