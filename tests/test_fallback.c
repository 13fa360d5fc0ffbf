/* Where there can be no machine code the reference answers, and says why. */
#include "tests/support/layer.h"
#include "tests/support/support.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#ifndef PR_SET_MDWE
#define PR_SET_MDWE 65 /* no memory that was writable becomes executable */
#endif

static convc_context *make_context(int32_t flags, const char *target)
{
    convc_context *cx = NULL;
    const struct convc_context_options opt = { .struct_bytes = sizeof opt,
                                               .threads = 2,
                                               .flags = flags | CONVC_NO_DISK_CACHE,
                                               .target = target };
    if (convc_context_create(&opt, &cx) != CONVC_OK)
        fail_msg("%s", convc_last_error());
    return cx;
}

/* Compiles twice: the kernel is the reference both times, computes rightly and says `why`. */
static void check_reference(convc_context *cx, struct layer *l, const char *why)
{
    enum convc_source source;
    const struct convc_compile_options opt = { .struct_bytes = sizeof opt, .source = &source };
    for (int i = 0; i < 2; i++) {
        convc_kernel *k = layer_compile(cx, l, &opt);
        struct convc_kernel_info info = { .struct_bytes = sizeof info };
        assert_int_equal(source, CONVC_FROM_REFERENCE);
        assert_int_equal(convc_kernel_info(k, &info), CONVC_OK);
        assert_int_equal(info.source, CONVC_FROM_REFERENCE);
        assert_string_equal(info.algorithm, "reference");
        assert_int_equal(info.object_bytes, 0);
        assert_null(info.function);
        if (!strstr(info.reason, why))
            fail_msg("\"%s\" does not say \"%s\"", info.reason, why);
        memset(l->dst, 0, (size_t)l->dst_elements * sizeof(float));
        layer_check(l, k);
        convc_kernel_release(k);
    }
}

static void make_layer(struct layer *l)
{
    struct convc_problem p;
    layer_problem(&p, 6, 20, 7, 5);
    layer_init(l, &p, 3);
}

static void without_a_jit_the_reference_answers(void **state)
{
    (void)state;
    struct layer l;
    convc_context *cx = make_context(CONVC_NO_JIT, NULL);
    make_layer(&l);
    check_reference(cx, &l, "CONVC_NO_JIT");
    convc_context_destroy(cx);
    layer_free(&l);
}

static void packed_weights_serve_machine_code_and_reference_alike(void **state)
{
    (void)state;
    struct layer l;
    convc_context *jit = make_context(0, NULL), *none = make_context(CONVC_NO_JIT, NULL);
    make_layer(&l);
    convc_kernel *code = layer_compile(jit, &l, NULL), *reference = layer_compile(none, &l, NULL);
    struct convc_kernel_info info = { .struct_bytes = sizeof info };
    assert_int_equal(convc_kernel_info(code, &info), CONVC_OK);
    assert_string_equal(info.reason, "");
    assert_non_null(info.function);
    layer_pack(&l, code);
    const struct convc_args args = layer_args(&l);
    assert_int_equal(convc_run(reference, &args), CONVC_OK);
    assert_memory_equal(l.dst, l.expected, (size_t)l.dst_elements * sizeof(float));
    convc_kernel_release(code);
    convc_kernel_release(reference);
    convc_context_destroy(jit);
    convc_context_destroy(none);
    layer_free(&l);
}

/* Runs `body` where written memory never becomes executable; its answer is the exit code. */
static void in_a_child_without_executable_memory(bool (*body)(convc_context *early,
                                                              struct layer *l))
{
    struct layer l;
    int status;
    convc_context *early = make_context(0, NULL);
    make_layer(&l);
    pid_t child = fork();
    if (child == 0) {
        alarm(120);
        _exit(prctl(PR_SET_MDWE, 1, 0, 0, 0) != 0 ? 77 : body(early, &l) ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    convc_context_destroy(early);
    layer_free(&l);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == 77)
        skip();
    assert_int_equal(WEXITSTATUS(status), 0);
}

/* Is the kernel the reference, for that reason, and does it compute? No assertions: in a child. */
static bool is_reference(convc_context *cx, struct layer *l, const char *why)
{
    convc_kernel *k;
    struct convc_kernel_info info = { .struct_bytes = sizeof info };
    if (convc_compile(cx, &l->p, NULL, &k) != CONVC_OK || convc_kernel_info(k, &info) != CONVC_OK ||
        info.source != CONVC_FROM_REFERENCE || !strstr(info.reason, why))
        return false;
    l->packed = aligned_alloc(64, (convc_packed_bytes(k) + 63) / 64 * 64);
    bool packed = l->packed && convc_pack(k, l->wei, l->packed) == CONVC_OK;
    struct convc_args args = layer_args(l);
    return packed && convc_run(k, &args) == CONVC_OK &&
           memcmp(l->dst, l->expected, (size_t)l->dst_elements * sizeof(float)) == 0;
}

static bool denied_from_the_start(convc_context *early, struct layer *l)
{
    (void)early;
    convc_context *cx;
    const struct convc_context_options opt = { .struct_bytes = sizeof opt,
                                               .threads = 1,
                                               .flags = CONVC_NO_DISK_CACHE };
    return convc_context_create(&opt, &cx) == CONVC_OK &&
           is_reference(cx, l, "forbids executable memory");
}

static bool denied_later(convc_context *early, struct layer *l)
{
    return is_reference(early, l, "Permission denied");
}

static void a_machine_that_denies_executable_memory_gets_the_reference(void **state)
{
    (void)state;
    in_a_child_without_executable_memory(denied_from_the_start);
}

static void a_kernel_that_llvm_cannot_load_is_the_reference(void **state)
{
    (void)state;
    in_a_child_without_executable_memory(denied_later);
}

static void a_plan_that_does_not_fit_is_no_reason_for_the_reference(void **state)
{
    (void)state;
    struct layer l;
    convc_kernel *k;
    const struct convc_compile_options opt = { .struct_bytes = sizeof opt,
                                               .plan = "direct lanes=oc tile=1x1000x1" };
    convc_context *cx = make_context(CONVC_NO_JIT, NULL);
    make_layer(&l);
    assert_int_equal(convc_compile(cx, &l.p, &opt, &k), CONVC_ERR_PLAN);
    convc_context_destroy(cx);
    layer_free(&l);
}

static void a_foreign_target_is_explained_but_not_run(void **state)
{
    (void)state;
    struct layer l;
    convc_kernel *k;
    char *text;
    const char *foreign = "aarch64-unknown-linux-gnu:cortex-a76";
#if defined(__aarch64__)
    foreign = "x86_64-pc-linux-gnu:znver4";
#endif
    convc_context *cx = make_context(0, foreign);
    make_layer(&l);
    assert_int_equal(convc_compile(cx, &l.p, NULL, &k), CONVC_ERR_UNSUPPORTED);
    assert_int_equal(convc_explain(cx, &l.p, NULL, CONVC_SHOW_PLAN | CONVC_SHOW_ASM, &text),
                     CONVC_OK);
    convc_text_free(text);
    convc_context_destroy(cx);
    layer_free(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_jit_the_reference_answers),
        cmocka_unit_test(packed_weights_serve_machine_code_and_reference_alike),
        cmocka_unit_test(a_machine_that_denies_executable_memory_gets_the_reference),
        cmocka_unit_test(a_kernel_that_llvm_cannot_load_is_the_reference),
        cmocka_unit_test(a_plan_that_does_not_fit_is_no_reason_for_the_reference),
        cmocka_unit_test(a_foreign_target_is_explained_but_not_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
