/* work: what the functions of a problem cost, beside a multiply-add.
 *
 * In slots: two are filled each cycle by the pipes that multiply, add, compare and select. Stands
 * on: problem, target.
 */
#ifndef GEN_PLAN_WORK_H
#define GEN_PLAN_WORK_H

#include "gen/plan/target.h"
#include "gen/problem/problem.h"

/* Slots of an operation. */
double work_of(enum expr_op op, const struct target *t);

/* Slots of a function, nodes up to its root, each operation counted once. */
double work_function(const struct expr *e, int node, const struct target *t);

/* Slots of one term: one multiply-add, or combine and reduce. */
double work_term(const struct problem *p, const struct target *t);

/* Cycles of the activation, or the epilogue, of one vector; 0 for what a store hides. */
double work_last(const struct problem *p);

/* The code of one term, counted in multiply-adds: 1 for short functions. */
int64_t work_written(const struct problem *p);

#endif
