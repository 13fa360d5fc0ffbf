/* A tuning database that somebody else made: the bytes of a file, or SQL that harms a good one in
 * ways that no stray byte finds. Whatever opens is read, and merged into a good one. */
#include "runtime/tune_db.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/fuzz_tuned.h"

#include <sqlite3.h>
#include <string.h>
#include <unistd.h>

/* Nothing that reaches beyond the file. */
static int allow(void *data, int action, const char *a, const char *b, const char *c, const char *d)
{
    bool pragma = action == SQLITE_PRAGMA && a &&
                  (strstr(a, "directory") || strstr(a, "mmap") || strstr(a, "journal_mode"));
    (void)data, (void)b, (void)c, (void)d;
    return action == SQLITE_ATTACH || action == SQLITE_DETACH || pragma ? SQLITE_DENY : SQLITE_OK;
}

static int out_of_steps(void *data)
{
    int *left = data;
    return --*left < 0;
}

static void harm(const char *path, const char *sql)
{
    sqlite3 *db;
    int steps = 100; /* of 1000 instructions each */
    FACT(sqlite3_open(path, &db) == SQLITE_OK, "SQLite opens its own file");
    sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 0, NULL);
    sqlite3_exec(db, "PRAGMA ignore_check_constraints = ON; PRAGMA writable_schema = ON", NULL,
                 NULL, NULL);
    sqlite3_limit(db, SQLITE_LIMIT_LENGTH, 1 << 16);
    sqlite3_set_authorizer(db, allow, NULL);
    sqlite3_progress_handler(db, 1000, out_of_steps, &steps);
    sqlite3_exec(db, sql, NULL, NULL, NULL);
    sqlite3_close(db);
}

void fuzz_one(const uint8_t *bytes, size_t size)
{
    struct fuzz_tuned t;
    fuzz_tuned_open(&t);
    if (size >= 6 && !memcmp(bytes, "SQLite", 6)) {
        test_file_write(t.from, bytes, size);
    } else {
        char *sql = fuzz_text(bytes, size);
        harm(t.from, sql);
        free(sql);
    }
    struct diag d = { 0 };
    struct tune_db *db;
    if (tune_db_open(t.from, false, &db, &d) == CONVC_OK) {
        fuzz_tuned_read(db);
        fuzz_tuned_merge(&t, db);
        tune_db_close(db);
    } else {
        fuzz_sentence(d.text);
    }
    fuzz_tuned_close(&t);
}
