/* tune: measures the plans of one problem until enough is known, and keeps every measurement.
 *
 * What is measured next follows from the database alone (tune_search), so ending at any moment
 * loses the measurement under way and nothing else, and beginning again goes on. A plan that is
 * refused, computes wrongly, crashes or hangs does so in another process (measurer); that is
 * recorded, and the next one has its turn.
 * Stands on: tune_search, tune_db, measurer, space, object.
 */
#ifndef RUNTIME_TUNE_H
#define RUNTIME_TUNE_H

#include "gen/base/arena.h"
#include "gen/plan/target.h"
#include "gen/problem/problem.h"
#include "runtime/measurer.h"
#include "runtime/tune_db.h"
#include "runtime/tune_search.h"

/* The plans of one problem, ranked by the built-in cost model for the target by its name, which is
 * the same on every machine, and what the database knows of them. */
struct tune_space {
    struct arena arena; /* owns the texts */
    const char *problem, *target;
    uint64_t seed;
    struct tune_plan *plan;
    size_t count, base;
    int64_t own; /* plans to measure by this shard */
};

/* `target` is the one that `chosen`, the plan of this machine without a database, is chosen for.
 * Free with tune_space_free, whatever the outcome. */
enum convc_status tune_space_create(const struct problem *p, const struct target *target, int shard,
                                    int shards, struct tune_space *s, struct diag *d);
void tune_space_free(struct tune_space *s);

/* Takes in a measurement. A plan that failed once has failed; of two measurements of a rung the
 * later counts. What was measured against another base says nothing here. */
void tune_space_take(struct tune_space *s, const struct tune_row *row);

/* Takes in those of the database. */
enum convc_status tune_space_read(struct tune_space *s, struct tune_db *db, struct diag *d);

/* How one problem is tuned. */
struct tune_order {
    struct tune_db *db;
    struct measurer *measurer;
    int64_t trials;  /* plans that are tried, those in the database included */
    double until;    /* when to stop, by clock_seconds(); INFINITY: when done */
    double patience; /* seconds that a plan may take to compile and check */
    int64_t planned; /* out: measurements there will be, as far as that is known */
    /* Called before the first measurement, with NULL, and after each; non-zero stops. */
    int (*progress)(void *data, const struct tune_space *s, const struct tune_order *o,
                    const struct tune_row *last);
    /* Called some ten times a second during a measurement; non-zero gives it up, and stops. */
    int (*waiting)(void *data, const struct tune_space *s, const struct tune_order *o);
    void *data;
};

/* Goes on until the order is met, the time is over or one of the calls says so. A failure is one of
 * the database or of memory, or that no plan could be measured because the base could not. */
enum convc_status tune_run(struct tune_space *s, struct tune_order *o, struct diag *d);

/* Measurements of this shard's plans. */
int64_t tune_measured(const struct tune_space *s);

#endif
