/* peak: how fast the machine multiplies and adds when nothing else is in its way.
 *
 * Independent chains x = x*a + b in registers only, in assembly, so that no compiler option changes
 * what is measured. The threads start each short run together; the best run counts.
 * Stands on: diag, pthread.
 */
#ifndef RUNTIME_PEAK_H
#define RUNTIME_PEAK_H

#include "gen/base/diag.h"

/* The FMA peak of `threads` threads right now, in GFLOP/s, in about `seconds`. CONVC_ERR_MEMORY
 * where the system denies that many. */
enum convc_status peak_measure(enum convc_dtype dtype, int threads, double seconds, double *gflops,
                               struct diag *d);

#endif
