#include "runtime/jit.h"

#include "gen/base/memory.h"
#include "gen/out/aside.h"
#include "runtime/elf_sections.h"
#include "runtime/guard.h"

#include <errno.h>
#include <inttypes.h>
#include <llvm-c/Core.h>
#include <llvm-c/Error.h>
#include <llvm-c/LLJIT.h>
#include <llvm-c/Target.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Every object lives in a JITDylib of its own, so that objects may share a symbol's name. LLVM
 * cannot remove one, therefore a dylib is emptied and used again. */
struct jit_code {
    LLVMOrcJITDylibRef dylib;
    LLVMOrcResourceTrackerRef tracker; /* NULL while nothing is loaded */
    struct jit_code *next;             /* in the list of the unused    */
};

/* LLVM keeps the names of what has been unloaded; once this many may have gathered they are swept.
 */
enum { NAMES_MAX = 1024 };

struct jit {
    struct guard guard; /* one load at a time, which takes 0.05 ms */
    LLVMOrcLLJITRef lljit;
    struct jit_code *unused;
    int64_t dylibs;
    int names;          /* unloaded since the last sweep */
    char reported[256]; /* what LLVM had to say beside the error of the call under way */
};

/* Does the machine let a page become executable that was written to? Hardened ones do not. */
static enum convc_status probe_executable(struct diag *d)
{
    size_t bytes = (size_t)sysconf(_SC_PAGESIZE);
    char *page = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED)
        return diag_memory(d);
    page[0] = 1;
    if (mprotect(page, bytes, PROT_READ | PROT_EXEC) != 0)
        diag_fail(d, CONVC_ERR_UNSUPPORTED, "this machine forbids executable memory: %s",
                  strerror(errno));
    munmap(page, bytes);
    return d->status;
}

/* Consumes `error`, which is no success. */
static enum convc_status fail_llvm(struct diag *d, const char *what, LLVMErrorRef error)
{
    char *message = LLVMGetErrorMessage(error);
    diag_fail(d, CONVC_ERR_COMPILER, "%s: %s", what, message);
    LLVMDisposeErrorMessage(message);
    return d->status;
}

/* Instead of LLVM's own reporter, which writes to standard error. */
static void report(void *to, LLVMErrorRef error)
{
    struct jit *jit = to;
    char *message = LLVMGetErrorMessage(error);
    snprintf(jit->reported, sizeof jit->reported, "%s", message);
    LLVMDisposeErrorMessage(message);
}

/* LLVM's part of a creation, aside. */
struct creation {
    struct jit *jit;
    struct diag *d;
};

static void create_lljit(void *argument)
{
    struct creation *c = argument;
    object_prepare();
    LLVMErrorRef error = LLVMOrcCreateLLJIT(&c->jit->lljit, NULL);
    if (error) {
        fail_llvm(c->d, "no JIT on this machine", error);
        return;
    }
    LLVMOrcExecutionSessionSetErrorReporter(LLVMOrcLLJITGetExecutionSession(c->jit->lljit), report,
                                            c->jit);
}

enum convc_status jit_create(struct jit **out, struct diag *d)
{
    if (probe_executable(d) != CONVC_OK)
        return d->status;
    struct jit *jit = memory_zeroed(1, sizeof *jit);
    if (!jit)
        return diag_memory(d);
    if (guard_init(&jit->guard, NULL, d) != CONVC_OK) {
        memory_free(jit);
        return d->status;
    }
    struct creation c = { jit, d };
    if (aside_run(create_lljit, &c, d) != CONVC_OK) {
        guard_destroy(&jit->guard);
        memory_free(jit);
        return d->status;
    }
    *out = jit;
    return CONVC_OK;
}

static void dispose(LLVMOrcLLJITRef lljit)
{
    aside_enter();
    LLVMErrorRef error = aside_lost() ? NULL : LLVMOrcDisposeLLJIT(lljit);
    if (error)
        LLVMConsumeError(error);
    aside_leave();
}

