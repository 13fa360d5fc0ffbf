/* tuned: tuning databases for tests: rows, and SQL of their own for files that are none of ours.
 *
 * What fails ends the test. Stands on: tune_db, sqlite3, cmocka.
 */
#ifndef TESTS_SUPPORT_TUNED_H
#define TESTS_SUPPORT_TUNED_H

#include "runtime/tune_db.h"
#include "tests/support/support.h"

/* A measurement of `plan` with this interval around its ratio, of problem "p" on target "t" by
 * versions "c" and "l" with base "base"; what else it has can be changed. */
struct tune_row tuned_row(const char *plan, int32_t rung, double low, double high);

/* The same of a plan that failed. */
struct tune_row tuned_failure(const char *plan, enum tune_outcome outcome);

/* What rows by tuned_row are of. */
extern const struct tune_key tuned_key;

struct tune_db *tuned_open(const char *path, bool write);
void tuned_add(struct tune_db *db, struct tune_row row);

/* An empty database in a directory of its own. */
struct tuned_file {
    struct test_dir dir;
    char path[600];
    struct tune_db *db; /* open for writing */
};
void tuned_file_init(struct tuned_file *f);
void tuned_file_free(struct tuned_file *f);

/* Who won for tuned_key. */
struct tune_winner tuned_winner(struct tune_db *db, const struct tune_key *key);
void assert_winner(struct tune_db *db, const char *plan);

/* The rows that a visit of the key sees: how many, and their plans with a space behind each. The
 * visit stops at `most`, if that is not 0. */
struct tuned_rows {
    char plans[4096];
    int count, most;
};
struct tuned_rows tuned_rows(struct tune_db *db, const struct tune_key *key, int most);

/* Every row as a line of JSON, sorted; free it. */
char *tuned_lines(struct tune_db *db);

/* Runs SQL on the file by SQLite alone, in a way that lets through what no schema allows. */
void tuned_sql(const char *path, const char *sql);

/* A process begins to make the file by SQLite alone, writes some of it, and is killed. */
void tuned_cut_short(const char *path);

/* Opening the file for reading fails with this status, and a sentence that has the words. */
void assert_unreadable(const char *path, enum convc_status status, const char *words);

#endif
