/* direct_cost: what a direct plan should cost, for plans that are counted in ways of their own.
 * Stands on: nest.
 */
#ifndef GEN_PLAN_DIRECT_COST_H
#define GEN_PLAN_DIRECT_COST_H

#include "gen/plan/nest.h"
#include "gen/plan/plan_direct.h"

/* taps=window */
void direct_cost_window(const struct nest *n, const struct target *t, struct cost *cost);

#endif
