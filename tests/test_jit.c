/* The JIT: objects in, functions out, from any thread, and out again; a refusal is a sentence.
 *
 * The objects are a function that writes a constant, made here by LLVM. */
#include "runtime/jit.h"
#include "tests/support/process.h"
#include "tests/support/support.h"

#include <llvm-c/Core.h>
#include <llvm-c/Target.h>
#include <llvm-c/TargetMachine.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#ifndef PR_SET_MDWE
#define PR_SET_MDWE 65
#endif

/* ---- objects --------------------------------------------------------------------------------- */

struct bytes {
    char *data;
    size_t count;
};

/* void kernel(args, phase, begin, end) { *(i64 *)args = begin + value; }, or, with `callee`,
 * { callee(args); }. */
static LLVMModuleRef build_module(LLVMContextRef cx, int64_t value, const char *callee)
{
    LLVMModuleRef module = LLVMModuleCreateWithNameInContext("test", cx);
    LLVMBuilderRef b = LLVMCreateBuilderInContext(cx);
    LLVMTypeRef pointer = LLVMPointerTypeInContext(cx, 0), i64 = LLVMInt64TypeInContext(cx);
    LLVMTypeRef types[] = { pointer, LLVMInt32TypeInContext(cx), i64, i64 };
    LLVMTypeRef type = LLVMFunctionType(LLVMVoidTypeInContext(cx), types, 4, 0);
    LLVMValueRef f = LLVMAddFunction(module, "kernel", type), args = LLVMGetParam(f, 0);
    LLVMPositionBuilderAtEnd(b, LLVMAppendBasicBlockInContext(cx, f, "entry"));
    if (callee) {
        LLVMTypeRef one = LLVMFunctionType(LLVMVoidTypeInContext(cx), &pointer, 1, 0);
        LLVMBuildCall2(b, one, LLVMAddFunction(module, callee, one), &args, 1, "");
    } else {
        LLVMValueRef constant = LLVMConstInt(i64, (unsigned long long)value, 1);
        LLVMBuildStore(b, LLVMBuildAdd(b, LLVMGetParam(f, 2), constant, ""), args);
    }
    LLVMBuildRetVoid(b);
    LLVMDisposeBuilder(b);
    return module;
}

/* void kernel(args, ...) { *(double *)args = value; }, which lies among the constants. */
static LLVMModuleRef build_constant(LLVMContextRef cx, double value)
{
    LLVMModuleRef module = build_module(cx, 0, NULL);
    LLVMBuilderRef b = LLVMCreateBuilderInContext(cx);
    LLVMValueRef f = LLVMGetNamedFunction(module, "kernel");
    LLVMPositionBuilderBefore(b, LLVMGetBasicBlockTerminator(LLVMGetFirstBasicBlock(f)));
    LLVMValueRef constant = LLVMConstReal(LLVMDoubleTypeInContext(cx), value);
    LLVMValueRef sum = LLVMBuildFAdd(
        b, LLVMBuildUIToFP(b, LLVMGetParam(f, 2), LLVMDoubleTypeInContext(cx), ""), constant, "");
    LLVMBuildStore(b, sum, LLVMGetParam(f, 0));
    LLVMDisposeBuilder(b);
    return module;
}

static struct bytes compile_module(LLVMContextRef cx, LLVMModuleRef module)
{
    char *triple = LLVMGetDefaultTargetTriple(), *message = NULL;
    LLVMTargetRef target;
    LLVMMemoryBufferRef buffer;
    assert_int_equal(LLVMGetTargetFromTriple(triple, &target, &message), 0);
    LLVMTargetMachineRef machine = LLVMCreateTargetMachine(
        target, triple, "", "", LLVMCodeGenLevelLess, LLVMRelocPIC, LLVMCodeModelDefault);
    assert_int_equal(
        LLVMTargetMachineEmitToMemoryBuffer(machine, module, LLVMObjectFile, &message, &buffer), 0);
    struct bytes out = { .count = LLVMGetBufferSize(buffer) };
    out.data = malloc(out.count);
    memcpy(out.data, LLVMGetBufferStart(buffer), out.count);
    LLVMDisposeMemoryBuffer(buffer);
    LLVMDisposeTargetMachine(machine);
    LLVMDisposeModule(module);
    LLVMContextDispose(cx);
    LLVMDisposeMessage(triple);
    return out;
}

