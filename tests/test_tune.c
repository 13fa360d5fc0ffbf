/* convc_tune: what a host program is told, may ask for, and has of it afterwards. Times are made up
 * by support/fake_measure.c.
 */
#include "tests/support/layer.h"
#include "tests/support/support.h"

#include <convc/tuning.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char fake[] = CONVC_BINARY_DIR "/tests/convc-measure-fake";

/* ---- the ground ------------------------------------------------------------------------------ */

enum { PROBLEMS = 3 };

/* A database that is not there yet, a context that is going to make it, and three problems, of
 * which the first and the last are equal but for name and batch. */
struct ground {
    struct test_dir dir;
    char path[600];
    convc_context *cx;
    struct convc_problem problem[PROBLEMS];
};

static convc_context *make_context(const char *db)
{
    const struct convc_context_options opt = { .struct_bytes = sizeof opt,
                                               .threads = 1,
                                               .flags = CONVC_NO_DISK_CACHE | CONVC_NEW_TUNING_DB,
                                               .tuning_db = db };
    convc_context *cx = NULL;
    assert_int_equal(convc_context_create(&opt, &cx), CONVC_OK);
    return cx;
}

static void ground_init(struct ground *g)
{
    test_dir_create(&g->dir);
    test_dir_path(&g->dir, "tuned.db", g->path, sizeof g->path);
    g->cx = make_context(g->path);
    layer_problem(&g->problem[0], 1, 1, 7, 7);
    layer_problem(&g->problem[1], 1, 1, 5, 9);
    g->problem[2] = g->problem[0];
    g->problem[2].n = 8;
}

static void ground_free(struct ground *g)
{
    convc_context_destroy(g->cx);
    test_dir_remove(&g->dir);
}

/* What progress told; it ends the sweep at call number `most`, if that is not 0, or at the first of
 * event `at`, if that is not -1. */
struct told {
    int events[8], calls, most, at;
    int64_t measured[PROBLEMS]; /* the last that was said */
    double ratio[PROBLEMS];
    char best[PROBLEMS][512], trouble[256];
};

static void check_numbers(const struct convc_tune_progress *p)
{
    assert_int_equal(p->struct_bytes, sizeof *p);
    assert_int_equal(p->problems, PROBLEMS);
    assert_in_range(p->problem, 0, PROBLEMS - 1);
    assert_true(p->seconds >= 0 && (isnan(p->seconds_left) || p->seconds_left >= 0));
    if (p->event == CONVC_TUNE_FAILED)
        return;
    assert_true(p->measured >= 0 && p->measured <= p->planned && p->plans > 1);
    assert_true(p->low <= p->ratio && p->ratio <= p->high && p->high <= 1);
    assert_string_equal(p->trouble, "");
    assert_true(p->best[0]);
}

static void check_last(const struct convc_tune_progress *p)
{
    if (p->event != CONVC_TUNE_MEASURED) {
        assert_null(p->last);
        return;
    }
    assert_non_null(p->last);
    assert_int_equal(p->last->struct_bytes, sizeof *p->last);
    assert_int_equal(p->last->outcome, CONVC_MEASURED);
    assert_true(p->last->ratio > 0 && p->last->low <= p->last->ratio);
    assert_true(p->last->predicted > 0 && p->last->rounds >= 5 && p->last->rung >= 0);
}

static int listen(void *data, const struct convc_tune_progress *p)
{
    struct told *t = data;
    check_numbers(p);
    check_last(p);
    t->events[p->event]++;
    t->measured[p->problem] = p->measured;
    t->ratio[p->problem] = p->ratio;
    snprintf(t->best[p->problem], sizeof t->best[0], "%s", p->best);
    if (p->event == CONVC_TUNE_FAILED)
        snprintf(t->trouble, sizeof t->trouble, "%s", p->trouble);
    return ++t->calls == t->most || (int)p->event == t->at;
}

static struct convc_tune_options options_for(struct told *t)
{
    *t = (struct told){ .at = -1 };
    return (struct convc_tune_options){ .struct_bytes = sizeof(struct convc_tune_options),
                                        .measure = fake,
                                        .progress = listen,
                                        .data = t };
}

