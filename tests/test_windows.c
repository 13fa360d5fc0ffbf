/* Windows of the user: texts that share, networks that sort, one key for what is equal, and values
 * worked out by hand. */
#include "gen/expr/expr_eval.h"
#include "gen/expr/expr_simplify.h"
#include "gen/problem/problem.h"
#include "gen/spec/spec.h"
#include "tests/support/named.h"
#include "tests/support/small.h"
#include "tests/support/support.h"

#include <convc/convc.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- texts -------------------------------------------------------------------------------- */

static const struct expr_window windows[] = {
    { 1, { 1, 1, 5 } },
    { 2, { 1, 3, 4 } },
    { 3, { 2, 3, 2 } },
};

/* About `size` sums, differences and minima of taps, and of each other. */
static void draw_window(struct test_random *r, const struct expr_window *w, int size,
                        struct expr *e)
{
    static const enum expr_op ops[] = { EXPR_ADD, EXPR_SUB, EXPR_MIN, EXPR_MAX };
    expr_clear(e);
    for (int i = 0; i < 8; i++)
        expr_var(e, test_random_in(r, 0, 2 * expr_window_taps(w) - 1));
    for (int i = 0; i < size; i++) {
        int low = test_random_in(r, 0, 1) ? e->count / 2 : 0;
        expr_make(e, ops[test_random_in(r, 0, 3)], (int)test_random_in(r, low, e->count - 1),
                  (int)test_random_in(r, 0, e->count - 1), 0);
    }
    e->root = e->count - 1;
}

static char *text_of(const struct expr *e, const struct expr_window *w)
{
    struct text t = { 0 };
    expr_print_window(e, w, &t);
    return text_take(&t);
}

static void texts_with_definitions_read_back(void **state)
{
    struct test_random r = { test_seed(__func__, 1) };
    (void)state;
    for (int64_t i = 0; i < test_count(600); i++) {
        const struct expr_window *w = &windows[i % 3];
        struct expr e, again;
        struct diag d = { 0 };
        draw_window(&r, w, (int)test_random_in(&r, 1, i % 4 ? 40 : EXPR_NODES - 30), &e);
        expr_simplify(&e, false);
        char *first = text_of(&e, w);
        assert_true(strlen(first) <= EXPR_TEXT);
        if (expr_parse_window(first, w, &again, &d) != CONVC_OK)
            fail_msg("%s: %s", first, d.text);
        expr_simplify(&again, false);
        char *second = text_of(&again, w);
        assert_string_equal(first, second);
        /* Not the texts alone: the functions. */
        assert_int_equal(e.count, again.count);
        assert_memory_equal(e.node, again.node, (size_t)e.count * sizeof *e.node);
        free(first);
        free(second);
    }
}

/* However often a node is used again, and however deep it lies. */
static void the_longest_functions_have_texts(void **state)
{
    const struct expr_window *w = &windows[1];
    (void)state;
    for (int chain = 0; chain < 2; chain++) {
        struct expr e, again;
        struct diag d = { 0 };
        expr_clear(&e);
        int x = expr_var(&e, 3), node = x;
        for (int i = 0; i < EXPR_NODES; i++) {
            int next = expr_make(&e, EXPR_ADD, node, chain ? x : node, 0);
            node = next < 0 ? node : next;
        }
        e.root = node;
        assert_int_equal(e.count, EXPR_NODES);
        char *text = text_of(&e, w);
        assert_true(strlen(text) <= EXPR_TEXT);
        assert_int_equal(expr_parse_window(text, w, &again, &d), CONVC_OK);
        char *second = text_of(&again, w);
        assert_string_equal(text, second);
        free(text);
        free(second);
    }
}

