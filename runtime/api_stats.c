/* api_stats: the counters of a context. */
#include "gen/out/aside.h"
#include "runtime/api.h"
#include "runtime/context.h"

#include <string.h>

static void count_layers(struct jobs *jobs, struct convc_context_stats *s)
{
    pthread_mutex_lock(&jobs->guard.mutex);
    for (const struct job *job = jobs->queue.first; job; job = job->next)
        s->layers_waiting++;
    s->layers_compiling = jobs->working;
    pthread_mutex_unlock(&jobs->guard.mutex);
}

enum convc_status convc_context_stats(convc_context *cx, struct convc_context_stats *stats)
{
    if (!cx || !stats || stats->struct_bytes < sizeof stats->struct_bytes)
        return api_fail_with(CONVC_ERR_ARGUMENT, "convc_context_stats: context and stats with its "
                                                 "struct_bytes must be given");
    struct counters *c = &cx->counters;
    const struct cache_stats cache = cache_stats(cx->cache);
    struct convc_context_stats full = {
        .struct_bytes = stats->struct_bytes,
        .memory_hits = cache.hits,
        .memory_waits = cache.waits,
        .memory_misses = cache.misses,
        .failures = cache.failures,
        .evictions = cache.evictions,
        .kernels = (int64_t)cache.kernels,
        .code_bytes = (int64_t)cache.code_bytes,
        .disk_hits = atomic_load(&c->disk),
        .disk_bytes = atomic_load(&c->disk_bytes),
        .compiles = atomic_load(&c->compiled),
        .compile_ms = (double)atomic_load(&c->compile_us) / 1e3,
        .references = atomic_load(&c->reference),
        .compiler_lost = aside_lost(),
    };
    count_layers(cx->jobs, &full);
    size_t known = full.struct_bytes < sizeof full ? full.struct_bytes : sizeof full;
    memcpy(stats, &full, known);
    return CONVC_OK;
}
