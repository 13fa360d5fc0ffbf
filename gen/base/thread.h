/* thread: starting threads that are not the host's. Stands on: pthread. */
#ifndef GEN_BASE_THREAD_H
#define GEN_BASE_THREAD_H

#include <pthread.h>
#include <stdbool.h>

/* With a stack of 8 MiB, which code generation and a host's callback have enough of, and with all
 * signals blocked but those that a thread raises itself: handlers of the host run on its own
 * threads. False where the system denies it. */
bool thread_start(void *(*run)(void *argument), void *argument, pthread_t *out);

#endif
