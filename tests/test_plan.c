/* Plans: their text reads back, what cannot be is refused with its sentence, and whatever is
 * accepted computes the right thing. */
#include "gen/plan/choose.h"
#include "gen/plan/nest.h"
#include "runtime/cli/random.h"
#include "tests/support/emitted.h"
#include "tests/support/named.h"
#include "tests/support/small.h"
#include "tests/support/subject.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const char *const targets[] = { "x86_64-pc-linux-gnu:x86-64-v4",
                                       "x86_64-pc-linux-gnu:x86-64-v3",
                                       "x86_64-pc-linux-gnu:x86-64", "aarch64-linux-gnu:generic",
                                       "x86_64-pc-linux-gnu:znver4" };
enum { TARGETS = sizeof targets / sizeof *targets };

/* ---- text ---------------------------------------------------------------------------------------
 */

static bool same_direct(const struct plan_direct *a, const struct plan_direct *b)
{
    return a->lanes == b->lanes && a->rows == b->rows && a->cols == b->cols && a->vecs == b->vecs &&
           a->order == b->order && a->border == b->border && a->fold == b->fold &&
           a->chunk == b->chunk && a->taps == b->taps && a->prefetch == b->prefetch &&
           a->split == b->split && a->rest == b->rest && a->strip == b->strip && a->half == b->half;
}

static bool same_winograd(const struct plan_winograd *a, const struct plan_winograd *b)
{
    return a->m[0] == b->m[0] && a->m[1] == b->m[1] && a->rows == b->rows && a->vecs == b->vecs &&
           a->block == b->block && a->oc == b->oc && a->prefetch == b->prefetch;
}

static void assert_reads_back(const struct plan *plan)
{
    char text[PLAN_TEXT_MAX], again[PLAN_TEXT_MAX];
    struct plan read;
    struct diag d = { 0 };
    plan_print(plan, text);
    if (plan_parse(text, &read, &d) != CONVC_OK)
        fail_msg("%s: %s", text, d.text);
    assert_int_equal(read.algorithm, plan->algorithm);
    bool same = plan->algorithm == PLAN_DIRECT ? same_direct(&plan->direct, &read.direct)
                                               : same_winograd(&plan->winograd, &read.winograd);
    if (!same)
        fail_msg("%s reads back as another plan", text);
    plan_print(&read, again);
    assert_string_equal(again, text);
}

/* Calls check for every candidate of `count` random problems. */
static void visit_candidates(int64_t count,
                             void (*check)(const struct problem *, const struct plan *,
                                           const struct target *))
{
    uint64_t seed = test_seed("plan", 900);
    for (int64_t i = 0; i < test_count(count); i++) {
        struct convc_problem from;
        struct problem p;
        struct arena a = { 0 };
        struct candidates plans;
        struct diag d = { 0 };
        struct target t = target_named(targets[i % TARGETS]);
        random_problem(seed + (uint64_t)i, &from);
        assert_int_equal(problem_resolve(&from, &p, &d), CONVC_OK);
        assert_int_equal(choose_plans(&a, &p, &t, &plans, &d), CONVC_OK);
        assert_true(plans.count >= 1);
        for (size_t k = 0; k < plans.count; k++)
            check(&p, &plans.list[k].plan, &t);
        arena_free(&a);
    }
}

static void check_text(const struct problem *p, const struct plan *plan, const struct target *t)
{
    (void)p, (void)t;
    assert_reads_back(plan);
}

static void every_candidate_reads_back(void **state)
{
    (void)state;
    visit_candidates(400, check_text);
}

static void the_longest_plan_reads_back(void **state)
{
    struct plan plan = { .direct = { .lanes = LANES_GROUPS,
                                     .rows = 8,
                                     .cols = 32,
                                     .vecs = 8,
                                     .order = ORDER_WEIGHTS,
                                     .border = BORDER_COMPUTED,
                                     .taps = TAPS_UNROLL,
                                     .prefetch = PREFETCH_WEIGHTS,
                                     .strip = true,
                                     .split = 8,
                                     .rest = true,
                                     .half = true,
                                     .fold = 999999999999999,
                                     .chunk = 999999999999999 } };
    (void)state;
    assert_reads_back(&plan);
}

