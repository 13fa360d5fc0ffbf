/* Tuning databases that travel: merging is the union of sets, and what is exported comes back. */
#include "tests/support/support.h"
#include "tests/support/tuned.h"

#include <locale.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct tune_key everything;

/* ---- the ground ------------------------------------------------------------------------------ */

enum { SETS = 3, ROWS = 12 };

/* Three databases whose rows overlap, and room for more. */
struct ground {
    struct test_dir dir;
    struct tune_db *set[SETS];
    struct test_random random;
    int made;
};

static struct tune_db *fresh(struct ground *g)
{
    char name[32], path[600];
    snprintf(name, sizeof name, "%d.db", g->made++);
    return tuned_open(test_dir_path(&g->dir, name, path, sizeof path), true);
}

static double real_in(struct test_random *r)
{
    return 0.5 + (double)(test_random_bits(r) >> 11) * 0x1p-53;
}

static void add_random(struct ground *g, uint64_t sets)
{
    struct test_random *r = &g->random;
    char problem[16], plan[16];
    double low = real_in(r);
    struct tune_row row = tuned_row("", (int32_t)test_random_in(r, 0, 2), low, low + real_in(r));
    snprintf(problem, sizeof problem, "p\"%d", (int)test_random_in(r, 0, 3));
    snprintf(plan, sizeof plan, "plan\\%d", (int)test_random_in(r, 0, 4));
    row.problem = problem, row.plan = plan;
    row.seconds = real_in(r) * 1e-6;
    row.outcome = test_random_in(r, 0, 3) ? TUNE_MEASURED : TUNE_HUNG;
    row.at = test_random_in(r, 1000, 1003);
    for (int i = 0; i < 16; i++)
        row.id.bytes[i] = (unsigned char)test_random_bits(r);
    for (int i = 0; i < SETS; i++) {
        if (sets >> i & 1)
            tuned_add(g->set[i], row);
    }
}

static void ground_init(struct ground *g, uint64_t seed)
{
    *g = (struct ground){ .random = { seed } };
    test_dir_create(&g->dir);
    for (int i = 0; i < SETS; i++)
        g->set[i] = fresh(g);
    for (int i = 0; i < ROWS; i++)
        add_random(g, test_random_bits(&g->random) % 7 + 1);
}

static void ground_free(struct ground *g)
{
    for (int i = 0; i < SETS; i++)
        tune_db_close(g->set[i]);
    test_dir_remove(&g->dir);
}

static int64_t merge(struct tune_db *into, struct tune_db *from)
{
    struct diag d = { 0 };
    int64_t added = -1;
    tune_db_merge(into, from, &added, &d);
    assert_string_equal(d.text, "");
    return added;
}

static int64_t count_lines(const char *text)
{
    int64_t n = 0;
    for (; *text; text++)
        n += *text == '\n';
    return n;
}

static void assert_equal_content(struct tune_db *a, struct tune_db *b)
{
    char *x = tuned_lines(a), *y = tuned_lines(b);
    assert_string_equal(x, y);
    free(x);
    free(y);
}

/* ---- the laws -------------------------------------------------------------------------------- */

static void merging_is_the_union_of_sets(void **state)
{
    (void)state;
    uint64_t seed = test_seed("test_tune_db_merge", 1);
    for (int64_t round = test_count(3); round > 0; round--) {
        struct ground g;
        ground_init(&g, seed++);
        struct tune_db *left = fresh(&g), *right = fresh(&g), *inner = fresh(&g);
        merge(left, g.set[0]); /* (A + B) + C */
        merge(left, g.set[1]);
        merge(left, g.set[2]);
        merge(inner, g.set[2]); /* (C + B) + A */
        merge(inner, g.set[1]);
        merge(right, inner);
        merge(right, g.set[0]);
        assert_equal_content(left, right);
        assert_int_equal(merge(left, right), 0); /* A + A */
        assert_int_equal(merge(left, left), 0);
        assert_equal_content(left, right);
        char *all = tuned_lines(left);
        assert_int_equal(count_lines(all), ROWS);
        free(all);
        tune_db_close(left);
        tune_db_close(right);
        tune_db_close(inner);
        ground_free(&g);
    }
}

