/* Filters over bytes in whole numbers of 16 bits: what kernels are made into, that nothing is ever
 * further off than is said, whatever the picture, and what tolerance admits. */
#include "gen/plan/choose.h"
#include "gen/plan/fixed.h"
#include "tests/support/emitted.h"
#include "tests/support/named.h"
#include "tests/support/small.h"
#include "tests/support/subject.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { TAPS_MOST = 31 * 31, CHANNELS_MOST = 4 };

/* ---- kernels ----------------------------------------------------------------------------------
 */

static void make_gaussian(double *weights, int n, double sigma)
{
    double row[31], sum = 0;
    for (int i = 0; i < n; i++) {
        double x = (i - (n - 1) / 2.0) / sigma;
        sum += row[i] = exp(-x * x / 2);
    }
    for (int i = 0; i < n * n; i++)
        weights[i] = row[i / n] * row[i % n] / (sum * sum);
}

static void make_box(double *weights, int n)
{
    for (int i = 0; i < n * n; i++)
        weights[i] = 1.0 / (n * n);
}

/* A kernel of rows x cols over bytes, on one channel. */
static struct convc_problem filtered(const double *weights, int64_t rows, int64_t cols)
{
    struct convc_problem p = small_problem();
    p.ic = p.oc = p.groups = 1;
    p.in[CONVC_H] = 13;
    p.in[CONVC_W] = 150;
    p.kernel[CONVC_H] = rows;
    p.kernel[CONVC_W] = cols;
    for (int a = CONVC_H; a <= CONVC_W; a++) {
        p.pad_begin[a] = (p.kernel[a] - 1) / 2;
        p.pad_end[a] = p.kernel[a] / 2;
    }
    p.padding_mode = CONVC_PAD_REPLICATE;
    p.src_dtype = p.dst_dtype = CONVC_U8;
    p.weights = weights;
    return p;
}

static struct fixed *fixed_of(const struct convc_problem *from, int bits)
{
    struct problem p = resolved(from);
    struct fixed *f = malloc(sizeof *f);
    assert_non_null(f);
    assert_null(fixed_unfit(&p, bits, f));
    return f;
}

static void assert_made(const double *weights, int n, int bits, bool exact, int forms, double bound)
{
    struct convc_problem p = filtered(weights, n, n);
    struct fixed *f = fixed_of(&p, bits);
    assert_int_equal(f->exact, exact);
    assert_int_equal(f->forms, forms);
    if (!(f->bound <= bound))
        fail_msg("%dx%d, %d bits: off by %g", n, n, bits, f->bound);
    free(f);
}

static void kernels_are_made_whole(void **state)
{
    static const double sobel[] = { -1, 0, 1, -2, 0, 2, -1, 0, 1 };
    static const double sharp[] = { 0, -0.5, 0, -0.5, 3, -0.5, 0, -0.5, 0 };
    static const double scharr[] = { -0.3, 0, 0.3, -1, 0, 1, -0.3, 0, 0.3 };
    double weights[TAPS_MOST];
    (void)state;
    assert_made(sobel, 3, 8, true, 1, 0);
    assert_made(sharp, 3, 8, true, 2, 0);
    assert_made(scharr, 3, 8, false, 1, 0.07);
    make_gaussian(weights, 5, 1.1);
    assert_made(weights, 5, 8, false, 1, 0.07);
    assert_made(weights, 5, 16, false, 1, 0.02);
    make_gaussian(weights, 7, 1.5);
    assert_made(weights, 7, 16, false, 1, 0.02);
    make_gaussian(weights, 31, 5);
    assert_made(weights, 31, 16, false, 1, 0.08);
    for (int n = 3; n <= 15; n += 2) {
        make_box(weights, n);
        assert_made(weights, n, 8, false, 1, 0.02);
    }
}

/* ---- pictures ---------------------------------------------------------------------------------
 */

static double element(enum convc_dtype t, const void *tensor, int64_t i)
{
    return t == CONVC_U8    ? (double)((const uint8_t *)tensor)[i]
           : t == CONVC_S16 ? (double)((const int16_t *)tensor)[i]
                            : (double)((const uint16_t *)tensor)[i];
}

