/* space: every plan that a tuner may try for a problem, the cost model's candidates and more.
 *
 * The candidates of choose, and around each that should take at most twice as long as the best its
 * neighbours: plans that differ in one word, be it a width, a block, a loop order, a prefetch or a
 * split. A plan is left out where one resource alone, multiply-adds, loads or bytes, should keep it
 * busy for half as long again as the best plan takes altogether.
 * Stands on: choose.
 */
#ifndef GEN_PLAN_SPACE_H
#define GEN_PLAN_SPACE_H

#include "gen/plan/choose.h"

/* Best first, by the cost model; the first is what choose_plan chooses. Errors are those of
 * choose_plans. */
enum convc_status space_plans(struct arena *a, const struct problem *p, const struct target *t,
                              struct candidates *out, struct diag *d);

#endif
