/* Stencils: what programs are made of kernels, and that their kernels compute what the reference
 * does, wherever windows lie and whatever is around. */
#include "gen/out/object.h"
#include "gen/plan/stencil_nest.h"
#include "tests/support/emitted.h"
#include "tests/support/named.h"
#include "tests/support/small.h"
#include "tests/support/subject.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- programs ---------------------------------------------------------------------------------
 */

static const double sobel[] = { -1, 0, 1, -2, 0, 2, -1, 0, 1 };
static const double laplacian[] = { 0, 1, 0, 1, -4, 1, 0, 1, 0 };
static const double edges[] = { -1, -1, -1, -1, 8, -1, -1, -1, -1 };
static const double kirsch[] = { 5, 5, 5, -3, 0, -3, -3, -3, -3 };
static const double odd_factors[] = { 4, 6, 0, 6, 9, 0, 10, 15, 0 };
static const double nothing[9] = { 0 };

/* A kernel of `rows` x `cols` on a picture of one channel. */
static struct convc_problem filtered(const double *weights, int64_t rows, int64_t cols)
{
    struct convc_problem p = small_problem();
    p.ic = p.oc = p.groups = 1;
    p.layout = CONVC_NCHW;
    p.in[CONVC_H] = 11;
    p.in[CONVC_W] = 41;
    p.kernel[CONVC_H] = rows;
    p.kernel[CONVC_W] = cols;
    for (int a = CONVC_H; a <= CONVC_W; a++)
        p.pad_begin[a] = p.pad_end[a] = p.kernel[a] / 2;
    p.weights = weights;
    return p;
}

static void check_program(const double *weights, int64_t rows, int64_t cols, int taps,
                          int multiplies, int operations)
{
    struct convc_problem from = filtered(weights, rows, cols);
    struct problem p = resolved(&from);
    struct stencil *s = malloc(sizeof *s);
    assert_non_null(s);
    stencil_of(&p, s);
    assert_false(s->full);
    assert_int_equal(s->taps, taps);
    assert_int_equal(s->multiplies, multiplies);
    assert_int_equal(s->operations, operations);
    free(s);
}

static void programs_do_little(void **state)
{
    double gauss[25], box[25];
    static const double binomial[5] = { 1, 4, 6, 4, 1 }, real[5] = { 0.1, 0.7, 1.1, 0.7, 0.1 };
    (void)state;
    check_program(sobel, 3, 3, 6, 1, 3);
    check_program(laplacian, 3, 3, 5, 1, 4);
    check_program(edges, 3, 3, 9, 1, 7);
    check_program(kirsch, 3, 3, 8, 4, 6);
    check_program(odd_factors, 3, 3, 6, 5, 5);
    check_program(nothing, 3, 3, 0, 0, 0);
    for (int i = 0; i < 25; i++) {
        gauss[i] = binomial[i / 5] * binomial[i % 5];
        box[i] = 1;
    }
    check_program(gauss, 5, 5, 25, 4, 8);
    check_program(box, 5, 5, 25, 0, 8);
    for (int i = 0; i < 25; i++)
        gauss[i] = (float)(real[i / 5] * real[i % 5]);
    check_program(gauss, 5, 5, 25, 5, 9);
}

static void equal_forms_are_one_wherever_they_lie(void **state)
{
    struct stencil *s = calloc(1, sizeof *s);
    (void)state;
    assert_non_null(s);
    const int64_t at[3][3] = { { 0, 0, 0 }, { 0, 1, 2 }, { 0, 5, -3 } };
    struct stencil_term a = stencil_src(s, at[0]), b = stencil_src(s, at[1]);
    struct stencil_term one = stencil_make(s, STENCIL_ADD, 0, a, b);
    for (int i = 0; i < 3; i++) {
        a.at[i] += at[2][i];
        b.at[i] += at[2][i];
    }
    struct stencil_term other = stencil_make(s, STENCIL_ADD, 0, a, b);
    assert_int_equal(one.form, other.form);
    assert_memory_equal(other.at, at[2], sizeof other.at);
    assert_true(s->form[one.form].reach[1] == 1 && s->form[one.form].reach[2] == 2);
    free(s);
}

/* ---- kernels ----------------------------------------------------------------------------------
 */

static const char *const plans[] = { "stencil tile=1x1 strip=3",
                                     "stencil tile=2x3 strip=4",
                                     "stencil tile=4x1 strip=5 columns=kept",
                                     "stencil tile=3x2 strip=100 columns=kept",
                                     "stencil tile=3x2 strip=7 edges=apart",
                                     "stencil tile=1x1 strip=100 edges=apart",
                                     "stencil tile=2x1 strip=5 columns=rolled",
                                     "stencil tile=3x2 strip=100 columns=rolled" };

