/* Functions as graphs: their texts, their simplified forms, their values and errors. */
#include "gen/expr/expr_eval.h"
#include "gen/expr/expr_simplify.h"
#include "tests/support/draw_expr.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char *text_of(const struct expr *e)
{
    struct text t = { 0 };
    expr_print(e, draw_expr_vars, &t);
    return text_take(&t);
}

static void parse(const char *text, struct expr *e)
{
    struct diag d = { 0 };
    if (expr_parse(text, draw_expr_vars, e, &d) != CONVC_OK)
        fail_msg("%s: %s", text, d.text);
}

/* ---- texts ------------------------------------------------------------------------------------
 */

static void texts_read_back(void **state)
{
    (void)state;
    struct test_random r = { test_seed(__func__, 1) };
    for (int64_t i = 0; i < test_count(2000); i++) {
        struct expr e, again;
        draw_expr(&r, 3, (int)test_random_in(&r, 0, i % 8 ? 40 : 900), &e);
        char *first = text_of(&e);
        parse(first, &again);
        char *second = text_of(&again);
        assert_string_equal(first, second);
        free(first);
        free(second);
    }
}

static void derived_functions_are_made_of_operations(void **state)
{
    static const char *const pairs[][2] = {
        { "relu(a)", "max(a,0)" },
        { "clamp(a,0,6)", "min(max(a,0),6)" },
        { "pow(a,3)", "mul(mul(a,a),a)" },
        { "pow(a,1)", "a" },
        { "pow(a,0)", "1" },
        { "pow(a,-2)", "div(1,mul(a,a))" },
        { "gt(a,b)", "lt(b,a)" },
        { "ge(a,b)", "le(b,a)" },
        { "ne(a,b)", "not(eq(a,b))" },
        { "max(a,b,c)", "max(max(a,b),c)" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        char text[64], want[64];
        struct expr e;
        bool truth = strchr("gn", pairs[i][0][0]) && pairs[i][0][1] != 'o';
        snprintf(text, sizeof text, truth ? "where(%s,a,b)" : "%s", pairs[i][0]);
        snprintf(want, sizeof want, truth ? "where(%s,a,b)" : "%s", pairs[i][1]);
        parse(text, &e);
        char *got = text_of(&e);
        assert_string_equal(got, want);
        free(got);
    }
}

static void bad_texts_are_refused_with_a_sentence(void **state)
{
    static const char *const bad[][2] = {
        { "", "no name, number or call at \"\" (character 1)" },
        { "x", "an unknown name at \"x\" (character 1)" },
        { "a b", "an end is expected at \" b\" (character 2)" },
        { "add(a,b", "a closing parenthesis is missing at \"\" (character 8)" },
        { "add(a)", "add takes 2 operands, not 1" },
        { "foo(a)", "foo is no function" },
        { "pow(a,b)", "pow takes a whole constant from -16 to 16 as its exponent" },
        { "pow(a,17)", "pow takes a whole constant from -16 to 16 as its exponent" },
        { "lt(a,b)", "the result is a comparison, not a number; see where" },
        { "add(a,lt(a,b))", "add takes a number as its operand 2, not a comparison" },
        { "where(a,b,c)", "where takes a comparison as its operand 1, not a number" },
        { "-nan", "no number at \"-nan\" (character 1)" },
        { "def(add(a,b),@1)", "no definition before at \"@1)\" (character 14)" },
        { "def(add(a,b),@0", "a closing parenthesis is missing at \"\" (character 16)" },
        { "def(add(a,b),add(def(a,b),c))", "def is no function" },
        { "add(@0,a)", "no definition before at \"@0,a)\" (character 5)" },
        { "def(lt(a,b),@0)", "the result is a comparison, not a number; see where" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct expr e;
        struct diag d = { 0 };
        expr_parse(bad[i][0], draw_expr_vars, &e, &d);
        assert_int_equal(d.status, CONVC_ERR_SPEC);
        assert_string_equal(d.text, bad[i][1]);
    }
}

static void deep_and_long_texts_are_refused(void **state)
{
    static char text[EXPR_TEXT + 64];
    struct expr e;
    (void)state;
    for (int depth = 60; depth <= 600; depth += 540) {
        struct diag d = { 0 };
        text[0] = '\0';
        for (int i = 0; i < depth; i++)
            strcat(text, "neg(");
        strcat(text, "a");
        for (int i = 0; i < depth; i++)
            strcat(text, ")");
        assert_int_equal(expr_parse(text, draw_expr_vars, &e, &d) == CONVC_OK, depth == 60);
    }
    memset(text, '1', EXPR_TEXT + 1);
    struct diag d = { 0 };
    assert_int_equal(expr_parse(text, draw_expr_vars, &e, &d), CONVC_ERR_SPEC);
}

/* ---- simplified forms --------------------------------------------------------------------------
 */

static void equal_functions_have_one_form(void **state)
{
    static const char *const pairs[][2] = {
        { "add(b,a)", "add(a,b)" },
        { "mul(2,a)", "mul(a,2)" },
        { "abs(sub(b,a))", "abs(sub(a,b))" },
        { "abs(neg(a))", "abs(a)" },
        { "neg(neg(a))", "a" },
        { "mul(a,1)", "a" },
        { "mul(a,-1)", "neg(a)" },
        { "div(a,1)", "a" },
        { "div(a,-8)", "mul(a,-0.125)" },
        { "div(a,3)", "div(a,3)" },
        { "sub(a,neg(b))", "add(a,b)" },
        { "add(a,neg(b))", "sub(a,b)" },
        { "add(neg(a),b)", "sub(b,a)" },
        { "sub(a,0)", "a" },
        { "add(a,0)", "add(a,0)" }, /* -0 + 0 is 0 */
        { "mul(a,0)", "mul(a,0)" }, /* infinity, NaN */
        { "sub(a,a)", "sub(a,a)" },
        { "mul(neg(a),neg(b))", "mul(a,b)" },
        { "neg(mul(a,3))", "mul(a,-3)" },
        { "max(a,a)", "a" },
        { "max(b,a)", "max(b,a)" }, /* differs for NaN and for zeros */
        { "add(1,mul(2,3))", "7" },
        { "where(not(lt(a,b)),a,b)", "where(lt(a,b),b,a)" },
        { "where(lt(a,b),c,c)", "c" },
        { "floor(ceil(a))", "ceil(a)" },
        { "mul(a,0.1)", "mul(a,0.10000000149011612)" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        struct expr e;
        parse(pairs[i][0], &e);
        expr_simplify(&e, false);
        char *got = text_of(&e);
        if (strcmp(got, pairs[i][1]) != 0)
            fail_msg("%s became %s, not %s", pairs[i][0], got, pairs[i][1]);
        free(got);
    }
}

static double draw_value(struct test_random *r, bool wide)
{
    static const double odd[] = { 0, -0.0, INFINITY, -INFINITY, NAN, 1, -1, 0x1p-149, 1e38, 0.5 };
    int64_t kind = test_random_in(r, 0, 3);
    double unit = (double)test_random_in(r, -1000000, 1000000) * 1e-6;
    double x = kind == 0 ? odd[test_random_in(r, 0, 9)] : kind == 1 ? rint(unit * 4) : unit * 3;
    return wide ? x : (double)(float)x;
}

static void simplifying_keeps_every_bit(void **state)
{
    (void)state;
    struct test_random r = { test_seed(__func__, 2) };
    for (int64_t i = 0; i < test_count(4000); i++) {
        struct expr e, simple;
        bool wide = test_random_in(&r, 0, 1);
        draw_expr(&r, 3, (int)test_random_in(&r, 0, 30), &e);
        simple = e;
        expr_simplify(&simple, wide);
        for (int k = 0; k < 8; k++) {
            double var[3];
            for (int v = 0; v < 3; v++)
                var[v] = draw_value(&r, wide);
            double want = draw_expr_compute(&e, var, wide);
            double got = draw_expr_compute(&simple, var, wide);
            if (memcmp(&want, &got, sizeof got) == 0 || (isnan(want) && isnan(got)))
                continue;
            fail_msg("%s is %a, simplified %s is %a, with %a %a %a", text_of(&e), want,
                     text_of(&simple), got, var[0], var[1], var[2]);
        }
    }
}

static void a_simplified_form_stays_as_it_is(void **state)
{
    (void)state;
    struct test_random r = { test_seed(__func__, 3) };
    for (int64_t i = 0; i < test_count(4000); i++) {
        struct expr e, again;
        draw_expr(&r, 3, (int)test_random_in(&r, 0, 30), &e);
        expr_simplify(&e, false);
        char *first = text_of(&e);
        parse(first, &again);
        expr_simplify(&again, false);
        char *second = text_of(&again);
        assert_string_equal(first, second);
        free(first);
        free(second);
    }
}

static void what_zero_settles(void **state)
{
    static const struct {
        const char *text;
        double at;
        bool settled;
        double value;
    } cases[] = {
        { "mul(a,b)", 0, true, 0 },
        { "mul(a,b)", 1, false, 0 },
        { "add(a,b)", 0, false, 0 },
        { "add(a,b)", -INFINITY, true, -INFINITY },
        { "sub(a,b)", INFINITY, true, INFINITY },
        { "abs(sub(a,b))", INFINITY, true, INFINITY },
        { "abs(sub(a,b))", 0, false, 0 },
        { "mul(mul(b,c),abs(a))", 0, true, 0 },
        { "mul(exp(b),a)", 0, false, 0 }, /* exp may be infinite */
        { "where(lt(a,1),2,b)", 0, true, 2 },
        { "max(a,b)", INFINITY, true, INFINITY },
        { "min(a,b)", INFINITY, false, 0 },
        { "exp(a)", 0, true, 1 },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct expr e;
        double value;
        parse(cases[i].text, &e);
        bool settled = expr_settles(&e, 0, cases[i].at, false, &value);
        if (settled != cases[i].settled || (settled && value != cases[i].value))
            fail_msg("%s at %g", cases[i].text, cases[i].at);
    }
}

/* ---- errors ------------------------------------------------------------------------------------
 */

static void errors_hold_for_computed_values(void **state)
{
    (void)state;
    struct test_random r = { test_seed(__func__, 4) };
    int64_t bounded = 0, exact = 0, total = test_count(20000);
    for (int64_t i = 0; i < total; i++) {
        struct expr e;
        bool wide = test_random_in(&r, 0, 1);
        double var[3];
        struct expr_bounded given[3];
        draw_expr(&r, 3, (int)test_random_in(&r, 0, 12), &e);
        expr_simplify(&e, wide); /* rounds its constants */
        for (int v = 0; v < 3; v++) {
            var[v] = draw_value(&r, wide);
            given[v] = (struct expr_bounded){ var[v], 0 };
        }
        struct expr_bounded b = expr_error(&e, given, wide);
        double got = draw_expr_compute(&e, var, wide);
        bounded += isfinite(b.error);
        exact += b.error == 0;
        if (isnan(b.value) || isinf(b.error) || got == (double)b.value ||
            fabsl(got - b.value) <= b.error)
            continue;
        fail_msg("%s is %a, not %a within %g, with %a %a %a", text_of(&e), got, (double)b.value,
                 (double)b.error, var[0], var[1], var[2]);
    }
    assert_true(bounded > total / 2 && exact > total / 20 && exact < total);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_read_back),
        cmocka_unit_test(derived_functions_are_made_of_operations),
        cmocka_unit_test(bad_texts_are_refused_with_a_sentence),
        cmocka_unit_test(deep_and_long_texts_are_refused),
        cmocka_unit_test(equal_functions_have_one_form),
        cmocka_unit_test(simplifying_keeps_every_bit),
        cmocka_unit_test(a_simplified_form_stays_as_it_is),
        cmocka_unit_test(what_zero_settles),
        cmocka_unit_test(errors_hold_for_computed_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
