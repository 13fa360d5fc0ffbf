/* A layer has two versions, a kernel with its packed weights each: the reference, from the
 * beginning, and what is compiled. Which one is in force is one pointer, and both live as long as
 * the layer, so that a run needs no lock. All else that changes is guarded by the mutex of the
 * context's jobs. The host and the job each own one reference; the job owns one of the context. */
#include "runtime/layer.h"

#include "gen/base/memory.h"
#include "gen/plan/layout.h"
#include "runtime/api.h"
#include "runtime/context_make.h"

#include <math.h>
#include <string.h>
#include <time.h>

struct version {
    struct convc_kernel *kernel;
    void *packed; /* NULL where there are no weights to pack */
};

struct convc_layer {
    struct job job; /* first: job's functions cast */
    atomic_int references;
    struct convc_context *cx; /* the job's */
    struct jobs *jobs;
    struct problem problem;
    struct cache_key key;
    struct planned planned;
    bool forced;
    size_t workspace_bytes; /* of one thread */
    struct version reference, compiled;
    const struct version *_Atomic now;

    _Atomic enum convc_layer_state state;
    bool owed, telling; /* `done` is still to return; it is under way, ... */
    pthread_t teller;   /* ... in this thread */
    struct diag failure;
    void (*done)(void *data, convc_layer *layer, enum convc_status status);
    void *data;
};

static void lock(const struct convc_layer *layer)
{
    pthread_mutex_lock(&layer->jobs->guard.mutex);
}

static void unlock(const struct convc_layer *layer)
{
    pthread_mutex_unlock(&layer->jobs->guard.mutex);
}

static void version_free(struct version *v)
{
    convc_kernel_release(v->kernel);
    memory_free_aligned(v->packed);
}

static void layer_release(struct convc_layer *layer)
{
    if (atomic_fetch_sub_explicit(&layer->references, 1, memory_order_acq_rel) != 1)
        return;
    version_free(&layer->reference);
    version_free(&layer->compiled);
    jobs_release(layer->jobs);
    memory_free(layer);
}

/* ---- versions -------------------------------------------------------------------------------- */

/* Takes the kernel over. The kernel's own sentence about weights goes to `d`. */
static enum convc_status version_make(struct version *v, struct convc_kernel *k,
                                      const void *weights, struct diag *d)
{
    size_t bytes = convc_packed_bytes(k);
    *v = (struct version){ k, bytes ? memory_take_aligned(bytes) : NULL };
    if (bytes && !v->packed)
        return diag_memory(d);
    enum convc_status st = bytes ? convc_pack(k, weights, v->packed) : CONVC_OK;
    return st == CONVC_OK ? st : diag_fail(d, st, "%s", convc_last_error());
}

/* The weights as the caller gave them. */
static const void *plain_weights(const struct convc_layer *layer)
{
    const char *packed = layer->reference.packed;
    return packed ? packed + sizeof(struct convc_packed_header) : NULL;
}

/* Puts the compiled kernel in force, unless the layer was called off. */
static void adopt(struct convc_layer *layer, struct version *v)
{
    lock(layer);
    bool wanted = atomic_load(&layer->state) == CONVC_LAYER_COMPILING;
    if (wanted) {
        layer->compiled = *v;
        atomic_store_explicit(&layer->now, &layer->compiled, memory_order_release);
        atomic_store(&layer->state, CONVC_LAYER_READY);
    }
    unlock(layer);
    if (!wanted)
        version_free(v);
}

static void give_up(struct convc_layer *layer, const struct diag *d)
{
    lock(layer);
    if (atomic_load(&layer->state) == CONVC_LAYER_COMPILING) {
        layer->failure = *d;
        atomic_store(&layer->state, CONVC_LAYER_FAILED);
    }
    unlock(layer);
}

/* ---- the job --------------------------------------------------------------------------------- */

static enum convc_status find_kernel(struct convc_layer *layer, struct convc_kernel **out,
                                     struct diag *d)
{
    bool made;
    const struct plan *forced = layer->forced ? &layer->planned.plan : NULL;
    struct making m = { layer->cx, &layer->problem, NULL, forced, &layer->planned };
    if (cache_get(layer->cx->cache, &layer->key, context_make, &m, out, &made, d) == CONVC_OK &&
        !made)
        context_tell_found(*out);
    return d->status;
}

