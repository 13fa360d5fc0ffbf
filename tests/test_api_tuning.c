/* The public calls on tuning databases: what they show, and what they refuse. */
#include "tests/support/support.h"
#include "tests/support/tuned.h"

#include <convc/tuning.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* Two problems, of which one has a winner. */
static void ground_init(struct tuned_file *g)
{
    struct tune_row other = tuned_row("a", 0, 0.9, 1.2);
    other.problem = "q";
    tuned_file_init(g);
    tuned_add(g->db, tuned_row("a", 0, 0.8, 0.9));
    tuned_add(g->db, tuned_failure("b", TUNE_CRASHED));
    tuned_add(g->db, other);
}

struct seen {
    int measurements, summaries, most;
    struct convc_measurement last;
    double high;
    int64_t failures;
    char plan[64];
};

static int see(void *data, const struct convc_measurement *m)
{
    struct seen *s = data;
    s->last = *m;
    snprintf(s->plan, sizeof s->plan, "%s", m->plan);
    return ++s->measurements == s->most;
}

static int see_summary(void *data, const struct convc_tuning_summary *m)
{
    struct seen *s = data;
    s->high = m->high;
    s->failures += m->failures;
    snprintf(s->plan, sizeof s->plan, "%s", m->plan);
    return ++s->summaries == s->most;
}

static void a_visit_shows_every_measurement(void **state)
{
    (void)state;
    struct tuned_file g;
    struct seen s = { 0 };
    ground_init(&g);
    assert_int_equal(convc_tuning_visit(g.path, NULL, see, &s), CONVC_OK);
    assert_int_equal(s.measurements, 3);
    const struct convc_tuning_filter p = { .struct_bytes = sizeof p, .problem = "p" };
    s = (struct seen){ 0 };
    assert_int_equal(convc_tuning_visit(g.path, &p, see, &s), CONVC_OK);
    assert_int_equal(s.measurements, 2);
    assert_int_equal(s.last.outcome, CONVC_MEASURED_CRASHED);
    assert_true(isnan(s.last.ratio));
    s = (struct seen){ .most = 1 };
    assert_int_equal(convc_tuning_visit(g.path, &p, see, &s), CONVC_OK);
    assert_int_equal(s.measurements, 1);
    assert_string_equal(s.plan, "a");
    assert_true(s.last.low == 0.8 && s.last.high == 0.9 && s.last.struct_bytes == sizeof s.last);
    tuned_file_free(&g);
}

static void a_summary_tells_who_won(void **state)
{
    (void)state;
    struct tuned_file g;
    struct seen s = { 0 };
    ground_init(&g);
    assert_int_equal(convc_tuning_summaries(g.path, NULL, see_summary, &s), CONVC_OK);
    assert_int_equal(s.summaries, 2);
    assert_int_equal(s.failures, 1);
    assert_string_equal(s.plan, "base");
    assert_true(s.high == 1);
    const struct convc_tuning_filter p = { .struct_bytes = sizeof p, .problem = "p" };
    s = (struct seen){ 0 };
    assert_int_equal(convc_tuning_summaries(g.path, &p, see_summary, &s), CONVC_OK);
    assert_int_equal(s.summaries, 1);
    assert_string_equal(s.plan, "a");
    tuned_file_free(&g);
}

static void databases_travel(void **state)
{
    (void)state;
    struct tuned_file g;
    char merged[600], imported[600];
    int64_t added = -1;
    ground_init(&g);
    const char *const from[] = { g.path, g.path };
    test_dir_path(&g.dir, "merged.db", merged, sizeof merged);
    test_dir_path(&g.dir, "imported.db", imported, sizeof imported);
    assert_int_equal(convc_tuning_merge(merged, from, 2, &added), CONVC_OK);
    assert_int_equal(added, 3);
    FILE *text = tmpfile();
    assert_non_null(text);
    assert_int_equal(convc_tuning_export(merged, NULL, text), CONVC_OK);
    rewind(text);
    assert_int_equal(convc_tuning_import(imported, text, NULL, &added), CONVC_OK);
    assert_int_equal(added, 3);
    assert_int_equal(convc_tuning_merge(imported, from, 1, NULL), CONVC_OK);
    fclose(text);
    tuned_file_free(&g);
}

static void nothing_is_made_where_one_cannot_be_read(void **state)
{
    (void)state;
    struct tuned_file g;
    char merged[600], absent[600];
    int64_t added = -1;
    ground_init(&g);
    test_dir_path(&g.dir, "merged.db", merged, sizeof merged);
    const char *const from[] = { g.path, test_dir_path(&g.dir, "none", absent, sizeof absent) };
    assert_int_equal(convc_tuning_merge(merged, from, 2, &added), CONVC_ERR_IO);
    assert_int_equal(added, 0);
    assert_non_null(strstr(convc_last_error(), "none: No such file"));
    assert_int_not_equal(access(merged, F_OK), 0);
    tuned_file_free(&g);
}

static void arguments_that_are_missing_are_told(void **state)
{
    (void)state;
    struct tuned_file g;
    const struct convc_tuning_filter broken = { .struct_bytes = 3 };
    char *plan;
    ground_init(&g);
    assert_int_equal(convc_tuning_visit(NULL, NULL, see, NULL), CONVC_ERR_ARGUMENT);
    assert_int_equal(convc_tuning_visit(g.path, NULL, NULL, NULL), CONVC_ERR_ARGUMENT);
    assert_int_equal(convc_tuning_visit(g.path, &broken, see, NULL), CONVC_ERR_ARGUMENT);
    assert_non_null(strstr(convc_last_error(), "struct_bytes=3"));
    assert_int_equal(convc_tuning_summaries(NULL, NULL, see_summary, NULL), CONVC_ERR_ARGUMENT);
    assert_int_equal(convc_tuning_merge(NULL, NULL, 0, NULL), CONVC_ERR_ARGUMENT);
    assert_int_equal(convc_tuning_merge(g.path, NULL, 2, NULL), CONVC_ERR_ARGUMENT);
    assert_int_equal(convc_tuning_export(g.path, NULL, NULL), CONVC_ERR_ARGUMENT);
    assert_int_equal(convc_tuning_import(g.path, NULL, "x", NULL), CONVC_ERR_ARGUMENT);
    assert_int_equal(convc_tuning_best(NULL, NULL, &plan), CONVC_ERR_ARGUMENT);
    tuned_file_free(&g);
}

static void a_context_without_a_database_knows_no_best_plan(void **state)
{
    (void)state;
    const struct convc_context_options opt = { .struct_bytes = sizeof opt,
                                               .flags = CONVC_NO_DISK_CACHE | CONVC_NO_JIT };
    struct convc_problem p;
    convc_context *cx;
    char *plan = (char *)&p;
    convc_problem_init(&p);
    assert_int_equal(convc_context_create(&opt, &cx), CONVC_OK);
    assert_int_equal(convc_tuning_best(cx, &p, &plan), CONVC_OK);
    assert_null(plan);
    p.ic = -1;
    assert_int_not_equal(convc_tuning_best(cx, &p, &plan), CONVC_OK);
    convc_context_destroy(cx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_visit_shows_every_measurement),
        cmocka_unit_test(a_summary_tells_who_won),
        cmocka_unit_test(databases_travel),
        cmocka_unit_test(nothing_is_made_where_one_cannot_be_read),
        cmocka_unit_test(arguments_that_are_missing_are_told),
        cmocka_unit_test(a_context_without_a_database_knows_no_best_plan),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
