#include "runtime/cli/race.h"

#include "runtime/cli/execution.h"

#include <math.h>
#include <stdlib.h>
#include <time.h>

static const int rounds_least = 3;

/* Longer than this many times its seconds, a race ends early. */
static const double patience = 4;

static double cpu_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Idle threads of a pool spin for up to 15 ms before they sleep (pthreadpool; OpenMP's 5 ms), and
 * longer where they have to share a core: a whole turn of the next racer, which would find a core
 * taken. */
void race_settle(void)
{
    const struct timespec nap = { 0, 1000 * 1000 };
    for (int naps = 0; naps < 100; naps++) {
        double work = cpu_seconds(), begin = seconds_now();
        nanosleep(&nap, NULL);
        if (cpu_seconds() - work < 0.1 * (seconds_now() - begin))
            return;
    }
}

enum exit_code race_run(struct racer *racer, int count, int *rounds, struct failure *f)
{
    enum exit_code code = EXIT_FINE;
    double begin = seconds_now(), enough = 0;
    int round = 0;
    for (int i = 0; i < count; i++) {
        racer[i].fastest = INFINITY;
        enough += patience * racer[i].seconds;
    }
    while (code == EXIT_FINE && round < RACE_ROUNDS &&
           (round < rounds_least || seconds_now() - begin < enough)) {
        for (int i = 0; code == EXIT_FINE && i < count; i++) {
            struct racer *r = &racer[i];
            race_settle();
            code = r->turn(r->argument, r->seconds / RACE_ROUNDS, &r->round[round], f);
            r->fastest = fmin(r->fastest, r->round[round]);
        }
        round++;
    }
    if (rounds)
        *rounds = round;
    return code;
}

enum exit_code race_turn(enum exit_code (*work)(void *argument, struct failure *f), void *argument,
                         double seconds, double *fastest, struct failure *f)
{
    double begin = seconds_now();
    enum exit_code code = work(argument, f);
    double now = seconds_now(), once = now - begin, end = now + seconds;
    int repeat = once < 20e-6 ? (int)(20e-6 / (once + 1e-7)) + 1 : 1;
    *fastest = once;
    do {
        for (int i = 0; code == EXIT_FINE && i < repeat; i++)
            code = work(argument, f);
        double then = now;
        now = seconds_now();
        *fastest = fmin(*fastest, (now - then) / repeat);
    } while (code == EXIT_FINE && now < end);
    return code;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double race_median(double *value, int count)
{
    qsort(value, (size_t)count, sizeof *value, by_value);
    return value[count / 2];
}