static void bad_texts_are_refused(void **state)
{
    static const char *const bad[][2] = {
        { "x", "an unknown name at \"x\" (character 1)" },
        { "x(1)", "x takes 2 coordinates, x(i,j), not 1" },
        { "x(1,4)", "coordinate 2 of a tap of x is 4, where the kernel has 0 to 3" },
        { "w(3,0)", "coordinate 1 of a tap of w is 3, where the kernel has 0 to 2" },
        { "x(0,a)", "no coordinate of a tap at \"a)\" (character 5)" },
        { "x(0,1,2,3)", "no coordinate of a tap at \"3)\" (character 9)" },
        { "x(0,-1)", "no coordinate of a tap at \"-1)\" (character 5)" },
        { "x(0,1", "a closing parenthesis is missing at \"\" (character 6)" },
        { "x(0,99999999999)", "no coordinate of a tap at \"99999999999)\" (character 5)" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct expr e;
        struct diag d = { 0 };
        assert_int_equal(expr_parse_window(bad[i][0], &windows[1], &e, &d), CONVC_ERR_SPEC);
        assert_string_equal(d.text, bad[i][1]);
    }
}

/* ---- networks ----------------------------------------------------------------------------- */

/* Evaluates the window of a spec of one row, `taps` wide, whose function returns `body`. */
static void load(const char *body, int taps, struct problem *to)
{
    char text[512];
    struct spec spec;
    struct diag d = { 0 };
    snprintf(text, sizeof text,
             "return convc.conv { input = { 1, 1, %d }, kernel_size = %d, window = function(x) "
             "local t = convc.taps(x) return %s end }",
             taps, taps, body);
    struct spec_source source = { .text = text, .name = "row.lua" };
    if (spec_load(&source, &spec, &d) != CONVC_OK)
        fail_msg("%s: %s", text, d.text);
    *to = resolved(&spec.convs[0].problem);
    spec_free(&spec);
}

static int ascending(const void *a, const void *b)
{
    long double x = *(const long double *)a, y = *(const long double *)b;
    return (x > y) - (x < y);
}

static void ranks_are_those_of_sorting(void **state)
{
    struct test_random r = { test_seed(__func__, 2) };
    static struct problem p;
    (void)state;
    for (int n = 1; n <= 30; n++) {
        int64_t rank = test_random_in(&r, 1, n);
        char body[64];
        snprintf(body, sizeof body, "convc.rank(t, %d)", (int)rank);
        for (int kind = 0; kind < 3; kind++) {
            load(kind == 0 ? body : kind == 1 ? "convc.median(t)" : "convc.sort(t)[1]", n, &p);
            for (int64_t i = 0; i < test_count(200); i++) {
                long double x[30], sorted[30];
                for (int k = 0; k < n; k++) /* by the 0-1 principle, mostly */
                    x[k] = sorted[k] = (long double)test_random_in(&r, 0, i % 4 ? 1 : 9);
                qsort(sorted, (size_t)n, sizeof *sorted, ascending);
                long double want = kind == 0   ? sorted[rank - 1]
                                   : kind == 1 ? (sorted[(n - 1) / 2] + sorted[n / 2]) / 2
                                               : sorted[0];
                assert_true(expr_eval(&p.f.window, x) == want);
            }
        }
    }
}

static void medians_take_few_operations(void **state)
{
    /* Taps, and minima and maxima. 3x3: 18 of three columns and 12 behind them. */
    static const struct {
        int taps, most;
    } cases[] = { { 3, 3 + 4 }, { 9, 9 + 30 }, { 25, 25 + 200 }, { 49, 49 + 570 } };
    static struct problem p;
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        load("convc.median(t)", cases[i].taps, &p);
        if (p.f.window.count > cases[i].most)
            fail_msg("%d taps take %d nodes", cases[i].taps, p.f.window.count);
    }
}

/* ---- identity ----------------------------------------------------------------------------- */

