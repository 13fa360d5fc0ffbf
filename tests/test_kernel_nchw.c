/* Channels first at full speed: no gathers and no scatters where shuffles do. */
#include "gen/out/object.h"
#include "gen/plan/choose.h"
#include "gen/plan/nest.h"
#include "gen/spec/spec.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define AVX512 "x86_64-pc-linux-gnu:x86-64-v4"

/* A problem in benchdnn's notation. */
static struct problem read_problem(const char *text, struct convc_problem *from)
{
    struct problem p;
    struct arena none = { 0 };
    struct diag d = { 0 };
    if (spec_benchdnn(text, &none, from, &d) != CONVC_OK)
        fail_msg("%s", d.text);
    if (problem_resolve(from, &p, &d) != CONVC_OK)
        fail_msg("%s", d.text);
    return p;
}

/* Does the code that `plan` (NULL: the chosen one) makes have `word` in it? */
static bool has(const char *word, const char *text, const char *plan_text)
{
    struct convc_problem from;
    struct problem p = read_problem(text, &from);
    struct target t;
    struct plan plan;
    struct object object;
    struct diag d = { 0 };
    if (target_parse(AVX512, &t, &d) != CONVC_OK ||
        (plan_text ? plan_parse(plan_text, &plan, &d) : choose_plan(&p, &t, &plan, &d)) != CONVC_OK)
        fail_msg("%s", d.text);
    struct object_request request = {
        .problem = &p, .plan = &plan, .target = &t, .symbol = "kernel", .form = OBJECT_IR
    };
    if (object_emit(&request, &object, &d) != CONVC_OK)
        fail_msg("%s", d.text);
    bool found = memmem(object.bytes, object.count, word, strlen(word)) != NULL;
    object_free(&object);
    return found;
}

#define DENSE     "g1mb1ic32ih14oc64oh14kh3ph1;layout=nchw"
#define DEPTHWISE "g24mb1ic24ih56oc24oh28kh3sh2ph1;layout=nchw"

static void outputs_are_turned_over_and_not_scattered(void **state)
{
    (void)state;
    assert_false(has("masked.scatter", DENSE, "direct lanes=oc tile=1x14x2 border=peel"));
    assert_false(has("masked.scatter", DENSE, "direct lanes=oc tile=2x7x2 border=peel"));
    /* Two columns are too few to be worth it. */
    assert_true(has("masked.scatter", DENSE, "direct lanes=oc tile=1x2x2 border=peel"));
}

static void strided_columns_are_shuffled_and_not_gathered(void **state)
{
    (void)state;
    assert_false(
        has("masked.gather", DEPTHWISE, "direct lanes=ow tile=4x1x2 border=peel taps=window"));
    assert_true(has("masked.gather", DEPTHWISE, "direct lanes=ow tile=4x1x2 border=peel"));
}

static void chosen_plans_do_neither(void **state)
{
    (void)state;
    static const char *const problem[] = { DENSE, DEPTHWISE, "g1mb1ic64ih28oc64oh28kh1;layout=nchw",
                                           "g1mb1ic3ih64oc32oh32kh7sh2ph3;layout=nchw",
                                           "g16mb1ic16ih7oc16oh7kh5ph2;layout=nchw" };
    for (size_t i = 0; i < sizeof problem / sizeof *problem; i++) {
        assert_false(has("masked.scatter", problem[i], NULL));
        assert_false(has("masked.gather", problem[i], NULL));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(outputs_are_turned_over_and_not_scattered),
        cmocka_unit_test(strided_columns_are_shuffled_and_not_gathered),
        cmocka_unit_test(chosen_plans_do_neither),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
