/* problem: what is computed; validated, canonical, printable.
 *
 * problem_resolve turns what a caller wrote into the one form that everything behind it reads:
 * strides filled in, modes that cannot matter reset, shapes checked without overflow. Two problems
 * that compute the same in the same memory resolve to the same key. Errors are CONVC_ERR_SHAPE,
 * CONVC_ERR_ARGUMENT and CONVC_ERR_UNSUPPORTED with field, value and rule. Stands on: base.
 */
#ifndef GEN_PROBLEM_PROBLEM_H
#define GEN_PROBLEM_PROBLEM_H

#include "gen/base/diag.h"
#include "gen/base/text.h"

#include <stdbool.h>

/* A resolved problem; `p` has its strides filled in. */
struct problem {
    struct convc_problem p;
    int64_t out[3];
    int64_t icg, ocg; /* channels in one group */
};

/* The identity of a problem: equal bytes mean equal kernels. Holds no batch and no name. */
struct problem_key {
    int64_t field[60];
};

void problem_init(struct convc_problem *p);

/* Sets the bytes of the elements of a dtype: 4 or 8. */
int64_t dtype_bytes(enum convc_dtype t);
const char *dtype_name(enum convc_dtype t);
const char *padding_mode_name(enum convc_padding_mode m);
const char *activation_name(enum convc_activation a);

/* Checks `from` and writes its canonical form. On failure *to is unspecified. */
enum convc_status problem_resolve(const struct convc_problem *from, struct problem *to,
                                  struct diag *d);

void problem_key(const struct problem *p, struct problem_key *key);

/* benchdnn's notation with convc's additions: the line that spec_benchdnn reads back to an equal
 * key. */
void problem_print(const struct problem *p, struct text *t);

/* Elements from the first to one past the last that n images of a tensor of these extents touch;
 * -1 where that is past 2^62. */
int64_t problem_span(const int64_t stride[5], int64_t n, int64_t c, const int64_t extent[3]);

/* Where tap `i` of an axis of `n` elements reads under a padding mode; -1: outside (zeros,
 * constant, identity). Folds as often as it takes. Exact for every i that a resolved problem can
 * make. */
int64_t problem_border(enum convc_padding_mode mode, int64_t i, int64_t n);

/* Can a tap of this axis fall outside of the input? */
bool problem_axis_pads(const struct problem *p, int axis);

#endif
