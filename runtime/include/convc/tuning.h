/* convc/tuning.h: sweeps, which measure how problems are best computed, and what they found.
 *
 *     struct convc_context_options o = { .struct_bytes = sizeof o, .tuning_db = "tuned.db",
 *                                        .flags = CONVC_NEW_TUNING_DB };
 *     convc_context_create(&o, &cx);
 *     convc_tune(cx, &problem, 1, NULL);      // seconds
 *     convc_compile(cx, &problem, NULL, &k);  // by the plan that won, from now on
 *
 * A tuning database is one file in which every measurement ever made is kept: a plan of a problem
 * on a target, timed in turns with the plan that the cost model chooses, its *base*. Who won is
 * derived: of the plans that never failed, those that were looked at most closely (`rung`); of
 * those the one whose ratio to the base is below 1 with the most to spare (`high`, the upper end of
 * its 95 % interval), else the base. Measurements count for the very problem (but for its batch and
 * name), target, convc and LLVM that they were made with.
 *
 * A context with convc_context_options.tuning_db takes the winners' plans. Any number of processes
 * may read and write a database at once; the calls below that name one by its path open it
 * themselves. Their errors are CONVC_ERR_IO where it cannot be opened, read, written or had within
 * a minute; CONVC_ERR_ARGUMENT where it is no tuning database, is damaged or is of a newer convc;
 * CONVC_ERR_MEMORY.
 */
#ifndef CONVC_TUNING_H
#define CONVC_TUNING_H

#include <convc/convc.h>

#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- the database ---------------------------------------------------------------------------- */

enum convc_outcome {
    CONVC_MEASURED = 0,
    CONVC_MEASURED_WRONG = 1,   /* an output was not what the reference says */
    CONVC_MEASURED_CRASHED = 2, /* the process that measured it died         */
    CONVC_MEASURED_HUNG = 3,    /* or gave no answer in time                 */
    CONVC_MEASURED_REFUSED = 4, /* the plan does not compile                 */
};

/* Texts live as long as the visit. What was not measured is NAN. */
struct convc_measurement {
    size_t struct_bytes;
    unsigned char id[16]; /* of this measurement alone, wherever it is copied */
    const char *problem;  /* in convc's notation, of batch 1 */
    const char *target;   /* "x86_64-pc-linux-gnu:znver5" */
    const char *convc, *llvm;
    const char *plan, *base;
    enum convc_outcome outcome;
    int32_t rung, rounds;                                  /* how closely it was looked at */
    double seconds, base_seconds;                          /* of a run; medians */
    double ratio, low, high;                               /* time of plan to that of base */
    const char *incumbent;                                 /* the best until then; "": base */
    double incumbent_ratio, incumbent_low, incumbent_high; /* time of plan to that of it */
    double predicted;                                      /* by the cost model, as ratio */
    const char *note;                                      /* why it failed */
    const char *machine;                                   /* host and CPU */
    int64_t at;                                            /* seconds since 1970 */
};

/* What to visit; NULL: any. */
struct convc_tuning_filter {
    size_t struct_bytes;
    const char *problem, *target, *convc, *llvm;
};

/* Every measurement, problem by problem, oldest first, until the visit returns non-zero. The file
 * is not locked meanwhile. filter may be NULL. */
CONVC_API enum convc_status
convc_tuning_visit(const char *path, const struct convc_tuning_filter *filter,
                   int (*visit)(void *data, const struct convc_measurement *m), void *data);

/* What is known of one problem on one target by one pair of versions. */
struct convc_tuning_summary {
    size_t struct_bytes;
    const char *problem, *target, *convc, *llvm;
    const char *plan; /* the winner; "" where nothing was measured */
    const char *base;
    double ratio, low, high; /* of plan to base; 1 where it is the base; NAN where there is none */
    int64_t measurements, failures; /* of which so many are not CONVC_MEASURED */
};
CONVC_API enum convc_status
convc_tuning_summaries(const char *path, const struct convc_tuning_filter *filter,
                       int (*visit)(void *data, const struct convc_tuning_summary *s), void *data);

/* Adds every measurement of the `count` databases `from` to `into`, which is made where it is
 * absent. The union of sets: associative, commutative, idempotent. Each of `from` goes in whole or
 * not at all. *added, which may be NULL, counts those that were not there. CONVC_ERR_ARGUMENT, too,
 * where two measurements of one id differ. */
CONVC_API enum convc_status convc_tuning_merge(const char *into, const char *const *from,
                                               size_t count, int64_t *added);

