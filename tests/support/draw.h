/* draw: random numbers and random problems for tests. The same seed draws the same, everywhere. */
#ifndef TESTS_SUPPORT_DRAW_H
#define TESTS_SUPPORT_DRAW_H

#include "gen/problem/problem.h"

/* splitmix64 (Steele, Lea, Flood 2014). */
uint64_t draw_bits(uint64_t *seed);

/* From first to last, both included. */
int64_t draw_range(uint64_t *seed, int64_t first, int64_t last);

/* A small problem that leans to the edges: extents of 1, prime sizes, one channel, paddings larger
 * than the input, every mode, flag, dtype and layout, gaps between elements. It resolves. */
void draw_problem(uint64_t *seed, struct convc_problem *p);

#endif
