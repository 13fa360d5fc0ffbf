/* A context with a tuning database: the plan that won is used where it fits, and nothing that is
 * wrong with the database harms a compile.
 */
#include "gen/out/object.h"
#include "gen/plan/choose.h"
#include "runtime/context.h"
#include "tests/support/layer.h"
#include "tests/support/named.h"
#include "tests/support/support.h"
#include "tests/support/tuned.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* ---- the ground ------------------------------------------------------------------------------ */

/* A layer, a database, and what rows about the layer on this machine are of. */
struct ground {
    struct test_dir dir;
    char path[600];
    struct tune_db *db;
    struct layer l;
    struct problem problem;
    struct target target;
    struct text line;
    char machine[TARGET_TEXT_MAX];
    char chosen[PLAN_TEXT_MAX], other[PLAN_TEXT_MAX]; /* by the cost model: its best, its last */
};

static void ground_init(struct ground *g)
{
    struct diag d = { 0 };
    struct arena a = { 0 };
    struct candidates c;
    *g = (struct ground){ .line = { 0 } };
    test_dir_create(&g->dir);
    test_dir_path(&g->dir, "tuned.db", g->path, sizeof g->path);
    g->db = tuned_open(g->path, true);
    layer_make(&g->l, 8, 24, 5, 6, 2);
    assert_int_equal(problem_resolve(&g->l.p, &g->problem, &d), CONVC_OK);
    target_host(&g->target);
    target_print(&g->target, g->machine, sizeof g->machine);
    tune_db_problem(&g->problem, &g->line);
    assert_int_equal(choose_plans(&a, &g->problem, &g->target, &c, &d), CONVC_OK);
    plan_print(&c.list[0].plan, g->chosen);
    plan_print(&c.list[c.count - 1].plan, g->other);
    assert_string_not_equal(g->chosen, g->other);
    arena_free(&a);
}

static void ground_free(struct ground *g)
{
    tune_db_close(g->db);
    text_free(&g->line);
    layer_free(&g->l);
    test_dir_remove(&g->dir);
}

/* A row that makes `plan` win, for who has these versions. */
static struct tune_row row_of(const struct ground *g, const char *plan)
{
    struct tune_row r = tuned_row(plan, 0, 0.5, 0.6);
    r.problem = g->line.data;
    r.target = g->machine;
    r.convc = tune_db_convc();
    r.llvm = object_llvm_version();
    r.base = g->chosen;
    return r;
}

static enum convc_status create(const char *db, int32_t flags, convc_context **cx)
{
    const struct convc_context_options opt = { .struct_bytes = sizeof opt,
                                               .threads = 1,
                                               .flags = CONVC_NO_DISK_CACHE | flags,
                                               .tuning_db = db };
    return convc_context_create(&opt, cx);
}

static convc_context *make_context(const char *db, int32_t flags)
{
    convc_context *cx = NULL;
    assert_int_equal(create(db, flags, &cx), CONVC_OK);
    return cx;
}

/* The kernel of the layer computes it, and has this plan by this choice. */
static void assert_compiled(struct ground *g, convc_context *cx, const char *plan,
                            enum convc_plan_source by)
{
    struct convc_kernel_info info = { .struct_bytes = sizeof info };
    convc_kernel *k = layer_compile(cx, &g->l, NULL);
    assert_int_equal(convc_kernel_info(k, &info), CONVC_OK);
    assert_string_equal(info.plan, plan);
    assert_int_equal(info.plan_source, by);
    layer_check(&g->l, k);
    convc_kernel_release(k);
}

/* What a fresh context makes of the database. */
static void assert_leads_to(struct ground *g, const char *plan, enum convc_plan_source by)
{
    convc_context *cx = make_context(g->path, 0);
    assert_compiled(g, cx, plan, by);
    convc_context_destroy(cx);
}

/* ---- tests ----------------------------------------------------------------------------------- */

static void the_plan_that_won_is_used(void **state)
{
    (void)state;
    struct ground g;
    ground_init(&g);
    assert_leads_to(&g, g.chosen, CONVC_PLAN_MODELLED);
    tuned_add(g.db, row_of(&g, g.other));
    assert_leads_to(&g, g.other, CONVC_PLAN_TUNED);
    ground_free(&g);
}

static void neither_batch_nor_name_matter(void **state)
{
    (void)state;
    struct ground g;
    ground_init(&g);
    tuned_add(g.db, row_of(&g, g.other));
    g.l.p.n = 17;
    strcpy(g.l.p.name, "stem");
    convc_context *cx = make_context(g.path, 0);
    convc_kernel *k = layer_compile(cx, &g.l, NULL);
    struct convc_kernel_info info = { .struct_bytes = sizeof info };
    convc_kernel_info(k, &info);
    assert_string_equal(info.plan, g.other);
    convc_kernel_release(k);
    convc_context_destroy(cx);
    ground_free(&g);
}

