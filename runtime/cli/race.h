/* race: times several things turn by turn, because the clock of a machine comes and goes.
 *
 * A round gives every racer one turn of some milliseconds, in which it repeats its work and notes
 * the fastest run; what another racer left in the caches is over by then, and turns begin when the
 * threads of other racers have gone to sleep. Noise only ever adds time, so the fastest run of all
 * turns is what a racer can do; the quotients of two racers round by round show whether the machine
 * was the same for both.
 */
#ifndef CLI_RACE_H
#define CLI_RACE_H

#include "runtime/cli/failure.h"

enum { RACE_ROUNDS = 10 };

struct racer {
    /* Works for about `seconds`, at least twice; *fastest is the time of its fastest run. */
    enum exit_code (*turn)(void *argument, double seconds, double *fastest, struct failure *f);
    void *argument;
    double seconds; /* of all its turns together */

    double round[RACE_ROUNDS]; /* the fastest run of each turn */
    double fastest;            /* of all */
};

/* Runs the rounds; *rounds, which may be NULL, tells how many: fewer than RACE_ROUNDS, but three,
 * where single runs are much longer than a turn. */
enum exit_code race_run(struct racer *racer, int count, int *rounds, struct failure *f);

/* Waits until no thread of this process works any more. */
void race_settle(void);

/* A turn for work that is one call. Runs of a few microseconds are timed several at a time. */
enum exit_code race_turn(enum exit_code (*work)(void *argument, struct failure *f), void *argument,
                         double seconds, double *fastest, struct failure *f);

/* The middle of `count` values, which it sorts. */
double race_median(double *value, int count);

#endif
