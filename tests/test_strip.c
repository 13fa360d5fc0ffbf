/* Strips: inputs turned over for one work item after another, whatever their number and place. */
#include "gen/out/object.h"
#include "gen/plan/strip.h"
#include "tests/support/emitted.h"
#include "tests/support/small.h"
#include "tests/support/subject.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Channels first, in and out. */
static struct convc_problem planes(int64_t ic, int64_t oc, int64_t h, int64_t w, int64_t kernel,
                                   int64_t stride)
{
    struct convc_problem p = small_problem();
    p.layout = CONVC_NCHW;
    p.spatial = 2;
    p.ic = ic;
    p.oc = oc;
    p.in[CONVC_H] = h;
    p.in[CONVC_W] = w;
    for (int a = CONVC_H; a <= CONVC_W; a++) {
        p.kernel[a] = kernel;
        p.stride[a] = stride;
        p.pad_begin[a] = p.pad_end[a] = kernel / 2;
    }
    return p;
}

static enum convc_status check(const char *text, const struct problem *p, const struct target *t,
                               struct plan *plan, struct diag *d)
{
    *d = (struct diag){ 0 };
    return plan_parse(text, plan, d) == CONVC_OK ? plan_check(plan, p, t, d) : d->status;
}

/* The plan's kernel computes what the reference does, for every kind of machine and however its
 * items are split: emitted_run gives each part scratch memory of its own, full of NaN. */
static void assert_right(const struct convc_problem *from, const char *text)
{
    for (int i = 0; i < machines; i++) {
        struct test_random r = { test_seed("strip", (uint64_t)i) };
        struct sample s;
        struct emitted e;
        struct plan plan;
        struct diag d;
        sample_draw(&s, from, &r);
        if (check(text, &s.problem, &machine[i], &plan, &d) != CONVC_OK)
            fail_msg("%s: %s", text, d.text);
        emitted_make(&e, &s.problem, &plan, &machine[i], false);
        for (int64_t trial = 0; trial < test_count(4); trial++) {
            if (!emitted_agrees(&e, &s, &r))
                fail_msg("%s", text);
        }
        emitted_free(&e);
        sample_free(&s);
    }
}

static void assert_right_folded(const struct convc_problem *p, int chunk)
{
    char text[PLAN_TEXT_MAX];
    struct problem r = resolved(p);
    snprintf(text, sizeof text, "direct lanes=oc tile=1x3x2 border=none src=strip fold=%lld",
             (long long)(r.out[0] * r.out[1] * r.out[2]));
    if (chunk)
        snprintf(text + strlen(text), sizeof text - strlen(text), " chunk=%d", chunk);
    assert_right(p, text);
}

static void pixels_are_turned_over_chunk_by_chunk(void **state)
{
    static const int64_t channels[] = { 2, 7, 16, 17, 40 };
    (void)state;
    for (size_t i = 0; i < sizeof channels / sizeof *channels; i++) {
        struct convc_problem p = planes(channels[i], 19, 9, 5, 1, 1);
        assert_right_folded(&p, 0);
        assert_right_folded(&p, 2);
    }
}

static void pixels_that_no_tap_reads_are_left_out(void **state)
{
    (void)state;
    for (int64_t stride = 2; stride <= 20; stride += stride < 5 ? 1 : 15) {
        struct convc_problem p = planes(11, 19, 23, 41, 1, stride);
        p.pad_begin[CONVC_W] = -2; /* the first columns, neither */
        assert_right_folded(&p, 0);
        assert_right_folded(&p, 1);
    }
}

static void rows_narrower_than_a_vector_are_turned_over(void **state)
{
    (void)state;
    for (int64_t w = 1; w <= 9; w++) {
        struct convc_problem p = planes(9, 19, 3, w, 1, 1), q = planes(9, 19, 5, w, 3, 1);
        assert_right_folded(&p, 0);
        assert_right(&q, "direct lanes=oc tile=1x2x2 border=peel src=strip");
    }
}

static void windows_find_their_rows_and_columns(void **state)
{
    (void)state;
    for (int64_t stride = 1; stride <= 3; stride++) {
        for (int64_t groups = 1; groups <= 2; groups++) {
            struct convc_problem p = planes(10, 38, 13, 37, 3, stride);
            p.groups = groups;
            p.dilation[CONVC_H] = stride == 1 ? 2 : 1;
            assert_right(&p, "direct lanes=oc tile=1x3x2 border=peel src=strip");
            assert_right(&p, "direct lanes=oc tile=2x3x1 border=peel src=strip chunk=2");
            assert_right(&p, "direct lanes=oc tile=1x4x2 border=peel src=strip chunk=1");
        }
    }
}

