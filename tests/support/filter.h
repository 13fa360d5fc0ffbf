/* filter: random problems for stencils, windows and filters over bytes, whose results can be
 * demanded exactly. Stands on: support, the command line's random problems.
 */
#ifndef TESTS_SUPPORT_FILTER_H
#define TESTS_SUPPORT_FILTER_H

#include "runtime/cli/random.h"
#include "tests/support/support.h"

#include <math.h>

struct filter_room {
    double weights[RANDOM_WEIGHTS];
    struct random_texts texts;
};

/* A filter over bytes, of weights that are a few bits long or not. */
static inline void draw_bytes(uint64_t seed, struct convc_problem *p, double *weights)
{
    struct test_random r = { seed };
    double unit = test_random_in(&r, 0, 1) ? 8 : 7;
    convc_problem_init(p);
    p->layout = (enum convc_layout)test_random_in(&r, 0, 1);
    p->ic = p->oc = p->groups = test_random_in(&r, 1, 3);
    p->src_dtype = p->dst_dtype = CONVC_U8;
    p->padding_mode = (enum convc_padding_mode)test_random_in(&r, 0, CONVC_PAD_CIRCULAR);
    for (int a = CONVC_H; a <= CONVC_W; a++) {
        p->kernel[a] = test_random_in(&r, 1, 5);
        p->in[a] = test_random_in(&r, a == CONVC_W ? 16 : 5, a == CONVC_W ? 150 : 12);
        p->pad_begin[a] = test_random_in(&r, 0, p->kernel[a] - 1);
        p->pad_end[a] = test_random_in(&r, 0, p->kernel[a] - 1);
    }
    int64_t count = p->kernel[CONVC_H] * p->kernel[CONVC_W];
    for (int64_t i = 0; i < count * p->ic; i++)
        weights[i] = i < count ? (double)test_random_in(&r, 0, 5) / unit : weights[i - count];
    p->weights = weights;
}

/* Gives a problem constant weights, of few bits as all values are that have to agree exactly, or
 * functions without arguments of their own. They lie in `room`. */
static inline void draw_filter(uint64_t seed, struct convc_problem *p, struct filter_room *room)
{
    if (seed % 4 == 1) {
        draw_bytes(seed, p, room->weights);
        return;
    }
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
