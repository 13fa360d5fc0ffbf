/* When LLVM gives up, the process does not: it compiles no more, keeps the kernels that it has, and
 * answers with the reference.
 *
 * The errors are LLVM's own, met while it compiles, loads or runs out of memory: the linker puts
 * planting functions before three of LLVM's. Each fact is proved in a child. */
#include "gen/out/aside.h"
#include "tests/support/layer.h"
#include "tests/support/support.h"

#include <convc/layer.h>
#include <dlfcn.h>
#include <llvm-c/Core.h>
#include <llvm-c/ErrorHandling.h>
#include <llvm-c/IRReader.h>
#include <llvm-c/LLJIT.h>
#include <llvm-c/TargetMachine.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
enum { ADDRESS_SPACE_CAN_BE_LIMITED = 0 }; /* sanitizers take terabytes of it */
#else
enum { ADDRESS_SPACE_CAN_BE_LIMITED = 1 };
#endif

/* ---- planted errors -------------------------------------------------------------------------- */

enum fault { NO_FAULT, IN_CODEGEN, IN_LOADING, OUT_OF_MEMORY, WITHOUT_MEMORY };

static _Atomic enum fault planted;

LLVMBool __real_LLVMTargetMachineEmitToMemoryBuffer(LLVMTargetMachineRef, LLVMModuleRef,
                                                    LLVMCodeGenFileType, char **,
                                                    LLVMMemoryBufferRef *);
LLVMErrorRef __real_LLVMOrcLLJITAddObjectFileWithRT(LLVMOrcLLJITRef, LLVMOrcResourceTrackerRef,
                                                    LLVMMemoryBufferRef);
extern void report_bad_alloc(const char *reason,
                             bool crash) __asm__("_ZN4llvm22report_bad_alloc_errorEPKcb");

/* A module that no target has the instructions for. */
static void generate_impossible_code(LLVMTargetMachineRef m, LLVMContextRef context)
{
    static const char ir[] = "declare i32 @llvm.aarch64.crc32b(i32, i32)\n"
                             "declare i32 @llvm.x86.sse42.crc32.32.8(i32, i8)\n"
                             "define i32 @f(i32 %a, i8 %b) {\n"
                             "  %c = call i32 @llvm.aarch64.crc32b(i32 %a, i32 %a)\n"
                             "  %d = call i32 @llvm.x86.sse42.crc32.32.8(i32 %c, i8 %b)\n"
                             "  ret i32 %d\n"
                             "}\n";
    LLVMModuleRef module;
    LLVMMemoryBufferRef out,
        text = LLVMCreateMemoryBufferWithMemoryRangeCopy(ir, strlen(ir), "bad");
    char *message = NULL;
    if (!LLVMParseIRInContext(context, text, &module, &message))
        __real_LLVMTargetMachineEmitToMemoryBuffer(m, module, LLVMObjectFile, &message, &out);
    fprintf(stderr, "LLVM can generate the impossible: %s\n", message ? message : "");
    _exit(3);
}

/* The process gets no more of it, and what it has is used: the next `new` finds none. */
static void use_all_memory(void)
{
    struct rlimit none;
    getrlimit(RLIMIT_AS, &none);
    none.rlim_cur = 1 << 20; /* less than there is */
    setrlimit(RLIMIT_AS, &none);
    for (size_t bytes = 1 << 20; bytes >= 16; bytes /= 2) {
        while (malloc(bytes))
            ;
    }
}

LLVMBool __wrap_LLVMTargetMachineEmitToMemoryBuffer(LLVMTargetMachineRef m, LLVMModuleRef module,
                                                    LLVMCodeGenFileType type, char **message,
                                                    LLVMMemoryBufferRef *out)
{
    if (planted == IN_CODEGEN)
        generate_impossible_code(m, LLVMGetModuleContext(module));
    if (planted == OUT_OF_MEMORY)
        report_bad_alloc("planted", false);
    if (planted == WITHOUT_MEMORY)
        use_all_memory();
    return __real_LLVMTargetMachineEmitToMemoryBuffer(m, module, type, message, out);
}

