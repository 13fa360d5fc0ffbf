#include "gen/plan/space.h"

#include "gen/base/memory.h"
#include "gen/plan/layout.h"

#include <stdlib.h>
#include <string.h>

/* Whose neighbours are looked at, and what is left out, in cycles of the best plan. */
static const double reach = 2, slack = 1.5;

enum { SPACE_MAX = 4096 };

struct space {
    const struct problem *p;
    const struct target *t;
    struct candidate *list;
    size_t count;
    double best; /* cycles */
};

/* ---- one plan -------------------------------------------------------------------------------- */

/* No plan is done before each of its resources is. */
static double bound(const struct cost *c)
{
    double most = c->fma;
    const double others[] = { c->load, c->l2, c->memory };
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        if (others[i] > most)
            most = others[i];
    }
    return most;
}

static bool worth(const struct space *s, const struct cost *c)
{
    return bound(c) <= slack * s->best;
}

static void add(struct space *s, const struct plan *plan)
{
    struct diag ignored = { 0 };
    struct candidate c = { .plan = *plan };
    if (s->count == SPACE_MAX || plan_check(plan, s->p, s->t, &ignored) != CONVC_OK ||
        !plan_admitted(plan, s->p))
        return;
    plan_cost(s->p, plan, s->t, &c.cost);
    if (worth(s, &c.cost))
        s->list[s->count++] = c;
}

/* ---- neighbours ------------------------------------------------------------------------------ */

/* The plan `p` that `own` is a part of, with another value there than `from` has. */
#define VARY(member, value) (own->member = (value), add(s, &p), own->member = from->member)

static void add_direct(struct space *s, struct plan p)
{
    struct plan_direct *own = &p.direct, original = p.direct, *from = &original;
    for (int step = -2; step <= 2; step++)
        VARY(cols, from->cols + step);
    VARY(rows, from->rows * 2);
    VARY(rows, from->rows / 2);
    VARY(vecs, from->vecs + 1);
    VARY(vecs, from->vecs - 1);
    VARY(half, !from->half);
    VARY(chunk, from->chunk * 2);
    VARY(chunk, from->chunk / 2);
    VARY(chunk, from->chunk ? 0 : 4);
    for (int split = 0; split <= 4; split += 2)
        VARY(split, split);
    for (enum plan_order order = ORDER_ROWS; order <= ORDER_PIXELS; order++)
        VARY(order, order);
    for (enum plan_border border = BORDER_NONE; border <= BORDER_COMPUTED; border++)
        VARY(border, border);
    for (enum plan_taps taps = TAPS_LOOP; taps <= TAPS_WINDOW; taps++)
        VARY(taps, taps);
    for (enum plan_prefetch prefetch = PREFETCH_NONE; prefetch <= PREFETCH_WEIGHTS; prefetch++)
        VARY(prefetch, prefetch);
}

static void add_winograd(struct space *s, struct plan p)
{
    struct plan_winograd *own = &p.winograd, original = p.winograd, *from = &original;
    for (int step = -2; step <= 2; step++)
        VARY(rows, from->rows + step);
    VARY(block, from->block * 2);
    VARY(block, from->block / 2);
    VARY(block, from->block + from->rows);
    VARY(block, from->block > from->rows ? from->block - from->rows : 0);
    VARY(oc, from->oc ? 0 : s->p->ocg / 2);
    VARY(oc, from->oc / 2);
    VARY(prefetch, from->prefetch ? PREFETCH_NONE : PREFETCH_WEIGHTS);
}

static void add_stencil(struct space *s, struct plan p)
{
    struct plan_stencil *own = &p.stencil, original = p.stencil, *from = &original;
    VARY(rows, from->rows + 1);
    VARY(rows, from->rows - 1);
    VARY(rows, from->rows * 2);
    VARY(vecs, from->vecs * 2);
    VARY(vecs, from->vecs / 2);
    VARY(strip, from->strip * 2);
    VARY(strip, from->strip / 2);
    VARY(apart, !from->apart);
    for (enum plan_columns columns = COLUMNS_AGAIN; columns <= COLUMNS_ROLLED; columns++)
        VARY(columns, columns);
}

static void add_fixed(struct space *s, struct plan p)
{
    struct plan_fixed *own = &p.fixed, original = p.fixed, *from = &original;
    VARY(strip, from->strip * 2);
    VARY(strip, from->strip / 2);
}

#undef VARY

static void (*const add_neighbours[PLAN_ALGORITHMS])(struct space *, struct plan) = {
    [PLAN_DIRECT] = add_direct,
    [PLAN_WINOGRAD] = add_winograd,
    [PLAN_STENCIL] = add_stencil,
    [PLAN_FIXED] = add_fixed,
};

/* ---- all ------------------------------------------------------------------------------------- */

/* Sorts, and drops plans that are there twice: they cost the same and have the same text. */
static void make_unique(struct candidates *c)
{
    char last[PLAN_TEXT_MAX] = "", text[PLAN_TEXT_MAX];
    size_t kept = 0;
    choose_sort(c);
    for (size_t i = 0; i < c->count; i++) {
        plan_print(&c->list[i].plan, text);
        if (strcmp(text, last))
            c->list[kept++] = c->list[i];
        strcpy(last, text);
    }
    c->count = kept;
}

enum convc_status space_plans(struct arena *a, const struct problem *p, const struct target *t,
                              struct candidates *out, struct diag *d)
{
    struct candidates chosen;
    uint64_t refused = memory_refused();
    if (choose_plans(a, p, t, &chosen, d) != CONVC_OK)
        return d->status;
    struct space s = { .p = p, .t = t, .best = chosen.list[0].cost.cycles };
    s.list = arena_array(a, SPACE_MAX, sizeof *s.list);
    if (!s.list)
        return diag_memory(d);
    for (size_t i = 0; i < chosen.count; i++) {
        if (!i || worth(&s, &chosen.list[i].cost))
            s.list[s.count++] = chosen.list[i];
    }
    for (size_t i = 0; i < chosen.count; i++) {
        const struct candidate *c = &chosen.list[i];
        if (c->cost.cycles <= reach * s.best)
            add_neighbours[c->plan.algorithm](&s, c->plan);
    }
    *out = (struct candidates){ s.list, s.count };
    /* What is chosen stays first, even where a neighbour should cost as much or less. */
    struct candidates rest = { s.list + 1, s.count - 1 };
    make_unique(&rest);
    char first[PLAN_TEXT_MAX], text[PLAN_TEXT_MAX];
    plan_print(&s.list[0].plan, first);
    out->count = 1;
    for (size_t i = 0; i < rest.count; i++) {
        plan_print(&rest.list[i].plan, text);
        if (strcmp(text, first))
            out->list[out->count++] = rest.list[i];
    }
    return memory_refused() != refused ? diag_memory(d) : CONVC_OK;
}
