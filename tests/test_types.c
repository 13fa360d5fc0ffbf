/* Whole numbers: what lies in memory is what is computed with, and what is computed is stored as
 * the type has it, by every arrangement of lanes and on every kind of machine. */
#include "gen/plan/choose.h"
#include "gen/plan/stencil.h"
#include "tests/support/emitted.h"
#include "tests/support/named.h"
#include "tests/support/small.h"
#include "tests/support/subject.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* ---- rounding ---------------------------------------------------------------------------------
 */

/* What is stored of a value, by type. */
static const struct {
    double value;
    int64_t u8, s16, u16;
} hard[] = {
    { 0, 0, 0, 0 },
    { -0.0, 0, 0, 0 },
    { 0.5, 0, 0, 0 },
    { 0.50000006, 1, 1, 1 },
    { 1.5, 2, 2, 2 },
    { 2.5, 2, 2, 2 },
    { -0.5, 0, 0, 0 },
    { -1.5, 0, -2, 0 },
    { -2.5, 0, -2, 0 },
    { 254.5, 254, 254, 254 },
    { 254.50002, 255, 255, 255 },
    { 255.5, 255, 256, 256 },
    { 256, 255, 256, 256 },
    { 32766.5, 255, 32766, 32766 },
    { 32767.5, 255, 32767, 32768 },
    { -32768.5, 0, -32768, 0 },
    { -32769, 0, -32768, 0 },
    { 65534.5, 255, 32767, 65534 },
    { 65535.5, 255, 32767, 65535 },
    { 1e9, 255, 32767, 65535 },
    { -3e38, 0, -32768, 0 },
    { INFINITY, 255, 32767, 65535 },
    { -INFINITY, 0, -32768, 0 },
    { NAN, 0, 0, 0 },
};
enum { HARD = sizeof hard / sizeof hard[0] };

static int64_t stored(enum convc_dtype t, int i)
{
    return t == CONVC_U8 ? hard[i].u8 : t == CONVC_S16 ? hard[i].s16 : hard[i].u16;
}

static int64_t element(enum convc_dtype t, const void *tensor, int64_t i)
{
    if (t == CONVC_U8)
        return ((const uint8_t *)tensor)[i];
    return t == CONVC_S16 ? ((const int16_t *)tensor)[i] : ((const uint16_t *)tensor)[i];
}

/* One weight of 1, by one plan. */
static void check_rounding(const struct problem *p, const struct plan *plan, const struct target *t)
{
    double src[HARD], one = 1;
    float narrow[HARD], narrow_one = 1;
    _Alignas(64) char packed[4096], dst[8 * HARD];
    bool wide = p->p.acc_dtype == CONVC_F64;
    struct test_random r = { 1 };
    struct emitted e;
    for (int i = 0; i < HARD; i++) {
        src[i] = hard[i].value;
        narrow[i] = (float)hard[i].value;
    }
    emitted_make(&e, p, plan, t, false);
    assert_true(e.packed_bytes <= sizeof packed);
    emitted_pack(&e, wide ? (void *)&one : (void *)&narrow_one, packed);
    struct convc_args args = { .struct_bytes = sizeof args, .wei = packed, .dst = dst, .n = 1 };
    args.src = wide ? (void *)src : (void *)narrow;
    emitted_run(&e, &args, &r);
    for (int i = 0; i < HARD; i++) {
        if (element(p->p.dst_dtype, dst, i) == stored(p->p.dst_dtype, i))
            continue;
        emitted_print(p, plan, t);
        fail_msg("%.9g is stored as %d", hard[i].value, (int)element(p->p.dst_dtype, dst, i));
    }
    emitted_free(&e);
}

static void whole_numbers_are_rounded_and_held_within_their_type(void **state)
{
    (void)state;
    for (int i = 0; i < machines * 2 * 3; i++) {
        struct convc_problem p;
        struct arena a = { 0 };
        struct candidates all;
        struct diag d = { 0 };
        problem_init(&p);
        p.spatial = 1;
        p.in[CONVC_W] = HARD;
        dtype_everywhere(&p, i % 2 ? CONVC_F64 : CONVC_F32);
        p.dst_dtype = (enum convc_dtype)(CONVC_U8 + i / 2 % 3);
        struct problem whole = resolved(&p);
        const struct target *t = &machine[i / 6];
        assert_int_equal(choose_plans(&a, &whole, t, &all, &d), CONVC_OK);
        assert_true(all.count > 3);
        for (size_t c = 0; c < all.count; c += all.count / 6 + 1)
            check_rounding(&whole, &all.list[c].plan, t);
        arena_free(&a);
    }
}

/* ---- arrangements -----------------------------------------------------------------------------
 */

