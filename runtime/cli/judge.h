/* judge: what the outputs should be, and whether those of a kernel are.
 *
 * The unit of error is the scale of a channel of an image: the largest sum of |src*wei|, with
 * |bias| and |residual|, over its outputs (over 64 of them, spread evenly, where it has more; less
 * than the largest makes the judgement stricter, never milder). An output y for which the reference
 * says w passes where
 *
 *     |y - w| <= L * bound * scale + 4 * eps * |w| + T + U
 *
 * with `bound` and U, the unit_bound of whole numbers, from convc_kernel_info, eps half a unit in
 * the last place of 1 in the output's type, L the steepest slope of the activation, and T = 8 * eps
 * * (1 + |w|) for sigmoid, tanh, silu and gelu, whose exp, tanh and erf kernels approximate, else
 * 0. Where outputs are whole numbers, y must be what something that close to w is stored as. Where
 * exact equality is demanded, y must be w rounded once.
 *
 * A kernel that adds up other sums than the formula's (plain_sum 0) also multiplies sources with
 * weights that meet in no output, such as those around a cropped one. Its scale is at least the
 * product of the largest source and the largest weight.
 *
 * Where the scale is larger than the accumulator can hold, sums on the way to the output may
 * overflow while others of the other sign are still to come: whatever comes out passes.
 *
 * Where a problem has functions of the user, an output passes where |y - w| is within what
 * convc_reference_error_at says, the errors of all operations propagated, and the rounding of w to
 * a double; where no operation rounds, that is 0 and demands equality. The scale of a channel, for
 * max_error alone, is then the largest |w| that was looked at.
 *
 * Stands on: convc_reference_at, convc_reference_error_at.
 */
#ifndef CLI_JUDGE_H
#define CLI_JUDGE_H

#include "runtime/cli/tensor.h"

struct expectation {
    int64_t count;  /* outputs that are looked at  */
    int64_t *index; /* which, in N, C, spatial order */
    double *want;
    double *scale;  /* of each channel of each image */
    int64_t plane;  /* outputs of one channel       */
    double product; /* of the largest |src| and the largest |wei| */
    double *error;  /* functions of the user: how far each output may be off; else NULL */
};

/* Asks the reference for `limit` outputs spread over all, or for all where limit is 0. */
enum exit_code expectation_create(const struct convc_problem *p, const struct operands *o,
                                  const struct tensors *t, int64_t limit, int threads,
                                  struct expectation *e, struct failure *f);
void expectation_free(struct expectation *e);

struct verdict {
    double max_error; /* largest |y - w| / scale; INFINITY where one is a NaN and the other not */
    bool wrong;
    int64_t index; /* the first wrong output */
    double got, want, bound;
    bool exact;     /* equality was demanded */
    double telling; /* the share of outputs in whose place a zero would have been wrong */
};

/* `got` holds all outputs in N, C, spatial order. Exact data demand equality of plain sums. */
void judge(const struct convc_problem *p, const struct expectation *e, const double *got,
           const struct convc_kernel_info *info, bool exact_data, struct verdict *v);

enum { VERDICT_TEXT = 320 };

/* "output (0, 3, 1, 2) is 5, not 4 within 1e-06", of a wrong one; `outputs` has their shape. */
void verdict_text(const struct verdict *v, const struct array *outputs, char text[VERDICT_TEXT]);

/* Is whole-number data of this problem computed without rounding, whatever the order of summation?
 */
bool judge_exact(const struct convc_problem *p, int64_t most);

#endif
