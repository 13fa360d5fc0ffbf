#include "gen/out/smallest.h"

#include "gen/plan/choose.h"

#include <stdlib.h>

/* Plans of each algorithm that are compiled beside the best, and how many times its cycles they may
 * take. */
enum { TRIED = 6, SLOWER = 4 };

static int by_compile_time(const void *a, const void *b)
{
    const struct candidate *x = a, *y = b;
    if (x->cost.compile_ms != y->cost.compile_ms)
        return x->cost.compile_ms < y->cost.compile_ms ? -1 : 1;
    return x->cost.cycles < y->cost.cycles ? -1 : x->cost.cycles > y->cost.cycles;
}

static enum convc_status try_plan(const struct object_request *r, const struct plan *plan,
                                  size_t *least, struct plan *out, struct diag *d)
{
    struct object_request one = *r;
    struct object o;
    one.plan = plan;
    one.form = OBJECT_ELF;
    if (object_emit(&one, &o, d) != CONVC_OK)
        return d->status;
    if (o.count < *least) {
        *least = o.count;
        *out = *plan;
    }
    object_free(&o);
    return CONVC_OK;
}

enum convc_status smallest_plan(const struct object_request *r, struct plan *out, struct diag *d)
{
    struct arena a = { 0 };
    struct candidates all;
    size_t least = SIZE_MAX;
    int tried[PLAN_ALGORITHMS] = { 0 };
    if (choose_plans(&a, r->problem, r->target, &all, d) == CONVC_OK) {
        size_t near = 1;
        while (near < all.count && all.list[near].cost.cycles <= SLOWER * all.list[0].cost.cycles)
            near++;
        try_plan(r, &all.list[0].plan, &least, out, d);
        qsort(all.list + 1, near - 1, sizeof *all.list, by_compile_time);
        for (size_t i = 1; d->status == CONVC_OK && i < near; i++) {
            if (tried[all.list[i].plan.algorithm]++ < TRIED)
                try_plan(r, &all.list[i].plan, &least, out, d);
        }
    }
    arena_free(&a);
    return d->status;
}
