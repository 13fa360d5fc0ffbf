/* The judge of `check`: what it lets pass, what it does not, and what its guards see. */
#include "runtime/cli/judge.h"
#include "runtime/cli/random.h"
#include "tests/support/support.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* A problem with gaps in both tensors, and what the reference says about it. */
struct scene {
    struct convc_problem p;
    struct operands operands;
    struct tensors tensors;
    struct expectation expectation;
    double *got; /* the right outputs */
    int64_t count;
};

static void must(enum exit_code code, const struct failure *f)
{
    if (code)
        fail_msg("%s", f->text);
}

static void set_up_types(struct scene *s, int64_t limit, enum convc_dtype src,
                         enum convc_dtype dst_dtype)
{
    struct failure f = { 0 };
    struct guarded dst;
    *s = (struct scene){ 0 };
    convc_problem_init(&s->p);
    s->p.src_dtype = src, s->p.dst_dtype = dst_dtype;
    s->p.n = 2, s->p.ic = 3, s->p.oc = 5, s->p.bias = s->p.residual = 1;
    s->p.in[CONVC_H] = 6, s->p.in[CONVC_W] = 7;
    s->p.kernel[CONVC_H] = s->p.kernel[CONVC_W] = 3;
    memcpy(s->p.src_stride, (int64_t[]){ 300, 2, 300, 45, 6 }, sizeof s->p.src_stride);
    memcpy(s->p.dst_stride, (int64_t[]){ 411, 3, 400, 17, 85 }, sizeof s->p.dst_stride);
    for (int i = 0; i <= OPERAND_RESIDUAL; i++)
        must(operand_fill_real(&s->p, i, 3, &s->operands.array[i], &f), &f);
    must(tensors_place(&s->p, &s->operands, 5, false, &s->tensors, &f), &f);
    must(expectation_create(&s->p, &s->operands, &s->tensors, limit, 2, &s->expectation, &f), &f);

    s->count = 2 * 5 * 4 * 5;
    s->got = calloc((size_t)s->count, sizeof *s->got);
    must(guarded_create(&s->p, 3, &dst, &f), &f);
    struct convc_args args = s->tensors.args;
    args.dst = dst.dst;
    assert_int_equal(convc_reference(&s->p, &args), CONVC_OK);
    must(guarded_take(&s->p, &dst, s->got, &f), &f);
    guarded_free(&dst);
}

static void set_up(struct scene *s, int64_t limit)
{
    set_up_types(s, limit, CONVC_F32, CONVC_F32);
}

static void tear_down(struct scene *s)
{
    operands_free(&s->operands);
    tensors_free(&s->tensors);
    expectation_free(&s->expectation);
    free(s->got);
}

static struct verdict verdict_of(const struct scene *s, double bound, bool exact)
{
    struct verdict v;
    struct convc_kernel_info info = { .error_bound = bound, .plain_sum = 1 };
    judge(&s->p, &s->expectation, s->got, &info, exact, &v);
    return v;
}

static void the_reference_itself_is_right(void **state)
{
    struct scene s;
    set_up(&s, 0);
    assert_int_equal(s.expectation.count, s.count);
    assert_false(verdict_of(&s, 0, false).wrong);
    assert_false(verdict_of(&s, 0, true).wrong);
    assert_true(verdict_of(&s, 0, true).max_error == 0);
    tear_down(&s);
}

static void one_wrong_output_is_found(void **state)
{
    struct scene s;
    set_up(&s, 0);
    for (int64_t i = 0; i < s.count; i += 37) {
        double right = s.got[i], scale = s.expectation.scale[i / 20];
        s.got[i] = right + 2e-5 * scale;
        struct verdict v = verdict_of(&s, 1e-5, false);
        assert_true(v.wrong && v.index == i);
        assert_true(fabs(v.max_error - 2e-5) < 1e-6);
        assert_false(verdict_of(&s, 3e-5, false).wrong);
        s.got[i] = (double)nextafterf((float)right, 10);
        assert_true(verdict_of(&s, 1e-5, true).wrong);
        s.got[i] = NAN;
        v = verdict_of(&s, 1, false);
        assert_true(v.wrong && v.index == i && isinf(v.max_error));
        s.got[i] = right;
    }
    tear_down(&s);
}

/* 1e38 and more of them meet in a sum that may have ended near 0: the order decides. */
static void a_wrong_output_is_told_with_its_place(void **state)
{
    const struct array outputs = { .rank = 4, .extent = { 2, 5, 4, 5 } };
    struct verdict v = { .wrong = true, .index = 133, .got = 0.5, .want = -2, .bound = 1e-6 };
    char text[VERDICT_TEXT];
    verdict_text(&v, &outputs, text);
    assert_string_equal(text, "output (1, 1, 2, 3) is 0.5, not -2 within 1e-06");
    v.exact = true;
    verdict_text(&v, &outputs, text);
    assert_string_equal(text, "output (1, 1, 2, 3) is 0.5, not -2 exactly");
}

static void sums_that_may_overflow_are_not_judged(void **state)
{
    struct scene s;
    set_up(&s, 0);
    s.got[0] = INFINITY;
    assert_true(verdict_of(&s, 1e-5, false).wrong);
    s.expectation.scale[0] = 1e39;
    struct verdict v = verdict_of(&s, 1e-5, false);
    assert_false(v.wrong);
    assert_true(v.max_error == 0);
    s.expectation.scale[0] = 3e38; /* f32 holds it */
    assert_true(verdict_of(&s, 1e-5, false).wrong);
    tear_down(&s);
}

