/* Winograd's algorithm: how far off its results may be, that blocks and work items leave no trace,
 * what is refused, and when it is chosen. */
#include "gen/plan/choose.h"
#include "gen/plan/plan_winograd.h"
#include "gen/plan/winograd.h"
#include "gen/spec/spec.h"
#include "runtime/cli/random.h"
#include "runtime/ref.h"
#include "tests/support/emitted.h"
#include "tests/support/named.h"
#include "tests/support/subject.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- one run on reals --------------------------------------------------------------------------
 */

struct trial {
    struct problem problem;
    struct plan plan;
    void *src, *wei, *dst; /* wei plain */
};

static void *reals(const struct problem *p, int64_t count, uint64_t seed)
{
    void *t = aligned_alloc(64, ((size_t)(count * dtype_bytes(p->p.src_dtype)) + 64) / 64 * 64);
    assert_non_null(t);
    for (int64_t i = 0; i < count; i++) {
        double v = random_real(seed, (uint64_t)i);
        if (p->p.src_dtype == CONVC_F64)
            ((double *)t)[i] = v;
        else
            ((float *)t)[i] = (float)v;
    }
    return t;
}

static int64_t outputs(const struct problem *p)
{
    return p->p.oc * p->out[0] * p->out[1] * p->out[2];
}

static double value(const struct problem *p, const void *t, int64_t i)
{
    return p->p.src_dtype == CONVC_F64 ? ((const double *)t)[i] : (double)((const float *)t)[i];
}

/* The items are split as `split`, a seed, says. */
static void trial_split(struct trial *t, const char *problem, const char *plan, uint64_t seed,
                        uint64_t split)
{
    struct emitted e;
    struct diag d = { 0 };
    struct test_random r = { split };
    *t = (struct trial){ .problem = problem_named(problem), .plan = plan_named(plan) };
    const struct problem *p = &t->problem;
    if (plan_check(&t->plan, p, &machine[0], &d) != CONVC_OK)
        fail_msg("%s: %s", plan, d.text);
    int64_t taps = p->p.kernel[0] * p->p.kernel[1] * p->p.kernel[2];
    t->src = reals(p, p->p.ic * p->p.in[0] * p->p.in[1] * p->p.in[2], seed);
    t->wei = reals(p, p->p.oc * p->icg * taps, seed + 1);
    t->dst = reals(p, outputs(p), seed + 2);
    emitted_make(&e, p, &t->plan, &machine[0], false);
    void *packed = aligned_alloc(64, (e.packed_bytes + 63) / 64 * 64);
    assert_non_null(packed);
    emitted_pack(&e, t->wei, packed);
    struct convc_args args = { .struct_bytes = sizeof args, .n = 1 };
    args.src = t->src;
    args.wei = packed;
    args.dst = t->dst;
    emitted_run(&e, &args, &r);
    free(packed);
    emitted_free(&e);
}

static void trial_run(struct trial *t, const char *problem, const char *plan, uint64_t seed)
{
    trial_split(t, problem, plan, seed, seed);
}

static void trial_free(struct trial *t)
{
    free(t->src);
    free(t->wei);
    free(t->dst);
}

/* The largest error, over the largest |output|, and over the largest sum of |src*wei| in its
 * channel. In N, C, spatial order outputs are those of ref_at; memory is NHWC. */
struct errors {
    double of_output, of_sum;
};

static void absolute(const struct problem *p, void *t, int64_t count)
{
    for (int64_t i = 0; i < count; i++) {
        if (p->p.src_dtype == CONVC_F64)
            ((double *)t)[i] = fabs(((double *)t)[i]);
        else
            ((float *)t)[i] = fabsf(((float *)t)[i]);
    }
}

