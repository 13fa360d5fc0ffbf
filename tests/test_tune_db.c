/* The tuning database: what goes in comes out, who won follows from it, and threads and processes
 * share it.
 */
#include "tests/support/support.h"
#include "tests/support/tuned.h"

#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static const struct tune_key everything;

/* ---- rows ------------------------------------------------------------------------------------ */

static struct tune_row last;

static int keep(void *data, const struct tune_row *r)
{
    last = *r;
    last.plan = strcpy(data, r->plan);
    return 0;
}

static void assert_same_real(double a, double b)
{
    assert_true(a == b || (isnan(a) && isnan(b)));
}

static void a_row_comes_back_as_it_was_added(void **state)
{
    (void)state;
    struct tuned_file g;
    struct diag d = { 0 };
    char plan[PLAN_TEXT_MAX];
    struct tune_row r = tuned_row("direct tile=1x14x2", 3, 0.1 + 0.2, 1 / 3.0);
    r.seconds = 1.0000000000000002e-7;
    r.base_seconds = NAN;
    r.incumbent = "another";
    r.incumbent_ratio = 0.97, r.incumbent_low = 0.96, r.incumbent_high = 0.98;
    r.at = 1700000000;
    tuned_file_init(&g);
    tuned_add(g.db, r);
    assert_int_equal(tune_db_rows(g.db, &tuned_key, keep, plan, &d), CONVC_OK);
    assert_string_equal(last.plan, r.plan);
    assert_int_equal(last.rung, 3);
    assert_int_equal(last.rounds, r.rounds);
    assert_same_real(last.seconds, r.seconds);
    assert_same_real(last.base_seconds, NAN);
    assert_same_real(last.low, r.low);
    assert_same_real(last.high, r.high);
    assert_same_real(last.ratio, r.ratio);
    assert_same_real(last.incumbent_high, r.incumbent_high);
    assert_same_real(last.predicted, r.predicted);
    assert_true(last.at == r.at);
    tuned_file_free(&g);
}

static void an_id_and_a_time_are_drawn_and_give_an_order(void **state)
{
    (void)state;
    struct tuned_file g;
    struct diag d = { 0 };
    char plan[PLAN_TEXT_MAX], expected[1024] = "";
    tuned_file_init(&g);
    for (int i = 0; i < 70; i++) { /* more than are read at once */
        struct tune_row r = tuned_row("x", 0, 0.9, 0.95);
        snprintf(plan, sizeof plan, "%d", i);
        r.plan = plan;
        r.at = 0;
        tuned_add(g.db, r);
        strcat(strcat(expected, plan), " ");
    }
    struct tuned_rows s = tuned_rows(g.db, &tuned_key, 0);
    assert_string_equal(s.plans, expected);
    assert_int_equal(tune_db_rows(g.db, &tuned_key, keep, plan, &d), CONVC_OK);
    assert_true(last.at > 1700000000);
    tuned_file_free(&g);
}

static void a_row_is_added_once(void **state)
{
    (void)state;
    struct tuned_file g;
    struct diag d = { 0 };
    struct tune_row r = tuned_row("a", 0, 0.9, 0.95);
    r.id.bytes[3] = 7;
    tuned_file_init(&g);
    tuned_add(g.db, r);
    tuned_add(g.db, r);
    assert_int_equal(tuned_rows(g.db, &everything, 0).count, 1);
    r.seconds = 5;
    assert_int_equal(tune_db_add(g.db, &r, &d), CONVC_ERR_ARGUMENT);
    assert_non_null(strstr(d.text, "with other values"));
    assert_int_equal(tuned_rows(g.db, &everything, 0).count, 1);
    tuned_file_free(&g);
}