static struct bytes compile(int64_t value, const char *callee)
{
    LLVMContextRef cx = LLVMContextCreate();
    return compile_module(cx, build_module(cx, value, callee));
}

static struct bytes compile_constant(double value)
{
    LLVMContextRef cx = LLVMContextCreate();
    return compile_module(cx, build_constant(cx, value));
}

static struct jit *make_jit(void)
{
    struct diag d = { 0 };
    struct jit *jit = NULL;
    if (jit_create(&jit, &d) != CONVC_OK)
        fail_msg("%s", d.text);
    return jit;
}

static int64_t call(convc_kernel_fn f, int64_t begin)
{
    union {
        struct convc_args args;
        int64_t result;
    } u = { .result = -1 };
    f(&u.args, 0, begin, 0);
    return u.result;
}

static int setup(void **state)
{
    (void)state;
    return LLVMInitializeNativeTarget() || LLVMInitializeNativeAsmPrinter();
}

/* ---- facts ----------------------------------------------------------------------------------- */

static void objects_may_share_a_symbol(void **state)
{
    (void)state;
    struct diag d = { 0 };
    struct jit *jit = make_jit();
    struct jit_code *code[8];
    convc_kernel_fn f[8];
    for (int i = 0; i < 8; i++) {
        struct bytes o = compile(100 * i, NULL);
        assert_int_equal(jit_load(jit, o.data, o.count, "kernel", &code[i], &f[i], &d), CONVC_OK);
        free(o.data);
    }
    for (int i = 0; i < 8; i++)
        assert_int_equal(call(f[i], 7), 100 * i + 7);
    for (int i = 0; i < 8; i++)
        jit_unload(jit, code[i]);
    jit_destroy(jit);
}

static void what_is_unloaded_leaves_the_others(void **state)
{
    (void)state;
    struct diag d = { 0 };
    struct jit *jit = make_jit();
    struct jit_code *keep, *code;
    convc_kernel_fn kept, f;
    struct bytes first = compile(5, NULL), second = compile(6, NULL);
    assert_int_equal(jit_load(jit, first.data, first.count, "kernel", &keep, &kept, &d), CONVC_OK);
    for (int i = 0; i < 200; i++) {
        assert_int_equal(jit_load(jit, second.data, second.count, "kernel", &code, &f, &d),
                         CONVC_OK);
        assert_int_equal(call(f, i), 6 + i);
        jit_unload(jit, code);
        assert_int_equal(call(kept, i), 5 + i);
    }
    free(first.data);
    free(second.data);
    jit_unload(jit, keep);
    jit_destroy(jit);
}

/* Each has constants beside its code, such as kernels have, and they share maps all the same. */
static void thousands_loaded_at_once_take_few_maps(void **state)
{
    (void)state;
    const int64_t count = test_count(4000);
    struct jit *jit = make_jit();
    struct jit_code **code = malloc((size_t)count * sizeof(*code));
    convc_kernel_fn f;
    struct bytes o = compile_constant(1.5);
    int64_t before = process_maps();
    assert_non_null(code);
    for (int64_t i = 0; i < count; i++) {
        struct diag d = { 0 };
        assert_int_equal(jit_load(jit, o.data, o.count, "kernel", &code[i], &f, &d), CONVC_OK);
        double got = 0;
        f((const struct convc_args *)&got, 0, 0, 0);
        assert_true(got == 1.5);
    }
    assert_true(process_maps() <= before + 64 + count / 8);
    for (int64_t i = 0; i < count; i++)
        jit_unload(jit, code[i]);
    assert_true(process_maps() <= before + 64);
    free(code);
    free(o.data);
    jit_destroy(jit);
}

struct loader {
    struct jit *jit;
    struct bytes object;
    int64_t value;
    int bad;
};