static void a_merge_counts_what_was_not_there(void **state)
{
    (void)state;
    struct ground g;
    ground_init(&g, 5);
    char *before = tuned_lines(g.set[0]);
    int64_t added = merge(g.set[0], g.set[1]);
    char *after = tuned_lines(g.set[0]);
    assert_int_equal(count_lines(after) - count_lines(before), added);
    free(before);
    free(after);
    ground_free(&g);
}

static void rows_that_contradict_are_refused_with_all_others(void **state)
{
    (void)state;
    struct ground g;
    struct diag d = { 0 };
    int64_t added;
    struct tune_row r = tuned_row("a", 0, 0.8, 0.9);
    ground_init(&g, 7);
    r.id.bytes[0] = 1;
    tuned_add(g.set[0], r);
    r.high = 0.95;
    tuned_add(g.set[1], r);
    char *before = tuned_lines(g.set[0]);
    assert_int_equal(tune_db_merge(g.set[0], g.set[1], &added, &d), CONVC_ERR_ARGUMENT);
    assert_non_null(strstr(d.text, "with other values"));
    assert_int_equal(added, 0);
    char *after = tuned_lines(g.set[0]);
    assert_string_equal(before, after);
    free(before);
    free(after);
    ground_free(&g);
}

/* ---- text ------------------------------------------------------------------------------------ */

static enum convc_status import(struct tune_db *db, const char *text, int64_t *added,
                                struct diag *d)
{
    FILE *f = fmemopen((void *)(uintptr_t)text, strlen(text), "r");
    assert_non_null(f);
    enum convc_status st = tune_db_import(db, f, "rows", added, d);
    fclose(f);
    return st;
}

static void what_is_exported_comes_back(void **state)
{
    (void)state;
    struct ground g;
    struct diag d = { 0 };
    int64_t added;
    ground_init(&g, 9);
    struct tune_db *back = fresh(&g);
    char *text = tuned_lines(g.set[0]);
    setlocale(LC_ALL, "de_DE.UTF-8"); /* where there is one: numbers have commas there */
    assert_int_equal(import(back, text, &added, &d), CONVC_OK);
    assert_int_equal(added, count_lines(text));
    assert_equal_content(g.set[0], back);
    assert_int_equal(import(back, text, &added, &d), CONVC_OK);
    setlocale(LC_ALL, "C");
    assert_int_equal(added, 0);
    assert_int_equal(merge(back, g.set[0]), 0); /* to the last bit */
    tune_db_close(back);
    free(text);
    ground_free(&g);
}

#define GOOD                                                                                       \
    "{\"id\":\"00112233445566778899aabbccddeeff\",\"problem\":\"p\",\"target\":\"t\","             \
    "\"convc\":\"c\",\"llvm\":\"l\",\"plan\":\"a\",\"base\":\"b\",\"outcome\":\"measured\","       \
    "\"rung\":0,\"rounds\":5,\"ratio\":0.9,\"low\":0.8,\"high\":0.95,\"at\":7"

static void a_line_may_have_less_and_more(void **state)
{
    (void)state;
    struct ground g;
    struct diag d = { 0 };
    int64_t added;
    ground_init(&g, 11);
    struct tune_db *db = fresh(&g);
    import(db, "\n" GOOD ",\"of_later\":[1,{\"x\":2}]}\n\n", &added, &d);
    assert_string_equal(d.text, "");
    assert_int_equal(added, 1);
    char *line = tuned_lines(db);
    assert_non_null(strstr(line, "\"note\":\"\""));
    assert_non_null(strstr(line, "\"seconds\":null"));
    free(line);
    tune_db_close(db);
    ground_free(&g);
}

