/* What a tile adds to its sums is asked for before they begin. */
#include "gen/out/object.h"
#include "tests/support/named.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* Prefetches in the assembly of a kernel. */
static int prefetches(const char *shape, const char *plan_text)
{
    struct target t = target_named("x86_64-pc-linux-gnu:x86-64-v3");
    struct problem p = problem_named(shape);
    struct plan plan;
    struct object object;
    struct diag d = { 0 };
    int count = 0;
    if (plan_parse(plan_text, &plan, &d) || plan_check(&plan, &p, &t, &d))
        fail_msg("%s", d.text);
    struct object_request request = {
        .problem = &p, .plan = &plan, .target = &t, .symbol = "kernel", .form = OBJECT_ASM
    };
    if (object_emit(&request, &object, &d) != CONVC_OK)
        fail_msg("%s", d.text);
    for (const char *s = object.bytes; (s = strstr(s, "\tprefetch")); s++)
        count++;
    object_free(&object);
    return count;
}

/* Rows of 12 are two tiles of 6 columns by one body of code; two vectors are a line of 64 bytes. */
static void each_line_of_a_tile_is_asked_for_once(void **state)
{
    assert_int_equal(
        prefetches("ic32ih12oc16oh12kh1;residual", "direct lanes=oc tile=1x6x2 border=none"), 6);
    assert_int_equal(
        prefetches("ic32ih12oc32oh12kh1;residual", "direct lanes=oc tile=1x2x4 border=none"), 4);
}

static void nothing_is_asked_for_that_is_not_added(void **state)
{
    assert_int_equal(prefetches("ic32ih12oc16oh12kh1;bias", "direct lanes=oc tile=1x6x2 "
                                                            "border=none"),
                     0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_line_of_a_tile_is_asked_for_once),
        cmocka_unit_test(nothing_is_asked_for_that_is_not_added),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
