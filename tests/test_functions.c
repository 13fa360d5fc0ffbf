/* Functions of the user in problems: one form and one key for what is equal, paddings that mean
 * what they say, and kernels that compute it. */
#include "gen/problem/problem.h"
#include "gen/spec/spec.h"
#include "tests/support/named.h"
#include "tests/support/small.h"

#include <convc/convc.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static bool same_key(const struct convc_problem *a, const struct convc_problem *b)
{
    struct problem_key ka = key_of(a), kb = key_of(b);
    return !memcmp(&ka, &kb, sizeof ka);
}

static struct convc_problem with(const char *combine, const char *reduce, double init)
{
    struct convc_problem p = small_problem();
    p.combine = combine;
    p.reduce = reduce;
    p.reduce_init = init;
    return p;
}

/* ---- identity ---------------------------------------------------------------------------------
 */

static void sums_of_products_have_the_usual_key(void **state)
{
    struct convc_problem plain = small_problem();
    const struct convc_problem same[] = {
        with("", "", 0),
        with("mul(x,w)", NULL, 0),
        with("mul(w,x)", "sum", 0),
        with("mul(neg(x),neg(w))", "add(acc,t)", 0),
        with("neg(mul(x,w))", "sub(acc,t)", 0),
        with(NULL, "add(t,acc)", -0.0),
    };
    const struct convc_problem other[] = {
        with("neg(mul(x,w))", "sum", 0),
        with("mul(x,x)", "sum", 0),
        with(NULL, "add(acc,t)", 1),
        with(NULL, "max", 0),
    };
    (void)state;
    for (size_t i = 0; i < sizeof same / sizeof *same; i++)
        assert_true(same_key(&plain, &same[i]));
    for (size_t i = 0; i < sizeof other / sizeof *other; i++) {
        assert_false(same_key(&plain, &other[i]));
        for (size_t k = 0; k < i; k++)
            assert_false(same_key(&other[i], &other[k]));
    }
}

static void reductions_with_a_name_have_it(void **state)
{
    const struct convc_problem pairs[][2] = {
        { with("sub(x,w)", "add(acc,mul(t,t))", 0), with("pow(sub(x,w),2)", "sum", 0) },
        { with("add(x,w)", "max(t,acc)", -INFINITY), with("add(x,w)", "max", 0) },
        { with("add(x,w)", "min(acc,abs(t))", INFINITY), with("abs(add(x,w))", "min", 0) },
        { with("add(x,w)", "mul(acc,t)", 1), with("add(w,x)", "prod", 0) },
        { with("add(x,w)", "sub(acc,t)", 0), with("neg(add(x,w))", NULL, 0) },
    };
    (void)state;
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        assert_true(same_key(&pairs[i][0], &pairs[i][1]));
    /* These read acc more than once, or not as the reduction does. */
    static const char *const folds[] = { "add(acc,mul(acc,t))", "sub(t,acc)", "t", "add(acc,1)" };
    for (size_t i = 0; i < 3; i++) {
        struct convc_problem p = with("add(x,w)", folds[i], 0);
        assert_int_equal(resolved(&p).f.reduce, REDUCE_FOLD);
    }
}

/* What the text of a problem reads back to. */
static void texts_read_back_to_the_same_key(void **state)
{
    static const char *const lines[] = {
        "ic3ih8oc4kh3ph1;combine=abs(sub(x,w))",
        "ic3ih8oc4kh3ph1;combine=add(x,w);reduce=max",
        "ic3ih8oc4kh3ph1;mode=identity;combine=add(x,w);reduce=max",
        "ic3ih8oc4kh3ph1;mode=identity;combine=abs(sub(x,w))",
        "ic3ih8oc4kh3ph1;mode=constant;value=2;combine=max(x,w);reduce=max(acc,t);init=-inf",
        "ic3ih8oc4kh3ph1;mode=reflect;reduce=add(mul(acc,0.1),t);init=0.3;dtype=f64",
        "ic3ih8oc4kh3;epilogue=relu(add(mul(acc,s),b));args=s:scalar,b:tensor",
        "ic3ih8oc4kh3;bias;combine=min(x,w);reduce=prod;act=relu",
    };
    (void)state;
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        assert_prints_back(lines[i]);
}

