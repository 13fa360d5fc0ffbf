#include "gen/emit/em_element.h"

#include "gen/emit/em_float.h"

#include <string.h>

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

static bool is_integer(LLVMTypeRef type)
{
    LLVMTypeRef element = is_vector(type) ? LLVMGetElementType(type) : type;
    return LLVMGetTypeKind(element) == LLVMIntegerTypeKind;
}

/* All whole numbers fit 32 bits with a sign, from which conversion is one instruction. */
static LLVMValueRef to_real(struct em *em, enum convc_dtype t, LLVMTypeRef real, LLVMValueRef x)
{
    if (!dtype_whole(t) || LLVMTypeOf(x) == real)
        return x;
    LLVMTypeRef wide = is_integer(real) ? real : shaped(em->i32, real);
    x = dtype_least(t) < 0 ? LLVMBuildSExt(em->builder, x, wide, "")
                           : LLVMBuildZExt(em->builder, x, wide, "");
    return is_integer(real) ? x : LLVMBuildSIToFP(em->builder, x, real, "");
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

/* ---- rounding ------------------------------------------------------------------------------ */

static LLVMValueRef or_zero(struct em *em, LLVMValueRef x)
{
    LLVMValueRef number = LLVMBuildFCmp(em->builder, LLVMRealORD, x, x, "");
    return LLVMBuildSelect(em->builder, number, x, LLVMConstNull(LLVMTypeOf(x)), "");
}

/* The instruction that rounds such a vector to integers of 32 bits; NULL: there is none. Integers
 * that are too large come out as the least of them, and so does NaN. */
static const char *rounding_of(struct em *em, LLVMTypeRef real)
{
    bool x86 = strncmp(em->target->triple, "x86_64", 6) == 0;
    if (!x86 || !is_vector(real) || LLVMGetElementType(real) != em->f32)
        return NULL;
    switch (LLVMGetVectorSize(real)) {
    case 4: return "llvm.x86.sse2.cvtps2dq";
    case 8: return em->target->vector_bytes >= 32 ? "llvm.x86.avx.cvt.ps2dq.256" : NULL;
    case 16: return em->target->vector_bytes >= 64 ? "llvm.x86.avx512.mask.cvtps2dq.512" : NULL;
    default: return NULL;
    }
}

/* Integers of 32 bits, the ends of the type not yet seen to. */
static LLVMValueRef rounded(struct em *em, const char *instruction, LLVMValueRef x)
{
    enum { AS_MXCSR_SAYS = 4 };
    LLVMTypeRef wide = shaped(em->i32, LLVMTypeOf(x));
    LLVMTypeRef mask = LLVMIntTypeInContext(em->context, 16);
    LLVMValueRef args[4] = { x, LLVMConstNull(wide), LLVMConstAllOnes(mask),
                             LLVMConstInt(em->i32, AS_MXCSR_SAYS, 0) };
    /* The greatest f32 below 2^31; a NaN stays one. */
    LLVMValueRef most = em_real(LLVMTypeOf(x), 0x1.fffffep30);
    args[0] = em_fmin(em, most, x);
    return em_call(em, instruction, NULL, 0, args, LLVMGetVectorSize(wide) == 16 ? 4 : 1);
}

/* Within the ends of the type: LLVM knows the instructions that hold and narrow at once by this. */
static LLVMValueRef held(struct em *em, enum convc_dtype t, LLVMValueRef x)
{
    LLVMTypeRef wide = LLVMTypeOf(x);
    LLVMValueRef low[2] = { x, em_whole(wide, (int64_t)dtype_least(t)) };
    LLVMValueRef high[2] = { em_call(em, "llvm.smax", &wide, 1, low, 2),
                             em_whole(wide, (int64_t)dtype_most(t)) };
    x = em_call(em, "llvm.smin", &wide, 1, high, 2);
    return LLVMBuildTrunc(em->builder, x, stored(em, t, wide), "");
}

/* Rounding is the addition's that moves a number's units to the lowest bits of its mantissa, where
 * they then stand: 1.5 times 2 to the bits of the mantissa. */
static LLVMValueRef shifted(struct em *em, enum convc_dtype t, LLVMValueRef x)
{
    LLVMTypeRef real = LLVMTypeOf(x);
    struct em_float f = em_float_of(em, x);
    x = em_fmin(em, em_fmax(em, x, em_real(real, dtype_least(t))), em_real(real, dtype_most(t)));
    x = LLVMBuildFAdd(em->builder, x, em_real(real, f.wide ? 0x1.8p52 : 0x1.8p23), "");
    x = LLVMBuildBitCast(em->builder, x, f.bits, "");
    return LLVMBuildTrunc(em->builder, x, stored(em, t, real), "");
}

LLVMValueRef em_element_round(struct em *em, enum convc_dtype t, LLVMValueRef x)
{
    if (!dtype_whole(t))
        return x;
    const char *instruction = rounding_of(em, LLVMTypeOf(x));
    if (dtype_least(t) < 0) /* else NaN becomes the least, which is 0 */
        x = or_zero(em, x);
    return instruction ? held(em, t, rounded(em, instruction, x)) : shifted(em, t, x);
}
