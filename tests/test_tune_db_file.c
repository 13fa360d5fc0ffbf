/* Files that are tuning databases, and files that are none, are harmed, or say what no database of
 * ours says.
 */
#include "runtime/tune_db_inside.h"
#include "tests/support/support.h"
#include "tests/support/tuned.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static const struct tune_key everything;

/* ---- files ----------------------------------------------------------------------------------- */

static void a_file_that_is_no_tuning_database_is_told(void **state)
{
    (void)state;
    struct tuned_file g;
    char path[600];
    size_t count;
    tuned_file_init(&g);
    tuned_add(g.db, tuned_row("a", 0, 0.80, 0.90));

    test_dir_path(&g.dir, "none", path, sizeof path);
    assert_true(tune_db_absent(path));
    assert_unreadable(path, CONVC_ERR_IO, "No such file");
    assert_unreadable(g.dir.path, CONVC_ERR_ARGUMENT, "is no regular file");
    assert_unreadable("", CONVC_ERR_ARGUMENT, "must have a name");
    test_file_write(path, "", 0);
    assert_true(tune_db_absent(path));
    assert_unreadable(path, CONVC_ERR_ARGUMENT, "it is empty");
    test_file_write(path, "a text, and no database of any kind\n", 36);
    assert_false(tune_db_absent(path));
    assert_unreadable(path, CONVC_ERR_ARGUMENT, "is no tuning database");

    char *bytes = test_file_read(g.path, &count);
    test_file_write(path, bytes, 5000); /* truncated */
    assert_unreadable(path, CONVC_ERR_ARGUMENT, "is damaged");
    memset(bytes + 100, 0xa5, 3000);
    test_file_write(path, bytes, count);
    assert_unreadable(path, CONVC_ERR_ARGUMENT, "is damaged");
    free(bytes);
    test_file_write(path, "", 0);
    tuned_sql(path, "CREATE TABLE t (x)");
    assert_unreadable(path, CONVC_ERR_ARGUMENT, "is no tuning database");
    tuned_file_free(&g);
}

static void a_name_is_a_file_whatever_it_begins_with(void **state)
{
    (void)state;
    struct tuned_file g;
    char old[4096];
    tuned_file_init(&g);
    assert_non_null(getcwd(old, sizeof old));
    assert_int_equal(chdir(g.dir.path), 0);
    static const char *const names[] = { ":memory:", "file:x?mode=memory", "-" };
    for (int i = 0; i < 3; i++) {
        tune_db_close(tuned_open(names[i], true));
        assert_int_equal(access(names[i], R_OK), 0);
    }
    assert_int_equal(chdir(old), 0);
    tuned_file_free(&g);
}

static void a_newer_schema_is_refused(void **state)
{
    (void)state;
    struct tuned_file g;
    struct diag d = { 0 };
    struct tune_db *db;
    tuned_file_init(&g);
    tuned_sql(g.path, "PRAGMA user_version = 2");
    assert_unreadable(g.path, CONVC_ERR_ARGUMENT, "has schema 2, of a newer convc");
    assert_int_equal(tune_db_open(g.path, true, &db, &d), CONVC_ERR_ARGUMENT);
    tuned_file_free(&g);
}

static void tables_that_are_not_ours_are_refused(void **state)
{
    (void)state;
    static const char *const spoil[] = {
        "DROP INDEX measurement_rank",
        "DROP TABLE measurement; CREATE TABLE measurement (subject, plan)",
        "ALTER TABLE subject RENAME TO s; CREATE VIEW subject AS SELECT * FROM s",
        "PRAGMA application_id = 7",
    };
    for (int i = 0; i < 4; i++) {
        struct tuned_file g;
        tuned_file_init(&g);
        tuned_sql(g.path, spoil[i]);
        assert_unreadable(g.path, CONVC_ERR_ARGUMENT, "is no tuning database");
        tuned_file_free(&g);
    }
}

static void nothing_that_a_file_says_is_run(void **state)
{
    (void)state;
    struct tuned_file g;
    tuned_file_init(&g);
    tuned_sql(g.path, "CREATE TRIGGER t AFTER INSERT ON measurement BEGIN "
                      "DELETE FROM measurement; END");
    tuned_add(g.db, tuned_row("a", 0, 0.80, 0.90));
    struct tune_db *db = tuned_open(g.path, true);
    tuned_add(db, tuned_row("b", 0, 0.80, 0.85));
    assert_int_equal(tuned_rows(db, &everything, 0).count, 2);
    tune_db_close(db);
    tuned_file_free(&g);
}