static enum convc_status tune(struct ground *g, const struct convc_tune_options *o)
{
    return convc_tune(g->cx, g->problem, PROBLEMS, o);
}

static int count_one(void *data, const struct convc_measurement *m)
{
    (void)m;
    ++*(int *)data;
    return 0;
}

static int rows(const struct ground *g)
{
    int count = 0;
    assert_int_equal(convc_tuning_visit(g->path, NULL, count_one, &count), CONVC_OK);
    return count;
}

/* ---- facts ----------------------------------------------------------------------------------- */

static void progress_tells_of_every_measurement(void **state)
{
    (void)state;
    struct ground g;
    struct told t;
    struct convc_tune_options o = options_for(&t);
    ground_init(&g);
    assert_int_equal(tune(&g, &o), CONVC_OK);
    assert_int_equal(t.events[CONVC_TUNE_BEGIN], PROBLEMS);
    assert_int_equal(t.events[CONVC_TUNE_END], PROBLEMS);
    assert_int_equal(t.events[CONVC_TUNE_FAILED], 0);
    assert_int_equal(t.events[CONVC_TUNE_MEASURED], rows(&g));
    assert_true(t.ratio[0] < 1);
    ground_free(&g);
}

static void equal_problems_are_measured_once(void **state)
{
    (void)state;
    struct ground g;
    struct told t;
    struct convc_tune_options o = options_for(&t);
    ground_init(&g);
    assert_int_equal(tune(&g, &o), CONVC_OK);
    assert_int_equal(t.measured[0] + t.measured[1], rows(&g));
    assert_int_equal(t.measured[0], t.measured[2]);
    assert_string_equal(t.best[0], t.best[2]);
    ground_free(&g);
}

/* Of 12 plans 6, 3 and 2 are measured again; of two problems each. */
static void trials_count_those_of_before(void **state)
{
    (void)state;
    struct ground g;
    struct told t;
    struct convc_tune_options o = options_for(&t);
    ground_init(&g);
    o.trials = 12;
    assert_int_equal(tune(&g, &o), CONVC_OK);
    int before = rows(&g);
    assert_in_range(before, 2 * 12, 2 * 23);
    o = options_for(&t);
    o.trials = 12;
    assert_int_equal(tune(&g, &o), CONVC_OK);
    assert_int_equal(t.events[CONVC_TUNE_MEASURED], 0);
    o = options_for(&t);
    o.trials = 30;
    assert_int_equal(tune(&g, &o), CONVC_OK);
    assert_true(t.events[CONVC_TUNE_MEASURED] > 0);
    assert_int_equal(rows(&g), before + t.events[CONVC_TUNE_MEASURED]);
    assert_in_range(rows(&g), 2 * 30, 2 * 57);
    ground_free(&g);
}

static void progress_may_end_it_and_it_goes_on(void **state)
{
    (void)state;
    struct ground g, undisturbed;
    struct told t;
    struct convc_tune_options o = options_for(&t);
    ground_init(&undisturbed);
    assert_int_equal(tune(&undisturbed, &o), CONVC_OK);
    char best[512];
    snprintf(best, sizeof best, "%s", t.best[1]);
    ground_init(&g);
    for (int calls = 1; calls < 60; calls += 7) {
        o = options_for(&t);
        t.most = calls;
        assert_int_equal(tune(&g, &o), CONVC_OK);
        assert_in_range(t.calls, 1, calls);
    }
    o = options_for(&t);
    assert_int_equal(tune(&g, &o), CONVC_OK);
    assert_int_equal(rows(&g), rows(&undisturbed));
    assert_string_equal(t.best[1], best);
    ground_free(&g);
    ground_free(&undisturbed);
}

static void a_measurement_under_way_is_given_up(void **state)
{
    (void)state;
    struct ground g;
    struct told t;
    struct convc_tune_options o = options_for(&t);
    ground_init(&g);
    setenv("FAKE_MILLISECONDS", "1000000", 1);
    t.at = CONVC_TUNE_WAITING;
    assert_int_equal(tune(&g, &o), CONVC_OK);
    assert_int_equal(t.events[CONVC_TUNE_WAITING], 1);
    assert_int_equal(t.events[CONVC_TUNE_BEGIN], 1);
    assert_int_equal(t.events[CONVC_TUNE_END] + t.events[CONVC_TUNE_FAILED], 0);
    o = options_for(&t);
    o.seconds = 0.5;
    assert_int_equal(tune(&g, &o), CONVC_OK);
    assert_int_equal(t.events[CONVC_TUNE_END], PROBLEMS);
    unsetenv("FAKE_MILLISECONDS");
    assert_int_equal(rows(&g), 0);
    ground_free(&g);
}

