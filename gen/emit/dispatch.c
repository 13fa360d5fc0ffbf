#include "gen/emit/dispatch.h"

#include "gen/emit/dispatch_machine.h"
#include "gen/emit/entries.h"

#include <stdio.h>
#include <string.h>

static LLVMValueRef i32(struct em *em, int64_t v)
{
    return LLVMConstInt(em->i32, (unsigned long long)v, 1);
}

static LLVMValueRef declare(struct em *em, const char *library, const char *suffix,
                            LLVMTypeRef type)
{
    char symbol[ENTRY_NAME_MAX];
    snprintf(symbol, sizeof symbol, "%s%s", library, suffix);
    LLVMValueRef f = LLVMGetNamedFunction(em->module, symbol);
    return f ? f : LLVMAddFunction(em->module, symbol, type);
}

static LLVMValueRef has_all(struct em *em, LLVMValueRef word, uint32_t mask)
{
    LLVMValueRef and = LLVMBuildAnd(em->builder, word, i32(em, mask), "");
    return LLVMBuildICmp(em->builder, LLVMIntEQ, and, i32(em, mask), "");
}

/* ---- the selector --------------------------------------------------------------------------- */

/* LIBRARY_runs: bit i says that the machine runs target i. */
static LLVMValueRef emit_runs(struct em *em, const struct dispatch_selector *s, LLVMTypeRef type)
{
    char symbol[ENTRY_NAME_MAX];
    snprintf(symbol, sizeof symbol, "%s_runs", s->library);
    em_next(em, symbol, type);
    LLVMSetLinkage(em->function, LLVMInternalLinkage);
    struct machine m = machine_ask(em, s->probes, s->targets);
    LLVMValueRef set = i32(em, 0);
    for (int i = 0; i < s->targets; i++) {
        LLVMValueRef bit = LLVMBuildSelect(em->builder, machine_fits(em, &m, &s->probes[i]),
                                           i32(em, INT64_C(1) << i), i32(em, 0), "");
        set = LLVMBuildOr(em->builder, set, bit, "");
    }
    LLVMValueRef runs = em->function;
    em_return(em, set);
    return runs;
}

/* Threads may find out at the same time: all find the same. */
static LLVMValueRef chosen_variable(struct em *em)
{
    LLVMValueRef chosen = LLVMAddGlobal(em->module, em->i32, "chosen");
    LLVMSetInitializer(chosen, i32(em, -1));
    LLVMSetLinkage(chosen, LLVMInternalLinkage);
    return chosen;
}

static LLVMValueRef load_chosen(struct em *em, LLVMValueRef chosen)
{
    LLVMValueRef v = LLVMBuildLoad2(em->builder, em->i32, chosen, "");
    LLVMSetOrdering(v, LLVMAtomicOrderingMonotonic);
    LLVMSetAlignment(v, 4);
    return v;
}

static void store_chosen(struct em *em, LLVMValueRef chosen, LLVMValueRef value)
{
    LLVMValueRef v = LLVMBuildStore(em->builder, value, chosen);
    LLVMSetOrdering(v, LLVMAtomicOrderingMonotonic);
    LLVMSetAlignment(v, 4);
}

static void emit_target(struct em *em, const struct dispatch_selector *s, LLVMTypeRef type,
                        LLVMValueRef runs, LLVMValueRef chosen)
{
    struct em_var result = em_var(em, em->i32, "result");
    em_set(em, result, load_chosen(em, chosen));
    EM_IF (em, LLVMBuildICmp(em->builder, LLVMIntSLT, em_get(em, result), i32(em, 0), "")) {
        LLVMValueRef set = LLVMBuildCall2(em->builder, type, runs, NULL, 0, "");
        LLVMValueRef best = i32(em, s->order[s->targets - 1]);
        for (int i = s->targets - 2; i >= 0; i--) {
            LLVMValueRef here = has_all(em, set, UINT32_C(1) << s->order[i]);
            best = LLVMBuildSelect(em->builder, here, i32(em, s->order[i]), best, "");
        }
        store_chosen(em, chosen, best);
        em_set(em, result, best);
    }
    em_return(em, em_get(em, result));
}

