/* subject: one function of em_math as a kernel, on every machine that can run here.
 *
 * A subject computes dst[i] = f(src[i]); its work items are vectors. What fails fails the test.
 * Stands on: em_math, jit, cmocka.
 */
#ifndef TESTS_SUPPORT_SUBJECT_H
#define TESTS_SUPPORT_SUBJECT_H

#include "gen/emit/em_math.h"
#include "runtime/jit.h"

#include <llvm-c/TargetMachine.h>

/* "native" first; the last one has no fused multiply-add. */
enum { MACHINES_MAX = 3 };
extern int machines;
extern struct target machine[MACHINES_MAX];
extern const char *machine_name[MACHINES_MAX];

/* For cmocka_run_group_tests. */
int machines_find(void **state);
int machines_forget(void **state);

enum function { EXP, TANH, ERF, LOG, ACTIVATION };

struct subject {
    enum function function;
    enum convc_activation activation;
    double args[2];
    bool wide; /* f64 */
    int lanes; /* 0 is a scalar */
};

/* `count` elements, a multiple of the lanes. */
void subject_run(const struct subject *s, const struct target *t, const void *src, void *dst,
                 int64_t count);

/* The same, to be run more than once. */
struct code {
    struct jit_code *loaded;
    convc_kernel_fn run;
    int step;
};
struct code code_make(const struct subject *s, const struct target *t);

/* Any module's function `symbol`, of step 1. Disposes of the module. */
struct code code_load(LLVMModuleRef module, const struct target *t, const char *symbol);
void code_run(const struct code *c, const void *src, void *dst, int64_t count);
void code_free(struct code *c);

/* Assembly, of a function named "subject"; disposed of by the caller. */
LLVMMemoryBufferRef subject_assembly(const struct subject *s, const struct target *t);

#endif
