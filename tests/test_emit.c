/* Static kernels through the C API: files of one emission are those of convc_emit, whoever asks
 * first; plans are the caller's or the built-in model's, whatever this machine was measured to do.
 */
#include "gen/plan/target.h"
#include "runtime/ceilings.h"
#include "tests/support/support.h"

#include <convc/convc.h>

#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

/* The bytes of a file. */
struct file {
    char *bytes;
    size_t size;
};

static void must(enum convc_status st)
{
    if (st != CONVC_OK)
        fail_msg("%s", convc_last_error());
}

static void assert_same(struct file a, struct file b)
{
    assert_int_equal(a.size, b.size);
    assert_memory_equal(a.bytes, b.bytes, a.size);
}

static struct convc_problem layer(const char *name, int64_t ic, int64_t oc, int64_t size,
                                  int64_t kernel, int64_t stride)
{
    struct convc_problem p;
    convc_problem_init(&p);
    p.ic = ic;
    p.oc = oc;
    p.tolerance = 0;
    for (int a = CONVC_H; a <= CONVC_W; a++) {
        p.in[a] = size;
        p.kernel[a] = kernel;
        p.stride[a] = stride;
        p.pad_begin[a] = p.pad_end[a] = kernel / 2;
    }
    snprintf(p.name, sizeof p.name, "%s", name);
    return p;
}

static struct file emitted(const struct convc_problem *p, size_t count,
                           const struct convc_emit_options *opt)
{
    struct file f;
    must(convc_emit(p, count, opt, &f.bytes, &f.size));
    return f;
}

static struct file file_of(convc_emission *e, enum convc_form form, size_t problem, int32_t variant)
{
    struct file f;
    must(convc_emission_file(e, form, problem, variant, &f.bytes, &f.size));
    return f;
}

/* ---- emissions --------------------------------------------------------------------------------
 */

static void every_file_of_an_emission_is_that_of_convc_emit(void **state)
{
    (void)state;
    const struct convc_problem p[] = { layer("a", 8, 20, 14, 3, 1), layer("b", 20, 8, 14, 1, 1) };
    struct convc_emit_options o = { .struct_bytes = sizeof o, .target = "x86-64-v3,x86-64" };
    convc_emission *e;
    must(convc_emission_create(p, 2, &o, &e));
    for (enum convc_form form = CONVC_FORM_LIBRARY;; form--) {
        bool one = form < CONVC_FORM_HEADER;
        for (size_t i = 0; i < (one ? 2 : 1); i++) {
            for (int32_t v = 0; v < (one ? 4 : 1); v++) {
                struct file got = file_of(e, form, i, v);
                o.form = form;
                o.variant = v;
                struct file want = emitted(&p[i], one ? 1 : 2, &o);
                assert_same(got, want);
                convc_text_free(got.bytes);
                convc_text_free(want.bytes);
            }
        }
        if (form == CONVC_FORM_OBJECT)
            break;
    }
    convc_emission_destroy(e);
}

static void *take_library(void *emission)
{
    struct file *f = malloc(sizeof *f);
    *f = file_of(emission, CONVC_FORM_LIBRARY, 0, 0);
    return f;
}

static void threads_share_an_emission(void **state)
{
    (void)state;
    enum { THREADS = 4, PROBLEMS = 6 };
    struct convc_problem p[PROBLEMS];
    char name[16];
    pthread_t thread[THREADS];
    struct file *got[THREADS];
    convc_emission *e;
    for (int i = 0; i < PROBLEMS; i++) {
        snprintf(name, sizeof name, "k%d", i);
        p[i] = layer(name, 3 + i, 16, 13, 3, 1);
    }
    must(convc_emission_create(p, PROBLEMS, NULL, &e));
    for (int t = 0; t < THREADS; t++)
        assert_int_equal(pthread_create(&thread[t], NULL, take_library, e), 0);
    for (int t = 0; t < THREADS; t++) {
        pthread_join(thread[t], (void **)&got[t]);
        assert_same(*got[0], *got[t]);
    }
    for (int t = 0; t < THREADS; t++) {
        convc_text_free(got[t]->bytes);
        free(got[t]);
    }
    convc_emission_destroy(e);
}

