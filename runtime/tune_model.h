/* tune_model: which plan is worth a look next, by what was measured of others.
 *
 * A Gaussian process over the logarithm of a plan's time in times of the base's. Before anything is
 * measured a plan is expected to be off by a part of what the cost model predicts; plans are the
 * less alike the more of their words differ, and the further apart the numbers in them are. The
 * next look goes to the plan of which the largest improvement on the best is expected.
 *
 * Sources: Rasmussen, Williams, "Gaussian processes for machine learning", 2006, algorithm 2.1;
 * Jones, Schonlau, Welch, "Efficient global optimization of expensive black-box functions", 1998,
 * section 4.1 (expected improvement). Stands on: tune_plan, hash.
 */
#ifndef RUNTIME_TUNE_MODEL_H
#define RUNTIME_TUNE_MODEL_H

#include "runtime/tune_plan.h"

/* Among this shard's plans that were not looked at; `count` where there are none, or no memory. */
size_t tune_model_next(const struct tune_plan *plan, size_t count);

#endif