static void *load_and_unload(void *argument)
{
    struct loader *l = argument;
    for (int i = 0; i < 100; i++) {
        struct diag d = { 0 };
        struct jit_code *code;
        convc_kernel_fn f;
        if (jit_load(l->jit, l->object.data, l->object.count, "kernel", &code, &f, &d) !=
            CONVC_OK) {
            l->bad++;
            continue;
        }
        l->bad += call(f, i) != l->value + i;
        jit_unload(l->jit, code);
    }
    return NULL;
}

static void eight_threads_load_and_unload_at_once(void **state)
{
    (void)state;
    struct loader l[8];
    pthread_t thread[8];
    struct jit *jit = make_jit();
    for (int i = 0; i < 8; i++) {
        l[i] = (struct loader){ jit, compile(1000 * i, NULL), 1000 * i, 0 };
        assert_int_equal(pthread_create(&thread[i], NULL, load_and_unload, &l[i]), 0);
    }
    for (int i = 0; i < 8; i++) {
        pthread_join(thread[i], NULL);
        assert_int_equal(l[i].bad, 0);
        free(l[i].object.data);
    }
    jit_destroy(jit);
}

static void calls_resolve_to_the_process(void **state)
{
    (void)state;
    struct diag d = { 0 };
    struct jit *jit = make_jit();
    struct jit_code *code;
    convc_kernel_fn f;
    pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    struct bytes o = compile(0, "pthread_mutex_lock");
    assert_int_equal(jit_load(jit, o.data, o.count, "kernel", &code, &f, &d), CONVC_OK);
    f((const struct convc_args *)&mutex, 0, 0, 0);
    assert_int_not_equal(pthread_mutex_trylock(&mutex), 0);
    pthread_mutex_unlock(&mutex);
    jit_unload(jit, code);
    free(o.data);
    jit_destroy(jit);
}

static void a_refusal_is_a_sentence_and_leaves_the_jit_usable(void **state)
{
    (void)state;
    struct jit *jit = make_jit();
    struct jit_code *code = NULL;
    convc_kernel_fn f = NULL;
    struct bytes good = compile(1, NULL), unresolved = compile(0, "no_such_function_anywhere");
    const struct {
        struct bytes o;
        const char *symbol, *says;
    } bad[] = {
        { { (char *)"no object at all", 16 }, "kernel", "" },
        { { good.data, good.count / 2 }, "kernel", "" },
        { good, "other", "other" },
        { unresolved, "kernel", "no_such_function_anywhere" },
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct diag d = { 0 };
        assert_int_equal(jit_load(jit, bad[i].o.data, bad[i].o.count, bad[i].symbol, &code, &f, &d),
                         CONVC_ERR_COMPILER);
        assert_true(strlen(d.text) > 0);
        if (!strstr(d.text, bad[i].says))
            fail_msg("\"%s\" does not name %s", d.text, bad[i].says);
        assert_null(code);
    }
    struct diag d = { 0 };
    assert_int_equal(jit_load(jit, good.data, good.count, "kernel", &code, &f, &d), CONVC_OK);
    assert_int_equal(call(f, 1), 2);
    jit_unload(jit, code);
    free(good.data);
    free(unresolved.data);
    jit_destroy(jit);
}

static void a_machine_that_forbids_executable_memory_is_told_apart(void **state)
{
    (void)state;
    int status;
    pid_t child = fork();
    if (child == 0) {
        struct diag d = { 0 };
        struct jit *jit;
        if (prctl(PR_SET_MDWE, 1, 0, 0, 0) != 0)
            _exit(77);
        bool refused = jit_create(&jit, &d) == CONVC_ERR_UNSUPPORTED;
        _exit(refused && strstr(d.text, "forbids executable memory") ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == 77)
        skip();
    assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(objects_may_share_a_symbol),
        cmocka_unit_test(what_is_unloaded_leaves_the_others),
        cmocka_unit_test(thousands_loaded_at_once_take_few_maps),
        cmocka_unit_test(eight_threads_load_and_unload_at_once),
        cmocka_unit_test(calls_resolve_to_the_process),
        cmocka_unit_test(a_refusal_is_a_sentence_and_leaves_the_jit_usable),
        cmocka_unit_test(a_machine_that_forbids_executable_memory_is_told_apart),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