static void a_bad_line_is_told_and_nothing_is_added(void **state)
{
    (void)state;
    static const struct {
        const char *line, *says;
    } bad[] = {
        { "frobnicate", "rows:2: this is no JSON object" },
        { "[1, 2]", "rows:2: this is no JSON object" },
        { "{\"problem\":\"p\"", "rows:2: this is no JSON object" },
        { "{\"problem\":\"p\"}", "rows:2: id= is not 32 hexadecimal digits" },
        { "{\"id\":\"00112233445566778899aabbccddeefg\"}", "is not 32 hexadecimal digits" },
        { GOOD ",\"outcome\":\"lost\"}", NULL }, /* said twice: the first counts, or the last */
        { "{\"id\":\"00112233445566778899aabbccddeeff\",\"rung\":0,\"rounds\":1,\"at\":1,"
          "\"outcome\":\"lost\"}",
          "rows:2: outcome=lost is not measured, wrong" },
        { "{\"id\":\"00112233445566778899aabbccddeeff\",\"rung\":0.5}",
          "rows:2: rung=0.5 is not a whole number" },
        { "{\"id\":\"00112233445566778899aabbccddeeff\",\"rung\":9999999999}",
          "rows:2: rung=9999999999 is not a whole number" },
        { "{\"id\":\"00112233445566778899aabbccddeeff\",\"rung\":1,\"rounds\":1,\"ratio\":\"x\"}",
          "rows:2: ratio=\"x\" is not a number or null" },
        { "{\"id\":\"00112233445566778899aabbccddeeff\",\"rung\":1,\"rounds\":1,\"ratio\":9e999}",
          "rows:2: ratio=9e999 is not a number or null" },
        { "{\"id\":\"00112233445566778899aabbccddeeff\",\"rung\":1,\"rounds\":1,\"at\":1,"
          "\"outcome\":\"hung\"}",
          "rows:2: problem of a measurement is not 1 to" },
        { "{\"id\":\"00112233445566778899aabbccddeeff\",\"problem\":\"p\\n\",\"rung\":1,"
          "\"rounds\":1,\"at\":1,\"outcome\":\"hung\"}",
          "rows:2: problem of a measurement is not 1 to" },
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct ground g;
        struct diag d = { 0 };
        char text[2048];
        int64_t added;
        ground_init(&g, 13);
        char *before = tuned_lines(g.set[0]);
        snprintf(text, sizeof text, GOOD "}\n%s\n", bad[i].line);
        enum convc_status st = import(g.set[0], text, &added, &d);
        assert_int_equal(st, bad[i].says ? CONVC_ERR_ARGUMENT : st);
        if (bad[i].says && !strstr(d.text, bad[i].says))
            fail_msg("'%s' does not say '%s'", d.text, bad[i].says);
        char *after = tuned_lines(g.set[0]);
        if (st != CONVC_OK)
            assert_string_equal(before, after);
        free(before);
        free(after);
        ground_free(&g);
    }
}

static void what_cannot_be_written_is_told(void **state)
{
    (void)state;
    struct ground g;
    struct diag d = { 0 };
    ground_init(&g, 15);
    FILE *full = fopen("/dev/full", "w");
    assert_non_null(full);
    setvbuf(full, NULL, _IONBF, 0);
    assert_int_equal(tune_db_export(g.set[0], &everything, full, &d), CONVC_ERR_IO);
    assert_non_null(strstr(d.text, "cannot be written"));
    fclose(full);
    ground_free(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(merging_is_the_union_of_sets),
        cmocka_unit_test(a_merge_counts_what_was_not_there),
        cmocka_unit_test(rows_that_contradict_are_refused_with_all_others),
        cmocka_unit_test(what_is_exported_comes_back),
        cmocka_unit_test(a_line_may_have_less_and_more),
        cmocka_unit_test(a_bad_line_is_told_and_nothing_is_added),
        cmocka_unit_test(what_cannot_be_written_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
