/* probe: what a program must ask a CPU before it runs code for a target. x86-64.
 * Stands on: target, isa.
 */
#ifndef GEN_PLAN_PROBE_H
#define GEN_PLAN_PROBE_H

#include "gen/plan/target.h"

/* All bits of `mask` must be set in register `reg` (eax, ebx, ecx, edx) of cpuid. */
struct probe {
    uint32_t leaf, subleaf, mask;
    int reg;
};
enum { PROBES_MAX = 16 };

struct probes {
    struct probe list[PROBES_MAX];
    int count;
    uint32_t state; /* bits of XCR0 that must be set: registers that the system saves */
};

/* CONVC_ERR_UNSUPPORTED for other architectures, which have no cpuid. */
enum convc_status probes_of(const struct target *t, struct probes *p, struct diag *d);

/* Should a machine that runs both run `a`? Wider vectors, then more features. */
bool probes_prefer(const struct target *a, const struct target *b);

#endif
