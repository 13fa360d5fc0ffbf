/* The schema of the tuning database, its versions, and whether a file has it. */
#include "gen/base/text.h"
#include "runtime/tune_db_inside.h"

#include <string.h>

static const char *const steps[TUNE_DB_SCHEMA] = {
    /* From nothing to version 1. */
    "CREATE TABLE subject (\n"
    "    id INTEGER PRIMARY KEY,\n"
    "    problem TEXT NOT NULL, -- in convc's notation, of batch 1\n"
    "    target TEXT NOT NULL,  -- TRIPLE:CPU[+feature...]\n"
    "    convc TEXT NOT NULL,   -- versions\n"
    "    llvm TEXT NOT NULL\n"
    ") STRICT;\n"
    "CREATE UNIQUE INDEX subject_key ON subject (problem, target, convc, llvm);\n"
    "CREATE TABLE measurement (\n"
    "    subject INTEGER NOT NULL REFERENCES subject (id),\n"
    "    at INTEGER NOT NULL,   -- seconds since 1970\n"
    "    id BLOB NOT NULL CHECK (length(id) = 16),\n"
    "    plan TEXT NOT NULL,\n"
    "    base TEXT NOT NULL,    -- the plan of the cost model\n"
    "    outcome INTEGER NOT NULL, -- 0 measured, 1 wrong, 2 crashed, 3 hung, 4 refused\n"
    "    rung INTEGER NOT NULL,\n"
    "    rounds INTEGER NOT NULL,\n"
    "    seconds REAL,          -- of a run, by the plan and by the base\n"
    "    base_seconds REAL,\n"
    "    ratio REAL,            -- time of the plan to that of the base, with its interval\n"
    "    low REAL,\n"
    "    high REAL,\n"
    "    incumbent TEXT NOT NULL, -- '' where it is the base\n"
    "    incumbent_ratio REAL,\n"
    "    incumbent_low REAL,\n"
    "    incumbent_high REAL,\n"
    "    predicted REAL,        -- by the cost model, as ratio\n"
    "    note TEXT NOT NULL,\n"
    "    machine TEXT NOT NULL\n"
    ") STRICT;\n"
    "CREATE UNIQUE INDEX measurement_key ON measurement (subject, at, id);\n"
    "CREATE INDEX measurement_rank ON measurement (subject, rung DESC, high) WHERE outcome = 0;\n"
    "CREATE INDEX measurement_failed ON measurement (subject, plan) WHERE outcome <> 0;\n",
};

/* The whole number that a statement gives. */
static int ask(sqlite3 *sql, const char *text, int64_t *answer)
{
    sqlite3_stmt *s;
    int result = sqlite3_prepare_v2(sql, text, -1, &s, NULL);
    if (result != SQLITE_OK)
        return result;
    result = sqlite3_step(s);
    if (result == SQLITE_ROW)
        *answer = sqlite3_column_int64(s, 0);
    int ended = sqlite3_finalize(s);
    return result == SQLITE_ROW ? SQLITE_OK : ended;
}

static int set_pragma(sqlite3 *sql, const char *name, int value)
{
    char text[64];
    sqlite3_snprintf(sizeof text, text, "PRAGMA %s = %d", name, value);
    return sqlite3_exec(sql, text, NULL, NULL, NULL);
}

int tune_db_migrate(sqlite3 *sql, const char *const *step, int count)
{
    int64_t version = 0;
    int result = sqlite3_exec(sql, "BEGIN IMMEDIATE", NULL, NULL, NULL);
    if (result != SQLITE_OK)
        return result;
    result = ask(sql, "PRAGMA user_version", &version); /* others may have been here before */
    for (int64_t v = version; result == SQLITE_OK && v < count; v++)
        result = sqlite3_exec(sql, step[v], NULL, NULL, NULL);
    if (result == SQLITE_OK && version < count)
        result = set_pragma(sql, "application_id", TUNE_DB_APPLICATION);
    if (result == SQLITE_OK && version < count)
        result = set_pragma(sql, "user_version", count);
    if (result == SQLITE_OK)
        result = sqlite3_exec(sql, "COMMIT", NULL, NULL, NULL);
    if (!sqlite3_get_autocommit(sql))
        sqlite3_exec(sql, "ROLLBACK", NULL, NULL, NULL);
    return result;
}

/* ---- is it ours? ----------------------------------------------------------------------------- */

/* What a file says that it is. */
struct identity {
    int64_t application, version, objects;
};

