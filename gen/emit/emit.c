#include "gen/emit/emit.h"

#include "gen/emit/emit_direct.h"
#include "gen/emit/emit_stencil.h"
#include "gen/emit/emit_winograd.h"
#include "gen/emit/entries.h"

#include <stdio.h>
#include <string.h>

static void (*const emit_algorithm[PLAN_ALGORITHMS])(struct em *, const struct problem *,
                                                     const struct plan *) = {
    [PLAN_DIRECT] = emit_direct,
    [PLAN_WINOGRAD] = emit_winograd,
    [PLAN_STENCIL] = emit_stencil,
};

static void set_attribute(struct em *em, LLVMValueRef f, const char *name, const char *value)
{
    LLVMAttributeRef a = LLVMCreateStringAttribute(em->context, name, (unsigned)strlen(name), value,
                                                   (unsigned)strlen(value));
    LLVMAddAttributeAtIndex(f, (LLVMAttributeIndex)LLVMAttributeFunctionIndex, a);
}

static void set_flag(struct em *em, LLVMValueRef f, const char *name, uint64_t value)
{
    LLVMAttributeRef a = LLVMCreateEnumAttribute(
        em->context, LLVMGetEnumAttributeKindForName(name, strlen(name)), value);
    LLVMAddAttributeAtIndex(f, (LLVMAttributeIndex)LLVMAttributeFunctionIndex, a);
}

/* What code generation must know of a function. */
static void set_attributes(struct em *em, LLVMValueRef f)
{
    const struct target *t = em->target;
    char bits[16], features[TARGET_FEATURES_MAX];
    uint64_t vscale = (uint64_t)target_vscale(t);
    snprintf(bits, sizeof bits, "%d", t->vector_bytes * 8);
    target_llvm_features(t, features);
    set_flag(em, f, "nounwind", 0);
    if (vscale)
        set_flag(em, f, "vscale_range", vscale << 32 | vscale); /* at least and at most */
    set_attribute(em, f, "target-cpu", t->cpu);
    set_attribute(em, f, "target-features", features);
    /* Both: with 256 preferred, LLVM splits explicit 512-bit vectors. */
    set_attribute(em, f, "prefer-vector-width", bits);
    set_attribute(em, f, "min-legal-vector-width", bits);
}

LLVMModuleRef emit_module(LLVMContextRef context, const struct problem *p, const struct plan *plan,
                          const struct target *t, const struct emit_names *names, bool *failed)
{
    struct em em;
    em_open(&em, context, names->kernel, t);
    LLVMValueRef kernel = em.function;
    LLVMSetTarget(em.module, t->triple);
    emit_algorithm[plan->algorithm](&em, p, plan);
    if (names->name)
        entries(&em, p, plan, names->name);
    for (LLVMValueRef f = kernel; f; f = LLVMGetNextFunction(f)) {
        if (LLVMIsDeclaration(f))
            continue;
        set_attributes(&em, f);
        if (names->name && (names->hidden || f == kernel))
            LLVMSetVisibility(f, LLVMHiddenVisibility);
    }
    *failed = em.failed;
    return em_close(&em);
}
