/* The functions of em_math hold their bounds: each is compiled for several machines, run, and
 * compared with the C library and the reference in long double. */
#include "runtime/ref.h"
#include "tests/support/subject.h"
#include "tests/support/support.h"

#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- the exact values -------------------------------------------------------------------------
 */

struct claim {
    const char *name;
    enum function function;
    enum convc_activation activation;
    long double (*exact)(long double); /* NULL: the reference's activation */
    double ulps;                       /* the bound that em_math.h states */
    double absolute;                   /* another, in epsilons of max(1, |x|) */
    double from[2];                    /* the first holds from here up, in f32 and f64; 0: always */
};

static const struct claim claims[] = {
    { "exp", EXP, CONVC_ACT_NONE, expl, 1.25, INFINITY, { 0, 0 } },
    { "tanh", TANH, CONVC_ACT_NONE, tanhl, 3, 2, { 0, 0 } },
    { "erf", ERF, CONVC_ACT_NONE, erfl, 2, 2, { 0, 0 } },
    { "log", LOG, CONVC_ACT_NONE, logl, 2, INFINITY, { 0, 0 } },
    { "sigmoid", ACTIVATION, CONVC_ACT_SIGMOID, NULL, 3, 2, { 0, 0 } },
    { "silu", ACTIVATION, CONVC_ACT_SILU, NULL, 3, 2, { -87, -708 } },
    { "gelu", ACTIVATION, CONVC_ACT_GELU, NULL, 10, 2, { INFINITY, 0 } },
    { "hardswish", ACTIVATION, CONVC_ACT_HARDSWISH, NULL, 2.5, 2, { 0, 0 } },
};
enum { CLAIMS = sizeof claims / sizeof *claims };

static long double exact(const struct claim *c, double x)
{
    static const double none[2];
    return c->exact ? c->exact(x) : ref_activation(c->activation, none, x);
}

/* |got - want| in units of the last place of `want`. What rounds to infinity counts as the power of
 * two after the largest finite number. */
static double ulps_between(bool wide, double got, long double want)
{
    int fraction = wide ? 52 : 23, exponent_min = wide ? -1022 : -126;
    long double top = ldexpl(1, wide ? 1024 : 128);
    if (isnan(want) || isnan(got))
        return isnan(want) && isnan(got) ? 0 : INFINITY;
    long double w = fminl(fmaxl(want, -top), top);
    long double g = fminl(fmaxl((long double)got, -top), top);
    int exponent;
    frexpl(w, &exponent); /* w = [1/2, 1) * 2^exponent */
    if (w == 0 || exponent - 1 < exponent_min)
        exponent = exponent_min + 1;
    return (double)ldexpl(fabsl(g - w), fraction + 1 - exponent);
}

/* ---- points ------------------------------------------------------------------------------------
 */

enum { BLOCK = 1 << 12 };

/* Half are arbitrary representations, so that every exponent has its share, half lie where the
 * functions bend. */
struct points {
    bool wide;
    struct test_random random;
};

static double point(struct points *p)
{
    uint64_t bits = test_random_bits(&p->random), kind = test_random_bits(&p->random) % 8;
    double unit = (double)(bits >> 11) * 0x1p-53 * 2 - 1;
    double reach[8] = { 0, 0, 0, p->wide ? 760 : 110, p->wide ? 40 : 15, 6, 1.5, 1 };
    double x = unit * reach[kind];
    if (kind >= 3)
        return p->wide ? x : (double)(float)x;
    if (p->wide) {
        memcpy(&x, &bits, sizeof x);
        return x;
    }
    uint32_t narrow = (uint32_t)(bits >> 32);
    float f;
    memcpy(&f, &narrow, sizeof f);
    return (double)f;
}

static double element(const void *p, bool wide, int64_t i)
{
    return wide ? ((const double *)p)[i] : (double)((const float *)p)[i];
}

static void element_set(void *p, bool wide, int64_t i, double v)
{
    if (wide)
        ((double *)p)[i] = v;
    else
        ((float *)p)[i] = (float)v;
}

/* ---- the tests --------------------------------------------------------------------------------
 */

static struct subject subject_of(const struct claim *c, bool wide, int lanes)
{
    return (struct subject){ c->function, c->activation, { 0 }, wide, lanes };
}

struct worst {
    double ulps, x, got, absolute;
};

