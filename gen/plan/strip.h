/* strip: inputs whose pixels lie side by side, turned over in scratch memory as a work item needs
 * them.
 *
 * A direct plan with src=strip reads its inputs from there, channels side by side: the lines that a
 * tile touches are then used whole, lie in a few pages, and are there for the next channel block.
 * The nest sees strip_problem in the place of the problem. Pointwise problems, folded, keep the
 * pixels that they read and no others; the rest keep the rows of one row tile:
 *
 *     strip[lead + pixel][channel]                 pixels of the item's chunk
 *     strip[row][lead + column][channel]           rows and columns that its taps read
 *
 * Squares that begin early, so as not to reach past a row's end, and late ones that reach past the
 * item's own write into the pixels around: `lead` of them on either side.
 * Errors: CONVC_ERR_PLAN says what a strip needs. Stands on: nest.
 */
#ifndef GEN_PLAN_STRIP_H
#define GEN_PLAN_STRIP_H

#include "gen/plan/nest.h"

struct strip {
    int64_t pitch;         /* bytes from pixel to pixel                          */
    int64_t row;           /* and from row to row; 0: all pixels are one         */
    int64_t lead;          /* pixels before and after those of a row             */
    int64_t rows, cols;    /* of an item, at most                                */
    int64_t step;          /* source pixels from one that is read to the next    */
    int64_t keep;          /* pixels of a square that are read                   */
    int64_t width;         /* pixels that are read in one row of the source      */
    int64_t vectors, tail; /* of channels; active lanes of the last one          */
    int64_t stored;        /* lanes of a pixel's vector that there is room for   */
    int64_t bytes;
};

/* `n` is the nest of strip_problem(p), whose plan has passed strip_check. */
void strip_of(const struct problem *p, const struct nest *n, struct strip *s);

/* The problem whose source is the strip, in *room; or `p` itself, where the plan has none. */
const struct problem *strip_problem(const struct problem *p, const struct plan_direct *plan,
                                    const struct target *t, struct problem *room);

enum convc_status strip_check(const struct problem *p, const struct plan_direct *plan,
                              const struct target *t, struct diag *d);

size_t strip_bytes(const struct problem *p, const struct plan_direct *plan, const struct target *t);

/* Cycles of turning over all inputs of one image. */
double strip_cost(const struct problem *p, const struct nest *n);

#endif