/* Every plan that fits computes what the reference does. Returns how many did. */
static int assert_right(const struct convc_problem *from, struct test_random *r)
{
    int fit = 0;
    for (int i = 0; i < machines; i++) {
        struct sample s;
        sample_draw(&s, from, r);
        for (size_t k = 0; k < sizeof plans / sizeof *plans; k++) {
            struct plan plan = plan_named(plans[k]);
            struct diag d = { 0 };
            struct emitted e;
            if (plan_check(&plan, &s.problem, &machine[i], &d) != CONVC_OK)
                continue;
            emitted_make(&e, &s.problem, &plan, &machine[i], false);
            if (!emitted_agrees(&e, &s, r))
                fail_msg("%s", plans[k]);
            emitted_free(&e);
            fit++;
        }
        sample_free(&s);
    }
    return fit;
}

static void borders_are_as_the_reference_has_them(void **state)
{
    struct test_random r = { test_seed("stencil_borders", 1) };
    double gauss[25];
    (void)state;
    for (int i = 0; i < 25; i++)
        gauss[i] = (double)(((i / 5 + 1) * (i % 5 + 1)) % 7);
    for (int mode = 0; mode <= CONVC_PAD_IDENTITY; mode++) {
        for (int64_t w = 1; w <= 41; w += 4) {
            const double *kernel = w % 8 == 1 ? gauss : sobel;
            int64_t size = kernel == gauss ? 5 : 3;
            struct convc_problem p = filtered(kernel, size, size);
            p.padding_mode = (enum convc_padding_mode)mode;
            p.padding_value = 2;
            p.in[CONVC_W] = w;
            p.in[CONVC_H] = 1 + w % 7;
            assert_true(assert_right(&p, &r) > 0);
        }
    }
}

static int lanes_of(int64_t w, const char *cpu)
{
    struct convc_problem from = filtered(sobel, 3, 3);
    from.in[CONVC_W] = w;
    struct problem p = resolved(&from);
    struct target t = target_named(cpu);
    struct plan plan = plan_named("stencil tile=4x1 strip=32");
    struct stencil_nest *n = stencil_nest_of(&p, &plan.stencil, &t);
    assert_non_null(n);
    int lanes = n->lanes;
    free(n);
    return lanes;
}

/* Tiny pictures are read as vectors, and not element by element for want of some. SVE's own vectors
 * have no length that the instructions know. */
static void vectors_are_no_longer_than_they_need_be(void **state)
{
    static const char v4[] = "x86_64-pc-linux-gnu:x86-64-v4";
    (void)state;
    assert_int_equal(lanes_of(41, v4), 16);
    assert_int_equal(lanes_of(9, v4), 16);
    assert_int_equal(lanes_of(8, v4), 8);
    assert_int_equal(lanes_of(3, v4), 4);
    assert_int_equal(lanes_of(1, v4), 4);
    assert_int_equal(lanes_of(41, "aarch64-unknown-linux-gnu:neoverse-v1"), 4);
    assert_int_equal(lanes_of(41, "riscv64-unknown-linux-gnu:sifive-u74"), 1);
}

static void draw_kernel(struct test_random *r, double *weights, int64_t count)
{
    int64_t kind = test_random_in(r, 0, 3);
    for (int64_t i = 0; i < count; i++) {
        weights[i] = (double)test_random_in(r, -3, 3);
        if (kind == 1 && test_random_in(r, 0, 2))
            weights[i] = 0;
        if (kind == 2 && i > 0)
            weights[i] = weights[0];
        if (kind == 3 && i > count / 2)
            weights[i] = weights[count - 1 - i];
    }
}

static void draw_problem_of_filters(struct test_random *r, struct convc_problem *p, double *weights)
{
    *p = filtered(weights, test_random_in(r, 1, 5), test_random_in(r, 1, 5));
    p->layout = (enum convc_layout)test_random_in(r, 0, 1);
    p->ic = p->groups = test_random_in(r, 1, 5);
    int64_t filters = p->layout == CONVC_NCHW ? test_random_in(r, 1, 4) : 1;
    p->oc = p->ic * filters;
    p->n = test_random_in(r, 1, 2);
    for (int a = CONVC_H; a <= CONVC_W; a++) {
        p->in[a] = test_random_in(r, 1, a == CONVC_W ? 60 : 12);
        p->dilation[a] = test_random_in(r, 1, 2);
        p->stride[a] = test_random_in(r, 1, a == CONVC_W && p->layout == CONVC_NHWC ? 1 : 2);
        int64_t reach = p->dilation[a] * (p->kernel[a] - 1);
        p->pad_begin[a] = test_random_in(r, 0, reach + 1);
        p->pad_end[a] = test_random_in(r, 0, reach + 1);
    }
    p->padding_mode = (enum convc_padding_mode)test_random_in(r, 0, CONVC_PAD_IDENTITY);
    p->padding_value = 1;
    p->src_dtype = p->wei_dtype = p->acc_dtype = p->dst_dtype =
        test_random_in(r, 0, 3) ? CONVC_F32 : CONVC_F64;
    p->bias = p->layout == CONVC_NCHW && test_random_in(r, 0, 1);
    p->residual = test_random_in(r, 0, 3) == 0;
    p->activation = test_random_in(r, 0, 1) ? CONVC_ACT_NONE : CONVC_ACT_RELU;
    int64_t count = filters * p->kernel[CONVC_H] * p->kernel[CONVC_W];
    draw_kernel(r, weights, count);
    for (int64_t i = count; i < count * p->ic; i++)
        weights[i] = weights[i - count];
}

