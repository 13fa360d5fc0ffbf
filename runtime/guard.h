/* guard: a mutex that a fork never leaves locked.
 *
 * fork waits until every guard is free, so the child finds what they protect whole; then the child
 * puts right what only a lost thread could have finished, by `in_child`, alone in its process.
 * Guards are never nested. Stands on: diag, aside, pthread.
 */
#ifndef RUNTIME_GUARD_H
#define RUNTIME_GUARD_H

#include "gen/base/diag.h"

#include <pthread.h>

struct guard {
    pthread_mutex_t mutex;
    void (*in_child)(struct guard *g); /* NULL: nothing to put right */
    struct guard *next, *previous;
};

/* From here to guard_destroy a fork may call in_child at any moment: init last, destroy first. */
enum convc_status guard_init(struct guard *g, void (*in_child)(struct guard *g), struct diag *d);
void guard_destroy(struct guard *g);

#endif
