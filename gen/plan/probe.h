/* probe: what a program must ask a CPU before it runs code for a target. x86-64 and AArch64.
 *
 * On x86-64 it asks by cpuid. On AArch64 it reads the ID registers, which Linux (4.11 and later),
 * Android and FreeBSD let every program do, and code without a system may do by itself.
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

/* The field of four bits from `bit` on must be `least` or more, as a number with a sign. */
enum probe_id { PROBE_PFR0, PROBE_ISAR0, PROBE_ISAR1, PROBE_ZFR0, PROBE_IDS };
struct probe_field {
    enum probe_id id;
    int bit, least;
};
enum { PROBES_MAX = 16 };

struct probes {
    struct probe list[PROBES_MAX];
    int count;
    uint32_t state; /* bits of XCR0 that must be set: registers that the system saves */
    struct probe_field field[PROBES_MAX];
    int fields;
    int vector_bytes; /* of SVE's vectors, exactly; 0: any */
};

/* CONVC_ERR_UNSUPPORTED where a program cannot ask. */
enum convc_status probes_of(const struct target *t, struct probes *p, struct diag *d);

/* The CPU of the target's architecture whose code runs on all of them. */
const char *probes_plainest(const struct target *t);

/* Should a machine that runs both run `a`? Wider vectors, then more features. */
bool probes_prefer(const struct target *a, const struct target *b);

#endif
