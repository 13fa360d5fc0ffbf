/* dispatch: one kernel for several CPUs of one architecture.
 *
 * The selector of a library asks the CPU, at the first call and from any thread, which of the
 * library's targets it runs, and remembers the best:
 *
 *     int32_t LIBRARY_target(void)         the number of the target in use
 *     int32_t LIBRARY_use(int32_t target)  that one from now on, -1: the best; 0 where it cannot be
 *
 * The functions of a kernel NAME are those of entries.h and call NAME__TARGET's, as it says. They
 * are made for the plainest CPU. Stands on: em, entries, probe.
 */
#ifndef GEN_EMIT_DISPATCH_H
#define GEN_EMIT_DISPATCH_H

#include "gen/emit/em.h"
#include "gen/plan/plan.h"
#include "gen/plan/probe.h"

enum { DISPATCH_TARGETS = 16 };

struct dispatch_kernel {
    const struct problem *problem;
    const char *name, *variant[DISPATCH_TARGETS];
    int variants;
    const char *library;
};
void dispatch_kernel(struct em *em, const struct dispatch_kernel *k);

struct dispatch_selector {
    const char *library;
    const struct probes *probes; /* of each target               */
    const int *order;            /* targets, the preferred first */
    int targets;
};
void dispatch_selector(struct em *em, const struct dispatch_selector *s);

#endif