LLVMErrorRef __wrap_LLVMOrcLLJITAddObjectFileWithRT(LLVMOrcLLJITRef jit,
                                                    LLVMOrcResourceTrackerRef tracker,
                                                    LLVMMemoryBufferRef object)
{
    if (planted == IN_LOADING)
        report_bad_alloc("planted while loading", false);
    return __real_LLVMOrcLLJITAddObjectFileWithRT(jit, tracker, object);
}

/* ---- the ground ------------------------------------------------------------------------------ */

#define CHECK(fact)                                                                                \
    do {                                                                                           \
        if (!(fact)) {                                                                             \
            fprintf(stderr, "%s:%d: %s; %s\n", __FILE__, __LINE__, #fact, convc_last_error());     \
            _exit(1);                                                                              \
        }                                                                                          \
    } while (0)

static bool is_child;

/* What a lost thread held is lost, which the leak sanitizer shall not complain of. */
__attribute__((visibility("default"))) int __lsan_is_turned_off(void);
int __lsan_is_turned_off(void)
{
    return is_child;
}

/* What a child's exit came to, and what it said on standard error. */
static int in_child(void (*body)(void), char *said, size_t size)
{
    int status, end[2];
    size_t count = 0;
    assert_int_equal(pipe(end), 0);
    pid_t child = fork();
    if (child == 0) {
        is_child = true;
        signal(SIGABRT, SIG_DFL); /* without cmocka's handler */
        alarm(120);
        dup2(end[1], 2);
        close(end[0]);
        body();
        exit(0); /* through the destructors of LLVM, with its lost threads */
    }
    close(end[1]);
    for (ssize_t n; (n = read(end[0], said + count, size - 1 - count)) > 0;)
        count += (size_t)n;
    close(end[0]);
    said[count] = '\0';
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

static void survives(void (*body)(void))
{
    char said[4096];
    int status = in_child(body, said, sizeof said);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        fail_msg("the child ended with status %x and said %s", status, said);
}

static convc_context *make_context(void)
{
    convc_context *cx = NULL;
    const struct convc_context_options opt = { .struct_bytes = sizeof opt,
                                               .threads = 2,
                                               .flags = CONVC_NO_DISK_CACHE };
    CHECK(convc_context_create(&opt, &cx) == CONVC_OK);
    return cx;
}

static convc_kernel *compile(convc_context *cx, int64_t ic)
{
    convc_kernel *k = NULL;
    struct convc_problem p;
    layer_problem(&p, ic, 4, 5, 5);
    CHECK(convc_compile(cx, &p, NULL, &k) == CONVC_OK);
    return k;
}

static bool is_reference(const convc_kernel *k, const char *why)
{
    struct convc_kernel_info info = { .struct_bytes = sizeof info };
    CHECK(convc_kernel_info(k, &info) == CONVC_OK);
    bool said = strstr(info.reason, why) != NULL;
    if (!said)
        fprintf(stderr, "\"%s\" does not say \"%s\"\n", info.reason, why);
    return said && info.source == CONVC_FROM_REFERENCE;
}

/* Does a kernel of compile(cx, ic) compute what the reference does? */
static bool computes(const convc_kernel *k, int64_t ic)
{
    struct layer l;
    layer_make(&l, ic, 4, 5, 5, 2);
    layer_check(&l, k);
    layer_free(&l);
    return true;
}

/* ---- facts ----------------------------------------------------------------------------------- */

/* A kernel from before, `fault`, and what is left. */
static void live_through(enum fault fault, const char *why)
{
    convc_context *cx = make_context();
    convc_kernel *before = compile(cx, 3);
    CHECK(!is_reference(before, "") && computes(before, 3));
    planted = fault;
    convc_kernel *during = compile(cx, 4);
    CHECK(is_reference(during, why) && computes(during, 4));
    planted = NO_FAULT;
    convc_kernel *after = compile(cx, 5), *again = compile(cx, 3);
    CHECK(is_reference(after, "LLVM gave up in this process and is not called again"));
    CHECK(is_reference(after, why) && computes(after, 5));
    CHECK(again == before && computes(again, 3)); /* what was made is found, and runs */
    convc_context *fresh = make_context();
    convc_kernel *other = compile(fresh, 6);
    CHECK(is_reference(other, why) && computes(other, 6));
    convc_kernel_release(before);
    convc_kernel_release(during);
    convc_kernel_release(after);
    convc_context_destroy(cx);
    CHECK(computes(again, 3)); /* and outlives its context, as ever */
    convc_kernel_release(again);
    convc_kernel_release(other);
    convc_context_destroy(fresh);
}

static void codegen_fails(void)
{
    live_through(IN_CODEGEN, "Cannot select");
}

static void loading_fails(void)
{
    live_through(IN_LOADING, "planted while loading");
}

static void memory_runs_out(void)
{
    live_through(OUT_OF_MEMORY, "planted");
}

static void memory_is_used_up(void)
{
    struct rlimit unlimited = { RLIM_INFINITY, RLIM_INFINITY };
    convc_context *cx = make_context();
    convc_kernel *before = compile(cx, 3);
    planted = WITHOUT_MEMORY;
    convc_kernel *during = compile(cx, 4);
    planted = NO_FAULT;
    CHECK(setrlimit(RLIMIT_AS, &unlimited) == 0);
    CHECK(is_reference(during, "LLVM is out of memory") && computes(during, 4));
    CHECK(computes(before, 3) && aside_lost());
}

static void a_failed_new_inside_of_llvm_is_survived(void **state)
{
    (void)state;
    if (!ADDRESS_SPACE_CAN_BE_LIMITED)
        skip();
    survives(memory_is_used_up);
}

static void a_fatal_error_in_code_generation_is_survived(void **state)
{
    (void)state;
    survives(codegen_fails);
}

static void a_fatal_error_while_a_kernel_is_loaded_is_survived(void **state)
{
    (void)state;
    survives(loading_fails);
}

static void out_of_memory_inside_of_llvm_is_survived(void **state)
{
    (void)state;
    survives(memory_runs_out);
}

static void emit_after_a_fault(void)
{
    char *bytes;
    size_t size;
    struct convc_problem p;
    layer_problem(&p, 3, 4, 5, 5);
    strcpy(p.name, "x");
    planted = IN_CODEGEN;
    for (int i = 0; i < 2; i++) {
        CHECK(convc_emit(&p, 1, NULL, &bytes, &size) == CONVC_ERR_COMPILER);
        CHECK(strstr(convc_last_error(), "LLVM gave up in this process"));
        planted = NO_FAULT;
    }
}

static void static_kernels_are_refused_after_a_fault(void **state)
{
    (void)state;
    survives(emit_after_a_fault);
}

enum { THREADS = 8 };

struct share {
    convc_context *cx;
    int id;
};

static void *compile_share(void *argument)
{
    const struct share *s = argument;
    for (int i = 0; i < 4; i++) {
        int64_t ic = 1 + s->id % 4 * 4 + i; /* each problem in two threads */
        convc_kernel *k = compile(s->cx, ic);
        CHECK(computes(k, ic));
        convc_kernel_release(k);
    }
    return NULL;
}

static void many_threads_fault(void)
{
    pthread_t thread[THREADS];
    struct share share[THREADS];
    convc_context *cx = make_context();
    for (int i = 0; i < THREADS; i++) {
        share[i] = (struct share){ cx, i };
        if (i == THREADS / 2)
            planted = IN_CODEGEN;
        CHECK(pthread_create(&thread[i], NULL, compile_share, &share[i]) == 0);
    }
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_join(thread[i], NULL) == 0);
    CHECK(aside_lost());
    pid_t child = fork(); /* which has inherited the fault */
    if (child == 0) {
        convc_kernel *k = compile(cx, 40);
        _exit(is_reference(k, "Cannot select") ? 0 : 1);
    }
    int status;
    CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);
    convc_context_destroy(cx);
}

