/* Values: constants, lanes and arithmetic. */
#include "gen/emit/em.h"

static LLVMTypeRef scalar(LLVMTypeRef type)
{
    return LLVMGetTypeKind(type) == LLVMVectorTypeKind ? LLVMGetElementType(type) : type;
}

/* A constant in all lanes of the type. */
static LLVMValueRef everywhere(LLVMTypeRef type, LLVMValueRef one)
{
    LLVMValueRef lane[EM_LANES_MAX];
    if (type == LLVMTypeOf(one))
        return one;
    for (unsigned l = 0; l < LLVMGetVectorSize(type); l++)
        lane[l] = one;
    return LLVMConstVector(lane, LLVMGetVectorSize(type));
}

LLVMValueRef em_real(LLVMTypeRef type, double v)
{
    return everywhere(type, LLVMConstReal(scalar(type), v));
}

LLVMValueRef em_whole(LLVMTypeRef type, int64_t v)
{
    return everywhere(type, LLVMConstInt(scalar(type), (unsigned long long)v, 1));
}

LLVMValueRef em_splat(struct em *em, LLVMValueRef scalar, int lanes)
{
    int zero[EM_LANES_MAX] = { 0 };
    LLVMValueRef none = LLVMGetPoison(em_vector(LLVMTypeOf(scalar), lanes));
    LLVMValueRef one = LLVMBuildInsertElement(em->builder, none, scalar, em_int(em, 0), "");
    return em_shuffle(em, one, none, zero, lanes);
}

LLVMValueRef em_shuffle(struct em *em, LLVMValueRef a, LLVMValueRef b, const int *lane, int lanes)
{
    LLVMValueRef index[EM_LANES_MAX];
    for (int l = 0; l < lanes; l++)
        index[l] = LLVMConstInt(em->i32, (unsigned)lane[l], 0);
    return LLVMBuildShuffleVector(em->builder, a, b, LLVMConstVector(index, (unsigned)lanes), "");
}

LLVMValueRef em_permute(struct em *em, LLVMValueRef x, LLVMValueRef lane)
{
    LLVMValueRef args[2] = { x, lane };
    const char *name = "llvm.x86.avx512.permvar.sf.512";
    if (LLVMGetElementType(LLVMTypeOf(x)) == em->f64)
        name = "llvm.x86.avx512.permvar.df.512";
    else if (LLVMGetVectorSize(LLVMTypeOf(x)) == 8)
        name = "llvm.x86.avx2.permps";
    return em_call(em, name, NULL, 0, args, 2);
}

LLVMValueRef em_fma(struct em *em, LLVMValueRef a, LLVMValueRef b, LLVMValueRef c)
{
    if (!em->target->fma)
        return LLVMBuildFAdd(em->builder, LLVMBuildFMul(em->builder, a, b, ""), c, "");
    LLVMTypeRef type = LLVMTypeOf(c);
    LLVMValueRef args[3] = { a, b, c };
    return em_call(em, "llvm.fma", &type, 1, args, 3);
}

LLVMValueRef em_fmax(struct em *em, LLVMValueRef a, LLVMValueRef b)
{
    LLVMValueRef more = LLVMBuildFCmp(em->builder, LLVMRealOGT, a, b, "");
    return LLVMBuildSelect(em->builder, more, a, b, "");
}

LLVMValueRef em_fmin(struct em *em, LLVMValueRef a, LLVMValueRef b)
{
    LLVMValueRef less = LLVMBuildFCmp(em->builder, LLVMRealOLT, a, b, "");
    return LLVMBuildSelect(em->builder, less, a, b, "");
}
