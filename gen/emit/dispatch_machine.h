/* dispatch_machine: code that asks the CPU that it runs on. Stands on: em, probe.
 */
#ifndef GEN_EMIT_DISPATCH_MACHINE_H
#define GEN_EMIT_DISPATCH_MACHINE_H

#include "gen/emit/em.h"
#include "gen/plan/probe.h"

/* What the CPU had to say. */
struct machine {
    /* x86-64: the highest leaves it knows, and which registers the system saves. */
    LLVMValueRef basic, extended, state;
    /* AArch64: registers that are asked for, and the bytes of SVE's vectors. */
    LLVMValueRef id[PROBE_IDS], vector_bytes;
};

/* Asks for what all targets together must know. */
struct machine machine_ask(struct em *em, const struct probes *probes, int targets);

/* Does the machine run code of these probes? */
LLVMValueRef machine_fits(struct em *em, const struct machine *m, const struct probes *p);

#endif
