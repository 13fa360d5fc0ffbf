#include "tests/support/small.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

struct convc_problem small_problem(void)
{
    struct convc_problem p;
    problem_init(&p);
    p.ic = 6;
    p.oc = 8;
    p.in[CONVC_H] = 7;
    p.in[CONVC_W] = 9;
    p.kernel[CONVC_H] = p.kernel[CONVC_W] = 3;
    return p;
}

struct problem resolved(const struct convc_problem *p)
{
    struct problem to;
    struct diag d = { 0 };
    if (problem_resolve(p, &to, &d) != CONVC_OK)
        fail_msg("%s", d.text);
    return to;
}

struct problem_key key_of(const struct convc_problem *p)
{
    struct problem to = resolved(p);
    struct problem_key key;
    memset(&key, 0x55, sizeof key); /* all of it is written */
    problem_key(&to, &key);
    return key;
}

void assert_refused(const struct convc_problem *p, enum convc_status status, const char *sentence)
{
    struct problem to;
    struct diag d = { 0 };
    problem_resolve(p, &to, &d);
    assert_string_equal(d.text, sentence);
    assert_int_equal(d.status, status);
}
