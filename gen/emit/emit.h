/* emit: the frame of a module around a kernel.
 *
 * The module has one function, of type convc_kernel_fn, with the target's CPU and features on it;
 * for static kernels also those that C programs call. Stands on: em, emit_<algorithm>, entries.
 */
#ifndef GEN_EMIT_EMIT_H
#define GEN_EMIT_EMIT_H

#include "gen/emit/dispatch.h"
#include "gen/emit/em.h"
#include "gen/plan/plan.h"

struct emit_names {
    const char *kernel;
    const char *name; /* of the functions in entries.h; NULL: the kernel alone */
    bool hidden;      /* are they for the program or library that they are linked into alone? */
    bool local;       /* is the kernel for them alone? */
    bool small;       /* steps are written down once, and LLVM is asked for less code */
};

/* The plan must have passed plan_check. The module belongs to the caller; *failed where memory was
 * out, and then it may only be disposed of. */
LLVMModuleRef emit_module(LLVMContextRef context, const struct problem *p, const struct plan *plan,
                          const struct target *t, const struct emit_names *names, bool *failed);

/* What picks among the variants of a kernel, and what finds out which: see dispatch.h. */
LLVMModuleRef emit_dispatch(LLVMContextRef context, const struct dispatch_kernel *k,
                            const struct target *t, bool hidden);
LLVMModuleRef emit_selector(LLVMContextRef context, const struct dispatch_selector *s,
                            const struct target *t, bool hidden);

#endif