static void what_cannot_be_measured_is_told_and_survived(void **state)
{
    (void)state;
    struct ground g;
    struct told t;
    struct convc_tune_options o = options_for(&t);
    ground_init(&g);
    setenv("FAKE_FAIL", "ih5", 1);
    assert_int_equal(tune(&g, &o), CONVC_OK);
    unsetenv("FAKE_FAIL");
    assert_int_equal(t.events[CONVC_TUNE_FAILED], 1);
    assert_int_equal(t.events[CONVC_TUNE_END], 2);
    assert_non_null(strstr(t.trouble, "as planted"));
    assert_true(t.measured[0] > 0 && t.measured[1] == 0);
    ground_free(&g);
}

static void a_plan_that_hangs_is_no_more_than_that(void **state)
{
    (void)state;
    struct ground g;
    struct told t;
    struct convc_tune_options o = options_for(&t);
    ground_init(&g);
    setenv("FAKE_MILLISECONDS", "1000000", 1);
    o.patience = 0.2;
    assert_int_equal(tune(&g, &o), CONVC_OK);
    unsetenv("FAKE_MILLISECONDS");
    assert_int_equal(t.events[CONVC_TUNE_FAILED], PROBLEMS); /* the cost model's own plan hangs */
    assert_non_null(strstr(t.trouble, "did not answer within 0.2 s"));
    ground_free(&g);
}

static void assert_plan(convc_context *cx, const struct convc_problem *p, const char *plan,
                        enum convc_plan_source by)
{
    struct convc_kernel_info info = { .struct_bytes = sizeof info };
    convc_kernel *k;
    assert_int_equal(convc_compile(cx, p, NULL, &k), CONVC_OK);
    assert_int_equal(convc_kernel_info(k, &info), CONVC_OK);
    assert_string_equal(info.plan, plan);
    assert_int_equal(info.plan_source, by);
    convc_kernel_release(k);
}

static void kernels_afterwards_have_the_plans_that_won(void **state)
{
    (void)state;
    struct ground g;
    struct told t;
    struct convc_tune_options o = options_for(&t);
    struct convc_kernel_info info = { .struct_bytes = sizeof info };
    convc_kernel *before;
    ground_init(&g);
    assert_int_equal(convc_compile(g.cx, &g.problem[1], NULL, &before), CONVC_OK);
    assert_int_equal(tune(&g, &o), CONVC_OK);
    assert_plan(g.cx, &g.problem[1], t.best[1], CONVC_PLAN_TUNED);
    assert_plan(g.cx, &g.problem[2], t.best[0], CONVC_PLAN_TUNED);
    assert_int_equal(convc_kernel_info(before, &info), CONVC_OK);
    assert_string_not_equal(info.plan, t.best[1]);
    assert_int_equal(info.plan_source, CONVC_PLAN_MODELLED);
    convc_kernel_release(before);
    ground_free(&g);
}

static void options_of_an_older_version_are_enough(void **state)
{
    (void)state;
    struct ground g;
    struct told t;
    struct convc_tune_options o = options_for(&t);
    ground_init(&g);
    setenv("CONVC_MEASURE", fake, 1);
    o.struct_bytes = offsetof(struct convc_tune_options, seconds);
    o.seconds = NAN; /* not looked at */
    o.trials = 9;
    assert_int_equal(tune(&g, &o), CONVC_OK);
    unsetenv("CONVC_MEASURE");
    assert_int_equal(t.calls, 0);
    assert_in_range(rows(&g), 2 * 9, 2 * 19);
    ground_free(&g);
}

static void assert_refused(struct ground *g, const struct convc_tune_options *o,
                           enum convc_status status, const char *words)
{
    assert_int_equal(tune(g, o), status);
    if (!strstr(convc_last_error(), words))
        fail_msg("\"%s\" does not say \"%s\"", convc_last_error(), words);
}

