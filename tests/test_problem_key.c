#include "gen/problem/problem.h"
#include "tests/support/draw.h"
#include "tests/support/small.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void assert_same(const struct convc_problem *a, const struct convc_problem *b)
{
    struct problem_key ka = key_of(a), kb = key_of(b);
    assert_memory_equal(&ka, &kb, sizeof ka);
}

static void assert_different(const struct convc_problem *a, const struct convc_problem *b)
{
    struct problem_key ka = key_of(a), kb = key_of(b);
    assert_memory_not_equal(&ka, &kb, sizeof ka);
}

static char *text_of(const struct convc_problem *p)
{
    struct problem to = resolved(p);
    struct text t = { 0 };
    problem_print(&to, &t);
    return text_take(&t);
}

static void assert_prints(const struct convc_problem *p, const char *expected)
{
    char *text = text_of(p);
    assert_string_equal(text, expected);
    free(text);
}

/* ---- identity -------------------------------------------------------------------------------- */

static void resolving_twice_changes_nothing(void **state)
{
    struct test_random r = { test_seed("test_problem", 1) };
    for (int round = 0; round < test_count(2000); round++) {
        struct convc_problem p;
        draw_problem(&r, &p);
        struct problem once = resolved(&p), twice = resolved(&once.p);
        assert_memory_equal(&once.p, &twice.p, sizeof once.p);
        assert_memory_equal(once.out, twice.out, sizeof once.out);
        assert_same(&p, &once.p);
    }
    struct convc_problem p = small_problem(); /* the farthest that a padding can be moved */
    p.in[CONVC_W] = p.pad_begin[CONVC_W] = p.stride[CONVC_W] = INT32_MAX;
    p.pad_end[CONVC_W] = -3;
    p.kernel[CONVC_W] = 1;
    p.pad_begin[CONVC_W] -= 2;
    p.ic = p.oc = 1;
    struct problem once = resolved(&p), twice = resolved(&once.p);
    assert_memory_equal(&once, &twice, sizeof once);
}

static void what_cannot_matter_is_no_part_of_the_key(void **state)
{
    struct convc_problem a = small_problem(), b = a;
    b.n = 5;
    strcpy(b.name, "other");
    b.padding_mode = CONVC_PAD_REFLECT; /* no padding */
    b.padding_value = 3;
    b.activation_args[0] = 1;
    assert_same(&a, &b);

    a = small_problem(), b = a;
    a.stride[CONVC_W] = b.stride[CONVC_W] = 2;
    b.in[CONVC_W] = a.in[CONVC_W] = 8;
    a.pad_end[CONVC_W] = 2; /* floor((8 + e - 3) / 2) is 3 for 1 and 2 */
    b.pad_end[CONVC_W] = 1;
    assert_same(&a, &b);

    a = small_problem(), b = a;
    a.pad_begin[CONVC_H] = b.pad_begin[CONVC_H] = 1;
    b.padding_mode = CONVC_PAD_IDENTITY;
    assert_same(&a, &b);
    b.padding_mode = CONVC_PAD_CONSTANT;
    assert_same(&a, &b);
    b.padding_value = 0.1;
    assert_different(&a, &b);
    a = b;
    a.padding_value = 0.1f; /* the same number in the accumulator's type */
    assert_same(&a, &b);

    a = small_problem(), b = a;
    a.kernel[CONVC_H] = b.kernel[CONVC_H] = a.kernel[CONVC_W] = b.kernel[CONVC_W] = 1;
    b.flip = 1;
    b.dilation[CONVC_H] = 4;
    assert_same(&a, &b);

    a = small_problem(), b = a;
    a.kernel[CONVC_H] = b.kernel[CONVC_H] = 7;
    b.stride[CONVC_H] = 2; /* one output row */
    assert_same(&a, &b);
}

static void equal_memory_has_equal_strides_however_it_is_described(void **state)
{
    struct convc_problem a = small_problem(), b = a;
    a.in[CONVC_H] = b.in[CONVC_H] = a.in[CONVC_W] = b.in[CONVC_W] = 1;
    a.kernel[CONVC_H] = b.kernel[CONVC_H] = a.kernel[CONVC_W] = b.kernel[CONVC_W] = 1;
    b.layout = CONVC_NCHW; /* 1x1 images */
    assert_same(&a, &b);

    a = small_problem(), b = a;
    a.ic = b.ic = a.oc = b.oc = 1;
    b.layout = CONVC_NCHW; /* one channel */
    assert_same(&a, &b);

    a = small_problem(), b = a;
    int64_t dense[5] = { 7 * 9 * 6, 1, 12345, 9 * 6, 6 };
    memcpy(b.src_stride, dense, sizeof dense);
    assert_same(&a, &b);
    b.src_stride[CONVC_STRIDE_H]++;
    assert_different(&a, &b);

    problem_init(&a); /* an image of one row, and a signal */
    a.in[CONVC_W] = 9;
    b = a;
    b.spatial = 1;
    assert_same(&a, &b);
}

