/* parallel: a range of independent items on several threads.
 * Stands on: pthreads.
 */
#ifndef CLI_PARALLEL_H
#define CLI_PARALLEL_H

#include <stdint.h>

/* Calls task(argument, begin, end) on ranges of at most `grain` items that cover [0, items) once,
 * from `threads` threads, of which the caller's is one. Fewer threads do where none can be made. */
void parallel_ranges(int threads, int64_t items, int64_t grain,
                     void (*task)(void *argument, int64_t begin, int64_t end), void *argument);

#endif
