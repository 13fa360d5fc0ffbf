/* ref: the reference. Any problem, naive, obviously right.
 *
 * Each output is summed in a wider type (f32 in double, f64 in long double), tap by tap, then goes
 * through bias, residual and activation in long double and is rounded once, to dst's type.
 * Functions of the user are evaluated in long double throughout. Taps outside of the input are left
 * out under zeros and identity. Reads weights through their layout, packed or plain. Stands on:
 * problem, layout, convc/kernel.h.
 */
#ifndef RUNTIME_REF_H
#define RUNTIME_REF_H

#include "gen/plan/layout.h"

#include <convc/kernel.h>

/* Work items of a batch of n: one is one output channel of one image. */
int64_t ref_items(const struct problem *p, int64_t n);

/* Computes items [begin, end) into args->dst. `wei` points to the elements, behind any header; it
 * is not read where there are no weights. */
void ref_run(const struct problem *p, const struct layout *l, const struct convc_args *args,
             const void *wei, int64_t begin, int64_t end);

/* The output with index `i` in N, C, spatial order, before it is rounded to dst's type. */
long double ref_at(const struct problem *p, const struct layout *l, const struct convc_args *args,
                   const void *wei, int64_t i);

/* How far any kernel's output may be off from that; infinite where nothing can be said, 0 where
 * nothing is rounded. For problems with functions. */
long double ref_error_at(const struct problem *p, const struct layout *l,
                         const struct convc_args *args, const void *wei, int64_t i);

/* The formulas of enum convc_activation. max(a, b) means a > b ? a : b, min(a, b) a < b ? a : b. */
long double ref_activation(enum convc_activation activation, const double args[2], long double x);

#endif
