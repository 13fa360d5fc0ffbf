/* winograd_transform: Winograd's transforms of one axis, on values.
 *
 * Points +-a share their even and odd parts, so a transform comes in phases: the point 0, one for
 * each pair, infinity. An axis without a transform has one phase. Stands on: em, winograd.
 */
#ifndef GEN_EMIT_WINOGRAD_TRANSFORM_H
#define GEN_EMIT_WINOGRAD_TRANSFORM_H

#include "gen/emit/em.h"
#include "gen/plan/winograd.h"

int winograd_phases(const struct winograd_axis *a);

/* Is d[i] read by this phase? */
bool winograd_phase_reads(const struct winograd_axis *a, int phase, int i);

/* The first point of a phase; it makes one, or two in a row. */
int winograd_phase_point(const struct winograd_axis *a, int phase, int *count);

/* out[0..count) of a phase of B^T d. */
void winograd_input_phase(struct em *em, const struct winograd_axis *a, int phase,
                          const LLVMValueRef *d, LLVMValueRef out[2]);

/* All of B^T d. */
void winograd_input_axis(struct em *em, const struct winograd_axis *a, const LLVMValueRef *d,
                         LLVMValueRef *out);

/* Rows begin, begin + step, ... of A^T m, up to a->m. Step 2 takes the even or the odd ones. */
void winograd_output_axis(struct em *em, const struct winograd_axis *a, int begin, int step,
                          const LLVMValueRef *m, LLVMValueRef *out);

#endif
