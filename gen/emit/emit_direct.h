/* emit_direct: the nest around the register tile.
 * Stands on: tile, nest.
 */
#ifndef GEN_EMIT_EMIT_DIRECT_H
#define GEN_EMIT_EMIT_DIRECT_H

#include "gen/emit/em.h"
#include "gen/plan/plan.h"

/* Emits the body of the kernel into an open function. */
void emit_direct(struct em *em, const struct problem *p, const struct plan *plan);

#endif
