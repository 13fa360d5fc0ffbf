/* Squares of elements within 16 bytes by interleaving vectors there, then a square of 16-byte
 * blocks by picking every second one: each step is a single instruction on x86. */
#include "gen/emit/em_transpose.h"

enum { BLOCK_BYTES = 16 };

/* Of every block the first or the second half of its lanes, those of a and b in turn. */
static LLVMValueRef interleave(struct em *em, LLVMValueRef a, LLVMValueRef b, int block, int half)
{
    int lanes = (int)LLVMGetVectorSize(LLVMTypeOf(a)), pick[EM_LANES_MAX];
    for (int l = 0; l < lanes; l++) {
        int within = l % block, from = l - within + half * block / 2 + within / 2;
        pick[l] = within % 2 ? lanes + from : from;
    }
    return em_shuffle(em, a, b, pick, lanes);
}

/* Every second block of a, then of b, the even ones or the odd ones. */
static LLVMValueRef second_blocks(struct em *em, LLVMValueRef a, LLVMValueRef b, int block, int odd)
{
    int lanes = (int)LLVMGetVectorSize(LLVMTypeOf(a)), pick[EM_LANES_MAX];
    for (int l = 0; l < lanes; l++)
        pick[l] = (2 * (l / block) + odd) * block + l % block;
    return em_shuffle(em, a, b, pick, lanes);
}

/* `count` vectors, whose blocks are squares of elements with them. */
static void within_blocks(struct em *em, LLVMValueRef *row, int count)
{
    LLVMValueRef next[EM_LANES_MAX];
    for (int done = 1; done < count; done *= 2) {
        for (int i = 0; i < count; i++)
            next[i] = interleave(em, row[i / 2], row[i / 2 + count / 2], count, i % 2);
        for (int i = 0; i < count; i++)
            row[i] = next[i];
    }
}

/* The vectors `apart` from each other: a square of blocks of as many lanes. */
static void between_blocks(struct em *em, LLVMValueRef *row, int count, int apart)
{
    LLVMValueRef next[EM_LANES_MAX];
    for (int done = 1; done < count; done *= 2) {
        for (int i = 0; i < count; i++) {
            int first = 2 * (i % (count / 2)), odd = i / (count / 2);
            next[i] = second_blocks(em, row[first * apart], row[(first + 1) * apart], apart, odd);
        }
        for (int i = 0; i < count; i++)
            row[i * apart] = next[i];
    }
}

void em_transpose(struct em *em, LLVMTypeRef vector, LLVMValueRef *row)
{
    bool wide = LLVMGetTypeKind(LLVMGetElementType(vector)) == LLVMDoubleTypeKind;
    int lanes = (int)LLVMGetVectorSize(vector), block = BLOCK_BYTES / (wide ? 8 : 4);
    block = block < lanes ? block : lanes;
    for (int i = 0; i < lanes; i++)
        row[i] = row[i] ? row[i] : LLVMGetPoison(vector);
    for (int i = 0; i < lanes; i += block)
        within_blocks(em, row + i, block);
    for (int i = 0; i < block; i++)
        between_blocks(em, row + i, lanes / block, block);
}