static void worst_add(struct worst *w, const struct claim *c, bool wide, double x, double got,
                      long double want)
{
    bool claimed = c->from[wide] == 0 || x >= c->from[wide] || isnan(x);
    double ulps = claimed ? ulps_between(wide, got, want) : 0;
    double epsilons =
        (double)(fabsl(got - want) / fmaxl(1, fabsl(x)) / (wide ? DBL_EPSILON : FLT_EPSILON));
    if (epsilons > w->absolute)
        w->absolute = epsilons;
    if (ulps > w->ulps)
        *w = (struct worst){ ulps, x, got, w->absolute };
}

static void claim_check(const struct claim *c, bool wide, uint64_t seed)
{
    static double src[BLOCK], dst[MACHINES_MAX][BLOCK];
    struct code code[MACHINES_MAX];
    struct worst worst[MACHINES_MAX] = { 0 };
    for (int k = 0; k < machines; k++) {
        struct subject s = subject_of(c, wide, machine[k].vector_bytes / (wide ? 8 : 4));
        code[k] = code_make(&s, &machine[k]);
    }
    struct points points = { wide, { seed } };
    for (int64_t block = 0; block < test_count(256); block++) {
        for (int i = 0; i < BLOCK; i++)
            element_set(src, wide, i, point(&points));
        for (int k = 0; k < machines; k++)
            code_run(&code[k], src, dst[k], BLOCK);
        for (int i = 0; i < BLOCK; i++) {
            double x = element(src, wide, i);
            long double want = exact(c, x);
            for (int k = 0; k < machines; k++) {
                double got = element(dst[k], wide, i);
                worst_add(&worst[k], c, wide, x, got, want);
            }
        }
    }
    for (int k = 0; k < machines; k++) {
        printf("%-9s f%d %-9s %.3f ulps at %a, which gives %a; %.3f epsilons\n", c->name,
               wide ? 64 : 32, machine_name[k], worst[k].ulps, worst[k].x, worst[k].got,
               worst[k].absolute);
        code_free(&code[k]);
    }
    for (int k = 0; k < machines; k++) {
        assert_true(worst[k].ulps <= c->ulps);
        assert_true(worst[k].absolute <= c->absolute);
    }
}

static void functions_hold_their_bounds_in_f32(void **state)
{
    (void)state;
    uint64_t seed = test_seed(__func__, 32);
    for (int i = 0; i < CLAIMS; i++)
        claim_check(&claims[i], false, seed);
}

static void functions_hold_their_bounds_in_f64(void **state)
{
    (void)state;
    uint64_t seed = test_seed(__func__, 64);
    for (int i = 0; i < CLAIMS; i++)
        claim_check(&claims[i], true, seed);
}

/* ---- values that are exact --------------------------------------------------------------------
 */

struct pair {
    double x, y;
};

static bool same(double a, double b)
{
    return isnan(a) ? isnan(b) : a == b && !signbit(a) == !signbit(b);
}

/* f(x) is y, the sign of zero included, in f32 and f64 on every machine; y is rounded first. */
static void pairs_hold(struct subject s, const struct pair *pairs, int count)
{
    double src[64] = { 0 }, dst[64] = { 0 };
    assert_true(count <= 64);
    for (int run = 0; run < 2 * machines; run++) {
        int k = run / 2;
        s.wide = run % 2;
        s.lanes = machine[k].vector_bytes / (s.wide ? 8 : 4);
        for (int i = 0; i < count; i++)
            element_set(src, s.wide, i, pairs[i].x);
        subject_run(&s, &machine[k], src, dst, 64);
        for (int i = 0; i < count; i++) {
            double got = element(dst, s.wide, i);
            double want = s.wide ? pairs[i].y : (double)(float)pairs[i].y;
            if (!same(got, want))
                fail_msg("function %d, activation %d, f%d, %s: %a gives %a, not %a", s.function,
                         s.activation, s.wide ? 64 : 32, machine_name[k], pairs[i].x, got, want);
        }
    }
}

#define PAIRS_HOLD(pairs, ...)                                                                     \
    pairs_hold((struct subject){ __VA_ARGS__ }, pairs, (int)(sizeof pairs / sizeof *pairs))

/* The smallest and the largest number of f32; they are ordinary in f64. */
#define TINY 0x1p-149
#define BIG  0x1.fffffep127

