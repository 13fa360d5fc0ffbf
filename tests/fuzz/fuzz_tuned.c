#include "tests/fuzz/fuzz_tuned.h"

#include "tests/fuzz/fuzz.h"

#include <math.h>
#include <string.h>

static const struct tune_key everything;

/* The bytes of a database, made once. */
struct image {
    char *bytes;
    size_t count;
};

static struct tune_row row(const char *plan, enum tune_outcome outcome)
{
    double time = outcome == TUNE_MEASURED ? 0.5 : (double)NAN;
    return (struct tune_row){ .problem = "ic1iw4oc1ow4kw1",
                              .target = "x86_64-pc-linux-gnu:x86-64",
                              .convc = tune_db_convc(),
                              .llvm = "19.1.7",
                              .plan = plan,
                              .base = "direct",
                              .outcome = outcome,
                              .rounds = 5,
                              .seconds = time,
                              .base_seconds = time,
                              .ratio = time,
                              .low = time,
                              .high = time,
                              .incumbent = "",
                              .incumbent_ratio = NAN,
                              .incumbent_low = NAN,
                              .incumbent_high = NAN,
                              .predicted = 1,
                              .note = "",
                              .machine = "here",
                              .at = 1000,
                              .id = { { (unsigned char)(1 + outcome) } } };
}

static void make(const char *path, bool rows, struct image *image)
{
    struct tune_db *db;
    struct diag d = { 0 };
    struct tune_row fine = row("direct tile=1x2x1", TUNE_MEASURED);
    struct tune_row bad = row("direct tile=1x3x1", TUNE_CRASHED);
    FACT(tune_db_open(path, true, &db, &d) == CONVC_OK, "%s", d.text);
    if (rows)
        FACT(!tune_db_add(db, &fine, &d) && !tune_db_add(db, &bad, &d), "%s", d.text);
    tune_db_close(db);
    image->bytes = test_file_read(path, &image->count);
}

void fuzz_tuned_open(struct fuzz_tuned *t)
{
    static struct image from, into;
    test_dir_create(&t->dir);
    test_dir_path(&t->dir, "from.db", t->from, sizeof t->from);
    test_dir_path(&t->dir, "into.db", t->into, sizeof t->into);
    if (!from.bytes) {
        make(t->from, true, &from);
        make(t->into, false, &into);
    }
    test_file_write(t->from, from.bytes, from.count);
    test_file_write(t->into, into.bytes, into.count);
}

void fuzz_tuned_close(struct fuzz_tuned *t)
{
    test_dir_remove(&t->dir);
}

static int look_at_row(void *data, const struct tune_row *r)
{
    int *left = data;
    FACT(strlen(r->plan) < PLAN_TEXT_MAX && strlen(r->base) < PLAN_TEXT_MAX, "%s", r->plan);
    FACT(r->outcome <= TUNE_REFUSED, "outcome %d", (int)r->outcome);
    FACT(r->outcome != TUNE_MEASURED || r->ratio > 0, "ratio %g", r->ratio);
    return --*left < 0;
}

static int look_at_summary(void *data, const struct tune_summary *s)
{
    int *left = data;
    FACT(s->failures >= 0 && s->failures <= s->measurements, "counts");
    return --*left < 0;
}

void fuzz_tuned_read(struct tune_db *db)
{
    const struct tune_row known = row("", TUNE_MEASURED);
    const struct tune_key key = { known.problem, known.target, known.convc, known.llvm };
    struct tune_winner w;
    int left = 100;
    struct diag d[4] = { { 0 } };
    FILE *nowhere = fopen("/dev/null", "w");
    FACT(nowhere, "/dev/null");
    tune_db_winner(db, &key, &w, &d[0]);
    tune_db_rows(db, &everything, look_at_row, &left, &d[1]);
    tune_db_summaries(db, &everything, look_at_summary, &left, &d[2]);
    tune_db_export(db, &key, nowhere, &d[3]);
    fclose(nowhere);
    for (int i = 0; i < 4; i++)
        if (d[i].status)
            fuzz_sentence(d[i].text);
}

void fuzz_tuned_merge(const struct fuzz_tuned *t, struct tune_db *from)
{
    struct tune_db *into;
    struct diag d = { 0 }, why = { 0 };
    int64_t added = 0, again = 0;
    FACT(tune_db_open(t->into, true, &into, &d) == CONVC_OK, "%s", d.text);
    if (tune_db_merge(into, from, &added, &why) != CONVC_OK) {
        fuzz_sentence(why.text);
    } else {
        FACT(tune_db_merge(into, from, &again, &why) == CONVC_OK, "%s", why.text);
        FACT(again == 0, "%lld rows are added again", (long long)again);
        fuzz_tuned_read(into);
    }
    tune_db_close(into);
}