static void what_computes_the_same_has_one_key(void **state)
{
    static const char *const same[][2] = {
        { "g3ic3ih8oc3kh3ph1;window=add(x(0,0),x(1,2))",
          "g3ic3ih8oc3kh3ph1;window=add(x(1,2),x(0,0));mode=constant;value=0" },
        /* An axis of one element more, and the mirror of weights that are not there. */
        { "g3mb1ic3iw8oc3kw3;window=sub(x(0),x(2))",
          "g3mb1ic3ih1iw8oc3kh1kw3;flip;window=sub(x(0,0),x(0,2))" },
        { "g3ic3ih8oc3kh3;flip;window=add(x(0,0),mul(w(0,0),x(1,1)));weights=1*8,3",
          "g3ic3ih8oc3kh3;window=add(x(0,0),mul(x(1,1),3))" },
        { "g1ic1ih8oc1kh3;window=def(max(x(0,0),x(1,1)),sub(@0,neg(@0)))",
          "g1ic1ih8oc1kh3;window=add(max(x(0,0),x(1,1)),max(x(0,0),x(1,1)))" },
    };
    static const char *const other[][2] = {
        { "g3ic3ih8oc3kh3;window=add(x(0,0),x(1,2))", "g3ic3ih8oc3kh3;window=add(x(0,0),x(2,2))" },
        { "g3ic3ih8oc3kh3;window=add(x(0,0),x(1,2))", "g3ic3ih8oc3kh3;window=add(x(0,0),w(1,2))" },
        { "g3ic3ih8oc3kh3;window=add(x(0,0),w(1,2))",
          "g3ic3ih8oc3kh3;window=add(x(0,0),w(1,2));flip" },
        { "g3ic3ih8oc3kh3;window=x(0,0)", "g3ic3ih8oc3kh3" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        struct problem_key a = key_named(same[i][0]), b = key_named(same[i][1]);
        assert_memory_equal(&a, &b, sizeof a);
    }
    for (size_t i = 0; i < sizeof other / sizeof *other; i++) {
        struct problem_key a = key_named(other[i][0]), b = key_named(other[i][1]);
        assert_memory_not_equal(&a, &b, sizeof a);
    }
}

static void problems_print_and_read_back(void **state)
{
    static const char *const lines[] = {
        "g3ic3ih8oc3kh3ph1;window=add(x(0,0),w(1,2));flip",
        "g1mb1ic1iw8oc1kw5;window=max(x(0),x(4));epilogue=mul(acc,s);args=s:scalar",
        "g2mb1ic2id4ih4iw4oc2kd2kh2kw2;mode=reflect;window=sub(x(1,1,1),x(0,0,0));bias;act=relu",
    };
    (void)state;
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        assert_prints_back(lines[i]);
}

static void what_is_no_window_is_refused(void **state)
{
    struct convc_problem p = small_problem();
    (void)state;
    p.window = "x(0,0)";
    assert_refused(&p, CONVC_ERR_SHAPE,
                   "groups=1 must be in_channels=6, a window being one channel's");
    p.groups = 6;
    p.oc = 12;
    assert_refused(&p, CONVC_ERR_SHAPE,
                   "out_channels=12 must be in_channels=6, a window being one channel's");
    p.oc = 6;
    p.window = "neg(w(0,0))";
    assert_refused(&p, CONVC_ERR_SPEC, "window: the function reads no tap of x");
    p.window = "foo(x(0,0))";
    assert_refused(&p, CONVC_ERR_SPEC, "window: foo is no function");
    p.window = "x(0,0)";
    p.reduce = "max";
    assert_refused(&p, CONVC_ERR_ARGUMENT,
                   "window takes the place of combine and reduce: reduce cannot be given too");
    p.reduce = NULL;
    p.padding_mode = CONVC_PAD_IDENTITY;
    assert_refused(&p, CONVC_ERR_ARGUMENT,
                   "padding_mode=identity leaves out taps, and a window has them all");
}

/* ---- values ------------------------------------------------------------------------------- */

/* One row of 6 pixels and three taps; what the kernel and the reference make of it. */
static void assert_row(const struct convc_problem *p, const float *wei, const float want[6])
{
    static const float src[6] = { 3, -1, 4, -1, 5, -9 };
    float dst[6];
    convc_context *cx;
    convc_kernel *k;
    struct convc_context_options opt = { .struct_bytes = sizeof opt, .flags = CONVC_NO_DISK_CACHE };
    assert_int_equal(convc_context_create(&opt, &cx), CONVC_OK);
    if (convc_compile(cx, p, NULL, &k) != CONVC_OK)
        fail_msg("%s", convc_last_error());
    size_t bytes = convc_packed_bytes(k);
    assert_int_equal(bytes > 0, wei != NULL);
    void *packed = bytes ? aligned_alloc(64, (bytes + 63) / 64 * 64) : NULL;
    assert_int_equal(convc_pack(k, wei, packed), CONVC_OK);
    struct convc_args args = { sizeof args, .src = src, .wei = packed, .dst = dst, .n = 1 };
    bytes = convc_workspace_bytes(k, 1, 0);
    args.workspace = bytes ? aligned_alloc(64, (bytes + 63) / 64 * 64) : NULL;
    for (int reference = 0; reference < 2; reference++) {
        args.wei = reference ? (const void *)wei : packed;
        if ((reference ? convc_reference(p, &args) : convc_run(k, &args)) != CONVC_OK)
            fail_msg("%s", convc_last_error());
        assert_memory_equal(dst, want, sizeof dst);
    }
    free(args.workspace);
    free(packed);
    convc_kernel_release(k);
    convc_context_destroy(cx);
}

static void rows_worked_out_by_hand(void **state)
{
    const float wei[3] = { 1, 0, 2 };
    struct convc_problem p;
    (void)state;
    convc_problem_init(&p);
    p.spatial = 1;
    p.in[CONVC_W] = 6;
    p.kernel[CONVC_W] = 3;
    p.pad_begin[CONVC_W] = p.pad_end[CONVC_W] = 1;
    p.window = "sub(x(2),x(0))";
    assert_row(&p, NULL, (float[]){ -1, 1, 0, 1, -8, -5 });
    p.padding_mode = CONVC_PAD_REPLICATE;
    assert_row(&p, NULL, (float[]){ -4, 1, 0, 1, -8, -14 });
    p.window = "max(min(x(0),x(1)),min(max(x(0),x(1)),x(2)))";
    assert_row(&p, NULL, (float[]){ 3, 3, -1, 4, -1, -9 });
    p.window = "add(mul(x(0),w(0)),mul(x(2),w(2)))";
    assert_row(&p, wei, (float[]){ 1, 11, -3, 14, -19, -13 });
    p.flip = 1;
    assert_row(&p, wei, (float[]){ 5, 10, -3, 13, -11, 1 });
}

/* What the kernel makes of whole numbers, and the reference; the algorithm must be `algorithm`. */
static void assert_kernel(const struct convc_problem *p, const char *algorithm)
{
    convc_context *cx;
    convc_kernel *k;
    struct convc_context_options opt = { .struct_bytes = sizeof opt, .flags = CONVC_NO_DISK_CACHE };
    struct convc_kernel_info info = { .struct_bytes = sizeof info };
    int64_t in, out;
    assert_int_equal(convc_context_create(&opt, &cx), CONVC_OK);
    if (convc_compile(cx, p, NULL, &k) != CONVC_OK)
        fail_msg("%s", convc_last_error());
    assert_int_equal(convc_kernel_info(k, &info), CONVC_OK);
    if (strcmp(info.algorithm, algorithm) != 0)
        fail_msg("%s is done by %s: %s", p->window, info.algorithm, info.reason);
    convc_problem_src(p, p->n, NULL, &in);
    convc_problem_dst(p, p->n, NULL, &out);
    float *src = malloc((size_t)in * sizeof *src), *got = malloc((size_t)out * sizeof *got),
          *want = malloc((size_t)out * sizeof *want);
    struct test_random r = { test_seed(__func__, in) };
    for (int64_t i = 0; i < in; i++)
        src[i] = (float)test_random_in(&r, -9, 9);
    struct convc_args args = { sizeof args, .src = src, .dst = got, .n = p->n };
    size_t bytes = convc_workspace_bytes(k, p->n, 0);
    args.workspace = bytes ? aligned_alloc(64, (bytes + 63) / 64 * 64) : NULL;
    if (convc_run(k, &args) != CONVC_OK)
        fail_msg("%s", convc_last_error());
    args.dst = want;
    assert_int_equal(convc_reference(p, &args), CONVC_OK);
    for (int64_t i = 0; i < out; i++) {
        if (got[i] != want[i])
            fail_msg("%s: output %d is %g, not %g", p->window, (int)i, (double)got[i],
                     (double)want[i]);
    }
    free(args.workspace);
    free(src);
    free(got);
    free(want);
    convc_kernel_release(k);
    convc_context_destroy(cx);
}

/* Pictures from one pixel to some vectors, channels first; channels last where one rule is for all
 * of them. */
static void kernels_take_windows_of_pictures(void **state)
{
    static const char *const bodies[] = {
        "convc.median(t)",
        "t[1] - t[#t]",
        "convc.where(convc.lt(t[1], t[2]), t[3], -t[#t])",
        "convc.max(convc.abs(convc.mean(t)), convc.rank(t, 2) * 0.5, 1)",
    };
    (void)state;
    for (int i = 0; i < 48; i++) {
        char text[600];
        int side = i % 4 < 2 ? 3 : 5, width = (int[]){ 1, 7, 33, 70 }[i / 4 % 4];
        snprintf(text, sizeof text,
                 "return convc.conv { input = { 2, %d, %d, %d }, kernel_size = %d, padding = %d, "
                 "layout = '%s', padding_mode = '%s', window = function(x) "
                 "local t = convc.taps(x) return %s end }",
                 i % 3 + 1, i % 7 + 1, width, side, side / 2, i % 2 ? "nchw" : "nhwc",
                 (const char *[]){ "zeros", "replicate", "symmetric" }[i % 3], bodies[i % 4]);
        struct spec_source source = { .text = text, .name = "picture.lua" };
        struct spec spec;
        struct diag d = { 0 };
        if (spec_load(&source, &spec, &d) != CONVC_OK)
            fail_msg("%s: %s", text, d.text);
        assert_kernel(&spec.convs[0].problem, "stencil");
        spec_free(&spec);
    }
}

/* Until an algorithm takes it, the reference does, and says why. */
static void other_windows_are_the_references(void **state)
{
    struct convc_problem p;
    (void)state;
    convc_problem_init(&p);
    p.ic = p.oc = p.groups = 3;
    p.in[CONVC_H] = p.in[CONVC_W] = 9;
    p.kernel[CONVC_H] = p.kernel[CONVC_W] = 2;
    p.stride[CONVC_W] = 3;
    p.window = "max(x(0,0),x(1,1))";
    assert_kernel(&p, "reference");
}

/* Nothing is rounded in a median; sums of tenths are. */
static void errors_are_those_of_the_operations(void **state)
{
    struct convc_problem p;
    float src[6] = { 0.1f, 0.2f, 0.3f, 0.4f, 0.5f, 0.6f };
    struct convc_args args = { sizeof args, .src = src, .n = 1 };
    const int64_t index = 2;
    double error;
    (void)state;
    convc_problem_init(&p);
    p.spatial = 1;
    p.in[CONVC_W] = 6;
    p.kernel[CONVC_W] = 3;
    p.window = "max(min(x(0),x(1)),min(max(x(0),x(1)),x(2)))";
    assert_int_equal(convc_reference_error_at(&p, &args, &index, 1, &error), CONVC_OK);
    assert_true(error == 0);
    p.window = "add(x(0),mul(x(1),x(2)))";
    assert_int_equal(convc_reference_error_at(&p, &args, &index, 1, &error), CONVC_OK);
    assert_true(error > 0 && error < 1e-6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_with_definitions_read_back),
        cmocka_unit_test(the_longest_functions_have_texts),
        cmocka_unit_test(bad_texts_are_refused),
        cmocka_unit_test(ranks_are_those_of_sorting),
        cmocka_unit_test(medians_take_few_operations),
        cmocka_unit_test(what_computes_the_same_has_one_key),
        cmocka_unit_test(problems_print_and_read_back),
        cmocka_unit_test(what_is_no_window_is_refused),
        cmocka_unit_test(rows_worked_out_by_hand),
        cmocka_unit_test(kernels_take_windows_of_pictures),
        cmocka_unit_test(other_windows_are_the_references),
        cmocka_unit_test(errors_are_those_of_the_operations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
