/* bandwidth: how fast one core reads, from each level of its caches and from memory.
 *
 * A loop of the widest loads that the machine has goes over a buffer again and again, in assembly,
 * so that no compiler option changes what is measured. The best pass counts.
 * Errors: CONVC_ERR_MEMORY. Stands on: diag.
 */
#ifndef RUNTIME_BANDWIDTH_H
#define RUNTIME_BANDWIDTH_H

#include "gen/base/diag.h"

#include <stdint.h>

/* Reads `bytes`, a multiple of 4096, for about `seconds` in the caller's thread; 10^9 bytes a
 * second. */
enum convc_status bandwidth_measure(int64_t bytes, double seconds, double *gigabytes,
                                    struct diag *d);

#endif
