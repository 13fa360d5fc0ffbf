#include "tests/support/named.h"

#include "gen/spec/spec.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

struct target target_named(const char *text)
{
    struct target t;
    struct diag d = { 0 };
    if (target_parse(text, &t, &d) != CONVC_OK)
        fail_msg("%s", d.text);
    return t;
}

struct problem problem_named(const char *text)
{
    struct arena memory = { 0 };
    struct convc_problem from;
    struct problem p;
    struct diag d = { 0 };
    if (spec_benchdnn(text, &memory, &from, &d) != CONVC_OK ||
        problem_resolve(&from, &p, &d) != CONVC_OK)
        fail_msg("%s: %s", text, d.text);
    arena_free(&memory);
    return p;
}

struct plan plan_named(const char *text)
{
    struct plan plan;
    struct diag d = { 0 };
    if (plan_parse(text, &plan, &d) != CONVC_OK)
        fail_msg("%s: %s", text, d.text);
    return plan;
}

struct plan plan_fitting(const char *text, const struct problem *p, const struct target *t)
{
    struct plan plan = plan_named(text);
    struct diag d = { 0 };
    if (plan_check(&plan, p, t, &d) != CONVC_OK)
        fail_msg("%s: %s", text, d.text);
    return plan;
}
