/* hostile: specs that must be refused soon, in one sentence.
 *
 * What a refusal may take is 1.2 s of this thread's own time, a little more where that is measured
 * on instrumented code: what others do with the machine is not the sandbox's fault. Stands on:
 * spec, cmocka.
 */
#ifndef TESTS_SUPPORT_HOSTILE_H
#define TESTS_SUPPORT_HOSTILE_H

#include <convc/types.h>

#include <stdbool.h>
#include <stddef.h>

struct hostile {
    const char *text;
    const char *sentence; /* how it begins, behind the spec's name: ":2: combine: ..." */
};

/* What the process may grow by over any number of them. */
extern const long hostile_growth_max_kb;

/* Prints what is wrong where the spec is not refused, or not so. CONVC_OK stands for whatever
 * status is about specs. */
bool hostile_refused(const char *text, enum convc_status status, const char *sentence);

/* All of a list; fails the test where some are not. */
void assert_all_refused(const struct hostile *list, size_t count, enum convc_status status);

#define ASSERT_REFUSED(list, status) assert_all_refused(list, sizeof list / sizeof list[0], status)

#endif
