/* target: the machine that code is made for.
 *
 * Needs no LLVM: names, vector width, registers, caches. The host's own target is found by cpuid.
 * Errors: CONVC_ERR_UNSUPPORTED for a target text that names nothing known.
 * Stands on: base.
 */
#ifndef GEN_PLAN_TARGET_H
#define GEN_PLAN_TARGET_H

#include "gen/base/diag.h"

#include <stdbool.h>

/* What one core can do at most, in bytes that it reads per cycle of its arithmetic units. The
 * built-in ones were measured on a Zen 5; only their proportions matter. */
struct ceilings {
    double l1, l2, l3, memory;
};
static const struct ceilings usual_ceilings = { 128, 62, 28, 10 };

enum { TARGET_FEATURES_MAX = 512 };

struct target {
    char triple[64];                    /* "x86_64-pc-linux-gnu"                             */
    char cpu[64];                       /* an LLVM CPU name                                  */
    char features[TARGET_FEATURES_MAX]; /* "+avx512f,-avx10.1", LLVM's and our own; may be "" */

    int vector_bytes;     /* of the widest vector worth using; 4: there are none */
    int vector_registers; /* 16 or 32                                        */
    int pointer_bytes;    /* 4 or 8                                          */
    bool fma;             /* fused multiply-add in hardware                  */
    bool masks;           /* masked loads and stores cost like plain ones    */
    bool halves;          /* takes two cycles for what is as wide as that     */
    bool permutes;        /* moves lanes to places that the kernel computes  */
    int l1_bytes, l1_ways, l2_bytes;
    int l3_bytes; /* of all cores; 0: there is none */
    struct ceilings ceilings;
};

/* This machine. */
void target_host(struct target *t);

/* "TRIPLE:CPU[+feature...]", "CPU[+feature...]" on the host's triple, or "native"; -feature takes
 * one away. A named target is the same on every machine; "native" has the caches of this one. */
enum convc_status target_parse(const char *text, struct target *t, struct diag *d);

/* Can this machine run code made for `t`? If not, says which feature is missing. */
enum convc_status target_runs_here(const struct target *t, struct diag *d);

/* "TRIPLE:CPU[+feature...]": target_parse reads it back, to the same target where it made it. */
void target_print(const struct target *t, char *buffer, size_t size);

/* Bytes of L3 that one core can fill: systems report those of all core complexes together. */
int target_l3_of_core(const struct target *t);

/* Has it 16 vector registers, as x86-64 before AVX-512 has? Tiles are smaller there and spill
 * sooner, and what was fitted to measurements was fitted on a Zen 3, for the others on a Zen 5. */
bool target_narrow(const struct target *t);

/* The features that code for the target may use, as a set of its architecture: see isa.h. */
enum convc_status target_features(const struct target *t, uint64_t *set, struct diag *d);

/* Has it instructions for sums and products of real numbers? Code for others would call functions
 * of a compiler's library: CONVC_ERR_UNSUPPORTED, with the first feature that is missing. */
enum convc_status target_computes(const struct target *t, struct diag *d);

/* The features that LLVM knows, in its notation. */
void target_llvm_features(const struct target *t, char to[TARGET_FEATURES_MAX]);

/* Vectors whose length in bits, a multiple of 128, is a matter of the machine and not of its
 * instructions: the multiple; 0: there are none. */
int target_vscale(const struct target *t);

/* The same for code whose vectors must have a length that the instructions know: where it is a
 * matter of the machine, those of 16 bytes that it has beside. */
struct target target_of_known_length(const struct target *t);

/* Elements of `bytes` bytes in one vector. */
int target_lanes(const struct target *t, int64_t bytes);

#endif
