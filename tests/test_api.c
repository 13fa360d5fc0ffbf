/* The public calls: contexts, kernels, runs, and where a kernel comes from. */
#include "tests/support/layer.h"
#include "tests/support/support.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* ---- the ground ------------------------------------------------------------------------------ */

static convc_context *make_context(const char *cache_dir, int32_t threads)
{
    convc_context *cx = NULL;
    const struct convc_context_options opt = { .struct_bytes = sizeof opt,
                                               .threads = threads,
                                               .flags = cache_dir ? 0 : CONVC_NO_DISK_CACHE,
                                               .cache_dir = cache_dir };
    if (convc_context_create(&opt, &cx) != CONVC_OK)
        fail_msg("%s", convc_last_error());
    return cx;
}

static enum convc_source source_of(convc_context *cx, const struct layer *l)
{
    enum convc_source source = (enum convc_source) - 1;
    const struct convc_compile_options opt = { .struct_bytes = sizeof opt, .source = &source };
    convc_kernel_release(layer_compile(cx, l, &opt));
    return source;
}

/* ---- contexts --------------------------------------------------------------------- */

static void a_context_that_cannot_be_made_leaves_the_callers_pointer(void **state)
{
    (void)state;
    convc_context *cx = (convc_context *)state;
    struct convc_context_options opt = { .struct_bytes = sizeof opt, .threads = -2 };
    assert_int_equal(convc_context_create(&opt, &cx), CONVC_ERR_ARGUMENT);
    assert_string_equal(convc_last_error(), "threads=-2 is not within 0 to 1024");
    opt = (struct convc_context_options){ .struct_bytes = sizeof opt, .target = "no such thing" };
    assert_int_not_equal(convc_context_create(&opt, &cx), CONVC_OK);
    opt = (struct convc_context_options){ 0 };
    assert_int_equal(convc_context_create(&opt, &cx), CONVC_ERR_ARGUMENT);
    assert_ptr_equal(cx, state);
    assert_int_equal(convc_context_create(NULL, NULL), CONVC_ERR_ARGUMENT);
    convc_context_destroy(NULL);
    convc_kernel_release(NULL);
    convc_text_free(NULL);
}

/* ---- where a kernel comes from --------------------------------------------------------------- */

static void a_kernel_comes_from_the_compiler_then_memory_then_disk(void **state)
{
    (void)state;
    struct layer l;
    struct test_dir dir;
    char path[600];
    layer_make(&l, 8, 24, 5, 6, 1);
    test_dir_create(&dir);
    test_dir_path(&dir, "cache", path, sizeof path);
    convc_context *first = make_context(path, 1);
    assert_int_equal(source_of(first, &l), CONVC_FROM_COMPILER);
    assert_int_equal(source_of(first, &l), CONVC_FROM_MEMORY);
    l.p.n = 9; /* neither batch nor name are part of the identity */
    strcpy(l.p.name, "stem");
    assert_int_equal(source_of(first, &l), CONVC_FROM_MEMORY);
    l.p.n = 1;

    convc_context *second = make_context(path, 1), *without = make_context(NULL, 1);
    assert_int_equal(source_of(second, &l), CONVC_FROM_DISK);
    assert_int_equal(source_of(second, &l), CONVC_FROM_MEMORY);
    assert_int_equal(source_of(without, &l), CONVC_FROM_COMPILER);
    convc_kernel *k = layer_compile(second, &l, NULL);
    layer_check(&l, k);
    convc_kernel_release(k);
    convc_context_destroy(first);
    convc_context_destroy(second);
    convc_context_destroy(without);
    test_dir_remove(&dir);
    layer_free(&l);
}

/* The first entry of the context's directory. */
static int keep_file(void *path, const struct convc_cache_entry *e)
{
    strcat(strcat(path, "/"), e->file);
    return 1;
}

static int count_entry(void *count, const struct convc_cache_entry *e)
{
    *(int *)count += e->intact ? 1 : 1000;
    return 0;
}

