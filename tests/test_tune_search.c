/* tune_search: what is measured next, from nothing but what is known. */
#include "gen/base/hash.h"
#include "runtime/tune_search.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { PLANS = 300 };

/* A made-up space whose true times are known, those of tiles close to 1x7x3 being short, and a cost
 * model that is up to a quarter wrong about them. */
struct world {
    struct tune_plan plan[PLANS];
    char text[PLANS][64];
    double truth[PLANS];
    size_t count;
};

static double noise(uint64_t seed, size_t i, int rung)
{
    const uint64_t key[] = { seed, i, (uint64_t)rung };
    return (double)(hash64(key, sizeof key, 7) >> 11) * 0x1p-53 - 0.5;
}

static double truth(uint64_t seed, const char *text, double *model)
{
    int cols, vecs, chunk;
    assert_int_equal(sscanf(text, "direct tile=1x%dx%d chunk=%d", &cols, &vecs, &chunk), 3);
    size_t key = (size_t)(cols + 100 * vecs + 1000 * chunk);
    double seconds = 0.7 + 0.03 * abs(cols - 7) + 0.1 * abs(vecs - 3) + 0.02 * chunk;
    *model = seconds * (1 + 0.5 * noise(seed, key, -2));
    return seconds * (1 + 0.05 * noise(seed, key, -1));
}

static uint64_t ranked_by; /* a seed */

static int by_model(const void *a, const void *b)
{
    double x, y;
    truth(ranked_by, a, &x);
    truth(ranked_by, b, &y);
    return (x > y) - (x < y);
}

static void make_world(struct world *w, size_t count, uint64_t seed)
{
    memset(w, 0, sizeof *w);
    w->count = count;
    for (size_t i = 0; i < count; i++)
        snprintf(w->text[i], sizeof w->text[i], "direct tile=1x%dx%d chunk=%d", 1 + (int)(i % 20),
                 1 + (int)(i / 20 % 4), (int)(i / 80));
    ranked_by = seed;
    qsort(w->text, count, sizeof *w->text, by_model);
    double base_model, base = truth(seed, w->text[0], &base_model);
    for (size_t i = 0; i < count; i++) {
        double predicted;
        w->truth[i] = truth(seed, w->text[i], &predicted) / base;
        w->plan[i] = (struct tune_plan){ .text = w->text[i],
                                         .predicted = predicted / base_model,
                                         .own = i > 0,
                                         .base = i == 0,
                                         .rung = -1 };
    }
}

/* What a measurement of that rung would say; the more thorough, the nearer to the truth. */
static void measure(struct world *w, const struct tune_step *s, uint64_t seed)
{
    struct tune_plan *p = &w->plan[s->plan];
    double wide = 0.08 / tune_rounds(s->rung);
    p->rung = s->rung;
    p->ratio = w->truth[s->plan] + wide * noise(seed, s->plan, s->rung);
    p->low = p->ratio - wide;
    p->high = p->ratio + wide;
}

static int64_t search(struct world *w, int64_t trials, uint64_t seed)
{
    struct tune_step step;
    int64_t steps = 0;
    while (tune_next(w->plan, w->count, trials, seed, &step)) {
        assert_in_range(step.plan, 1, w->count - 1);
        assert_int_equal(step.rung, w->plan[step.plan].rung + 1);
        assert_in_range(steps, 0, tune_planned((int64_t)w->count, trials));
        measure(w, &step, seed);
        steps++;
    }
    return steps;
}

static int64_t tried(const struct world *w)
{
    int64_t plans = 0;
    for (size_t i = 1; i < w->count; i++)
        plans += w->plan[i].rung >= 0;
    return plans;
}

static void as_many_plans_are_tried_as_were_allowed(void **state)
{
    static struct world w;
    (void)state;
    for (int64_t trials = 0; trials < 60; trials++) {
        for (size_t count = 1; count < 30; count++) {
            make_world(&w, count, 1);
            int64_t planned = tune_planned((int64_t)count - 1, trials);
            int64_t steps = search(&w, trials, (uint64_t)trials);
            assert_true(steps <= planned);
            assert_int_equal(tried(&w), trials < (int64_t)count - 1 ? trials : (int64_t)count - 1);
        }
    }
}

static void trials_are_what_measurements_suffice_for(void **state)
{
    (void)state;
    assert_int_equal(tune_planned(40, 40), 40 + 20 + 10 + 5);
    assert_int_equal(tune_planned(7, 40), 7 + 4 + 2 + 1);
    for (int64_t own = 0; own < 50; own++) {
        for (int64_t measurements = 0; measurements < 100; measurements++) {
            int64_t trials = tune_trials(own, measurements);
            assert_in_range(trials, 0, own);
            assert_true(tune_planned(own, trials) <= measurements);
            assert_true(trials == own || tune_planned(own, trials + 1) > measurements);
        }
    }
}

static void every_plan_is_seen_where_there_are_trials_enough(void **state)
{
    static struct world w;
    (void)state;
    make_world(&w, PLANS, 3);
    search(&w, PLANS, 3);
    for (size_t i = 1; i < w.count; i++)
        assert_true(w.plan[i].rung >= 0);
    size_t best = 0;
    for (size_t i = 1; i < w.count; i++)
        best = w.truth[i] < w.truth[best] ? i : best;
    assert_true(w.truth[tune_incumbent(w.plan, w.count)] <= w.truth[best] * 1.005);
}