/* The kernel, unless its plan is another than the one that the workspace was promised for: the
 * tuning database may have learnt since. Then the one of that plan. */
static enum convc_status find_promised(struct convc_layer *layer, struct convc_kernel **out,
                                       struct diag *d)
{
    struct convc_kernel *k;
    if (find_kernel(layer, &k, d) != CONVC_OK)
        return d->status;
    if (k->workspace_bytes > layer->workspace_bytes) {
        convc_kernel_release(k);
        plan_print(&layer->planned.plan, layer->key.plan);
        layer->key.generation = 0;
        find_kernel(layer, &k, d);
    }
    *out = k;
    return d->status;
}

static void compile(struct job *job)
{
    struct convc_layer *layer = (struct convc_layer *)job;
    struct diag d = { 0 };
    struct convc_kernel *k = NULL;
    struct version v = { 0 };
    if (atomic_load(&layer->state) != CONVC_LAYER_COMPILING)
        return; /* called off, or in force already and only to be told */
    if (find_promised(layer, &k, &d) == CONVC_OK)
        version_make(&v, k, plain_weights(layer), &d);
    if (d.status == CONVC_OK) {
        adopt(layer, &v);
    } else {
        version_free(&v);
        give_up(layer, &d);
    }
}

static void tell(struct job *job)
{
    struct convc_layer *layer = (struct convc_layer *)job;
    lock(layer);
    layer->telling = layer->owed;
    layer->teller = pthread_self();
    bool call = layer->owed;
    unlock(layer);
    if (call)
        layer->done(layer->data, layer, api_fail(&layer->failure));
    lock(layer);
    layer->telling = layer->owed = false;
    pthread_cond_broadcast(&layer->jobs->changed);
    unlock(layer);
}

static void release(struct job *job)
{
    struct convc_layer *layer = (struct convc_layer *)job;
    context_release(layer->cx);
    layer_release(layer);
}

/* In a child: a callback that the parent had begun is not begun again. */
static bool lost(struct job *job)
{
    struct convc_layer *layer = (struct convc_layer *)job;
    bool begun = layer->telling;
    if (begun)
        layer->telling = layer->owed = false;
    return !begun;
}

/* ---- life ------------------------------------------------------------------------------------ */

static enum convc_status read_problem(struct convc_layer *layer, const struct convc_problem *p,
                                      const struct convc_layer_options *opt, struct diag *d)
{
    struct plan forced;
    if (problem_resolve(p, &layer->problem, d) != CONVC_OK)
        return d->status;
    problem_key(&layer->problem, &layer->key.problem);
    layer->forced = opt->plan != NULL;
    if (opt->plan) {
        if (context_force_plan(layer->cx, &layer->problem, opt->plan, &forced, d) != CONVC_OK)
            return d->status;
        plan_print(&forced, layer->key.plan);
    } else {
        layer->key.generation = atomic_load(&layer->cx->tuning.generation);
    }
    struct making m = { layer->cx, &layer->problem, NULL, opt->plan ? &forced : NULL, NULL };
    return context_plan(&m, &layer->planned, d);
}

/* The reference, with the weights. */
static enum convc_status begin(struct convc_layer *layer, const void *weights, struct diag *d)
{
    struct machine *machine = layer->cx->machine;
    struct convc_kernel *k;
    if (problem_packs(&layer->problem) && !weights)
        return diag_fail(d, CONVC_ERR_ARGUMENT, "convc_layer_create: weights must be given");
    if (machine->jit && layer->planned.none.status == CONVC_OK)
        layer->workspace_bytes =
            plan_workspace_bytes(&layer->problem, &layer->planned.plan, &machine->target);
    if (kernel_create(machine, &layer->problem, NULL, &k, d) != CONVC_OK)
        return d->status;
    kernel_refer(k, "its kernel is not compiled yet");
    atomic_init(&layer->now, &layer->reference);
    return version_make(&layer->reference, k, weights, d);
}

