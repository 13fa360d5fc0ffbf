#include "runtime/context.h"

#include "gen/base/memory.h"
#include "runtime/api.h"
#include "runtime/ceilings.h"
#include "runtime/context_make.h"
#include "runtime/layer.h"
#include "runtime/peak.h"

#include <string.h>

static const size_t default_code_bytes = (size_t)256 << 20;
/* Each kernel takes a memory map at most, of which Linux allows 65530, and some 80 KiB. */
static const size_t default_kernels = 16384;
enum { COMPILE_THREADS = 8 }; /* unless more are asked for */

/* ---- life ------------------------------------------------------------------------------------ */

/* The caller's options, in full whatever version of the structure they come in. */
static enum convc_status read_options(const struct convc_context_options *opt,
                                      struct convc_context_options *full, struct diag *d)
{
    if (api_read("convc_context_options", opt, full, sizeof *full, d) != CONVC_OK)
        return d->status;
    if (full->compile_threads < 0 || full->compile_threads > POOL_THREADS_MAX)
        return diag_fail(d, CONVC_ERR_ARGUMENT, "compile_threads=%d is not within 0 to %d",
                         (int)full->compile_threads, (int)POOL_THREADS_MAX);
    if (!full->max_code_bytes)
        full->max_code_bytes = default_code_bytes;
    if (!full->max_kernels)
        full->max_kernels = default_kernels;
    return CONVC_OK;
}

/* Half of those that kernels run on, for they run meanwhile. */
static int compile_threads(const struct convc_context_options *opt, const struct machine *m)
{
    int half = pool_threads(m->pool) / 2;
    int some = half < 1 ? 1 : half > COMPILE_THREADS ? COMPILE_THREADS : half;
    return opt->compile_threads ? opt->compile_threads : some;
}

/* What convc_calibrate left for this machine takes the place of the built-in figures. */
static void load_ceilings(struct convc_context *cx)
{
    struct machine *m = cx->machine;
    struct ceilings found;
    if (ceilings_load(cache_disk_descriptor(cx->disk), m->target_text, &found))
        m->target.ceilings = found;
}

static void tell_context(const struct convc_context *cx)
{
    const char *why;
    const char *directory = convc_cache_directory(cx, &why);
    verbose_info("target:%s,threads:%d,compile_threads:%d,cache:%s%s%s", cx->machine->target_text,
                 pool_threads(cx->machine->pool), cx->jobs->most, directory,
                 directory[0] ? "" : "none: ", directory[0] ? "" : why);
}

enum convc_status convc_context_create(const struct convc_context_options *opt, convc_context **out)
{
    struct diag d = { 0 };
    struct convc_context_options full;
    struct convc_context *cx = memory_zeroed(1, sizeof *cx);
    if (!out || !cx) {
        memory_free(cx);
        return out ? api_fail_with(CONVC_ERR_MEMORY, "out of memory")
                   : api_fail_with(CONVC_ERR_ARGUMENT, "convc_context_create: out must be given");
    }
    atomic_init(&cx->references, 1);
    if (guard_init(&cx->known.guard, NULL, &d) != CONVC_OK) {
        memory_free(cx);
        return api_fail(&d);
    }
    enum convc_status st = read_options(opt, &full, &d);
    if (st == CONVC_OK)
        st = machine_create(&full, &cx->machine, &d);
    if (st == CONVC_OK)
        st = jobs_create(compile_threads(&full, cx->machine), &cx->jobs, &d);
    if (st == CONVC_OK)
        st = cache_create(full.max_code_bytes, full.max_kernels, &cx->cache, &d);
    if (st == CONVC_OK && !(full.flags & CONVC_NO_DISK_CACHE))
        st = cache_disk_open(full.cache_dir, &cx->disk, &d);
    if (st == CONVC_OK && cx->disk && !full.target)
        load_ceilings(cx);
    if (st == CONVC_OK)
        st = tuning_open(&cx->tuning, full.tuning_db, full.flags & CONVC_NEW_TUNING_DB, &d);
    if (st != CONVC_OK) {
        convc_context_destroy(cx);
        return api_fail(&d);
    }
    if (full.compile_threads)
        context_warm_up(cx);
    tell_context(cx);
    *out = cx;
    return CONVC_OK;
}

struct convc_context *context_retain(struct convc_context *cx)
{
    atomic_fetch_add_explicit(&cx->references, 1, memory_order_relaxed);
    return cx;
}

