/* spread: of what kinds the random problems of a check were.
 *
 * Not for several threads at once. Running out of memory is remembered, and spread_print says so.
 */
#ifndef CLI_SPREAD_H
#define CLI_SPREAD_H

#include "runtime/cli/result.h"

struct spread {
    struct spread_row *row;
    size_t count;
    bool failed;
};

/* Counts a problem that was checked on `target`. */
void spread_add(struct spread *s, const struct convc_problem *p, const struct result *r,
                const char *target);

/* One line for each property, the most frequent values first. Frees the spread. False where memory
 * ran out. */
bool spread_print(struct spread *s, FILE *out);
void spread_free(struct spread *s);

#endif