static void kernels_compute_what_the_reference_does(void **state)
{
    struct test_random r = { test_seed("stencil", 1) };
    double weights[5 * 4 * 25];
    int64_t fit = 0, rounds = test_count(150);
    (void)state;
    for (int64_t i = 0; i < rounds; i++) {
        struct convc_problem p;
        struct problem ignored;
        struct diag d = { 0 };
        draw_problem_of_filters(&r, &p, weights);
        if (problem_resolve(&p, &ignored, &d) == CONVC_OK)
            fit += assert_right(&p, &r);
    }
    print_message("%lld kernels\n", (long long)fit);
    assert_true(fit > rounds);
}

static void depth_is_one_more_axis(void **state)
{
    struct test_random r = { test_seed("stencil_depth", 1) };
    double cube[27];
    (void)state;
    for (int i = 0; i < 27; i++)
        cube[i] = (double)(i * i % 5 - 2);
    for (int mode = 0; mode < CONVC_PAD_IDENTITY; mode++) {
        struct convc_problem p = filtered(cube, 3, 3);
        p.spatial = 3;
        p.in[CONVC_D] = 4;
        p.kernel[CONVC_D] = 3;
        p.pad_begin[CONVC_D] = p.pad_end[CONVC_D] = 1;
        p.padding_mode = (enum convc_padding_mode)mode;
        p.padding_value = 1;
        p.in[CONVC_W] = 30;
        assert_true(assert_right(&p, &r) > 0);
    }
}

/* Lines of a kernel's assembly that move a vector register to or from the stack. */
static int count_spills(const struct convc_problem *from, const char *plan_text)
{
    struct target t = target_named("x86-64-v3");
    struct problem p = resolved(from);
    struct plan plan = plan_fitting(plan_text, &p, &t);
    struct object_request request = {
        .problem = &p, .plan = &plan, .target = &t, .symbol = "kernel", .form = OBJECT_ASM
    };
    struct object o;
    struct diag d = { 0 };
    int spills = 0;
    assert_int_equal(object_emit(&request, &o, &d), CONVC_OK);
    char *text = strndup(o.bytes, o.count), *save = NULL;
    for (char *l = strtok_r(text, "\n", &save); l; l = strtok_r(NULL, "\n", &save))
        spills += strstr(l, "(%rsp)") && strstr(l, "%ymm");
    free(text);
    object_free(&o);
    return spills;
}

static void pictures_are_filtered_without_spills(void **state)
{
    static const double binomial[5] = { 1, 4, 6, 4, 1 };
    double gauss[25];
    (void)state;
    for (int i = 0; i < 25; i++)
        gauss[i] = binomial[i / 5] * binomial[i % 5];
    struct convc_problem p = filtered(sobel, 3, 3), q = filtered(gauss, 5, 5);
    p.in[CONVC_W] = q.in[CONVC_W] = 1920;
    p.in[CONVC_H] = q.in[CONVC_H] = 1080;
    assert_int_equal(count_spills(&p, "stencil tile=8x1 strip=32"), 0);
    assert_int_equal(count_spills(&q, "stencil tile=4x1 strip=32 columns=kept"), 0);
    assert_int_equal(count_spills(&p, "stencil tile=2x1 strip=32 columns=rolled"), 0);
    assert_int_equal(count_spills(&q, "stencil tile=2x1 strip=32 columns=rolled"), 0);
}

/* Vectors at the border that are computed apart have no columns of their own. */
static void edges_apart_keep_no_columns(void **state)
{
    static const char *const refused[] = { "stencil tile=2x1 strip=8 columns=kept edges=apart",
                                           "stencil tile=2x1 strip=8 columns=rolled edges=apart" };
    struct target t = target_named("x86-64-v3");
    struct convc_problem from = filtered(sobel, 3, 3);
    struct problem p = resolved(&from);
    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        struct plan plan = plan_named(refused[i]);
        struct diag d = { 0 };
        assert_int_equal(plan_check(&plan, &p, &t, &d), CONVC_ERR_PLAN);
        assert_string_equal(d.text, "edges=apart and columns do not go together");
    }
}

