#include "gen/emit/border.h"

/* An integer constant of the type of `like`, scalar or vector. */
static LLVMValueRef constant(LLVMValueRef like, int64_t v)
{
    return em_whole(LLVMTypeOf(like), v);
}

static LLVMValueRef select_below(struct em *em, LLVMValueRef at, int64_t n, LLVMValueRef yes,
                                 LLVMValueRef no)
{
    LLVMValueRef below = LLVMBuildICmp(em->builder, LLVMIntSLT, at, constant(at, n), "");
    return LLVMBuildSelect(em->builder, below, yes, no, "");
}

/* at mod period, never negative. */
static LLVMValueRef wrap(struct em *em, LLVMValueRef at, int64_t period)
{
    LLVMValueRef rest = LLVMBuildSRem(em->builder, at, constant(at, period), "");
    LLVMValueRef up = LLVMBuildAdd(em->builder, rest, constant(at, period), "");
    return select_below(em, rest, 0, up, rest);
}

/* The second half of each period runs backward from `last`. */
static LLVMValueRef fold(struct em *em, LLVMValueRef at, int64_t n, int64_t period, int64_t last)
{
    LLVMValueRef w = wrap(em, at, period);
    LLVMValueRef back = LLVMBuildSub(em->builder, constant(at, last), w, "");
    return select_below(em, w, n, w, back);
}

static LLVMValueRef clamp(struct em *em, LLVMValueRef at, int64_t n)
{
    LLVMValueRef low = select_below(em, at, 0, constant(at, 0), at);
    return select_below(em, low, n, low, constant(at, n - 1));
}

struct border border_emit(struct em *em, enum convc_padding_mode mode, LLVMValueRef at, int64_t n)
{
    LLVMValueRef always =
        LLVMBuildICmp(em->builder, LLVMIntEQ, constant(at, 0), constant(at, 0), "");
    switch (mode) {
    case CONVC_PAD_REFLECT:
        return (struct border){ n == 1 ? constant(at, 0)
                                       : fold(em, at, n, 2 * (n - 1), 2 * (n - 1)),
                                always };
    case CONVC_PAD_SYMMETRIC: return (struct border){ fold(em, at, n, 2 * n, 2 * n - 1), always };
    case CONVC_PAD_CIRCULAR: return (struct border){ wrap(em, at, n), always };
    case CONVC_PAD_REPLICATE: return (struct border){ clamp(em, at, n), always };
    case CONVC_PAD_ZEROS:
    case CONVC_PAD_CONSTANT:
    case CONVC_PAD_IDENTITY: break;
    }
    LLVMValueRef inside = LLVMBuildICmp(em->builder, LLVMIntULT, at, constant(at, n), "");
    LLVMValueRef safe = LLVMBuildSelect(em->builder, inside, at, constant(at, 0), "");
    return (struct border){ safe, inside };
}

struct border border_emit_near(struct em *em, enum convc_padding_mode mode, LLVMValueRef at,
                               int64_t n)
{
    int64_t before = mode == CONVC_PAD_REFLECT ? 0 : -1, behind = 2 * n - 2 - before;
    if (mode == CONVC_PAD_CIRCULAR) {
        LLVMValueRef up = LLVMBuildAdd(em->builder, at, constant(at, n), "");
        LLVMValueRef low = select_below(em, at, 0, up, at);
        LLVMValueRef down = LLVMBuildSub(em->builder, low, constant(at, n), "");
        at = select_below(em, low, n, low, down);
    } else if (mode == CONVC_PAD_REFLECT || mode == CONVC_PAD_SYMMETRIC) {
        LLVMValueRef up = LLVMBuildSub(em->builder, constant(at, before), at, "");
        LLVMValueRef low = select_below(em, at, 0, up, at);
        LLVMValueRef down = LLVMBuildSub(em->builder, constant(at, behind), low, "");
        at = select_below(em, low, n, low, down);
    } else {
        return border_emit(em, mode, at, n);
    }
    return (struct border){ at, LLVMConstInt(LLVMInt1TypeInContext(em->context), 1, 0) };
}

/* max(0, ceil(a / b)) */
static LLVMValueRef ceil_divide(struct em *em, LLVMValueRef a, int64_t b)
{
    LLVMValueRef rest, up = em_max(em, em_add(em, a, em_int(em, b - 1)), em_int(em, 0));
    return em_divide(em, up, em_int(em, b), &rest);
}

void border_bounds(struct em *em, const struct convc_problem *p, int axis, LLVMValueRef o,
                   LLVMValueRef *begin, LLVMValueRef *end)
{
    LLVMValueRef first = em_mul_add(em, o, p->stride[axis], -p->pad_begin[axis]);
    LLVMValueRef zero = em_int(em, 0);
    *begin = ceil_divide(em, em_sub(em, zero, first), p->dilation[axis]);
    LLVMValueRef stop =
        ceil_divide(em, em_sub(em, em_int(em, p->in[axis]), first), p->dilation[axis]);
    *end = em_min(em, stop, em_int(em, p->kernel[axis]));
}
