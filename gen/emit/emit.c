#include "gen/emit/emit.h"

#include "gen/emit/emit_direct.h"
#include "gen/emit/emit_fixed.h"
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
    [PLAN_FIXED] = emit_fixed,
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
    if (em->small) { /* minsize: above all a division instead of a factor out of memory */
        set_flag(em, f, "optsize", 0);
        set_flag(em, f, "minsize", 0);
    }
    /* Both: with 256 preferred, LLVM splits explicit 512-bit vectors. */
    set_attribute(em, f, "prefer-vector-width", bits);
    set_attribute(em, f, "min-legal-vector-width", bits);
}

/* Gives every function of the module what it needs, and hides those that are not for others. */
static LLVMModuleRef finish(struct em *em, bool hidden, LLVMValueRef always_hidden)
{
    LLVMSetTarget(em->module, em->target->triple);
    for (LLVMValueRef f = LLVMGetFirstFunction(em->module); f; f = LLVMGetNextFunction(f)) {
        if (LLVMIsDeclaration(f))
            continue;
        set_attributes(em, f);
        if ((hidden || f == always_hidden) && LLVMGetLinkage(f) == LLVMExternalLinkage)
            LLVMSetVisibility(f, LLVMHiddenVisibility);
    }
    return em_close(em);
}

LLVMModuleRef emit_module(LLVMContextRef context, const struct problem *p, const struct plan *plan,
                          const struct target *t, const struct emit_names *names, bool *failed)
{
    struct em em;
    em_open(&em, context, names->kernel, t);
    LLVMValueRef kernel = em.function;
    em.small = names->small;
    emit_algorithm[plan->algorithm](&em, p, plan);
    if (names->name)
        entries(&em, p, plan, names->name);
    if (names->local)
        LLVMSetLinkage(kernel, LLVMInternalLinkage);
    *failed = em.failed;
    return finish(&em, names->name && names->hidden, names->name ? kernel : NULL);
}

LLVMModuleRef emit_dispatch(LLVMContextRef context, const struct dispatch_kernel *k,
                            const struct target *t, bool hidden)
{
    struct em em;
    em_begin(&em, context, t);
    dispatch_kernel(&em, k);
    return finish(&em, hidden, NULL);
}

LLVMModuleRef emit_selector(LLVMContextRef context, const struct dispatch_selector *s,
                            const struct target *t, bool hidden)
{
    struct em em;
    em_begin(&em, context, t);
    dispatch_selector(&em, s);
    return finish(&em, hidden, NULL);
}
