/* direct_candidates: what the lists of direct plans are made with.
 *
 * One file per lane axis proposes plans; `add` drops those that plan_check refuses and those that
 * are there already, and gives the others their cost. Stands on: nest.
 */
#ifndef GEN_PLAN_DIRECT_CANDIDATES_H
#define GEN_PLAN_DIRECT_CANDIDATES_H

#include "gen/plan/nest.h"
#include "gen/plan/plan_direct.h"

/* Multiply-adds of a window that compile in a few dozen milliseconds. */
enum { WRITTEN_MOST = 2500 };

struct direct_list {
    const struct problem *p; /* as the nest sees it: strip_problem where `strip`, else `whole` */
    const struct problem *whole;
    bool strip;
    const struct target *t;
    struct candidate *list;
    size_t count;
};

/* Accumulators that leave room for operands, by vectors across: measured to be free of spills. */
int direct_accumulators(const struct target *t, int vecs);

void direct_add(struct direct_list *l, const struct plan_direct *d);

/* Are vectors of half a register worth considering for so many lanes: do they cost half as much,
 * and leave fewer idle? From `most` full vectors on that does not matter. */
bool direct_halves_pay(const struct direct_list *l, int64_t extent, int64_t most);

/* Both orders, and the border policy that fits; every tile computes its places where peeling would
 * write down too much. */
void direct_add_orders(struct direct_list *l, struct plan_direct d);

/* Row heights and column widths for `most` accumulators over `ow` columns and `oh` rows. */
void direct_add_shapes(struct direct_list *l, struct plan_direct d, int most, int64_t ow,
                       int64_t oh);

/* The candidates of one lane axis. */
void direct_add_lanes_oc(struct direct_list *l);
void direct_add_lanes_groups(struct direct_list *l);
void direct_add_lanes_ow(struct direct_list *l);
void direct_add_lanes_ic(struct direct_list *l);

/* Those that unroll a whole window, with vectors of either kind of channels. */
void direct_add_windows(struct direct_list *l, struct plan_direct d, int accumulators);

#endif
