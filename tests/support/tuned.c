#include "tests/support/tuned.h"

#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

const struct tune_key tuned_key = { "p", "t", "c", "l" };

struct tune_row tuned_row(const char *plan, int32_t rung, double low, double high)
{
    return (struct tune_row){ .problem = "p",
                              .target = "t",
                              .convc = "c",
                              .llvm = "l",
                              .plan = plan,
                              .base = "base",
                              .rung = rung,
                              .rounds = 5 << rung,
                              .seconds = 1e-3,
                              .base_seconds = 2e-3,
                              .ratio = (low + high) / 2,
                              .low = low,
                              .high = high,
                              .incumbent = "",
                              .incumbent_ratio = NAN,
                              .incumbent_low = NAN,
                              .incumbent_high = NAN,
                              .predicted = 0.95,
                              .note = "",
                              .machine = "here",
                              .at = 1000 };
}

struct tune_row tuned_failure(const char *plan, enum tune_outcome outcome)
{
    struct tune_row r = tuned_row(plan, 0, 1, 1);
    r.outcome = outcome;
    r.seconds = r.base_seconds = r.ratio = r.low = r.high = NAN;
    r.note = "as planted";
    return r;
}

struct tune_db *tuned_open(const char *path, bool write)
{
    struct diag d = { 0 };
    struct tune_db *db = NULL;
    tune_db_open(path, write, &db, &d);
    assert_string_equal(d.text, "");
    assert_non_null(db);
    return db;
}

void tuned_add(struct tune_db *db, struct tune_row row)
{
    struct diag d = { 0 };
    tune_db_add(db, &row, &d);
    assert_string_equal(d.text, "");
}

void tuned_file_init(struct tuned_file *f)
{
    test_dir_create(&f->dir);
    test_dir_path(&f->dir, "tuned.db", f->path, sizeof f->path);
    f->db = tuned_open(f->path, true);
}

void tuned_file_free(struct tuned_file *f)
{
    tune_db_close(f->db);
    test_dir_remove(&f->dir);
}

struct tune_winner tuned_winner(struct tune_db *db, const struct tune_key *key)
{
    struct diag d = { 0 };
    struct tune_winner w;
    tune_db_winner(db, key, &w, &d);
    assert_string_equal(d.text, "");
    return w;
}

void assert_winner(struct tune_db *db, const char *plan)
{
    struct diag d = { 0 };
    char best[PLAN_TEXT_MAX];
    assert_string_equal(tuned_winner(db, &tuned_key).plan, plan);
    assert_int_equal(tune_db_best(db, &tuned_key, best, &d), CONVC_OK);
    assert_string_equal(best, plan);
}

static int look(void *data, const struct tune_row *r)
{
    struct tuned_rows *s = data;
    if (strlen(s->plans) + strlen(r->plan) + 2 < sizeof s->plans)
        strcat(strcat(s->plans, r->plan), " ");
    return ++s->count == s->most;
}

struct tuned_rows tuned_rows(struct tune_db *db, const struct tune_key *key, int most)
{
    struct diag d = { 0 };
    struct tuned_rows s = { .most = most };
    assert_int_equal(tune_db_rows(db, key, look, &s, &d), CONVC_OK);
    return s;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

char *tuned_lines(struct tune_db *db)
{
    static const struct tune_key all;
    struct diag d = { 0 };
    char *text = NULL, *rest = NULL;
    size_t size, count = 0;
    FILE *memory = open_memstream(&text, &size);
    assert_non_null(memory);
    tune_db_export(db, &all, memory, &d);
    assert_string_equal(d.text, "");
    fclose(memory);
    char *sorted = calloc(size + 1, 1), **line = calloc(size + 1, sizeof *line);
    for (char *l = strtok_r(text, "\n", &rest); l; l = strtok_r(NULL, "\n", &rest))
        line[count++] = l;
    qsort(line, count, sizeof *line, by_text);
    for (size_t i = 0, at = 0; i < count; i++)
        at += (size_t)sprintf(sorted + at, "%s\n", line[i]);
    free(line);
    free(text);
    return sorted;
}

void tuned_sql(const char *path, const char *sql)
{
    sqlite3 *db;
    char *why = NULL;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 0, NULL);
    sqlite3_exec(db, "PRAGMA ignore_check_constraints = ON; PRAGMA writable_schema = ON", NULL,
                 NULL, NULL);
    sqlite3_exec(db, sql, NULL, NULL, &why);
    assert_null(why);
    sqlite3_close(db);
}

void tuned_cut_short(const char *path)
{
    sqlite3 *db;
    struct stat s;
    int status;
    pid_t child = fork();
    if (child == 0) {
        sqlite3_open(path, &db);
        sqlite3_exec(db,
                     "PRAGMA cache_size = 1; BEGIN; CREATE TABLE t (x); "
                     "INSERT INTO t SELECT randomblob(3000) FROM (VALUES (1), (2), (3), (4), (5)), "
                     "(VALUES (1), (2), (3), (4), (5))",
                     NULL, NULL, NULL);
        kill(getpid(), SIGKILL);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(stat(path, &s), 0);
    assert_true(s.st_size > 0);
}

void assert_unreadable(const char *path, enum convc_status status, const char *words)
{
    struct diag d = { 0 };
    struct tune_db *db;
    assert_int_equal(tune_db_open(path, false, &db, &d), status);
    if (!strstr(d.text, words))
        fail_msg("'%s' does not say '%s'", d.text, words);
    assert_null(strchr(d.text, '\n'));
}
