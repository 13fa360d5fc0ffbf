/* named: machines, problems and plans from their text. What cannot be read ends the test.
 *
 * Stands on: spec, plan, cmocka.
 */
#ifndef TESTS_SUPPORT_NAMED_H
#define TESTS_SUPPORT_NAMED_H

#include "gen/plan/plan.h"

struct target target_named(const char *text);

/* In benchdnn's notation. */
struct problem problem_named(const char *text);

struct problem_key key_named(const char *text);

/* What problem_print makes of it has the same key. */
void assert_prints_back(const char *text);

struct plan plan_named(const char *text);

/* The same, of a plan that fits the problem on the target. */
struct plan plan_fitting(const char *text, const struct problem *p, const struct target *t);

/* Fails the test where the text is a plan, or is refused with another sentence. */
void assert_plan_unreadable(const char *text, const char *sentence);

#endif
