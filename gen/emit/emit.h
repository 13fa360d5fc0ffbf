/* emit: the frame of a module around a kernel.
 *
 * The module has one function, of type convc_kernel_fn, with the target's CPU and features on it.
 * Stands on: em, emit_<algorithm>.
 */
#ifndef GEN_EMIT_EMIT_H
#define GEN_EMIT_EMIT_H

#include "gen/emit/em.h"
#include "gen/plan/plan.h"

/* The plan must have passed plan_check. The module belongs to the caller. */
LLVMModuleRef emit_module(LLVMContextRef context, const struct problem *p, const struct plan *plan,
                          const struct target *t, const char *symbol);

#endif
