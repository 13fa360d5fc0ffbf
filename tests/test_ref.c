#include "runtime/ref.h"

#include "gen/plan/choose.h"
#include "tests/support/draw.h"
#include "tests/support/element.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- one problem with its tensors ------------------------------------------------------------ */

struct run {
    struct problem p;
    struct layout layout;
    struct convc_args args;
    void *src, *wei, *bias, *residual, *dst;
    int64_t src_span, dst_span, wei_count;
};

/* What dst holds before. */
static double untouched(const struct run *r)
{
    enum convc_dtype t = r->p.p.dst_dtype;
    return dtype_whole(t) ? dtype_most(t) - 1 : -12345;
}

/* `count` small integers, so that sums are exact in any order; sparse ones. */
static void *draw_tensor(enum convc_dtype t, struct test_random *random, int64_t count)
{
    void *tensor = malloc((size_t)(count + 1) * 8);
    assert_non_null(tensor);
    for (int64_t i = 0; i < count; i++) {
        bool zero = test_random_in(random, 0, 2) == 0;
        int64_t least = dtype_whole(t) && dtype_least(t) == 0 ? 0 : -4;
        element_set(t, tensor, i, zero ? 0 : (double)test_random_in(random, least, 4));
    }
    return tensor;
}

static void wipe(struct run *r)
{
    for (int64_t i = 0; i < r->dst_span; i++)
        element_set(r->p.p.dst_dtype, r->dst, i, untouched(r));
}

static void run_create(struct run *r, const struct convc_problem *p, struct test_random *random)
{
    struct diag d = { 0 };
    if (problem_resolve(p, &r->p, &d) != CONVC_OK)
        fail_msg("%s", d.text);
    layout_plain(&r->p, &r->layout);
    const int64_t *k = p->kernel;
    r->wei_count = p->oc * r->p.icg * k[0] * k[1] * k[2];
    r->src_span = problem_span(r->p.p.src_stride, p->n, p->ic, p->in);
    r->dst_span = problem_span(r->p.p.dst_stride, p->n, p->oc, r->p.out);
    r->src = draw_tensor(r->p.p.src_dtype, random, r->src_span);
    r->wei = draw_tensor(r->p.p.wei_dtype, random, r->wei_count);
    r->bias = draw_tensor(r->p.p.acc_dtype, random, p->oc);
    r->residual = draw_tensor(r->p.p.dst_dtype, random, r->dst_span);
    r->dst = draw_tensor(r->p.p.dst_dtype, random, r->dst_span);
    wipe(r);
    r->args = (struct convc_args){ .struct_bytes = sizeof r->args,
                                   .src = r->src,
                                   .wei = r->wei,
                                   .bias = r->bias,
                                   .residual = r->residual,
                                   .dst = r->dst,
                                   .n = p->n };
}

static void run_free(struct run *r)
{
    free(r->src);
    free(r->wei);
    free(r->bias);
    free(r->residual);
    free(r->dst);
}

static void run_all(const struct run *r)
{
    ref_run(&r->p, &r->layout, &r->args, r->wei, 0, ref_items(&r->p, r->args.n));
}

_Noreturn static void fail_at(const struct run *r, int64_t i, double got, double expected)
{
    struct text t = { 0 };
    problem_print(&r->p, &t);
    print_error("%s\noutput %d is %.17g, not %.17g\n", t.data, (int)i, got, expected);
    text_free(&t);
    fail();
    abort();
}

/* ---- an oracle of its own: pads the input in memory, then slides ------------------------------
 */

/* The element that position i of the padded axis holds, -1 for none: the definition of the modes as
 * pictures, abcd becoming ...dcb|abcd|cba... and so on, unrolled to both sides by copying. */
static void pad_axis(enum convc_padding_mode mode, int64_t n, int64_t begin, int64_t count,
                     int64_t *from)
{
    int64_t period[64], size = 0;
    for (int64_t i = 0; i < n; i++)
        period[size++] = i;
    if (mode == CONVC_PAD_REFLECT)
        for (int64_t i = n - 2; i >= 1; i--)
            period[size++] = i;
    if (mode == CONVC_PAD_SYMMETRIC)
        for (int64_t i = n - 1; i >= 0; i--)
            period[size++] = i;
    for (int64_t i = 0; i < count; i++) {
        int64_t at = i - begin;
        if (at >= 0 && at < n)
            from[i] = at;
        else if (mode == CONVC_PAD_REPLICATE)
            from[i] = at < 0 ? 0 : n - 1;
        else if (mode == CONVC_PAD_REFLECT || mode == CONVC_PAD_SYMMETRIC ||
                 mode == CONVC_PAD_CIRCULAR)
            from[i] = period[(at + 1000 * size) % size];
        else
            from[i] = -1;
    }
}

