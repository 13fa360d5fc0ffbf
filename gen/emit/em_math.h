/* em_math: activations and the functions behind them, vectorised.
 *
 * Polynomials and exponent arithmetic only: no call, no table, no libm, no branch. `x` is a vector
 * (of at most EM_LANES_MAX lanes) or scalar of f32 or f64; the lanes do not change the results.
 * Errors in ulps of the exact value, for every x, denormal results included: exp 1.25, tanh 3, erf
 * 2, log 2, sigmoid 3, hardswish 2.5, silu 3 (above -87 in f32, -708 in f64), gelu 10 in f64; and
 * all but exp within 2 epsilons of max(1, |x|), which is all that silu and gelu promise elsewhere.
 * What was seen stands in em_math.c; tests/test_math.c holds both. NaN stays NaN, except that relu
 * makes it 0 and clamp its lower end. Denormals count, unless the caller's thread flushes them.
 * Stands on: em.
 */
#ifndef GEN_EMIT_EM_MATH_H
#define GEN_EMIT_EM_MATH_H

#include "gen/emit/em.h"

#include <convc/types.h>

LLVMValueRef em_exp(struct em *em, LLVMValueRef x);
LLVMValueRef em_tanh(struct em *em, LLVMValueRef x);
LLVMValueRef em_erf(struct em *em, LLVMValueRef x);
LLVMValueRef em_log(struct em *em, LLVMValueRef x);
LLVMValueRef em_sigmoid(struct em *em, LLVMValueRef x);

/* The formulas of enum convc_activation; `args` are rounded to the element's type first. */
LLVMValueRef em_activation(struct em *em, enum convc_activation a, const double args[2],
                           LLVMValueRef x);

#endif
