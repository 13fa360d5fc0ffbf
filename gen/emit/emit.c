#include "gen/emit/emit.h"

#include "gen/emit/emit_direct.h"
#include "gen/emit/emit_winograd.h"

#include <stdio.h>
#include <string.h>

static void (*const emit_algorithm[PLAN_ALGORITHMS])(struct em *, const struct problem *,
                                                     const struct plan *) = {
    [PLAN_DIRECT] = emit_direct,
    [PLAN_WINOGRAD] = emit_winograd,
};

static void set_attribute(struct em *em, const char *name, const char *value)
{
    LLVMAttributeRef a = LLVMCreateStringAttribute(em->context, name, (unsigned)strlen(name), value,
                                                   (unsigned)strlen(value));
    LLVMAddAttributeAtIndex(em->function, (LLVMAttributeIndex)LLVMAttributeFunctionIndex, a);
}

static void set_flag(struct em *em, const char *name)
{
    LLVMAttributeRef a = LLVMCreateEnumAttribute(
        em->context, LLVMGetEnumAttributeKindForName(name, strlen(name)), 0);
    LLVMAddAttributeAtIndex(em->function, (LLVMAttributeIndex)LLVMAttributeFunctionIndex, a);
}

LLVMModuleRef emit_module(LLVMContextRef context, const struct problem *p, const struct plan *plan,
                          const struct target *t, const char *symbol)
{
    struct em em;
    char bits[16];
    em_open(&em, context, symbol, t);
    LLVMSetTarget(em.module, t->triple);
    snprintf(bits, sizeof bits, "%d", t->vector_bytes * 8);
    set_flag(&em, "nounwind");
    set_attribute(&em, "target-cpu", t->cpu);
    set_attribute(&em, "target-features", t->features);
    /* Both: with 256 preferred, LLVM splits explicit 512-bit vectors. */
    set_attribute(&em, "prefer-vector-width", bits);
    set_attribute(&em, "min-legal-vector-width", bits);
    emit_algorithm[plan->algorithm](&em, p, plan);
    return em_close(&em);
}
