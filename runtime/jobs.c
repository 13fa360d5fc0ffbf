#include "runtime/jobs.h"

#include "gen/base/memory.h"
#include "gen/base/thread.h"

#include <stdlib.h>
#include <time.h>
#include <unistd.h>

/* ---- the end of the process ------------------------------------------------------------------ */

/* A compile takes milliseconds; one that hangs shall not keep the process. */
enum { EXIT_WAITS_MS = 10000 };

static atomic_bool ending;
static atomic_int working; /* parts of jobs, in all contexts */

static void wait_for_work(void)
{
    const struct timespec millisecond = { 0, 1000000 };
    atomic_store(&ending, true);
    for (int i = 0; i < EXIT_WAITS_MS && atomic_load(&working) > 0; i++)
        nanosleep(&millisecond, NULL);
}

void jobs_hold_exit(void)
{
    atexit(wait_for_work);
}

/* A part of a job that may be in LLVM: the end of the process waits for it. Where that has begun
 * already there is no return, and who waits is told. */
static void work_on(struct jobs *jobs, struct job *job, void (*part)(struct job *job))
{
    atomic_fetch_add(&working, 1);
    bool over = atomic_load(&ending);
    if (!over)
        part(job);
    atomic_fetch_sub(&working, 1);
    if (!over)
        return;
    pthread_mutex_lock(&jobs->guard.mutex);
    pthread_cond_broadcast(&jobs->changed);
    pthread_mutex_unlock(&jobs->guard.mutex);
    for (;;)
        pause();
}

bool jobs_over(void)
{
    return atomic_load(&ending);
}

/* ---- lists ----------------------------------------------------------------------------------- */

static void append(struct job_list *list, struct job *job)
{
    job->next = NULL;
    *(list->last ? &list->last->next : &list->first) = job;
    list->last = job;
}

static void take_out(struct job_list *list, struct job *job)
{
    struct job *before = NULL;
    for (struct job *j = list->first; j != job; j = j->next)
        before = j;
    *(before ? &before->next : &list->first) = job->next;
    if (list->last == job)
        list->last = before;
}

static void enqueue(struct jobs *jobs, struct job *job)
{
    append(&jobs->queue, job);
    job->queued = true;
}

struct job *jobs_withdraw(struct jobs *jobs, struct job *job)
{
    if (!job)
        job = jobs->queue.first;
    if (!job || !job->queued)
        return NULL;
    take_out(&jobs->queue, job);
    job->queued = false;
    return job;
}

/* ---- threads --------------------------------------------------------------------------------- */

/* The mutex is held before and after. */
static void run_one(struct jobs *jobs, struct job *job)
{
    append(&jobs->running, job);
    jobs->working++;
    pthread_mutex_unlock(&jobs->guard.mutex);
    work_on(jobs, job, job->run);
    pthread_mutex_lock(&jobs->guard.mutex);
    jobs->working--;
    pthread_mutex_unlock(&jobs->guard.mutex);
    job->tell(job);
    pthread_mutex_lock(&jobs->guard.mutex);
    take_out(&jobs->running, job);
    pthread_mutex_unlock(&jobs->guard.mutex);
    work_on(jobs, job,
            job->release); /* what was the context's or the layer's last goes by LLVM, too */
    pthread_mutex_lock(&jobs->guard.mutex);
}

static void *work(void *argument)
{
    struct jobs *jobs = argument;
    pthread_mutex_lock(&jobs->guard.mutex);
    for (struct job *job; (job = jobs_withdraw(jobs, NULL));)
        run_one(jobs, job);
    jobs->threads--;
    pthread_mutex_unlock(&jobs->guard.mutex);
    jobs_release(jobs);
    return NULL;
}

/* One more thread, where there may be one and it can be had. The mutex is held. */
static bool add_thread(struct jobs *jobs)
{
    pthread_t thread;
    if (jobs->threads == jobs->most)
        return false;
    if (!thread_start(work, jobs_retain(jobs), &thread)) {
        atomic_fetch_sub(&jobs->references, 1);
        return false;
    }
    pthread_detach(thread);
    jobs->threads++;
    return true;
}

bool jobs_submit(struct jobs *jobs, struct job *job)
{
    pthread_mutex_lock(&jobs->guard.mutex);
    enqueue(jobs, job);
    bool fine = add_thread(jobs) || jobs->threads > 0;
    if (!fine)
        jobs_withdraw(jobs, job);
    pthread_mutex_unlock(&jobs->guard.mutex);
    return fine;
}

bool jobs_kick(struct jobs *jobs)
{
    int queued = 0;
    if (!atomic_load(&jobs->stalled))
        return true;
    pthread_mutex_lock(&jobs->guard.mutex);
    for (const struct job *job = jobs->queue.first; job; job = job->next)
        queued++;
    while (queued > jobs->threads && add_thread(jobs))
        ;
    bool fine = !queued || jobs->threads > 0;
    atomic_store(&jobs->stalled, !fine);
    pthread_mutex_unlock(&jobs->guard.mutex);
    return fine;
}

/* ---- life ------------------------------------------------------------------------------------ */

/* Its waits end at times of the clock that only goes forward. */
static void init_changed(struct jobs *jobs)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&jobs->changed, &attributes);
    pthread_condattr_destroy(&attributes);
}

/* Their threads are not in the child, nor is whoever waited. What ran comes first again. */
static void requeue(struct guard *g)
{
    struct jobs *jobs = (struct jobs *)g;
    struct job_list lost = jobs->running, waiting = jobs->queue;
    jobs->running = jobs->queue = (struct job_list){ 0 };
    for (struct job *job = lost.first, *next; job; job = next) {
        next = job->next;
        if (job->lost(job))
            enqueue(jobs, job);
    }
    for (struct job *job = waiting.first, *next; job; job = next) {
        next = job->next;
        enqueue(jobs, job);
    }
    jobs->working = 0;
    atomic_store(&working, 0);
    atomic_fetch_sub(&jobs->references, jobs->threads);
    jobs->threads = 0;
    atomic_store(&jobs->stalled, jobs->queue.first != NULL);
    init_changed(jobs);
}

enum convc_status jobs_create(int threads, struct jobs **out, struct diag *d)
{
    struct jobs *jobs = memory_zeroed(1, sizeof *jobs);
    if (!jobs)
        return diag_memory(d);
    init_changed(jobs);
    atomic_init(&jobs->references, 1);
    jobs->most = threads;
    /* From here on the child of a fork looks into it. */
    if (guard_init(&jobs->guard, requeue, d) != CONVC_OK) {
        pthread_cond_destroy(&jobs->changed);
        memory_free(jobs);
        return d->status;
    }
    *out = jobs;
    return CONVC_OK;
}

struct jobs *jobs_retain(struct jobs *jobs)
{
    atomic_fetch_add_explicit(&jobs->references, 1, memory_order_relaxed);
    return jobs;
}

void jobs_release(struct jobs *jobs)
{
    if (!jobs || atomic_fetch_sub_explicit(&jobs->references, 1, memory_order_acq_rel) != 1)
        return;
    guard_destroy(&jobs->guard); /* first, for the same reason */
    pthread_cond_destroy(&jobs->changed);
    memory_free(jobs);
}
