/* vector=half: vectors of half a register, for lanes that would be idle. That such plans are right
 * is tested with the others, in test_plan. */
#include "gen/plan/choose.h"
#include "tests/support/named.h"
#include "tests/support/small.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* Is one of the plans with half vectors? */
static bool halves_offered(const struct convc_problem *from, const char *target)
{
    struct problem p = resolved(from);
    struct target t = target_named(target);
    struct arena a = { 0 };
    struct candidates plans;
    struct diag d = { 0 };
    bool found = false;
    assert_int_equal(choose_plans(&a, &p, &t, &plans, &d), CONVC_OK);
    for (size_t i = 0; i < plans.count; i++) {
        const struct plan *plan = &plans.list[i].plan;
        found = found || (plan->algorithm == PLAN_DIRECT && plan->direct.half);
    }
    arena_free(&a);
    return found;
}

static void half_vectors_are_for_idle_lanes_that_cost(void **state)
{
    struct convc_problem p = small_problem();
    (void)state;
    p.oc = 24;
    assert_true(halves_offered(&p, "x86_64-pc-linux-gnu:znver4"));
    assert_false(halves_offered(&p, "x86_64-pc-linux-gnu:znver5"));
    assert_false(halves_offered(&p, "x86_64-pc-linux-gnu:znver3"));
    p.oc = 32;
    assert_false(halves_offered(&p, "x86_64-pc-linux-gnu:znver4"));
}

static void half_of_the_shortest_vectors_is_refused(void **state)
{
    static const char *const names[] = { "x86_64-pc-linux-gnu:x86-64",
                                         "aarch64-linux-gnu:generic" };
    const struct convc_problem from = small_problem();
    struct problem p = resolved(&from);
    struct plan plan;
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct target t = target_named(names[i]);
        struct diag d = { 0 };
        assert_int_equal(plan_parse("direct tile=1x4x1 vector=half", &plan, &d), CONVC_OK);
        assert_int_equal(plan_check(&plan, &p, &t, &d), CONVC_ERR_PLAN);
        assert_string_equal(d.text, "vector=half needs vectors of 32 bytes or more, whatever the "
                                    "machine");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(half_vectors_are_for_idle_lanes_that_cost),
        cmocka_unit_test(half_of_the_shortest_vectors_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
