/* The filters, and the specs of the repository. */
#include "tests/support/loaded.h"
#include "tests/support/support.h"

#include <glob.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

/* The taps of a filter, over one channel. */
static const double *filter(const char *expression, int64_t *count)
{
    char text[256];
    snprintf(text, sizeof text,
             "return convc.conv { input = { 1, 1, 64, 64 }, weights = convc.filters.%s }",
             expression);
    struct spec_source source = { .text = text, .name = "filter.lua" };
    load(&source);
    const struct convc_problem *p = &loaded.convs[0].problem;
    assert_int_equal(p->oc, 1);
    *count = p->kernel[1] * p->kernel[2];
    return loaded.convs[0].weights;
}

static void filters_have_their_classic_taps(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        double taps[9];
    } classics[] = {
        { "identity", { 0, 0, 0, 0, 1, 0, 0, 0, 0 } },
        { "sobel_x", { -1, 0, 1, -2, 0, 2, -1, 0, 1 } },
        { "sobel_y", { -1, -2, -1, 0, 0, 0, 1, 2, 1 } },
        { "scharr_x", { -3, 0, 3, -10, 0, 10, -3, 0, 3 } },
        { "scharr_y", { -3, -10, -3, 0, 0, 0, 3, 10, 3 } },
        { "prewitt_x", { -1, 0, 1, -1, 0, 1, -1, 0, 1 } },
        { "prewitt_y", { -1, -1, -1, 0, 0, 0, 1, 1, 1 } },
        { "laplacian", { 0, 1, 0, 1, -4, 1, 0, 1, 0 } },
        { "laplacian_8", { 1, 1, 1, 1, -8, 1, 1, 1, 1 } },
        { "sharpen", { 0, -1, 0, -1, 5, -1, 0, -1, 0 } },
        { "edge_detect", { -1, -1, -1, -1, 8, -1, -1, -1, -1 } },
        { "emboss", { -2, -1, 0, -1, 1, 1, 0, 1, 2 } },
        { "kirsch('n')", { 5, 5, 5, -3, 0, -3, -3, -3, -3 } },
        { "kirsch('sw')", { -3, -3, -3, 5, 0, -3, 5, 5, -3 } },
        { "outer({ 1, 2, 3 }, { 1, 0, -1 })", { 1, 0, -1, 2, 0, -2, 3, 0, -3 } },
        { "gabor(3, 1e9, 0, 4)", { 0, 1, 0, 0, 1, 0, 0, 1, 0 } },
    };
    for (size_t i = 0; i < sizeof classics / sizeof classics[0]; i++) {
        int64_t count;
        const double *taps = filter(classics[i].name, &count);
        assert_int_equal(count, 9);
        for (int k = 0; k < 9; k++)
            if (fabs(taps[k] - classics[i].taps[k]) > 1e-12)
                fail_msg("%s, tap %d: %g", classics[i].name, k, taps[k]);
    }
}

static void blurs_sum_to_one_and_edge_filters_to_zero(void **state)
{
    (void)state;
    static const struct {
        const char *expression;
        double sum;
    } sums[] = {
        { "box(3)", 1 },           { "box(6)", 1 },       { "gaussian(5, 1)", 1 },
        { "gaussian(8, 0.3)", 1 }, { "log(9, 1.4)", 0 },  { "log(4, 1)", 0 },
        { "dog(9, 1, 1.6)", 0 },   { "motion(9, 1)", 1 }, { "unsharp(5, 1, 2)", 1 },
    };
    for (size_t i = 0; i < sizeof sums / sizeof sums[0]; i++) {
        int64_t count;
        double sum = 0;
        const double *taps = filter(sums[i].expression, &count);
        for (int64_t k = 0; k < count; k++) {
            sum += taps[k];
            assert_true(taps[k] == taps[count - 1 - k]); /* the same turned round */
        }
        assert_true(fabs(sum - sums[i].sum) < 1e-12);
    }
    /* The ratio of neighbours says what sigma is; the middle of LoG lies below its rim. */
    int64_t count;
    const double *taps = filter("gaussian(5, 2)", &count);
    assert_true(fabs(taps[13] / taps[12] - exp(-1.0 / 8)) < 1e-12);
    taps = filter("log(9, 1.4)", &count);
    assert_true(taps[40] < 0 && taps[36] > 0);
}

/* ---- the specs of the repository ------------------------------------------------------------- */

static double milliseconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

static void every_spec_of_the_repository_loads_at_once(void **state)
{
    (void)state;
    glob_t files;
    assert_int_equal(glob(CONVC_SOURCE_DIR "/specs/*/*.lua", 0, NULL, &files), 0);
    double slowest = 0;
    for (size_t i = 0; i < files.gl_pathc; i++) {
        struct spec_source source = { .path = files.gl_pathv[i] };
        double begin = milliseconds();
        load(&source);
        double took = milliseconds() - begin;
        slowest = took > slowest ? took : slowest;
        assert_true(loaded.count > 0 || strstr(files.gl_pathv[i], "/lib/"));
    }
    print_message("%zu specs, the slowest in %.1f ms\n", files.gl_pathc, slowest);
    assert_true(files.gl_pathc >= 70);
    assert_true(slowest < 50);
    globfree(&files);
}

static void filters_take_the_size_of_a_picture(void **state)
{
    (void)state;
    static const char *const defines[] = { "H=33", "W=44", "C=3" };
    glob_t files;
    assert_int_equal(glob(CONVC_SOURCE_DIR "/specs/filters/*.lua", 0, NULL, &files), 0);
    for (size_t i = 0; i < files.gl_pathc; i++) {
        struct spec_source source = { .path = files.gl_pathv[i], .defines = defines };
        source.define_count = 3;
        load(&source);
        struct problem p;
        struct diag d = { 0 };
        assert_int_equal(problem_resolve(&loaded.convs[0].problem, &p, &d), CONVC_OK);
        int64_t down = p.p.stride[CONVC_H], across = p.p.stride[CONVC_W];
        assert_int_equal(p.out[CONVC_H], (33 + down - 1) / down);
        assert_int_equal(p.out[CONVC_W], (44 + across - 1) / across);
        assert_int_equal(p.p.ic, 3);
        assert_true(loaded.convs[0].weights || loaded.convs[0].problem.window);
    }
    globfree(&files);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(filters_have_their_classic_taps),
        cmocka_unit_test(blurs_sum_to_one_and_edge_filters_to_zero),
        cmocka_unit_test(every_spec_of_the_repository_loads_at_once),
        cmocka_unit_test(filters_take_the_size_of_a_picture),
    };
    return cmocka_run_group_tests(tests, NULL, free_loaded);
}