/* Values of windows are whole numbers, or halves. */
static void windows_are_stencils(void **state)
{
    static const char *const windows[] = {
        "x(2,0)",
        "add(max(x(0,0),x(1,0)),add(max(x(0,1),x(1,1)),mul(0.5,max(x(0,2),x(1,2)))))",
        "where(lt(x(1,1),x(0,0)),min(x(2,2),x(1,0)),sub(x(0,2),abs(x(1,1))))",
        "max(min(x(0,0),x(0,1)),min(max(x(0,0),x(0,1)),add(x(2,2),mul(x(1,1),x(1,2)))))",
    };
    struct test_random r = { test_seed("stencil_windows", 1) };
    (void)state;
    for (size_t i = 0; i < sizeof windows / sizeof *windows; i++) {
        for (int mode = 0; mode < CONVC_PAD_IDENTITY; mode++) {
            struct convc_problem p = filtered(NULL, 3, 3);
            p.window = windows[i];
            p.padding_mode = (enum convc_padding_mode)mode;
            p.padding_value = 1;
            p.stride[CONVC_W] = 1 + mode % 2;
            p.dilation[CONVC_H] = 1 + (int64_t)i % 2;
            assert_true(assert_right(&p, &r) > 0);
        }
    }
}

/* Functions that pick elements of pictures do so in 16 bits, where their padding fits. */
static void what_picks_stays_whole(void **state)
{
    static const char window[] = "max(min(max(x(0,0),x(1,0)),max(x(0,1),x(1,1))),"
                                 "min(max(x(0,2),x(1,2)),x(2,1)))";
    static const enum convc_dtype type[][2] = {
        { CONVC_U8, CONVC_U8 },   { CONVC_U8, CONVC_S16 },  { CONVC_S16, CONVC_S16 },
        { CONVC_S16, CONVC_U8 },  { CONVC_U16, CONVC_U16 }, { CONVC_U16, CONVC_F32 },
        { CONVC_U16, CONVC_S16 },
    };
    struct test_random r = { test_seed("stencil_picks", 1) };
    (void)state;
    for (size_t i = 0; i < sizeof type / sizeof *type; i++) {
        for (int mode = 0; mode < CONVC_PAD_IDENTITY; mode++) {
            struct convc_problem from = filtered(NULL, 3, 3);
            from.window = window;
            from.src_dtype = type[i][0];
            from.dst_dtype = type[i][1];
            from.padding_mode = (enum convc_padding_mode)mode;
            from.padding_value = i % 2 ? -3 : 0.5;
            struct problem p = resolved(&from);
            bool constant = mode == CONVC_PAD_CONSTANT, wide = type[i][0] == CONVC_U16;
            assert_int_equal(stencil_number_of(&p).narrow, !constant || (i % 2 && !wide));
            assert_true(assert_right(&from, &r) > 0);
        }
    }
}

static void reductions_of_constants_are_stencils(void **state)
{
    static const char *const combine[] = { "add(x,w)", "sub(x,w)", "abs(sub(x,w))", "mul(x,w)" };
    static const char *const reduce[] = { "max", "min", "sum", "sum" };
    struct test_random r = { test_seed("stencil_reductions", 1) };
    (void)state;
    for (int i = 0; i < 4; i++) {
        for (int mode = 0; mode <= CONVC_PAD_IDENTITY; mode++) {
            struct convc_problem p = filtered(mode % 2 ? nothing : sobel, 3, 3);
            p.combine = combine[i];
            p.reduce = reduce[i];
            p.padding_mode = (enum convc_padding_mode)mode;
            p.padding_value = 2;
            int fit = assert_right(&p, &r);
            assert_true(fit > 0 || mode == CONVC_PAD_IDENTITY);
        }
    }
    struct convc_problem dilation = filtered(nothing, 3, 3);
    dilation.combine = "add(x,w)";
    dilation.reduce = "max";
    struct problem p = resolved(&dilation);
    struct stencil *s = malloc(sizeof *s);
    assert_non_null(s);
    stencil_of(&p, s);
    assert_int_equal(s->operations, 4);
    free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(programs_do_little),
        cmocka_unit_test(equal_forms_are_one_wherever_they_lie),
        cmocka_unit_test(borders_are_as_the_reference_has_them),
        cmocka_unit_test(vectors_are_no_longer_than_they_need_be),
        cmocka_unit_test(kernels_compute_what_the_reference_does),
        cmocka_unit_test(depth_is_one_more_axis),
        cmocka_unit_test(edges_apart_keep_no_columns),
        cmocka_unit_test(windows_are_stencils),
        cmocka_unit_test(what_picks_stays_whole),
        cmocka_unit_test(pictures_are_filtered_without_spills),
        cmocka_unit_test(reductions_of_constants_are_stencils),
    };
    return cmocka_run_group_tests(tests, emitted_setup, emitted_teardown);
}
