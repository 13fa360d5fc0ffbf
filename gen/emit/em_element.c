#include "gen/emit/em_element.h"

#include "gen/emit/em_float.h"

static bool is_vector(LLVMTypeRef type)
{
    return LLVMGetTypeKind(type) == LLVMVectorTypeKind;
}

/* `element`, in as many lanes as `like` has. */
static LLVMTypeRef shaped(LLVMTypeRef element, LLVMTypeRef like)
{
    return is_vector(like) ? em_vector(element, (int)LLVMGetVectorSize(like)) : element;
}

/* What lies in memory where `real` is what is wanted. */
static LLVMTypeRef stored(struct em *em, enum convc_dtype t, LLVMTypeRef real)
{
    if (!dtype_whole(t))
        return real;
    return shaped(LLVMIntTypeInContext(em->context, 8 * (unsigned)dtype_bytes(t)), real);
}

/* All whole numbers fit 32 bits with a sign, from which conversion is one instruction. */
static LLVMValueRef to_real(struct em *em, enum convc_dtype t, LLVMTypeRef real, LLVMValueRef x)
{
    if (!dtype_whole(t))
        return x;
    LLVMTypeRef wide = shaped(em->i32, real);
    x = dtype_least(t) < 0 ? LLVMBuildSExt(em->builder, x, wide, "")
                           : LLVMBuildZExt(em->builder, x, wide, "");
    return LLVMBuildSIToFP(em->builder, x, real, "");
}

LLVMValueRef em_element_load(struct em *em, enum convc_dtype t, LLVMTypeRef real, LLVMValueRef p)
{
    LLVMValueRef x = em_load(em, stored(em, t, real), p, (unsigned)dtype_bytes(t));
    return to_real(em, t, real, x);
}

/* Lanes that are off, and were read as 0, hold `other`, which is a vector of reals. */
static LLVMValueRef or_other(struct em *em, LLVMValueRef x, LLVMValueRef on, LLVMValueRef other)
{
    return other && !LLVMIsNull(other) ? LLVMBuildSelect(em->builder, on, x, other, "") : x;
}

LLVMValueRef em_element_load_lanes(struct em *em, enum convc_dtype t, LLVMTypeRef vector,
                                   LLVMValueRef p, const struct em_lanes *on, LLVMValueRef other)
{
    if (!dtype_whole(t))
        return em_load_lanes(em, vector, p, on, other);
    LLVMValueRef x = to_real(em, t, vector, em_load_lanes(em, stored(em, t, vector), p, on, NULL));
    return on->active == on->count ? x : or_other(em, x, em_lane_mask(em, on), other);
}

LLVMValueRef em_element_load_where(struct em *em, enum convc_dtype t, LLVMTypeRef vector,
                                   LLVMValueRef p, LLVMValueRef on)
{
    return to_real(em, t, vector, em_load_where(em, stored(em, t, vector), p, on));
}

LLVMValueRef em_element_gather(struct em *em, enum convc_dtype t, LLVMTypeRef vector,
                               LLVMValueRef p, const int64_t *offset, const struct em_lanes *on,
                               LLVMValueRef other)
{
    if (!dtype_whole(t))
        return em_gather(em, vector, p, offset, on, other);
    LLVMValueRef x = em_gather(em, stored(em, t, vector), p, offset, on, NULL);
    return or_other(em, to_real(em, t, vector, x), em_lane_mask(em, on), other);
}

LLVMValueRef em_element_gather_at(struct em *em, enum convc_dtype t, LLVMTypeRef vector,
                                  LLVMValueRef p, LLVMValueRef offset, LLVMValueRef on,
                                  LLVMValueRef other)
{
    if (!dtype_whole(t))
        return em_gather_at(em, vector, p, offset, on, other);
    LLVMValueRef x = em_gather_at(em, stored(em, t, vector), p, offset, on, NULL);
    return or_other(em, to_real(em, t, vector, x), on, other);
}

/* Rounding is the addition's that moves a number's units to the lowest bits of its mantissa, where
 * they then stand: 1.5 times 2 to the bits of the mantissa. */
LLVMValueRef em_element_round(struct em *em, enum convc_dtype t, LLVMValueRef x)
{
    if (!dtype_whole(t))
        return x;
    LLVMTypeRef real = LLVMTypeOf(x);
    struct em_float f = em_float_of(em, x);
    LLVMValueRef least = em_real(real, dtype_least(t));
    if (dtype_least(t) < 0) { /* else NaN becomes the least, which is 0 */
        LLVMValueRef number = LLVMBuildFCmp(em->builder, LLVMRealORD, x, x, "");
        x = LLVMBuildSelect(em->builder, number, x, em_real(real, 0), "");
    }
    x = em_fmin(em, em_fmax(em, x, least), em_real(real, dtype_most(t)));
    x = LLVMBuildFAdd(em->builder, x, em_real(real, f.wide ? 0x1.8p52 : 0x1.8p23), "");
    x = LLVMBuildBitCast(em->builder, x, f.bits, "");
    return LLVMBuildTrunc(em->builder, x, stored(em, t, real), "");
}
