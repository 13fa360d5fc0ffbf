/* roofline: what was reached against what the machine can do, as a picture.
 *
 * A layer stands at its arithmetic intensity (operations per byte of source, weights and output,
 * each moved once) and at its rate. The roof is the FMA peak; the slopes are what a core reads from
 * each level of its caches and from memory. Both axes are logarithmic.
 */
#ifndef BENCH_ROOFLINE_H
#define BENCH_ROOFLINE_H

#include "bench/network.h"

#include <stdio.h>

/* Operations per byte; 0 for an empty batch. */
double roofline_intensity(const struct convc_problem *p);

/* An <svg> of this size. Every layer links to its place in the list of the first spec that has it,
 * "#s<spec>k<kind>". */
void roofline_draw(const struct network *net, const struct convc_ceilings *c, double width,
                   double height, FILE *out);

#endif