void jit_destroy(struct jit *jit)
{
    if (!jit)
        return;
    dispose(jit->lljit);
    while (jit->unused) {
        struct jit_code *code = jit->unused;
        jit->unused = code->next;
        memory_free(code);
    }
    guard_destroy(&jit->guard);
    memory_free(jit);
}

/* A new empty dylib, which resolves what a kernel may call, such as a sanitizer's functions, among
 * the symbols of the process. */
static struct jit_code *code_create(struct jit *jit, struct diag *d)
{
    LLVMOrcDefinitionGeneratorRef process;
    char prefix = LLVMOrcLLJITGetGlobalPrefix(jit->lljit), name[32];
    struct jit_code *code = memory_zeroed(1, sizeof *code);
    if (!code) {
        diag_memory(d);
        return NULL;
    }
    LLVMErrorRef error =
        LLVMOrcCreateDynamicLibrarySearchGeneratorForProcess(&process, prefix, NULL, NULL);
    if (error) {
        fail_llvm(d, "the symbols of the process", error);
        memory_free(code);
        return NULL;
    }
    snprintf(name, sizeof name, "kernel%" PRId64, jit->dylibs++);
    code->dylib = LLVMOrcExecutionSessionCreateBareJITDylib(
        LLVMOrcLLJITGetExecutionSession(jit->lljit), name);
    LLVMOrcJITDylibAddGenerator(code->dylib, process);
    return code;
}

/* What a look-up came to; LLVM may answer from another thread. */
struct answer {
    pthread_mutex_t mutex;
    pthread_cond_t given;
    bool done;
    LLVMErrorRef error;
    LLVMOrcExecutorAddress address;
};

static void answer_give(LLVMErrorRef error, LLVMOrcCSymbolMapPairs pairs, size_t count, void *to)
{
    struct answer *a = to;
    pthread_mutex_lock(&a->mutex);
    a->error = error;
    a->address = !error && count == 1 ? pairs[0].Sym.Address : 0;
    a->done = true;
    pthread_cond_signal(&a->given);
    pthread_mutex_unlock(&a->mutex);
}

/* Links what was added to the dylib, and finds `symbol` there. */
static enum convc_status link_symbol(struct jit *jit, LLVMOrcJITDylibRef dylib, const char *symbol,
                                     convc_kernel_fn *function, struct diag *d)
{
    struct answer a = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, .done = false };
    LLVMOrcCJITDylibSearchOrderElement order = { dylib, LLVMOrcJITDylibLookupFlagsMatchAllSymbols };
    LLVMOrcCLookupSetElement wanted = { LLVMOrcLLJITMangleAndIntern(jit->lljit, symbol),
                                        LLVMOrcSymbolLookupFlagsRequiredSymbol };

    LLVMOrcExecutionSessionLookup(LLVMOrcLLJITGetExecutionSession(jit->lljit),
                                  LLVMOrcLookupKindStatic, &order, 1, &wanted, 1, answer_give, &a);
    pthread_mutex_lock(&a.mutex);
    while (!a.done)
        pthread_cond_wait(&a.given, &a.mutex);
    pthread_mutex_unlock(&a.mutex);
    pthread_cond_destroy(&a.given);
    pthread_mutex_destroy(&a.mutex);
    if (a.error)
        return fail_llvm(d, jit->reported[0] ? jit->reported : "linking a kernel", a.error);
    if (!a.address)
        return diag_fail(d, CONVC_ERR_COMPILER, "linking a kernel: %s has no address", symbol);
    *function = (convc_kernel_fn)(uintptr_t)a.address;
    return CONVC_OK;
}

static void sweep_names(struct jit *jit)
{
    if (++jit->names < NAMES_MAX)
        return;
    LLVMOrcSymbolStringPoolClearDeadEntries(
        LLVMOrcExecutionSessionGetSymbolStringPool(LLVMOrcLLJITGetExecutionSession(jit->lljit)));
    jit->names = 0;
}