/* Words may come in any order; those that are missing are the first of their kind. */
static void words_come_in_any_order(void **state)
{
    struct plan a, b;
    char ta[PLAN_TEXT_MAX], tb[PLAN_TEXT_MAX];
    struct diag d = { 0 };
    (void)state;
    assert_int_equal(plan_parse("direct chunk=2  tile=1x2x3 lanes=ow", &a, &d), CONVC_OK);
    assert_int_equal(
        plan_parse("direct lanes=ow tile=1x2x3 order=rows border=none taps=loop fold=0 chunk=2", &b,
                   &d),
        CONVC_OK);
    plan_print(&a, ta);
    plan_print(&b, tb);
    assert_string_equal(ta, tb);
    assert_string_equal(ta, "direct lanes=ow tile=1x2x3 order=rows border=none chunk=2");
}

static void what_cannot_be_read_is_named(void **state)
{
    static const char unknown[] =
        "plan word 'rows' is unknown; direct has lanes, tile, order, "
        "border, taps, prefetch, src, vector, split, rest, fold and chunk";
    static const struct {
        const char *text, *sentence;
    } row[] = {
        { "", "plan '' does not begin with an algorithm: direct, winograd, stencil, fixed" },
        { "   ", "plan '   ' does not begin with an algorithm: direct, winograd, stencil, fixed" },
        { "Direct tile=1x1x1", "plan 'Direct tile=1x1x1' does not begin with an algorithm: direct, "
                               "winograd, stencil, fixed" },
        { "directly",
          "plan 'directly' does not begin with an algorithm: direct, winograd, stencil, fixed" },
        { "direct tile", "plan word 'tile' is not KEY=VALUE" },
        { "direct rows=1", unknown },
        { "direct =1", "plan word '' is unknown; direct has lanes, tile, order, border, taps, "
                       "prefetch, src, vector, split, rest, fold and chunk" },
        { "direct lanes=kw", "plan word 'lanes=kw' has no such value" },
        { "direct lanes=", "plan word 'lanes=' has no such value" },
        { "direct order=cols", "plan word 'order=cols' has no such value" },
        { "direct border=peeled", "plan word 'border=peeled' has no such value" },
        { "direct taps=all", "plan word 'taps=all' has no such value" },
        { "direct tile=1x2", "plan word 'tile=1x2' has no such value" },
        { "direct tile=1x2x3x4", "plan word 'tile=1x2x3x4' has no such value" },
        { "direct tile=1x2x3 fold=-1", "plan word 'fold=-1' has no such value" },
        { "direct tile=-1x2x3", "plan word 'tile=-1x2x3' has no such value" },
        { "direct tile=1x 2x3", "plan word 'tile=1x' has no such value" },
        { "direct tile=4294967297x1x1", "plan word 'tile=4294967297x1x1' has no such value" },
        { "direct fold=0x10", "plan word 'fold=0x10' has no such value" },
        { "direct fold=1000000000000000", "plan word 'fold=1000000000000000' has no such value" },
        { "direct chunk=1.5", "plan word 'chunk=1.5' has no such value" },
        { "direct chunk= 1", "plan word 'chunk=' has no such value" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof row / sizeof *row; i++)
        assert_plan_unreadable(row[i].text, row[i].sentence);
}

static void a_plan_has_an_end(void **state)
{
    char text[400] = "direct ";
    struct plan plan;
    struct diag d = { 0 };
    (void)state;
    memset(text + strlen(text), ' ', 300);
    assert_int_equal(plan_parse(text, &plan, &d), CONVC_ERR_PLAN);
    assert_string_equal(d.text, "a plan has at most 175 characters");
}

/* ---- fit ----------------------------------------------------------------------------------------
 */

/* The problem of small.h, padded or not, pointwise or not, in groups or not. */
static struct problem a_problem(const char *kind)
{
    struct convc_problem p = small_problem();
    if (!strcmp(kind, "padded") || !strcmp(kind, "long"))
        p.pad_begin[CONVC_W] = p.pad_end[CONVC_W] = 1;
    if (!strcmp(kind, "long"))
        p.kernel[CONVC_W] = 200, p.in[CONVC_W] = 400;
    if (!strcmp(kind, "pointwise") || !strcmp(kind, "gaps"))
        p.kernel[CONVC_H] = p.kernel[CONVC_W] = 1;
    if (!strcmp(kind, "strided"))
        p.kernel[CONVC_H] = p.kernel[CONVC_W] = 1, p.stride[CONVC_H] = p.stride[CONVC_W] = 2;
    if (!strcmp(kind, "gaps")) {
        const int64_t stride[5] = { 1000, 1, 0, 100, 6 };
        memcpy(p.src_stride, stride, sizeof stride);
    }
    if (!strcmp(kind, "wide groups"))
        p.groups = 2, p.ic = 34, p.oc = 34;
    if (!strcmp(kind, "far rows"))
        p.in[CONVC_H] = 20000, p.stride[CONVC_H] = 5000;
    return resolved(&p);
}

static void what_does_not_fit_is_named(void **state)
{
    static const struct {
        const char *kind, *text, *sentence;
    } row[] = {
        { "", "direct", "tile=0x0x0 is not within 8x32x8 with at most 64 accumulators" },
        { "", "direct tile=9x1x1", "tile=9x1x1 is not within 8x32x8 with at most 64 accumulators" },
        { "", "direct tile=1x33x1",
          "tile=1x33x1 is not within 8x32x8 with at most 64 accumulators" },
        { "", "direct tile=1x1x9", "tile=1x1x9 is not within 8x32x8 with at most 64 accumulators" },
        { "", "direct tile=1x32x3",
          "tile=1x32x3 is not within 8x32x8 with at most 64 accumulators" },
        { "", "direct tile=1x4x1 fold=35",
          "fold=35 needs a pointwise problem whose pixels follow each other" },
        { "gaps", "direct tile=1x4x1 fold=9",
          "fold=9 must be all 63 output pixels, and not along the lanes, where the source pixels "
          "are "
          "strided" },
        { "", "direct lanes=ow tile=1x4x1 prefetch=pixels",
          "prefetch=pixels needs lanes=oc, channels side by side and pixels evenly apart" },
        { "pointwise", "direct tile=1x4x1 fold=62",
          "fold=62 does not divide the 63 output pixels" },
        { "wide groups", "direct lanes=ow tile=1x4x1 prefetch=weights",
          "prefetch=weights needs lanes=oc" },
        { "pointwise", "direct tile=1x4x1 fold=63 border=computed",
          "fold=63 goes with border=none alone" },
        { "pointwise", "direct tile=1x4x1 fold=63 border=peel",
          "fold=63 goes with border=none alone" },
        { "strided", "direct tile=1x4x1 fold=5",
          "fold=5 must be all 20 output pixels, and not along the lanes, where the source pixels "
          "are strided" },
        { "strided", "direct lanes=ow tile=1x4x1 fold=20",
          "fold=20 must be all 20 output pixels, and not along the lanes, where the source pixels "
          "are strided" },
        { "", "direct lanes=groups tile=1x4x1",
          "lanes=groups needs more than one group, each within the 16 lanes of a vector" },
        { "wide groups", "direct lanes=groups tile=1x4x1",
          "lanes=groups needs more than one group, each within the 16 lanes of a vector" },
        { "", "direct lanes=ow tile=1x4x1 split=2",
          "split=2 needs lanes=oc or ic, at least 2 and at most 64 accumulators" },
        { "", "direct tile=1x9x1 split=8",
          "split=8 needs lanes=oc or ic, at least 2 and at most 64 accumulators" },
        { "", "direct lanes=groups tile=1x4x1 vector=half",
          "lanes=groups needs more than one group, each within the 8 lanes of a vector" },
        { "", "direct tile=1x4x1 src=strip vector=half", "vector=half does not go with src=strip" },
        { "", "direct tile=1x4x1 rest=ic",
          "rest=ic needs lanes=oc and channels beyond the last full vector of 16" },
        { "", "direct lanes=ic tile=1x4x1 taps=unroll",
          "lanes=ic and rest=ic need channels of the source side by side and taps=loop" },
        { "padded", "direct tile=1x4x1 border=computed taps=unroll",
          "taps=unroll does not go with border=computed" },
        { "padded", "direct tile=1x4x1 border=computed taps=window",
          "taps=window does not go with border=computed" },
        { "", "direct tile=1x4x1 taps=window prefetch=weights",
          "taps=window goes with lanes=oc, groups or ow, and not with fold, prefetch, split or "
          "rest" },
        { "", "direct tile=1x4x1 split=2 taps=window",
          "taps=window goes with lanes=oc, groups or ow, and not with fold, prefetch, split or "
          "rest" },
        { "", "direct tile=1x4x1 order=pixels", "order=pixels needs lanes=groups" },
        { "", "direct tile=1x4x1 chunk=3", "chunk=3 is more than the 2 column tiles" },
        { "padded", "direct tile=1x4x1 border=none",
          "border=none, but taps fall outside along the width" },
        { "long", "direct tile=1x32x1 border=peel taps=unroll",
          "the plan would make code of more than 6000 multiply-adds" },
        { "far rows", "direct tile=2x4x1 taps=window",
          "the plan would make code of more than 6000 multiply-adds" },
    };
    struct target t = target_named("x86_64-pc-linux-gnu:x86-64-v4");
    (void)state;
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        struct plan plan;
        struct diag d = { 0 };
        struct problem p = a_problem(row[i].kind);
        assert_int_equal(plan_parse(row[i].text, &plan, &d), CONVC_OK);
        assert_int_equal(plan_check(&plan, &p, &t, &d), CONVC_ERR_PLAN);
        assert_string_equal(d.text, row[i].sentence);
    }
}

