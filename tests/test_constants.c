/* Constant weights: one form and one key for what is equal, limits, the reference and kernels. */
#include "tests/support/named.h"
#include "tests/support/small.h"

#include <convc/convc.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const double sobel[9] = { -1, 0, 1, -2, 0, 2, -1, 0, 1 };

/* `filters` filters over each of `channels` channels. */
static struct convc_problem filtering(int64_t channels, int64_t filters, const double *weights)
{
    struct convc_problem p = small_problem();
    p.groups = p.ic = channels;
    p.oc = channels * filters;
    p.weights = weights;
    return p;
}

static bool same_key(const struct convc_problem *a, const struct convc_problem *b)
{
    struct problem_key ka = key_of(a), kb = key_of(b);
    return !memcmp(&ka, &kb, sizeof ka);
}

static void assert_reads_back(const struct convc_problem *p, const char *addition)
{
    struct problem to = resolved(p);
    struct text t = { 0 };
    problem_print(&to, &t);
    assert_string_equal(strchr(t.data, ';'), addition);
    struct problem_key key = key_of(p), back = key_named(t.data);
    assert_memory_equal(&key, &back, sizeof key);
    text_free(&t);
}

static void constants_tell_problems_apart(void **state)
{
    double other[9], mirrored[9];
    struct convc_problem a = filtering(1, 1, sobel), b = a;
    (void)state;
    memcpy(other, sobel, sizeof other);
    b.weights = other;
    assert_true(same_key(&a, &b));
    other[3] = -2 + 0x1p-40; /* the same number in f32 */
    other[4] = -0.0;
    assert_true(same_key(&a, &b));
    other[3] = -3;
    assert_false(same_key(&a, &b));
    b.weights = NULL;
    assert_false(same_key(&a, &b));
    for (int i = 0; i < 9; i++)
        mirrored[i] = sobel[8 - i];
    b.weights = mirrored;
    b.flip = 1;
    assert_true(same_key(&a, &b));
}

static void channels_repeat_a_few_kernels(void **state)
{
    double weights[6 * 9];
    (void)state;
    for (int i = 0; i < 6 * 9; i++)
        weights[i] = i / 9 % 2 ? i % 9 : sobel[i % 9];
    struct convc_problem p = filtering(3, 2, weights);
    struct problem to = resolved(&p);
    assert_true(to.c.period == 2 && to.c.values == 9);
    assert_true(constants_at(&to.c, 4, 3) == -2 && constants_at(&to.c, 5, 3) == 3);
    assert_reads_back(&p, ";weights=-1,0,1,-2,0,2,-1,0,1,0,1,2,3,4,5,6,7,8");
    for (int i = 0; i < 6 * 9; i++)
        weights[i] = 0.5;
    assert_reads_back(&p, ";weights=0.5*9");
}

static void more_than_code_is_made_of_are_refused(void **state)
{
    double *weights = calloc(1 << 17, sizeof *weights);
    struct convc_problem p = filtering(1, 1, weights);
    (void)state;
    p.in[CONVC_W] = p.kernel[CONVC_W] = 342; /* 3 x 342 = 1026 */
    assert_refused(&p, CONVC_ERR_UNSUPPORTED,
                   "weights: as constants a kernel has at most 1024 values, and all channels "
                   "65536; give more at run time");
    p = filtering(1 << 13, 1, weights);
    assert_refused(&p, CONVC_ERR_UNSUPPORTED,
                   "weights: as constants a kernel has at most 1024 values, and all channels "
                   "65536; give more at run time");
    p = filtering(128, 1, weights);
    for (int i = 0; i < 128 * 9; i++)
        weights[i] = i;
    assert_refused(&p, CONVC_ERR_UNSUPPORTED,
                   "weights: as constants channels have at most 1024 values before they repeat; "
                   "give more at run time");
    p = filtering(1, 1, weights);
    weights[4] = 1e300;
    assert_refused(&p, CONVC_ERR_ARGUMENT, "weights: 1e+300 does not fit f32");
    weights[4] = INFINITY;
    assert_refused(&p, CONVC_ERR_ARGUMENT, "weights: inf must be finite");
    free(weights);
}

static void a_zero_is_an_absent_tap(void **state)
{
    float src[7 * 9] = { 0 }, dst[5 * 7];
    struct convc_problem p = filtering(1, 1, sobel);
    struct convc_args args = { .struct_bytes = sizeof args, .src = src, .dst = dst, .n = 1 };
    (void)state;
    src[1 * 9 + 1] = NAN;
    src[0] = 1;
    assert_int_equal(convc_reference(&p, &args), CONVC_OK);
    assert_true(dst[0] == -1 && isnan(dst[1]));
}

