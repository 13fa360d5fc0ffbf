#include "gen/emit/em_float.h"

struct em_float em_float_of(struct em *em, LLVMValueRef x)
{
    struct em_float f = { .em = em, .type = LLVMTypeOf(x) };
    bool vector = LLVMGetTypeKind(f.type) == LLVMVectorTypeKind;
    LLVMTypeRef element = vector ? LLVMGetElementType(f.type) : f.type;
    f.wide = LLVMGetTypeKind(element) == LLVMDoubleTypeKind;
    f.bits = f.wide ? em->i64 : em->i32;
    if (vector)
        f.bits = em_vector(f.bits, (int)LLVMGetVectorSize(f.type));
    return f;
}

LLVMValueRef em_float_real(const struct em_float *f, double v)
{
    return em_real(f->type, v);
}

LLVMValueRef em_float_bits(const struct em_float *f, uint64_t v)
{
    LLVMValueRef lane[EM_LANES_MAX];
    if (LLVMGetTypeKind(f->bits) != LLVMVectorTypeKind)
        return LLVMConstInt(f->bits, v, 0);
    unsigned n = LLVMGetVectorSize(f->bits);
    for (unsigned l = 0; l < n; l++)
        lane[l] = LLVMConstInt(LLVMGetElementType(f->bits), v, 0);
    return LLVMConstVector(lane, n);
}

LLVMValueRef em_float_where(const struct em_float *f, LLVMValueRef x, LLVMRealPredicate is,
                            double c, LLVMValueRef yes, LLVMValueRef no)
{
    LLVMBuilderRef b = f->em->builder;
    return LLVMBuildSelect(b, LLVMBuildFCmp(b, is, x, em_float_real(f, c), ""), yes, no, "");
}

LLVMValueRef em_float_horner(const struct em_float *f, const double *c, int terms, LLVMValueRef x)
{
    LLVMValueRef sum = em_float_real(f, c[terms - 1]);
    for (int i = terms - 2; i >= 0; i--)
        sum = em_fma(f->em, sum, x, em_float_real(f, c[i]));
    return sum;
}
