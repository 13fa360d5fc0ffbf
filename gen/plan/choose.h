/* choose: every plan worth considering for a problem, ranked by what it should cost.
 *
 * The batch and the number of threads are not asked for: they only split the work.
 * Errors: CONVC_ERR_MEMORY; CONVC_ERR_UNSUPPORTED with the reason where a window is one that no
 * algorithm takes. Otherwise there is at least one candidate.
 * Stands on: plan, layout, arena.
 */
#ifndef GEN_PLAN_CHOOSE_H
#define GEN_PLAN_CHOOSE_H

#include "gen/base/arena.h"
#include "gen/plan/plan.h"

/* What a plan should cost for one image, in cycles of one core, by limiting resource. */
struct cost {
    double fma, load, l2, memory, overhead; /* each alone          */
    double cycles;                          /* together            */
    double compile_ms;
    const char *limit; /* "fma", "load", ...  */
};

struct candidate {
    struct plan plan;
    struct cost cost;
};

struct candidates {
    struct candidate *list; /* best first; in the arena */
    size_t count;
};

enum convc_status choose_plans(struct arena *a, const struct problem *p, const struct target *t,
                               struct candidates *out, struct diag *d);

/* Best first: by cost, then by text, so that the order is the same everywhere. */
void choose_sort(struct candidates *c);

/* What any plan that fits should cost. */
void plan_cost(const struct problem *p, const struct plan *plan, const struct target *t,
               struct cost *cost);

/* The first of choose_plans. */
enum convc_status choose_plan(const struct problem *p, const struct target *t, struct plan *out,
                              struct diag *d);

#endif
