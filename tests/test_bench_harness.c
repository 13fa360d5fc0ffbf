/* The harness: what a turn runs, and what its figure is of. Clocks decide nothing here but what a
 * nap guarantees: that it is not shorter. */
#include "bench/harness.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <time.h>

#include <cmocka.h>

struct work {
    int runs;
    double nap; /* seconds of a run */
};

static void work(void *argument)
{
    struct work *w = argument;
    const struct timespec nap = { 0, (long)(w->nap * 1e9) };
    w->runs++;
    if (w->nap > 0)
        nanosleep(&nap, NULL);
}

static void a_turn_runs_once_more_than_it_times(void **state)
{
    static const int64_t counts[] = { 1, 2, 1000 };
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        struct work w = { 0 };
        double seconds = bench_turn(work, &w, counts[i]);
        assert_true(isfinite(seconds) && seconds >= 0);
        assert_int_equal(w.runs, counts[i] + 1);
    }
}

static void the_figure_is_of_one_run(void **state)
{
    struct work w = { .nap = 2e-3 };
    double begin = (double)time(NULL), seconds = bench_turn(work, &w, 5);
    assert_true(seconds >= 2e-3);
    assert_true(5 * seconds <= (double)time(NULL) - begin + 2); /* time() counts whole seconds */
}

static void ignored(struct bench_state *s, void *argument)
{
    *(int *)argument = 1;
    while (bench_next(s))
        ;
}

static void a_turn_runs_nothing_else(void **state)
{
    int ran = 0;
    struct work w = { 0 };
    bench_register("turner", ignored, &ran);
    bench_turn(work, &w, 3);
    bench_turn(work, &w, 3);
    assert_int_equal(w.runs, 8);
    assert_int_equal(ran, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_turn_runs_once_more_than_it_times),
        cmocka_unit_test(the_figure_is_of_one_run),
        cmocka_unit_test(a_turn_runs_nothing_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