static void a_key_without_a_name_is_any(void **state)
{
    (void)state;
    struct tuned_file g;
    struct tune_row r = tuned_row("a", 0, 0.9, 0.95);
    tuned_file_init(&g);
    tuned_add(g.db, r);
    r.problem = "q", r.plan = "b";
    tuned_add(g.db, r);
    r.target = "u", r.plan = "c";
    tuned_add(g.db, r);
    r.llvm = "20", r.plan = "d";
    tuned_add(g.db, r);
    assert_string_equal(tuned_rows(g.db, &everything, 0).plans, "a b c d ");
    assert_string_equal(tuned_rows(g.db, &everything, 2).plans, "a b ");
    assert_string_equal(tuned_rows(g.db, &(struct tune_key){ .problem = "q" }, 0).plans, "b c d ");
    assert_string_equal(tuned_rows(g.db, &(struct tune_key){ .target = "u" }, 0).plans, "c d ");
    assert_string_equal(tuned_rows(g.db, &(struct tune_key){ "q", "u", "c", "20" }, 0).plans, "d ");
    assert_string_equal(tuned_rows(g.db, &(struct tune_key){ .problem = "r" }, 0).plans, "");
    tuned_file_free(&g);
}

static void a_row_that_cannot_be_is_refused(void **state)
{
    (void)state;
    struct tuned_file g;
    char thousand[1001] = "";
    memset(thousand, 'x', 1000);
    struct tune_row good = tuned_row("a", 0, 0.9, 0.95), bad[12];
    for (int i = 0; i < 12; i++)
        bad[i] = good;
    bad[0].plan = "";
    bad[1].plan = thousand;
    bad[2].problem = "two\nlines";
    bad[3].target = NULL;
    bad[4].base = "\xc3\xa4";
    bad[5].ratio = NAN;
    bad[6].low = 0.97;
    bad[7].high = INFINITY;
    bad[8].seconds = -1;
    bad[9].rung = -1;
    bad[10].at = -5;
    bad[11].outcome = (enum tune_outcome)5;
    tuned_file_init(&g);
    for (int i = 0; i < 12; i++) {
        struct diag d = { 0 };
        assert_int_equal(tune_db_add(g.db, &bad[i], &d), CONVC_ERR_ARGUMENT);
        assert_non_null(strstr(d.text, "of a measurement"));
    }
    assert_int_equal(tuned_rows(g.db, &everything, 0).count, 0);
    good.note = "caf\xc3\xa9\n"; /* what a child says may hold anything */
    good.machine = thousand;
    tuned_add(g.db, good);
    assert_int_equal(tuned_rows(g.db, &everything, 0).count, 1);
    tuned_file_free(&g);
}

/* ---- winners --------------------------------------------------------------------------------- */

static void without_rows_nobody_won(void **state)
{
    (void)state;
    struct tuned_file g;
    tuned_file_init(&g);
    assert_winner(g.db, "");
    tuned_add(g.db, tuned_failure("a", TUNE_REFUSED));
    assert_winner(g.db, "");
    tuned_file_free(&g);
}

static void the_highest_rung_and_then_the_smallest_high_win(void **state)
{
    (void)state;
    struct tuned_file g;
    tuned_file_init(&g);
    tuned_add(g.db, tuned_row("a", 0, 0.50, 0.60));
    assert_winner(g.db, "a");
    tuned_add(g.db, tuned_row("b", 1, 0.80, 0.95));
    assert_winner(g.db, "b");
    tuned_add(g.db, tuned_row("c", 1, 0.89, 0.94));
    assert_winner(g.db, "c");
    tuned_add(g.db, tuned_row("bb", 1, 0.70, 0.94)); /* ties by text */
    assert_winner(g.db, "bb");
    struct tune_winner w = tuned_winner(g.db, &tuned_key);
    assert_same_real(w.low, 0.70);
    assert_same_real(w.high, 0.94);
    assert_string_equal(w.base, "base");
    assert_int_equal(w.rung, 1);
    tuned_file_free(&g);
}

static void a_plan_that_ever_failed_does_not_win(void **state)
{
    (void)state;
    struct tuned_file g;
    tuned_file_init(&g);
    tuned_add(g.db, tuned_row("slow", 1, 0.98, 0.99));
    for (int outcome = TUNE_WRONG; outcome <= TUNE_REFUSED; outcome++) {
        char plan[] = { (char)('a' + outcome), '\0' };
        tuned_add(g.db, tuned_row(plan, 2, 0.1, 0.2));
        assert_winner(g.db, plan);
        struct tune_row failure = tuned_failure(plan, (enum tune_outcome)outcome);
        failure.llvm = "another"; /* says nothing about this one */
        tuned_add(g.db, failure);
        assert_winner(g.db, plan);
        tuned_add(g.db, tuned_failure(plan, (enum tune_outcome)outcome));
        assert_winner(g.db, "slow");
    }
    tuned_file_free(&g);
}