static void what_others_measured_does_not_count(void **state)
{
    (void)state;
    struct ground g;
    ground_init(&g);
    struct tune_row r[4];
    for (int i = 0; i < 4; i++)
        r[i] = row_of(&g, g.other);
    r[0].problem = "g1mb1ic3ih3iw3oc3oh1ow1kh3kw3sh1sw1dh0dw0ph0pw0";
    r[1].target = "x86_64-pc-linux-gnu:i486";
    r[2].convc = "0.0.9";
    r[3].llvm = "18.1.8";
    for (int i = 0; i < 4; i++)
        tuned_add(g.db, r[i]);
    assert_leads_to(&g, g.chosen, CONVC_PLAN_MODELLED);
    ground_free(&g);
}

static void the_vendor_of_a_triple_does_not_matter(void **state)
{
    (void)state;
    struct ground g;
    char other[TARGET_TEXT_MAX];
    ground_init(&g);
    const char *rest = strchr(g.machine, '-') + 1;
    bool pc = !strncmp(rest, "pc-", 3);
    if (!strncmp(g.machine, "x86_64-", 7) && (pc || !strncmp(rest, "unknown-", 8))) {
        snprintf(other, sizeof other, "x86_64-%s%.600s", pc ? "unknown" : "pc", strchr(rest, '-'));
        struct tune_row r = row_of(&g, g.other);
        r.target = other;
        tuned_add(g.db, r);
        assert_leads_to(&g, g.other, CONVC_PLAN_TUNED);
    }
    ground_free(&g);
}

static void a_winner_that_does_not_fit_leaves_it_to_the_model(void **state)
{
    (void)state;
    static const char *const forged[] = {
        "frobnicate",
        "direct lanes=oc tile=1x14x2 frob=1",
        "direct tile=99999x99999x99999",
        "direct lanes=groups tile=3x7x5",
        "winograd f=6x6 tile=1x1",
        "stencil tile=4x2 strip=32",
        "direct tile=1x14x2 tile=1x14x2 tile=1x14x2 tile=1x14x2 tile=1x14x2 tile=1x14x2 split=7",
    };
    for (size_t i = 0; i < sizeof forged / sizeof *forged; i++) {
        struct ground g;
        ground_init(&g);
        tuned_add(g.db, row_of(&g, forged[i]));
        assert_leads_to(&g, g.chosen, CONVC_PLAN_MODELLED);
        ground_free(&g);
    }
}

static void a_winner_keeps_within_the_tolerance(void **state)
{
    (void)state;
    struct ground g;
    char plan[] = "winograd f=6x6 block=28 tile=7x1";
    ground_init(&g);
    struct plan parsed = plan_named(plan);
    struct diag d = { 0 };
    /* It can be forced on the problem, but is not within its error. */
    assert_int_equal(plan_check(&parsed, &g.problem, &g.target, &d), CONVC_OK);
    assert_false(plan_admitted(&parsed, &g.problem));
    tuned_add(g.db, row_of(&g, plan));
    assert_leads_to(&g, g.chosen, CONVC_PLAN_MODELLED);
    ground_free(&g);
}

static void a_plan_of_the_caller_goes_before(void **state)
{
    (void)state;
    struct ground g;
    ground_init(&g);
    tuned_add(g.db, row_of(&g, g.other));
    convc_context *cx = make_context(g.path, 0);
    const struct convc_compile_options opt = { .struct_bytes = sizeof opt, .plan = g.chosen };
    convc_kernel *k = layer_compile(cx, &g.l, &opt);
    struct convc_kernel_info info = { .struct_bytes = sizeof info };
    convc_kernel_info(k, &info);
    assert_string_equal(info.plan, g.chosen);
    assert_int_equal(info.plan_source, CONVC_PLAN_FORCED);
    convc_kernel_release(k);
    convc_context_destroy(cx);
    ground_free(&g);
}

static void what_is_added_counts_once_the_context_is_told(void **state)
{
    (void)state;
    struct ground g;
    struct diag d = { 0 };
    ground_init(&g);
    convc_context *cx = make_context(g.path, 0);
    assert_compiled(&g, cx, g.chosen, CONVC_PLAN_MODELLED);
    tuned_add(g.db, row_of(&g, g.other));
    assert_compiled(&g, cx, g.chosen, CONVC_PLAN_MODELLED); /* from memory */
    assert_int_equal(tuning_renew(&cx->tuning, &d), CONVC_OK);
    assert_compiled(&g, cx, g.other, CONVC_PLAN_TUNED);
    convc_context_destroy(cx);
    ground_free(&g);
}

