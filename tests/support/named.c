#include "tests/support/named.h"

#include "gen/spec/spec.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

struct target target_named(const char *text)
{
    struct target t;
    struct diag d = { 0 };
    if (target_parse(text, &t, &d) != CONVC_OK)
        fail_msg("%s", d.text);
    return t;
}

static struct problem read_problem(const char *text, struct arena *memory)
{
    struct convc_problem from;
    struct problem p;
    struct diag d = { 0 };
    if (spec_benchdnn(text, memory, &from, &d) != CONVC_OK ||
        problem_resolve(&from, &p, &d) != CONVC_OK)
        fail_msg("%s: %s", text, d.text);
    return p;
}

struct problem problem_named(const char *text)
{
    struct arena memory = { 0 };
    struct problem p = read_problem(text, &memory);
    arena_free(&memory);
    return p;
}

struct problem_key key_named(const char *text)
{
    struct arena memory = { 0 };
    struct problem p = read_problem(text, &memory);
    struct problem_key key;
    problem_key(&p, &key);
    arena_free(&memory);
    return key;
}

void assert_prints_back(const char *text)
{
    struct arena memory = { 0 };
    struct problem p = read_problem(text, &memory);
    struct text printed = { 0 };
    problem_print(&p, &printed);
    struct problem_key a = key_named(text), b = key_named(printed.data);
    if (memcmp(&a, &b, sizeof a) != 0)
        fail_msg("%s printed as %s", text, printed.data);
    text_free(&printed);
    arena_free(&memory);
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

void assert_plan_unreadable(const char *text, const char *sentence)
{
    struct plan plan;
    struct diag d = { 0 };
    assert_int_equal(plan_parse(text, &plan, &d), CONVC_ERR_PLAN);
    assert_string_equal(d.text, sentence);
}
