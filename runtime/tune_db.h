/* tune_db: the tuning database: every measurement that was ever made, and who won.
 *
 * One SQLite file in rollback mode: between two calls a database holds no lock, has no file beside
 * it and can be copied, and a child of a fork may go on with it. A measurement is written once and
 * never changed; each call that writes is one transaction, so that a process that is killed loses
 * at most the one under way. Writers of any number of processes wait for each other, up to
 * TUNE_DB_PATIENCE seconds.
 *
 * The format. PRAGMA application_id is TUNE_DB_APPLICATION, PRAGMA user_version the version of the
 * schema, whose tables are made and brought up to date by the steps of tune_db_schema.c:
 *
 *     subject       what was measured: an integer for each (problem, target, convc, llvm)
 *     measurement   one row each, with the columns of struct tune_row: of a subject, by a
 *                   plan. `id` is drawn once and stays with the row wherever it goes: merging is
 * the union of sets. `outcome` is an enum tune_outcome. NULL is what was not measured.
 *
 * Who won is derived. Of the MEASURED rows of a subject whose plan has no row with another outcome:
 * those of the highest rung; of those the one of the smallest `high`, ties by plan, `at` and id.
 * Its plan wins where that is below 1, else its base, the cost model's choice. An index has the
 * rows in this order.
 *
 * Files of other people: nothing that a file says is run (no trigger, no view, no function of the
 * host's), its tables must be exactly ours, and rows that no tune_db_add would write are as good as
 * absent.
 *
 * Any number of threads. Errors name the file: CONVC_ERR_IO where it cannot be opened, read,
 * written or had in time; CONVC_ERR_ARGUMENT where it is no tuning database, is damaged or has a
 * newer schema, and for rows that cannot be; CONVC_ERR_MEMORY. Stands on: base, plan, guard,
 * sqlite3.
 */
#ifndef RUNTIME_TUNE_DB_H
#define RUNTIME_TUNE_DB_H

#include "gen/plan/plan.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* "convc": the letters of the id, and the version of the schema that this build writes. */
enum { TUNE_DB_APPLICATION = 0x636f6e76, TUNE_DB_SCHEMA = 1, TUNE_DB_PATIENCE = 60 };

enum tune_outcome {
    TUNE_MEASURED,
    TUNE_WRONG,   /* an output was not what the reference says */
    TUNE_CRASHED, /* the process that measured it died         */
    TUNE_HUNG,    /* or gave no answer in time                 */
    TUNE_REFUSED, /* it does not compile                       */
};

/* Drawn by tune_db_add: the time in its first half, so that rows of the same second have an order,
 * and randomness in the second. */
struct tune_id {
    unsigned char bytes[16];
};

/* Texts belong to the caller of tune_db_add, or to the visit. All but `note` and `machine` are
 * printable ASCII; the times are positive, or NAN. */
struct tune_row {
    struct tune_id id;         /* all zero: tune_db_add draws one */
    const char *problem;       /* problem_print's line, of batch 1 */
    const char *target;        /* "x86_64-pc-linux-gnu:znver4..." */
    const char *convc, *llvm;  /* versions: "0.1.0", "19.1.7" */
    const char *plan, *base;   /* base: what the cost model chooses by its built-in ceilings */
    enum tune_outcome outcome; /* MEASURED has a ratio */
    int32_t rung, rounds;
    double seconds, base_seconds;                          /* of a run; medians */
    double ratio, low, high;                               /* of plan to base, 95 % interval */
    const char *incumbent;                                 /* "" where it is the base */
    double incumbent_ratio, incumbent_low, incumbent_high; /* of plan to the incumbent */
    double predicted;                                      /* modelled cycles of plan to base */
    const char *note;                                      /* why it failed; "" */
    const char *machine;                                   /* host and CPU, for people */
    int64_t at;                                            /* seconds since 1970; 0: now */
};

struct tune_key {
    const char *problem, *target, *convc, *llvm;
};

/* The version of this convc, and a problem's line, of batch 1. */
const char *tune_db_convc(void);
void tune_db_problem(const struct problem *p, struct text *t);

/* One open file. */
struct tune_db;

/* Is there no file, or an empty one, as a process that was killed while it made one may leave? */
bool tune_db_absent(const char *path);

/* For writing a file that is absent is made, and one of an older schema brought up to date; that is
 * done for reading too, but an absent one is CONVC_ERR_IO. Reading takes no right to write. */
enum convc_status tune_db_open(const char *path, bool write, struct tune_db **out, struct diag *d);
void tune_db_close(struct tune_db *db); /* NULL is fine */

/* Adds one row, in one transaction. A row that is there already, by id, is left as it is. */
enum convc_status tune_db_add(struct tune_db *db, const struct tune_row *row, struct diag *d);

/* Who won. */
struct tune_winner {
    char plan[PLAN_TEXT_MAX]; /* "" where nothing was measured */
    char base[PLAN_TEXT_MAX];
    double ratio, low, high; /* of plan to base; 1 where it is the base */
    int32_t rung, rounds;
};
enum convc_status tune_db_winner(struct tune_db *db, const struct tune_key *key,
                                 struct tune_winner *w, struct diag *d);

/* Its plan alone; "" where nothing was measured. */
enum convc_status tune_db_best(struct tune_db *db, const struct tune_key *key,
                               char plan[PLAN_TEXT_MAX], struct diag *d);

/* Every row of the subjects that the key names, subject by subject, oldest first; NULL in the key:
 * any. Stops where the visit returns non-zero. Nothing is locked meanwhile: the visit may use the
 * database, and rows that others add may be seen or not. */
enum convc_status tune_db_rows(struct tune_db *db, const struct tune_key *key,
                               int (*visit)(void *data, const struct tune_row *row), void *data,
                               struct diag *d);

/* One subject; texts belong to the visit. */
struct tune_summary {
    struct tune_key key;
    struct tune_winner winner;
    int64_t measurements, failures; /* of which so many are no TUNE_MEASURED */
};
enum convc_status tune_db_summaries(struct tune_db *db, const struct tune_key *key,
                                    int (*visit)(void *data, const struct tune_summary *s),
                                    void *data, struct diag *d);

/* Adds every row of `from`, all or none; *added counts those that were not there. A row of the same
 * id, subject and time that says something else is CONVC_ERR_ARGUMENT. */
enum convc_status tune_db_merge(struct tune_db *into, struct tune_db *from, int64_t *added,
                                struct diag *d);

/* Rows as lines of JSON, one object each, with the names of struct tune_row; null is what was not
 * measured. Versions to come may have more names, which are passed over. tune_db_import adds them
 * all or none; what is wrong is told as "NAME:LINE: ...". */
enum convc_status tune_db_export(struct tune_db *db, const struct tune_key *key, FILE *to,
                                 struct diag *d);
enum convc_status tune_db_import(struct tune_db *db, FILE *from, const char *name, int64_t *added,
                                 struct diag *d);

#endif