static void exp_of_the_edges_is_exact(void **state)
{
    (void)state;
    const struct pair p[] = {
        { 0.0, 1 },         { -0.0, 1 },  { INFINITY, INFINITY },
        { -INFINITY, 0 },   { NAN, NAN }, { BIG, INFINITY },
        { -BIG, 0 },        { TINY, 1 },  { -TINY, 1 },
        { 1000, INFINITY }, { -1000, 0 }, { -0x1p-60, 1 },
    };
    PAIRS_HOLD(p, .function = EXP);
}

static void log_of_the_edges_is_exact(void **state)
{
    (void)state;
    const struct pair p[] = {
        { 0.0, -INFINITY }, { -0.0, -INFINITY }, { INFINITY, INFINITY },
        { -INFINITY, NAN }, { NAN, NAN },        { 1, 0 },
        { -1, NAN },        { -TINY, NAN },
    };
    PAIRS_HOLD(p, .function = LOG);
}

static void odd_functions_keep_zeros_and_saturate(void **state)
{
    (void)state;
    const struct pair p[] = {
        { 0.0, 0.0 }, { -0.0, -0.0 }, { INFINITY, 1 }, { -INFINITY, -1 }, { NAN, NAN },
        { BIG, 1 },   { -BIG, -1 },   { 50, 1 },       { -50, -1 },
    };
    const struct pair tiny[] = { { TINY, TINY }, { -TINY, -TINY }, { 5 * TINY, 5 * TINY } };
    PAIRS_HOLD(p, .function = TANH);
    PAIRS_HOLD(p, .function = ERF);
    PAIRS_HOLD(tiny, .function = TANH);
}

static void sigmoid_runs_from_0_to_1(void **state)
{
    (void)state;
    const struct pair p[] = {
        { 0.0, 0.5 }, { -0.0, 0.5 }, { INFINITY, 1 }, { -INFINITY, 0 }, { NAN, NAN },
        { BIG, 1 },   { -BIG, 0 },   { TINY, 0.5 },   { -TINY, 0.5 },   { -1000, 0 },
    };
    PAIRS_HOLD(p, .function = ACTIVATION, .activation = CONVC_ACT_SIGMOID);
}

static void gates_keep_zeros_and_what_is_large(void **state)
{
    (void)state;
    const struct pair p[] = {
        { 0.0, 0.0 }, { -0.0, -0.0 }, { INFINITY, INFINITY }, { NAN, NAN },
        { BIG, BIG }, { 2000, 2000 }, { 2 * TINY, TINY },     { -2 * TINY, -TINY },
    };
    const struct pair falling[] = { { -INFINITY, NAN }, { -BIG, -0.0 }, { -2000, -0.0 } };
    PAIRS_HOLD(p, .function = ACTIVATION, .activation = CONVC_ACT_SILU);
    PAIRS_HOLD(p, .function = ACTIVATION, .activation = CONVC_ACT_GELU);
    PAIRS_HOLD(p, .function = ACTIVATION, .activation = CONVC_ACT_HARDSWISH);
    PAIRS_HOLD(falling, .function = ACTIVATION, .activation = CONVC_ACT_HARDSWISH);
}

static void gates_vanish_where_x_is_very_negative(void **state)
{
    (void)state;
    const double x[] = { -20, -90, -1000, -BIG, -INFINITY };
    const enum convc_activation gate[] = { CONVC_ACT_SILU, CONVC_ACT_GELU };
    float src[8] = { 0 }, dst[8];
    for (int run = 0; run < 2 * machines; run++) {
        struct subject s = { .function = ACTIVATION, .activation = gate[run % 2], .lanes = 8 };
        for (int i = 0; i < 5; i++)
            src[i] = (float)x[i];
        subject_run(&s, &machine[run / 2], src, dst, 8);
        for (int i = 0; i < 5; i++)
            assert_true(fabsf(dst[i]) <= 1e-7f && dst[i] <= 0);
        assert_true(fabsf(dst[4]) <= 1e-15f);
    }
}

static void hardswish_of_integers_is_rounded_once(void **state)
{
    (void)state;
    const struct pair p[] = {
        { -4, -0.0 },   { -3, -0.0 },    { -2, -2.0 / 6 }, { -1, -2.0 / 6 }, { 0, 0 },
        { 1, 4.0 / 6 }, { 2, 10.0 / 6 }, { 3, 3 },         { 4, 4 },         { 7, 7 },
    };
    PAIRS_HOLD(p, .function = ACTIVATION, .activation = CONVC_ACT_HARDSWISH);
}

