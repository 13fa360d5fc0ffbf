#include "gen/out/object.h"

#include "gen/base/memory.h"
#include "gen/emit/emit.h"
#include "gen/out/aside.h"

#include <llvm-c/Analysis.h>
#include <llvm-c/BitWriter.h>
#include <llvm-c/Core.h>
#include <llvm-c/Error.h>
#include <llvm-c/Target.h>
#include <llvm-c/TargetMachine.h>
#include <llvm-c/Transforms/PassBuilder.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

static void initialize(void)
{
    LLVMInitializeX86TargetInfo();
    LLVMInitializeX86Target();
    LLVMInitializeX86TargetMC();
    LLVMInitializeX86AsmPrinter();
    LLVMInitializeX86AsmParser(); /* of the inline assembly that asks the CPU */
    LLVMInitializeAArch64TargetInfo();
    LLVMInitializeAArch64Target();
    LLVMInitializeAArch64TargetMC();
    LLVMInitializeAArch64AsmPrinter();
    LLVMInitializeAArch64AsmParser();
    LLVMInitializeRISCVTargetInfo();
    LLVMInitializeRISCVTarget();
    LLVMInitializeRISCVTargetMC();
    LLVMInitializeRISCVAsmPrinter();
    LLVMInitializeWebAssemblyTargetInfo();
    LLVMInitializeWebAssemblyTarget();
    LLVMInitializeWebAssemblyTargetMC();
    LLVMInitializeWebAssemblyAsmPrinter();
}

void object_prepare(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, initialize);
}

/* ---- target machines ----------------------------------------------------------------------------
 */

/* A target machine fills large tables on its first use, so the last few are kept for the next
 * compile. One compile at a time uses each: whoever takes a slot's machine leaves the slot empty.
 */
enum { KEPT = 4 };

struct kept {
    struct target target;
    LLVMTargetMachineRef machine;
};

static _Atomic(struct kept *) slot[KEPT];

static void keep_machine(struct kept *k)
{
    for (int i = 0; i < KEPT; i++) {
        struct kept *empty = NULL;
        if (atomic_compare_exchange_strong(&slot[i], &empty, k))
            return;
    }
    LLVMDisposeTargetMachine(k->machine);
    memory_free(k);
}

static bool makes_code_for(const struct kept *k, const struct target *t)
{
    return !strcmp(k->target.triple, t->triple) && !strcmp(k->target.cpu, t->cpu) &&
           !strcmp(k->target.features, t->features);
}

static struct kept *take_machine(const struct target *t)
{
    for (int i = 0; i < KEPT; i++) {
        struct kept *k = atomic_exchange(&slot[i], NULL);
        if (k && makes_code_for(k, t))
            return k;
        if (k)
            keep_machine(k);
    }
    return NULL;
}

/* Codegen level Less makes the same code as Aggressive from our IR, sooner; None spills everything.
 */
static LLVMTargetMachineRef make_machine(const struct target *t, struct diag *d)
{
    LLVMTargetRef target = NULL;
    char *message = NULL;
    object_prepare();
    if (LLVMGetTargetFromTriple(t->triple, &target, &message)) {
        diag_fail(d, CONVC_ERR_UNSUPPORTED, "target %s is not in this LLVM: %s", t->triple,
                  message);
        LLVMDisposeMessage(message);
        return NULL;
    }
    char features[TARGET_FEATURES_MAX];
    target_llvm_features(t, features);
    LLVMTargetMachineRef m =
        LLVMCreateTargetMachine(target, t->triple, t->cpu, features, LLVMCodeGenLevelLess,
                                LLVMRelocPIC, LLVMCodeModelDefault);
    if (!m)
        diag_fail(d, CONVC_ERR_UNSUPPORTED, "LLVM makes no code for %s:%s", t->triple, t->cpu);
    return m;
}

/* The caller gives it back with keep_machine. NULL after a failure. */
static struct kept *machine(const struct target *t, struct diag *d)
{
    struct kept *k = take_machine(t);
    if (k)
        return k;
    LLVMTargetMachineRef m = make_machine(t, d);
    k = m ? memory_take(sizeof *k) : NULL;
    if (m && !k) {
        LLVMDisposeTargetMachine(m);
        diag_memory(d);
    }
    if (k)
        *k = (struct kept){ .target = *t, .machine = m };
    return k;
}