static void what_is_not_really_faster_leaves_the_base(void **state)
{
    (void)state;
    struct tuned_file g;
    tuned_file_init(&g);
    tuned_add(g.db, tuned_row("a", 0, 0.80, 0.90));
    tuned_add(g.db, tuned_row("a", 1, 0.90, 1.0));
    assert_winner(g.db, "base");
    assert_same_real(tuned_winner(g.db, &tuned_key).ratio, 1);
    tuned_file_free(&g);
}

static int count_summary(void *data, const struct tune_summary *s)
{
    struct tune_summary *total = data;
    total->measurements += s->measurements;
    total->failures += s->failures;
    total->winner = s->winner;
    return 0;
}

static void a_summary_counts_a_subject(void **state)
{
    (void)state;
    struct tuned_file g;
    struct diag d = { 0 };
    struct tune_summary total = { 0 };
    tuned_file_init(&g);
    tuned_add(g.db, tuned_row("a", 0, 0.80, 0.90));
    tuned_add(g.db, tuned_row("b", 0, 0.80, 0.85));
    tuned_add(g.db, tuned_failure("c", TUNE_HUNG));
    assert_int_equal(tune_db_summaries(g.db, &tuned_key, count_summary, &total, &d), CONVC_OK);
    assert_int_equal(total.measurements, 3);
    assert_int_equal(total.failures, 1);
    assert_string_equal(total.winner.plan, "b");
    tuned_file_free(&g);
}

/* ---- processes ------------------------------------------------------------------------------- */

static void a_child_of_a_fork_goes_on_with_it(void **state)
{
    (void)state;
    struct tuned_file g;
    int status;
    tuned_file_init(&g);
    tuned_add(g.db, tuned_row("a", 0, 0.80, 0.90));
    assert_winner(g.db, "a");
    pid_t child = fork();
    if (child == 0) {
        alarm(60);
        assert_winner(g.db, "a");
        tuned_add(g.db, tuned_row("b", 0, 0.80, 0.85));
        _exit(0);
    }
    tuned_add(g.db, tuned_row("c", 0, 0.80, 0.95));
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    assert_winner(g.db, "b");
    assert_int_equal(tuned_rows(g.db, &everything, 0).count, 3);
    tuned_file_free(&g);
}

enum { THREADS = 4, ADDED = 10 };

static void *add_many(void *data)
{
    struct tune_db *db = data;
    for (int i = 0; i < ADDED; i++) {
        tuned_add(db, tuned_row("a", 0, 0.80, 0.90));
        tuned_winner(db, &tuned_key);
    }
    return NULL;
}

static void threads_share_a_database(void **state)
{
    (void)state;
    struct tuned_file g;
    pthread_t thread[THREADS];
    tuned_file_init(&g);
    struct tune_db *other = tuned_open(g.path, true); /* half of them have one of their own */
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, add_many, i % 2 ? other : g.db), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(thread[i], NULL);
    assert_int_equal(tuned_rows(g.db, &everything, 0).count, THREADS * ADDED);
    tune_db_close(other);
    tuned_file_free(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_row_comes_back_as_it_was_added),
        cmocka_unit_test(an_id_and_a_time_are_drawn_and_give_an_order),
        cmocka_unit_test(a_row_is_added_once),
        cmocka_unit_test(a_key_without_a_name_is_any),
        cmocka_unit_test(a_row_that_cannot_be_is_refused),
        cmocka_unit_test(without_rows_nobody_won),
        cmocka_unit_test(the_highest_rung_and_then_the_smallest_high_win),
        cmocka_unit_test(a_plan_that_ever_failed_does_not_win),
        cmocka_unit_test(what_is_not_really_faster_leaves_the_base),
        cmocka_unit_test(a_summary_counts_a_subject),
        cmocka_unit_test(a_child_of_a_fork_goes_on_with_it),
        cmocka_unit_test(threads_share_a_database),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
