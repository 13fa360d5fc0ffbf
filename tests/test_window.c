/* Windows: rows of a tile that share what they read, wherever they lie and whatever is around. */
#include "gen/plan/nest.h"
#include "tests/support/emitted.h"
#include "tests/support/named.h"
#include "tests/support/small.h"
#include "tests/support/subject.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* `groups` groups of `icg` and `ocg` channels, 11 x 10 pixels, a square kernel. */
static struct convc_problem grouped(int64_t groups, int64_t icg, int64_t ocg, int64_t kernel)
{
    struct convc_problem p = small_problem();
    p.spatial = 2;
    p.groups = groups;
    p.ic = groups * icg;
    p.oc = groups * ocg;
    p.in[CONVC_H] = 11;
    p.in[CONVC_W] = 10;
    for (int a = CONVC_H; a <= CONVC_W; a++) {
        p.kernel[a] = kernel;
        p.pad_begin[a] = p.pad_end[a] = kernel / 2;
    }
    return p;
}

/* The plan's kernel computes what the reference does, for every kind of machine. */
static void assert_right(const struct convc_problem *from, const char *text)
{
    for (int i = 0; i < machines; i++) {
        struct test_random r = { test_seed("window", (uint64_t)i) };
        assert_computes(from, text, &machine[i], &r);
    }
}

static void channels_of_narrow_groups_are_permuted(void **state)
{
    static const int64_t widths[][2] = { { 1, 1 }, { 1, 2 }, { 2, 1 }, { 3, 3 }, { 2, 2 } };
    (void)state;
    for (size_t i = 0; i < sizeof widths / sizeof *widths; i++) {
        struct convc_problem p = grouped(19, widths[i][0], widths[i][1], 3);
        assert_right(&p, "direct lanes=groups tile=3x4x1 border=peel taps=window");
        assert_right(&p, "direct lanes=oc tile=2x3x1 order=weights border=peel taps=window");
    }
}

static void every_order_computes_all_blocks(void **state)
{
    struct convc_problem p = grouped(37, 1, 1, 3);
    (void)state;
    assert_right(&p, "direct lanes=groups tile=3x4x1 order=rows border=peel taps=window");
    assert_right(&p, "direct lanes=groups tile=3x4x1 order=weights border=peel taps=window");
    assert_right(&p, "direct lanes=groups tile=3x4x1 order=pixels border=peel taps=window");
    assert_right(&p, "direct lanes=groups tile=2x2x2 order=pixels border=peel taps=window chunk=2");
    assert_right(&p, "direct lanes=groups tile=1x3x2 order=pixels border=peel taps=unroll");
}

static void dilated_rows_lie_a_dilation_apart(void **state)
{
    struct convc_problem p = grouped(17, 1, 1, 3);
    struct nest n;
    (void)state;
    for (p.dilation[CONVC_H] = 2; p.dilation[CONVC_H] < 15; p.dilation[CONVC_H] += 3) {
        p.pad_begin[CONVC_H] = p.pad_end[CONVC_H] = p.dilation[CONVC_H];
        assert_right(&p, "direct lanes=groups tile=3x4x1 border=peel taps=window");
    }
    p.dilation[CONVC_H] = 2;
    struct problem two = resolved(&p);
    struct plan plan =
        plan_fitting("direct lanes=groups tile=3x4x1 border=peel taps=window", &two, &machine[0]);
    nest_of(&two, &plan.direct, &machine[0], &n);
    assert_int_equal(n.row_step, 2);
    assert_int_equal(n.phases, 2);
    assert_int_equal(nest_window_step(&n), 1);
}

static void strides_and_dilations_go_together(void **state)
{
    struct convc_problem p = grouped(17, 1, 1, 3);
    (void)state;
    p.dilation[CONVC_H] = p.dilation[CONVC_W] = 2;
    for (int64_t stride = 2; stride <= 3; stride++) {
        p.stride[CONVC_H] = p.stride[CONVC_W] = stride;
        assert_right(&p, "direct lanes=groups tile=2x2x1 border=peel taps=window");
    }
}

static void tall_windows_loop_over_their_rows(void **state)
{
    struct convc_problem p = grouped(17, 1, 1, 7);
    (void)state;
    assert_right(&p, "direct lanes=groups tile=3x2x1 border=peel taps=window");
    p.stride[CONVC_H] = 2;
    assert_right(&p, "direct lanes=groups tile=2x2x1 border=peel taps=window");
    p.padding_mode = CONVC_PAD_SYMMETRIC;
    assert_right(&p, "direct lanes=groups tile=2x2x1 border=peel taps=window");
}

/* A fold takes the taps in their order, whichever share a column of the input. */
static void folds_keep_the_order_of_taps(void **state)
{
    static const char *const folds[] = { "sub(t,acc)", "where(lt(t,0),acc,t)" };
    struct convc_problem p = grouped(17, 1, 1, 4);
    (void)state;
    p.combine = "add(x,w)";
    p.stride[CONVC_H] = p.stride[CONVC_W] = 2;
    for (int i = 0; i < 2; i++) {
        p.reduce = folds[i];
        for (p.dilation[CONVC_W] = 1; p.dilation[CONVC_W] <= 2; p.dilation[CONVC_W]++)
            assert_right(&p, "direct lanes=groups tile=3x2x1 border=peel taps=window");
    }
}

static void every_padding_reads_what_it_should(void **state)
{
    struct convc_problem p = grouped(17, 1, 1, 3);
    (void)state;
    p.padding_value = 3;
    for (int mode = CONVC_PAD_ZEROS; mode <= CONVC_PAD_CIRCULAR; mode++) {
        p.padding_mode = (enum convc_padding_mode)mode;
        assert_right(&p, "direct lanes=groups tile=3x4x1 border=peel taps=window");
        assert_right(&p, "direct lanes=oc tile=4x3x1 border=peel taps=window");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(channels_of_narrow_groups_are_permuted),
        cmocka_unit_test(every_order_computes_all_blocks),
        cmocka_unit_test(dilated_rows_lie_a_dilation_apart),
        cmocka_unit_test(strides_and_dilations_go_together),
        cmocka_unit_test(tall_windows_loop_over_their_rows),
        cmocka_unit_test(folds_keep_the_order_of_taps),
        cmocka_unit_test(every_padding_reads_what_it_should),
    };
    return cmocka_run_group_tests(tests, emitted_setup, emitted_teardown);
}