static void strips_lie_side_by_side_in_f64_too(void **state)
{
    (void)state;
    struct convc_problem p = planes(13, 21, 9, 14, 3, 2);
    p.src_dtype = p.wei_dtype = p.dst_dtype = p.acc_dtype = CONVC_F64;
    assert_right(&p, "direct lanes=oc tile=1x3x2 border=peel src=strip");
}

static void assert_names(const struct convc_problem *from, const char *text, const char *sentence)
{
    struct problem p = resolved(from);
    struct plan plan;
    struct diag d;
    assert_int_not_equal(check(text, &p, &machine[0], &plan, &d), CONVC_OK);
    if (!strstr(d.text, sentence))
        fail_msg("%s: %s", text, d.text);
}

static void what_does_not_fit_is_named(void **state)
{
    (void)state;
    struct convc_problem p = planes(8, 16, 9, 9, 3, 1), last = p, one = p, point = p, wrap = p;
    const char *plan = "direct lanes=oc tile=1x3x2 border=peel src=strip";
    last.layout = CONVC_NHWC;
    one.ic = 1;
    point.kernel[CONVC_H] = point.kernel[CONVC_W] = 1;
    for (int a = CONVC_H; a <= CONVC_W; a++)
        point.pad_begin[a] = point.pad_end[a] = 0;
    struct convc_problem beyond = point;
    beyond.stride[CONVC_H] = beyond.pad_end[CONVC_H] = 2; /* its last row is padding */
    wrap.padding_mode = CONVC_PAD_CIRCULAR;
    assert_names(&last, plan, "pixels of a row side by side");
    assert_names(&one, plan, "several channels");
    assert_names(&point, "direct lanes=oc tile=1x3x2 border=none src=strip", "fold=81");
    assert_names(&beyond, "direct lanes=oc tile=1x3x2 border=none src=strip fold=54",
                 "no padding, where the kernel is 1");
    assert_names(&wrap, plan, "zeros as padding");
    assert_names(&p, "direct lanes=ow tile=1x3x2 border=peel src=strip", "lanes=oc");
    assert_names(&p, "direct lanes=oc tile=1x3x2 order=weights border=peel src=strip",
                 "order=rows");
    assert_names(&p, "direct lanes=oc tile=1x3x2 border=computed src=strip", "border=computed");
    assert_names(&p, "direct lanes=oc tile=1x3x2 border=peel src=somewhere", "src=somewhere");
}

/* Lanes of the outputs that do not exist cost no masked store where those are slow. */
static void partial_vectors_are_stored_in_pieces(void **state)
{
    (void)state;
    struct convc_problem from = planes(16, 16, 14, 14, 1, 1);
    struct problem p = resolved(&from);
    struct target t;
    struct plan plan;
    struct diag d = { 0 };
    struct object object;
    assert_int_equal(target_parse("x86_64-pc-linux-gnu:x86-64-v3", &t, &d), CONVC_OK);
    if (check("direct lanes=oc tile=1x6x2 border=none fold=196", &p, &t, &plan, &d) != CONVC_OK)
        fail_msg("%s", d.text);
    struct object_request request = {
        .problem = &p, .plan = &plan, .target = &t, .symbol = "kernel", .form = OBJECT_ASM
    };
    assert_int_equal(object_emit(&request, &object, &d), CONVC_OK);
    assert_null(strstr(object.bytes, "vmaskmov"));
    object_free(&object);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pixels_are_turned_over_chunk_by_chunk),
        cmocka_unit_test(pixels_that_no_tap_reads_are_left_out),
        cmocka_unit_test(rows_narrower_than_a_vector_are_turned_over),
        cmocka_unit_test(windows_find_their_rows_and_columns),
        cmocka_unit_test(strips_lie_side_by_side_in_f64_too),
        cmocka_unit_test(what_does_not_fit_is_named),
        cmocka_unit_test(partial_vectors_are_stored_in_pieces),
    };
    return cmocka_run_group_tests(tests, emitted_setup, emitted_teardown);
}
