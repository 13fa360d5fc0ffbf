/* isa: the architectures, features and CPUs that convc knows by name. Tables, and no LLVM.
 *
 * The names are LLVM's, but for a few of our own. A set of features is a word of bits; which bit is
 * which is the business of the architecture. Of an architecture's features the tables list those
 * that compiled kernels may come to use. Stands on: target.
 */
#ifndef GEN_PLAN_ISA_H
#define GEN_PLAN_ISA_H

#include "gen/plan/target.h"

struct isa_feature {
    const char *name;
    uint64_t needs; /* features that must be there too */
    /* Where the machine reports it. x86-64: cpuid leaf, subleaf, register (0 eax to 3 edx) and bit.
     * Linux on other machines: word `leaf` and bit of the auxiliary vector; -1: not reported. */
    int64_t leaf;
    int subleaf, reg, bit;
    bool own; /* a name of convc's, which LLVM does not know */
};

struct isa_cpu {
    const char *name;
    uint64_t features;
    int l1_kib, l1_ways, l2_kib;
};

struct isa {
    const char *name;
    const char *alias; /* another name that triples use; may be NULL */
    const struct isa_feature *feature;
    int features;
    const struct isa_cpu *cpu;
    int cpus;
    uint64_t arithmetic; /* features that sums and products of real numbers take */
    /* Fills in what kernels depend on: vectors, registers, fma, masks. */
    void (*describe)(uint64_t features, struct target *t);
};

/* By the first part of a triple, `size` characters; NULL where unknown. */
const struct isa *isa_find(const char *name, size_t size);

/* The index of the longest name that `text` begins with and that ends there or before '+' or '-';
 * -1 where there is none. */
int isa_match_cpu(const struct isa *isa, const char *text);
int isa_match_feature(const struct isa *isa, const char *text);

/* `set` with a feature and all that it needs; without it and all that need it; without all that
 * lack something they need. */
uint64_t isa_add(const struct isa *isa, uint64_t set, int feature);
uint64_t isa_remove(const struct isa *isa, uint64_t set, int feature);
uint64_t isa_complete(const struct isa *isa, uint64_t set);

/* This machine: its architecture (NULL where unknown), what it supports, and the best CPU of the
 * table that runs here. */
const struct isa *isa_host(void);
uint64_t isa_host_features(void);
const struct isa_cpu *isa_host_cpu(uint64_t features);

#endif