/* The problem, in every mix of types, by the plan. */
static void assert_right(const char *problem, const char *text)
{
    static const enum convc_dtype types[][2] = { { CONVC_U8, CONVC_U8 },
                                                 { CONVC_U8, CONVC_S16 },
                                                 { CONVC_S16, CONVC_F32 },
                                                 { CONVC_F32, CONVC_U8 },
                                                 { CONVC_U16, CONVC_U16 } };
    for (size_t i = 0; i < sizeof types / sizeof types[0] * (size_t)machines; i++) {
        const struct target *t = &machine[i % (size_t)machines];
        struct test_random r = { test_seed("types", i) };
        struct convc_problem p = problem_named(problem).p;
        p.src_dtype = types[i / (size_t)machines][0];
        p.dst_dtype = types[i / (size_t)machines][1];
        assert_computes(&p, text, t, &r);
    }
}

static void every_arrangement_of_lanes_reads_and_writes_them(void **state)
{
    static const char dense[] = "mb2ic19ih7iw13oc21oh7ow13kh3kw3ph1pw1;bias;residual;act=relu";
    static const char planes[] =
        "mb1ic3ih9iw37oc5oh9ow37kh3kw3ph1pw1;mode=reflect;residual;layout=nchw";
    static const char grouped[] = "g19mb1ic19ih8iw11oc19oh8ow11kh3kw3ph1pw1;mode=circular;bias";
    static const char strided[] = "mb1ic2ih12iw70oc3oh6ow35kh3kw3sh2sw2ph1pw1;layout=nchw";
    (void)state;
    assert_right(dense, "direct lanes=oc tile=2x3x1 border=peel");
    assert_right(dense, "direct lanes=oc tile=1x4x2 order=weights border=computed");
    assert_right(dense, "direct lanes=ic tile=1x2x3 border=peel");
    assert_right(planes, "direct lanes=ow tile=1x3x2 border=peel");
    assert_right(planes, "direct lanes=ow tile=2x2x1 border=peel taps=window");
    assert_right(planes, "direct lanes=ow tile=1x3x1 border=computed");
    assert_right(planes, "direct lanes=oc tile=2x3x1 border=peel");
    assert_right(grouped, "direct lanes=groups tile=2x3x1 border=peel taps=window");
    assert_right(grouped, "direct lanes=groups tile=1x3x2 order=pixels border=peel taps=unroll");
    assert_right(strided, "direct lanes=ow tile=1x3x1 border=peel");
    assert_right(strided, "direct lanes=ow tile=2x1x1 border=peel taps=window");
}

/* ---- stencils ---------------------------------------------------------------------------------
 */

static const double sobel[] = { -1, 0, 1, -2, 0, 2, -1, 0, 1 };
static const double blur[] = { 1, 2, 1, 2, 4, 2, 1, 2, 1 };
static const double sharp[] = { 0, -1, 0, -1, 5, -1, 0, -1, 0 };
static const double large[] = { -99, 3, 99, 120, -50, 0.5, 77, 0, 90 };
static const double odd[] = { 0.3, -0.2, 0.1, 0.7, 0.9, 0.2, -0.4, 0.6, 0.5 };

/* A 3x3 kernel times `scale`, by the plan, in every mix of types. */
static void assert_filtered(const char *problem, const double *kernel, double scale,
                            const char *text)
{
    for (int i = 0; i < 25; i++) {
        const struct target *t = &machine[i % machines];
        struct test_random r = { test_seed("filtered", (uint64_t)i) };
        struct convc_problem p = problem_named(problem).p;
        double weights[9 * 8];
        for (int w = 0; w < 9 * p.oc; w++)
            weights[w] = kernel[w % 9] * scale;
        static const enum convc_dtype types[] = { CONVC_U8, CONVC_S16, CONVC_U16, CONVC_F32,
                                                  CONVC_U8 };
        p.src_dtype = types[i % 5];
        p.dst_dtype = types[i / 5 % 5];
        p.weights = weights;
        assert_computes(&p, text, t, &r);
    }
}