static void every_field_that_matters_is_part_of_the_key(void **state)
{
    struct convc_problem base = small_problem();
    base.pad_begin[CONVC_H] = base.pad_begin[CONVC_W] = 2;
    base.stride[CONVC_H] = base.dilation[CONVC_H] = 2;
    base.padding_mode = CONVC_PAD_CONSTANT;
    base.padding_value = 1;
    base.activation = CONVC_ACT_CLAMP;
    base.activation_args[1] = 6;
    struct convc_problem changed[22];
    for (int i = 0; i < 22; i++)
        changed[i] = base;
    changed[1].ic++;
    changed[2].oc++;
    changed[3].groups = 2;
    changed[4].in[CONVC_H]++;
    changed[5].kernel[CONVC_W]++;
    changed[6].stride[CONVC_W]++;
    changed[7].dilation[CONVC_W]++;
    changed[8].pad_begin[CONVC_W]++;
    changed[9].pad_end[CONVC_W]++;
    changed[10].padding_mode = CONVC_PAD_CIRCULAR;
    changed[11].padding_value++;
    changed[12].flip = 1;
    changed[13].bias = 1;
    changed[14].residual = 1;
    changed[15].activation = CONVC_ACT_RELU;
    changed[16].activation_args[0]--;
    changed[17].activation_args[1]++;
    changed[18].tolerance = 0;
    changed[19].layout = CONVC_NCHW;
    changed[20].src_dtype = changed[20].wei_dtype = changed[20].acc_dtype = changed[20].dst_dtype =
        CONVC_F64;
    int64_t stride[5] = { 1000, 1, 900, 100, 8 };
    memcpy(changed[21].dst_stride, stride, sizeof stride);
    for (int i = 0; i < 22; i++)
        for (int j = 0; j < i; j++)
            assert_different(&changed[i], &changed[j]);
}

/* ---- text ------------------------------------------------------------------------------------ */

static void a_problem_prints_in_benchdnn_notation(void **state)
{
    struct convc_problem p = small_problem();
    p.pad_begin[CONVC_H] = 1;
    p.dilation[CONVC_W] = 2;
    p.n = 4;
    assert_prints(&p, "g1mb4ic6ih7iw9oc8oh6ow5kh3kw3sh1sw1dh0dw1ph1pw0");
    p.padding_mode = CONVC_PAD_CONSTANT;
    p.padding_value = 0.5;
    p.flip = p.bias = p.residual = 1;
    p.activation = CONVC_ACT_CLAMP;
    p.activation_args[0] = -1e-3f;
    p.activation_args[1] = 6;
    p.layout = CONVC_NCHW;
    p.tolerance = 0;
    p.src_dtype = p.wei_dtype = p.acc_dtype = p.dst_dtype = CONVC_F64;
    assert_prints(&p, "g1mb4ic6ih7iw9oc8oh6ow5kh3kw3sh1sw1dh0dw1ph1pw0;mode=constant;value=0.5"
                      ";flip;bias;residual;act=clamp,-0.0010000000474974513,6;dtype=f64"
                      ";layout=nchw;tol=0");

    problem_init(&p);
    p.spatial = 1;
    p.in[CONVC_W] = 16;
    p.kernel[CONVC_W] = 4;
    p.pad_begin[CONVC_W] = -2;
    p.src_stride[CONVC_STRIDE_N] = 64;
    p.src_stride[CONVC_STRIDE_W] = 3;
    assert_prints(&p, "g1mb1ic1iw16oc1ow11kw4sw1dw0pw-2;src_strides=64,1,48,48,3");

    problem_init(&p);
    p.spatial = 3;
    assert_prints(&p, "g1mb1ic1id1ih1iw1oc1od1oh1ow1kd1kh1kw1sd1sh1sw1dd0dh0dw0pd0ph0pw0");
}

static void distinct_keys_print_distinct_lines(void **state)
{
    struct test_random r = { test_seed("test_problem", 1) };
    enum { COUNT = 400 };
    static struct convc_problem p[COUNT];
    static char *text[COUNT];
    for (int i = 0; i < COUNT; i++) {
        draw_problem(&r, &p[i]);
        p[i].n = 1;
        p[i].spatial = 3;
        text[i] = text_of(&p[i]);
    }
    for (int i = 0; i < COUNT; i++)
        for (int j = 0; j < i; j++) {
            struct problem_key a = key_of(&p[i]), b = key_of(&p[j]);
            if (memcmp(&a, &b, sizeof a) != 0 && strcmp(text[i], text[j]) == 0)
                fail_msg("%s", text[i]);
        }
    for (int i = 0; i < COUNT; i++)
        free(text[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(resolving_twice_changes_nothing),
        cmocka_unit_test(what_cannot_matter_is_no_part_of_the_key),
        cmocka_unit_test(equal_memory_has_equal_strides_however_it_is_described),
        cmocka_unit_test(every_field_that_matters_is_part_of_the_key),
        cmocka_unit_test(a_problem_prints_in_benchdnn_notation),
        cmocka_unit_test(distinct_keys_print_distinct_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