static void what_does_not_go_together_is_refused(void **state)
{
    struct convc_problem p = small_problem();
    (void)state;
    p.combine = "foo(x)";
    assert_refused(&p, CONVC_ERR_SPEC, "combine: foo is no function");
    p = with(NULL, "mean", 0);
    assert_refused(
        &p, CONVC_ERR_SPEC,
        "reduce: none of sum, max, min, prod: an unknown name at \"mean\" (character 1)");
    p = with(NULL, "max", 3);
    assert_refused(&p, CONVC_ERR_ARGUMENT,
                   "reduce: init=3 is for a function of acc and t; max has its own");
    p = with(NULL, "max(acc,t)", NAN);
    assert_refused(&p, CONVC_ERR_ARGUMENT, "reduce: init=nan is no number");
    p = small_problem();
    p.epilogue = "acc";
    p.residual = 1;
    assert_refused(&p, CONVC_ERR_ARGUMENT,
                   "epilogue takes the place of bias, residual and activation: residual cannot be "
                   "given too");
    p.residual = 0;
    p.epilogue = "add(acc,b)";
    assert_refused(&p, CONVC_ERR_SPEC, "epilogue: an unknown name at \"b)\" (character 9)");
    p.args = "b:row";
    assert_refused(&p, CONVC_ERR_SPEC, "args: b=row is none of channel, tensor, scalar");
    p.args = "b:scalar,b:tensor";
    assert_refused(&p, CONVC_ERR_SPEC, "args: b is there twice");
    p.args = "b:scalar,";
    assert_refused(&p, CONVC_ERR_SPEC,
                   "args: \"\" does not begin with NAME:KIND, a name of 1 to 31 letters, digits "
                   "and _ other than acc and inf");
    p.epilogue = NULL;
    assert_refused(&p, CONVC_ERR_ARGUMENT, "args are for an epilogue, and there is none");
}

/* ---- paddings ---------------------------------------------------------------------------------
 */

static void zeros_are_left_out_only_where_they_change_nothing(void **state)
{
    static const struct {
        const char *combine, *reduce;
        bool skips;
    } cases[] = {
        { "mul(x,w)", "sum", true },
        { "mul(abs(x),w)", "sum", true },
        { "abs(sub(x,w))", "sum", false },
        { "mul(x,w)", "max", false },
        { "add(x,w)", "max", false },
        { "mul(x,w)", "prod", false },
        { "add(1,mul(x,w))", "prod", true },
        { "mul(x,w)", "where(eq(t,0),acc,t)", false },
        { "mul(x,w)", "add(acc,max(t,0))", true },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct convc_problem p = with(cases[i].combine, cases[i].reduce, 0);
        p.pad_begin[CONVC_W] = 1;
        struct problem r = resolved(&p);
        assert_int_equal(r.p.padding_mode, cases[i].skips ? CONVC_PAD_ZEROS : CONVC_PAD_CONSTANT);
        p.padding_mode = CONVC_PAD_IDENTITY;
        assert_int_equal(resolved(&p).p.padding_mode, CONVC_PAD_ZEROS);
    }
}

static void lanes_hold_what_changes_nothing(void **state)
{
    struct convc_problem p = with("add(x,w)", "max", 0);
    (void)state;
    p.pad_begin[CONVC_W] = 1;
    p.padding_mode = CONVC_PAD_IDENTITY;
    assert_true(resolved(&p).f.neutral);
    assert_true(resolved(&p).p.padding_value == -INFINITY);
    p.reduce = "min";
    assert_true(resolved(&p).p.padding_value == INFINITY);
    p.combine = "abs(sub(x,w))";
    assert_true(isinf(resolved(&p).p.padding_value));
    p.reduce = "sum";
    assert_false(resolved(&p).f.neutral);
}

/* ---- kernels ----------------------------------------------------------------------------------
 */

/* One row of 9 pixels, one channel, kernel 3, and what comes out. */
static void run_row(const struct convc_problem *p, const float *wei, const void *const *user,
                    float dst[9])
{
    static const float src[9] = { 3, -1, 4, -1, 5, -9, 2, 6, -5 };
    convc_context *cx;
    convc_kernel *k;
    struct convc_context_options opt = { .struct_bytes = sizeof opt, .flags = CONVC_NO_DISK_CACHE };
    assert_int_equal(convc_context_create(&opt, &cx), CONVC_OK);
    if (convc_compile(cx, p, NULL, &k) != CONVC_OK)
        fail_msg("%s", convc_last_error());
    void *packed = aligned_alloc(64, (convc_packed_bytes(k) + 63) / 64 * 64);
    assert_int_equal(convc_pack(k, wei, packed), CONVC_OK);
    struct convc_args args = { sizeof args, .src = src, .wei = packed,
                               .dst = dst,  .n = 1,     .user = user };
    if (convc_run(k, &args) != CONVC_OK)
        fail_msg("%s", convc_last_error());
    free(packed);
    convc_kernel_release(k);
    convc_context_destroy(cx);
}