static void no_thread_that_compiles_meanwhile_is_lost(void **state)
{
    (void)state;
    survives(many_threads_fault);
}

static void layers_fault(void)
{
    enum { LAYERS = 8 };
    struct layer l[LAYERS];
    convc_layer *layer[LAYERS];
    convc_context *cx = make_context();
    convc_kernel_release(compile(cx, 2));
    planted = IN_CODEGEN;
    for (int i = 0; i < LAYERS; i++) {
        layer_make(&l[i], 3 + i, 4, 5, 5, 1);
        CHECK(convc_layer_create(cx, &l[i].p, l[i].wei, NULL, &layer[i]) == CONVC_OK);
    }
    for (int i = 0; i < LAYERS; i++) {
        struct convc_args args = layer_args(&l[i]);
        CHECK(convc_layer_wait(layer[i], -1) == CONVC_OK);
        CHECK(is_reference(convc_layer_kernel(layer[i]), "Cannot select"));
        args.workspace = aligned_alloc(64, convc_layer_workspace_bytes(layer[i], 1, 0) + 64);
        CHECK(convc_layer_run(layer[i], &args) == CONVC_OK);
        CHECK(!memcmp(l[i].dst, l[i].expected, (size_t)l[i].dst_elements * sizeof(float)));
        convc_layer_destroy(layer[i]);
    }
    struct convc_context_stats s = { .struct_bytes = sizeof s };
    CHECK(convc_context_stats(cx, &s) == CONVC_OK && s.compiler_lost == 1);
    convc_context_destroy(cx);
}

