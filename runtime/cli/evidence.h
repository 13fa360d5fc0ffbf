/* evidence: what a tuning database knows of one convolution, for people to look at. */
#ifndef CLI_EVIDENCE_H
#define CLI_EVIDENCE_H

#include "runtime/cli/failure.h"

#include <convc/tuning.h>

/* A measurement, or what is known of a plan by the closest look at it. */
struct trial {
    char *plan, *note;
    enum convc_outcome outcome;
    int32_t rung;
    double ratio, low, high; /* of its time to that of the cost model's plan */
    double predicted;        /* the same by the cost model                   */
    double seconds, base_seconds;
};

struct evidence {
    const char *name;      /* the caller's, as are these: */
    const char *db;        /* the file                    */
    size_t times;          /* layers that are equal       */
    char *problem, *space; /* the space as convc_tune_space has it */
    const char *base;      /* within `space`: the cost model's plan, with what is behind it */
    size_t plans;          /* in the space                                                  */
    struct trial *trial;   /* oldest first  */
    size_t count;
    struct trial *known; /* of every plan, the texts those of `trial` */
    size_t known_count, failures;
    const struct trial *winner; /* of `known`; NULL: the cost model's plan */
    size_t rank;                /* that the cost model gave the winner, from 1 */
    double *best;               /* the winner's ratio after every measurement */
};

/* Reads what `cx`, this version of convc and the cost model of today measured. name, db and times
 * are given. Free with evidence_free, whatever the outcome. */
enum convc_status evidence_read(struct evidence *e, convc_context *cx,
                                const struct convc_problem *p);
void evidence_free(struct evidence *e);

/* The word at *text, without spaces, and its length; *text moves behind it. NULL at the end. */
const char *evidence_word(const char **text, size_t *length);

#endif
