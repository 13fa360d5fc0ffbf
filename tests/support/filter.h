/* filter: random problems for stencils and windows, whose results can be demanded exactly.
 * Stands on: the command line's random problems.
 */
#ifndef TESTS_SUPPORT_FILTER_H
#define TESTS_SUPPORT_FILTER_H

#include "runtime/cli/random.h"

#include <math.h>

struct filter_room {
    double weights[RANDOM_WEIGHTS];
    struct random_texts texts;
};

/* Gives a problem constant weights, of few bits as all values are that have to agree exactly, or
 * functions without arguments of their own. They lie in `room`. */
static inline void draw_filter(uint64_t seed, struct convc_problem *p, struct filter_room *room)
{
    if (seed % 3) {
        random_constants(seed, p, room->weights);
        for (int i = 0; i < RANDOM_WEIGHTS; i++)
            room->weights[i] = nearbyint(room->weights[i] * 8) / 8;
        return;
    }
    random_functions(seed, p, &room->texts);
    p->epilogue = p->args = NULL;
}

#endif