/* What is in memory is in force at once. */
static enum convc_status look_in_memory(struct convc_layer *layer, struct diag *d)
{
    struct version v;
    struct convc_kernel *k = cache_find(layer->cx->cache, &layer->key);
    if (k && k->workspace_bytes > layer->workspace_bytes) {
        convc_kernel_release(k);
        k = NULL;
    }
    if (!k)
        return CONVC_OK;
    context_tell_found(k);
    if (version_make(&v, k, plain_weights(layer), d) == CONVC_OK)
        adopt(layer, &v);
    else
        version_free(&v);
    return d->status;
}

static enum convc_status submit(struct convc_layer *layer, struct diag *d)
{
    layer->job = (struct job){ .run = compile, .tell = tell, .release = release, .lost = lost };
    if (atomic_load(&layer->state) == CONVC_LAYER_READY && !layer->done)
        return CONVC_OK;
    context_warm_up(layer->cx);
    atomic_fetch_add(&layer->references, 1);
    context_retain(layer->cx);
    if (jobs_submit(layer->jobs, &layer->job))
        return CONVC_OK;
    release(&layer->job);
    return diag_fail(d, CONVC_ERR_MEMORY, "the system allows no thread to compile on");
}

static enum convc_status create(convc_context *cx, const struct convc_problem *p,
                                const void *weights, const struct convc_layer_options *opt,
                                convc_layer **out, struct diag *d)
{
    struct convc_layer *layer = memory_zeroed(1, sizeof *layer);
    if (!layer)
        return diag_memory(d);
    atomic_init(&layer->references, 1);
    layer->cx = cx;
    layer->jobs = jobs_retain(cx->jobs);
    layer->done = opt->done;
    layer->data = opt->data;
    layer->owed = opt->done != NULL;
    if (read_problem(layer, p, opt, d) == CONVC_OK && begin(layer, weights, d) == CONVC_OK &&
        look_in_memory(layer, d) == CONVC_OK)
        submit(layer, d);
    if (d->status == CONVC_OK)
        *out = layer;
    else
        layer_release(layer);
    return d->status;
}

enum convc_status convc_layer_create(convc_context *cx, const struct convc_problem *p,
                                     const void *weights, const struct convc_layer_options *opt,
                                     convc_layer **out)
{
    struct diag d = { 0 };
    struct convc_layer_options options;
    if (!cx || !p || !out)
        return api_fail_with(CONVC_ERR_ARGUMENT,
                             "convc_layer_create: context, problem and out must be given");
    if (api_read("convc_layer_options", opt, &options, sizeof options, &d) == CONVC_OK)
        create(cx, p, weights, &options, out, &d);
    return api_fail(&d);
}

/* Calls a layer off, the mutex held. True: its job is the caller's to release. */
static bool call_off(struct convc_layer *layer)
{
    bool withdrawn = jobs_withdraw(layer->jobs, &layer->job) != NULL;
    bool in_time = atomic_load(&layer->state) == CONVC_LAYER_COMPILING;
    if (in_time)
        atomic_store(&layer->state, CONVC_LAYER_CANCELLED);
    if (in_time || withdrawn)
        layer->owed = false;
    pthread_cond_broadcast(&layer->jobs->changed);
    return withdrawn;
}

int32_t convc_layer_cancel(convc_layer *layer)
{
    bool withdrawn = false;
    if (!layer)
        return 0;
    lock(layer);
    bool in_time = atomic_load(&layer->state) == CONVC_LAYER_COMPILING;
    if (in_time)
        withdrawn = call_off(layer);
    unlock(layer);
    if (withdrawn)
        release(&layer->job);
    return in_time;
}

void layer_cancel_all(struct jobs *jobs)
{
    for (;;) {
        pthread_mutex_lock(&jobs->guard.mutex);
        struct convc_layer *layer = (struct convc_layer *)jobs->queue.first;
        if (layer)
            call_off(layer);
        pthread_mutex_unlock(&jobs->guard.mutex);
        if (!layer)
            return;
        release(&layer->job);
    }
}

