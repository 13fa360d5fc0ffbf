/* pool: parallel_for over a range, on pthreadpool or on the host's own pool.
 * Stands on: convc/convc.h, pthreadpool.
 */
#ifndef RUNTIME_POOL_H
#define RUNTIME_POOL_H

#include "gen/base/diag.h"

#include <convc/convc.h>

enum { POOL_THREADS_MAX = 1024 };

struct pool;

/* threads 0: as many as the process may run on; at most 1024. Threads start at the first pool_run
 * that needs them, fewer where the system denies some. */
enum convc_status pool_create(int threads, convc_parallel_for host, void *host_pool,
                              struct pool **out, struct diag *d);
void pool_destroy(struct pool *pool);
int pool_threads(const struct pool *pool);

/* Calls task(argument, begin, end) on ranges that cover [0, items) once; in the caller's thread
 * alone where one range is enough. Callable from any number of threads. */
void pool_run(struct pool *pool, void (*task)(void *argument, int64_t begin, int64_t end),
              void *argument, int64_t items);

#endif
