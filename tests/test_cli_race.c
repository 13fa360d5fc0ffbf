/* The race: who takes turns, for how long, and what is kept of it. Clocks decide nothing here: what
 * a turn took is what the test says that it took. */
#include "runtime/cli/race.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h> /* whose `fail` is a macro: ours is (fail) */

struct script {
    const double *fastest; /* what each turn tells */
    char *log;             /* a letter for each turn, shared */
    char letter;
    int turns, fails_at; /* 0: never */
    double nap;
};

static enum exit_code scripted(void *argument, double seconds, double *fastest, struct failure *f)
{
    struct script *s = argument;
    const struct timespec nap = { 0, (long)(s->nap * 1e9) };
    assert_true(seconds > 0);
    strncat(s->log, &s->letter, 1);
    nanosleep(&nap, NULL);
    *fastest = s->fastest[s->turns++ % 4];
    return s->turns == s->fails_at ? (fail)(f, EXIT_SYSTEM, "it broke") : EXIT_FINE;
}

static void racers_take_turns_and_keep_the_fastest(void **state)
{
    char log[64] = "";
    struct failure f = { 0 };
    struct script a = { .fastest = (double[]){ 4, 3, 5, 6 }, .log = log, .letter = 'a' };
    struct script b = { .fastest = (double[]){ 9, 8, 7, 9 }, .log = log, .letter = 'b' };
    struct racer racer[] = { { .turn = scripted, .argument = &a, .seconds = 1 },
                             { .turn = scripted, .argument = &b, .seconds = 1 } };
    int rounds = 0;
    assert_int_equal(race_run(racer, 2, &rounds, &f), EXIT_FINE);
    assert_int_equal(rounds, RACE_ROUNDS);
    assert_string_equal(log, "abababababababababab");
    assert_true(racer[0].fastest == 3 && racer[1].fastest == 7);
    assert_true(racer[0].round[2] == 5 && racer[1].round[3] == 9);
}

static void long_runs_end_a_race_after_three_rounds(void **state)
{
    char log[64] = "";
    struct failure f = { 0 };
    struct script a = {
        .fastest = (double[]){ 1, 1, 1, 1 }, .log = log, .letter = 'a', .nap = 0.02
    };
    struct racer racer[] = { { .turn = scripted, .argument = &a, .seconds = 1e-3 } };
    int rounds = 0;
    assert_int_equal(race_run(racer, 1, &rounds, &f), EXIT_FINE);
    assert_int_equal(rounds, 3);
    assert_string_equal(log, "aaa");
}

static void a_failure_ends_a_race(void **state)
{
    char log[64] = "";
    struct failure f = { 0 };
    struct script a = { .fastest = (double[]){ 1, 1, 1, 1 }, .log = log, .letter = 'a' };
    struct script b = a;
    b.letter = 'b', b.fails_at = 2;
    struct racer racer[] = { { .turn = scripted, .argument = &a, .seconds = 1 },
                             { .turn = scripted, .argument = &b, .seconds = 1 },
                             { .turn = scripted, .argument = &a, .seconds = 1 } };
    assert_int_equal(race_run(racer, 3, NULL, &f), EXIT_SYSTEM);
    assert_string_equal(log, "abaab");
    assert_string_equal(f.text, "it broke");
}

static enum exit_code count(void *argument, struct failure *f)
{
    int *left = argument;
    return --*left ? EXIT_FINE : (fail)(f, EXIT_SYSTEM, "enough");
}

static void a_turn_works_at_least_twice_and_stops_at_a_failure(void **state)
{
    struct failure f = { 0 };
    double fastest = -1;
    int left = 1 << 30;
    assert_int_equal(race_turn(count, &left, 0, &fastest, &f), EXIT_FINE);
    assert_true((1 << 30) - left >= 2);
    assert_true(fastest >= 0 && isfinite(fastest));
    left = 5;
    assert_int_equal(race_turn(count, &left, 60, &fastest, &f), EXIT_SYSTEM);
    assert_int_equal(left, 0);
}

static void the_median_is_the_middle(void **state)
{
    double odd[] = { 5, 1, 9 }, one[] = { 7 };
    assert_true(race_median(odd, 3) == 5);
    assert_true(race_median(one, 1) == 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(racers_take_turns_and_keep_the_fastest),
        cmocka_unit_test(long_runs_end_a_race_after_three_rounds),
        cmocka_unit_test(a_failure_ends_a_race),
        cmocka_unit_test(a_turn_works_at_least_twice_and_stops_at_a_failure),
        cmocka_unit_test(the_median_is_the_middle),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
