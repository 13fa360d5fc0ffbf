/* The nest in numbers: runs of taps are what trying tap by tap would find, however long the kernel;
 * odd plans are right; and planning a legal problem ends, however large it is. */
#include "gen/plan/choose.h"
#include "gen/plan/nest.h"
#include "tests/support/emitted.h"
#include "tests/support/named.h"
#include "tests/support/small.h"
#include "tests/support/subject.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* One channel, one row of `in` pixels, `taps` taps, `pad` on both sides. */
static struct convc_problem a_row(int64_t in, int64_t taps, int64_t pad)
{
    struct convc_problem p = small_problem();
    p.spatial = 1;
    p.ic = p.oc = p.in[CONVC_H] = p.kernel[CONVC_H] = 1;
    p.in[CONVC_W] = in;
    p.kernel[CONVC_W] = taps;
    p.pad_begin[CONVC_W] = p.pad_end[CONVC_W] = pad;
    return p;
}

/* ---- runs of taps -------------------------------------------------------------------------------
 */

/* How the columns of a segment read tap kw: one bit each, set where inside. */
static uint64_t who_reads(const struct nest *n, const struct segment *s, int64_t kw)
{
    const struct convc_problem *p = &n->p->p;
    uint64_t who = 0;
    for (int64_t c = 0; c < s->width; c++) {
        int64_t ow = split_begin(&n->cols, s->begin) + c;
        int64_t at = ow * p->stride[CONVC_W] + kw * p->dilation[CONVC_W] - p->pad_begin[CONVC_W];
        who |= (uint64_t)(at >= 0 && at < p->in[CONVC_W]) << c;
    }
    return who;
}

/* A run goes on as long as the same columns read inside, and under modes that fold only while all
 * do. */
static void check_runs(const struct nest *n, const struct segment *s)
{
    struct tap_run run[RUNS_MAX];
    uint64_t all = ((uint64_t)1 << s->width) - 1;
    int count = nest_runs(n, s, run), r = 0;
    assert_int_equal(run[0].begin, 0);
    for (int64_t kw = 1; kw < n->p->p.kernel[CONVC_W]; kw++) {
        uint64_t who = who_reads(n, s, kw);
        bool goes_on = who == who_reads(n, s, kw - 1) &&
                       (who == all || n->p->p.padding_mode == CONVC_PAD_ZEROS);
        if (!goes_on) {
            assert_int_equal(run[r].end, kw);
            assert_int_equal(run[++r].begin, kw);
        }
    }
    assert_int_equal(run[r].end, n->p->p.kernel[CONVC_W]);
    assert_int_equal(count, r + 1);
}

static void runs_are_those_found_tap_by_tap(void **state)
{
    struct test_random r = { test_seed("nest", 3) };
    int64_t edges = 0;
    (void)state;
    for (int64_t i = 0; i < test_count(2000); i++) {
        int64_t taps = test_random_in(&r, 1, 40);
        struct convc_problem from = a_row(test_random_in(&r, 1, 60), taps, 0);
        from.dilation[CONVC_W] = test_random_in(&r, 1, 3);
        from.stride[CONVC_W] = test_random_in(&r, 1, 3);
        from.pad_begin[CONVC_W] = test_random_in(&r, 0, 30);
        from.pad_end[CONVC_W] = from.dilation[CONVC_W] * taps + test_random_in(&r, 0, 9);
        from.padding_mode = test_random_in(&r, 0, 1) ? CONVC_PAD_ZEROS : CONVC_PAD_REFLECT;
        struct problem p = resolved(&from);
        struct plan_direct d = { .rows = 1, .vecs = 1, .border = BORDER_PEEL };
        struct segment list[SEGMENTS_MAX];
        struct nest n;
        d.cols = (int)test_random_in(&r, 1, 32);
        nest_of(&p, &d, &machine[0], &n);
        int count = nest_segments(&n, list);
        for (int s = 0; s < count; s++) {
            if (list[s].edge)
                check_runs(&n, &list[s]), edges++;
        }
    }
    assert_true(edges > 0);
}

static void assert_right(const struct convc_problem *from, const char *text)
{
    struct test_random r = { test_seed("nest", 4) };
    assert_computes(from, text, &machine[0], &r);
}

/* A mode that folds makes a run of each tap outside, here more than RUNS_MAX; unrolled code needs
 * no runs. */
