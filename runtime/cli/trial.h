/* trial: one problem, checked: every plan that was asked for, on every target, on two data sets.
 *
 * The data sets are half zeros and small whole numbers, for which the outputs must be exactly right
 * where the problem rounds nothing (judge_exact), and reals. The reference computes each once and
 * all plans share it. Failures become lines that repeat themselves in a shell.
 */
#ifndef CLI_TRIAL_H
#define CLI_TRIAL_H

#include "runtime/cli/options.h"
#include "runtime/cli/result.h"

struct trial {
    const struct options *o;
    convc_context *const *cx; /* one for each target */
    size_t cx_count;
    int threads;      /* for the reference */
    const char *plan; /* NULL: the best. Where it is not o->plan it must fit */

    /* What came out. */
    bool failed, refused; /* refused: and did not even compile */
    double telling;       /* the share of outputs in whose place a zero would have been wrong */
    FILE *lines;          /* one line for each failure; the caller's */
    struct result result;
};

/* EXIT_FINE also where the problem failed: other codes mean that it could not be checked. Free
 * t->result with result_free, whatever the outcome. */
enum exit_code trial_run(struct trial *t, const struct convc_problem *p, struct failure *f);

/* The same, with the lines as a text, malloc'd, or NULL. */
enum exit_code trial_told(struct trial *t, const struct convc_problem *p, char **lines,
                          struct failure *f);

#endif
