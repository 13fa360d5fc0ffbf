#include "gen/problem/problem.h"
#include "tests/support/draw.h"
#include "tests/support/small.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- what is refused ------------------------------------------------------------------------- */

static void what_does_not_go_together_is_refused_with_its_rule(void **state)
{
    struct convc_problem p = small_problem();
    p.groups = 4;
    assert_refused(&p, CONVC_ERR_SHAPE, "groups=4 does not divide in_channels=6");
    p = small_problem();
    p.groups = 3;
    assert_refused(&p, CONVC_ERR_SHAPE, "groups=3 does not divide out_channels=8");
    p = small_problem();
    p.kernel[CONVC_W] = 5;
    p.dilation[CONVC_W] = 3;
    p.pad_begin[CONVC_W] = 1;
    assert_refused(&p, CONVC_ERR_SHAPE,
                   "kernel_size=5 with dilation=3 spans 13 along the width, more than the 10 of "
                   "the padded input");
    p = small_problem();
    p.pad_begin[CONVC_H] = -7;
    assert_refused(&p, CONVC_ERR_SHAPE,
                   "kernel_size=3 with dilation=1 spans 3 along the height, more than the 0 of the "
                   "padded input");
    p = small_problem();
    p.spatial = 1;
    assert_refused(&p, CONVC_ERR_SHAPE,
                   "spatial=1 leaves the height unused, which must have input, kernel_size, stride "
                   "and dilation 1 and padding 0");
    p = small_problem();
    p.activation = CONVC_ACT_CLAMP;
    p.activation_args[0] = 2;
    p.activation_args[1] = 1;
    assert_refused(&p, CONVC_ERR_ARGUMENT, "activation clamp low=2 is above high=1");
    p = small_problem();
    p.dst_dtype = CONVC_F64;
    assert_refused(&p, CONVC_ERR_UNSUPPORTED,
                   "dst_dtype=f64 must be u8, s16, u16 or that of acc, f32");
}

static void types_of_whole_numbers_are_for_src_and_dst(void **state)
{
    struct convc_problem p = small_problem();
    struct problem to;
    for (int src = CONVC_U8; src <= CONVC_U16; src++) {
        for (int dst = CONVC_F32; dst <= CONVC_U16; dst++) {
            struct diag d = { 0 };
            p.src_dtype = (enum convc_dtype)src;
            p.dst_dtype = (enum convc_dtype)dst;
            p.wei_dtype = p.acc_dtype = dst == CONVC_F64 ? CONVC_F64 : CONVC_F32;
            assert_int_equal(problem_resolve(&p, &to, &d), CONVC_OK);
        }
    }
    p.acc_dtype = CONVC_S16;
    assert_refused(&p, CONVC_ERR_UNSUPPORTED, "acc_dtype=s16 must be f32 or f64");
    p.acc_dtype = CONVC_F32;
    p.wei_dtype = CONVC_U8;
    assert_refused(&p, CONVC_ERR_UNSUPPORTED, "wei_dtype=u8 must be that of acc, f32");
    p.wei_dtype = CONVC_F32;
    p.src_dtype = CONVC_F64;
    assert_refused(&p, CONVC_ERR_UNSUPPORTED,
                   "src_dtype=f64 must be u8, s16, u16 or that of acc, f32");
    p.src_dtype = (enum convc_dtype)5;
    assert_refused(&p, CONVC_ERR_ARGUMENT, "src_dtype=5 must be 0 to 4");
}