/* Infinities and NaNs under taps that are absent, and under others. Stencils compute what the
 * reference does; what multiplies with 0 may make NaN of it, and nothing else. */
static void check_absent(convc_context *cx, const struct convc_problem *p, const char *plan,
                         struct convc_args args, const float *want)
{
    const struct convc_compile_options how = { .struct_bytes = sizeof how, .plan = plan };
    float dst[5 * 33];
    convc_kernel *k;
    assert_int_equal(convc_compile(cx, p, &how, &k), CONVC_OK);
    size_t workspace = convc_workspace_bytes(k, 1, 0);
    args.workspace = workspace ? aligned_alloc(64, workspace) : NULL;
    args.dst = dst;
    assert_int_equal(convc_run(k, &args), CONVC_OK);
    bool stencil = !strncmp(plan, "stencil", 7), exact = strncmp(plan, "winograd", 8) != 0;
    for (int j = 0; exact && j < 5 * 33; j++) {
        bool same = dst[j] == want[j] || (isnan(dst[j]) && isnan(want[j]));
        if (!same && (stencil || !isnan(dst[j])))
            fail_msg("%s: output %d is %g, not %g", plan, j, dst[j], want[j]);
    }
    free(args.workspace);
    convc_kernel_release(k);
}

static void what_absent_taps_would_read_is_none_of_a_stencils_business(void **state)
{
    static const float special[4] = { INFINITY, NAN, -INFINITY, INFINITY };
    const struct convc_context_options opt = { .struct_bytes = sizeof opt,
                                               .flags = CONVC_NO_DISK_CACHE };
    float src[7 * 35], want[5 * 33];
    char *plans, *save = NULL;
    convc_context *cx;
    struct convc_problem p = filtering(1, 1, sobel);
    struct convc_args args = { .struct_bytes = sizeof args, .src = src, .dst = want, .n = 1 };
    (void)state;
    p.in[CONVC_W] = 35;
    for (int i = 0; i < 7 * 35; i++)
        src[i] = (float)(i * i % 23);
    for (int i = 0; i < 4; i++)
        src[(1 + i) * 35 + 3 + 8 * i] = special[i];
    assert_int_equal(convc_reference(&p, &args), CONVC_OK);
    assert_int_equal(convc_context_create(&opt, &cx), CONVC_OK);
    assert_int_equal(convc_plans(cx, &p, &plans), CONVC_OK);
    for (char *l = strtok_r(plans, "\n", &save); l; l = strtok_r(NULL, "\n", &save))
        check_absent(cx, &p, l, args, want);
    free(plans);
    convc_context_destroy(cx);
}

static void kernels_have_them_built_in(void **state)
{
    float src[7 * 9], dst[5 * 7], want[5 * 7];
    static const char *const plans[] = { NULL, "direct lanes=oc tile=1x4x1",
                                         "winograd f=4x4 tile=5x2" };
    convc_context *cx;
    struct convc_problem p = filtering(1, 1, sobel);
    struct convc_args args = { .struct_bytes = sizeof args, .src = src, .n = 1 };
    (void)state;
    struct convc_context_options opt = { .struct_bytes = sizeof opt, .flags = CONVC_NO_DISK_CACHE };
    assert_int_equal(convc_context_create(&opt, &cx), CONVC_OK);
    for (int i = 0; i < 7 * 9; i++)
        src[i] = (float)(i * i % 23);
    args.dst = want;
    assert_int_equal(convc_reference(&p, &args), CONVC_OK);
    for (size_t i = 0; i < sizeof plans / sizeof *plans; i++) {
        struct convc_compile_options how = { .struct_bytes = sizeof how, .plan = plans[i] };
        convc_kernel *k;
        args.dst = dst;
        assert_int_equal(convc_compile(cx, &p, &how, &k), CONVC_OK);
        assert_int_equal(convc_packed_bytes(k), 0);
        assert_int_equal(convc_pack(k, NULL, NULL), CONVC_OK);
        size_t workspace = convc_workspace_bytes(k, 1, 0);
        args.workspace = workspace ? aligned_alloc(64, workspace) : NULL;
        assert_int_equal(convc_run(k, &args), CONVC_OK);
        for (int j = 0; j < 5 * 7; j++)
            assert_true(fabsf(dst[j] - want[j]) < 1e-3f);
        free(args.workspace);
        convc_kernel_release(k);
    }
    convc_context_destroy(cx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(constants_tell_problems_apart),
        cmocka_unit_test(channels_repeat_a_few_kernels),
        cmocka_unit_test(more_than_code_is_made_of_are_refused),
        cmocka_unit_test(a_zero_is_an_absent_tap),
        cmocka_unit_test(what_absent_taps_would_read_is_none_of_a_stencils_business),
        cmocka_unit_test(kernels_have_them_built_in),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
