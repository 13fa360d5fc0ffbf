/* emit: the frame of a module around a kernel.
 *
 * The module has one function, of type convc_kernel_fn, with the target's CPU and features on it;
 * for static kernels also those that C programs call. Stands on: em, emit_<algorithm>, entries.
 */
#ifndef GEN_EMIT_EMIT_H
#define GEN_EMIT_EMIT_H

#include "gen/emit/em.h"
#include "gen/plan/plan.h"

struct emit_names {
    const char *kernel;
    const char *name; /* of the functions in entries.h; NULL: the kernel alone */
    bool hidden;      /* are they for the program or library that they are linked into alone? */
};

/* The plan must have passed plan_check. The module belongs to the caller; *failed where memory was
 * out, and then it may only be disposed of. */
LLVMModuleRef emit_module(LLVMContextRef context, const struct problem *p, const struct plan *plan,
                          const struct target *t, const struct emit_names *names, bool *failed);

#endif
