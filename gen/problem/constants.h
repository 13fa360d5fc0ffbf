/* constants: the weights of a problem, where they are part of what is computed.
 *
 * A kernel of one output channel is [ic/groups][kd][kh][kw]; channel o has kernel o % period, of
 * the smallest period that says so. Values are finite and rounded to the accumulator's type, flip
 * is already done. In a sum of products a constant of 0 is an absent tap: where the source is
 * finite it does not matter whether it is multiplied with; the reference and stencils never do,
 * be it infinite or NaN. Plain data, a part of the resolved problem. Errors:
 * CONVC_ERR_ARGUMENT for values, CONVC_ERR_UNSUPPORTED for more of them than code is made of.
 * Stands on: base.
 */
#ifndef GEN_PROBLEM_CONSTANTS_H
#define GEN_PROBLEM_CONSTANTS_H

#include "gen/base/diag.h"
#include "gen/base/text.h"

#include <stdbool.h>

/* Of different values, and of those that all channels have together. */
enum { CONSTANTS_MAX = 1024, CONSTANTS_WEIGHTS_MAX = 1 << 16 };

struct constants {
    int64_t period; /* 0: weights are given at run time */
    int64_t values; /* of one kernel                    */
    double value[CONSTANTS_MAX];
};

/* Reads `from->weights` of a problem whose channels and kernel have been checked. */
enum convc_status constants_resolve(const struct convc_problem *from, struct constants *c,
                                    struct diag *d);

/* Are so many values constants, or are they data after all? `from->weights` need not be there for
 * the first question; the second asks whether constants_resolve takes them. */
bool constants_count_fits(const struct convc_problem *from);
bool constants_fit(const struct convc_problem *from);

/* The weight of output channel o with index i in its kernel. */
double constants_at(const struct constants *c, int64_t o, int64_t i);

/* ";weights=1,2*3,0": a period of kernels, each value followed by how often it is repeated. */
void constants_print(const struct constants *c, struct text *t);

/* Mixes 128 bits of them into `hash`; leaves it alone where there are none. */
void constants_hash(const struct constants *c, uint64_t hash[2]);

#endif
