#include "runtime/pool.h"

#include "gen/base/memory.h"
#include "runtime/guard.h"

#include <pthreadpool.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>

/* More ranges than threads, so that a thread which falls behind sheds work to the others. */
enum { RANGES_PER_THREAD = 16 };

struct pool {
    struct guard guard; /* first: in_child casts. Held by the caller whose work is on the workers */
    int threads;
    convc_parallel_for host; /* NULL: the workers below */
    void *host_pool;
    pthreadpool_t workers; /* NULL until work comes */
};

struct run {
    void (*task)(void *argument, int64_t begin, int64_t end);
    void *argument;
    int64_t items, ranges;
    /* What the caller wrote is seen by the tasks, and what the tasks wrote by the caller, whatever
     * the pool is built from. */
    atomic_int started, finished;
};

/* The workers did not survive the fork, and nothing can join them: forget them. */
static void forget_workers(struct guard *g)
{
    ((struct pool *)g)->workers = NULL;
}

static int available_threads(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) != 0)
        return 1;
    int n = CPU_COUNT(&set);
    return n > 0 ? n : 1;
}

enum convc_status pool_create(int threads, convc_parallel_for host, void *host_pool,
                              struct pool **out, struct diag *d)
{
    if (threads < 0 || threads > POOL_THREADS_MAX)
        return diag_fail(d, CONVC_ERR_ARGUMENT, "threads=%d is not within 0 to %d", threads,
                         (int)POOL_THREADS_MAX);
    struct pool *pool = memory_zeroed(1, sizeof *pool);
    if (!pool)
        return diag_memory(d);
    if (guard_init(&pool->guard, forget_workers, d) != CONVC_OK) {
        memory_free(pool);
        return d->status;
    }
    pool->threads = threads ? threads : available_threads();
    pool->host = host;
    pool->host_pool = host_pool;
    *out = pool;
    return CONVC_OK;
}

void pool_destroy(struct pool *pool)
{
    if (!pool)
        return;
    if (pool->workers)
        pthreadpool_destroy(pool->workers);
    guard_destroy(&pool->guard);
    memory_free(pool);
}

int pool_threads(const struct pool *pool)
{
    return pool->threads;
}

static int64_t range_begin(const struct run *r, int64_t i)
{
    int64_t each = r->items / r->ranges, rest = r->items % r->ranges;
    return i * each + (i < rest ? i : rest);
}

static void run_range(void *argument, size_t i)
{
    struct run *r = argument;
    (void)atomic_load_explicit(&r->started, memory_order_acquire);
    r->task(r->argument, range_begin(r, (int64_t)i), range_begin(r, (int64_t)i + 1));
    atomic_fetch_add_explicit(&r->finished, 1, memory_order_release);
}

static void run_on_host(struct pool *pool, struct run *r)
{
    atomic_store_explicit(&r->started, 1, memory_order_release);
    pool->host(pool->host_pool, run_range, r, (size_t)r->ranges);
    (void)atomic_load_explicit(&r->finished, memory_order_acquire);
}

static void *pass_gate(void *gate)
{
    pthread_mutex_lock(gate);
    pthread_mutex_unlock(gate);
    return NULL;
}

/* How many of `wanted` threads the system grants at once, the caller's own among them. pthreadpool
 * waits forever for a worker that the system denied it. */
static int granted_threads(int wanted)
{
    pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
    pthread_t thread[POOL_THREADS_MAX];
    int granted = 1;
    pthread_mutex_lock(&gate);
    while (granted < wanted && pthread_create(&thread[granted], NULL, pass_gate, &gate) == 0)
        granted++;
    pthread_mutex_unlock(&gate);
    for (int i = 1; i < granted; i++)
        pthread_join(thread[i], NULL);
    pthread_mutex_destroy(&gate);
    /* At the limit, half of it leaves room for whatever else starts meanwhile. */
    return granted < wanted ? (granted + 1) / 2 : granted;
}

/* False where the workers are busy or cannot be had. A caller that finds them busy, be it another
 * thread or a task on this very pool, does its work itself rather than wait. */
static bool run_on_workers(struct pool *pool, struct run *r)
{
    if (pthread_mutex_trylock(&pool->guard.mutex) != 0)
        return false;
    if (!pool->workers)
        pool->workers = pthreadpool_create((size_t)granted_threads(pool->threads));
    bool ran = pool->workers != NULL;
    if (ran) {
        atomic_store_explicit(&r->started, 1, memory_order_release);
        pthreadpool_parallelize_1d(pool->workers, run_range, r, (size_t)r->ranges, 0);
        (void)atomic_load_explicit(&r->finished, memory_order_acquire);
    }
    pthread_mutex_unlock(&pool->guard.mutex);
    return ran;
}

void pool_run(struct pool *pool, void (*task)(void *argument, int64_t begin, int64_t end),
              void *argument, int64_t items)
{
    if (items <= 0)
        return;
    int64_t most = (int64_t)pool->threads * RANGES_PER_THREAD;
    struct run r = {
        .task = task, .argument = argument, .items = items, .ranges = items < most ? items : most
    };
    if (pool->threads == 1 || r.ranges == 1)
        task(argument, 0, items);
    else if (pool->host)
        run_on_host(pool, &r);
    else if (!run_on_workers(pool, &r))
        task(argument, 0, items);
}
