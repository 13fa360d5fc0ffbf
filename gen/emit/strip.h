/* strip: fills the strip of a direct plan's work item. Stands on: em, em_transpose, strip.
 */
#ifndef GEN_EMIT_STRIP_H
#define GEN_EMIT_STRIP_H

#include "gen/emit/em.h"
#include "gen/plan/strip.h"

/* The work item. */
struct strip_item {
    LLVMValueRef src, scratch;   /* the image; its strip's memory               */
    LLVMValueRef od, row, chunk; /* depth, row tile and chunk                   */
    LLVMValueRef fresh;          /* i1: the strip does not hold its inputs yet  */
};

/* Returns what stands for the image: strip_problem's strides lead from there to the inputs. */
LLVMValueRef strip_fill(struct em *em, const struct problem *p, const struct nest *n,
                        const struct strip_item *item);

#endif
