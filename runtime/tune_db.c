#include "runtime/tune_db.h"

#include "gen/base/memory.h"
#include "gen/base/text.h"
#include "runtime/clock.h"
#include "runtime/tune_db_inside.h"

#include <convc/convc.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

/* Columns in the order in which rows are read, written and compared. */
#define COLUMNS                                                                                    \
    "at, id, plan, base, outcome, rung, rounds, seconds, base_seconds, ratio, low, high, "         \
    "incumbent, incumbent_ratio, incumbent_low, incumbent_high, predicted, note, machine"

/* A member of the line ?1: as the text that it is, or as JSON has it. */
#define TEXT_OF(name) "?1 ->> '$." #name "', "
#define JSON_OF(name) "?1 -> '$." #name "', "

static const char *const texts[SQL_COUNT] = {
    [SQL_BEGIN] = "BEGIN IMMEDIATE",
    [SQL_COMMIT] = "COMMIT",
    [SQL_ROLLBACK] = "ROLLBACK",
    [SQL_WINNER] = "SELECT plan, base, ratio, low, high, rung, rounds "
                   "FROM measurement AS m INDEXED BY measurement_rank "
                   "WHERE outcome = 0 AND subject = (SELECT id FROM subject INDEXED BY subject_key "
                   "WHERE problem = ?1 AND target = ?2 AND convc = ?3 AND llvm = ?4) "
                   "AND NOT EXISTS (SELECT 1 FROM measurement AS f INDEXED BY measurement_failed "
                   "WHERE f.subject = m.subject AND f.plan = m.plan AND f.outcome <> 0) "
                   "ORDER BY rung DESC, high, plan, at, id LIMIT 1",
    [SQL_NEXT_SUBJECT] = "SELECT id, problem, target, convc, llvm FROM subject "
                         "WHERE ?1 IS NULL AND (?2 IS NULL OR target = ?2) "
                         "AND (?3 IS NULL OR convc = ?3) AND (?4 IS NULL OR llvm = ?4) "
                         "AND id > ?5 ORDER BY id LIMIT 1",
    [SQL_NEXT_SUBJECT_OF] = "SELECT id, problem, target, convc, llvm "
                            "FROM subject INDEXED BY subject_key "
                            "WHERE problem = ?1 AND (?2 IS NULL OR target = ?2) "
                            "AND (?3 IS NULL OR convc = ?3) AND (?4 IS NULL OR llvm = ?4) "
                            "AND id > ?5 ORDER BY id LIMIT 1",
    [SQL_COUNTS] = "SELECT (SELECT count(*) FROM measurement WHERE subject = ?1), "
                   "(SELECT count(*) FROM measurement WHERE subject = ?1 AND outcome <> 0)",
    [SQL_PAGE] = "SELECT " COLUMNS " FROM measurement INDEXED BY measurement_key "
                 "WHERE subject = ?1 AND (at, id) > (?2, ?3) AND typeof(at) = 'integer' "
                 "AND typeof(id) = 'blob' AND length(id) = 16 ORDER BY at, id LIMIT ?4",
    [SQL_FIND_SUBJECT] = "SELECT id FROM subject INDEXED BY subject_key "
                         "WHERE problem = ?1 AND target = ?2 AND convc = ?3 AND llvm = ?4",
    [SQL_ADD_SUBJECT] = "INSERT INTO subject (problem, target, convc, llvm) VALUES (?, ?, ?, ?)",
    [SQL_ADD_ROW] = "INSERT INTO measurement (" COLUMNS ", subject) VALUES "
                    "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
                    "ON CONFLICT DO NOTHING",
    [SQL_SAME_ROW] = "SELECT count(*) FROM measurement INDEXED BY measurement_key "
                     "WHERE subject = ?20 AND at = ?1 AND id = ?2 AND (" COLUMNS ") IS "
                     "(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, "
                     "?17, ?18, ?19)",
    [SQL_READ_LINE] = "SELECT json_type(?1), " TEXT_OF(id) TEXT_OF(outcome) JSON_OF(at)
        TEXT_OF(problem) TEXT_OF(target) TEXT_OF(convc) TEXT_OF(llvm) TEXT_OF(plan) TEXT_OF(base)
            TEXT_OF(incumbent) TEXT_OF(note) TEXT_OF(machine) JSON_OF(rung) JSON_OF(rounds)
                JSON_OF(seconds) JSON_OF(base_seconds) JSON_OF(ratio) JSON_OF(low) JSON_OF(high)
                    JSON_OF(incumbent_ratio) JSON_OF(incumbent_low) JSON_OF(incumbent_high)
                        JSON_OF(predicted) "NULL",
};