/* ---- from IR to bytes ---------------------------------------------------------------------------
 */

static enum convc_status fail_with(LLVMErrorRef error, const char *what, struct diag *d)
{
    char *message = LLVMGetErrorMessage(error);
    diag_fail(d, CONVC_ERR_COMPILER, "%s: %s", what, message);
    LLVMDisposeErrorMessage(message);
    return d->status;
}

/* mem2reg turns em_vars into registers and is all the optimisation that the emitted code needs. */
static enum convc_status run_passes(LLVMModuleRef module, LLVMTargetMachineRef m, bool instrument,
                                    struct diag *d)
{
    LLVMPassBuilderOptionsRef options = LLVMCreatePassBuilderOptions();
    LLVMErrorRef error =
        LLVMRunPasses(module, instrument ? "function(mem2reg),asan" : "mem2reg", m, options);
    LLVMDisposePassBuilderOptions(options);
    return error ? fail_with(error, "LLVM passes", d) : CONVC_OK;
}

static enum convc_status keep(const char *bytes, size_t count, struct object *out, struct diag *d)
{
    out->bytes = memory_take(count + 1);
    if (!out->bytes)
        return diag_memory(d);
    memcpy(out->bytes, bytes, count);
    out->bytes[count] = '\0';
    out->count = count;
    return CONVC_OK;
}

static enum convc_status keep_buffer(LLVMMemoryBufferRef buffer, struct object *out, struct diag *d)
{
    enum convc_status st = keep(LLVMGetBufferStart(buffer), LLVMGetBufferSize(buffer), out, d);
    LLVMDisposeMemoryBuffer(buffer);
    return st;
}

static enum convc_status write_form(LLVMModuleRef module, LLVMTargetMachineRef m,
                                    enum object_form form, struct object *out, struct diag *d)
{
    if (form == OBJECT_IR) {
        char *text = LLVMPrintModuleToString(module);
        enum convc_status st = keep(text, strlen(text), out, d);
        LLVMDisposeMessage(text);
        return st;
    }
    if (form == OBJECT_BITCODE)
        return keep_buffer(LLVMWriteBitcodeToMemoryBuffer(module), out, d);

    LLVMMemoryBufferRef buffer = NULL;
    char *message = NULL;
    LLVMCodeGenFileType type = form == OBJECT_ASM ? LLVMAssemblyFile : LLVMObjectFile;
    if (LLVMTargetMachineEmitToMemoryBuffer(m, module, type, &message, &buffer)) {
        diag_fail(d, CONVC_ERR_COMPILER, "LLVM code generation: %s", message);
        LLVMDisposeMessage(message);
        return d->status;
    }
    return keep_buffer(buffer, out, d);
}

static enum convc_status verify(LLVMModuleRef module, struct diag *d)
{
    char *message = NULL;
    if (LLVMVerifyModule(module, LLVMReturnStatusAction, &message))
        diag_fail(d, CONVC_ERR_INTERNAL, "the emitted IR is not valid: %s", message);
    LLVMDisposeMessage(message);
    return d->status;
}

/* Instruments the kernel as a compiler would for -fsanitize=address. */
static void ask_for_asan(LLVMModuleRef module, const char *symbol)
{
    LLVMContextRef context = LLVMGetModuleContext(module);
    LLVMValueRef f = LLVMGetNamedFunction(module, symbol);
    const char *name = "sanitize_address";
    unsigned kind = LLVMGetEnumAttributeKindForName(name, strlen(name));
    LLVMAttributeRef a = LLVMCreateEnumAttribute(context, kind, 0);
    LLVMAddAttributeAtIndex(f, (LLVMAttributeIndex)LLVMAttributeFunctionIndex, a);
}

/* What LLVM has to say against a module ends up in the diag: left alone, LLVM prints errors and
 * ends the process. */