/* Empties a dylib and keeps it for the next load; where that fails LLVM keeps the memory. */
static void code_clear(struct jit *jit, struct jit_code *code)
{
    sweep_names(jit);
    LLVMErrorRef error = LLVMOrcResourceTrackerRemove(code->tracker);
    LLVMOrcReleaseResourceTracker(code->tracker);
    code->tracker = NULL;
    if (error) {
        LLVMConsumeError(error);
        memory_free(code);
        return;
    }
    code->next = jit->unused;
    jit->unused = code;
}

/* Lets constants lie among the code, as far as an object has the headers of its sections: else each
 * kernel takes a map for the code and one for the constants, whole pages both. Of one kind, the
 * maps of kernels that lie side by side are one to Linux, which allows 65530. */
static void join_constants(char *object, size_t count)
{
    unsigned sections = elf_sections(object, count);
    for (unsigned i = 0; i < sections; i++) {
        Elf64_Shdr section;
        size_t at = elf_section(object, i, &section);
        if ((section.sh_flags & (SHF_ALLOC | SHF_WRITE)) == SHF_ALLOC)
            section.sh_flags |= SHF_EXECINSTR;
        memcpy(object + at, &section, sizeof section);
    }
}

static LLVMMemoryBufferRef make_buffer(const char *bytes, size_t count, const char *symbol)
{
    char *joined = memory_take(count);
    if (!joined)
        return LLVMCreateMemoryBufferWithMemoryRangeCopy(bytes, count, symbol);
    memcpy(joined, bytes, count);
    join_constants(joined, count);
    LLVMMemoryBufferRef buffer = LLVMCreateMemoryBufferWithMemoryRangeCopy(joined, count, symbol);
    memory_free(joined);
    return buffer;
}

/* A load: what is asked for, and what comes of it. */
struct load {
    struct jit *jit;
    const char *bytes;
    size_t count;
    const char *symbol;
    struct jit_code *code;
    convc_kernel_fn function;
    struct diag *d;
};

static void load(void *argument)
{
    struct load *l = argument;
    struct jit *jit = l->jit;
    struct jit_code *code = jit->unused;
    if (code)
        jit->unused = code->next;
    else
        code = code_create(jit, l->d);
    if (!code)
        return;
    LLVMMemoryBufferRef buffer = make_buffer(l->bytes, l->count, l->symbol);
    code->tracker = LLVMOrcJITDylibCreateResourceTracker(code->dylib);
    LLVMErrorRef error = LLVMOrcLLJITAddObjectFileWithRT(jit->lljit, code->tracker, buffer);
    if (error)
        fail_llvm(l->d, "loading a kernel", error);
    else
        link_symbol(jit, code->dylib, l->symbol, &l->function, l->d);
    if (l->d->status != CONVC_OK)
        code_clear(jit, code);
    else
        l->code = code;
}

enum convc_status jit_load(struct jit *jit, const char *bytes, size_t count, const char *symbol,
                           struct jit_code **out, convc_kernel_fn *function, struct diag *d)
{
    struct load l = { jit, bytes, count, symbol, NULL, NULL, d };
    pthread_mutex_lock(&jit->guard.mutex);
    jit->reported[0] = '\0';
    aside_run(load, &l, d);
    pthread_mutex_unlock(&jit->guard.mutex);
    if (d->status != CONVC_OK)
        return d->status;
    *out = l.code;
    *function = l.function;
    return CONVC_OK;
}

/* Once LLVM has given up, what it loaded stays where it is. */
void jit_unload(struct jit *jit, struct jit_code *code)
{
    if (!code)
        return;
    pthread_mutex_lock(&jit->guard.mutex);
    if (aside_lost())
        memory_free(code);
    else
        code_clear(jit, code);
    pthread_mutex_unlock(&jit->guard.mutex);
}