static void values_out_of_range_are_refused_with_their_range(void **state)
{
    struct convc_problem p = small_problem();
    p.n = -1;
    assert_refused(&p, CONVC_ERR_SHAPE, "batch=-1 must be 0 to 2147483647");
    p = small_problem();
    p.ic = 0;
    assert_refused(&p, CONVC_ERR_SHAPE, "in_channels=0 must be 1 to 2147483647");
    p = small_problem();
    p.groups = INT64_MIN;
    assert_refused(&p, CONVC_ERR_SHAPE, "groups=-9223372036854775808 must be 1 to 2147483647");
    p = small_problem();
    p.stride[CONVC_H] = 0;
    assert_refused(&p, CONVC_ERR_SHAPE, "stride=0 along the height must be 1 to 2147483647");
    p = small_problem();
    p.pad_end[CONVC_W] = INT64_MAX;
    assert_refused(&p, CONVC_ERR_SHAPE,
                   "padding=9223372036854775807 along the width must be -4294967296 to 2147483647");
    p = small_problem();
    p.flip = 2;
    assert_refused(&p, CONVC_ERR_ARGUMENT, "flip=2 must be 0 to 1");
    p = small_problem();
    p.padding_mode = (enum convc_padding_mode)7;
    assert_refused(&p, CONVC_ERR_ARGUMENT, "padding_mode=7 must be 0 to 6");
    p = small_problem();
    p.spatial = 4;
    assert_refused(&p, CONVC_ERR_ARGUMENT, "spatial=4 must be 1 to 3");
    p = small_problem();
    p.tolerance = -1;
    assert_refused(&p, CONVC_ERR_ARGUMENT, "tolerance=-1 must be finite and not negative");
    p = small_problem();
    p.padding_value = INFINITY;
    assert_refused(&p, CONVC_ERR_ARGUMENT, "padding_value=inf must be finite");
    p = small_problem();
    p.activation = CONVC_ACT_LEAKY_RELU;
    p.activation_args[0] = 1e39;
    assert_refused(&p, CONVC_ERR_ARGUMENT, "activation argument=1e+39 does not fit f32");
    p = small_problem();
    memset(p.name, 'x', sizeof p.name);
    assert_refused(&p, CONVC_ERR_ARGUMENT, "name has more than 64 characters");
    p = small_problem();
    p.struct_bytes = 8;
    struct problem to;
    struct diag d = { 0 };
    assert_int_equal(problem_resolve(&p, &to, &d), CONVC_ERR_ARGUMENT);
}

/* Every 64-bit field at every hostile value: a status, never an overflow (which the sanitizers of
 * the instrumented build report) and never a nonsensical output. */
static void sizes_near_2_63_never_overflow(void **state)
{
    static const int64_t hostile[] = { INT64_MIN, INT64_MIN + 1, -1,
                                       0,         INT32_MAX,     (int64_t)INT32_MAX + 1,
                                       INT64_MAX, INT64_MAX - 1, (int64_t)1 << 62 };
    size_t first = offsetof(struct convc_problem, n);
    size_t last = offsetof(struct convc_problem, padding_mode);
    int accepted = 0;
    for (size_t a = first; a < last; a += 8)
        for (size_t b = a; b < last; b += 8)
            for (size_t i = 0; i < sizeof hostile / sizeof *hostile; i++) {
                struct convc_problem p = small_problem();
                memcpy((char *)&p + a, &hostile[i], 8);
                memcpy((char *)&p + b, &hostile[i], 8);
                struct problem to;
                struct diag d = { 0 };
                if (problem_resolve(&p, &to, &d) == CONVC_OK) {
                    accepted++;
                    for (int axis = 0; axis < 3; axis++)
                        assert_in_range(to.out[axis], 1, INT32_MAX);
                }
            }
    assert_true(accepted > 0);
}

static void tensors_beyond_2_62_bytes_are_refused(void **state)
{
    struct convc_problem p = small_problem();
    p.in[CONVC_H] = p.in[CONVC_W] = INT32_MAX;
    assert_refused(
        &p, CONVC_ERR_SHAPE,
        "src of 1 x 6 x 1 x 2147483647 x 2147483647 elements spans more than 2^62 bytes");
    p = small_problem();
    p.in[CONVC_H] = p.in[CONVC_W] = p.kernel[CONVC_H] = p.kernel[CONVC_W] = 1 << 27;
    p.ic = 16;
    assert_refused(&p, CONVC_ERR_SHAPE,
                   "weights of 8 x 16 x 1 x 134217728 x 134217728 elements span more than 2^62 "
                   "bytes");
    p = small_problem();
    p.src_stride[CONVC_STRIDE_N] = p.src_stride[CONVC_STRIDE_C] = INT64_MAX;
    assert_refused(&p, CONVC_ERR_SHAPE,
                   "src of 1 x 6 x 1 x 7 x 9 elements spans more than 2^62 bytes");
    p = small_problem();
    p.n = INT32_MAX;
    p.in[CONVC_H] = p.in[CONVC_W] = 1 << 15;
    assert_refused(&p, CONVC_ERR_SHAPE,
                   "src of 2147483647 x 6 x 1 x 32768 x 32768 elements spans more than 2^62 bytes");
}

