/* context_make: from a problem to its kernel, where it is not in memory: the plan, by the tuning
 * database or the cost model; then disk, compiler, reference. Stands on: context, choose, object.
 */
#ifndef RUNTIME_CONTEXT_MAKE_H
#define RUNTIME_CONTEXT_MAKE_H

#include "runtime/context.h"

/* A plan and who chose it. */
struct planned {
    struct plan plan;
    enum convc_plan_source by;
    struct diag none; /* a failure where no algorithm takes the problem */
};

/* What is asked for. */
struct making {
    struct convc_context *cx;
    struct problem *problem;
    const struct convc_problem *from; /* the problem is still to be resolved; NULL: it is */
    const struct plan *forced;        /* NULL: the best that is known */
    const struct planned *planned;    /* what context_plan found before; NULL: it is to be asked */
};

/* Lets LLVM make the tables that it makes on its first use, once in a process: to be called before
 * it is used in the background. LLVM destroys them when the process ends, before what was
 * registered for that earlier. A few milliseconds. */
void context_warm_up(const struct convc_context *cx);

/* The problem must be resolved. CONVC_ERR_UNSUPPORTED where the target is not for this machine;
 * CONVC_ERR_MEMORY. */
enum convc_status context_plan(const struct making *m, struct planned *out, struct diag *d);

/* A line for CONVC_VERBOSE: the kernel was found in memory. */
void context_tell_found(const struct convc_kernel *k);

/* A cache_make, of a struct making. */
enum convc_status context_make(void *making, struct convc_kernel **out, struct diag *d);

#endif