static struct errors trial_errors(struct trial *t)
{
    const struct problem *p = &t->problem;
    struct convc_args args = { .struct_bytes = sizeof args, .src = t->src, .n = 1 };
    int64_t plane = p->out[0] * p->out[1] * p->out[2], taps = 1;
    double *off = calloc((size_t)outputs(p), sizeof *off), worst = 0, largest = 0;
    struct errors e = { 0 };
    struct layout plain;
    layout_plain(p, &plain);
    assert_non_null(off);
    for (int64_t i = 0; i < outputs(p); i++) {
        long double want = ref_at(p, &plain, &args, t->wei, i);
        off[i] = fabs((double)(value(p, t->dst, i % plane * p->p.oc + i / plane) - want));
        worst = fmax(worst, off[i]);
        largest = fmax(largest, fabs((double)want));
    }
    for (int a = 0; a < 3; a++)
        taps *= p->p.kernel[a];
    absolute(p, t->src, p->p.ic * p->p.in[0] * p->p.in[1] * p->p.in[2]);
    absolute(p, t->wei, p->p.oc * p->icg * taps);
    for (int64_t o = 0; o < p->p.oc; o++) {
        double scale = 0, here = 0;
        for (int64_t i = o * plane; i < (o + 1) * plane; i++) {
            here = fmax(here, off[i]);
            scale = fmax(scale, (double)ref_at(p, &plain, &args, t->wei, i));
        }
        e.of_sum = fmax(e.of_sum, here / scale);
    }
    e.of_output = worst / largest;
    free(off);
    return e;
}

static struct errors errors_of(const char *problem, const char *plan, uint64_t seed)
{
    struct trial t;
    trial_run(&t, problem, plan, seed);
    struct errors e = trial_errors(&t);
    trial_free(&t);
    return e;
}

/* ---- errors ------------------------------------------------------------------------------------
 */

/* Every transform there is: tiles of m under a kernel of r. */
static const int transform[][2] = { { 2, 3 }, { 3, 2 }, { 2, 5 }, { 3, 4 }, { 4, 3 }, { 5, 2 },
                                    { 2, 7 }, { 3, 6 }, { 4, 5 }, { 5, 4 }, { 6, 3 }, { 7, 2 } };
enum { TRANSFORMS = sizeof transform / sizeof *transform };

static void every_transform_is_known(void **state)
{
    int count = 0;
    (void)state;
    for (int m = -1; m < 20; m++) {
        for (int r = 1; r < 20; r++)
            count += r > 1 && winograd_axis_exists(m, r);
    }
    assert_int_equal(count, TRANSFORMS);
    for (int i = 0; i < TRANSFORMS; i++)
        assert_true(winograd_axis_exists(transform[i][0], transform[i][1]));
    assert_true(winograd_axis_exists(1, 1));
    assert_false(winograd_axis_exists(2, 1));
}

/* h and w number transforms; -1: none. */
static struct errors worst_of(int h, int w, bool wide, int channels, double *bound)
{
    const int none[2] = { 1, 1 };
    const int *a = h < 0 ? none : transform[h], *b = w < 0 ? none : transform[w];
    struct errors worst = { 0 };
    char problem[160], plan[80];
    snprintf(problem, sizeof problem, "g1mb1ic%dih19iw23oc64kh%dkw%dph%dpw%d%s", channels, a[1],
             b[1], a[1] / 2, b[1] / 2, wide ? ";dtype=f64" : "");
    snprintf(plan, sizeof plan, "winograd f=%dx%d tile=6x2 block=17", a[0], b[0]);
    for (uint64_t seed = 0; seed < 2; seed++) {
        struct errors e = errors_of(problem, plan, 100 * seed + (uint64_t)channels);
        worst.of_sum = fmax(worst.of_sum, e.of_sum);
        worst.of_output = fmax(worst.of_output, e.of_output);
    }
    struct problem p = problem_named(problem);
    struct plan read = plan_named(plan);
    *bound = plan_error_bound(&read, &p);
    return worst;
}

/* Demands that four times the worst stays within the bound, which is not far away. */
static void check_bound(int h, int w, bool wide)
{
    double worst = 0, bound;
    for (int channels = 1; channels <= 3; channels += 2)
        worst = fmax(worst, worst_of(h, w, wide, channels, &bound).of_sum);
    if (4 * worst > bound || 24 * worst < bound)
        fail_msg("transforms %d, %d of %s: error %.3g, bound %.3g", h, w, wide ? "f64" : "f32",
                 worst, bound);
}