static struct convc_problem row_problem(void)
{
    struct convc_problem p;
    convc_problem_init(&p);
    p.spatial = 1;
    p.in[CONVC_W] = 9;
    p.kernel[CONVC_W] = 3;
    p.pad_begin[CONVC_W] = p.pad_end[CONVC_W] = 1;
    return p;
}

static void assert_row(const float *got, const float *want)
{
    for (int i = 0; i < 9; i++) {
        if (got[i] != want[i])
            fail_msg("output %d is %g, not %g", i, (double)got[i], (double)want[i]);
    }
}

static void rows_worked_out_by_hand(void **state)
{
    const float wei[3] = { 1, 0, 2 };
    float dst[9];
    struct convc_problem p = row_problem();
    (void)state;
    p.combine = "add(x,w)";
    p.reduce = "max";
    run_row(&p, wei, NULL, dst); /* zeros are values */
    assert_row(dst, (float[]){ 3, 6, 4, 7, 5, 6, 8, 6, 7 });
    p.padding_mode = CONVC_PAD_IDENTITY;
    run_row(&p, wei, NULL, dst);
    assert_row(dst, (float[]){ 3, 6, 4, 7, 5, 6, 8, 6, 7 });
    p.reduce = "min";
    run_row(&p, wei, NULL, dst);
    assert_row(dst, (float[]){ 1, -1, 0, -1, -7, -9, -8, -3, -5 });
    p.combine = "abs(sub(x,w))";
    p.reduce = NULL;
    run_row(&p, wei, NULL, dst);
    assert_row(dst, (float[]){ 6, 5, 9, 7, 18, 13, 16, 14, 10 });
    p.padding_mode = CONVC_PAD_ZEROS;
    run_row(&p, wei, NULL, dst);
    assert_row(dst, (float[]){ 7, 5, 9, 7, 18, 13, 16, 14, 12 });
    /* In order: the last tap weighs most. */
    p.combine = NULL;
    p.reduce = "add(mul(acc,0.5),t)";
    p.reduce_init = 16;
    run_row(&p, wei, NULL, dst);
    assert_row(dst, (float[]){ 0, 10.75f, -0.25f, 13, -16.25f, 7.25f, 11.75f, -7.5f, 3.5f });
}

static void epilogues_read_their_args(void **state)
{
    const float wei[3] = { 1, 0, 2 }, scale = 2, gain = -1;
    float dst[9], shift[9];
    struct convc_problem p = row_problem();
    const void *user[3] = { &scale, shift, &gain };
    (void)state;
    for (int i = 0; i < 9; i++)
        shift[i] = (float)i;
    p.epilogue = "mul(gain,relu(add(mul(acc,scale),shift)))";
    p.args = "scale:channel,shift:tensor,gain:scalar";
    run_row(&p, wei, user, dst);
    assert_row(dst, (float[]){ 0, -23, 0, -31, 0, -23, -12, 0, -20 });
    user[1] = dst; /* a tensor may be dst itself */
    memcpy(dst, shift, sizeof dst);
    run_row(&p, wei, user, dst);
    assert_row(dst, (float[]){ 0, -23, 0, -31, 0, -23, -12, 0, -20 });
}

static void missing_args_are_refused(void **state)
{
    struct convc_problem p = row_problem();
    convc_context *cx;
    convc_kernel *k;
    float src[9] = { 0 }, dst[9], wei[3] = { 0 }, *arg = NULL;
    const void *user[1] = { NULL };
    (void)state;
    p.epilogue = "add(acc,b)";
    p.args = "b:tensor";
    struct convc_context_options opt = { .struct_bytes = sizeof opt, .flags = CONVC_NO_DISK_CACHE };
    assert_int_equal(convc_context_create(&opt, &cx), CONVC_OK);
    assert_int_equal(convc_compile(cx, &p, NULL, &k), CONVC_OK);
    void *packed = aligned_alloc(64, (convc_packed_bytes(k) + 63) / 64 * 64);
    convc_pack(k, wei, packed);
    struct convc_args args = { sizeof args, .src = src, .wei = packed, .dst = dst, .n = 1 };
    assert_int_equal(convc_run(k, &args), CONVC_ERR_ARGUMENT);
    assert_string_equal(convc_last_error(), "b is missing");
    args.user = user;
    assert_int_equal(convc_run(k, &args), CONVC_ERR_ARGUMENT);
    user[0] = (char *)dst + 4;
    assert_int_equal(convc_run(k, &args), CONVC_ERR_ARGUMENT);
    assert_string_equal(convc_last_error(), "dst overlaps b");
    user[0] = (char *)src + 1;
    assert_int_equal(convc_run(k, &args), CONVC_ERR_ARGUMENT);
    args.wei = wei;
    user[0] = arg;
    assert_int_equal(convc_reference(&p, &args), CONVC_ERR_ARGUMENT);
    assert_string_equal(convc_last_error(), "user[0], b, is missing");
    free(packed);
    convc_kernel_release(k);
    convc_context_destroy(cx);
}