/* The sum at one place of a channel, without rounding. */
static double sum_at(const struct problem *r, const uint8_t *src, int64_t c, int64_t y, int64_t x)
{
    const struct convc_problem *p = &r->p;
    double sum = 0;
    for (int64_t i = 0; i < p->kernel[1] * p->kernel[2]; i++) {
        int64_t h = y + i / p->kernel[2] * p->dilation[1] - p->pad_begin[1];
        int64_t w = x + i % p->kernel[2] * p->dilation[2] - p->pad_begin[2];
        h = problem_border(p->padding_mode, h, p->in[1]);
        w = problem_border(p->padding_mode, w, p->in[2]);
        double v = p->padding_value;
        if (h >= 0 && w >= 0)
            v = src[c * p->src_stride[CONVC_STRIDE_C] + h * p->src_stride[CONVC_STRIDE_H] +
                    w * p->src_stride[CONVC_STRIDE_W]];
        sum += v * constants_at(&r->c, 0, i);
    }
    return p->activation == CONVC_ACT_RELU && sum < 0 ? 0 : sum;
}

static double stored(enum convc_dtype t, double v)
{
    return fmin(fmax(rint(v), dtype_least(t)), dtype_most(t));
}

/* Every output is what something within the bound of its sum is rounded to. */
static void compare(const struct problem *r, double bound, const uint8_t *src, const void *dst)
{
    const struct convc_problem *p = &r->p;
    for (int64_t i = 0; i < p->oc * r->out[1] * r->out[2]; i++) {
        int64_t c = i % p->oc, y = i / p->oc / r->out[2], x = i / p->oc % r->out[2];
        double want = sum_at(r, src, c, y, x);
        double got = element(p->dst_dtype, dst,
                             c * p->dst_stride[CONVC_STRIDE_C] + y * p->dst_stride[CONVC_STRIDE_H] +
                                 x * p->dst_stride[CONVC_STRIDE_W]);
        /* Sums of constants in double are that much off themselves. */
        double off = bound + (bound > 0 ? 1e-9 : 0);
        if (got < stored(p->dst_dtype, want - off) || got > stored(p->dst_dtype, want + off))
            fail_msg("channel %lld at %lld,%lld is %g, not %.17g within %g", (long long)c,
                     (long long)y, (long long)x, got, want, bound);
    }
}

static void draw_picture(struct test_random *r, uint8_t *to, int64_t count)
{
    int64_t kind = test_random_in(r, 0, 3);
    for (int64_t i = 0; i < count; i++)
        to[i] = (uint8_t)(kind == 0   ? test_random_in(r, 0, 255)
                          : kind == 1 ? 255 * test_random_in(r, 0, 1)
                          : kind == 2 ? 255 - test_random_in(r, 0, 7) / 7
                                      : 255);
}

/* Runs the plan on a picture, with bytes behind the result that must stay. Returns whether it
 * fits. */
static bool assert_bounded(const struct convc_problem *from, const char *text,
                           const struct target *t, struct test_random *r)
{
    enum { BEHIND = 64, MARK = 0x5a };
    struct problem p = resolved(from);
    struct plan plan = plan_named(text);
    struct diag d = { 0 };
    struct emitted e;
    if (plan_check(&plan, &p, t, &d) != CONVC_OK)
        return false;
    int64_t count = p.p.ic * p.p.in[1] * p.p.in[2];
    int64_t bytes = p.p.oc * p.out[1] * p.out[2] * dtype_bytes(p.p.dst_dtype);
    uint8_t *src = malloc((size_t)count), *dst = malloc((size_t)bytes + BEHIND);
    assert_true(src && dst);
    memset(dst, MARK, (size_t)bytes + BEHIND);
    draw_picture(r, src, count);
    struct convc_args args = { .struct_bytes = sizeof args, .src = src, .dst = dst, .n = 1 };
    emitted_make(&e, &p, &plan, t, false);
    emitted_run(&e, &args, r);
    compare(&p, plan_unit_bound(&plan, &p), src, dst);
    for (int i = 0; i < BEHIND; i++)
        assert_int_equal(dst[bytes + i], MARK);
    emitted_free(&e);
    free(src);
    free(dst);
    return true;
}

/* ---- random filters ---------------------------------------------------------------------------
 */

static double draw_real(struct test_random *r, double least)
{
    return least + (1 - least) * (double)test_random_in(r, 0, 1 << 20) / (1 << 20);
}