/* ---- shapes ---------------------------------------------------------------------------------- */

static void output_counts_the_windows_that_fit(void **state)
{
    struct test_random r = { test_seed("test_problem", 1) };
    for (int round = 0; round < test_count(2000); round++) {
        struct convc_problem p;
        draw_problem(&r, &p);
        struct problem to = resolved(&p);
        for (int a = 0; a < 3; a++) {
            int64_t window = p.dilation[a] * (p.kernel[a] - 1) + 1, count = 0;
            for (int64_t x = -p.pad_begin[a]; x + window <= p.in[a] + p.pad_end[a];
                 x += p.stride[a])
                count++;
            assert_int_equal(to.out[a], count);
        }
        assert_int_equal(to.icg * p.groups, p.ic);
        assert_int_equal(to.ocg * p.groups, p.oc);
    }
}

static void an_axis_pads_where_some_tap_falls_outside(void **state)
{
    struct test_random r = { test_seed("test_problem", 1) };
    for (int round = 0; round < test_count(2000); round++) {
        struct convc_problem p;
        draw_problem(&r, &p);
        struct problem to = resolved(&p);
        for (int a = 0; a < 3; a++) {
            bool outside = false;
            for (int64_t x = 0; x < to.out[a]; x++)
                for (int64_t k = 0; k < p.kernel[a]; k++) {
                    int64_t i = x * p.stride[a] + k * p.dilation[a] - p.pad_begin[a];
                    outside = outside || i < 0 || i >= p.in[a];
                }
            assert_int_equal(problem_axis_pads(&to, a), outside);
        }
    }
}

static void an_empty_batch_is_legal(void **state)
{
    struct convc_problem p = small_problem();
    p.n = 0;
    struct problem to = resolved(&p);
    assert_int_equal(to.out[CONVC_H], 5);
    assert_int_equal(problem_span(to.p.src_stride, 0, to.p.ic, to.p.in), 0);
}

/* ---- strides --------------------------------------------------------------------------------- */

static void dense_strides_follow_the_layout(void **state)
{
    struct convc_problem p = small_problem();
    p.spatial = 3;
    p.in[CONVC_D] = 2;
    const int64_t nhwc[5] = { 756, 1, 378, 54, 6 }, nchw[5] = { 756, 126, 63, 9, 1 };
    struct problem to = resolved(&p);
    assert_memory_equal(to.p.src_stride, nhwc, sizeof nhwc);
    p.layout = CONVC_NCHW;
    to = resolved(&p);
    assert_memory_equal(to.p.src_stride, nchw, sizeof nchw);
}

static void strides_that_no_tensor_has_are_refused(void **state)
{
    struct convc_problem p = small_problem();
    int64_t rows_overlap[5] = { 1000, 1, 0, 55, 8 };
    memcpy(p.dst_stride, rows_overlap, sizeof rows_overlap);
    assert_refused(&p, CONVC_ERR_ARGUMENT,
                   "dst_strides=55 along the height lets elements overlap: it must be at least 56");
    p.dst_stride[CONVC_STRIDE_H] = 56;
    p.dst_stride[CONVC_STRIDE_N] = 279;
    assert_refused(
        &p, CONVC_ERR_ARGUMENT,
        "dst_strides=279 along the batch lets elements overlap: it must be at least 280");
    p.dst_stride[CONVC_STRIDE_N] = 280;
    resolved(&p);
    p = small_problem();
    p.src_stride[CONVC_STRIDE_W] = -1;
    assert_refused(&p, CONVC_ERR_ARGUMENT, "src_strides=-1 along the width must not be negative");
    p = small_problem();
    p.src_stride[CONVC_STRIDE_D] = 1;
    assert_refused(&p, CONVC_ERR_ARGUMENT,
                   "src_strides=0 along every axis of more than one element is the notation for "
                   "dense");
}

