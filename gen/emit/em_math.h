/* em_math: activations and the functions behind them, vectorised.
 *
 * Polynomials and exponent arithmetic only: no call, no table, no libm. `x` is a vector (or scalar)
 * of f32 or f64. Errors against the exact value are stated in em_math.c and held by
 * tests/test_math.c. Stands on: em.
 */
#ifndef GEN_EMIT_EM_MATH_H
#define GEN_EMIT_EM_MATH_H

#include "gen/emit/em.h"

#include <convc/types.h>

LLVMValueRef em_exp(struct em *em, LLVMValueRef x);
LLVMValueRef em_tanh(struct em *em, LLVMValueRef x);
LLVMValueRef em_erf(struct em *em, LLVMValueRef x);

LLVMValueRef em_activation(struct em *em, enum convc_activation a, const double args[2],
                           LLVMValueRef x);

#endif
