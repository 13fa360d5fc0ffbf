/* cost: arithmetic of the cost model.
 *
 * Stands on: the C library.
 */
#ifndef GEN_PLAN_COST_H
#define GEN_PLAN_COST_H

#include <math.h>

static inline double larger(double a, double b)
{
    return a > b ? a : b;
}

/* Cycles of two things that overlap, less and less well the closer they come. */
static inline double together(double a, double b)
{
    return sqrt(sqrt(a * a * a * a + b * b * b * b));
}

#endif