static int compare(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* Draws strides until many have been accepted, and writes out every address of those. */
static void accepted_dst_strides_keep_all_elements_apart(void **state)
{
    struct test_random r = { test_seed("test_problem", 1) };
    int accepted = 0, refused = 0;
    while (accepted < test_count(300)) {
        struct convc_problem p;
        problem_init(&p);
        p.spatial = 3;
        p.oc = test_random_in(&r, 1, 3);
        for (int a = 0; a < 3; a++)
            p.in[a] = test_random_in(&r, 1, 3);
        for (int a = 0; a < 5; a++)
            p.dst_stride[a] = test_random_in(&r, 0, 30);
        struct problem to;
        struct diag d = { 0 };
        if (problem_resolve(&p, &to, &d) != CONVC_OK) {
            refused++;
            continue;
        }
        accepted++;
        int64_t at[2 * 3 * 27], count = 0, largest = 0;
        const int64_t *s = to.p.dst_stride;
        for (int64_t i = 0; i < 2 * p.oc * p.in[0] * p.in[1] * p.in[2]; i++) {
            int64_t w = i % p.in[2], h = i / p.in[2] % p.in[1];
            int64_t dd = i / p.in[2] / p.in[1] % p.in[0];
            int64_t no = i / p.in[2] / p.in[1] / p.in[0];
            int64_t address = no / p.oc * s[0] + no % p.oc * s[1] + dd * s[2] + h * s[3] + w * s[4];
            largest = address > largest ? address : largest;
            at[count++] = address;
        }
        qsort(at, (size_t)count, sizeof *at, compare);
        for (int64_t i = 1; i < count; i++)
            assert_true(at[i] > at[i - 1]);
        assert_int_equal(problem_span(s, 2, p.oc, to.out), largest + 1);
    }
    assert_true(refused > 0);
}

/* ---- borders --------------------------------------------------------------------------------- */

/* One step outwards from element `at`, which lies `forward` or backward in the unfolded axis. */
static void step(enum convc_padding_mode mode, int64_t n, int64_t *at, int *forward)
{
    int64_t next = *at + *forward;
    if (next >= 0 && next < n) {
        *at = next;
    } else if (mode == CONVC_PAD_CIRCULAR) {
        *at = next < 0 ? n - 1 : 0;
    } else if (mode == CONVC_PAD_SYMMETRIC) {
        *forward = -*forward; /* the edge comes twice */
    } else if (mode == CONVC_PAD_REFLECT && n > 1) {
        *forward = -*forward;
        *at += *forward;
    }
}

static void borders_fold_as_a_walk_outwards_does(void **state)
{
    for (int mode = CONVC_PAD_REFLECT; mode <= CONVC_PAD_CIRCULAR; mode++)
        for (int64_t n = 1; n <= 7; n++)
            for (int way = -1; way <= 1; way += 2) {
                int64_t at = way < 0 ? 0 : n - 1;
                int forward = way;
                for (int64_t i = way < 0 ? 0 : n - 1; i > -40 && i < 40; i += way) {
                    int64_t got = problem_border((enum convc_padding_mode)mode, i, n);
                    if (got != at)
                        fail_msg("mode %d, n %d, i %d: %d, not %d", mode, (int)n, (int)i, (int)got,
                                 (int)at);
                    step((enum convc_padding_mode)mode, n, &at, &forward);
                }
            }
}

static void zeros_constant_and_identity_read_nothing_outside(void **state)
{
    static const enum convc_padding_mode modes[] = { CONVC_PAD_ZEROS, CONVC_PAD_CONSTANT,
                                                     CONVC_PAD_IDENTITY };
    for (int m = 0; m < 3; m++) {
        assert_int_equal(problem_border(modes[m], -1, 4), -1);
        assert_int_equal(problem_border(modes[m], 4, 4), -1);
        assert_int_equal(problem_border(modes[m], 3, 4), 3);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_does_not_go_together_is_refused_with_its_rule),
        cmocka_unit_test(types_of_whole_numbers_are_for_src_and_dst),
        cmocka_unit_test(values_out_of_range_are_refused_with_their_range),
        cmocka_unit_test(sizes_near_2_63_never_overflow),
        cmocka_unit_test(tensors_beyond_2_62_bytes_are_refused),
        cmocka_unit_test(output_counts_the_windows_that_fit),
        cmocka_unit_test(an_axis_pads_where_some_tap_falls_outside),
        cmocka_unit_test(an_empty_batch_is_legal),
        cmocka_unit_test(dense_strides_follow_the_layout),
        cmocka_unit_test(strides_that_no_tensor_has_are_refused),
        cmocka_unit_test(accepted_dst_strides_keep_all_elements_apart),
        cmocka_unit_test(borders_fold_as_a_walk_outwards_does),
        cmocka_unit_test(zeros_constant_and_identity_read_nothing_outside),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