static void forty_trials_come_close_to_the_best(void **state)
{
    static struct world w;
    int close = 0;
    (void)state;
    for (uint64_t seed = 0; seed < 40; seed++) {
        double best = 1;
        make_world(&w, PLANS, seed);
        for (size_t i = 0; i < w.count; i++)
            best = fmin(best, w.truth[i]);
        search(&w, 40, seed);
        double found = w.truth[tune_incumbent(w.plan, w.count)];
        close += found < best * 1.02;
    }
    assert_in_range(close, 30, 40);
}

/* Ended after any number of measurements and begun anew, it makes the same ones. */
static void a_search_goes_on_where_it_was(void **state)
{
    static struct world whole, parts;
    struct tune_step a, b;
    (void)state;
    make_world(&whole, PLANS, 5);
    make_world(&parts, PLANS, 5);
    while (tune_next(whole.plan, whole.count, 40, 5, &a)) {
        static struct world again;
        again = parts;
        assert_true(tune_next(again.plan, again.count, 40, 5, &b));
        assert_int_equal(a.plan, b.plan);
        assert_int_equal(a.rung, b.rung);
        measure(&whole, &a, 5);
        measure(&parts, &b, 5);
    }
    assert_false(tune_next(parts.plan, parts.count, 40, 5, &b));
}

static void more_trials_add_to_what_is_there(void **state)
{
    static struct world w;
    (void)state;
    make_world(&w, PLANS, 6);
    search(&w, 20, 6);
    assert_int_equal(tried(&w), 20);
    search(&w, 60, 6);
    assert_int_equal(tried(&w), 60);
    assert_int_equal(search(&w, 60, 6), 0);
}

static void a_plan_that_failed_never_wins_nor_is_tried_again(void **state)
{
    static struct world w;
    struct tune_step step;
    (void)state;
    make_world(&w, PLANS, 8);
    while (tune_next(w.plan, w.count, 60, 8, &step)) {
        assert_false(w.plan[step.plan].failed);
        measure(&w, &step, 8);
        w.plan[step.plan].failed = step.plan % 3 == 0;
    }
    assert_false(w.plan[tune_incumbent(w.plan, w.count)].failed);
}

static void slower_plans_leave_the_base_where_it_is(void **state)
{
    static struct world w;
    (void)state;
    make_world(&w, 50, 9);
    for (size_t i = 1; i < w.count; i++)
        w.truth[i] = 1.2;
    search(&w, 40, 9);
    assert_int_equal(tune_incumbent(w.plan, w.count), 0);
}

static void shards_share_the_space(void **state)
{
    (void)state;
    for (int shards = 1; shards < 9; shards++) {
        for (size_t count = 0; count < 100; count += 7) {
            int of[8] = { 0 };
            for (size_t i = 0; i < count; i++) {
                int owners = 0;
                for (int s = 0; s < shards; s++)
                    owners += tune_deal(i, s, shards), of[s] += tune_deal(i, s, shards);
                assert_int_equal(owners, 1);
            }
            for (int s = 1; s < shards; s++)
                assert_in_range(of[s] - of[0] + 1, 0, 2);
        }
    }
}

static void medians_have_bounds(void **state)
{
    double median, low, high;
    double few[] = { 3, 1, 2 }, even[] = { 4, 1, 3, 2 };
    double eleven[] = { 11, 1, 10, 2, 9, 3, 8, 4, 7, 5, 6 };
    (void)state;
    tune_median(few, 3, &median, &low, &high);
    assert_true(median == 2 && low == 1 && high == 3);
    tune_median(even, 4, &median, &low, &high);
    assert_true(median == 2.5 && low == 1 && high == 4);
    tune_median(eleven, 11, &median, &low, &high);
    assert_true(median == 6 && low == 2 && high == 10);
}

/* 95 of 100 intervals hold the true median, however askew the distribution. */
static void bounds_hold_the_true_median(void **state)
{
    int held = 0;
    (void)state;
    for (uint64_t seed = 0; seed < 2000; seed++) {
        double value[25], median, low, high;
        for (size_t i = 0; i < 25; i++)
            value[i] = exp(3 * noise(seed, i, 0));
        tune_median(value, 25, &median, &low, &high);
        held += low <= 1 && 1 <= high;
    }
    assert_in_range(held, 1880, 2000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_many_plans_are_tried_as_were_allowed),
        cmocka_unit_test(trials_are_what_measurements_suffice_for),
        cmocka_unit_test(every_plan_is_seen_where_there_are_trials_enough),
        cmocka_unit_test(forty_trials_come_close_to_the_best),
        cmocka_unit_test(a_search_goes_on_where_it_was),
        cmocka_unit_test(more_trials_add_to_what_is_there),
        cmocka_unit_test(a_plan_that_failed_never_wins_nor_is_tried_again),
        cmocka_unit_test(slower_plans_leave_the_base_where_it_is),
        cmocka_unit_test(shards_share_the_space),
        cmocka_unit_test(medians_have_bounds),
        cmocka_unit_test(bounds_hold_the_true_median),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
