/* emit_stencil: filters over one channel as expressions of its window: the loops around the
 * register tile. Stands on: stencil_tile.
 */
#ifndef GEN_EMIT_EMIT_STENCIL_H
#define GEN_EMIT_EMIT_STENCIL_H

#include "gen/emit/em.h"
#include "gen/plan/plan.h"

void emit_stencil(struct em *em, const struct problem *p, const struct plan *plan);

#endif
