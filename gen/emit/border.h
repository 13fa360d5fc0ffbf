/* border: where a tap outside of the input reads, computed by the kernel.
 *
 * The emitted twin of problem_border: same modes, same folding.
 * Stands on: em, problem.
 */
#ifndef GEN_EMIT_BORDER_H
#define GEN_EMIT_BORDER_H

#include "gen/emit/em.h"
#include "gen/problem/problem.h"

struct border {
    LLVMValueRef index;  /* within [0, n) always, so that the load is safe */
    LLVMValueRef inside; /* i1: false where the mode reads nothing or the constant */
};

/* `at` is an i64 or a vector of them. */
struct border border_emit(struct em *em, enum convc_padding_mode mode, LLVMValueRef at, int64_t n);

/* Likewise where `at` is at most one fold away: from -n + 1 to 2 * n - 2. */
struct border border_emit_near(struct em *em, enum convc_padding_mode mode, LLVMValueRef at,
                               int64_t n);

/* Taps [*begin, *end) of an axis that fall inside for output `o`, for modes that skip the others.
 */
void border_bounds(struct em *em, const struct convc_problem *p, int axis, LLVMValueRef o,
                   LLVMValueRef *begin, LLVMValueRef *end);

#endif