static void a_harmed_entry_is_compiled_anew_and_replaced(void **state)
{
    (void)state;
    struct layer l;
    struct test_dir dir;
    char path[600], file[800];
    size_t count;
    layer_make(&l, 8, 24, 5, 6, 1);
    test_dir_create(&dir);
    test_dir_path(&dir, "cache", path, sizeof path);
    convc_context *cx = make_context(path, 1);
    source_of(cx, &l);
    strcpy(file, convc_cache_directory(cx, NULL));
    assert_int_equal(convc_cache_visit(cx, keep_file, file), CONVC_OK);
    convc_context_destroy(cx);

    char *bytes = test_file_read(file, &count);
    bytes[count / 2] ^= 1;
    test_file_write(file, bytes, count);
    free(bytes);
    const enum convc_source expected[] = { CONVC_FROM_COMPILER, CONVC_FROM_DISK };
    for (int i = 0; i < 2; i++) {
        cx = make_context(path, 1);
        assert_int_equal(source_of(cx, &l), expected[i]);
        convc_context_destroy(cx);
    }

    int entries = 0;
    int64_t removed;
    cx = make_context(path, 1);
    assert_int_equal(convc_cache_visit(cx, count_entry, &entries), CONVC_OK);
    assert_int_equal(entries, 1);
    assert_int_equal(convc_cache_prune(cx, &removed), CONVC_OK);
    assert_int_equal(removed, 0);
    assert_int_equal(convc_cache_clear(cx, &removed), CONVC_OK);
    assert_int_equal(removed, 1);
    convc_context_destroy(cx);
    test_dir_remove(&dir);
    layer_free(&l);
}

struct compiler {
    convc_context *cx;
    const struct layer *l;
    atomic_int *compiled, *bad;
};

static void *compile_in_thread(void *argument)
{
    struct compiler *c = argument;
    enum convc_source source;
    const struct convc_compile_options opt = { .struct_bytes = sizeof opt, .source = &source };
    convc_kernel *k;
    for (int i = 0; i < 20; i++) {
        if (convc_compile(c->cx, &c->l[i % 4].p, &opt, &k) != CONVC_OK) {
            atomic_fetch_add(c->bad, 1);
            return NULL;
        }
        atomic_fetch_add(c->compiled, source == CONVC_FROM_COMPILER);
        convc_kernel_release(k);
    }
    return NULL;
}

static void eight_threads_compile_each_problem_once(void **state)
{
    (void)state;
    struct layer l[4];
    pthread_t thread[8];
    atomic_int compiled = 0, bad = 0;
    convc_context *cx = make_context(NULL, 1);
    for (int i = 0; i < 4; i++)
        layer_make(&l[i], 4 + i, 8, 4, 4, 1);
    struct compiler c = { cx, l, &compiled, &bad };
    for (int i = 0; i < 8; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, compile_in_thread, &c), 0);
    for (int i = 0; i < 8; i++)
        pthread_join(thread[i], NULL);
    assert_int_equal(bad, 0);
    assert_int_equal(compiled, 4);
    for (int i = 0; i < 4; i++) {
        convc_kernel *k = layer_compile(cx, &l[i], NULL);
        layer_check(&l[i], k);
        convc_kernel_release(k);
        layer_free(&l[i]);
    }
    convc_context_destroy(cx);
}

static void kernels_outlive_their_context_and_their_place_in_the_cache(void **state)
{
    (void)state;
    struct layer l[3];
    convc_kernel *k[3];
    convc_context *cx;
    const struct convc_context_options opt = { .struct_bytes = sizeof opt,
                                               .flags = CONVC_NO_DISK_CACHE,
                                               .max_kernels = 1 };
    assert_int_equal(convc_context_create(&opt, &cx), CONVC_OK);
    for (int i = 0; i < 3; i++) {
        layer_make(&l[i], 3 + i, 17, 6, 7, 2);
        k[i] = layer_compile(cx, &l[i], NULL);
    }
    assert_int_equal(source_of(cx, &l[0]), CONVC_FROM_COMPILER); /* its first kernel was evicted */
    convc_kernel_retain(k[0]);
    convc_kernel_release(k[0]);
    convc_context_destroy(cx);
    for (int i = 0; i < 3; i++) {
        layer_check(&l[i], k[i]);
        convc_kernel_release(k[i]);
        layer_free(&l[i]);
    }
}