static void check_fit(const struct problem *p, const struct plan *plan, const struct target *t)
{
    struct diag d = { 0 };
    if (plan_check(plan, p, t, &d) == CONVC_OK)
        return;
    emitted_print(p, plan, t);
    fail_msg("%s", d.text);
}

static void every_candidate_fits(void **state)
{
    (void)state;
    visit_candidates(400, check_fit);
}

/* No axis is walked tap by tap, or row by row: were it so, this would take minutes. */
static void the_longest_axes_are_planned(void **state)
{
    const int64_t most = 1000000001;
    struct target t = target_named("x86_64-pc-linux-gnu:x86-64-v4");
    (void)state;
    for (int axis = 0; axis < 6; axis++) {
        struct convc_problem from = small_problem();
        int a = axis % 3;
        from.spatial = 3;
        if (axis < 3)
            from.kernel[a] = most, from.pad_begin[a] = from.pad_end[a] = most / 2;
        else
            from.in[a] = 2 * most, from.stride[a] = most - 3;
        struct problem p = resolved(&from);
        struct arena arena = { 0 };
        struct candidates plans;
        struct diag d = { 0 };
        assert_int_equal(choose_plans(&arena, &p, &t, &plans, &d), CONVC_OK);
        assert_true(plans.count >= 1);
        arena_free(&arena);
    }
}