static void a_database_may_come_later_where_that_is_said(void **state)
{
    (void)state;
    struct ground g;
    struct diag d = { 0 };
    convc_context *cx;
    char path[600];
    ground_init(&g);
    test_dir_path(&g.dir, "later.db", path, sizeof path);
    assert_int_equal(create(path, 0, &cx), CONVC_ERR_IO);
    assert_non_null(strstr(convc_last_error(), "later.db: No such file"));
    cx = make_context(path, CONVC_NEW_TUNING_DB);
    assert_compiled(&g, cx, g.chosen, CONVC_PLAN_MODELLED);
    struct tune_db *later = tuned_open(path, true);
    tuned_add(later, row_of(&g, g.other));
    assert_int_equal(tuning_renew(&cx->tuning, &d), CONVC_OK);
    assert_compiled(&g, cx, g.other, CONVC_PLAN_TUNED);
    tune_db_close(later);
    convc_context_destroy(cx);
    test_file_write(path, "no database", 11);
    assert_int_equal(create(path, CONVC_NEW_TUNING_DB, &cx), CONVC_ERR_ARGUMENT);
    assert_non_null(strstr(convc_last_error(), "is no tuning database"));
    ground_free(&g);
}

static void a_database_whose_making_was_cut_short_is_absent(void **state)
{
    (void)state;
    struct ground g;
    convc_context *cx;
    char path[600];
    ground_init(&g);
    test_dir_path(&g.dir, "short.db", path, sizeof path);
    tuned_cut_short(path);
    assert_int_equal(create(path, 0, &cx), CONVC_ERR_ARGUMENT);
    assert_non_null(strstr(convc_last_error(), "it is empty"));
    for (int i = 0; i < 2; i++) { /* as it is found, and once it has been looked into */
        if (i == 0) {
            assert_int_equal(unlink(path), 0);
            tuned_cut_short(path);
        }
        cx = make_context(path, CONVC_NEW_TUNING_DB);
        assert_compiled(&g, cx, g.chosen, CONVC_PLAN_MODELLED);
        convc_context_destroy(cx);
    }
    tuned_cut_short(path);
    tune_db_close(tuned_open(path, true)); /* who writes begins anew */
    ground_free(&g);
}

static void a_database_that_is_harmed_later_is_done_without(void **state)
{
    (void)state;
    struct ground g;
    ground_init(&g);
    tuned_add(g.db, row_of(&g, g.other));
    convc_context *cx = make_context(g.path, 0);
    char noise[20000];
    memset(noise, 0x5a, sizeof noise);
    test_file_write(g.path, noise, sizeof noise);
    assert_compiled(&g, cx, g.chosen, CONVC_PLAN_MODELLED);
    convc_context_destroy(cx);
    ground_free(&g);
}

static void explain_tells_what_was_measured(void **state)
{
    (void)state;
    struct ground g;
    char *text;
    ground_init(&g);
    tuned_add(g.db, row_of(&g, g.other));
    convc_context *cx = make_context(g.path, 0);
    assert_int_equal(convc_explain(cx, &g.l.p, NULL, CONVC_SHOW_PLAN, &text), CONVC_OK);
    assert_non_null(strstr(text, g.other));
    assert_non_null(strstr(text, "by the tuning database: 0.550 of the time"));
    assert_non_null(strstr(text, "(0.500 to 0.600, 95 %)"));
    convc_text_free(text);
    assert_int_equal(convc_explain(cx, &g.l.p, g.chosen, CONVC_SHOW_PLAN, &text), CONVC_OK);
    assert_null(strstr(text, "tuning database"));
    convc_text_free(text);
    struct tune_row r = row_of(&g, g.other);
    r.rung = 1, r.high = 1.2, r.ratio = 1.1;
    tuned_add(g.db, r);
    assert_int_equal(convc_explain(cx, &g.l.p, NULL, CONVC_SHOW_PLAN, &text), CONVC_OK);
    assert_non_null(strstr(text, "nothing was really faster"));
    convc_text_free(text);
    convc_context_destroy(cx);
    ground_free(&g);
}

static void a_child_of_a_fork_looks_up_too(void **state)
{
    (void)state;
    struct ground g;
    int status;
    ground_init(&g);
    tuned_add(g.db, row_of(&g, g.other));
    convc_context *cx = make_context(g.path, 0);
    pid_t child = fork();
    if (child == 0) {
        alarm(60);
        assert_compiled(&g, cx, g.other, CONVC_PLAN_TUNED);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    assert_compiled(&g, cx, g.other, CONVC_PLAN_TUNED);
    convc_context_destroy(cx);
    ground_free(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_plan_that_won_is_used),
        cmocka_unit_test(neither_batch_nor_name_matter),
        cmocka_unit_test(what_others_measured_does_not_count),
        cmocka_unit_test(the_vendor_of_a_triple_does_not_matter),
        cmocka_unit_test(a_winner_that_does_not_fit_leaves_it_to_the_model),
        cmocka_unit_test(a_winner_keeps_within_the_tolerance),
        cmocka_unit_test(a_plan_of_the_caller_goes_before),
        cmocka_unit_test(what_is_added_counts_once_the_context_is_told),
        cmocka_unit_test(a_database_may_come_later_where_that_is_said),
        cmocka_unit_test(a_database_whose_making_was_cut_short_is_absent),
        cmocka_unit_test(a_database_that_is_harmed_later_is_done_without),
        cmocka_unit_test(explain_tells_what_was_measured),
        cmocka_unit_test(a_child_of_a_fork_looks_up_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
