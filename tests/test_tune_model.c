/* tune_model: what is worth a look, by what was measured of plans that are alike. */
#include "runtime/tune_model.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static struct tune_plan base(const char *text)
{
    return (struct tune_plan){ .text = text, .predicted = 1, .base = true, .rung = -1 };
}

static struct tune_plan unseen(const char *text, double predicted)
{
    return (struct tune_plan){ .text = text, .predicted = predicted, .own = true, .rung = -1 };
}

static struct tune_plan measured(const char *text, double ratio)
{
    struct tune_plan p = unseen(text, 1);
    p.rung = 0;
    p.ratio = ratio;
    p.low = ratio * 0.99;
    p.high = ratio * 1.01;
    return p;
}

enum { PLANS = 5 };

static void assert_next(const struct tune_plan plan[PLANS], size_t expected)
{
    assert_int_equal(tune_model_next(plan, PLANS), expected);
}

/* The last one is ranked last each time. */
static void what_is_near_the_fastest_is_next(void **state)
{
    (void)state;
    const struct tune_plan cols[] = { base("direct tile=1x8x2"), measured("direct tile=1x2x2", 0.8),
                                      measured("direct tile=1x16x2", 1.2),
                                      unseen("direct tile=1x14x2", 1.1),
                                      unseen("direct tile=1x3x2", 1.1) };
    const struct tune_plan words[] = { base("direct tile=1x8x2 order=rows"),
                                       measured("direct tile=1x4x2 order=weights", 0.8),
                                       measured("direct tile=1x4x2 order=rows", 1.1),
                                       unseen("direct tile=1x5x2 order=rows", 1.1),
                                       unseen("direct tile=1x5x2 order=weights", 1.1) };
    assert_next(cols, 4);
    assert_next(words, 4);
}

static void where_all_is_alike_the_prediction_counts(void **state)
{
    (void)state;
    const struct tune_plan plan[] = { base("direct a=1"), measured("direct b=x", 1),
                                      measured("direct b=y", 1), unseen("direct b=u", 1.5),
                                      unseen("direct b=v", 1.1) };
    assert_next(plan, 4);
}

static void what_is_known_or_another_shards_is_not_looked_at(void **state)
{
    (void)state;
    struct tune_plan plan[] = { base("direct tile=1x8x2"), measured("direct tile=1x2x2", 0.8),
                                unseen("direct tile=1x3x2", 1), unseen("direct tile=1x9x2", 1),
                                measured("direct tile=1x5x2", 1.3) };
    assert_next(plan, 2);
    plan[2].own = false;
    assert_next(plan, 3);
    plan[3].rung = 0;
    plan[3].failed = true;
    assert_next(plan, PLANS);
}

/* More than it keeps, and words that no plan has. */
static void any_number_of_plans_will_do(void **state)
{
    enum { MANY = 200 };
    static struct tune_plan plan[MANY];
    static char text[MANY][32];
    (void)state;
    plan[0] = base("direct");
    for (int i = 1; i < MANY; i++) {
        snprintf(text[i], sizeof text[i], "direct cols=%d %s", i, i % 2 ? "x=" : "=0x");
        plan[i] = i % 10 == 9 ? unseen(text[i], 1) : measured(text[i], 0.5 + 0.005 * i);
    }
    size_t next = tune_model_next(plan, MANY);
    assert_true(next < MANY && plan[next].rung < 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_near_the_fastest_is_next),
        cmocka_unit_test(where_all_is_alike_the_prediction_counts),
        cmocka_unit_test(what_is_known_or_another_shards_is_not_looked_at),
        cmocka_unit_test(any_number_of_plans_will_do),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