/* ---- whatever is accepted is right --------------------------------------------------------------
 */

static int64_t one_of(struct test_random *r, int64_t n)
{
    return test_random_in(r, 0, n - 1);
}

static struct plan draw_plan(struct test_random *r, const struct problem *p)
{
    struct plan plan = { .algorithm = PLAN_DIRECT };
    struct plan_direct *d = &plan.direct;
    int64_t pixels = p->out[0] * p->out[1] * p->out[2];
    d->lanes = (enum plan_lanes)one_of(r, 4);
    d->rows = (int)test_random_in(r, 1, one_of(r, 2) ? 1 : 8);
    d->cols = (int)test_random_in(r, 1, one_of(r, 2) ? 6 : 32);
    d->vecs = (int)test_random_in(r, 1, one_of(r, 2) ? 2 : 8);
    d->order = (enum plan_order)one_of(r, 3);
    d->border = (enum plan_border)one_of(r, 3);
    d->taps = (enum plan_taps)one_of(r, 3);
    if (nest_foldable(p) && one_of(r, 2)) {
        d->fold = pixels;
        while (one_of(r, 2) || pixels % d->fold)
            d->fold = test_random_in(r, 1, pixels);
        d->border = one_of(r, 4) ? BORDER_NONE : d->border;
    }
    d->prefetch = (enum plan_prefetch)one_of(r, 3);
    d->split = one_of(r, 4) ? 0 : (int)test_random_in(r, 2, TILE_SPLIT);
    d->rest = one_of(r, 4) == 0;
    d->half = one_of(r, 4) == 0;
    d->chunk = one_of(r, 2) ? 0 : test_random_in(r, 1, 3);
    return plan;
}

