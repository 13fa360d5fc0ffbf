/* ref: the reference. Any problem, naive, obviously right.
 *
 * Sums in the next wider type (double for f32, long double for f64), in the order of the formula in
 * convc/types.h. Reads weights through their layout, packed or plain.
 * Stands on: problem, layout, convc/kernel.h.
 */
#ifndef RUNTIME_REF_H
#define RUNTIME_REF_H

#include "gen/plan/layout.h"

#include <convc/kernel.h>

/* Work items of a batch of n: one is one output channel of one image. */
int64_t ref_items(const struct problem *p, int64_t n);

/* Computes items [begin, end) into args->dst. `wei` points to the elements, behind any header. */
void ref_run(const struct problem *p, const struct layout *l, const struct convc_args *args,
             const void *wei, int64_t begin, int64_t end);

/* The output with index `i` in N, C, spatial order, before it is rounded to dst's type. */
long double ref_at(const struct problem *p, const struct layout *l, const struct convc_args *args,
                   const void *wei, int64_t i);

#endif