/* All of it at one moment: somebody else may be making the file. */
static int identify(sqlite3 *sql, struct identity *i)
{
    *i = (struct identity){ 0 };
    int result = sqlite3_exec(sql, "BEGIN", NULL, NULL, NULL);
    if (result == SQLITE_OK)
        result = ask(sql, "PRAGMA application_id", &i->application);
    if (result == SQLITE_OK)
        result = ask(sql, "PRAGMA user_version", &i->version);
    if (result == SQLITE_OK)
        result = ask(sql, "SELECT count(*) FROM sqlite_schema", &i->objects);
    if (!sqlite3_get_autocommit(sql))
        sqlite3_exec(sql, "ROLLBACK", NULL, NULL, NULL);
    return result;
}

/* Is the table or index of this name and text, which `find` has room for, in the file? */
static int look_for(sqlite3_stmt *find, const char *name, const char *text, bool *there)
{
    int result = sqlite3_bind_text(find, 1, name, -1, SQLITE_STATIC);
    if (result == SQLITE_OK)
        result = sqlite3_bind_text(find, 2, text, -1, SQLITE_STATIC);
    if (result != SQLITE_OK)
        return result;
    result = sqlite3_step(find);
    *there = result == SQLITE_ROW && sqlite3_column_int(find, 0) == 1;
    int ended = sqlite3_reset(find);
    return result == SQLITE_ROW ? SQLITE_OK : ended;
}

/* Does the file have every table and index of `fresh`, word for word? */
static int compare(sqlite3 *sql, sqlite3 *fresh, bool *same)
{
    sqlite3_stmt *list = NULL, *find = NULL;
    int result = sqlite3_prepare_v2(fresh, "SELECT name, sql FROM sqlite_schema", -1, &list, NULL);
    if (result == SQLITE_OK)
        result = sqlite3_prepare_v2(
            sql, "SELECT count(*) FROM sqlite_schema WHERE name = ? AND sql = ? AND rootpage > 0",
            -1, &find, NULL);
    *same = true;
    while (result == SQLITE_OK && sqlite3_step(list) == SQLITE_ROW) {
        const char *name = (const char *)sqlite3_column_text(list, 0);
        const char *text = (const char *)sqlite3_column_text(list, 1);
        bool there = false;
        result = name && text ? look_for(find, name, text, &there) : SQLITE_NOMEM;
        *same = *same && there;
    }
    int ended = sqlite3_finalize(list);
    sqlite3_finalize(find);
    return result == SQLITE_OK ? ended : result;
}

static int has_our_tables(sqlite3 *sql, bool *same)
{
    sqlite3 *fresh = NULL;
    int result =
        sqlite3_open_v2(":memory:", &fresh, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
    if (result == SQLITE_OK)
        result = tune_db_migrate(fresh, steps, TUNE_DB_SCHEMA);
    if (result == SQLITE_OK)
        result = compare(sql, fresh, same);
    sqlite3_close(fresh);
    return result;
}

/* Is there anything to do before it can be used? */
static enum convc_status judge(const struct tune_db *db, const struct identity *i, bool *migrate,
                               struct diag *d)
{
    bool ours = i->application == TUNE_DB_APPLICATION && i->version > 0;
    bool empty = !i->application && !i->version && !i->objects;
    if (!ours && !(empty && db->write))
        return diag_fail(d, CONVC_ERR_ARGUMENT, "%s is no tuning database of convc%s", db->path,
                         empty ? ": it is empty" : "");
    if (i->version > TUNE_DB_SCHEMA)
        return diag_fail(d, CONVC_ERR_ARGUMENT,
                         "%s has schema %lld, of a newer convc; this one knows schema %d", db->path,
                         (long long)i->version, TUNE_DB_SCHEMA);
    *migrate = i->version < TUNE_DB_SCHEMA;
    return CONVC_OK;
}

enum convc_status tune_db_settle(struct tune_db *db, struct diag *d)
{
    struct identity i;
    bool migrate = false, same = false;
    int result = identify(db->sql, &i);
    if (result != SQLITE_OK)
        return tune_db_fail(db, result, d);
    if (judge(db, &i, &migrate, d) != CONVC_OK)
        return d->status;
    if (migrate)
        result = tune_db_migrate(db->sql, steps, TUNE_DB_SCHEMA);
    if (result == SQLITE_OK)
        result = has_our_tables(db->sql, &same);
    if (result != SQLITE_OK)
        return tune_db_fail(db, result, d);
    if (!same)
        return diag_fail(d, CONVC_ERR_ARGUMENT,
                         "%s is no tuning database: its tables are not those of schema %d",
                         db->path, TUNE_DB_SCHEMA);
    return CONVC_OK;
}