void convc_layer_destroy(convc_layer *layer)
{
    if (!layer)
        return;
    lock(layer);
    bool withdrawn = call_off(layer);
    while (layer->telling && !pthread_equal(layer->teller, pthread_self()))
        pthread_cond_wait(&layer->jobs->changed, &layer->jobs->guard.mutex);
    layer->owed = false;
    unlock(layer);
    if (withdrawn)
        release(&layer->job);
    layer_release(layer);
}

/* ---- use ------------------------------------------------------------------------------------- */

size_t convc_layer_workspace_bytes(const convc_layer *layer, int64_t n, int32_t threads)
{
    if (!layer || n <= 0)
        return 0;
    if (threads <= 0)
        threads = pool_threads(layer->reference.kernel->machine->pool);
    return layer->workspace_bytes * (size_t)threads;
}

enum convc_status convc_layer_run(convc_layer *layer, const struct convc_args *args)
{
    struct convc_args own;
    if (!layer || !args)
        return api_fail_with(CONVC_ERR_ARGUMENT, "convc_layer_run: layer and args must be given");
    const struct version *v = atomic_load_explicit(&layer->now, memory_order_acquire);
    if (v == &layer->reference)
        jobs_kick(layer->jobs);
    memset(&own, 0, sizeof own);
    size_t given = args->struct_bytes;
    memcpy(&own, args, given < sizeof own ? sizeof own.struct_bytes : sizeof own);
    own.wei = v->packed;
    return kernel_run_in(v->kernel, &own, layer->workspace_bytes);
}

enum convc_layer_state convc_layer_state(const convc_layer *layer)
{
    return layer ? atomic_load(&layer->state) : CONVC_LAYER_FAILED;
}

convc_kernel *convc_layer_kernel(const convc_layer *layer)
{
    return layer ? atomic_load_explicit(&layer->now, memory_order_acquire)->kernel : NULL;
}

/* `seconds` from now; far off where that is more than a century. */
static struct timespec deadline(double seconds)
{
    struct timespec t;
    double whole = floor(fmin(seconds, 3e9));
    clock_gettime(CLOCK_MONOTONIC, &t);
    t.tv_sec += (time_t)whole;
    t.tv_nsec += (long)(fmin(seconds - whole, 1) * 999999999);
    t.tv_sec += t.tv_nsec / 1000000000;
    t.tv_nsec %= 1000000000;
    return t;
}

/* The mutex is held. `done` does not wait for its own return. */
static bool settled(const struct convc_layer *layer)
{
    bool self = layer->telling && pthread_equal(layer->teller, pthread_self());
    return atomic_load(&layer->state) != CONVC_LAYER_COMPILING && (self || !layer->owed);
}

static void await(struct convc_layer *layer, double seconds)
{
    const struct timespec end = deadline(seconds < 0 ? 0 : seconds);
    struct jobs *jobs = layer->jobs;
    bool over = seconds == 0;
    while (!settled(layer) && !over && !jobs_over()) {
        if (seconds < 0)
            pthread_cond_wait(&jobs->changed, &jobs->guard.mutex);
        else
            over = pthread_cond_timedwait(&jobs->changed, &jobs->guard.mutex, &end) != 0;
    }
}

enum convc_status convc_layer_wait(convc_layer *layer, double seconds)
{
    struct diag d = { 0 };
    if (!layer || isnan(seconds))
        return api_fail_with(CONVC_ERR_ARGUMENT,
                             "convc_layer_wait: layer and a number of seconds must be given");
    bool hope = jobs_kick(layer->jobs);
    lock(layer);
    if (hope)
        await(layer, seconds);
    if (!settled(layer) && !hope)
        diag_fail(&d, CONVC_ERR_MEMORY, "the system allows no thread to compile on");
    else if (!settled(layer) && jobs_over())
        diag_fail(&d, CONVC_ERR_CANCELLED, "the process ends before the layer is compiled");
    else if (!settled(layer))
        diag_fail(&d, CONVC_ERR_TIMEOUT, "the layer was not compiled within %g seconds", seconds);
    else if (atomic_load(&layer->state) == CONVC_LAYER_CANCELLED)
        diag_fail(&d, CONVC_ERR_CANCELLED, "the layer was cancelled");
    else
        d = layer->failure;
    unlock(layer);
    return api_fail(&d);
}