static void a_child_of_a_fork_compiles_and_runs(void **state)
{
    (void)state;
    struct layer l[2];
    int status;
    convc_context *cx = make_context(NULL, 1);
    layer_make(&l[0], 3, 17, 6, 7, 2);
    layer_make(&l[1], 4, 17, 6, 7, 2);
    convc_kernel *k = layer_compile(cx, &l[0], NULL);
    pid_t child = fork();
    if (child == 0) {
        convc_kernel *other;
        struct convc_args args;
        alarm(60);
        layer_pack(&l[0], k);
        args = layer_args(&l[0]);
        bool good =
            convc_run(k, &args) == CONVC_OK && convc_compile(cx, &l[1].p, NULL, &other) == CONVC_OK;
        _exit(good ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    convc_kernel_release(k);
    convc_context_destroy(cx);
    layer_free(&l[0]);
    layer_free(&l[1]);
}

/* ---- plans ----------------------------------------------------------------------------------- */

static void every_plan_of_a_problem_computes_it(void **state)
{
    (void)state;
    struct layer l;
    char *plans, *rest, *text;
    convc_context *cx = make_context(NULL, 2);
    layer_make(&l, 5, 20, 6, 7, 2);
    assert_int_equal(convc_plans(cx, &l.p, &plans), CONVC_OK);
    int count = 0;
    for (char *plan = strtok_r(plans, "\n", &rest); plan; plan = strtok_r(NULL, "\n", &rest)) {
        const struct convc_compile_options opt = { .struct_bytes = sizeof opt, .plan = plan };
        struct convc_kernel_info info = { .struct_bytes = sizeof info };
        convc_kernel *k = layer_compile(cx, &l, &opt);
        assert_int_equal(convc_kernel_info(k, &info), CONVC_OK);
        assert_string_equal(info.plan, plan);
        assert_int_equal(info.source, CONVC_FROM_COMPILER);
        layer_check(&l, k);
        convc_kernel_release(k);
        if (count++ == 0) {
            convc_kernel *best = layer_compile(cx, &l, NULL);
            struct convc_kernel_info chosen = { .struct_bytes = sizeof chosen };
            assert_int_equal(convc_kernel_info(best, &chosen), CONVC_OK);
            assert_string_equal(chosen.plan, plan);
            convc_kernel_release(best);
        }
        assert_int_equal(convc_explain(cx, &l.p, plan, CONVC_SHOW_PLAN, &text), CONVC_OK);
        assert_non_null(strstr(text, plan));
        convc_text_free(text);
    }
    assert_true(count > 1);
    convc_text_free(plans);
    convc_context_destroy(cx);
    layer_free(&l);
}

static void compile_checks_its_arguments(void **state)
{
    (void)state;
    struct layer l;
    convc_kernel *k = NULL;
    const struct convc_compile_options unset = { 0 };
    convc_context *cx = make_context(NULL, 1);
    layer_make(&l, 5, 20, 6, 7, 1);
    assert_int_equal(convc_compile(NULL, &l.p, NULL, &k), CONVC_ERR_ARGUMENT);
    assert_int_equal(convc_compile(cx, NULL, NULL, &k), CONVC_ERR_ARGUMENT);
    assert_int_equal(convc_compile(cx, &l.p, NULL, NULL), CONVC_ERR_ARGUMENT);
    assert_int_equal(convc_compile(cx, &l.p, &unset, &k), CONVC_ERR_ARGUMENT);
    assert_non_null(strstr(convc_last_error(), "struct_bytes=0"));
    l.p.groups = 3;
    assert_int_equal(convc_compile(cx, &l.p, NULL, &k), CONVC_ERR_SHAPE);
    assert_non_null(strstr(convc_last_error(), "groups=3"));
    assert_null(k);
    convc_context_destroy(cx);
    layer_free(&l);
}

static void a_plan_that_does_not_fit_is_an_error(void **state)
{
    (void)state;
    struct layer l;
    convc_kernel *k = NULL;
    char *text = NULL;
    convc_context *cx = make_context(NULL, 1);
    layer_make(&l, 5, 20, 6, 7, 1);
    const char *const bad[] = { "", "bitwise", "direct lanes=sideways",
                                "direct lanes=oc tile=1x1000x1 order=rows" };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const struct convc_compile_options opt = { .struct_bytes = sizeof opt, .plan = bad[i] };
        assert_int_equal(convc_compile(cx, &l.p, &opt, &k), CONVC_ERR_PLAN);
        assert_true(strlen(convc_last_error()) > 0);
        assert_int_equal(convc_explain(cx, &l.p, bad[i], CONVC_SHOW_PLAN, &text), CONVC_ERR_PLAN);
    }
    assert_null(k);
    assert_null(text);
    convc_context_destroy(cx);
    layer_free(&l);
}

static void explain_shows_what_it_is_asked_for(void **state)
{
    (void)state;
    struct layer l;
    static const struct {
        int32_t show;
        const char *says;
    } cases[] = { { CONVC_SHOW_PROBLEM, "5 x 20" },
                  { CONVC_SHOW_PLAN, "considered" },
                  { CONVC_SHOW_IR, "define" },
                  { CONVC_SHOW_ASM, ".text" } };
    convc_context *cx = make_context(NULL, 1);
    layer_make(&l, 5, 20, 6, 7, 1);
    l.p.groups = 5; /* so that the weights are 20 x 1 */
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *text;
        assert_int_equal(convc_explain(cx, &l.p, NULL, cases[i].show, &text), CONVC_OK);
        for (size_t j = 1; j < sizeof cases / sizeof *cases; j++)
            assert_int_equal(strstr(text, cases[j].says) != NULL, i == j);
        convc_text_free(text);
    }
    convc_context_destroy(cx);
    layer_free(&l);
}

