/* draw_expr: random functions, of every operation.
 * Stands on: support, expr.
 */
#ifndef TESTS_SUPPORT_DRAW_EXPR_H
#define TESTS_SUPPORT_DRAW_EXPR_H

#include "gen/expr/expr.h"
#include "tests/support/support.h"

/* A function of `vars` variables, with about `size` operations. */
void draw_expr(struct test_random *r, int vars, int size, struct expr *e);

/* The names of three variables. */
extern const char *const draw_expr_vars[4];

/* What arithmetic in the type makes of it, an operation at a time. */
double draw_expr_compute(const struct expr *e, const double *var, bool wide);

#endif
