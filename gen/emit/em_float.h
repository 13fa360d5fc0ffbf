/* em_float: values of a floating-point type, scalar or vector, and their representations.
 *
 * What functions made of polynomials and exponent arithmetic share. Stands on: em.
 */
#ifndef GEN_EMIT_EM_FLOAT_H
#define GEN_EMIT_EM_FLOAT_H

#include "gen/emit/em.h"

struct em_float {
    struct em *em;
    bool wide;              /* f64 */
    LLVMTypeRef type, bits; /* of the values, and of their representations: integers as wide */
};

/* The type of x, of at most EM_LANES_MAX lanes. */
struct em_float em_float_of(struct em *em, LLVMValueRef x);

LLVMValueRef em_float_real(const struct em_float *f, double v);
LLVMValueRef em_float_bits(const struct em_float *f, uint64_t v);

/* `yes` in the lanes where x compares so with c, elsewhere `no`. */
LLVMValueRef em_float_where(const struct em_float *f, LLVMValueRef x, LLVMRealPredicate is,
                            double c, LLVMValueRef yes, LLVMValueRef no);

/* c[0] + c[1] x + ... */
LLVMValueRef em_float_horner(const struct em_float *f, const double *c, int terms, LLVMValueRef x);

#endif
