/* em_transpose: a square of vectors turned over in registers.
 *
 * As many vectors as a vector has lanes: lane l of vector i becomes lane i of vector l. 64 shuffles
 * for 16 x 16; results that nobody uses cost nothing.
 * Stands on: em.
 */
#ifndef GEN_EMIT_EM_TRANSPOSE_H
#define GEN_EMIT_EM_TRANSPOSE_H

#include "gen/emit/em.h"

/* `row` holds as many vectors of one type as that has lanes, a power of two. NULL among them: that
 * lane of the results holds nothing that counts. */
void em_transpose(struct em *em, LLVMTypeRef vector, LLVMValueRef *row);

#endif