static void wrong_arguments_are_told(void **state)
{
    (void)state;
    const struct convc_problem p = layer("a", 8, 16, 9, 3, 1);
    convc_emission *e = NULL;
    struct file f = { 0 };
    struct convc_emit_options o = { .struct_bytes = sizeof o, .optimize = 2 };
    assert_int_equal(convc_emission_create(&p, 0, NULL, &e), CONVC_ERR_ARGUMENT);
    assert_int_equal(convc_emission_create(&p, 1, &o, &e), CONVC_ERR_ARGUMENT);
    assert_string_equal(convc_last_error(), "optimize=2 must be 0 or 1");
    o = (struct convc_emit_options){ .struct_bytes = sizeof o, .plan = "none" };
    assert_int_equal(convc_emission_create(&p, 1, &o, &e), CONVC_ERR_PLAN);
    assert_ptr_equal(strstr(convc_last_error(), "a: plan 'none' "), convc_last_error());
    o = (struct convc_emit_options){ .struct_bytes = 1 };
    assert_int_equal(convc_emit(&p, 1, &o, &f.bytes, &f.size), CONVC_ERR_ARGUMENT);
    for (int i = 0; i < 4; i++) {
        static const char *const target[] = { "", ",", "x86-64-v3,", "x86-64,,x86-64-v3" };
        o = (struct convc_emit_options){ .struct_bytes = sizeof o, .target = target[i] };
        assert_int_equal(convc_emission_create(&p, 1, &o, &e), CONVC_ERR_ARGUMENT);
        assert_non_null(strstr(convc_last_error(), "lists one without a name"));
    }
    assert_null(e);
    must(convc_emission_create(&p, 1, NULL, &e));
    assert_int_equal(convc_emission_file(e, CONVC_FORM_OBJECT, 1, 0, &f.bytes, &f.size),
                     CONVC_ERR_ARGUMENT);
    assert_string_equal(convc_last_error(), "problem=1 must be below 1");
    assert_int_equal(convc_emission_file(e, CONVC_FORM_OBJECT, 0, 1, &f.bytes, &f.size),
                     CONVC_ERR_ARGUMENT);
    assert_int_equal(convc_emission_file(e, 6, 0, 0, &f.bytes, &f.size), CONVC_ERR_ARGUMENT);
    assert_null(f.bytes);
    convc_emission_destroy(e);
    convc_emission_destroy(NULL);
}

static void what_is_wrong_with_one_problem_names_it(void **state)
{
    (void)state;
    struct convc_problem p[] = { layer("a", 8, 16, 9, 3, 1), layer("b.1", 4, 4, 9, 3, 1) };
    convc_emission *e = NULL;
    p[1].groups = 4;
    p[1].window = "mul(x(0,0),w(1,1))";
    assert_int_equal(convc_emission_create(p, 2, NULL, &e), CONVC_ERR_UNSUPPORTED);
    assert_string_equal(convc_last_error(), "b.1: no algorithm takes this window: stencil needs "
                                            "constant weights, the same for every channel");
    p[1].groups = 3;
    assert_int_equal(convc_emission_create(p, 2, NULL, &e), CONVC_ERR_SHAPE);
    assert_int_equal(strncmp(convc_last_error(), "b.1: groups=3 ", 14), 0);
    snprintf(p[1].name, sizeof p[1].name, "a"); /* told before any plan is looked for */
    p[1].groups = 4;
    assert_int_equal(convc_emission_create(p, 2, NULL, &e), CONVC_ERR_ARGUMENT);
    assert_string_equal(convc_last_error(), "the names \"a\" and \"a\" clash: both make a");
    snprintf(p[1].name, sizeof p[1].name, "a.PACKED_BYTES"); /* a constant of the header */
    assert_int_equal(convc_emission_create(p, 2, NULL, &e), CONVC_ERR_ARGUMENT);
    assert_string_equal(convc_last_error(), "the names \"a\" and \"a.PACKED_BYTES\" clash: both "
                                            "make a_PACKED_BYTES");
    assert_null(e);
}

/* A library has names of its own: of its targets, and of the guard around its header. */
static void names_of_the_library_are_taken(void **state)
{
    (void)state;
    static const char *const taken[] = { "net_TARGET_x86_64", "CONVC_STATIC_net_H", "net_use" };
    struct convc_emit_options o = { .struct_bytes = sizeof o,
                                    .target = "x86_64-pc-linux-gnu:x86-64,"
                                              "x86_64-pc-linux-gnu:x86-64-v3",
                                    .library = "net" };
    for (size_t i = 0; i < sizeof taken / sizeof *taken; i++) {
        struct convc_problem p = layer(taken[i], 8, 16, 9, 3, 1);
        convc_emission *e = NULL;
        char sentence[200];
        snprintf(sentence, sizeof sentence, "both make %s", taken[i]);
        assert_int_equal(convc_emission_create(&p, 1, &o, &e), CONVC_ERR_ARGUMENT);
        assert_non_null(strstr(convc_last_error(), sentence));
        assert_null(e);
    }
    o.target = "x86_64-pc-linux-gnu:x86-64"; /* one target has no name */
    struct convc_problem p = layer(taken[0], 8, 16, 9, 3, 1);
    convc_emission *e = NULL;
    must(convc_emission_create(&p, 1, &o, &e));
    convc_emission_destroy(e);
}

/* ---- plans ------------------------------------------------------------------------------------
 */

