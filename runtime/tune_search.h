/* tune_search: which plan is measured next, and how thoroughly.
 *
 * A pure function of the plans there are and of what has been measured of them, so a search that
 * was ended at any moment goes on where it was, from the measurements alone.
 *
 * Successive halving: a first look, in few rounds, at as many plans as there are trials; the better
 * half of those again, in more rounds; and so on up to TUNE_RUNGS. Whatever is slower beyond doubt
 * than the best so far is not looked at again. The first looks are guided: a few go to the plans
 * that the cost model ranks first, the others to the one of which tune_model expects the most, but
 * every eighth to one that is drawn at random, so that no valley keeps the search.
 *
 * Several machines share a search by the plans that each has for its own: tune_deal.
 * Stands on: tune_model, hash.
 */
#ifndef RUNTIME_TUNE_SEARCH_H
#define RUNTIME_TUNE_SEARCH_H

#include "runtime/tune_plan.h"

#include <stdint.h>

struct tune_step {
    size_t plan;
    int rung;
};

/* How many measurements a search comes to that tries `trials` of `own` plans: at most as many. */
int64_t tune_planned(int64_t own, int64_t trials);

/* How many of `own` plans so many measurements suffice for. */
int64_t tune_trials(int64_t own, int64_t measurements);

/* plan[0, count) is ranked by the cost model. `seed` is the problem's. False: there is nothing left
 * to measure. */
bool tune_next(const struct tune_plan *plan, size_t count, int64_t trials, uint64_t seed,
               struct tune_step *out);

/* The best so far: of the plans of the highest rung the one with the lowest `high`; the base where
 * there is none, or where that is not below 1. */
size_t tune_incumbent(const struct tune_plan *plan, size_t count);

/* Deals the plans, best first, to `shards` as cards are dealt, the order of the players turning
 * round by round, so that each gets as good ones: is plan i `shard`'s? */
bool tune_deal(size_t i, int shard, int shards);

/* The median of ratio[0, count), which it sorts, and bounds between which the true median lies with
 * 95 % confidence whatever the distribution: order statistics, by the binomial distribution of how
 * many values lie below the median. Fewer than six values: the extremes. */
void tune_median(double *ratio, int count, double *median, double *low, double *high);

#endif