static void unrolled_taps_are_not_counted_in_runs(void **state)
{
    struct convc_problem p = a_row(36, 101, 33);
    (void)state;
    p.padding_mode = CONVC_PAD_REPLICATE;
    assert_right(&p, "direct tile=1x2x1 border=peel taps=unroll");
}

/* Where a single tile computes its places while it is emitted, what lies outside has the address of
 * the first pixel. */
static void a_column_outside_is_not_the_first_pixel(void **state)
{
    struct convc_problem p = a_row(3, 1, 1);
    (void)state;
    p.groups = p.ic = p.oc = 2;
    assert_right(&p, "direct lanes=groups tile=1x5x1 border=computed");
    p.padding_mode = CONVC_PAD_CONSTANT;
    p.padding_value = 2;
    assert_right(&p, "direct lanes=groups tile=1x5x1 border=computed");
}

/* Pixels one element apart: what begins like the last few channels of one is all of another. */
static void overlapping_pixels_share_no_shorter_vector(void **state)
{
    struct convc_problem p = a_row(47, 33, 0);
    const int64_t stride[5] = { 1000, 1, 0, 0, 1 };
    (void)state;
    p.groups = p.ic = p.oc = target_lanes(&machine[0], 4) + 3;
    memcpy(p.src_stride, stride, sizeof stride);
    assert_right(&p, "direct lanes=groups tile=1x1x2 taps=unroll");
}

/* ---- extremes -----------------------------------------------------------------------------------
 */

static void choose_in_time(const struct convc_problem *from)
{
    struct problem p = resolved(from);
    struct plan plan;
    struct diag d = { 0 };
    alarm(20);
    assert_int_equal(choose_plan(&p, &machine[0], &plan, &d), CONVC_OK);
    assert_int_equal(plan_check(&plan, &p, &machine[0], &d), CONVC_OK);
    assert_true(plan_items(&p, &plan, &machine[0], 0, p.p.n) >= 1);
    alarm(0);
}

static void no_extent_is_too_large_to_plan(void **state)
{
    struct convc_problem few = a_row(1, 2000000000, 1000000000), far = a_row(2000000000, 3, 0);
    struct convc_problem same = a_row(1, 3, 0), long_row = a_row(2147483647, 1, 0);
    const int64_t everywhere[5] = { 1, 1, 0, 0, 0 };
    (void)state;
    choose_in_time(&few);
    few.padding_mode = CONVC_PAD_SYMMETRIC;
    choose_in_time(&few);
    few.layout = CONVC_NCHW;
    few.ic = few.oc = few.groups = 1000000;
    few.kernel[CONVC_W] = 200000, few.pad_begin[CONVC_W] = few.pad_end[CONVC_W] = 100000;
    choose_in_time(&few);
    far.dilation[CONVC_W] = 999999998;
    choose_in_time(&far);
    choose_in_time(&long_row);
    same.spatial = 3;
    for (int a = 0; a < 3; a++) {
        same.in[a] = same.stride[a] = 2147483647;
        same.kernel[a] = 1;
    }
    memcpy(same.src_stride, everywhere, sizeof everywhere);
    choose_in_time(&same);
}

/* 2^64 multiply-adds, which would wrap around to none. */
static void code_too_long_to_count_is_refused(void **state)
{
    struct convc_problem from = a_row(63, 1 << 29, 1 << 28);
    struct plan plan;
    struct diag d = { 0 };
    (void)state;
    from.groups = from.oc = 2;
    from.ic = 1 << 30;
    from.layout = CONVC_NCHW;
    struct problem p = resolved(&from);
    assert_int_equal(
        plan_parse("direct lanes=groups tile=1x32x1 border=peel taps=unroll", &plan, &d), CONVC_OK);
    assert_int_equal(plan_check(&plan, &p, &machine[0], &d), CONVC_ERR_PLAN);
    assert_string_equal(d.text, "the plan would make code of more than 6000 multiply-adds");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(runs_are_those_found_tap_by_tap),
        cmocka_unit_test(unrolled_taps_are_not_counted_in_runs),
        cmocka_unit_test(a_column_outside_is_not_the_first_pixel),
        cmocka_unit_test(overlapping_pixels_share_no_shorter_vector),
        cmocka_unit_test(no_extent_is_too_large_to_plan),
        cmocka_unit_test(code_too_long_to_count_is_refused),
    };
    return cmocka_run_group_tests(tests, emitted_setup, emitted_teardown);
}
