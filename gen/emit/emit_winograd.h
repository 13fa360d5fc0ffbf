/* emit_winograd: Winograd's algorithm. A block of tiles goes through three stages that share the
 * call's scratch memory: input transform, products, output transform. Stands on: winograd_stage.
 */
#ifndef GEN_EMIT_EMIT_WINOGRAD_H
#define GEN_EMIT_EMIT_WINOGRAD_H

#include "gen/emit/em.h"
#include "gen/plan/plan.h"

void emit_winograd(struct em *em, const struct problem *p, const struct plan *plan);

#endif