static void bounds_hold_along_one_axis(void **state)
{
    (void)state;
    for (int i = 0; i < TRANSFORMS; i++) {
        check_bound(-1, i, i % 2);
        check_bound(i, -1, i % 2 == 0);
    }
}

static void bounds_hold_along_both_axes(void **state)
{
    (void)state;
    for (int i = 0; i < TRANSFORMS; i++) {
        check_bound(i, i, false);
        check_bound(i, i, true);
        check_bound(i, (5 * i + 3) % TRANSFORMS, i % 2);
    }
}

/* The algebra is exact: in f64 nothing but rounding is left. */
static void transforms_agree_in_f64(void **state)
{
    double bound;
    (void)state;
    for (int i = 0; i < TRANSFORMS; i++) {
        assert_true(worst_of(i, i, true, 5, &bound).of_output < 1e-12);
        assert_true(worst_of(i, -1, true, 5, &bound).of_output < 1e-12);
    }
}

static void f43_errs_little_up_to_512_channels(void **state)
{
    (void)state;
    const char *plan = "winograd f=4x4 tile=13x2";
    assert_true(errors_of("g1mb1ic64ih20iw20oc64kh3kw3ph1pw1", plan, 1).of_output <= 5e-6);
    assert_true(errors_of("g1mb1ic256ih14iw14oc64kh3kw3ph1pw1", plan, 2).of_output <= 5e-6);
    assert_true(errors_of("g1mb1ic512ih12iw12oc64kh3kw3ph1pw1", plan, 3).of_output <= 5e-6);
}

/* ---- blocks leave no trace ---------------------------------------------------------------------
 */

static void results_do_not_depend_on_blocks_or_splits(void **state)
{
    static const char *const plan[] = { "winograd f=4x4 tile=13x2",
                                        "winograd f=4x4 tile=5x2 block=7 prefetch=weights",
                                        "winograd f=4x4 tile=2x1 block=1 oc=16",
                                        "winograd f=4x4 tile=4x3 block=9 oc=32" };
    static const char *const problem[] = { "g2mb1ic42ih13iw22oc134kh3kw3ph1pw1",
                                           "g2mb1ic42ih13iw22oc134kh3kw3ph1pw1;layout=nchw" };
    (void)state;
    for (int layout = 0; layout < 2; layout++) {
        struct trial first;
        trial_run(&first, problem[layout], plan[0], 5);
        for (size_t i = 0; i < 4 * (sizeof plan / sizeof *plan); i++) {
            struct trial other;
            trial_split(&other, problem[layout], plan[i / 4], 5, 100 + i);
            assert_memory_equal(first.dst, other.dst, (size_t)outputs(&first.problem) * 4);
            trial_free(&other);
        }
        trial_free(&first);
    }
}

/* ---- layouts -----------------------------------------------------------------------------------
 */

/* Odd channels, partial tiles, rows shorter than a vector, blocks that end within a row of tiles;
 * every padding mode, with residual and bias, each tensor in either layout. */
static void check_layouts(const char *text, const struct plan *plan, enum convc_padding_mode mode,
                          const struct target *t, struct test_random *r)
{
    struct problem base = problem_named(text);
    for (int layouts = 1; layouts < 4; layouts++) {
        struct convc_problem p = base.p;
        struct sample o;
        struct emitted e;
        const int64_t last_in[5] = { 0, 1, p.in[1] * p.in[2] * p.ic, p.in[2] * p.ic, p.ic };
        p.padding_mode = mode;
        p.bias = p.residual = true;
        p.layout = layouts == 2 ? CONVC_NHWC : CONVC_NCHW;
        memset(p.src_stride, 0, sizeof p.src_stride);
        memset(p.dst_stride, 0, sizeof p.dst_stride);
        if (layouts == 1) { /* inputs with channels side by side, outputs without */
            memcpy(p.src_stride, last_in, sizeof last_in);
            p.src_stride[0] = p.ic * p.in[0] * p.in[1] * p.in[2];
        } else if (layouts == 2) { /* and the other way round, with gaps */
            int64_t row = base.out[2] + 3, plane = row * base.out[1] + 1;
            const int64_t gaps[5] = { p.oc * plane * base.out[0], plane * base.out[0], plane, row,
                                      1 };
            memcpy(p.dst_stride, gaps, sizeof gaps);
        }
        sample_make_exact(&p);
        sample_draw(&o, &p, r);
        emitted_make(&e, &o.problem, plan, t, false);
        if (!emitted_agrees(&e, &o, r))
            fail_msg("%s, padding mode %d, layouts %d", text, (int)mode, layouts);
        emitted_free(&e);
        sample_free(&o);
    }
}