struct oracle {
    const struct run *r;
    int64_t from[3][128];
};

static struct oracle oracle_of(const struct run *r, const struct convc_problem *p)
{
    struct oracle o = { .r = r };
    for (int a = 0; a < 3; a++)
        pad_axis(p->padding_mode, p->in[a], p->pad_begin[a],
                 p->in[a] + p->pad_begin[a] + p->pad_end[a], o.from[a]);
    return o;
}

static double padded(const struct oracle *o, const struct convc_problem *p, int64_t n, int64_t c,
                     const int64_t at[3])
{
    const int64_t *s = o->r->p.p.src_stride;
    int64_t d = o->from[0][at[0]], h = o->from[1][at[1]], w = o->from[2][at[2]];
    if (d < 0 || h < 0 || w < 0)
        return p->padding_mode == CONVC_PAD_CONSTANT ? p->padding_value : 0;
    return element_get(p->src_dtype, o->r->src,
                       n * s[0] + c * s[1] + d * s[2] + h * s[3] + w * s[4]);
}

static double oracle_sum(const struct oracle *o, const struct convc_problem *p, int64_t n,
                         int64_t oc, const int64_t x[3])
{
    int64_t icg = p->ic / p->groups, group = oc / (p->oc / p->groups);
    const int64_t *k = p->kernel;
    double sum = 0;
    for (int64_t t = 0; t < icg * k[0] * k[1] * k[2]; t++) {
        int64_t tap[3] = { t / k[2] / k[1] % k[0], t / k[2] % k[1], t % k[2] };
        int64_t i = t / k[2] / k[1] / k[0], at[3];
        for (int a = 0; a < 3; a++) {
            int64_t slid = p->flip ? k[a] - 1 - tap[a] : tap[a];
            at[a] = x[a] * p->stride[a] + slid * p->dilation[a];
        }
        sum += element_get(p->wei_dtype, o->r->wei, oc * icg * k[0] * k[1] * k[2] + t) *
               padded(o, p, n, group * icg + i, at);
    }
    return sum;
}

/* The address of output i in N, C, spatial order. */
static int64_t dst_at(const struct run *r, int64_t i, int64_t *n, int64_t *oc, int64_t x[3])
{
    for (int a = 2; a >= 0; a--) {
        x[a] = i % r->p.out[a];
        i /= r->p.out[a];
    }
    *oc = i % r->p.p.oc;
    *n = i / r->p.p.oc;
    const int64_t *s = r->p.p.dst_stride;
    return *n * s[0] + *oc * s[1] + x[0] * s[2] + x[1] * s[3] + x[2] * s[4];
}

static int64_t outputs(const struct run *r)
{
    return r->args.n * r->p.p.oc * r->p.out[0] * r->p.out[1] * r->p.out[2];
}

/* What y is in dst. */
static double stored(enum convc_dtype t, long double y)
{
    if (!dtype_whole(t))
        return t == CONVC_F64 ? (double)y : (double)(float)y;
    double whole = (double)nearbyintl(y);
    return whole < dtype_least(t) ? dtype_least(t) : whole > dtype_most(t) ? dtype_most(t) : whole;
}

static void check_against_oracle(const struct run *r, const struct convc_problem *p)
{
    struct oracle o = oracle_of(r, p);
    int64_t written = 0;
    for (int64_t i = 0; i < outputs(r); i++) {
        int64_t n, oc, x[3];
        int64_t at = dst_at(r, i, &n, &oc, x);
        double sum = oracle_sum(&o, p, n, oc, x);
        sum += p->bias ? element_get(p->acc_dtype, r->bias, oc) : 0;
        sum += p->residual ? element_get(p->dst_dtype, r->residual, at) : 0;
        long double y = ref_activation(p->activation, p->activation_args, sum);
        double expected = stored(p->dst_dtype, y);
        if (element_get(r->p.p.dst_dtype, r->dst, at) != expected)
            fail_at(r, i, element_get(r->p.p.dst_dtype, r->dst, at), expected);
        if (ref_at(&r->p, &r->layout, &r->args, r->wei, i) != y)
            fail_at(r, i, (double)ref_at(&r->p, &r->layout, &r->args, r->wei, i), (double)y);
        element_set(p->dst_dtype, r->dst, at, untouched(r));
        written++;
    }
    for (int64_t i = 0; i < r->dst_span; i++)
        if (element_get(r->p.p.dst_dtype, r->dst, i) != untouched(r))
            fail_at(r, -1, element_get(r->p.p.dst_dtype, r->dst, i), untouched(r));
    assert_int_equal(written, outputs(r));
}

/* ---- facts ----------------------------------------------------------------------------------- */

