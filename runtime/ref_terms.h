/* ref_terms: outputs of problems with functions, term by term: what they are, and, on demand, how
 * far a kernel may be off.
 *
 * The errors are those of expr_error, and of the reduction: any order of a sum is within
 * gamma(n) * sum of |t| (Higham, 4.2), none at all where terms are multiples of 1/64 that add up to
 * less than 2^24 (f64 2^53) of them. Bounds hold for all plans. Stands on: problem, expr_eval.
 */
#ifndef RUNTIME_REF_TERMS_H
#define RUNTIME_REF_TERMS_H

#include "gen/expr/expr_eval.h"
#include "gen/problem/problem.h"

/* What an output has gathered. `value` alone counts where errors are not asked for. */
struct terms {
    long double value, error;
    long double total;         /* sum of |t|, or product of |t|, with their errors */
    long double grown, shrunk; /* products of the factors above 1, and of those below */
    int64_t count;
    bool whole; /* multiples of 1/64; of a product, whole numbers */
};

void terms_begin(const struct problem *p, struct terms *acc);

/* One tap of one channel. */
void terms_add(const struct problem *p, struct terms *acc, long double x, long double w);
void terms_add_error(const struct problem *p, struct terms *acc, long double x, long double w);

/* The reduction's result, with its error. */
struct expr_bounded terms_end(const struct problem *p, const struct terms *acc);

/* With bias and residual added, and the activation applied, in the type of the accumulator. */
struct expr_bounded terms_activate(const struct problem *p, struct expr_bounded acc,
                                   long double bias, long double residual);

#endif
