/* context_tuning: the tuning database of a context: which plan won for a problem.
 *
 * Whatever is wrong with the database once it is open, a look-up only finds nothing, and the cost
 * model chooses. Any number of threads. Stands on: tune_db, choose, object.
 */
#ifndef RUNTIME_CONTEXT_TUNING_H
#define RUNTIME_CONTEXT_TUNING_H

#include "runtime/tune_db.h"

#include <stdatomic.h>

struct tuning {
    char *path;                  /* NULL: none is wanted */
    struct tune_db *_Atomic db;  /* NULL: none is there yet */
    _Atomic uint32_t generation; /* of what is in it, as far as this context knows */
};

/* path NULL: none. absent: it may be one that is still to be made. */
enum convc_status tuning_open(struct tuning *t, const char *path, bool absent, struct diag *d);
void tuning_close(struct tuning *t);

/* Something was added: opens what is there by now, and kernels that were chosen before are not
 * found again. */
enum convc_status tuning_renew(struct tuning *t, struct diag *d);

/* The plan that won for a problem on a target, whatever vendor a triple of x86-64 names, where it
 * fits them; false: there is none. w may be NULL. */
bool tuning_plan(struct tuning *t, const struct problem *p, const struct target *target,
                 struct plan *plan, struct tune_winner *w);

#endif