static void layers_go_on_as_the_reference(void **state)
{
    (void)state;
    survives(layers_fault);
}

static void host_runs_out_of_memory(void)
{
    make_context();
    report_bad_alloc("the host's own", false);
}

/* A host in C++, on its own thread. */
static void host_finds_no_memory(void)
{
    void *(*operator_new)(size_t);
    convc_kernel_release(compile(make_context(), 3));
    *(void **)&operator_new = dlsym(dlopen("libstdc++.so.6", RTLD_LAZY | RTLD_NOLOAD), "_Znwm");
    CHECK(operator_new && operator_new(PTRDIFF_MAX));
}

/* By LLVM for a target of the host's own choice, on its own thread. */
static void host_cannot_select(void)
{
    LLVMTargetRef target;
    char *triple = LLVMGetDefaultTargetTriple(), *message;
    convc_kernel_release(compile(make_context(), 3));
    CHECK(!LLVMGetTargetFromTriple(triple, &target, &message));
    LLVMTargetMachineRef m = LLVMCreateTargetMachine(
        target, triple, "", "", LLVMCodeGenLevelDefault, LLVMRelocDefault, LLVMCodeModelDefault);
    generate_impossible_code(m, LLVMContextCreate());
}

static void errors_of_a_hosts_own_threads_end_the_process_as_ever(void **state)
{
    (void)state;
    static const struct {
        void (*body)(void);
        const char *says;
    } host[] = { { host_runs_out_of_memory, "LLVM ERROR: the host's own\n" },
                 { host_cannot_select, "LLVM ERROR: Cannot select" },
                 { host_finds_no_memory, "std::bad_alloc" } };
    const int count = ADDRESS_SPACE_CAN_BE_LIMITED ? 3 : 2; /* sanitizers complain of the size */
    for (int i = 0; i < count; i++) {
        char said[4096];
        int status = in_child(host[i].body, said, sizeof said);
        if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGABRT)
            fail_msg("the child ended with status %x and said %s", status, said);
        assert_non_null(strstr(said, host[i].says));
    }
}

static atomic_int host_was_told;

static void host_handler(const char *reason)
{
    atomic_fetch_add(&host_was_told, strstr(reason, "Cannot select") ? 1 : 100);
    convc_llvm_fault(reason);
}

static void with_a_host_handler(void)
{
    convc_context_destroy(make_context()); /* convc's is installed here, once */
    LLVMResetFatalErrorHandler();
    LLVMInstallFatalErrorHandler(host_handler);
    live_through(IN_CODEGEN, "Cannot select");
    CHECK(host_was_told == 1);
}

static void a_hosts_handler_that_asks_convc_is_as_good(void **state)
{
    (void)state;
    survives(with_a_host_handler);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_fatal_error_in_code_generation_is_survived),
        cmocka_unit_test(a_fatal_error_while_a_kernel_is_loaded_is_survived),
        cmocka_unit_test(out_of_memory_inside_of_llvm_is_survived),
        cmocka_unit_test(a_failed_new_inside_of_llvm_is_survived),
        cmocka_unit_test(static_kernels_are_refused_after_a_fault),
        cmocka_unit_test(no_thread_that_compiles_meanwhile_is_lost),
        cmocka_unit_test(layers_go_on_as_the_reference),
        cmocka_unit_test(errors_of_a_hosts_own_threads_end_the_process_as_ever),
        cmocka_unit_test(a_hosts_handler_that_asks_convc_is_as_good),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
