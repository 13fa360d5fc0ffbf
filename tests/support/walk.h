/* walk: a public call, again and again, with each of its allocations failing in turn.
 *
 * However it goes, the call says CONVC_ERR_MEMORY or does what it should, leaves nothing behind and
 * no lock held, and the same call with enough memory works right behind it.
 * Stands on: scarce, support, cmocka.
 */
#ifndef TESTS_SUPPORT_WALK_H
#define TESTS_SUPPORT_WALK_H

#include "tests/support/scarce.h"

#include <convc/convc.h>

struct walk {
    const char *names; /* of the calls, with blanks between */
    const char *on;    /* what this is about, for the functions below; NULL: nothing */
    int form;          /* likewise */
    int64_t most;      /* of convc's allocations that it makes; 0: it makes none */
    void (*before)(void *ground, const struct walk *w); /* each time, with enough memory; NULL */
    enum convc_status (*call)(void *ground, const struct walk *w);
    void (*check)(void *ground, const struct walk *w); /* what came of it, and frees it; NULL */
    void (*after)(void *ground, const struct walk *w); /* undoes `before`; NULL */
};

/* Fails the test with the row, the allocation and what is wrong. */
void walk(const struct walk *w, void *ground);

/* For a test's teardown: prints where a walk stopped that did not come to its end. */
int walk_stopped(void **state);

#endif