/* ---- names ----------------------------------------------------------------------------------- */

#define WORD(x)   #x
#define NUMBER(x) WORD(x)

const char *tune_db_convc(void)
{
    return NUMBER(CONVC_VERSION_MAJOR) "." NUMBER(CONVC_VERSION_MINOR) "." NUMBER(
        CONVC_VERSION_PATCH);
}

void tune_db_problem(const struct problem *p, struct text *t)
{
    struct problem one = *p;
    one.p.n = 1;
    problem_print(&one, t);
}

/* ---- errors ---------------------------------------------------------------------------------- */

enum convc_status tune_db_fail(struct tune_db *db, int result, struct diag *d)
{
    switch (result & 0xff) {
    case SQLITE_NOMEM: return diag_memory(d);
    case SQLITE_NOTADB:
        return diag_fail(d, CONVC_ERR_ARGUMENT, "%s is no tuning database of convc", db->path);
    case SQLITE_CORRUPT:
        return diag_fail(d, CONVC_ERR_ARGUMENT, "%s is damaged: %s", db->path,
                         sqlite3_errmsg(db->sql));
    case SQLITE_BUSY:
        return diag_fail(d, CONVC_ERR_IO, "%s has been locked by others for %d seconds", db->path,
                         TUNE_DB_PATIENCE);
    case SQLITE_CANTOPEN:
        if (sqlite3_system_errno(db->sql))
            return diag_fail(d, CONVC_ERR_IO, "%s: %s", db->path,
                             strerror(sqlite3_system_errno(db->sql)));
        break;
    default: break;
    }
    if (result == SQLITE_READONLY_ROLLBACK)
        return diag_fail(d, CONVC_ERR_IO,
                         "%s was left amid a write: who may write it must open it first", db->path);
    return diag_fail(d, CONVC_ERR_IO, "%s: %s", db->path, sqlite3_errmsg(db->sql));
}

/* ---- statements ------------------------------------------------------------------------------ */

sqlite3_stmt *tune_db_statement(struct tune_db *db, enum tune_sql which, struct diag *d)
{
    sqlite3_stmt **s = &db->statement[which];
    if (*s)
        return *s;
    int result = sqlite3_prepare_v3(db->sql, texts[which], -1, SQLITE_PREPARE_PERSISTENT, s, NULL);
    if (result != SQLITE_OK)
        tune_db_fail(db, result, d);
    return *s;
}

bool tune_db_step(struct tune_db *db, sqlite3_stmt *s, struct diag *d)
{
    int result = sqlite3_step(s);
    if (result != SQLITE_ROW && result != SQLITE_DONE)
        tune_db_fail(db, sqlite3_extended_errcode(db->sql), d);
    return result == SQLITE_ROW;
}

void tune_db_reset(sqlite3_stmt *s)
{
    if (s)
        sqlite3_reset(s);
}

enum convc_status tune_db_run(struct tune_db *db, enum tune_sql which, struct diag *d)
{
    sqlite3_stmt *s = tune_db_statement(db, which, d);
    if (s)
        tune_db_step(db, s, d);
    tune_db_reset(s);
    return d->status;
}

/* Whoever writes one row after the other would hold the lock nearly always; others wait for it by
 * looking now and then. */
static void give_way(const struct tune_db *db)
{
    const struct timespec moment = { 0, 1000000 };
    if (clock_seconds() - db->released < 1e-3)
        nanosleep(&moment, NULL);
}

enum convc_status tune_db_start(struct tune_db *db, struct diag *d)
{
    give_way(db);
    return tune_db_run(db, SQL_BEGIN, d);
}

enum convc_status tune_db_end(struct tune_db *db, struct diag *d)
{
    struct diag ignored = { 0 };
    if (d->status == CONVC_OK)
        tune_db_run(db, SQL_COMMIT, d);
    if (!sqlite3_get_autocommit(db->sql))
        tune_db_run(db, SQL_ROLLBACK, &ignored);
    db->released = clock_seconds();
    return d->status;
}

enum convc_status tune_db_begin(struct tune_db *db, struct diag *d)
{
    pthread_mutex_lock(&db->guard.mutex);
    tune_db_start(db, d);
    pthread_mutex_unlock(&db->guard.mutex);
    return d->status;
}

enum convc_status tune_db_finish(struct tune_db *db, struct diag *d)
{
    pthread_mutex_lock(&db->guard.mutex);
    tune_db_end(db, d);
    pthread_mutex_unlock(&db->guard.mutex);
    return d->status;
}

