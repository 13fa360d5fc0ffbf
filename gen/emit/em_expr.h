/* em_expr: a function of the user over vectors.
 *
 * Operations are those of the machine, rounded once each; exp, log, tanh and sigmoid are em_math's,
 * with its errors. Truth values are vectors of i1. No branch. A function is written down for each
 * vector that it is about, dozens of times in a tile; a long one is written down once, and called.
 * Stands on: em_math, expr, work.
 */
#ifndef GEN_EMIT_EM_EXPR_H
#define GEN_EMIT_EM_EXPR_H

#include "gen/emit/em.h"
#include "gen/expr/expr.h"

/* Node `node` of the function, where variable v is var[v]. All are of `type`, f32 or f64, scalar or
 * vector. */
LLVMValueRef em_expr(struct em *em, const struct expr *e, int node, LLVMTypeRef type,
                     const LLVMValueRef *var);

/* The same; sums are multiply-adds of `one`, a hidden 1, unless that is NULL.
 * Cores that add and compare in one half of their pipes and multiply in the other then keep both
 * busy. */
LLVMValueRef em_expr_by(struct em *em, const struct expr *e, int node, LLVMTypeRef type,
                        const LLVMValueRef *var, LLVMValueRef one);

/* One operation that is neither a constant nor a variable, of as many operands as it takes. */
LLVMValueRef em_expr_operation(struct em *em, enum expr_op op, const LLVMValueRef arg[EXPR_ARGS]);

#endif