void context_release(struct convc_context *cx)
{
    if (atomic_fetch_sub_explicit(&cx->references, 1, memory_order_acq_rel) != 1)
        return;
    jobs_release(cx->jobs);
    cache_destroy(cx->cache);
    cache_disk_close(cx->disk);
    if (cx->machine)
        machine_release(cx->machine);
    guard_destroy(&cx->known.guard);
    tuning_close(&cx->tuning);
    memory_free(cx);
}

/* What has not begun is called off; what has begun is finished, and then releases the context. */
void convc_context_destroy(convc_context *cx)
{
    if (!cx)
        return;
    if (cx->jobs)
        layer_cancel_all(cx->jobs);
    context_release(cx);
}

const char *convc_context_target(const convc_context *cx)
{
    return cx ? cx->machine->target_text : "";
}

/* ---- convc_compile --------------------------------------------------------------------------- */

enum convc_status context_force_plan(const struct convc_context *cx, const struct problem *p,
                                     const char *text, struct plan *plan, struct diag *d)
{
    if (plan_parse(text, plan, d) != CONVC_OK)
        return d->status;
    return plan_check(plan, p, &cx->machine->target, d);
}

/* The key of a problem with texts that were read before. */
static bool find_known(convc_context *cx, const struct convc_problem *p, struct problem_key *key)
{
    uint64_t hash[2];
    return known_hash(p, hash) && known_find(&cx->known, hash, key);
}

static enum convc_status resolve(convc_context *cx, const struct convc_problem *from,
                                 struct problem *p, struct problem_key *key, struct diag *d)
{
    uint64_t hash[2];
    if (problem_resolve(from, p, d) != CONVC_OK)
        return d->status;
    problem_key(p, key);
    if (known_hash(from, hash))
        known_keep(&cx->known, hash, key);
    return CONVC_OK;
}

enum convc_status convc_compile(convc_context *cx, const struct convc_problem *p,
                                const struct convc_compile_options *opt, convc_kernel **out)
{
    struct diag d;
    struct convc_compile_options options;
    struct problem problem;
    struct plan forced;
    struct cache_key key;
    struct convc_kernel *k;
    bool made;

    if (!cx || !p || !out)
        return api_fail_with(CONVC_ERR_ARGUMENT,
                             "convc_compile: context, problem and out must be given");
    d.status = CONVC_OK;
    if (api_read("convc_compile_options", opt, &options, sizeof options, &d) != CONVC_OK)
        return api_fail(&d);
    bool known = !options.plan && find_known(cx, p, &key.problem);
    if (!known && resolve(cx, p, &problem, &key.problem, &d) != CONVC_OK)
        return api_fail(&d);
    key.plan[0] = '\0';
    key.generation = options.plan ? 0 : atomic_load(&cx->tuning.generation);
    if (options.plan) {
        if (context_force_plan(cx, &problem, options.plan, &forced, &d) != CONVC_OK)
            return api_fail(&d);
        plan_print(&forced, key.plan);
    }

    struct making m = { cx, &problem, known ? p : NULL, options.plan ? &forced : NULL, NULL };
    if (cache_get(cx->cache, &key, context_make, &m, &k, &made, &d) != CONVC_OK)
        return api_fail(&d);
    bool found = !made && k->source != CONVC_FROM_REFERENCE;
    if (!made)
        context_tell_found(k);
    if (options.source)
        *options.source = found ? CONVC_FROM_MEMORY : k->source;
    *out = k;
    return CONVC_OK;
}

/* ---- the disk cache -------------------------------------------------------------------------- */

enum convc_status convc_cache_visit(convc_context *cx,
                                    int (*visit)(void *data, const struct convc_cache_entry *e),
                                    void *data)
{
    struct diag d = { 0 };
    if (!cx || !visit)
        return api_fail_with(CONVC_ERR_ARGUMENT,
                             "convc_cache_visit: context and visit must be given");
    if (cx->disk)
        cache_disk_visit(cx->disk, visit, data, &d);
    return api_fail(&d);
}

static enum convc_status remove_entries(convc_context *cx, bool everything, int64_t *removed)
{
    struct diag d = { 0 };
    int64_t count = 0;
    if (!cx)
        return api_fail_with(CONVC_ERR_ARGUMENT, "the context must be given");
    if (cx->disk)
        cache_disk_remove(cx->disk, everything, &count, &d);
    if (removed)
        *removed = count;
    return api_fail(&d);
}

