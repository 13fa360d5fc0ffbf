/* emitted: a kernel straight from problem and plan, and tensors to run it on.
 *
 * Values are whole numbers, so that every order of summation gives the same result, and the result
 * can be demanded exactly. Whatever no element of a tensor fills holds NaN. Failures of the system
 * and of the compiler end the test. Stands on: subject, named, draw, layout, jit, ref, cmocka.
 */
#ifndef TESTS_SUPPORT_EMITTED_H
#define TESTS_SUPPORT_EMITTED_H

#include "gen/plan/layout.h"
#include "runtime/jit.h"
#include "tests/support/support.h"

#include <stdbool.h>

/* For cmocka_run_group_tests: the machines of subject.h and a JIT. */
int emitted_setup(void **state);
int emitted_teardown(void **state);

/* ---- tensors -----------------------------------------------------------------------------------
 */

struct sample {
    struct problem problem;
    int64_t n;
    size_t src_bytes, bias_bytes, dst_bytes; /* dst_bytes of the residual too; 0 with n = 0 */
    void *src, *wei, *bias, *residual;       /* wei in the plain layout                     */
    void *expected;                          /* dst, with NaN between its elements          */
    double *error; /* how far each may be off, of functions of the user; else NULL           */
};

/* The same problem with constants that keep results exact. Sigmoid and its like remain. */
void sample_make_exact(struct convc_problem *p);

/* Draws the values and asks the reference. `p` must resolve. */
void sample_draw(struct sample *o, const struct convc_problem *p, struct test_random *r);
void sample_free(struct sample *o);

/* Fills `bytes` bytes with NaN of the problem's type. */
void sample_fill_nan(enum convc_dtype t, void *to, size_t bytes);

/* Is dst as expected of the plan? Else prints the first element that is not. The activations that
 * cannot be exact may err by what em_math.h states, transforms by their bound. */
bool sample_agrees(const struct sample *o, const struct plan *plan, const void *dst);

/* ---- kernels -----------------------------------------------------------------------------------
 */

struct emitted {
    struct problem problem;
    struct plan plan;
    const struct target *target;
    struct layout layout;
    size_t packed_bytes; /* header included */
    struct jit_code *code;
    convc_kernel_fn run;
};

/* `instrument` asks for the address sanitizer's checks. */
void emitted_make(struct emitted *e, const struct problem *p, const struct plan *plan,
                  const struct target *t, bool instrument);
void emitted_free(struct emitted *e);

/* Writes header and weights; slots that no channel fills hold 0. */
void emitted_pack(const struct emitted *e, const void *plain, void *packed);

/* Runs all work items of `n` images, split somewhere, each part in scratch memory of its own that
 * holds NaN. Ends the test where the kernel writes behind it. */
void emitted_run(const struct emitted *e, const struct convc_args *args, struct test_random *r);

/* Packs, runs on tensors of its own and compares; prints problem and plan where they differ. */
bool emitted_agrees(const struct emitted *e, const struct sample *o, struct test_random *r);

/* The plan, from its text, computes what the reference does; else the test fails. */
void assert_computes(const struct convc_problem *p, const char *plan, const struct target *t,
                     struct test_random *r);

/* Problem, plan and target on one line of stderr. */
void emitted_print(const struct problem *p, const struct plan *plan, const struct target *t);

#endif