static void pixels_may_lie_side_by_side(void **state)
{
    static const char *const row[][2] = {
        { "mb2ic19ih9iw37oc21kh3kw3ph1pw1", "winograd f=4x4 tile=5x2 block=7" },
        { "g3mb1ic15ih7iw7oc51kh3kw3ph2pw2", "winograd f=2x2 tile=4x1" },
        { "mb1ic33ih6iw50oc18kh3kw5ph1pw2;dtype=f64", "winograd f=4x2 tile=3x2 block=11 oc=16" },
        { "mb1ic16id3ih9iw18oc16kd3kh3kw3pd1ph1pw1", "winograd f=4x4 tile=6x1 block=8" },
    };
    struct test_random r = { 11 };
    (void)state;
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        struct plan plan = plan_named(row[i][1]);
        for (int mode = CONVC_PAD_ZEROS; mode <= CONVC_PAD_IDENTITY; mode++)
            check_layouts(row[i][0], &plan, (enum convc_padding_mode)mode,
                          &machine[((int)i + mode) % machines], &r);
    }
}

/* ---- what is refused, what is chosen -----------------------------------------------------------
 */

static void what_does_not_fit_is_named(void **state)
{
    static const struct {
        const char *problem, *plan, *sentence;
    } row[] = {
        { "ic16ih9oc16kh3sh2ph1", "winograd f=4x4 tile=6x2",
          "winograd needs stride=1 and dilation=1 along height and width" },
        { "ic16ih9oc16kh3dh1ph1", "winograd f=4x4 tile=6x2",
          "winograd needs stride=1 and dilation=1 along height and width" },
        { "ic16ih9oc16kh1", "winograd f=1x1 tile=6x2",
          "winograd needs a kernel of more than one tap along height or width" },
        { "ic16ih9oc16kh3", "winograd f=4x3 tile=6x2",
          "f=4x3 has no transform for a kernel of 3 x 3: 1 goes with 1, else f + kernel - 1 must "
          "be "
          "4, 6 or 8" },
        { "ic16ih9oc16kh3", "winograd f=4x4",
          "tile=0x0 is not within 30x8 with at most 64 accumulators" },
        { "ic16ih9oc16kh3", "winograd f=4x4 tile=30x3",
          "tile=30x3 is not within 30x8 with at most 64 accumulators" },
        { "ic4096ih4000iw4000oc4096kh3kw3", "winograd f=4x4 tile=6x2",
          "winograd's scratch memory would take more than 1024 MiB; block=0" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        struct diag d = { 0 };
        struct problem p = problem_named(row[i].problem);
        struct plan plan = plan_named(row[i].plan);
        assert_int_equal(plan_check(&plan, &p, &machine[0], &d), CONVC_ERR_PLAN);
        assert_string_equal(d.text, row[i].sentence);
    }
}

static void gaps_between_channels_and_pixels_are_named(void **state)
{
    struct problem p = problem_named("ic16ih9oc16kh3"), odd;
    struct plan plan = plan_named("winograd f=4x4 tile=6x2");
    struct diag d = { 0 };
    (void)state;
    odd = p;
    odd.p.src_stride[CONVC_STRIDE_C] = 2;
    odd.p.src_stride[CONVC_STRIDE_W] = 32;
    assert_int_equal(plan_check(&plan, &odd, &machine[0], &d), CONVC_ERR_PLAN);
    assert_string_equal(d.text, "winograd needs the channels or the pixels of a row side by side");
}

static void what_cannot_be_read_is_named(void **state)
{
    static const struct {
        const char *text, *sentence;
    } row[] = {
        { "winograd f=4", "plan word 'f=4' has no such value" },
        { "winograd f=4x4x4", "plan word 'f=4x4x4' has no such value" },
        { "winograd tile=-1x2", "plan word 'tile=-1x2' has no such value" },
        { "winograd block=1.5", "plan word 'block=1.5' has no such value" },
        { "winograd oc=", "plan word 'oc=' has no such value" },
        { "winograd prefetch=pixels", "plan word 'prefetch=pixels' has no such value" },
        { "winograd lanes=oc",
          "plan word 'lanes' is unknown; winograd has f, block, oc, tile and prefetch" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof row / sizeof *row; i++)
        assert_plan_unreadable(row[i].text, row[i].sentence);
}

static void assert_chosen(const char *problem, const char *begins)
{
    char text[PLAN_TEXT_MAX];
    struct problem p = problem_named(problem);
    struct target t;
    struct plan plan;
    struct diag d = { 0 };
    assert_int_equal(target_parse("x86_64-pc-linux-gnu:znver5", &t, &d), CONVC_OK);
    assert_int_equal(choose_plan(&p, &t, &plan, &d), CONVC_OK);
    plan_print(&plan, text);
    if (strncmp(text, begins, strlen(begins)))
        fail_msg("%s: %s, not %s", problem, text, begins);
}

/* Wide layers of neighbouring taps, within the tolerance. */
static void winograd_is_chosen_where_it_pays(void **state)
{
    (void)state;
    assert_chosen("mb1ic64ih56oc64oh56kh3ph1", "winograd f=4x4");
    assert_chosen("mb1ic256ih14oc256oh14kh3ph1", "winograd f=4x4");
    assert_chosen("mb1ic512ih7oc512oh7kh3ph1", "winograd");
    assert_chosen("mb1ic64ih56oc64oh56kh3ph1;layout=nchw", "winograd f=4x4");
    assert_chosen("mb1ic512ih7oc512oh7kh3ph1;layout=nchw", "winograd");
    assert_chosen("mb1ic64ih56oc64oh56kh3ph1;tol=1e-3", "winograd f=");
    assert_chosen("mb1ic64ih56oc64oh56kh3ph1;tol=2e-6", "winograd f=2x2");
    assert_chosen("mb1ic64ih56oc64oh56kh3ph1;tol=0", "direct");
    assert_chosen("mb1ic3ih224oc64oh224kh3ph1", "direct");
    assert_chosen("mb1ic512ih3oc512oh1kh3", "direct");
    assert_chosen("mb1ic64ih56oc64oh28kh3sh2ph1", "direct");
    assert_chosen("g64mb1ic64ih56oc64oh56kh3ph1", "direct");
}

/* 21 MB of them. */
static void weights_beyond_l3_cost_more(void **state)
{
    (void)state;
    struct problem p = problem_named("mb1ic384ih14oc384oh14kh3ph1");
    struct plan plan = plan_named("winograd f=4x4 tile=14x2 prefetch=weights");
    struct target t;
    struct cost large, small;
    struct diag d = { 0 };
    assert_int_equal(target_parse("x86_64-pc-linux-gnu:znver5", &t, &d), CONVC_OK);
    t.l3_bytes = 64 << 20;
    plan_winograd_cost(&p, &plan, &t, &large);
    t.l3_bytes = 16 << 20;
    plan_winograd_cost(&p, &plan, &t, &small);
    assert_true(small.memory > large.memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_transform_is_known),
        cmocka_unit_test(bounds_hold_along_one_axis),
        cmocka_unit_test(bounds_hold_along_both_axes),
        cmocka_unit_test(transforms_agree_in_f64),
        cmocka_unit_test(f43_errs_little_up_to_512_channels),
        cmocka_unit_test(results_do_not_depend_on_blocks_or_splits),
        cmocka_unit_test(pixels_may_lie_side_by_side),
        cmocka_unit_test(what_does_not_fit_is_named),
        cmocka_unit_test(gaps_between_channels_and_pixels_are_named),
        cmocka_unit_test(what_cannot_be_read_is_named),
        cmocka_unit_test(winograd_is_chosen_where_it_pays),
        cmocka_unit_test(weights_beyond_l3_cost_more),
    };
    return cmocka_run_group_tests(tests, emitted_setup, emitted_teardown);
}
