#include "gen/out/aside.h"

#include "gen/base/memory.h"
#include "gen/base/thread.h"

#include <dlfcn.h>
#include <llvm-c/ErrorHandling.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Made by the caller, who frees it unless the thread is lost, which stands in it for good. */
struct job {
    pthread_mutex_t mutex;
    pthread_cond_t settled;
    void (*work)(void *argument);
    void *argument;
    bool done, lost;
};

static _Thread_local struct job *mine; /* NULL: this is no thread of aside_run */

enum { WORKING, GIVING_UP, LOST };
static atomic_int state; /* of LLVM; the reason is written while it is GIVING_UP */
static char reason_kept[256];

/* ---- the fault ------------------------------------------------------------------------------- */

bool aside_lost(void)
{
    return atomic_load(&state) != WORKING;
}

static enum convc_status refuse(struct diag *d)
{
    const char *why = atomic_load(&state) == LOST ? reason_kept : "a fatal error";
    return diag_fail(d, CONVC_ERR_COMPILER,
                     "LLVM gave up in this process and is not called again: %s", why);
}

static void settle(struct job *job, bool lost)
{
    pthread_mutex_lock(&job->mutex);
    job->done = !lost;
    job->lost = lost;
    pthread_cond_signal(&job->settled);
    pthread_mutex_unlock(&job->mutex);
}

void aside_fault(const char *reason)
{
    int working = WORKING;
    if (!mine) {
        fprintf(stderr, "LLVM ERROR: %s\n", reason ? reason : "");
        return;
    }
    if (atomic_compare_exchange_strong(&state, &working, GIVING_UP)) {
        snprintf(reason_kept, sizeof reason_kept, "%s", reason ? reason : "");
        atomic_store(&state, LOST);
    }
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, NULL);
    settle(mine, true);
    for (;;)
        pause();
}

/* Running out of memory has a handler of its own, which LLVM's C interface leaves out. Named as the
 * Itanium ABI has it: llvm::install_bad_alloc_error_handler. */
extern void
install_bad_alloc(void (*handler)(void *data, const char *reason, bool crash),
                  void *data) __asm__("_ZN4llvm31install_bad_alloc_error_handlerEPFvPvPKcbES0_");

static void out_of_memory(void *data, const char *reason, bool crash)
{
    (void)data;
    (void)crash;
    aside_fault(reason);
    abort(); /* as without a handler: LLVM takes it that this one does not return */
}

/* Most of what LLVM allocates it gets by `new` of C++, which throws where there is no memory, and
 * nothing in LLVM catches it. Before that it calls a handler, one for the process. */
typedef void (*new_handler)(void);

static new_handler (*get_new_handler)(void);
static new_handler (*set_new_handler)(new_handler);
static new_handler others; /* that ours took the place of; NULL: none */

/* Without another handler `new` asks again, finds none and throws. */
static void no_memory_for_new(void)
{
    if (mine)
        aside_fault("LLVM is out of memory");
    if (others)
        others();
    else
        set_new_handler(NULL);
}

/* The library of C++ came with LLVM; its names are those of the Itanium ABI. */
static void find_new_handlers(void)
{
    void *library = dlopen("libstdc++.so.6", RTLD_LAZY | RTLD_NOLOAD);
    if (!library)
        return;
    *(void **)&get_new_handler = dlsym(library, "_ZSt15get_new_handlerv");
    *(void **)&set_new_handler = dlsym(library, "_ZSt15set_new_handlerPFvvE");
    if (!get_new_handler || !set_new_handler)
        return;
    others = get_new_handler();
    set_new_handler(no_memory_for_new);
}

/* Takes no handler's place but that of none. */
static void watch_new(void)
{
    if (get_new_handler && set_new_handler && !get_new_handler())
        set_new_handler(no_memory_for_new);
}

/* ---- fork ------------------------------------------------------------------------------------ */

static struct {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    int working; /* threads that are in LLVM        */
    int forks;   /* that wait: nobody else goes in */
} door = { .mutex = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER };

void aside_enter(void)
{
    pthread_mutex_lock(&door.mutex);
    while (door.forks > 0)
        pthread_cond_wait(&door.changed, &door.mutex);
    door.working++;
    pthread_mutex_unlock(&door.mutex);
}

void aside_leave(void)
{
    pthread_mutex_lock(&door.mutex);
    door.working--;
    pthread_cond_broadcast(&door.changed);
    pthread_mutex_unlock(&door.mutex);
}

/* Keeps the mutex. */
static void before_fork(void)
{
    pthread_mutex_lock(&door.mutex);
    door.forks++;
    while (door.working > 0)
        pthread_cond_wait(&door.changed, &door.mutex);
}

static void after_fork(void)
{
    door.forks--;
    pthread_cond_broadcast(&door.changed);
    pthread_mutex_unlock(&door.mutex);
}

/* Whoever waited is not in the child. */
static void after_fork_in_child(void)
{
    door.forks = 0;
    pthread_cond_init(&door.changed, NULL);
    pthread_mutex_unlock(&door.mutex);
}

static void hook(void)
{
    pthread_atfork(before_fork, after_fork, after_fork_in_child);
}

void aside_prepare(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, hook);
}

static void install(void)
{
    aside_prepare();
    LLVMInstallFatalErrorHandler(aside_fault);
    install_bad_alloc(out_of_memory, NULL);
    find_new_handlers();
}

/* ---- the thread ------------------------------------------------------------------------------ */

static void *run(void *job)
{
    mine = job;
    mine->work(mine->argument);
    settle(mine, false);
    return NULL;
}

/* Frees the job, unless its thread is lost. */
static void await(struct job *job, pthread_t thread, struct diag *d)
{
    pthread_mutex_lock(&job->mutex);
    while (!job->done && !job->lost)
        pthread_cond_wait(&job->settled, &job->mutex);
    bool lost = job->lost;
    pthread_mutex_unlock(&job->mutex);
    if (lost) {
        pthread_detach(thread);
        refuse(d);
        return;
    }
    pthread_join(thread, NULL);
    pthread_cond_destroy(&job->settled);
    pthread_mutex_destroy(&job->mutex);
    memory_free(job);
}

/* On this very thread where there can be no other. */
static enum convc_status run_job(void (*work)(void *argument), void *argument, struct diag *d)
{
    pthread_t thread;
    struct job *job = memory_zeroed(1, sizeof *job);
    if (!job)
        return diag_memory(d);
    pthread_mutex_init(&job->mutex, NULL);
    pthread_cond_init(&job->settled, NULL);
    job->work = work;
    job->argument = argument;
    if (thread_start(run, job, &thread)) {
        await(job, thread, d);
        return d->status;
    }
    memory_free(job);
    work(argument);
    return d->status;
}

enum convc_status aside_run(void (*work)(void *argument), void *argument, struct diag *d)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, install);
    if (mine) {
        work(argument);
        return d->status;
    }
    watch_new();
    aside_enter();
    if (aside_lost())
        refuse(d);
    else
        run_job(work, argument, d);
    aside_leave();
    return d->status;
}