static void any_problem_equals_sliding_over_a_padded_input(void **state)
{
    struct test_random random = { test_seed("test_ref", 1) };
    for (int64_t round = 0; round < test_count(1500); round++) {
        struct convc_problem p;
        draw_problem(&random, &p);
        struct run r;
        run_create(&r, &p, &random);
        run_all(&r);
        check_against_oracle(&r, &p);
        run_free(&r);
    }
}

static void any_split_of_the_work_gives_the_same(void **state)
{
    struct test_random random = { test_seed("test_ref", 2) };
    for (int64_t round = 0; round < test_count(100); round++) {
        struct convc_problem p;
        draw_problem(&random, &p);
        struct run r;
        run_create(&r, &p, &random);
        int64_t items = ref_items(&r.p, p.n), next;
        for (int64_t at = 0; at < items; at = next) {
            next = test_random_in(&random, at, items);
            ref_run(&r.p, &r.layout, &r.args, r.wei, at, next);
        }
        check_against_oracle(&r, &p);
        run_free(&r);
    }
}

static void packed_weights_give_the_same_as_plain_ones(void **state)
{
    struct test_random random = { test_seed("test_ref", 3) };
    struct target target;
    struct diag d = { 0 };
    assert_int_equal(target_parse("x86_64-pc-linux-gnu:x86-64-v3", &target, &d), CONVC_OK);
    for (int64_t round = 0; round < test_count(300); round++) {
        struct convc_problem p;
        draw_problem(&random, &p);
        struct run r;
        run_create(&r, &p, &random);
        struct plan plan;
        assert_int_equal(choose_plan(&r.p, &target, &plan, &d), CONVC_OK);
        struct layout packed;
        plan_layout(&r.p, &plan, &target, &packed);

        void *wei = calloc((size_t)layout_elements(&packed), 8);
        assert_non_null(wei);
        for (int64_t i = 0; i < r.wei_count; i++) {
            const int64_t *k = p.kernel;
            int64_t tap[3] = { i / k[2] / k[1] % k[0], i / k[2] % k[1], i % k[2] };
            int64_t c = i / k[2] / k[1] / k[0];
            int64_t at = layout_index(&packed, c / r.p.icg, c % r.p.icg, tap);
            element_set(p.wei_dtype, wei, at, element_get(p.wei_dtype, r.wei, i));
        }
        ref_run(&r.p, &packed, &r.args, wei, 0, ref_items(&r.p, p.n));
        check_against_oracle(&r, &p);
        free(wei);
        run_free(&r);
    }
}

static void the_residual_may_be_the_output(void **state)
{
    struct test_random random = { 4 };
    struct convc_problem p;
    problem_init(&p);
    p.in[CONVC_H] = p.in[CONVC_W] = 5;
    p.ic = p.oc = 3;
    p.residual = 1;
    struct run r;
    run_create(&r, &p, &random);
    run_all(&r);

    float in_place[75];
    assert_int_equal(r.dst_span, 75);
    memcpy(in_place, r.residual, sizeof in_place);
    r.args.residual = r.args.dst = in_place;
    run_all(&r);
    assert_memory_equal(in_place, r.dst, sizeof in_place);
    run_free(&r);
}

static void an_empty_batch_writes_nothing(void **state)
{
    struct test_random random = { 5 };
    struct convc_problem p;
    problem_init(&p);
    p.oc = 4;
    struct run r;
    run_create(&r, &p, &random);
    r.args.n = 0;
    assert_int_equal(ref_items(&r.p, 0), 0);
    run_all(&r);
    for (int64_t i = 0; i < r.dst_span; i++)
        assert_true(element_get(r.p.p.dst_dtype, r.dst, i) == untouched(&r));
    run_free(&r);
}

/* Worked by hand: src 1 2 3 4, wei 1 10 100, two more on both sides. */
static void borders_of_a_signal_by_hand(void **state)
{
    static const float expected[][6] = {
        [CONVC_PAD_ZEROS] = { 100, 210, 321, 432, 43, 4 },
        [CONVC_PAD_CONSTANT] = { 155, 215, 321, 432, 543, 554 },
        [CONVC_PAD_REFLECT] = { 123, 212, 321, 432, 343, 234 },
        [CONVC_PAD_SYMMETRIC] = { 112, 211, 321, 432, 443, 344 },
        [CONVC_PAD_REPLICATE] = { 111, 211, 321, 432, 443, 444 },
        [CONVC_PAD_CIRCULAR] = { 143, 214, 321, 432, 143, 214 },
        [CONVC_PAD_IDENTITY] = { 100, 210, 321, 432, 43, 4 },
    };
    const float src[4] = { 1, 2, 3, 4 }, wei[3] = { 1, 10, 100 };
    for (int mode = 0; mode <= CONVC_PAD_IDENTITY; mode++) {
        struct convc_problem from;
        problem_init(&from);
        from.spatial = 1;
        from.in[CONVC_W] = 4;
        from.kernel[CONVC_W] = 3;
        from.pad_begin[CONVC_W] = from.pad_end[CONVC_W] = 2;
        from.padding_mode = (enum convc_padding_mode)mode;
        from.padding_value = 5;
        struct problem p;
        struct diag d = { 0 };
        assert_int_equal(problem_resolve(&from, &p, &d), CONVC_OK);
        struct layout layout;
        layout_plain(&p, &layout);
        float dst[6];
        struct convc_args args = { .src = src, .dst = dst, .n = 1 };
        ref_run(&p, &layout, &args, wei, 0, 1);
        for (int i = 0; i < 6; i++)
            if (dst[i] != expected[mode][i])
                fail_msg("%s, output %d: %g, not %g", padding_mode_name(from.padding_mode), i,
                         (double)dst[i], (double)expected[mode][i]);
    }
}

