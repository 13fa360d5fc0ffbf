/* space: every plan in it fits, is there once, and computes what the reference does. */
#include "gen/plan/space.h"
#include "tests/support/draw.h"
#include "tests/support/emitted.h"
#include "tests/support/small.h"
#include "tests/support/subject.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* The cheapest plan to begin with, the others as the model ranks them. */
static void check_space(const struct problem *p, const struct target *t,
                        const struct candidates *space)
{
    struct plan chosen;
    struct diag d = { 0 };
    char text[PLAN_TEXT_MAX], other[PLAN_TEXT_MAX];
    assert_int_equal(choose_plan(p, t, &chosen, &d), CONVC_OK);
    plan_print(&chosen, text);
    plan_print(&space->list[0].plan, other);
    assert_string_equal(text, other);
    for (size_t i = 0; i < space->count; i++) {
        struct plan back;
        plan_print(&space->list[i].plan, text);
        assert_int_equal(plan_parse(text, &back, &d), CONVC_OK);
        assert_int_equal(plan_check(&back, p, t, &d), CONVC_OK);
        plan_print(&back, other);
        assert_string_equal(text, other);
        for (size_t j = 0; j < i; j++) {
            plan_print(&space->list[j].plan, other);
            assert_string_not_equal(text, other);
        }
        assert_true(i < 2 || space->list[i - 1].cost.cycles <= space->list[i].cost.cycles);
    }
}

static void spaces_hold_plans_that_fit_once(void **state)
{
    static const int64_t channels[] = { 1, 3, 8, 17, 64 };
    (void)state;
    for (int i = 0; i < machines; i++) {
        for (int j = 0; j < 20; j++) {
            struct convc_problem from = small_problem();
            struct candidates space;
            struct arena a = { 0 };
            struct diag d = { 0 };
            from.ic = channels[j % 5];
            from.oc = channels[(j + j / 5) % 5];
            from.layout = j & 1 ? CONVC_NCHW : CONVC_NHWC;
            from.pad_begin[CONVC_W] = from.pad_end[CONVC_W] = j & 2 ? 1 : 0;
            struct problem p = resolved(&from);
            assert_int_equal(space_plans(&a, &p, &machine[i], &space, &d), CONVC_OK);
            check_space(&p, &machine[i], &space);
            arena_free(&a);
        }
    }
}

/* A few of each space, drawn from all of it. */
static void plans_of_a_space_compute_what_the_reference_does(void **state)
{
    (void)state;
    for (int i = 0; i < machines; i++) {
        struct test_random r = { test_seed("space", (uint64_t)i) };
        for (int64_t trial = 0; trial < test_count(40); trial++) {
            struct convc_problem from;
            struct candidates space;
            struct arena a = { 0 };
            struct diag d = { 0 };
            char text[PLAN_TEXT_MAX];
            draw_problem(&r, &from);
            sample_make_exact(&from);
            struct problem p = resolved(&from);
            assert_int_equal(space_plans(&a, &p, &machine[i], &space, &d), CONVC_OK);
            for (int few = 0; few < 3; few++) {
                int64_t at = test_random_in(&r, 0, (int64_t)space.count - 1);
                plan_print(&space.list[at].plan, text);
                assert_computes(&from, text, &machine[i], &r);
            }
            arena_free(&a);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spaces_hold_plans_that_fit_once),
        cmocka_unit_test(plans_of_a_space_compute_what_the_reference_does),
    };
    return cmocka_run_group_tests(tests, emitted_setup, emitted_teardown);
}
