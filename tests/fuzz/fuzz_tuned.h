/* fuzz_tuned: tuning databases for the targets: a good one of two rows, and an empty one.
 *
 * Stands on: tune_db, tests/support/support.h.
 */
#ifndef TESTS_FUZZ_FUZZ_TUNED_H
#define TESTS_FUZZ_FUZZ_TUNED_H

#include "runtime/tune_db.h"
#include "tests/support/support.h"

struct fuzz_tuned {
    struct test_dir dir;
    char from[600], into[600];
};

void fuzz_tuned_open(struct fuzz_tuned *t);
void fuzz_tuned_close(struct fuzz_tuned *t);

/* Asks an open one for everything. */
void fuzz_tuned_read(struct tune_db *db);

/* Merges it into the empty one, twice: the second time adds nothing, and what is there is sound. */
void fuzz_tuned_merge(const struct fuzz_tuned *t, struct tune_db *from);

#endif