static void sums_are_wider_than_the_data(void **state)
{
    struct convc_problem from;
    problem_init(&from);
    from.ic = 3;
    struct problem p;
    struct diag d = { 0 };
    struct layout layout;
    assert_int_equal(problem_resolve(&from, &p, &d), CONVC_OK);
    layout_plain(&p, &layout);
    const float src[3] = { 1e8f, 1, -1e8f }, wei[3] = { 1, 1, 1 };
    float dst;
    struct convc_args args = { .src = src, .dst = &dst, .n = 1 };
    ref_run(&p, &layout, &args, wei, 0, 1);
    assert_true(dst == 1);
}

/* Values from the definitions, to 20 digits (mpmath). */
static void activations_follow_their_formulas(void **state)
{
    static const struct {
        enum convc_activation activation;
        double args[2];
        long double x, y;
    } cases[] = {
        { CONVC_ACT_NONE, { 0, 0 }, -3, -3 },
        { CONVC_ACT_RELU, { 0, 0 }, -3, 0 },
        { CONVC_ACT_RELU, { 0, 0 }, 3, 3 },
        { CONVC_ACT_CLAMP, { -1, 6 }, -3, -1 },
        { CONVC_ACT_CLAMP, { -1, 6 }, 3, 3 },
        { CONVC_ACT_CLAMP, { -1, 6 }, 7, 6 },
        { CONVC_ACT_LEAKY_RELU, { 0.25, 0 }, -3, -0.75L },
        { CONVC_ACT_LEAKY_RELU, { 0.25, 0 }, 3, 3 },
        { CONVC_ACT_SIGMOID, { 0, 0 }, 1, 0.73105857863000487925L },
        { CONVC_ACT_SIGMOID, { 0, 0 }, -200, 1.3838965267367375306e-87L },
        { CONVC_ACT_TANH, { 0, 0 }, 0.5L, 0.46211715726000975850L },
        { CONVC_ACT_SILU, { 0, 0 }, -1, -0.26894142136999512075L },
        { CONVC_ACT_GELU, { 0, 0 }, 1, 0.84134474606854294859L },
        { CONVC_ACT_GELU, { 0, 0 }, -1, -0.15865525393145705141L },
        { CONVC_ACT_HARDSWISH, { 0, 0 }, 1.5L, 1.125L },
        { CONVC_ACT_HARDSWISH, { 0, 0 }, -4, 0 },
        { CONVC_ACT_HARDSWISH, { 0, 0 }, 5, 5 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        long double y = ref_activation(cases[i].activation, cases[i].args, cases[i].x);
        if (!(fabsl(y - cases[i].y) <= 1e-18L * fabsl(cases[i].y)))
            fail_msg("%s(%Lg) is %.20Lg, not %.20Lg", activation_name(cases[i].activation),
                     cases[i].x, y, cases[i].y);
    }
}

static void what_is_no_number_compares_as_false(void **state)
{
    const double args[2] = { -1, 6 };
    assert_true(ref_activation(CONVC_ACT_RELU, args, NAN) == 0);
    assert_true(ref_activation(CONVC_ACT_CLAMP, args, NAN) == -1);
    assert_true(isnan(ref_activation(CONVC_ACT_LEAKY_RELU, args, NAN)));
    assert_true(isnan(ref_activation(CONVC_ACT_GELU, args, NAN)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_problem_equals_sliding_over_a_padded_input),
        cmocka_unit_test(any_split_of_the_work_gives_the_same),
        cmocka_unit_test(packed_weights_give_the_same_as_plain_ones),
        cmocka_unit_test(the_residual_may_be_the_output),
        cmocka_unit_test(an_empty_batch_writes_nothing),
        cmocka_unit_test(borders_of_a_signal_by_hand),
        cmocka_unit_test(sums_are_wider_than_the_data),
        cmocka_unit_test(activations_follow_their_formulas),
        cmocka_unit_test(what_is_no_number_compares_as_false),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
