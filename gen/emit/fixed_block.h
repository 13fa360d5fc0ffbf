/* fixed_block: one block of a fixed plan: the forms of a row of the source, and a row of outputs.
 *
 * Values come in twos: lanes of even and of odd elements. Stands on: em, fixed_nest.
 */
#ifndef GEN_EMIT_FIXED_BLOCK_H
#define GEN_EMIT_FIXED_BLOCK_H

#include "gen/emit/em.h"
#include "gen/plan/fixed_nest.h"

struct fixed_two {
    LLVMValueRef even, odd;
};

struct fixed_block {
    struct em *em;
    const struct fixed_nest *n;
    LLVMTypeRef whole, bytes; /* vectors of 16 bits, and of as many bytes as they have */
    LLVMValueRef padding;     /* a table of the padding; NULL: it is never read */
    int64_t edge;             /* the block's first element, where it is known; else -1 */
    LLVMValueRef at;          /* that element */
    struct em_var passed[FIXED_PASSED];
};

/* A row of the source: its first element, and whether it is one (NULL: it always is). */
struct fixed_row {
    LLVMValueRef begin, inside;
};

/* The form of a row at the block's outputs, whose first column it is met at. */
struct fixed_two fixed_block_form(const struct fixed_block *b, int form,
                                  const struct fixed_row *row);

/* Outputs, from the forms: of[f][r - first] is form f in row r of the window. */
struct fixed_two fixed_block_sum(const struct fixed_block *b,
                                 struct fixed_two of[FIXED_TAPS][FIXED_PASSED]);

/* Rounds the sums and stores them, from `to` on. */
void fixed_block_store(const struct fixed_block *b, struct fixed_two sum, LLVMValueRef to);

#endif