/* Does this machine's kernel for the plan compute what the reference does? Code is kept small, so
 * that many are tried. */
static bool plan_is_right(const struct sample *s, const struct plan *plan, const struct target *t,
                          struct test_random *r)
{
    struct emitted e;
    emitted_make(&e, &s->problem, plan, t, false);
    bool right = emitted_agrees(&e, s, r);
    emitted_free(&e);
    return right;
}

enum { EMITTED_MOST = 1000 };

static bool small_enough(const struct problem *p, const struct plan *plan, const struct target *t)
{
    struct diag ignored = { 0 };
    if (plan_check(plan, p, t, &ignored) != CONVC_OK)
        return false;
    return nest_emitted(p, &plan->direct, t) <= EMITTED_MOST;
}

/* Few random problems are pointwise, and some plans are for those alone. */
static void make_pointwise(struct convc_problem *p)
{
    for (int a = 0; a < 3; a++) {
        p->kernel[a] = p->dilation[a] = 1;
        p->pad_begin[a] = p->pad_end[a] = 0;
    }
    memset(p->src_stride, 0, sizeof p->src_stride);
    memset(p->dst_stride, 0, sizeof p->dst_stride);
}

/* Draws plans for a problem and runs those that fit; returns how many. */
static int64_t try_problem(uint64_t seed, const struct target *t)
{
    struct test_random r = { seed };
    struct convc_problem p;
    struct sample s;
    int64_t accepted = 0;
    random_problem(seed, &p);
    if (!one_of(&r, 3))
        make_pointwise(&p);
    sample_draw(&s, &p, &r);
    for (int i = 0; i < 12 && accepted < 3; i++) {
        struct plan plan = draw_plan(&r, &s.problem);
        if (!small_enough(&s.problem, &plan, t))
            continue;
        accepted++;
        if (!plan_is_right(&s, &plan, t, &r))
            fail_msg("random problem of seed %" PRIu64, seed);
    }
    sample_free(&s);
    return accepted;
}

static void random_plans_that_fit_are_right(void **state)
{
    uint64_t seed = test_seed("plan", 900);
    int64_t wanted = test_count(450), accepted = 0;
    (void)state;
    for (int64_t i = 0; accepted < wanted; i++) {
        assert_true(i < 10 * wanted);
        accepted += try_problem(seed + (uint64_t)i, &machine[i % machines]);
    }
}

/* A channel of one group may lie as far from the next as pixels do: what follows a tap's channel
 * then is no tap. */
static void dot_products_run_over_lines_without_gaps(void **state)
{
    static const char *const texts[] = { "direct lanes=ic tile=1x2x1",
                                         "direct tile=1x2x1 rest=ic" };
    struct convc_problem p = small_problem();
    const int64_t stride[5] = { 1000, 2, 0, 20, 2 };
    struct test_random r = { 1 };
    (void)state;
    p.groups = p.ic = 2;
    p.oc = 34;
    memcpy(p.src_stride, stride, sizeof stride);
    for (int i = 0; i < 2 * machines; i++) {
        struct plan plan;
        struct sample s;
        struct diag d = { 0 };
        sample_draw(&s, &p, &r);
        assert_int_equal(plan_parse(texts[i % 2], &plan, &d), CONVC_OK);
        assert_int_equal(plan_check(&plan, &s.problem, &machine[i / 2], &d), CONVC_OK);
        assert_true(plan_is_right(&s, &plan, &machine[i / 2], &r));
        sample_free(&s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_candidate_reads_back),
        cmocka_unit_test(the_longest_plan_reads_back),
        cmocka_unit_test(words_come_in_any_order),
        cmocka_unit_test(what_cannot_be_read_is_named),
        cmocka_unit_test(a_plan_has_an_end),
        cmocka_unit_test(what_does_not_fit_is_named),
        cmocka_unit_test(every_candidate_fits),
        cmocka_unit_test(the_longest_axes_are_planned),
        cmocka_unit_test(random_plans_that_fit_are_right),
        cmocka_unit_test(dot_products_run_over_lines_without_gaps),
    };
    return cmocka_run_group_tests(tests, emitted_setup, emitted_teardown);
}
