/* arguments: what a kernel is called with, in IR.
 *
 * Stands on: em, functions, convc/kernel.h.
 */
#ifndef GEN_EMIT_ARGUMENTS_H
#define GEN_EMIT_ARGUMENTS_H

#include "gen/emit/em.h"
#include "gen/problem/functions.h"

/* Fields of struct convc_args; wei is past the header of the packed weights. */
struct arguments {
    LLVMValueRef src, wei, bias, residual, dst;
    LLVMValueRef user[FUNCTIONS_ARGS];
};

/* With the first `users` pointers of `user`. */
struct arguments arguments_tensors(struct em *em, int users);
LLVMValueRef arguments_n(struct em *em);
LLVMValueRef arguments_workspace(struct em *em);

/* The work items to run, [begin, end). */
LLVMValueRef arguments_begin(struct em *em);
LLVMValueRef arguments_end(struct em *em);

#endif
