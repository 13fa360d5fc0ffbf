/* scarce: memory that runs out when a test says so, for convc and for SQLite.
 *
 * It counts what is allocated and what lives, and fails the allocation that it is told to. A block
 * that was never given out, or is given back to the wrong side, ends the program.
 * One thread arms it; any may allocate. Stands on: convc/convc.h, sqlite3.
 */
#ifndef TESTS_SUPPORT_SCARCE_H
#define TESTS_SUPPORT_SCARCE_H

#include <stdbool.h>
#include <stdint.h>

enum scarce_side { SCARCE_CONVC, SCARCE_SQLITE, SCARCE_SIDES };

/* Takes the place of both allocators: before any other call. */
void scarce_install(void);

/* From now on allocation `n` of that side fails, counted from 1, and where `on` is set all behind
 * it too. 0: none. */
void scarce_arm(enum scarce_side side, int64_t n, bool on);

/* Allocations of that side since it was armed. No more of them fail. */
int64_t scarce_disarm(enum scarce_side side);

/* Blocks that live. */
int64_t scarce_live(enum scarce_side side);

#endif