enum convc_status convc_cache_prune(convc_context *cx, int64_t *removed)
{
    return remove_entries(cx, false, removed);
}

enum convc_status convc_cache_clear(convc_context *cx, int64_t *removed)
{
    return remove_entries(cx, true, removed);
}

const char *convc_cache_directory(const convc_context *cx, const char **why)
{
    if (cx && cx->disk)
        return cache_disk_directory(cx->disk, why);
    if (why)
        *why = cx ? "the context was created with CONVC_NO_DISK_CACHE" : "there is no context";
    return "";
}

/* ---- the machine ----------------------------------------------------------------------------- */

/* On the context's own threads where their number is right, else on others. */
static void measure_with(struct pool *own, int threads, enum convc_dtype dtype, double seconds,
                         double *gflops, struct diag *d)
{
    struct pool *other = NULL;
    bool fits = !threads || threads == pool_threads(own);
    if (!fits && pool_create(threads, NULL, NULL, &other, d) != CONVC_OK)
        return;
    peak_measure(fits ? own : other, dtype, seconds, gflops, d);
    if (other)
        pool_destroy(other);
}

enum convc_status convc_measure_peak(convc_context *cx, enum convc_dtype dtype, int32_t threads,
                                     double seconds, double *gflops)
{
    struct diag d = { 0 };
    if (!cx || !gflops)
        return api_fail_with(CONVC_ERR_ARGUMENT,
                             "convc_measure_peak: context and gflops must be given");
    if (dtype != CONVC_F32 && dtype != CONVC_F64)
        diag_fail(&d, CONVC_ERR_ARGUMENT, "dtype=%d must be 0 or 1", (int)dtype);
    else if (!(seconds >= 0 && seconds < 1e6))
        diag_fail(&d, CONVC_ERR_ARGUMENT, "seconds=%g must be 0 to 1e6", seconds);
    else
        measure_with(cx->machine->pool, threads, dtype, seconds, gflops, &d);
    return api_fail(&d);
}

/* One core's, on a pool of one thread. */
static enum convc_status measure_ceilings(double seconds, struct convc_ceilings *out,
                                          struct ceilings *rates, struct diag *d)
{
    struct target host;
    struct pool *one;
    struct ceilings_measured m = { 0 };
    target_host(&host);
    if (!(seconds >= 0 && seconds < 1e6))
        return diag_fail(d, CONVC_ERR_ARGUMENT, "seconds=%g must be 0 to 1e6", seconds);
    if (out->struct_bytes < sizeof *out)
        return diag_fail(d, CONVC_ERR_ARGUMENT, "convc_ceilings.struct_bytes=%zu must be %zu",
                         out->struct_bytes, sizeof *out);
    if (pool_create(1, NULL, NULL, &one, d) != CONVC_OK)
        return d->status;
    if (ceilings_measure(one, &host, seconds, &m, d) == CONVC_OK) {
        *out = (struct convc_ceilings){ sizeof *out, m.gflops, m.l1, m.l2, m.l3, m.memory };
        *rates = ceilings_per_cycle(&m, &host);
    }
    pool_destroy(one);
    return d->status;
}

enum convc_status convc_measure_ceilings(convc_context *cx, double seconds,
                                         struct convc_ceilings *out)
{
    struct diag d = { 0 };
    struct ceilings ignored;
    if (!cx || !out)
        return api_fail_with(CONVC_ERR_ARGUMENT,
                             "convc_measure_ceilings: context and out must be given");
    measure_ceilings(seconds, out, &ignored, &d);
    return api_fail(&d);
}

enum convc_status convc_calibrate(convc_context *cx, double seconds, struct convc_ceilings *out)
{
    struct diag d = { 0 };
    struct ceilings rates;
    struct target host;
    char text[TARGET_TEXT_MAX];
    const char *why = NULL;
    if (!cx || !out)
        return api_fail_with(CONVC_ERR_ARGUMENT, "convc_calibrate: context and out must be given");
    if (!convc_cache_directory(cx, &why)[0]) {
        diag_fail(&d, CONVC_ERR_IO, "there is no disk cache to keep the ceilings in: %s", why);
        return api_fail(&d);
    }
    target_host(&host);
    target_print(&host, text, sizeof text);
    if (measure_ceilings(seconds, out, &rates, &d) == CONVC_OK)
        ceilings_store(cache_disk_descriptor(cx->disk), text, &rates, &d);
    return api_fail(&d);
}
