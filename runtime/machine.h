/* machine: what a context shares with its kernels: target, threads, JIT.
 *
 * Counted, so that a kernel outlives the context that made it.
 * Stands on: target, pool, jit.
 */
#ifndef RUNTIME_MACHINE_H
#define RUNTIME_MACHINE_H

#include "gen/plan/target.h"
#include "runtime/jit.h"
#include "runtime/pool.h"

#include <stdatomic.h>

enum { TARGET_TEXT_MAX = 672 }; /* triple, CPU and features with what stands between them */

struct machine {
    atomic_int references;
    struct target target;
    char target_text[TARGET_TEXT_MAX];
    struct diag foreign; /* a failure where this machine cannot run the target */
    struct pool *pool;
    struct jit *jit;    /* NULL: kernels are the reference, and ... */
    struct diag no_jit; /* ... this is why */
};

/* A JIT that cannot be had is no error. The caller owns one reference. */
enum convc_status machine_create(const struct convc_context_options *opt, struct machine **out,
                                 struct diag *d);
struct machine *machine_retain(struct machine *m);
void machine_release(struct machine *m);

#endif