/* Of a bound that reaches a half, both numbers beside it; never a third. */
static void whole_numbers_are_what_something_within_the_bound_is_stored_as(void **state)
{
    struct scene s;
    set_up_types(&s, 0, CONVC_U8, CONVC_S16);
    assert_false(verdict_of(&s, 0, true).wrong);
    for (int64_t i = 0; i < s.count; i += 7) {
        double right = s.got[i], want = s.expectation.want[i], scale = s.expectation.scale[i / 20];
        double other = want > right ? right + 1 : right - 1;
        double half = fabs(want - (right + other) / 2) / scale; /* from want to what lies between */
        s.got[i] = other;
        assert_true(verdict_of(&s, 0, true).wrong);
        assert_true(verdict_of(&s, 0.9 * half - 1e-6, false).wrong);
        assert_false(verdict_of(&s, 1.1 * half + 1e-6, false).wrong);
        s.got[i] = 2 * other - right;
        assert_true(verdict_of(&s, 1.1 * half + 1e-6, false).wrong);
        s.got[i] = right;
    }
    tear_down(&s);
}

/* The scale of a channel is the largest sum of absolute terms, by a formula of its own. */
static void scales_are_sums_of_absolute_terms(void **state)
{
    struct scene s;
    set_up(&s, 0);
    const double *src = s.operands.array[OPERAND_SRC].value;
    const double *wei = s.operands.array[OPERAND_WEI].value;
    for (int c = 0; c < 2 * 5; c++) {
        double largest = 0;
        for (int x = 0; x < 4 * 5; x++) {
            double sum = fabs((double)(float)s.operands.array[OPERAND_BIAS].value[c % 5]) +
                         fabs((double)(float)s.operands.array[OPERAND_RESIDUAL].value[c * 20 + x]);
            for (int i = 0; i < 27; i++) {
                int channel = c / 5 * 3 + i / 9, h = x / 5 + i / 3 % 3, w = x % 5 + i % 3;
                sum += fabs((double)(float)src[(channel * 6 + h) * 7 + w] *
                            (double)(float)wei[c % 5 * 27 + i]);
            }
            largest = fmax(largest, sum);
        }
        assert_true(fabs(s.expectation.scale[c] - largest) < 1e-12 * largest);
    }
    tear_down(&s);
}

static void samples_are_distinct_and_ascending(void **state)
{
    struct scene s;
    set_up(&s, 64);
    assert_int_equal(s.expectation.count, 64);
    for (int64_t i = 1; i < 64; i++)
        assert_true(s.expectation.index[i] > s.expectation.index[i - 1]);
    assert_true(s.expectation.index[0] >= 0 && s.expectation.index[63] < s.count);
    assert_false(verdict_of(&s, 0, true).wrong);
    tear_down(&s);
}

static void exactness_is_demanded_only_where_nothing_is_rounded(void **state)
{
    struct convc_problem p;
    convc_problem_init(&p);
    p.ic = 512, p.kernel[CONVC_H] = p.kernel[CONVC_W] = 3;
    assert_true(judge_exact(&p, 3));
    p.activation = CONVC_ACT_LEAKY_RELU;
    p.activation_args[0] = 0.125;
    assert_true(judge_exact(&p, 3));
    p.activation_args[0] = 0.01;
    assert_false(judge_exact(&p, 3));
    p.activation = CONVC_ACT_TANH;
    assert_false(judge_exact(&p, 3));
    p.activation = CONVC_ACT_NONE;
    p.padding_mode = CONVC_PAD_CONSTANT;
    p.padding_value = 0.1;
    assert_false(judge_exact(&p, 3));
    p.padding_value = 0.5;
    assert_true(judge_exact(&p, 3));
    p.padding_mode = CONVC_PAD_ZEROS;
    p.ic = 1 << 20;
    assert_false(judge_exact(&p, 3));
}

static void every_element_outside_of_the_outputs_is_guarded(void **state)
{
    struct scene s;
    struct failure f = { 0 };
    struct guarded dst;
    int64_t place;
    set_up(&s, 0);
    must(guarded_create(&s.p, 3, &dst, &f), &f);
    int64_t outputs = 0;
    for (int64_t i = 0; i < dst.elements; i++) {
        float *element = (float *)dst.base + i;
        *element = 1;
        must(guarded_take(&s.p, &dst, s.got, &f), &f);
        if (guarded_broken(&dst, &place))
            assert_int_equal(place, i - dst.before);
        else
            outputs++;
        guarded_free(&dst);
        must(guarded_create(&s.p, 3, &dst, &f), &f);
    }
    assert_int_equal(outputs, s.count);
    guarded_free(&dst);
    tear_down(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_reference_itself_is_right),
        cmocka_unit_test(one_wrong_output_is_found),
        cmocka_unit_test(a_wrong_output_is_told_with_its_place),
        cmocka_unit_test(sums_that_may_overflow_are_not_judged),
        cmocka_unit_test(whole_numbers_are_what_something_within_the_bound_is_stored_as),
        cmocka_unit_test(scales_are_sums_of_absolute_terms),
        cmocka_unit_test(samples_are_distinct_and_ascending),
        cmocka_unit_test(exactness_is_demanded_only_where_nothing_is_rounded),
        cmocka_unit_test(every_element_outside_of_the_outputs_is_guarded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
