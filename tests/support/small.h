/* small: a small problem to change for a test, and what resolving it comes to.
 *
 * Stands on: problem, cmocka.
 */
#ifndef TESTS_SUPPORT_SMALL_H
#define TESTS_SUPPORT_SMALL_H

#include "gen/problem/problem.h"

/* 3x3 on 7x9 pixels, 6 to 8 channels, no padding. */
struct convc_problem small_problem(void);

/* Fails the test where the problem does not resolve. */
struct problem resolved(const struct convc_problem *p);

/* Of the problem that it resolves to. */
struct problem_key key_of(const struct convc_problem *p);

/* Fails the test where the problem resolves, or is refused for another reason. */
void assert_refused(const struct convc_problem *p, enum convc_status status, const char *sentence);

#endif
