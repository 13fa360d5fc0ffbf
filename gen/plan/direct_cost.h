/* direct_cost: the parts of a direct plan's cost.
 *
 *     step    = max(multiply-adds / 2, loads / 2, shuffles, latency)      one tap of one channel
 *     tiles   = steps with the columns and rows that a tap reads inside
 *               + entering, leaving, storing
 *     image   = tiles, bytes from L2 and bytes from further out, which overlap,
 *               + waiting for lines that nothing fetches ahead
 *
 * Ceilings are the target's; what is taken off them was fitted to measured plans of some 200 layers
 * on a Zen 5, and of some 200 on a Zen 3 for cores of few registers ("narrow"). Stands on: nest,
 * choose.
 */
#ifndef GEN_PLAN_DIRECT_COST_H
#define GEN_PLAN_DIRECT_COST_H

#include "gen/plan/nest.h"
#include "gen/plan/plan_direct.h"

/* Cycles of all tiles of one nest while every operand is in L1; adds to cost->fma, ->load and
 * ->overhead. */
double direct_tiles_cost(const struct nest *n, const struct target *t, struct cost *cost);

/* What a vector of the nest costs, by a full one: half a vector costs half where a full one takes
 * two cycles. */
double direct_vector_cost(const struct nest *n, const struct target *t);

/* Sets of L1 that lines `stride` bytes apart fall into. Strides that are powers of two crowd few.
 */
int64_t direct_sets(const struct target *t, int64_t stride);

/* Those of lines a pixel of the source apart, of 64. */
double direct_pixel_sets(const struct nest *n, const struct target *t);

/* Input positions that some output reads: strides may skip some. */
double direct_pixels_read(const struct nest *n);

/* All of the cost of a plan with taps=window. */
void direct_cost_window(const struct nest *n, const struct target *t, struct cost *cost);

/* The same of depthwise problems on cores of 16 registers. */
void direct_cost_depthwise(const struct nest *n, const struct target *t, struct cost *cost);

/* Rows of the window that any row of a tile of `rows` reads; columns of one of them that any of
 * `cols` does. */
double direct_window_rows(const struct nest *n, double rows);
double direct_window_columns(const struct nest *n, double cols);

/* Share of the taps of an axis that read inside, over all its outputs. */
double direct_inside_share(const struct nest *n, int axis);

/* Adds the time that a nest's operands take from L2 to cost->l2 and from further out to
 * cost->memory. Returns the waiting that nothing hides. */
double direct_traffic_cost(const struct nest *n, const struct target *t, struct cost *cost);

#endif
