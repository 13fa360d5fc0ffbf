/* jobs: what a context does in the background, in the order in which it was asked.
 *
 * Threads start when there is work and end when there is none: an idle context has none. After a
 * fork the child has the jobs but not the threads, so those that ran are queued again, and the next
 * jobs_kick starts threads. Once jobs_hold_exit was called, no `run` and no `release` begins when
 * the process ends, and exit waits for those under way: destructors must not find a thread that is
 * still in LLVM. Counted, so that those who wait for a job outlive the context. Stands on: guard,
 * thread.
 */
#ifndef RUNTIME_JOBS_H
#define RUNTIME_JOBS_H

#include "runtime/guard.h"

#include <stdatomic.h>
#include <stdbool.h>

/* Part of what is to be done. All but `lost` are called without a lock; a job may run again only
 * once it was released. */
struct job {
    void (*run)(struct job *job);     /* the work                                          */
    void (*tell)(struct job *job);    /* then: a host's callback, which may take its time  */
    void (*release)(struct job *job); /* then, or when it was withdrawn: it is in no list  */
    bool (*lost)(struct job *job);    /* in a child, whose parent runs it; the mutex is held.
                                         True: it is to run in the child too               */
    struct job *next;
    bool queued;
};

struct job_list {
    struct job *first, *last;
};

struct jobs {
    struct guard guard;     /* first: in_child casts. For the states of jobs too           */
    pthread_cond_t changed; /* of the state of a job                                       */
    atomic_int references;
    int most, threads, working; /* threads at most, now, and in `run`                      */
    struct job_list queue, running;
    atomic_bool stalled; /* there are jobs and no threads, for want of a jobs_kick */
};

/* The caller owns one reference. CONVC_ERR_MEMORY. */
enum convc_status jobs_create(int threads, struct jobs **out, struct diag *d);
struct jobs *jobs_retain(struct jobs *jobs);
void jobs_release(struct jobs *jobs);

/* False where no thread can be had; then the job is not queued. */
bool jobs_submit(struct jobs *jobs, struct job *job);

/* Takes a job out of the queue, or the first one where it is NULL; NULL where it is not there. The
 * mutex is held; the caller releases the job without it. */
struct job *jobs_withdraw(struct jobs *jobs, struct job *job);

/* To be called once, when what destructors will destroy is there: they run in reverse order. */
void jobs_hold_exit(void);

/* Does the process end? Then no job begins any more; `changed` tells. */
bool jobs_over(void);

/* Starts the threads that a fork took away. False where there are jobs and no thread for them. */
bool jobs_kick(struct jobs *jobs);

#endif