void tune_db_bind_key(sqlite3_stmt *s, const struct tune_key *key)
{
    const char *const text[] = { key->problem, key->target, key->convc, key->llvm };
    for (int i = 0; i < 4; i++)
        sqlite3_bind_text(s, i + 1, text[i], -1, SQLITE_STATIC);
}

/* ---- opening --------------------------------------------------------------------------------- */

/* Waits a little for the locks of others, not all for the same time. */
static int wait_for_others(void *data, int times)
{
    struct tune_db *db = data;
    double now = clock_seconds();
    if (!times)
        db->waiting = now;
    if (now - db->waiting > TUNE_DB_PATIENCE)
        return 0;
    struct timespec nap = { 0 };
    clock_gettime(CLOCK_MONOTONIC, &nap);
    nap = (struct timespec){ 0, nap.tv_nsec / 16 % 2000000 }; /* up to 2 ms */
    nanosleep(&nap, NULL);
    return 1;
}

/* SQLite's advice for files that others may have made: nothing in them is run. */
static void harden(struct tune_db *db)
{
    static const int off[] = { SQLITE_DBCONFIG_TRUSTED_SCHEMA, SQLITE_DBCONFIG_ENABLE_TRIGGER,
                               SQLITE_DBCONFIG_ENABLE_VIEW };
    for (size_t i = 0; i < sizeof off / sizeof *off; i++)
        sqlite3_db_config(db->sql, off[i], 0, NULL);
    sqlite3_db_config(db->sql, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_limit(db->sql, SQLITE_LIMIT_LENGTH, 4 << 20);
    sqlite3_exec(db->sql, "PRAGMA cell_size_check = ON", NULL, NULL, NULL);
    sqlite3_extended_result_codes(db->sql, 1);
    sqlite3_busy_handler(db->sql, wait_for_others, db);
}

bool tune_db_absent(const char *path)
{
    struct stat s;
    return stat(path, &s) ? errno == ENOENT : S_ISREG(s.st_mode) && s.st_size == 0;
}

static enum convc_status check_file(const char *path, bool write, struct diag *d)
{
    struct stat s;
    if (!path[0])
        return diag_fail(d, CONVC_ERR_ARGUMENT, "a tuning database must have a name");
    if (stat(path, &s))
        return write && errno == ENOENT
                   ? CONVC_OK
                   : diag_fail(d, CONVC_ERR_IO, "%s: %s", path, strerror(errno));
    if (!S_ISREG(s.st_mode))
        return diag_fail(d, CONVC_ERR_ARGUMENT, "%s is no regular file", path);
    return CONVC_OK;
}

static enum convc_status open_file(struct tune_db *db, struct diag *d)
{
    /* SQLite knows names that are no files, and they begin otherwise. */
    char *path = sqlite3_mprintf("%s%s", db->path[0] == '/' ? "" : "./", db->path);
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE;
    if (!path)
        return diag_memory(d);
    int result =
        sqlite3_open_v2(path, &db->sql, flags | (db->write ? SQLITE_OPEN_CREATE : 0), NULL);
    sqlite3_free(path);
    if (!db->sql)
        return diag_memory(d);
    if (result != SQLITE_OK)
        return tune_db_fail(db, result, d);
    harden(db);
    if (db->write && sqlite3_db_readonly(db->sql, "main") == 1)
        return diag_fail(d, CONVC_ERR_IO, "%s may not be written", db->path);
    return tune_db_settle(db, d);
}

enum convc_status tune_db_open(const char *path, bool write, struct tune_db **out, struct diag *d)
{
    if (check_file(path, write, d) != CONVC_OK)
        return d->status;
    struct tune_db *db = memory_zeroed(1, sizeof *db + strlen(path) + 1);
    if (!db || guard_init(&db->guard, NULL, d) != CONVC_OK) {
        memory_free(db);
        return diag_memory(d);
    }
    strcpy(db->path, path);
    db->write = write;
    pthread_mutex_lock(&db->guard.mutex);
    open_file(db, d);
    pthread_mutex_unlock(&db->guard.mutex);
    if (d->status == CONVC_OK)
        *out = db;
    else
        tune_db_close(db);
    return d->status;
}

void tune_db_close(struct tune_db *db)
{
    if (!db)
        return;
    pthread_mutex_lock(&db->guard.mutex);
    for (int i = 0; i < SQL_COUNT; i++)
        sqlite3_finalize(db->statement[i]);
    sqlite3_close(db->sql);
    pthread_mutex_unlock(&db->guard.mutex);
    guard_destroy(&db->guard);
    memory_free(db);
}