static void hear(LLVMDiagnosticInfoRef info, void *data)
{
    if (LLVMGetDiagInfoSeverity(info) != LLVMDSError)
        return;
    char *message = LLVMGetDiagInfoDescription(info);
    diag_fail(data, CONVC_ERR_COMPILER, "LLVM: %s", message);
    LLVMDisposeMessage(message);
}

/* A module on its way to bytes. `make` builds it in the context. */
struct making {
    const struct target *target;
    LLVMModuleRef (*make)(LLVMContextRef context, const void *argument, bool *failed);
    const void *argument;
    enum object_form form;
    const char *instrumented; /* a function, or NULL */
};

static enum convc_status build(const struct making *k, LLVMContextRef context,
                               LLVMTargetMachineRef m, struct object *out, struct diag *d)
{
    bool failed = false; /* memory was out */
    LLVMModuleRef module = k->make(context, k->argument, &failed);
    LLVMTargetDataRef layout = LLVMCreateTargetDataLayout(m);
    LLVMSetModuleDataLayout(module, layout);
    LLVMDisposeTargetData(layout);
    if (k->instrumented)
        ask_for_asan(module, k->instrumented);

    enum convc_status st = failed ? diag_memory(d) : verify(module, d);
    if (st == CONVC_OK)
        st = run_passes(module, m, k->instrumented != NULL, d);
    if (st == CONVC_OK)
        st = write_form(module, m, k->form, out, d);
    if (st == CONVC_OK)
        st = d->status;
    LLVMDisposeModule(module);
    return st;
}

/* A whole compile, for a thread of its own. */
struct compile {
    const struct making *making;
    struct object *out;
    struct diag *d;
};

static void compile(void *argument)
{
    struct compile *c = argument;
    struct kept *kept = machine(c->making->target, c->d);
    if (!kept)
        return;
    LLVMContextRef context = LLVMContextCreate();
    LLVMContextSetDiagnosticHandler(context, hear, c->d);
    if (build(c->making, context, kept->machine, c->out, c->d) != CONVC_OK)
        object_free(c->out);
    LLVMContextDispose(context);
    keep_machine(kept);
}

/* Of a thread that was lost nothing is left, not even the target machine that it had taken. */
static enum convc_status make(const struct making *k, struct object *out, struct diag *d)
{
    struct compile c = { k, out, d };
    *out = (struct object){ 0 };
    if (aside_run(compile, &c, d) != CONVC_OK)
        *out = (struct object){ 0 };
    return d->status;
}

/* ---- what modules hold -------------------------------------------------------------------------
 */

static LLVMModuleRef make_kernel(LLVMContextRef context, const void *argument, bool *failed)
{
    const struct object_request *r = argument;
    const struct emit_names names = { r->symbol, r->name, r->hidden, r->local, r->small };
    return emit_module(context, r->problem, r->plan, r->target, &names, failed);
}

enum convc_status object_emit(const struct object_request *r, struct object *out, struct diag *d)
{
    *out = (struct object){ 0 };
    return make(&(struct making){ .target = r->target,
                                  .make = make_kernel,
                                  .argument = r,
                                  .form = r->form,
                                  .instrumented = r->instrument ? r->symbol : NULL },
                out, d);
}

static LLVMModuleRef make_dispatch(LLVMContextRef context, const void *argument, bool *failed)
{
    const struct object_dispatch *r = argument;
    (void)failed;
    if (r->kernel)
        return emit_dispatch(context, r->kernel, r->target, r->hidden);
    return emit_selector(context, r->selector, r->target, r->hidden);
}

enum convc_status object_dispatch(const struct object_dispatch *r, struct object *out,
                                  struct diag *d)
{
    return make(
        &(struct making){
            .target = r->target, .make = make_dispatch, .argument = r, .form = r->form },
        out, d);
}

void object_free(struct object *o)
{
    memory_free(o->bytes);
    *o = (struct object){ 0 };
}

static char version[32];

static void find_version(void)
{
    unsigned major, minor, patch;
    LLVMGetVersion(&major, &minor, &patch);
    snprintf(version, sizeof version, "%u.%u.%u", major, minor, patch);
}

const char *object_llvm_version(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, find_version);
    return version;
}
