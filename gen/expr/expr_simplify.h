/* expr_simplify: one form for functions that compute the same, bit for bit.
 *
 * Constants are rounded to the type, and folded; operands of commutative operations get an order;
 * signs, and what neither rounds nor depends on the operand, go away: x*1, x/1, x-0, -(-x), |-x|,
 * x/4. Results stay the same for every x, infinities and signs of zero included; only a NaN may
 * change its sign. What is simplified once is not changed any more. Stands on: expr.
 */
#ifndef GEN_EXPR_EXPR_SIMPLIFY_H
#define GEN_EXPR_EXPR_SIMPLIFY_H

#include "gen/expr/expr.h"

/* Writes the simplified form of e, for arithmetic in f64 where `wide`, else in f32. */
void expr_simplify(struct expr *e, bool wide);

/* The value in the type: rounded once. */
double expr_round(long double value, bool wide);

/* Puts the function `by` in the place of variable v, and simplifies; the variables of both are
 * numbered alike. False, and e as it was, where the result is too large. */
bool expr_substitute(struct expr *e, int v, const struct expr *by, bool wide);

/* What the function is where its variable `var` is `value` and the others are any finite numbers:
 * true and *result where that is one number. 0 times a finite number counts as 0. */
bool expr_settles(const struct expr *e, int var, double value, bool wide, double *result);

#endif
