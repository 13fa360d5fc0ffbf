/* job: one layer on its way through `run` or `bench`: its operands, its kernel, its output. */
#ifndef CLI_JOB_H
#define CLI_JOB_H

#include "runtime/cli/inputs.h"
#include "runtime/cli/judge.h"
#include "runtime/cli/race.h"
#include "runtime/cli/result.h"

struct job {
    const struct options *o;
    convc_context *cx;
    const struct layer *layer;

    struct operands operands;
    struct tensors tensors;
    struct guarded dst;
    struct execution x;
    struct array output;  /* after job_judge, in N, C, spatial order */
    struct expectation e; /* likewise */
    int bits;             /* of the input picture */
};

/* How long a kernel, and the FMA loop beside it, are timed. */
#define JOB_SECONDS      0.25
#define JOB_PEAK_SECONDS 0.1

/* Operands, kernel, packed weights and one run, for the o, cx and layer that `j` has. `r` is begun,
 * and learns what the kernel is. Free with job_free and result_free, whatever the outcome. */
enum exit_code job_prepare(struct job *j, struct result *r, struct failure *f);
void job_free(struct job *j);

/* Takes the output of the last run, and compares it with the reference; tells `r`. */
enum exit_code job_judge(struct job *j, struct result *r, struct failure *f);

/* Turns for a race; the argument is the job. The time of the peak's turn is that of 10^9 floating
 * point operations. */
enum exit_code job_turn(void *job, double seconds, double *fastest, struct failure *f);
enum exit_code job_peak_turn(void *job, double seconds, double *fastest, struct failure *f);

/* Tells `r` what a race of `rounds` rounds between the two found. */
void job_timed(const struct job *j, const struct racer *kernel, const struct racer *peak,
               int rounds, struct result *r);

#endif