/* What would be called in the place of a C library's function, or is no name in C. */
static void names_that_c_has_taken_get_a_line_behind(void **state)
{
    (void)state;
    static const char *const taken[] = {
        "while", "int64_t", "main",   "memcpy",   "tanh",    "logf",    "y0",       "INT64_C",
        "NULL",  "linux",   "uint_t", "SIZE_MAX", "INT32_C", "_Static", "__LINE__",
    };
    static const char *const free_ones[] = { "blur",    "tan2", "flog",    "l",   "logff",
                                             "into_t_", "C",    "sobel_c", "_3x3" };
    char name[160];
    for (size_t i = 0; i < sizeof taken / sizeof *taken; i++) {
        struct convc_problem p = layer(taken[i], 8, 16, 9, 3, 1);
        must(convc_emit_name(&p, NULL, name, sizeof name));
        assert_int_equal(strlen(name), strlen(taken[i]) + 1);
        assert_int_equal(name[strlen(taken[i])], '_');
        must(convc_emit_name(&p, "my_", name, sizeof name));
        assert_string_equal(name + 3, taken[i]);
    }
    for (size_t i = 0; i < sizeof free_ones / sizeof *free_ones; i++) {
        struct convc_problem p = layer(free_ones[i], 8, 16, 9, 3, 1);
        must(convc_emit_name(&p, NULL, name, sizeof name));
        assert_string_equal(name, free_ones[i]);
    }
}

static void plans_are_given_problem_by_problem_and_target_by_target(void **state)
{
    (void)state;
    static const char own[] = "direct lanes=oc tile=1x2x1 order=rows border=peel";
    const struct convc_problem p[] = { layer("a", 8, 32, 14, 3, 1), layer("b", 8, 32, 14, 3, 1) };
    const char *plans[] = { NULL, NULL, NULL, own };
    struct convc_emit_options o = { .struct_bytes = sizeof o,
                                    .form = CONVC_FORM_HEADER,
                                    .target = "x86-64-v3,x86-64",
                                    .plans = plans };
    struct file header = emitted(p, 2, &o);
    const char *first = strstr(header.bytes, own);
    assert_non_null(first);
    assert_null(strstr(first + 1, own));
    assert_true(first > strstr(header.bytes, "a_range"));
    convc_text_free(header.bytes);
    plans[0] = "direct tile=0x0x0";
    assert_int_equal(convc_emit(p, 2, &o, &header.bytes, &header.size), CONVC_ERR_PLAN);
    o.plan = own;
    assert_int_equal(convc_emit(p, 2, &o, &header.bytes, &header.size), CONVC_ERR_ARGUMENT);
}

/* The plan that a context of this machine takes. */
static void plan_here(const struct convc_problem *p, char *to, size_t size)
{
    convc_context *cx;
    convc_kernel *k;
    struct convc_kernel_info info = { .struct_bytes = sizeof info };
    must(convc_context_create(NULL, &cx));
    must(convc_compile(cx, p, NULL, &k));
    convc_kernel_info(k, &info);
    snprintf(to, size, "%s", info.plan);
    convc_kernel_release(k);
    convc_context_destroy(cx);
}

/* Memory and caches that deliver next to nothing. */
static void leave_wild_ceilings(const char *cache)
{
    const struct ceilings wild = { .l1 = 4000, .l2 = 0.2, .l3 = 0.1, .memory = 0.1 };
    struct target host;
    char text[TARGET_FEATURES_MAX + 160];
    struct diag d = { 0 };
    target_host(&host);
    target_print(&host, text, sizeof text);
    int dir = open(cache, O_RDONLY | O_DIRECTORY);
    assert_true(dir >= 0);
    assert_int_equal(ceilings_store(dir, text, &wild, &d), CONVC_OK);
    close(dir);
}

static void what_this_machine_was_measured_to_do_plays_no_part(void **state)
{
    (void)state;
    const struct convc_problem p[] = { layer("a", 256, 512, 28, 3, 2),
                                       layer("b", 512, 128, 28, 1, 1), layer("c", 64, 64, 56, 3, 1),
                                       layer("d", 1024, 512, 7, 1, 1) };
    enum { PROBLEMS = sizeof p / sizeof *p };
    const struct convc_emit_options o = { .struct_bytes = sizeof o, .form = CONVC_FORM_LIBRARY };
    struct test_dir dir;
    char home[600], before[PROBLEMS][256], after[256];
    int moved = 0;
    test_dir_create(&dir);
    setenv("XDG_CACHE_HOME", dir.path, 1);
    for (int i = 0; i < PROBLEMS; i++)
        plan_here(&p[i], before[i], sizeof before[i]);
    struct file want = emitted(p, PROBLEMS, &o);
    leave_wild_ceilings(test_dir_path(&dir, "convc", home, sizeof home));
    for (int i = 0; i < PROBLEMS; i++) {
        plan_here(&p[i], after, sizeof after);
        moved += strcmp(before[i], after) != 0;
    }
    struct file got = emitted(p, PROBLEMS, &o);
    assert_true(moved > 0); /* the JIT heeds them */
    assert_same(got, want);
    convc_text_free(got.bytes);
    convc_text_free(want.bytes);
    test_dir_remove(&dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_file_of_an_emission_is_that_of_convc_emit),
        cmocka_unit_test(threads_share_an_emission),
        cmocka_unit_test(wrong_arguments_are_told),
        cmocka_unit_test(names_that_c_has_taken_get_a_line_behind),
        cmocka_unit_test(what_is_wrong_with_one_problem_names_it),
        cmocka_unit_test(names_of_the_library_are_taken),
        cmocka_unit_test(plans_are_given_problem_by_problem_and_target_by_target),
        cmocka_unit_test(what_this_machine_was_measured_to_do_plays_no_part),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
