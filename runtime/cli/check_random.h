/* check_random: the random problems of `convc check`.
 *
 * Problem i of a seed is the same whatever is checked before it, so that a long run can be split
 * and resumed. It is checked on one target, and by one plan: for every second problem the best one,
 * else any that the compiler considers, each algorithm being as likely.
 *
 * A problem counts where zeros in the place of its outputs would have been noticed in at least one
 * of TELLING outputs. Others are checked too, but then another one is drawn in their place.
 * One that fails is shrunk, as long as not too many have been.
 */
#ifndef CLI_CHECK_RANDOM_H
#define CLI_CHECK_RANDOM_H

#include "runtime/cli/random.h"
#include "runtime/cli/trial.h"

#include <stdatomic.h>

enum { TELLING = 8 };

struct random_check {
    const struct options *o;
    convc_context *const *cx; /* one for each target */
    size_t cx_count;
    _Atomic int shrinks; /* that are left */
};

/* One problem that counts, or fails. */
struct drawn {
    struct convc_problem problem;
    struct random_texts texts;
    double weights[RANDOM_WEIGHTS];
    convc_context *cx;
    int64_t dull; /* problems before it that count for nothing */
    bool failed;
    char *lines; /* that repeat it; malloc'd */
    struct result result;
};

/* Draws and checks problem i. Codes other than EXIT_FINE mean that one could not be checked. Free
 * `d` with drawn_free, whatever the outcome. */
enum exit_code check_drawn(struct random_check *c, int64_t i, struct drawn *d, struct failure *f);
void drawn_free(struct drawn *d);

#endif
