/* kernel: a problem, a plan and the machine code that computes the one by the other; or, where
 * there is no machine code, the reference and the reason.
 *
 * Immutable once made, counted, callable from any thread.
 * Stands on: machine, layout, ref.
 */
#ifndef RUNTIME_KERNEL_H
#define RUNTIME_KERNEL_H

#include "gen/plan/layout.h"
#include "runtime/machine.h"
#include "runtime/verbose.h"

/* Where one tensor of a batch lies, in elements. */
struct kernel_tensor {
    int64_t span;   /* of one image                       */
    int64_t stride; /* from one image to the next         */
    int64_t count;  /* elements of one image              */
    int64_t bytes;  /* of an element, and its alignment   */
};

struct convc_kernel {
    atomic_int references;
    struct machine *machine;
    struct problem problem;
    struct plan plan;
    struct layout layout;
    uint64_t layout_hash;
    size_t packed_bytes;            /* 0 where there are no weights to pack */
    size_t workspace_bytes;         /* of one call of the function */
    int64_t items[PLAN_PHASES_MAX]; /* of one image */
    struct kernel_tensor src, dst;
    double unit_bound;
    double cycles; /* of one image on one core, very roughly, but never 0 */

    convc_kernel_fn function; /* NULL: the reference */
    struct jit_code *code;
    size_t object_bytes;

    enum convc_source source;
    enum convc_plan_source plan_source;
    double compile_ms;
    char plan_text[PLAN_TEXT_MAX];
    char reason[sizeof((struct diag *)0)->text];
};

/* A kernel that is the reference until kernel_load, and stays it where `plan` is NULL: no algorithm
 * takes the problem. The caller owns one reference.
 * CONVC_ERR_MEMORY; CONVC_ERR_UNSUPPORTED where the packed weights exceed the address space. */
enum convc_status kernel_create(struct machine *m, const struct problem *p, const struct plan *plan,
                                struct convc_kernel **out, struct diag *d);

/* Gives it machine code: the object's function `symbol`. */
enum convc_status kernel_load(struct convc_kernel *k, const char *object, size_t count,
                              const char *symbol, enum convc_source source, struct diag *d);

/* Makes it final as the reference. */
void kernel_refer(struct convc_kernel *k, const char *reason);

/* A line for CONVC_VERBOSE, where it asks for that stage; number below 0: none. */
void kernel_tell(const struct convc_kernel *k, enum verbose_stage stage, const char *what,
                 int64_t number, double ms);

/* Computes n images; `args` has been checked. */
void kernel_run(const struct convc_kernel *k, const struct convc_args *args);

/* convc_run with a workspace of so many bytes for each thread, not less than the kernel needs: what
 * is refused then depends on that alone. args holds the whole structure. */
enum convc_status kernel_run_in(const struct convc_kernel *k, const struct convc_args *args,
                                size_t workspace_bytes);

#endif
