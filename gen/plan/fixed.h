/* fixed: filters over pictures of bytes, in whole numbers of 16 bits.
 *
 * A kernel is taken apart into rows that are multiples of one another. What such rows have in
 * common is a form: it is summed up once for every row of the source, under weights that are whole
 * numbers, and an output is a sum of forms, one of each row of its window, each times a factor.
 *
 *     form(row)  = sum of weight * x                       weights of 8 bits: without an error
 *                = sum of (256 * x * weight >> 16)         weights of 16 bits
 *     sum(y)     = sum of (form(y + row) * factor >> 16)
 *     output     = (sum + bias) / 2^shift, rounded and held within the type
 *
 * Where the kernel is whole numbers, or such of 2^-shift, that fit these bits, nothing is ever cut
 * off (`exact`: factors are whole numbers then, too). Else weights are rounded, and whatever is
 * shifted is cut off; `bound` is the most that both can do to an output before it is rounded, over
 * all pictures. Stands on: problem.
 */
#ifndef GEN_PLAN_FIXED_H
#define GEN_PLAN_FIXED_H

#include "gen/problem/problem.h"

enum { FIXED_TAPS = 32 };

/* Values that are added up, or the mean of two, (a + b + 1) >> 1; times a factor; which is added or
 * subtracted. */
struct fixed_part {
    int count;
    int64_t at[FIXED_TAPS]; /* columns of a form, rows of a sum: of the source */
    int64_t factor;         /* whole, or of 2^-16 */
    bool mean, minus;
};

struct fixed_sum {
    int parts;
    struct fixed_part part[FIXED_TAPS];
    bool sign;          /* may be negative: 16 bits with a sign, else without one */
    double least, most; /* of all pictures */
    double early, late; /* how far off what was cut off makes it, [early, late] */
};

struct fixed {
    int bits; /* of the weights: 8 or 16 */
    bool exact;
    int forms;
    struct fixed_sum form[FIXED_TAPS];
    struct fixed_sum sum; /* of rows; part i of them is of form `of[i]` */
    int of[FIXED_TAPS];
    int shift;
    int64_t bias; /* what centres the errors, and a half of 2^shift but for exact ones */
    double bound; /* in units of the result */
};

/* What keeps a problem from being one of those: a sentence; NULL where nothing does, and then *f is
 * how it is computed. */
const char *fixed_unfit(const struct problem *p, int bits, struct fixed *f);

#endif