/* Rows that SQLite lets through where its rules are off. */
static void rows_that_cannot_be_are_as_good_as_absent(void **state)
{
    (void)state;
    static const char *const spoil[] = {
        "plan = printf('%01000d', 1)",
        "plan = char(10)",
        "base = ''",
        "high = 0.1",
        "high = NULL",
        "low = -1.0",
        "rung = -3",
        "id = x'00'",
        "at = -1",
        "outcome = 17",
        "ratio = 9e999",
    };
    for (size_t i = 0; i < sizeof spoil / sizeof *spoil; i++) {
        struct tuned_file g;
        char sql[200];
        tuned_file_init(&g);
        tuned_add(g.db, tuned_row("a", 0, 0.80, 0.90));
        snprintf(sql, sizeof sql, "UPDATE measurement SET %s", spoil[i]);
        tuned_sql(g.path, sql);
        assert_int_equal(tuned_rows(g.db, &everything, 0).count, 0);
        const char *plan = tuned_winner(g.db, &tuned_key).plan;
        assert_true(strlen(plan) < PLAN_TEXT_MAX);
        tuned_sql(g.path, "UPDATE subject SET problem = char(27)");
        assert_int_equal(tuned_rows(g.db, &everything, 0).count, 0);
        tuned_file_free(&g);
    }
}

static void what_may_only_be_read_is_read(void **state)
{
    (void)state;
    struct tuned_file g;
    struct diag d = { 0 };
    struct tune_db *db;
    tuned_file_init(&g);
    tuned_add(g.db, tuned_row("a", 0, 0.80, 0.90));
    tune_db_close(g.db);
    assert_int_equal(chmod(g.path, 0444), 0);
    assert_int_equal(chmod(g.dir.path, 0555), 0);
    g.db = tuned_open(g.path, false);
    assert_winner(g.db, "a");
    if (geteuid() != 0) /* who may do everything may write */
        assert_int_equal(tune_db_open(g.path, true, &db, &d), CONVC_ERR_IO);
    assert_int_equal(chmod(g.dir.path, 0755), 0);
    tuned_file_free(&g);
}

static void nothing_lies_beside_the_file(void **state)
{
    (void)state;
    struct tuned_file g;
    char path[600];
    tuned_file_init(&g);
    tuned_add(g.db, tuned_row("a", 0, 0.80, 0.90));
    for (int i = 0; i < 3; i++) {
        static const char *const beside[] = { "tuned.db-journal", "tuned.db-wal", "tuned.db-shm" };
        assert_int_not_equal(access(test_dir_path(&g.dir, beside[i], path, sizeof path), F_OK), 0);
    }
    tuned_file_free(&g);
}

/* ---- versions -------------------------------------------------------------------------------- */

static int version_of(sqlite3 *sql)
{
    sqlite3_stmt *s;
    assert_int_equal(sqlite3_prepare_v2(sql, "PRAGMA user_version", -1, &s, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(s), SQLITE_ROW);
    int version = sqlite3_column_int(s, 0);
    sqlite3_finalize(s);
    return version;
}

static void a_database_is_taken_from_version_to_version(void **state)
{
    (void)state;
    static const char *const steps[] = {
        "CREATE TABLE t (x); INSERT INTO t VALUES (1)",
        "ALTER TABLE t ADD COLUMN y DEFAULT 5; INSERT INTO t VALUES (2, 6)",
        "UPDATE t SET y = y + 1; CREATE TABLE u AS SELECT sum(x * y) AS z FROM t",
    };
    static const char *const broken[] = { steps[0], steps[1], steps[2],
                                          "DELETE FROM t; DELETE FROM nowhere" };
    sqlite3 *sql;
    sqlite3_stmt *s;
    assert_int_equal(sqlite3_open(":memory:", &sql), SQLITE_OK);
    for (int version = 0; version <= 3; version++) {
        assert_int_equal(tune_db_migrate(sql, steps, version), SQLITE_OK);
        assert_int_equal(version_of(sql), version);
    }
    assert_int_equal(tune_db_migrate(sql, steps, 3), SQLITE_OK); /* nothing left to do */
    assert_int_not_equal(tune_db_migrate(sql, broken, 4), SQLITE_OK);
    assert_int_equal(version_of(sql), 3);
    assert_int_equal(
        sqlite3_prepare_v2(sql, "SELECT z, (SELECT count(*) FROM t) FROM u", -1, &s, NULL),
        SQLITE_OK);
    assert_int_equal(sqlite3_step(s), SQLITE_ROW);
    assert_int_equal(sqlite3_column_int(s, 0), 1 * 6 + 2 * 7);
    assert_int_equal(sqlite3_column_int(s, 1), 2); /* a step that fails takes nothing with it */
    sqlite3_finalize(s);
    sqlite3_close(sql);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_that_is_no_tuning_database_is_told),
        cmocka_unit_test(a_name_is_a_file_whatever_it_begins_with),
        cmocka_unit_test(a_newer_schema_is_refused),
        cmocka_unit_test(tables_that_are_not_ours_are_refused),
        cmocka_unit_test(nothing_that_a_file_says_is_run),
        cmocka_unit_test(rows_that_cannot_be_are_as_good_as_absent),
        cmocka_unit_test(what_may_only_be_read_is_read),
        cmocka_unit_test(nothing_lies_beside_the_file),
        cmocka_unit_test(a_database_is_taken_from_version_to_version),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