static void stencils_compute_in_16_bits_what_fits_them(void **state)
{
    static const char plane[] = "mb2ic2ih12iw83oc2oh12ow83g2kh3kw3ph1pw1;layout=nchw";
    static const char mirrored[] = "mb1ic1ih9iw70oc1oh9ow70kh3kw3ph1pw1;mode=symmetric;layout=nchw";
    static const char strided[] = "mb1ic1ih9iw141oc1oh5ow71kh3kw3sh2sw2ph1pw1;mode=reflect";
    static const char pixels[] = "mb1ic3ih9iw40oc3oh9ow40g3kh3kw3ph1pw1;mode=constant;value=7";
    static const char halves[] = "mb1ic1ih9iw70oc1oh9ow70kh3kw3ph1pw1;mode=constant;value=0.5";
    static const char ended[] = "mb1ic1ih9iw70oc1oh9ow70kh3kw3ph1pw1;bias;residual;act=relu";
    static const char relu[] = "mb1ic1ih9iw70oc1oh9ow70kh3kw3ph1pw1;act=relu";
    (void)state;
    assert_filtered(plane, sobel, 1, "stencil tile=2x2 strip=4");
    assert_filtered(plane, blur, 1.0 / 16, "stencil tile=4x1 strip=8 columns=kept");
    assert_filtered(mirrored, sharp, 1, "stencil tile=2x1 strip=4");
    assert_filtered(mirrored, blur, 1.0 / 8, "stencil tile=1x2 strip=4");
    assert_filtered(strided, sobel, 0.5, "stencil tile=2x1 strip=4");
    assert_filtered(pixels, sobel, 0.25, "stencil tile=2x1 strip=4");
    assert_filtered(halves, sobel, 1, "stencil tile=2x1 strip=4");
    assert_filtered(ended, sobel, 1, "stencil tile=2x1 strip=4");
    assert_filtered(relu, sobel, 1.0 / 4, "stencil tile=2x1 strip=4");
    assert_filtered(mirrored, large, 1, "stencil tile=2x1 strip=4");
}

/* Sums fit 16 bits, with a sign or without, and rounding does. */
static void what_fits_16_bits_is_known(void **state)
{
    static const struct {
        const double *kernel;
        double scale;
        enum convc_dtype src;
        bool narrow, sign;
        int shift;
    } known[] = {
        { sobel, 1, CONVC_U8, true, true, 0 },
        { blur, 1, CONVC_U8, true, false, 0 },
        { blur, 1.0 / 16, CONVC_U8, true, false, 4 },
        { blur, 16, CONVC_U8, true, false, 0 },
        { blur, 17, CONVC_U8, false, false, 0 },
        { sobel, 32, CONVC_U8, true, true, 0 },
        { sobel, 33, CONVC_U8, false, true, 0 },
        { sobel, 1.0 / 256, CONVC_U8, true, true, 8 },
        { sobel, 1.0 / 512, CONVC_U8, false, false, 0 },
        { odd, 1, CONVC_U8, false, false, 0 },
        { sobel, 1, CONVC_S16, false, true, 0 },
        { sobel, 1, CONVC_F32, false, false, 0 },
    };
    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        struct convc_problem p = problem_named("mb1ic1ih9iw70oc1oh9ow70kh3kw3ph1pw1").p;
        double weights[9];
        for (int w = 0; w < 9; w++)
            weights[w] = known[i].kernel[w] * known[i].scale;
        p.weights = weights;
        p.src_dtype = known[i].src;
        struct problem r = resolved(&p);
        struct stencil_number n = stencil_number_of(&r);
        assert_int_equal(n.narrow, known[i].narrow);
        assert_int_equal(n.sign, known[i].sign);
        assert_int_equal(n.shift, known[i].narrow ? known[i].shift : n.shift);
    }
}

/* Values of windows are their own, unless they are elements of the source. */
static void windows_that_compute_do_so_in_the_accumulators_type(void **state)
{
    static const char *const window[] = { "add(x(0,0),x(2,2))", "max(x(0,0),1)",
                                          "max(x(0,0),x(2,2))" };
    (void)state;
    for (int i = 0; i < 3; i++) {
        struct convc_problem from = problem_named("g1mb1ic1ih9iw70oc1oh9ow70kh3kw3ph1pw1;"
                                                  "dtype=u8:f32:u8;mode=reflect;"
                                                  "window=x(2,2)")
                                        .p;
        from.window = window[i];
        struct problem p = resolved(&from);
        assert_int_equal(stencil_number_of(&p).narrow, i == 2);
    }
}

static void what_computes_in_one_type_alone_says_so(void **state)
{
    struct problem p = problem_named("mb1ic8ih9iw9oc8oh9ow9kh3kw3ph1pw1;dtype=u8:f32:f32");
    struct plan plan = plan_named("winograd f=2x2 tile=3x2");
    struct diag d = { 0 };
    (void)state;
    assert_int_equal(plan_check(&plan, &p, &machine[0], &d), CONVC_ERR_PLAN);
    assert_string_equal(d.text, "winograd needs src and dst of acc's type, f32");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_numbers_are_rounded_and_held_within_their_type),
        cmocka_unit_test(every_arrangement_of_lanes_reads_and_writes_them),
        cmocka_unit_test(stencils_compute_in_16_bits_what_fits_them),
        cmocka_unit_test(what_fits_16_bits_is_known),
        cmocka_unit_test(windows_that_compute_do_so_in_the_accumulators_type),
        cmocka_unit_test(what_computes_in_one_type_alone_says_so),
    };
    return cmocka_run_group_tests(tests, emitted_setup, emitted_teardown);
}
