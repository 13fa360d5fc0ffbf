#include "gen/emit/em.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* ---- the function -------------------------------------------------------------------------- */

static void begin_function(struct em *em, const char *symbol, LLVMTypeRef type)
{
    em->function = LLVMAddFunction(em->module, symbol, type);
    em->entry = LLVMAppendBasicBlockInContext(em->context, em->function, "entry");
    LLVMBasicBlockRef body = LLVMAppendBasicBlockInContext(em->context, em->function, "body");
    LLVMPositionBuilderAtEnd(em->builder, em->entry);
    LLVMBuildBr(em->builder, body);
    LLVMPositionBuilderAtEnd(em->builder, body);
}

void em_begin(struct em *em, LLVMContextRef context, const struct target *t)
{
    *em = (struct em){ .context = context, .target = t };
    em->module = LLVMModuleCreateWithNameInContext("convc", context);
    em->builder = LLVMCreateBuilderInContext(context);
    em->i1 = LLVMInt1TypeInContext(context);
    em->i32 = LLVMInt32TypeInContext(context);
    em->i64 = LLVMInt64TypeInContext(context);
    em->f32 = LLVMFloatTypeInContext(context);
    em->f64 = LLVMDoubleTypeInContext(context);
    em->ptr = LLVMPointerTypeInContext(context, 0);
}

void em_open(struct em *em, LLVMContextRef context, const char *symbol, const struct target *t)
{
    em_begin(em, context, t);
    LLVMTypeRef params[4] = { em->ptr, em->i32, em->i64, em->i64 };
    begin_function(em, symbol, LLVMFunctionType(LLVMVoidTypeInContext(context), params, 4, 0));
}

static void end_function(struct em *em)
{
    LLVMBasicBlockRef block = LLVMGetInsertBlock(em->builder);
    if (block && !LLVMGetBasicBlockTerminator(block))
        LLVMBuildRetVoid(em->builder);
}

void em_next(struct em *em, const char *symbol, LLVMTypeRef type)
{
    end_function(em);
    begin_function(em, symbol, type);
}

void em_return(struct em *em, LLVMValueRef value)
{
    LLVMBuildRet(em->builder, value);
}

LLVMModuleRef em_close(struct em *em)
{
    end_function(em);
    LLVMDisposeBuilder(em->builder);
    em->builder = NULL;
    return em->module;
}

/* ---- integers ------------------------------------------------------------------------------ */

LLVMValueRef em_int(struct em *em, int64_t v)
{
    return LLVMConstInt(em->i64, (unsigned long long)v, 1);
}

bool em_is_const(LLVMValueRef v, int64_t *value)
{
    if (!LLVMIsAConstantInt(v))
        return false;
    *value = LLVMConstIntGetSExtValue(v);
    return true;
}

static bool is(LLVMValueRef v, int64_t wanted)
{
    int64_t c;
    return em_is_const(v, &c) && c == wanted;
}

LLVMValueRef em_add(struct em *em, LLVMValueRef a, LLVMValueRef b)
{
    if (is(a, 0))
        return b;
    return is(b, 0) ? a : LLVMBuildNSWAdd(em->builder, a, b, "");
}

LLVMValueRef em_sub(struct em *em, LLVMValueRef a, LLVMValueRef b)
{
    return is(b, 0) ? a : LLVMBuildNSWSub(em->builder, a, b, "");
}

LLVMValueRef em_mul(struct em *em, LLVMValueRef a, int64_t b)
{
    if (b == 1)
        return a;
    return b ? LLVMBuildNSWMul(em->builder, a, em_int(em, b), "") : em_int(em, 0);
}

LLVMValueRef em_mul_add(struct em *em, LLVMValueRef a, int64_t b, int64_t c)
{
    return em_add(em, em_mul(em, a, b), em_int(em, c));
}

LLVMValueRef em_less(struct em *em, LLVMValueRef a, LLVMValueRef b)
{
    return LLVMBuildICmp(em->builder, LLVMIntSLT, a, b, "");
}

LLVMValueRef em_below(struct em *em, LLVMValueRef a, LLVMValueRef b)
{
    return LLVMBuildICmp(em->builder, LLVMIntULT, a, b, "");
}

LLVMValueRef em_equal(struct em *em, LLVMValueRef a, LLVMValueRef b)
{
    return LLVMBuildICmp(em->builder, LLVMIntEQ, a, b, "");
}

LLVMValueRef em_min(struct em *em, LLVMValueRef a, LLVMValueRef b)
{
    return LLVMBuildSelect(em->builder, em_less(em, a, b), a, b, "");
}

LLVMValueRef em_max(struct em *em, LLVMValueRef a, LLVMValueRef b)
{
    return LLVMBuildSelect(em->builder, em_less(em, a, b), b, a, "");
}

LLVMValueRef em_divide(struct em *em, LLVMValueRef a, LLVMValueRef n, LLVMValueRef *rest)
{
    if (is(n, 1)) {
        *rest = em_int(em, 0);
        return a;
    }
    LLVMValueRef q = em_opaque(em, LLVMBuildUDiv(em->builder, a, n, ""));
    *rest = em_opaque(em, LLVMBuildSub(em->builder, a, LLVMBuildMul(em->builder, q, n, ""), ""));
    return q;
}

