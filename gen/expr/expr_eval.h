/* expr_eval: functions on numbers, one at a time, for the reference.
 *
 * In long double. expr_error also says how far a kernel that computes in f32 or f64 may be off: a
 * running error analysis (Higham, Accuracy and Stability of Numerical Algorithms, 3.3), in which
 * an operation adds what its rounding can add, and nothing where its result is exact in the type.
 * Where errors could decide a comparison, or move a floor, both results count. Stands on: expr.
 */
#ifndef GEN_EXPR_EXPR_EVAL_H
#define GEN_EXPR_EXPR_EVAL_H

#include "gen/expr/expr.h"

/* One operation. Truth values are 1 and 0. */
long double expr_apply(enum expr_op op, const long double arg[EXPR_ARGS]);

long double expr_eval(const struct expr *e, const long double *var);

/* As expr_eval, where what is a variable at node i has the value leaf[i]. */
long double expr_eval_leaves(const struct expr *e, const long double *leaf);

/* A number as exact arithmetic has it, and the most that a kernel's is off; infinite where nothing
 * can be said. */
struct expr_bounded {
    long double value, error;
};
struct expr_bounded expr_error(const struct expr *e, const struct expr_bounded *var, bool wide);
struct expr_bounded expr_error_leaves(const struct expr *e, const struct expr_bounded *leaf,
                                      bool wide);

/* What rounding a result of this size, of operands that are off by as much that the result is off
 * by `error`, comes to: `error` where the value is exact in the type, else with half an ulp. */
long double expr_rounded_error(long double value, long double error, bool wide);

#endif
