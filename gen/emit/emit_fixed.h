/* emit_fixed: filters over bytes in whole numbers of 16 bits: the loops. Stands on: fixed_block.
 */
#ifndef GEN_EMIT_EMIT_FIXED_H
#define GEN_EMIT_EMIT_FIXED_H

#include "gen/emit/em.h"
#include "gen/plan/plan.h"

void emit_fixed(struct em *em, const struct problem *p, const struct plan *plan);

#endif
