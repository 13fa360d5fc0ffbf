/* winners: the plans that a tuning database (--db) has for static kernels. */
#ifndef CLI_WINNERS_H
#define CLI_WINNERS_H

#include "runtime/cli/options.h"

/* Zero-initialise. */
struct winners {
    convc_context **context; /* one of each target */
    int targets;
};

/* Opens the database for every target of --target; without --db, or where --plan forces one, there
 * is nothing to open. Free with winners_close, whatever the outcome. */
enum exit_code winners_open(const struct options *o, struct winners *t, struct failure *f);
void winners_close(struct winners *t);

/* convc_emit_options.plans for `count` problems; NULL where no database is open. Free with
 * winners_free_plans. */
enum exit_code winners_plans(const struct winners *t, const struct convc_problem *problem,
                             size_t count, char ***plans, struct failure *f);
void winners_free_plans(const struct winners *t, char **plans, size_t count);

#endif