/* Products of two factors of either sign or none, such and a point, whole numbers, anything. */
static void draw_kernel(struct test_random *r, const struct convc_problem *p, double *weights)
{
    int64_t kind = test_random_in(r, 0, 4), kw = p->kernel[2], count = p->kernel[1] * kw;
    double row[32], col[32], sum = 0, least = test_random_in(r, 0, 1) ? -1 : 0;
    for (int i = 0; i < 32; i++) {
        row[i] = draw_real(r, least);
        col[i] = draw_real(r, least);
    }
    for (int i = 0; i < 16; i++) {
        row[i] = i < kw / 2 ? row[kw - 1 - i] : row[i];
        col[i] = i < p->kernel[1] / 2 ? col[p->kernel[1] - 1 - i] : col[i];
    }
    for (int64_t i = 0; i < count; i++) {
        weights[i] = kind == 0   ? (double)test_random_in(r, -4, 4) / 4
                     : kind == 1 ? draw_real(r, least)
                                 : col[i / kw] * row[i % kw];
        sum += fabs(weights[i]);
    }
    for (int64_t i = 0; i < count && kind; i++)
        weights[i] /= sum > 0 ? sum : 1;
    if (kind == 2)
        weights[count / 2] += draw_real(r, -1);
}

/* Rows of all lengths from one block's on, of pixels or of planes. */
static void draw_filter(struct test_random *r, struct convc_problem *p, double *weights)
{
    static const enum convc_dtype types[] = { CONVC_U8, CONVC_U8, CONVC_S16, CONVC_U16 };
    *p = filtered(weights, test_random_in(r, 1, 7), test_random_in(r, 1, 7));
    p->layout = (enum convc_layout)test_random_in(r, 0, 1);
    p->ic = p->oc = p->groups = test_random_in(r, 1, CHANNELS_MOST);
    p->padding_mode = (enum convc_padding_mode)test_random_in(r, 0, CONVC_PAD_CIRCULAR);
    p->padding_value = 7;
    p->dst_dtype = types[test_random_in(r, 0, 3)];
    p->activation = test_random_in(r, 0, 3) ? CONVC_ACT_NONE : CONVC_ACT_RELU;
    for (int a = CONVC_H; a <= CONVC_W; a++) {
        p->dilation[a] = test_random_in(r, 0, 3) ? 1 : 2;
        p->in[a] = a == CONVC_W ? test_random_in(r, 16, 210) : test_random_in(r, 1, 20);
        int64_t reach = p->dilation[a] * (p->kernel[a] - 1);
        p->pad_begin[a] = test_random_in(r, 0, reach + 2);
        p->pad_end[a] = test_random_in(r, 0, reach + 2);
    }
    draw_kernel(r, p, weights);
    int64_t count = p->kernel[1] * p->kernel[2];
    for (int64_t i = count; i < count * p->ic; i++)
        weights[i] = weights[i - count];
}

static void nothing_is_further_off_than_is_said(void **state)
{
    static const char *const plans[] = { "fixed weights=8 strip=64", "fixed weights=16 strip=64",
                                         "fixed weights=8 strip=3", "fixed weights=16 strip=1" };
    struct test_random r = { test_seed("fixed", 1) };
    double weights[CHANNELS_MOST * 49];
    int64_t fit = 0, rounds = test_count(400);
    (void)state;
    for (int64_t i = 0; i < rounds; i++) {
        struct convc_problem p;
        struct problem ignored;
        struct diag d = { 0 };
        draw_filter(&r, &p, weights);
        if (problem_resolve(&p, &ignored, &d) != CONVC_OK)
            continue;
        for (size_t k = 0; k < sizeof plans / sizeof *plans; k++)
            fit += assert_bounded(&p, plans[k], &machine[(i + (int64_t)k) % machines], &r);
    }
    print_message("%lld kernels\n", (long long)fit);
    assert_true(fit > rounds);
}

/* Where weights add up to 1 and the bound is less than a half. */
static void a_picture_of_one_value_stays_it(void **state)
{
    struct test_random r = { test_seed("fixed_flat", 1) };
    double weights[TAPS_MOST];
    (void)state;
    for (int n = 3; n <= 15; n += 2) {
        make_gaussian(weights, n, 0.3 * n);
        struct convc_problem from = filtered(weights, n, n);
        struct problem p = resolved(&from);
        struct plan plan = plan_fitting("fixed weights=16 strip=64", &p, &machine[0]);
        uint8_t src[13 * 150], dst[13 * 150];
        struct convc_args args = { .struct_bytes = sizeof args, .src = src, .dst = dst, .n = 1 };
        struct emitted e;
        emitted_make(&e, &p, &plan, &machine[0], false);
        for (int value = 0; value <= 255; value += value < 250 ? 25 : 1) {
            memset(src, value, sizeof src);
            emitted_run(&e, &args, &r);
            assert_memory_equal(dst, src, sizeof dst);
        }
        emitted_free(&e);
    }
}