static void an_older_info_is_filled_as_far_as_it_goes(void **state)
{
    (void)state;
    struct layer l;
    convc_context *cx = make_context(NULL, 1);
    layer_make(&l, 5, 20, 6, 7, 1);
    convc_kernel *k = layer_compile(cx, &l, NULL);
    struct convc_kernel_info info;
    memset(&info, 0x5a, sizeof info);
    info.struct_bytes = offsetof(struct convc_kernel_info, reason);
    assert_int_equal(convc_kernel_info(k, &info), CONVC_OK);
    assert_string_equal(info.target, convc_context_target(cx));
    assert_int_equal(((unsigned char *)&info.reason)[0], 0x5a);
    assert_int_equal(info.phases, 0x5a5a5a5a);
    info.struct_bytes = 0;
    assert_int_equal(convc_kernel_info(k, &info), CONVC_ERR_ARGUMENT);
    convc_kernel_release(k);
    convc_context_destroy(cx);
    layer_free(&l);
}

static void the_peak_is_measured(void **state)
{
    (void)state;
    double one = 0, untouched = -1;
    convc_context *cx = make_context(NULL, 2);
    for (int type = CONVC_F32; type <= CONVC_F64; type++) {
        assert_int_equal(convc_measure_peak(cx, type, 1, 0.01, &one), CONVC_OK);
        assert_true(one > 0.1 && one < 1e5);
        assert_int_equal(convc_measure_peak(cx, type, 0, 0.01, &one), CONVC_OK);
        assert_true(one > 0.1 && one < 1e5);
    }
    assert_int_equal(convc_measure_peak(cx, CONVC_F32, -1, 0.01, &untouched), CONVC_ERR_ARGUMENT);
    assert_int_equal(convc_measure_peak(cx, (enum convc_dtype)7, 1, 0.01, &untouched),
                     CONVC_ERR_ARGUMENT);
    assert_true(untouched == -1);
    convc_context_destroy(cx);
}

/* The text counts and not where it lies, whether it is read or known. */
static void kernels_of_functions_are_found_by_their_text(void **state)
{
    (void)state;
    convc_context *cx = make_context(NULL, 1);
    char text[3][32] = { "max(x(0,0),x(1,1))", "max(x(0,0),x(1,1))", "min(x(0,0),x(1,1))" };
    convc_kernel *k[6];
    struct convc_problem p;
    convc_problem_init(&p);
    p.in[CONVC_H] = p.in[CONVC_W] = 9;
    p.kernel[CONVC_H] = p.kernel[CONVC_W] = 2;
    for (int i = 0; i < 6; i++) {
        p.window = text[i % 3];
        assert_int_equal(convc_compile(cx, &p, NULL, &k[i]), CONVC_OK);
    }
    for (int i = 0; i < 6; i++) {
        assert_true((k[i] == k[0]) == (i % 3 < 2));
        assert_true((k[i] == k[2]) == (i % 3 == 2));
    }
    p.in[CONVC_W] = 1; /* known text, wrong problem */
    assert_int_equal(convc_compile(cx, &p, NULL, &k[0]), CONVC_ERR_SHAPE);
    assert_int_equal(convc_compile(cx, &p, NULL, &k[0]), CONVC_ERR_SHAPE);
    for (int i = 1; i < 6; i++)
        convc_kernel_release(k[i]);
    convc_kernel_release(k[1]);
    convc_context_destroy(cx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_context_that_cannot_be_made_leaves_the_callers_pointer),
        cmocka_unit_test(a_kernel_comes_from_the_compiler_then_memory_then_disk),
        cmocka_unit_test(a_harmed_entry_is_compiled_anew_and_replaced),
        cmocka_unit_test(eight_threads_compile_each_problem_once),
        cmocka_unit_test(kernels_outlive_their_context_and_their_place_in_the_cache),
        cmocka_unit_test(a_child_of_a_fork_compiles_and_runs),
        cmocka_unit_test(every_plan_of_a_problem_computes_it),
        cmocka_unit_test(kernels_of_functions_are_found_by_their_text),
        cmocka_unit_test(compile_checks_its_arguments),
        cmocka_unit_test(a_plan_that_does_not_fit_is_an_error),
        cmocka_unit_test(explain_shows_what_it_is_asked_for),
        cmocka_unit_test(an_older_info_is_filled_as_far_as_it_goes),
        cmocka_unit_test(the_peak_is_measured),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