/* Measurements as lines of text, a JSON object each, with the names of struct convc_measurement;
 * they travel between versions of convc. Importing makes a database where it is absent, and adds
 * all lines or none; `name` is what messages call the text. filter and added may be NULL. */
CONVC_API enum convc_status convc_tuning_export(const char *path,
                                                const struct convc_tuning_filter *filter, FILE *to);
CONVC_API enum convc_status convc_tuning_import(const char *path, FILE *from, const char *name,
                                                int64_t *added);

/* The plan that the context's tuning_db has for `p` on the context's target, where it fits; NULL
 * where there is none. Free with convc_text_free. */
CONVC_API enum convc_status convc_tuning_best(convc_context *cx, const struct convc_problem *p,
                                              char **plan);

/* ---- sweeps ---------------------------------------------------------------------------------- */

enum convc_tune_event {
    CONVC_TUNE_BEGIN = 0,    /* the search of a problem begins, or goes on                       */
    CONVC_TUNE_MEASURED = 1, /* one more measurement is in the database: `last`                  */
    CONVC_TUNE_END = 2,      /* there is nothing left to measure, or the problem's time is over  */
    CONVC_TUNE_FAILED = 3,   /* it cannot be measured, `trouble` says why; the sweep goes on     */
    CONVC_TUNE_WAITING = 4,  /* some ten times a second, while a plan is being measured          */
};

/* How far a sweep is. Texts live until the callback returns. */
struct convc_tune_progress {
    size_t struct_bytes;
    enum convc_tune_event event;
    size_t problem, problems;             /* which one of how many, from 0                       */
    int64_t measured, planned;            /* measurements of this problem's plans by this shard, */
                                          /* those in the database included, and what they may   */
                                          /* come to                                             */
    int64_t plans;                        /* in the problem's space, all shards' together        */
    const struct convc_measurement *last; /* NULL but for CONVC_TUNE_MEASURED                    */
    const char *best;                     /* plan so far; the cost model's own to begin with     */
    double ratio, low, high;              /* of its time to that of the cost model's plan, and   */
                                          /* the bounds of the median with 95 % confidence       */
    double seconds, seconds_left;         /* since the call began; likely to go, NAN: not known  */
    const char *trouble;                  /* "" but for CONVC_TUNE_FAILED                        */
};

/* All zero is the default for every field. */
struct convc_tune_options {
    size_t struct_bytes;
    int32_t shard, shards; /* this one of so many that share the plans, from 0; 0, 0: alone      */
    int64_t trials;        /* plans that are tried of each problem, by all shards, those in the
                              database included; 0: 40, or what the seconds suffice for          */
    double seconds;        /* for all problems; 0: as long as it takes                           */
    double patience;       /* seconds that a plan may take to compile and check before it counts
                              as hung; 0: 30                                                     */
    const char *measure;   /* the program convc-measure; NULL: the environment's CONVC_MEASURE,
                              else the installed one                                             */
    /* Non-zero ends the sweep; the measurement under way is given up. NULL: nobody is told. */
    int (*progress)(void *data, const struct convc_tune_progress *p);
    void *data;
};

/* Measures plans of each problem on one thread, in another process, one after the other, and keeps
 * every measurement in the context's tuning database, which is made where it is missing. Begun
 * again after it was ended, by whatever means, it goes on where it was; a problem that occurs twice
 * is measured once. Kernels of the context that are compiled afterwards have the plans that won.
 * opt may be NULL. CONVC_OK where progress ended it, or where problems could not be measured, which
 * progress was told. CONVC_ERR_ARGUMENT where the context has no tuning database or an option
 * cannot be; CONVC_ERR_UNSUPPORTED where the context's target is not for this machine; CONVC_ERR_IO
 * for the database and where convc-measure cannot be started; CONVC_ERR_MEMORY; what
 * convc_problem_check says. */
CONVC_API enum convc_status convc_tune(convc_context *cx, const struct convc_problem *problems,
                                       size_t count, const struct convc_tune_options *opt);

/* The plans that one shard of so many (0, 1: alone) may try, a line each: modelled time in times of
 * the first's, a space, the plan. The cost model's own plan, which is nobody's to measure, comes
 * first with 1. Free with convc_text_free. */
CONVC_API enum convc_status convc_tune_space(convc_context *cx, const struct convc_problem *p,
                                             int32_t shard, int32_t shards, char **text);

#ifdef __cplusplus
}
#endif
#endif
