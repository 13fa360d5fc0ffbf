/* execution: a kernel with what it needs to run: packed weights and workspace. */
#ifndef CLI_EXECUTION_H
#define CLI_EXECUTION_H

#include "runtime/cli/tensor.h"

struct execution {
    convc_kernel *kernel;
    struct convc_kernel_info info;
    enum convc_source source; /* where this compile found it */
    double compile_ms;        /* wall time of convc_compile  */
    void *packed, *workspace;
};

/* Compiles. `plan` NULL: the best. *status, where not NULL, tells why it failed. */
enum exit_code execution_compile(convc_context *cx, const struct convc_problem *p, const char *plan,
                                 struct execution *x, enum convc_status *status, struct failure *f);

/* Packs the weights and allocates the workspace. */
enum exit_code execution_pack(struct execution *x, const struct convc_args *plain, int threads,
                              struct failure *f);

/* The arguments of convc_run for operands whose weights are plain. */
void execution_args(const struct execution *x, const struct convc_args *plain, void *dst,
                    struct convc_args *out);
void execution_free(struct execution *x);

/* Seconds on a clock that only goes forward. */
double seconds_now(void);

/* "memory", "disk", "compiled", "reference" */
const char *source_name(enum convc_source s);

/* Floating-point operations: two for each tap of each output, inside of the input or not. */
double problem_flops(const struct convc_problem *p);

#endif
