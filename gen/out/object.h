/* object: from problem and plan to bytes: an object file, assembly, IR or bitcode.
 *
 * Makes its own LLVM context and target machine, so any number of threads may call at once. The
 * same input gives the same bytes. The module holds one function of type convc_kernel_fn named
 * `symbol`, and where `name` is given those of gen/emit/entries.h. Errors: CONVC_ERR_COMPILER with
 * LLVM's sentence; CONVC_ERR_UNSUPPORTED for a target that this LLVM does not have. Stands on:
 * emit, plan, llvm-c.
 */
#ifndef GEN_OUT_OBJECT_H
#define GEN_OUT_OBJECT_H

#include "gen/plan/plan.h"

enum object_form { OBJECT_ELF, OBJECT_ASM, OBJECT_IR, OBJECT_BITCODE };

struct object_request {
    const struct problem *problem;
    const struct plan *plan;
    const struct target *target;
    const char *symbol;
    const char *name; /* of a static kernel's functions; NULL: the kernel alone */
    bool hidden;      /* static: are they for what they are linked into alone?  */
    bool local;       /* static: is the kernel for those functions alone?       */
    bool small;       /* less code is worth more than fewer cycles              */
    enum object_form form;
    bool instrument; /* address sanitizer's checks in the kernel, for tests */
};

/* Freed by object_free. */
struct object {
    char *bytes;
    size_t count;
};

enum convc_status object_emit(const struct object_request *r, struct object *out, struct diag *d);
void object_free(struct object *o);

/* What picks among the variants of a kernel, or (kernel NULL) finds out which: gen/emit/dispatch.h.
 */
struct dispatch_kernel;
struct dispatch_selector;
struct object_dispatch {
    const struct dispatch_kernel *kernel;
    const struct dispatch_selector *selector;
    const struct target *target;
    enum object_form form;
    bool hidden;
};
enum convc_status object_dispatch(const struct object_dispatch *r, struct object *out,
                                  struct diag *d);

/* Makes LLVM's targets known, once: whoever uses LLVM otherwise calls this first, since LLVM's own
 * calls for that may not run at the same time. */
void object_prepare(void);

/* The exact version of LLVM behind this build: "19.1.7". */
const char *object_llvm_version(void);

#endif