LLVMValueRef em_true(struct em *em)
{
    return LLVMConstInt(em->i1, 1, 0);
}

LLVMValueRef em_and(struct em *em, LLVMValueRef a, LLVMValueRef b)
{
    if (is(a, -1) || is(b, 0))
        return b;
    return is(b, -1) || is(a, 0) ? a : LLVMBuildAnd(em->builder, a, b, "");
}

LLVMValueRef em_not(struct em *em, LLVMValueRef a)
{
    return LLVMBuildNot(em->builder, a, "");
}

/* ---- memory -------------------------------------------------------------------------------- */

struct em_lanes em_lanes_first(int count, int active)
{
    struct em_lanes on = { .count = count, .active = active };
    for (int l = 0; l < active; l++)
        on.on[l] = true;
    return on;
}

LLVMTypeRef em_vector(LLVMTypeRef element, int lanes)
{
    return LLVMVectorType(element, (unsigned)lanes);
}

LLVMValueRef em_at(struct em *em, LLVMValueRef p, LLVMValueRef bytes)
{
    if (is(bytes, 0))
        return p;
    return LLVMBuildGEP2(em->builder, LLVMInt8TypeInContext(em->context), p, &bytes, 1, "");
}

LLVMValueRef em_at_const(struct em *em, LLVMValueRef p, int64_t bytes)
{
    return em_at(em, p, em_int(em, bytes));
}

LLVMValueRef em_opaque(struct em *em, LLVMValueRef v)
{
    return LLVMIsConstant(v) ? v : LLVMBuildFreeze(em->builder, v, "");
}

LLVMValueRef em_hidden(struct em *em, LLVMValueRef v)
{
    static const char any_vector[] = "=x,0";
    if (strncmp(em->target->triple, "x86_64", 6) != 0)
        return v;
    LLVMTypeRef vector = LLVMTypeOf(v), type = LLVMFunctionType(vector, &vector, 1, 0);
    LLVMValueRef code = LLVMGetInlineAsm(type, "", 0, any_vector, sizeof any_vector - 1, 1, 0,
                                         LLVMInlineAsmDialectATT, 0);
    return LLVMBuildCall2(em->builder, type, code, &v, 1, "");
}

LLVMValueRef em_pinned(struct em *em, LLVMValueRef v)
{
    return LLVMIsConstant(v) ? v : em_hidden(em, v);
}

LLVMValueRef em_load(struct em *em, LLVMTypeRef type, LLVMValueRef p, unsigned align)
{
    LLVMValueRef v = LLVMBuildLoad2(em->builder, type, p, "");
    LLVMSetAlignment(v, align);
    return v;
}

void em_store(struct em *em, LLVMValueRef v, LLVMValueRef p, unsigned align)
{
    LLVMSetAlignment(LLVMBuildStore(em->builder, v, p), align);
}

void em_prefetch(struct em *em, LLVMValueRef p, enum em_cache to)
{
    enum { READ = 0, DATA = 1, LOCALITY_MAX = 3 };
    uint64_t locality = LOCALITY_MAX + 1 - (uint64_t)to;
    LLVMValueRef args[4] = { p, LLVMConstInt(em->i32, READ, 0), LLVMConstInt(em->i32, locality, 0),
                             LLVMConstInt(em->i32, DATA, 0) };
    em_call(em, "llvm.prefetch", &em->ptr, 1, args, 4);
}

static int64_t element_bytes(LLVMTypeRef vector)
{
    LLVMTypeRef element = LLVMGetElementType(vector);
    if (LLVMGetTypeKind(element) == LLVMIntegerTypeKind)
        return LLVMGetIntTypeWidth(element) / 8;
    return LLVMGetTypeKind(element) == LLVMDoubleTypeKind ? 8 : 4;
}

LLVMValueRef em_lane_mask(struct em *em, const struct em_lanes *on)
{
    LLVMValueRef bit[EM_LANES_MAX];
    for (int l = 0; l < on->count; l++)
        bit[l] = LLVMConstInt(em->i1, on->on[l], 0);
    return LLVMConstVector(bit, (unsigned)on->count);
}

static LLVMValueRef masked_load(struct em *em, LLVMTypeRef vector, LLVMValueRef p, LLVMValueRef on,
                                LLVMValueRef other)
{
    LLVMTypeRef types[2] = { vector, em->ptr };
    LLVMValueRef align = LLVMConstInt(em->i32, (unsigned long long)element_bytes(vector), 0);
    LLVMValueRef args[4] = { p, align, on, other };
    return em_call(em, "llvm.masked.load", types, 2, args, 4);
}

LLVMValueRef em_load_lanes(struct em *em, LLVMTypeRef vector, LLVMValueRef p,
                           const struct em_lanes *on, LLVMValueRef other)
{
    LLVMValueRef rest = other ? other : LLVMConstNull(vector);
    if (on->active == on->count)
        return em_load(em, vector, p, (unsigned)element_bytes(vector));
    return on->active ? masked_load(em, vector, p, em_lane_mask(em, on), rest) : rest;
}

