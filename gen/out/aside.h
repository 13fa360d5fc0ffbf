/* aside: LLVM is called on threads that may be lost.
 *
 * What LLVM cannot go on with it reports to a handler, and ends the process when that returns. No
 * thread that is in the midst of LLVM can leave it: its C++ frames own things and may hold locks.
 * So whoever needs LLVM has the work done on a thread beside its own, with a stack that is known to
 * be large enough. On a fatal error that thread is given up: it never runs again, its caller goes
 * on with an error, and from then on the process calls LLVM no more.
 *
 * The handler is one for the process, and is installed by the first aside_run. Errors on threads
 * that are not ours, those of a host that uses the same LLVM, are printed, and LLVM ends the
 * process as it does without a handler.
 *
 * fork waits until no thread is in LLVM, so that the child finds it whole and may go on with it.
 * Stands on: diag, thread, llvm-c/ErrorHandling.h.
 */
#ifndef GEN_OUT_ASIDE_H
#define GEN_OUT_ASIDE_H

#include "gen/base/diag.h"

#include <stdbool.h>

/* Lets fork wait for LLVM from now on. Those who hold a lock while they wait for aside_run, and let
 * fork wait for that too, call this before they do: then fork waits for them first. */
void aside_prepare(void);

/* Calls work(argument) on another thread and returns when it has ended. CONVC_ERR_COMPILER where
 * LLVM gave up, now or before; then `argument` and what it points to are the caller's again, and
 * what LLVM had made is lost. CONVC_ERR_MEMORY. Where the system denies a thread the caller's own
 * does the work, and a fatal error ends the process. */
enum convc_status aside_run(void (*work)(void *argument), void *argument, struct diag *d);

/* Around what LLVM does on the caller's own thread, such as an end without errors: fork waits for
 * it. Not within aside_run. */
void aside_enter(void);
void aside_leave(void);

/* Has LLVM given up in this process? It must not be called any more then. */
bool aside_lost(void);

/* What a fatal error handler does. Does not return on a thread of aside_run. */
void aside_fault(const char *reason);

#endif
