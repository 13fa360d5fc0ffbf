/* tune_db_inside: what the files of tune_db share. SQLite is seen in them alone. */
#ifndef RUNTIME_TUNE_DB_INSIDE_H
#define RUNTIME_TUNE_DB_INSIDE_H

#include "runtime/guard.h"
#include "runtime/tune_db.h"

#include <sqlite3.h>

/* What is asked of a database again and again; the texts are in tune_db.c. */
enum tune_sql {
    SQL_BEGIN,
    SQL_COMMIT,
    SQL_ROLLBACK,
    SQL_WINNER,
    SQL_NEXT_SUBJECT,
    SQL_NEXT_SUBJECT_OF,
    SQL_COUNTS,
    SQL_PAGE,
    SQL_FIND_SUBJECT,
    SQL_ADD_SUBJECT,
    SQL_ADD_ROW,
    SQL_SAME_ROW,
    SQL_READ_LINE,
    SQL_COUNT,
};

struct tune_db {
    struct guard guard; /* held whenever SQLite is called */
    sqlite3 *sql;
    sqlite3_stmt *statement[SQL_COUNT]; /* NULL until it is needed */
    double waiting;                     /* since when, for the locks of others */
    double released;                    /* when this one last wrote */
    bool write;
    char path[]; /* as the caller wrote it */
};

/* All of these are called with the guard held. */

/* The statement, ready for its first bind; NULL after a failure. */
sqlite3_stmt *tune_db_statement(struct tune_db *db, enum tune_sql which, struct diag *d);

/* Steps it: true where there is a row. A failure is recorded. */
bool tune_db_step(struct tune_db *db, sqlite3_stmt *s, struct diag *d);

/* Lets go of a statement's locks. NULL is fine. */
void tune_db_reset(sqlite3_stmt *s);

/* A statement without parameters and rows. */
enum convc_status tune_db_run(struct tune_db *db, enum tune_sql which, struct diag *d);

/* What SQLite said last, as a sentence about the file. */
enum convc_status tune_db_fail(struct tune_db *db, int result, struct diag *d);

/* Begins a transaction that writes. */
enum convc_status tune_db_start(struct tune_db *db, struct diag *d);

/* Ends it: commits where all went well, else rolls back. */
enum convc_status tune_db_end(struct tune_db *db, struct diag *d);

/* Within a transaction; *added tells whether the row was not there. */
enum convc_status tune_db_put(struct tune_db *db, const struct tune_row *row, bool *added,
                              struct diag *d);

/* Could tune_db_add have written it? */
enum convc_status tune_row_check(const struct tune_row *row, struct diag *d);
bool tune_key_sound(const struct tune_key *key);

/* Binds the subject's four texts to ?1 to ?4; NULL is NULL. */
void tune_db_bind_key(sqlite3_stmt *s, const struct tune_key *key);

/* Without the guard: a transaction of several calls. */
enum convc_status tune_db_begin(struct tune_db *db, struct diag *d);
enum convc_status tune_db_finish(struct tune_db *db, struct diag *d);

/* ---- the schema ------------------------------------------------------------------------------ */

/* steps[i] takes a database from version i to i + 1. Brings it from its version to `count`, in one
 * transaction; SQLite's code. */
int tune_db_migrate(sqlite3 *sql, const char *const *steps, int count);

/* Is the open file a tuning database of a version that is known? Brings it up to date; makes one of
 * an empty file where it is open for writing. */
enum convc_status tune_db_settle(struct tune_db *db, struct diag *d);

#endif
