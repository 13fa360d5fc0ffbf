#include "gen/plan/choose.h"

#include "gen/base/memory.h"
#include "gen/plan/plan_direct.h"
#include "gen/plan/plan_fixed.h"
#include "gen/plan/plan_stencil.h"
#include "gen/plan/plan_winograd.h"

#include <stdlib.h>
#include <string.h>

static enum convc_status (*const candidates_of[PLAN_ALGORITHMS])(struct arena *,
                                                                 const struct problem *,
                                                                 const struct target *,
                                                                 struct candidates *,
                                                                 struct diag *) = {
    [PLAN_DIRECT] = plan_direct_candidates,
    [PLAN_WINOGRAD] = plan_winograd_candidates,
    [PLAN_STENCIL] = plan_stencil_candidates,
    [PLAN_FIXED] = plan_fixed_candidates,
};

static void (*const cost_of[PLAN_ALGORITHMS])(const struct problem *, const struct plan *,
                                              const struct target *, struct cost *) = {
    [PLAN_DIRECT] = plan_direct_cost,
    [PLAN_WINOGRAD] = plan_winograd_cost,
    [PLAN_STENCIL] = plan_stencil_cost,
    [PLAN_FIXED] = plan_fixed_cost,
};

static int cheaper(const void *a, const void *b)
{
    const struct candidate *x = a, *y = b;
    char tx[PLAN_TEXT_MAX], ty[PLAN_TEXT_MAX];
    if (x->cost.cycles != y->cost.cycles)
        return x->cost.cycles < y->cost.cycles ? -1 : 1;
    plan_print(&x->plan, tx);
    plan_print(&y->plan, ty);
    return strcmp(tx, ty);
}

void choose_sort(struct candidates *c)
{
    qsort(c->list, c->count, sizeof *c->list, cheaper);
}

void plan_cost(const struct problem *p, const struct plan *plan, const struct target *t,
               struct cost *cost)
{
    cost_of[plan->algorithm](p, plan, t, cost);
}

/* Sums over taps always have a plan. */
static enum convc_status refuse_window(const struct problem *p, const struct target *t,
                                       struct diag *d)
{
    const struct plan least = { .algorithm = PLAN_STENCIL,
                                .stencil = { .rows = 1, .vecs = 1, .strip = 1 } };
    struct diag why = { 0 };
    plan_check(&least, p, t, &why);
    return diag_fail(d, CONVC_ERR_UNSUPPORTED, "no algorithm takes this window: %s", why.text);
}

enum convc_status choose_plans(struct arena *a, const struct problem *p, const struct target *t,
                               struct candidates *out, struct diag *d)
{
    struct candidates part[PLAN_ALGORITHMS];
    uint64_t refused = memory_refused();
    size_t total = 0;
    *out = (struct candidates){ 0 };
    for (int i = 0; i < PLAN_ALGORITHMS; i++) {
        if (candidates_of[i](a, p, t, &part[i], d) != CONVC_OK)
            return d->status;
        total += part[i].count;
    }
    out->list = arena_array(a, total, sizeof(struct candidate));
    if (!out->list)
        return diag_memory(d);
    for (int i = 0; i < PLAN_ALGORITHMS; i++) {
        for (size_t j = 0; j < part[i].count; j++) {
            if (plan_admitted(&part[i].list[j].plan, p))
                out->list[out->count++] = part[i].list[j];
        }
    }
    if (memory_refused() != refused)
        return diag_memory(d);
    if (!out->count)
        return refuse_window(p, t, d);
    choose_sort(out);
    return CONVC_OK;
}

enum convc_status choose_plan(const struct problem *p, const struct target *t, struct plan *out,
                              struct diag *d)
{
    struct arena a = { 0 };
    struct candidates all;
    enum convc_status st = choose_plans(&a, p, t, &all, d);
    if (st == CONVC_OK)
        *out = all.list[0].plan;
    arena_free(&a);
    return st;
}
