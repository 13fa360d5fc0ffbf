#include "gen/emit/pack_code.h"

#include "gen/plan/pack.h"

#include <string.h>

/* ---- loops ---------------------------------------------------------------------------------- */

static void level(struct em *em, const struct pack_loops *l, int depth, LLVMValueRef from,
                  LLVMValueRef to)
{
    if (depth == PACK_LOOPS) {
        l->leaf(em, l->argument, from, to);
        return;
    }
    EM_FOR (em, n, em_int(em, 0), em_int(em, l->loop[depth].count)) {
        level(em, l, depth + 1, em_at(em, from, em_mul(em, n, l->loop[depth].from)),
              em_at(em, to, em_mul(em, n, l->loop[depth].to)));
    }
}

void pack_loops(struct em *em, const struct pack_loops *l, LLVMValueRef plain, LLVMValueRef packed)
{
    level(em, l, 0, em_at_const(em, plain, l->from), em_at_const(em, packed, l->to));
}

/* ---- by layout ------------------------------------------------------------------------------ */

static void copy_f32(struct em *em, const void *argument, LLVMValueRef from, LLVMValueRef to)
{
    (void)argument;
    em_store(em, em_load(em, em->f32, from, 4), to, 4);
}

static void copy_f64(struct em *em, const void *argument, LLVMValueRef from, LLVMValueRef to)
{
    (void)argument;
    em_store(em, em_load(em, em->f64, from, 8), to, 8);
}

/* The channels of a piece, their inputs and their taps. */
static void pack_piece(struct em *em, const struct layout *l, int64_t bytes,
                       const struct layout_piece *piece, LLVMValueRef plain, LLVMValueRef packed)
{
    enum { INPUTS = PIECE_LOOPS, TAPS };
    const int64_t taps = l->kernel[0] * l->kernel[1] * l->kernel[2], channel = l->icg * taps;
    struct pack_loops loops = {
        .from = (piece->first * channel + (l->flip ? taps - 1 : 0)) * bytes,
        .to = piece->element * bytes,
        .loop[INPUTS] = { l->icg, taps * bytes, piece->width * bytes },
        .loop[TAPS] = { taps, l->flip ? -bytes : bytes, l->icg * piece->width * bytes },
        .leaf = bytes == 8 ? copy_f64 : copy_f32,
    };
    for (int k = 0; k < PIECE_LOOPS; k++) {
        loops.loop[k].count = piece->loop[k].count;
        loops.loop[k].from = piece->loop[k].channels * channel * bytes;
        loops.loop[k].to = piece->loop[k].elements * bytes;
    }
    pack_loops(em, &loops, plain, packed);
}

static void pack_code_direct(struct em *em, const struct problem *p, const struct plan *plan,
                             LLVMValueRef plain, LLVMValueRef packed)
{
    struct layout l;
    struct layout_piece piece[PIECES_MAX];
    plan_layout(p, plan, em->target, &l);
    int pieces = layout_pieces(&l, piece);
    for (int i = 0; i < pieces; i++)
        pack_piece(em, &l, dtype_bytes(p->p.wei_dtype), &piece[i], plain, packed);
}

/* ---- any algorithm -------------------------------------------------------------------------- */

static void (*const pack_algorithm[PLAN_ALGORITHMS])(struct em *, const struct problem *,
                                                     const struct plan *, LLVMValueRef,
                                                     LLVMValueRef) = {
    [PLAN_DIRECT] = pack_code_direct,
    [PLAN_WINOGRAD] = pack_code_winograd,
};

/* Writes the header, and 0 to all elements. */
static void begin(struct em *em, const struct convc_packed_header *h, LLVMValueRef packed)
{
    enum { WORD = 4, HEADER_WORDS = sizeof *h / WORD };
    uint32_t word[HEADER_WORDS];
    memcpy(word, h, sizeof word);
    for (int i = 0; i < HEADER_WORDS; i++)
        em_store(em, LLVMConstInt(em->i32, word[i], 0), em_at_const(em, packed, i * WORD), WORD);
    EM_FOR (em, i, em_int(em, HEADER_WORDS), em_int(em, (int64_t)(h->bytes / WORD))) {
        em_store(em, LLVMConstInt(em->i32, 0, 0), em_at(em, packed, em_mul(em, i, WORD)), WORD);
    }
}

void pack_code(struct em *em, const struct problem *p, const struct plan *plan)
{
    LLVMValueRef plain = LLVMGetParam(em->function, 0), packed = LLVMGetParam(em->function, 1);
    struct layout l;
    plan_layout(p, plan, em->target, &l);
    struct convc_packed_header h = pack_header(&l, dtype_bytes(p->p.wei_dtype));
    begin(em, &h, packed);
    pack_algorithm[plan->algorithm](em, p, plan, plain, em_at_const(em, packed, sizeof h));
}