static void relus_choose_by_greater(void **state)
{
    (void)state;
    const struct pair relu[] = {
        { 1, 1 },         { -1, 0 },      { 0.0, 0.0 },
        { -0.0, 0.0 },    { NAN, 0 },     { INFINITY, INFINITY },
        { -INFINITY, 0 }, { TINY, TINY }, { -TINY, 0 },
    };
    const struct pair leaky[] = {
        { 1, 1 },
        { -4, -1 },
        { 0.0, 0.0 },
        { -0.0, -0.0 },
        { NAN, NAN },
        { INFINITY, INFINITY },
        { -INFINITY, -INFINITY },
    };
    const struct pair none[] = { { 1, 1 }, { NAN, NAN }, { -0.0, -0.0 }, { -INFINITY, -INFINITY } };
    PAIRS_HOLD(relu, .function = ACTIVATION, .activation = CONVC_ACT_RELU);
    PAIRS_HOLD(leaky, .function = ACTIVATION, .activation = CONVC_ACT_LEAKY_RELU, .args = { 0.25 });
    PAIRS_HOLD(none, .function = ACTIVATION, .activation = CONVC_ACT_NONE);
}

static void clamp_rounds_its_ends_to_the_element(void **state)
{
    (void)state;
    const struct pair p[] = {
        { 1, 1 },     { -1, 0.1 },       { 7, 6.3 },         { 0.0, 0.1 },
        { NAN, 0.1 }, { INFINITY, 6.3 }, { -INFINITY, 0.1 }, { 3, 3 },
    };
    PAIRS_HOLD(p, .function = ACTIVATION, .activation = CONVC_ACT_CLAMP, .args = { 0.1, 6.3 });
}

/* ---- what the code is -------------------------------------------------------------------------
 */

static void lanes_do_not_change_results(void **state)
{
    (void)state;
    enum { COUNT = 3 * EM_LANES_MAX * 8 };
    static const int lanes[] = { 0, 1, 2, 3, 4, 8, 16, EM_LANES_MAX };
    static double src[COUNT], first[COUNT], dst[COUNT];
    uint64_t seed = test_seed(__func__, 7);
    for (int run = 0; run < 2 * CLAIMS; run++) {
        bool wide = run % 2;
        struct points points = { wide, { seed } };
        for (int i = 0; i < COUNT; i++)
            element_set(src, wide, i, point(&points));
        for (size_t l = 0; l < sizeof lanes / sizeof *lanes; l++) {
            struct subject s = subject_of(&claims[run / 2], wide, lanes[l]);
            subject_run(&s, &machine[0], src, l ? dst : first, COUNT);
            for (int i = 0; l && i < COUNT; i++)
                assert_true(same(element(first, wide, i), element(dst, wide, i)));
        }
    }
}

static void code_calls_nothing(void **state)
{
    (void)state;
    for (int run = 0; run < 2 * CLAIMS * machines; run++) {
        const struct target *t = &machine[run / 2 % machines];
        struct subject s = subject_of(&claims[run / 2 / machines], run % 2, 8);
        LLVMMemoryBufferRef assembly = subject_assembly(&s, t);
        const char *text = LLVMGetBufferStart(assembly);
        assert_non_null(strstr(text, "subject:"));
        assert_null(strstr(text, "\tcall"));
        assert_null(strstr(text, "@PLT"));
        LLVMDisposeMemoryBuffer(assembly);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(functions_hold_their_bounds_in_f32),
        cmocka_unit_test(functions_hold_their_bounds_in_f64),
        cmocka_unit_test(exp_of_the_edges_is_exact),
        cmocka_unit_test(log_of_the_edges_is_exact),
        cmocka_unit_test(odd_functions_keep_zeros_and_saturate),
        cmocka_unit_test(sigmoid_runs_from_0_to_1),
        cmocka_unit_test(gates_keep_zeros_and_what_is_large),
        cmocka_unit_test(gates_vanish_where_x_is_very_negative),
        cmocka_unit_test(hardswish_of_integers_is_rounded_once),
        cmocka_unit_test(relus_choose_by_greater),
        cmocka_unit_test(clamp_rounds_its_ends_to_the_element),
        cmocka_unit_test(lanes_do_not_change_results),
        cmocka_unit_test(code_calls_nothing),
    };
    return cmocka_run_group_tests(tests, machines_find, machines_forget);
}
