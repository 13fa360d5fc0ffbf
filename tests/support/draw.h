/* draw: random problems for tests. The same seed draws the same problem, everywhere.
 * Stands on: support, problem.
 */
#ifndef TESTS_SUPPORT_DRAW_H
#define TESTS_SUPPORT_DRAW_H

#include "gen/problem/problem.h"
#include "tests/support/support.h"

/* A small problem that leans to the edges: extents of 1, prime sizes, one channel, paddings larger
 * than the input, every mode, flag, dtype and layout, gaps between elements. It resolves. */
void draw_problem(struct test_random *r, struct convc_problem *p);

#endif
