#include "tests/support/subject.h"

#include <llvm-c/Analysis.h>
#include <llvm-c/Target.h>
#include <llvm-c/Transforms/PassBuilder.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* ---- machines ---------------------------------------------------------------------------------
 */

int machines;
struct target machine[MACHINES_MAX];
const char *machine_name[MACHINES_MAX];
static struct jit *jit;

int machines_find(void **state)
{
    static const char *const names[MACHINES_MAX] = { "native", "x86-64-v3", "x86-64" };
    (void)state;
    LLVMInitializeNativeTarget();
    LLVMInitializeNativeAsmPrinter();
    for (int i = 0; i < MACHINES_MAX; i++) {
        struct diag d = { 0 };
        if (target_parse(names[i], &machine[machines], &d) == CONVC_OK &&
            target_runs_here(&machine[machines], &d) == CONVC_OK)
            machine_name[machines++] = names[i];
        else
            printf("%s left out: %s\n", names[i], d.text);
    }
    struct diag d = { 0 };
    return machines && jit_create(&jit, &d) == CONVC_OK ? 0 : -1;
}

int machines_forget(void **state)
{
    (void)state;
    jit_destroy(jit);
    return 0;
}

/* ---- one function as a kernel -----------------------------------------------------------------
 */

static LLVMValueRef apply(struct em *em, const struct subject *s, LLVMValueRef x)
{
    switch (s->function) {
    case EXP: return em_exp(em, x);
    case TANH: return em_tanh(em, x);
    case ERF: return em_erf(em, x);
    case LOG: return em_log(em, x);
    case ACTIVATION: break;
    }
    return em_activation(em, s->activation, s->args, x);
}

static LLVMModuleRef subject_emit(LLVMContextRef context, const struct subject *s,
                                  const struct target *t, const char *symbol)
{
    struct em em;
    em_open(&em, context, symbol, t);
    LLVMTypeRef element = s->wide ? em.f64 : em.f32;
    LLVMTypeRef type = s->lanes ? em_vector(element, s->lanes) : element;
    int64_t bytes = (s->wide ? 8 : 4) * (s->lanes ? s->lanes : 1);
    LLVMValueRef args = LLVMGetParam(em.function, 0);
    LLVMValueRef src =
        em_load(&em, em.ptr, em_at_const(&em, args, offsetof(struct convc_args, src)), 8);
    LLVMValueRef dst =
        em_load(&em, em.ptr, em_at_const(&em, args, offsetof(struct convc_args, dst)), 8);
    EM_FOR (&em, i, LLVMGetParam(em.function, 2), LLVMGetParam(em.function, 3)) {
        LLVMValueRef at = em_mul(&em, i, bytes);
        LLVMValueRef x = em_load(&em, type, em_at(&em, src, at), s->wide ? 8 : 4);
        em_store(&em, apply(&em, s, x), em_at(&em, dst, at), s->wide ? 8 : 4);
    }
    return em_close(&em);
}

static void must(LLVMErrorRef error)
{
    if (!error)
        return;
    char *text = LLVMGetErrorMessage(error);
    fprintf(stderr, "%s\n", text);
    LLVMDisposeErrorMessage(text);
    fail();
}

static LLVMMemoryBufferRef object_of(LLVMModuleRef module, const struct target *t,
                                     LLVMCodeGenFileType form)
{
    LLVMTargetRef llvm_target;
    LLVMMemoryBufferRef buffer;
    char *text = NULL;
    assert_false(LLVMGetTargetFromTriple(t->triple, &llvm_target, &text));
    LLVMTargetMachineRef tm =
        LLVMCreateTargetMachine(llvm_target, t->triple, t->cpu, t->features, LLVMCodeGenLevelLess,
                                LLVMRelocPIC, LLVMCodeModelSmall);
    LLVMSetTarget(module, t->triple);
    LLVMTargetDataRef layout = LLVMCreateTargetDataLayout(tm);
    LLVMSetModuleDataLayout(module, layout);
    LLVMDisposeTargetData(layout);
    assert_false(LLVMVerifyModule(module, LLVMPrintMessageAction, &text));
    LLVMDisposeMessage(text);
    LLVMPassBuilderOptionsRef options = LLVMCreatePassBuilderOptions();
    must(LLVMRunPasses(module, "mem2reg", tm, options));
    LLVMDisposePassBuilderOptions(options);
    assert_false(LLVMTargetMachineEmitToMemoryBuffer(tm, module, form, &text, &buffer));
    LLVMDisposeTargetMachine(tm);
    LLVMDisposeModule(module);
    return buffer;
}

struct code code_load(LLVMModuleRef module, const struct target *t, const char *symbol)
{
    struct code c = { .step = 1 };
    struct diag d = { 0 };
    LLVMMemoryBufferRef object = object_of(module, t, LLVMObjectFile);
    jit_load(jit, LLVMGetBufferStart(object), LLVMGetBufferSize(object), symbol, &c.loaded, &c.run,
             &d);
    if (d.status)
        fail_msg("%s", d.text);
    LLVMDisposeMemoryBuffer(object);
    return c;
}

struct code code_make(const struct subject *s, const struct target *t)
{
    static int made;
    char symbol[32];
    snprintf(symbol, sizeof symbol, "subject_%d", made++);
    LLVMContextRef context = LLVMContextCreate();
    struct code c = code_load(subject_emit(context, s, t, symbol), t, symbol);
    c.step = s->lanes ? s->lanes : 1;
    LLVMContextDispose(context);
    return c;
}

void code_run(const struct code *c, const void *src, void *dst, int64_t count)
{
    struct convc_args args = { .struct_bytes = sizeof args, .src = src, .dst = dst, .n = 1 };
    c->run(&args, 0, 0, count / c->step);
}

void code_free(struct code *c)
{
    jit_unload(jit, c->loaded);
}

void subject_run(const struct subject *s, const struct target *t, const void *src, void *dst,
                 int64_t count)
{
    struct code c = code_make(s, t);
    code_run(&c, src, dst, count);
    code_free(&c);
}

LLVMMemoryBufferRef subject_assembly(const struct subject *s, const struct target *t)
{
    LLVMContextRef context = LLVMContextCreate();
    LLVMModuleRef module = subject_emit(context, s, t, "subject");
    LLVMMemoryBufferRef text = object_of(module, t, LLVMAssemblyFile);
    LLVMContextDispose(context);
    return text;
}
