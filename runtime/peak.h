/* peak: how fast the machine multiplies and adds when nothing else is in its way.
 *
 * Independent chains x = x*a + b in registers only, in assembly, so that no compiler option changes
 * what is measured. It runs on the threads that kernels run on: idle threads of a pool keep looking
 * for work for a while, and another set of threads would have to share the cores with them. Stands
 * on: diag, pool.
 */
#ifndef RUNTIME_PEAK_H
#define RUNTIME_PEAK_H

#include "runtime/pool.h"

/* The FMA peak of the pool's threads right now, in GFLOP/s, in about `seconds`; the best run
 * counts. */
enum convc_status peak_measure(struct pool *pool, enum convc_dtype dtype, double seconds,
                               double *gflops, struct diag *d);

#endif
