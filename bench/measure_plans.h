/* measure_plans: plans of one problem, compiled, checked against the reference and timed by turns.
 *
 * The operands of a problem are filled from a seed and the reference is asked once; all plans work
 * on the same memory and are judged by the same expectation. Plans stand in slots, and keep their
 * kernel, packed weights and workspace until the slot is used anew. The disk cache plays no part.
 * Stands on: harness, judge, execution, inputs.
 */
#ifndef BENCH_MEASURE_PLANS_H
#define BENCH_MEASURE_PLANS_H

#include "runtime/cli/execution.h"
#include "runtime/cli/inputs.h"
#include "runtime/cli/judge.h"

enum { MEASURE_SLOTS = 16 };

struct measure_slot {
    struct execution x; /* no kernel: empty */
    double seconds;     /* of a run, as far as is known */
};

struct measure {
    struct options o; /* threads and seed */
    convc_context *cx;
    convc_spec *spec;
    struct layer layer;
    bool ready; /* there is a problem */

    struct tensors tensors;
    struct guarded dst;
    struct array output;
    struct expectation e;
    struct measure_slot slot[MEASURE_SLOTS];
};

/* target NULL: this machine; EXIT_USAGE where it is not for this machine. Close with measure_close,
 * whatever the outcome. */
enum exit_code measure_open(const char *target, int threads, struct measure *m, struct failure *f);
void measure_close(struct measure *m);

/* Takes a problem in benchdnn's notation, and forgets the one of before with its plans. */
enum exit_code measure_problem(struct measure *m, const char *text, struct failure *f);

enum measure_outcome {
    MEASURE_OK,
    MEASURE_REFUSED, /* it does not fit, or cannot be had  */
    MEASURE_WRONG,   /* its outputs are not the reference's */
    MEASURE_FAILED,  /* nothing is known of it              */
};

/* Compiles a plan into a slot that exists, and checks it. Unless it is fine the slot is empty. */
enum measure_outcome measure_plan(struct measure *m, int slot, const char *plan, struct failure *f);

/* One round: each of the slots has a turn of about `turn_seconds`, and at least one run; the one
 * that begins is another in every round. seconds[i]: the mean of a run of slot[i]. */
enum exit_code measure_round(struct measure *m, const int *slot, int count, int round,
                             double turn_seconds, double *seconds, struct failure *f);

/* Puts dst's guards back, so that outputs of earlier runs are not taken for a later plan's. After
 * the rounds. */
enum exit_code measure_rounds_end(struct measure *m, struct failure *f);

#endif