static void options_that_cannot_be_are_refused(void **state)
{
    (void)state;
    struct ground g;
    struct told t;
    const struct convc_tune_options fine = options_for(&t);
    struct convc_tune_options o = fine;
    ground_init(&g);
    o.struct_bytes = 1;
    assert_refused(&g, &o, CONVC_ERR_ARGUMENT, "struct_bytes=1");
    o = fine, o.trials = -1;
    assert_refused(&g, &o, CONVC_ERR_ARGUMENT, "trials=-1");
    o = fine, o.seconds = NAN;
    assert_refused(&g, &o, CONVC_ERR_ARGUMENT, "seconds=");
    o = fine, o.patience = -2;
    assert_refused(&g, &o, CONVC_ERR_ARGUMENT, "patience=-2");
    o = fine, o.shard = 4, o.shards = 4;
    assert_refused(&g, &o, CONVC_ERR_ARGUMENT, "shard=4 of shards=4");
    o = fine, o.measure = "/no/where";
    assert_refused(&g, &o, CONVC_ERR_IO, "/no/where");
    g.problem[2].kernel[1] = -1;
    assert_int_not_equal(tune(&g, &fine), CONVC_OK);
    assert_int_equal(t.calls, 0);
    ground_free(&g);
}

static void without_a_database_there_is_no_sweep(void **state)
{
    (void)state;
    struct ground g;
    struct told t;
    struct convc_tune_options o = options_for(&t);
    ground_init(&g);
    convc_context_destroy(g.cx);
    g.cx = make_context(NULL);
    assert_refused(&g, &o, CONVC_ERR_ARGUMENT, "tuning_db");
    assert_int_equal(convc_tune(NULL, g.problem, PROBLEMS, &o), CONVC_ERR_ARGUMENT);
    assert_int_equal(convc_tune(g.cx, NULL, 1, &o), CONVC_ERR_ARGUMENT);
    ground_free(&g);
}

static void no_problem_is_no_work(void **state)
{
    (void)state;
    struct ground g;
    struct told t;
    struct convc_tune_options o = options_for(&t);
    ground_init(&g);
    assert_int_equal(convc_tune(g.cx, NULL, 0, &o), CONVC_OK);
    assert_int_equal(t.calls, 0);
    ground_free(&g);
}

static void shards_deal_the_space(void **state)
{
    (void)state;
    struct ground g;
    char *whole, *part;
    size_t parts = 0, all = 0;
    ground_init(&g);
    assert_int_equal(convc_tune_space(g.cx, &g.problem[0], 0, 1, &whole), CONVC_OK);
    for (const char *p = whole; (p = strchr(p, '\n')); p++)
        all++;
    for (int shard = 0; shard < 3; shard++) {
        assert_int_equal(convc_tune_space(g.cx, &g.problem[0], shard, 3, &part), CONVC_OK);
        for (char *rest, *line = strtok_r(part, "\n", &rest); line;
             line = strtok_r(NULL, "\n", &rest), parts++)
            assert_non_null(strstr(whole, line));
        convc_text_free(part);
    }
    assert_int_equal(parts, all + 2); /* the cost model's plan is in each */
    convc_text_free(whole);
    assert_int_equal(convc_tune_space(g.cx, &g.problem[0], 3, 3, &part), CONVC_ERR_ARGUMENT);
    ground_free(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(progress_tells_of_every_measurement),
        cmocka_unit_test(equal_problems_are_measured_once),
        cmocka_unit_test(trials_count_those_of_before),
        cmocka_unit_test(progress_may_end_it_and_it_goes_on),
        cmocka_unit_test(a_measurement_under_way_is_given_up),
        cmocka_unit_test(what_cannot_be_measured_is_told_and_survived),
        cmocka_unit_test(a_plan_that_hangs_is_no_more_than_that),
        cmocka_unit_test(kernels_afterwards_have_the_plans_that_won),
        cmocka_unit_test(options_of_an_older_version_are_enough),
        cmocka_unit_test(options_that_cannot_be_are_refused),
        cmocka_unit_test(without_a_database_there_is_no_sweep),
        cmocka_unit_test(no_problem_is_no_work),
        cmocka_unit_test(shards_deal_the_space),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
