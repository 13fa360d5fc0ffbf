/* arguments: what a kernel is called with, in IR.
 *
 * Where the fields of struct convc_args lie depends on the target's pointers alone, not on those of
 * the machine that compiles. Weights that are constants of the problem lie in the module, packed as
 * the plan reads them. Stands on: em, plan, convc/kernel.h.
 */
#ifndef GEN_EMIT_ARGUMENTS_H
#define GEN_EMIT_ARGUMENTS_H

#include "gen/emit/em.h"
#include "gen/plan/plan.h"

enum arguments_field {
    ARGUMENTS_STRUCT_BYTES,
    ARGUMENTS_SRC,
    ARGUMENTS_WEI,
    ARGUMENTS_BIAS,
    ARGUMENTS_RESIDUAL,
    ARGUMENTS_DST,
    ARGUMENTS_WORKSPACE,
    ARGUMENTS_N,
    ARGUMENTS_USER,
    ARGUMENTS_RESERVED,
    ARGUMENTS_FIELDS,
};

/* Bytes before a field of struct convc_args; of ARGUMENTS_FIELDS, those of the structure. */
int64_t arguments_offset(const struct target *t, enum arguments_field field);

/* Fields of struct convc_args; wei is past the header of the packed weights, and none of a
 * stencil or of a fixed plan, which have them in their code. */
struct arguments {
    LLVMValueRef src, wei, bias, residual, dst;
    LLVMValueRef user[FUNCTIONS_ARGS];
};

struct arguments arguments_tensors(struct em *em, const struct problem *p, const struct plan *plan);
LLVMValueRef arguments_n(struct em *em);
LLVMValueRef arguments_workspace(struct em *em);

/* The work items to run, [begin, end). */
LLVMValueRef arguments_begin(struct em *em);
LLVMValueRef arguments_end(struct em *em);

#endif