LLVMValueRef em_load_where(struct em *em, LLVMTypeRef vector, LLVMValueRef p, LLVMValueRef on)
{
    return masked_load(em, vector, p, on, LLVMConstNull(vector));
}

/* The first `count` lanes, in vectors of 4, 2 and 1: where masks are no part of the instruction set
 * a masked store takes as long as a dozen plain ones. */
static void store_pieces(struct em *em, LLVMValueRef v, LLVMValueRef p, int count)
{
    int64_t bytes = element_bytes(LLVMTypeOf(v));
    for (int done = 0, size; done < count; done += size) {
        int pick[EM_LANES_MAX];
        for (size = 1; 2 * size <= count - done; size *= 2)
            ;
        for (int l = 0; l < size; l++)
            pick[l] = done + l;
        em_store(em, em_shuffle(em, v, v, pick, size), em_at_const(em, p, done * bytes),
                 (unsigned)bytes);
    }
}

static bool first_lanes(const struct em_lanes *on)
{
    for (int l = 0; l < on->active; l++) {
        if (!on->on[l])
            return false;
    }
    return true;
}

void em_store_lanes(struct em *em, LLVMValueRef v, LLVMValueRef p, const struct em_lanes *on)
{
    if (on->active == on->count)
        em_store(em, v, p, (unsigned)element_bytes(LLVMTypeOf(v)));
    else if (!em->target->masks && first_lanes(on))
        store_pieces(em, v, p, on->active);
    else if (on->active)
        em_store_where(em, v, p, em_lane_mask(em, on));
}

void em_store_where(struct em *em, LLVMValueRef v, LLVMValueRef p, LLVMValueRef on)
{
    LLVMTypeRef types[2] = { LLVMTypeOf(v), em->ptr };
    LLVMValueRef align = LLVMConstInt(em->i32, (unsigned long long)element_bytes(types[0]), 0);
    LLVMValueRef args[4] = { v, p, align, on };
    em_call(em, "llvm.masked.store", types, 2, args, 4);
}

static LLVMValueRef offset_vector(struct em *em, const int64_t *offset, int count)
{
    LLVMValueRef v[EM_LANES_MAX];
    for (int l = 0; l < count; l++)
        v[l] = em_int(em, offset[l]);
    return LLVMConstVector(v, (unsigned)count);
}

LLVMValueRef em_gather_at(struct em *em, LLVMTypeRef vector, LLVMValueRef p, LLVMValueRef offset,
                          LLVMValueRef on, LLVMValueRef other)
{
    int lanes = (int)LLVMGetVectorSize(vector);
    LLVMTypeRef types[2] = { vector, em_vector(em->ptr, lanes) };
    LLVMValueRef pointers =
        LLVMBuildGEP2(em->builder, LLVMInt8TypeInContext(em->context), p, &offset, 1, "");
    LLVMValueRef align = LLVMConstInt(em->i32, (unsigned long long)element_bytes(vector), 0);
    LLVMValueRef args[4] = { pointers, align, on, other ? other : LLVMConstNull(vector) };
    return em_call(em, "llvm.masked.gather", types, 2, args, 4);
}

LLVMValueRef em_gather(struct em *em, LLVMTypeRef vector, LLVMValueRef p, const int64_t *offset,
                       const struct em_lanes *on, LLVMValueRef other)
{
    if (!on->active)
        return other ? other : LLVMConstNull(vector);
    return em_gather_at(em, vector, p, offset_vector(em, offset, on->count), em_lane_mask(em, on),
                        other);
}

void em_scatter(struct em *em, LLVMValueRef v, LLVMValueRef p, const int64_t *offset,
                const struct em_lanes *on)
{
    LLVMTypeRef vector = LLVMTypeOf(v);
    LLVMTypeRef types[2] = { vector, em_vector(em->ptr, on->count) };
    LLVMValueRef index = offset_vector(em, offset, on->count);
    LLVMValueRef pointers =
        LLVMBuildGEP2(em->builder, LLVMInt8TypeInContext(em->context), p, &index, 1, "");
    LLVMValueRef align = LLVMConstInt(em->i32, (unsigned long long)element_bytes(vector), 0);
    LLVMValueRef args[4] = { v, pointers, align, em_lane_mask(em, on) };
    if (on->active)
        em_call(em, "llvm.masked.scatter", types, 2, args, 4);
}

LLVMValueRef em_call(struct em *em, const char *name, LLVMTypeRef *types, unsigned type_count,
                     LLVMValueRef *args, unsigned arg_count)
{
    unsigned id = LLVMLookupIntrinsicID(name, strlen(name));
    LLVMValueRef callee = LLVMGetIntrinsicDeclaration(em->module, id, types, type_count);
    LLVMTypeRef type = LLVMGlobalGetValueType(callee);
    return LLVMBuildCall2(em->builder, type, callee, args, arg_count, "");
}
