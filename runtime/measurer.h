/* measurer: the child process in which plans are measured.
 *
 * It runs convc-measure (bench/measure.c has its requests), so that a plan which crashes, hangs or
 * spoils memory is a sentence here and nothing else. The child is talked to over a socket, starts
 * again where it ended, is killed where it says nothing for too long, and ends with this process at
 * the latest. It stands in a process group of its own: Ctrl-C is the caller's to answer, no plan's
 * fault. No handler of a signal is installed, no descriptor is inherited by other children, and no
 * child stays behind.
 *
 * One thread at a time per measurer, any thread, any number of measurers. Stands on: diag, text,
 * clock, POSIX.
 */
#ifndef RUNTIME_MEASURER_H
#define RUNTIME_MEASURER_H

#include "gen/base/diag.h"
#include "gen/base/text.h"

#include <stdbool.h>

struct measurer;

struct measurer_options {
    const char *program; /* the path of convc-measure                              */
    const char *target;  /* NULL: this machine                                     */
    int threads;         /* of the kernels; at least 1                             */
    double patience;     /* seconds without a word after which the child is killed */
};

enum measurer_answer {
    MEASURER_OK,
    MEASURER_REFUSED, /* the plan does not fit, or cannot be had             */
    MEASURER_WRONG,   /* the plan computes something else than the reference */
    MEASURER_CRASHED, /* the child ended                                     */
    MEASURER_HUNG,    /* the child said nothing for too long                 */
    MEASURER_FAILED,  /* nothing is known of the plan                        */
    MEASURER_STOPPED, /* measurer_watch's function would not wait any longer */
};

enum { MEASURER_SLOTS = 16 };

/* Starts the child. Copies the options. CONVC_ERR_IO where it cannot be started, CONVC_ERR_ARGUMENT
 * where it will not work so or is of another version of convc, CONVC_ERR_MEMORY. Writes *out only
 * on CONVC_OK. */
enum convc_status measurer_start(const struct measurer_options *o, struct measurer **out,
                                 struct diag *d);

/* Kills the child and frees everything. NULL is fine. */
void measurer_stop(struct measurer *m);

/* From the next request on: what is silence for one problem is work for another. */
void measurer_patience(struct measurer *m, double seconds);

/* `stop` is called some ten times a second while an answer is waited for; where it returns true the
 * child is killed and the answer is MEASURER_STOPPED. NULL: nobody watches. */
void measurer_watch(struct measurer *m, bool (*stop)(void *data), void *data);

/* Each of these replaces *why, which may be NULL and is the caller's, by one sentence; by "" where
 * the answer is MEASURER_OK. After MEASURER_CRASHED, MEASURER_HUNG and MEASURER_STOPPED there is
 * no child, and after MEASURER_FAILED there may be none: begin again with measurer_problem. */

/* Lays out the tensors of a problem, of which plans can then be measured; a line as convc's
 * problems are printed. Starts a child where there is none. MEASURER_FAILED where it is no problem.
 */
enum measurer_answer measurer_problem(struct measurer *m, const char *problem, struct text *why);

/* Compiles a plan into a slot below MEASURER_SLOTS and checks its outputs; unless it is fine the
 * slot is empty. */
enum measurer_answer measurer_plan(struct measurer *m, int slot, const char *plan,
                                   struct text *why);

/* Times plans in turns of about `milliseconds`: seconds[round * count + i] is the mean of a run of
 * slots[i] in that round. Patience is that with a round. seconds is unspecified unless the answer
 * is MEASURER_OK. */
enum measurer_answer measurer_race(struct measurer *m, int rounds, double milliseconds,
                                   const int *slots, int count, double *seconds, struct text *why);

#endif
