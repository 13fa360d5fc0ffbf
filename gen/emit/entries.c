#include "gen/emit/entries.h"

#include "gen/emit/arguments.h"
#include "gen/emit/pack_code.h"

#include <stdio.h>

const char *const entry_suffix[ENTRY_SYMBOLS] = { "", "_range", "_items", "_pack", "_kernel" };

/* The pointers that a problem's functions take, in their order. */
enum { TENSORS_MAX = 6 + FUNCTIONS_ARGS };
struct tensors {
    int count;
    enum arguments_field field[TENSORS_MAX]; /* ARGUMENTS_USER: the next of the args */
};

static void take(struct tensors *t, bool has, enum arguments_field field)
{
    if (has)
        t->field[t->count++] = field;
}

static struct tensors tensors_of(const struct problem *p)
{
    struct tensors t = { 0 };
    take(&t, true, ARGUMENTS_SRC);
    take(&t, problem_packs(p), ARGUMENTS_WEI);
    take(&t, p->p.bias, ARGUMENTS_BIAS);
    take(&t, p->p.residual, ARGUMENTS_RESIDUAL);
    for (int i = 0; i < p->f.arg_count; i++)
        take(&t, true, ARGUMENTS_USER);
    take(&t, true, ARGUMENTS_DST);
    take(&t, true, ARGUMENTS_WORKSPACE);
    return t;
}

struct entry {
    struct em *em;
    const char *name;
    const struct problem *p;
    const struct plan *plan;
    LLVMValueRef kernel;
    LLVMTypeRef kernel_type;
    struct tensors tensors;
};

/* struct convc_args from the function's parameters: the tensors, and n behind them. The kernel is
 * in the same module, and reads nothing else of it. */
static LLVMValueRef build_args(const struct entry *e)
{
    struct em *em = e->em;
    const struct target *t = em->target;
    const unsigned pointer = (unsigned)t->pointer_bytes;
    const int64_t bytes = arguments_offset(t, ARGUMENTS_RESERVED);
    LLVMValueRef args = em_var(em, LLVMArrayType2(em->i64, (uint64_t)bytes / 8), "args").slot;
    LLVMValueRef list = em_var(em, LLVMArrayType2(em->ptr, FUNCTIONS_ARGS), "user").slot;
    int user = 0;
    for (int i = 0; i < e->tensors.count; i++) {
        enum arguments_field field = e->tensors.field[i];
        LLVMValueRef to = field == ARGUMENTS_USER
                              ? em_at_const(em, list, user++ * (int64_t)pointer)
                              : em_at_const(em, args, arguments_offset(t, field));
        em_store(em, LLVMGetParam(em->function, (unsigned)i), to, pointer);
    }
    if (user)
        em_store(em, list, em_at_const(em, args, arguments_offset(t, ARGUMENTS_USER)), pointer);
    em_store(em, LLVMGetParam(em->function, (unsigned)e->tensors.count),
             em_at_const(em, args, arguments_offset(t, ARGUMENTS_N)), 8);
    return args;
}

bool entry_exists(const struct problem *p, int which)
{
    return which != ENTRY_PACK || problem_packs(p);
}

LLVMTypeRef entry_type(struct em *em, const struct problem *p, int which)
{
    const struct tensors t = tensors_of(p);
    LLVMTypeRef param[TENSORS_MAX + 4], nothing = LLVMVoidTypeInContext(em->context);
    int n = 0;
    if (which == ENTRY_ITEMS)
        return LLVMFunctionType(em->i64, (LLVMTypeRef[]){ em->i32, em->i64 }, 2, 0);
    if (which == ENTRY_PACK)
        return LLVMFunctionType(nothing, (LLVMTypeRef[]){ em->ptr, em->ptr }, 2, 0);
    while (n < t.count)
        param[n++] = em->ptr;
    param[n++] = em->i64;
    if (which == ENTRY_RANGE) {
        param[n++] = em->i32;
        param[n++] = em->i64;
        param[n++] = em->i64;
    }
    return LLVMFunctionType(nothing, param, (unsigned)n, 0);
}

static void open_entry(const struct entry *e, int which)
{
    char symbol[ENTRY_NAME_MAX];
    snprintf(symbol, sizeof symbol, "%s%s", e->name, entry_suffix[which]);
    em_next(e->em, symbol, entry_type(e->em, e->p, which));
}

static void call_kernel(const struct entry *e, LLVMValueRef args, LLVMValueRef phase,
                        LLVMValueRef begin, LLVMValueRef end)
{
    LLVMValueRef with[] = { args, phase, begin, end };
    LLVMBuildCall2(e->em->builder, e->kernel_type, e->kernel, with, 4, "");
}

/* Items of a phase for n images, which are n times those of one. */
static LLVMValueRef items(const struct entry *e, int phase, LLVMValueRef n)
{
    return em_mul(e->em, n, plan_items(e->p, e->plan, e->em->target, phase, 1));
}

static void emit_run(const struct entry *e)
{
    struct em *em = e->em;
    open_entry(e, ENTRY_RUN);
    LLVMValueRef args = build_args(e), n = LLVMGetParam(em->function, (unsigned)e->tensors.count);
    for (int phase = 0; phase < plan_phases(e->plan); phase++)
        call_kernel(e, args, LLVMConstInt(em->i32, (unsigned)phase, 0), em_int(em, 0),
                    items(e, phase, n));
}

static void emit_range(const struct entry *e)
{
    unsigned n = (unsigned)e->tensors.count;
    open_entry(e, ENTRY_RANGE);
    LLVMValueRef args = build_args(e), function = e->em->function;
    call_kernel(e, args, LLVMGetParam(function, n + 1), LLVMGetParam(function, n + 2),
                LLVMGetParam(function, n + 3));
}

/* 0 where there is no such phase. */
static void emit_items(const struct entry *e)
{
    struct em *em = e->em;
    open_entry(e, ENTRY_ITEMS);
    LLVMValueRef count = em_int(em, 0);
    for (int phase = 0; phase < plan_phases(e->plan); phase++) {
        LLVMValueRef here =
            em_equal(em, LLVMGetParam(em->function, 0), LLVMConstInt(em->i32, (unsigned)phase, 0));
        count = LLVMBuildSelect(em->builder, here, items(e, phase, LLVMGetParam(em->function, 1)),
                                count, "");
    }
    em_return(em, count);
}

static void emit_pack(const struct entry *e)
{
    open_entry(e, ENTRY_PACK);
    pack_code(e->em, e->p, e->plan);
}

void entries(struct em *em, const struct problem *p, const struct plan *plan, const char *name)
{
    const struct entry e = { .em = em,
                             .name = name,
                             .p = p,
                             .plan = plan,
                             .kernel = em->function,
                             .kernel_type = LLVMGlobalGetValueType(em->function),
                             .tensors = tensors_of(p) };
    emit_run(&e);
    emit_range(&e);
    emit_items(&e);
    if (entry_exists(p, ENTRY_PACK))
        emit_pack(&e);
}