/* ---- tolerance --------------------------------------------------------------------------------
 */

/* Bits of all weights that are candidates: 8, 16 or 8 + 16. */
static int candidates_of(const double *weights, int n, double tolerance)
{
    struct convc_problem from = filtered(weights, n, n);
    from.tolerance = tolerance;
    struct problem p = resolved(&from);
    struct candidates all;
    struct arena a = { 0 };
    struct diag d = { 0 };
    int bits = 0;
    assert_int_equal(choose_plans(&a, &p, &machine[0], &all, &d), CONVC_OK);
    for (size_t i = 0; i < all.count; i++)
        if (all.list[i].plan.algorithm == PLAN_FIXED)
            bits += all.list[i].plan.fixed.bits;
    arena_free(&a);
    return bits;
}

static void a_quarter_of_a_unit_is_tolerated_unless_nothing_is(void **state)
{
    static const double blur[] = { 1, 2, 1, 2, 4, 2, 1, 2, 1 };
    double weights[TAPS_MOST];
    (void)state;
    assert_int_equal(candidates_of(blur, 3, 0), 8);
    assert_int_equal(candidates_of(blur, 3, 1e-5), 8);
    make_gaussian(weights, 5, 1.1);
    assert_int_equal(candidates_of(weights, 5, 0), 0);
    assert_int_equal(candidates_of(weights, 5, 1e-5), 8 + 16);
    make_gaussian(weights, 7, 1.5);
    assert_int_equal(candidates_of(weights, 7, 1e-5), 16);
}

static void assert_refused_as_fixed(const struct convc_problem *from, const char *text,
                                    const char *why)
{
    struct problem p = resolved(from);
    struct plan plan = plan_named(text);
    struct diag d = { 0 };
    assert_int_equal(plan_check(&plan, &p, &machine[0], &d), CONVC_ERR_PLAN);
    assert_string_equal(d.text, why);
}

static void what_does_not_fit_is_told(void **state)
{
    static const double blur[] = { 1, 2, 1, 2, 4, 2, 1, 2, 1 }, none[9] = { 0 };
    static const double wide[] = { 1e6, 1, 1, 1, 1, 1, 1, 1, 1e6 };
    struct convc_problem p = filtered(blur, 3, 3);
    (void)state;
    assert_plan_unreadable("fixed tile=1x1",
                           "plan word 'tile' is unknown; fixed has weights and strip");
    assert_plan_unreadable("fixed weights=many", "plan word 'weights=many' has no such value");
    assert_refused_as_fixed(&p, "fixed weights=9 strip=1", "weights=9 is neither 8 nor 16");
    assert_refused_as_fixed(&p, "fixed weights=8 strip=0", "strip=0 must be at least 1");
    assert_refused_as_fixed(&p, "fixed weights=16 strip=1",
                            "fixed of 16 bits is for weights that are not exact in 8");
    p.weights = none;
    assert_refused_as_fixed(&p, "fixed weights=8 strip=1", "fixed needs a weight that is not 0");
    p.weights = wide;
    assert_refused_as_fixed(&p, "fixed weights=8 strip=1",
                            "fixed needs sums and factors that 16 bits hold");
    p = filtered(blur, 3, 3);
    p.in[CONVC_W] = 15;
    assert_refused_as_fixed(&p, "fixed weights=8 strip=1",
                            "fixed needs rows of 16 bytes or more, and vectors as long");
    p = filtered(blur, 3, 3);
    p.dst_dtype = CONVC_F32;
    assert_refused_as_fixed(&p, "fixed weights=8 strip=1",
                            "fixed needs one filter over bytes, and whole numbers for a result");
    p = filtered(blur, 3, 3);
    p.stride[CONVC_W] = 2;
    assert_refused_as_fixed(&p, "fixed weights=8 strip=1",
                            "fixed needs rows and columns alone, and strides of 1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kernels_are_made_whole),
        cmocka_unit_test(nothing_is_further_off_than_is_said),
        cmocka_unit_test(a_picture_of_one_value_stays_it),
        cmocka_unit_test(a_quarter_of_a_unit_is_tolerated_unless_nothing_is),
        cmocka_unit_test(what_does_not_fit_is_told),
    };
    return cmocka_run_group_tests(tests, emitted_setup, emitted_teardown);
}
