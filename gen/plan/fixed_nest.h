/* fixed_nest: the loops of a fixed plan.
 *
 *     for image, channel, strip of rows                         a work item
 *         for blocks of 2 * lanes bytes along the row
 *             for the rows above: their forms, passed on from row to row in registers
 *             for rows: the forms of one more row, and the outputs
 *
 * A block's bytes at even and at odd places are computed in vectors of their own, so that bytes
 * need not be moved to become 16 bits: a block that is read from `2 * k` on holds both. Lanes are
 * elements of a row, as in picture.h. Blocks [begin, end) read inside; each of the others is known
 * while emitting, and so is what its lanes read. The last one ends where the row does.
 * Rows outside of the source are found by the kernel, for every row: there is no code apart for the
 * rows at the border. Stands on: fixed, picture, plan.
 */
#ifndef GEN_PLAN_FIXED_NEST_H
#define GEN_PLAN_FIXED_NEST_H

#include "gen/plan/fixed.h"
#include "gen/plan/plan.h"

enum { FIXED_EDGES = 8, FIXED_LANES = 32, FIXED_PASSED = 64, FIXED_PAIRS = 128 };

struct fixed_nest {
    const struct problem *p;
    struct plan_fixed plan;
    struct fixed f;
    int lanes; /* of 16 bits */
    int64_t block;
    int64_t unit, channels, strips;
    int64_t from_row, to_row; /* elements of a row, of the source and of the result */
    int64_t pairs;            /* k is below that */
    int64_t begin, end;
    int edges;
    int64_t edge[FIXED_EDGES]; /* the first elements of the blocks that are known */
    /* Rows of the window in which a form is met, of the source; all but the last are passed on. */
    int64_t first[FIXED_TAPS], last[FIXED_TAPS];
    int64_t passed; /* the most of one form: that many rows lie above */
};

/* What the lanes of a block at the border read: of two loads of as many bytes, or padding. */
struct fixed_edge {
    int64_t load[2];
    int pick[2 * FIXED_LANES]; /* of the two side by side; of the first and padding */
    bool padding, both;
};

/* Of a block that begins at element `from` of the result, read from 2 * k on. False where that is
 * none of these. */
bool fixed_nest_edge(const struct fixed_nest *n, int64_t from, int64_t k, struct fixed_edge *e);

enum convc_status fixed_nest_check(const struct problem *p, const struct plan_fixed *plan,
                                   const struct target *t, struct diag *d);

/* Of a plan that passed the check. NULL where memory is out; the caller frees it. */
struct fixed_nest *fixed_nest_of(const struct problem *p, const struct plan_fixed *plan,
                                 const struct target *t);

#endif
