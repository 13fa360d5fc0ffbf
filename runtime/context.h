/* context: the way from a problem to its kernel: memory; then the plan, by the tuning database or
 * the cost model; then disk, compiler, reference.
 * Stands on: cache, cache_disk, jobs, choose, object, tune_db.
 */
#ifndef RUNTIME_CONTEXT_H
#define RUNTIME_CONTEXT_H

#include "runtime/cache.h"
#include "runtime/cache_disk.h"
#include "runtime/context_known.h"
#include "runtime/context_tuning.h"
#include "runtime/jobs.h"

/* Of kernels that were made, by where they came from. */
struct counters {
    atomic_int_least64_t disk, compiled, reference, compile_us, disk_bytes;
};

struct convc_context {
    atomic_int references; /* the host's, and one of each layer that is still to be compiled */
    struct machine *machine;
    struct jobs *jobs; /* such layers */
    struct cache *cache;
    struct cache_disk *disk; /* NULL: not wanted */
    struct known known;
    struct tuning tuning;
    struct counters counters;
};

struct convc_context *context_retain(struct convc_context *cx);
void context_release(struct convc_context *cx);

/* Reads a plan that the caller forces and checks that it fits. */
enum convc_status context_force_plan(const struct convc_context *cx, const struct problem *p,
                                     const char *text, struct plan *plan, struct diag *d);

#endif