static void args_may_not_lie_in_the_workspace(void **state)
{
    enum { CHANNELS = 16, SIDE = 8, ELEMENTS = CHANNELS * SIDE * SIDE };
    static float src[ELEMENTS], dst[ELEMENTS], wei[CHANNELS * CHANNELS];
    const struct convc_compile_options opt = {
        .struct_bytes = sizeof opt,
        .plan = "direct lanes=oc tile=1x4x1 border=none src=strip fold=64",
    };
    convc_context *cx;
    convc_kernel *k;
    struct convc_problem p;
    (void)state;
    convc_problem_init(&p);
    p.ic = p.oc = CHANNELS;
    p.in[CONVC_H] = p.in[CONVC_W] = SIDE;
    p.kernel[CONVC_H] = p.kernel[CONVC_W] = 1;
    p.layout = CONVC_NCHW;
    p.epilogue = "mul(acc,scale)";
    p.args = "scale:channel";
    struct convc_context_options cpu = { .struct_bytes = sizeof cpu, .flags = CONVC_NO_DISK_CACHE };
    assert_int_equal(convc_context_create(&cpu, &cx), CONVC_OK);
    if (convc_compile(cx, &p, &opt, &k) != CONVC_OK)
        fail_msg("%s", convc_last_error());
    size_t bytes = convc_workspace_bytes(k, 1, 0);
    assert_true(bytes >= sizeof(float) * CHANNELS);
    void *packed = aligned_alloc(64, (convc_packed_bytes(k) + 63) / 64 * 64);
    char *workspace = aligned_alloc(64, (bytes + 63) / 64 * 64);
    convc_pack(k, wei, packed);
    const void *user[1] = { workspace + bytes - 4 };
    struct convc_args args = { sizeof args, .src = src, .wei = packed, .dst = dst, .n = 1 };
    args.user = user;
    args.workspace = workspace;
    assert_int_equal(convc_run(k, &args), CONVC_ERR_ARGUMENT);
    assert_string_equal(convc_last_error(), "the workspace overlaps scale");
    user[0] = src;
    assert_int_equal(convc_run(k, &args), CONVC_OK);
    free(workspace);
    free(packed);
    convc_kernel_release(k);
    convc_context_destroy(cx);
}

/* The bound of whole numbers is 0, that of others is not, and not far from the rounding. */
static void errors_are_those_of_the_operations(void **state)
{
    struct convc_problem p = row_problem();
    float src[9] = { 3, -1, 4, -1, 5, -9, 2, 6, -5 }, wei[3] = { 1, 0, 2 };
    struct convc_args args = { sizeof args, .src = src, .wei = wei, .n = 1 };
    const int64_t index = 4;
    double error, value;
    (void)state;
    assert_int_equal(convc_reference_error_at(&p, &args, &index, 1, &error), CONVC_ERR_UNSUPPORTED);
    p.combine = "abs(sub(x,w))";
    assert_int_equal(convc_reference_error_at(&p, &args, &index, 1, &error), CONVC_OK);
    assert_true(error == 0);
    src[4] = 0.1f;
    wei[1] = 1e-3f;
    assert_int_equal(convc_reference_error_at(&p, &args, &index, 1, &error), CONVC_OK);
    assert_int_equal(convc_reference_at(&p, &args, &index, 1, &value), CONVC_OK);
    assert_true(error > 0x1p-24 && error < 16 * 0x1p-24 * fabs(value));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_of_products_have_the_usual_key),
        cmocka_unit_test(reductions_with_a_name_have_it),
        cmocka_unit_test(texts_read_back_to_the_same_key),
        cmocka_unit_test(what_does_not_go_together_is_refused),
        cmocka_unit_test(zeros_are_left_out_only_where_they_change_nothing),
        cmocka_unit_test(lanes_hold_what_changes_nothing),
        cmocka_unit_test(rows_worked_out_by_hand),
        cmocka_unit_test(epilogues_read_their_args),
        cmocka_unit_test(missing_args_are_refused),
        cmocka_unit_test(args_may_not_lie_in_the_workspace),
        cmocka_unit_test(errors_are_those_of_the_operations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
