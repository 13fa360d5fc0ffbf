/* tune_writer: writes a tuning database as a sweep does, for db_contract.py.
 *
 *     tune_writer versions                 versions of convc and LLVM, and the target of this
 * machine tune_writer forever DB TAG           rows 0, 1, 2...; tells each number once it is in
 *     tune_writer seconds DB TAG S         the same for S seconds; tells how many at the end
 *     tune_writer many DB ROWS SUBJECTS    ROWS rows of SUBJECTS problems in one transaction
 *     tune_writer look DB SUBJECTS         how long it takes to look one up, and to list its rows
 */
#include "gen/out/object.h"
#include "runtime/clock.h"
#include "runtime/machine.h"
#include "runtime/tune_db_inside.h"
#include "tests/support/support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LOOKS = 20000, LISTS = 200 };

static void must(const struct diag *d)
{
    if (d->status == CONVC_OK)
        return;
    fprintf(stderr, "tune_writer: %s\n", d->text);
    exit(3);
}

static struct tune_db *open_db(const char *path, bool write)
{
    struct diag d = { 0 };
    struct tune_db *db = NULL;
    tune_db_open(path, write, &db, &d);
    must(&d);
    return db;
}

/* Room for the texts of a row. */
struct texts {
    char problem[128], plan[128];
};

static struct tune_row row_of(struct texts *t, int subject, int number)
{
    double ratio = 0.8 + 0.4 * (number % 997) / 997.0;
    snprintf(t->problem, sizeof t->problem,
             "g1mb1ic64ih%diw56oc64oh%dow56kh3kw3sh1sw1dh0dw0ph1pw1;bias;act=relu", subject + 1,
             subject + 1);
    snprintf(t->plan, sizeof t->plan, "direct lanes=oc tile=1x%dx2 order=rows border=peel chunk=%d",
             number % 14 + 1, number);
    return (struct tune_row){ .problem = t->problem,
                              .target = "x86_64-pc-linux-gnu:znver5",
                              .convc = tune_db_convc(),
                              .llvm = "19.1.7",
                              .plan = t->plan,
                              .base = "direct lanes=oc tile=1x14x2 order=rows border=peel",
                              .outcome = number % 50 == 49 ? TUNE_CRASHED : TUNE_MEASURED,
                              .rung = number % 3,
                              .rounds = 5,
                              .seconds = 1e-4 * ratio,
                              .base_seconds = 1e-4,
                              .ratio = ratio,
                              .low = ratio * 0.99,
                              .high = ratio * 1.01,
                              .incumbent = "",
                              .incumbent_ratio = NAN,
                              .incumbent_low = NAN,
                              .incumbent_high = NAN,
                              .predicted = 1,
                              .note = "",
                              .machine = "a machine with a CPU of a long name" };
}

/* Until it is killed, or for so many seconds. */
static int write_rows(const char *path, const char *tag, double seconds)
{
    struct tune_db *db = open_db(path, true);
    double end = clock_seconds() + seconds;
    int n = 0;
    for (; clock_seconds() < end; n++) {
        struct diag d = { 0 };
        struct texts t;
        struct tune_row r = row_of(&t, 0, n);
        r.note = tag;
        tune_db_add(db, &r, &d);
        must(&d);
        if (!isfinite(end)) {
            printf("%d\n", n);
            fflush(stdout);
        }
    }
    printf("%d\n", n);
    tune_db_close(db);
    return 0;
}

/* Subject by subject, as a merge of many sweeps has them. */
static int write_many(const char *path, int rows, int subjects)
{
    struct tune_db *db = open_db(path, true);
    struct diag d = { 0 };
    struct test_random random = { 1 };
    bool added;
    tune_db_begin(db, &d);
    for (int n = 0; n < rows && d.status == CONVC_OK; n++) {
        struct texts t;
        struct tune_row r = row_of(&t, (int)((int64_t)n * subjects / rows), n);
        r.at = 1700000000 + n / 10;
        for (int i = 0; i < 16; i++)
            r.id.bytes[i] = (unsigned char)test_random_bits(&random);
        pthread_mutex_lock(&db->guard.mutex);
        tune_db_put(db, &r, &added, &d);
        pthread_mutex_unlock(&db->guard.mutex);
    }
    tune_db_finish(db, &d);
    must(&d);
    tune_db_close(db);
    return 0;
}

static int count_row(void *data, const struct tune_row *row)
{
    ++*(int *)data;
    return 0;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void tell(const char *what, double *seconds, int count)
{
    qsort(seconds, (size_t)count, sizeof *seconds, by_value);
    printf("%s: median %.1f us, 99 %% within %.1f us\n", what, seconds[count / 2] * 1e6,
           seconds[count * 99 / 100] * 1e6);
}

/* Problems at random, so that little of what is asked for was asked for just before. */
static int look(const char *path, int subjects)
{
    static double seconds[LOOKS];
    struct tune_db *db = open_db(path, false);
    struct test_random random = { 2 };
    int rows = 0;
    for (int i = 0; i < LOOKS + LISTS; i++) {
        struct diag d = { 0 };
        struct texts t;
        struct tune_winner w;
        struct tune_row r = row_of(&t, (int)test_random_in(&random, 0, subjects - 1), 0);
        const struct tune_key key = { r.problem, r.target, r.convc, r.llvm };
        double start = clock_seconds();
        if (i < LOOKS)
            tune_db_winner(db, &key, &w, &d);
        else
            tune_db_rows(db, &(struct tune_key){ .problem = r.problem }, count_row, &rows, &d);
        seconds[i < LOOKS ? i : i - LOOKS] = clock_seconds() - start;
        must(&d);
        if (i == LOOKS - 1)
            tell("look-up", seconds, LOOKS);
    }
    tell("list", seconds, LISTS);
    printf("%d rows each\n", rows / LISTS);
    tune_db_close(db);
    return 0;
}

static int tell_versions(void)
{
    struct target host;
    char text[TARGET_TEXT_MAX];
    target_host(&host);
    target_print(&host, text, sizeof text);
    printf("%s %s %s\n", tune_db_convc(), object_llvm_version(), text);
    return 0;
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";
    if (!strcmp(what, "versions"))
        return tell_versions();
    if (!strcmp(what, "forever") && argc == 4)
        return write_rows(argv[2], argv[3], INFINITY);
    if (!strcmp(what, "seconds") && argc == 5)
        return write_rows(argv[2], argv[3], atof(argv[4]));
    if (!strcmp(what, "many") && argc == 5)
        return write_many(argv[2], atoi(argv[3]), atoi(argv[4]));
    if (!strcmp(what, "look") && argc == 4)
        return look(argv[2], atoi(argv[3]));
    fprintf(stderr, "tune_writer: see the head of its source\n");
    return 2;
}