static void emit_use(struct em *em, LLVMTypeRef type, LLVMValueRef runs, LLVMValueRef chosen)
{
    LLVMValueRef wanted = LLVMGetParam(em->function, 0);
    LLVMValueRef set = LLVMBuildCall2(em->builder, type, runs, NULL, 0, "");
    LLVMValueRef shift = LLVMBuildAnd(em->builder, wanted, i32(em, 31), "");
    LLVMValueRef bit =
        LLVMBuildAnd(em->builder, LLVMBuildLShr(em->builder, set, shift, ""), i32(em, 1), "");
    LLVMValueRef in_range = LLVMBuildICmp(em->builder, LLVMIntULT, wanted, i32(em, 32), "");
    LLVMValueRef none = LLVMBuildICmp(em->builder, LLVMIntEQ, wanted, i32(em, -1), "");
    LLVMValueRef fine = LLVMBuildAnd(em->builder, in_range, has_all(em, bit, 1), "");
    fine = LLVMBuildOr(em->builder, fine, none, "");
    EM_IF (em, fine) {
        store_chosen(em, chosen, wanted);
    }
    em_return(em, LLVMBuildZExt(em->builder, fine, em->i32, ""));
}

void dispatch_selector(struct em *em, const struct dispatch_selector *s)
{
    char symbol[ENTRY_NAME_MAX];
    LLVMTypeRef none = LLVMFunctionType(em->i32, NULL, 0, 0);
    LLVMTypeRef one = LLVMFunctionType(em->i32, &em->i32, 1, 0);
    LLVMValueRef chosen = chosen_variable(em), runs = emit_runs(em, s, none);
    snprintf(symbol, sizeof symbol, "%s_target", s->library);
    em_next(em, symbol, none);
    emit_target(em, s, none, runs, chosen);
    snprintf(symbol, sizeof symbol, "%s_use", s->library);
    em_next(em, symbol, one);
    emit_use(em, none, runs, chosen);
}

/* ---- a kernel ------------------------------------------------------------------------------- */

static void call_variant(struct em *em, const struct dispatch_kernel *k, int which, int variant)
{
    LLVMTypeRef type = entry_type(em, k->problem, which);
    LLVMValueRef with[32], f = declare(em, k->variant[variant], entry_suffix[which], type);
    unsigned n = LLVMCountParams(em->function);
    LLVMSetVisibility(f, LLVMHiddenVisibility);
    for (unsigned i = 0; i < n; i++)
        with[i] = LLVMGetParam(em->function, i);
    LLVMValueRef value = LLVMBuildCall2(em->builder, type, f, with, n, "");
    if (which == ENTRY_ITEMS)
        em_return(em, value);
    else
        LLVMBuildRetVoid(em->builder);
}

static void emit_entry(struct em *em, const struct dispatch_kernel *k, int which)
{
    char symbol[ENTRY_NAME_MAX];
    LLVMTypeRef selector = LLVMFunctionType(em->i32, NULL, 0, 0);
    LLVMBasicBlockRef block[DISPATCH_TARGETS];
    snprintf(symbol, sizeof symbol, "%s%s", k->name, entry_suffix[which]);
    em_next(em, symbol, entry_type(em, k->problem, which));
    LLVMValueRef select = declare(em, k->library, "_target", selector);
    LLVMValueRef target = LLVMBuildCall2(em->builder, selector, select, NULL, 0, "");
    for (int v = 0; v < k->variants; v++)
        block[v] = LLVMAppendBasicBlockInContext(em->context, em->function, "variant");
    LLVMValueRef choice =
        LLVMBuildSwitch(em->builder, target, block[k->variants - 1], (unsigned)k->variants);
    for (int v = 0; v < k->variants; v++) {
        if (v < k->variants - 1)
            LLVMAddCase(choice, i32(em, v), block[v]);
        LLVMPositionBuilderAtEnd(em->builder, block[v]);
        call_variant(em, k, which, v);
    }
}

void dispatch_kernel(struct em *em, const struct dispatch_kernel *k)
{
    for (int which = 0; which < ENTRY_KERNEL; which++) {
        if (entry_exists(k->problem, which))
            emit_entry(em, k, which);
    }
}
