#include "gen/emit/fixed_block.h"

#include <string.h>

/* ---- operations ----------------------------------------------------------------------------- */

static LLVMValueRef whole(const struct fixed_block *b, int64_t value)
{
    return em_whole(b->whole, value);
}

/* Of twice as many bits. */
static LLVMValueRef widened(const struct fixed_block *b, LLVMValueRef x, bool sign)
{
    LLVMTypeRef wide = em_vector(b->em->i32, b->n->lanes);
    return sign ? LLVMBuildSExt(b->em->builder, x, wide, "")
                : LLVMBuildZExt(b->em->builder, x, wide, "");
}

static LLVMValueRef upper(const struct fixed_block *b, LLVMValueRef x, int shift)
{
    LLVMTypeRef wide = em_vector(b->em->i32, b->n->lanes);
    x = LLVMBuildLShr(b->em->builder, x, em_whole(wide, shift), "");
    return LLVMBuildTrunc(b->em->builder, x, b->whole, "");
}

/* Is there an instruction of x86 for it, and a vector of the width of one of these? */
static const char *of_width(const struct fixed_block *b, const char *const name[3])
{
    const struct target *t = b->em->target;
    if (strncmp(t->triple, "x86_64", 6) != 0)
        return NULL;
    return name[b->n->block == 64 ? 2 : b->n->block == 32];
}

/* x * factor >> 16. Asked for by name, because LLVM takes products with a constant apart. */
static LLVMValueRef scaled(const struct fixed_block *b, LLVMValueRef x, int64_t factor, bool sign)
{
    static const char *const products[2][3] = {
        { "llvm.x86.sse2.pmulhu.w", "llvm.x86.avx2.pmulhu.w", "llvm.x86.avx512.pmulhu.w.512" },
        { "llvm.x86.sse2.pmulh.w", "llvm.x86.avx2.pmulh.w", "llvm.x86.avx512.pmulh.w.512" },
    };
    const char *instruction = of_width(b, products[sign]);
    if (instruction)
        return em_call(b->em, instruction, NULL, 0, (LLVMValueRef[2]){ x, whole(b, factor) }, 2);
    LLVMValueRef w = widened(b, whole(b, factor), sign);
    return upper(b, LLVMBuildMul(b->em->builder, widened(b, x, sign), w, ""), 16);
}

/* (x + y + 1) >> 1 */
static LLVMValueRef mean(const struct fixed_block *b, LLVMValueRef x, LLVMValueRef y)
{
    LLVMBuilderRef builder = b->em->builder;
    LLVMTypeRef wide = em_vector(b->em->i32, b->n->lanes);
    LLVMValueRef sum = LLVMBuildAdd(builder, widened(b, x, false), widened(b, y, false), "");
    return upper(b, LLVMBuildAdd(builder, sum, em_whole(wide, 1), ""), 1);
}

static LLVMValueRef plus(const struct fixed_block *b, LLVMValueRef sum, LLVMValueRef x, bool minus)
{
    if (!sum)
        return minus ? LLVMBuildNeg(b->em->builder, x, "") : x;
    return minus ? LLVMBuildSub(b->em->builder, sum, x, "")
                 : LLVMBuildAdd(b->em->builder, sum, x, "");
}

/* ---- reading -------------------------------------------------------------------------------- */

static LLVMValueRef load(const struct fixed_block *b, const struct fixed_row *row, LLVMValueRef p,
                         int64_t padding)
{
    struct em *em = b->em;
    if (row->inside)
        p = LLVMBuildSelect(em->builder, row->inside, p, em_at_const(em, b->padding, padding), "");
    return em_load(em, b->bytes, p, 1);
}

static LLVMValueRef load_edge(const struct fixed_block *b, const struct fixed_row *row, int64_t k)
{
    struct em *em = b->em;
    struct fixed_edge e;
    fixed_nest_edge(b->n, b->edge, k, &e);
    LLVMValueRef first = load(b, row, em_at_const(em, row->begin, e.load[0]), 0), second = first;
    if (e.both)
        second = load(b, row, em_at_const(em, row->begin, e.load[1]), 0);
    else if (e.padding)
        second = em_whole(b->bytes, (int64_t)b->n->p->p.padding_value);
    return em_shuffle(em, first, second, e.pick, (int)b->n->block);
}

/* The bytes of the block from 2 * k on, counted from where its window begins. */
static LLVMValueRef pairs_at(const struct fixed_block *b, const struct fixed_row *row, int64_t k)
{
    struct em *em = b->em;
    int64_t far = 2 * k - b->n->p->p.pad_begin[CONVC_W] * b->n->unit;
    if (b->edge >= 0)
        return load_edge(b, row, k);
    return load(b, row, em_at_const(em, em_at(em, row->begin, b->at), far), 2 * k);
}

/* Bytes at even or odd places, as numbers of 16 bits; or that times 256. */
static LLVMValueRef half(const struct fixed_block *b, LLVMValueRef pairs, int64_t odd, bool high)
{
    LLVMBuilderRef builder = b->em->builder;
    LLVMValueRef x = LLVMBuildBitCast(builder, pairs, b->whole, "");
    if (odd)
        return high ? LLVMBuildAnd(builder, x, whole(b, 0xff00), "")
                    : LLVMBuildLShr(builder, x, whole(b, 8), "");
    return high ? LLVMBuildShl(builder, x, whole(b, 8), "")
                : LLVMBuildAnd(builder, x, whole(b, 0x00ff), "");
}

/* ---- forms ---------------------------------------------------------------------------------- */

/* What is read of a row: by k. */
struct reads {
    const struct fixed_block *b;
    const struct fixed_row *row;
    LLVMValueRef pairs[FIXED_PAIRS];
};

static LLVMValueRef read(struct reads *r, int64_t k)
{
    if (!r->pairs[k])
        r->pairs[k] = pairs_at(r->b, r->row, k);
    return r->pairs[k];
}

/* The instruction that multiplies bytes with bytes that have a sign, and adds neighbours up; NULL:
 * there is none. */
static const char *pair_sum(const struct fixed_block *b)
{
    static const char *const sums[3] = { "llvm.x86.ssse3.pmadd.ub.sw.128",
                                         "llvm.x86.avx2.pmadd.ub.sw",
                                         "llvm.x86.avx512.pmaddubs.w.512" };
    return b->em->target->vector_bytes >= 32 ? of_width(b, sums) : NULL;
}

static int64_t weight_of(const struct fixed_part *part)
{
    return part->minus ? -part->factor : part->factor;
}

/* The form of elements at even or odd places, from pairs that are multiplied at once. */
static LLVMValueRef form_of_pairs(struct reads *r, const struct fixed_sum *s, int64_t odd,
                                  const char *instruction)
{
    const struct fixed_block *b = r->b;
    LLVMTypeRef byte = LLVMGetElementType(b->bytes);
    LLVMValueRef sum = NULL;
    for (int64_t k = 0; k < b->n->pairs; k++) {
        int64_t weight[2] = { 0, 0 };
        for (int i = 0; i < s->parts; i++) {
            int64_t place = s->part[i].at[0] * b->n->unit + odd;
            if (place / 2 == k)
                weight[place % 2] += weight_of(&s->part[i]);
        }
        if (weight[0] == 0 && weight[1] == 0)
            continue;
        LLVMValueRef lane[2 * FIXED_LANES];
        for (int64_t l = 0; l < b->n->block; l++)
            lane[l] = LLVMConstInt(byte, (uint64_t)weight[l % 2], 1);
        LLVMValueRef args[2] = { read(r, k), LLVMConstVector(lane, (unsigned)b->n->block) };
        sum = plus(b, sum, em_call(b->em, instruction, NULL, 0, args, 2), false);
    }
    return sum;
}

/* The same, element by element. */
static LLVMValueRef form_of_halves(struct reads *r, const struct fixed_sum *s, int64_t odd)
{
    const struct fixed_block *b = r->b;
    bool high = b->n->f.bits == 16;
    LLVMValueRef sum = NULL;
    for (int i = 0; i < s->parts; i++) {
        const struct fixed_part *part = &s->part[i];
        LLVMValueRef x[2];
        for (int c = 0; c < part->count; c++) {
            int64_t place = part->at[c] * b->n->unit + odd;
            x[c] = half(b, read(r, place / 2), place % 2, high);
        }
        x[0] = part->mean ? mean(b, x[0], x[1]) : x[0];
        x[0] = high ? scaled(b, x[0], part->factor, false)
                    : LLVMBuildMul(b->em->builder, x[0], whole(b, part->factor), "");
        sum = plus(b, sum, x[0], part->minus);
    }
    return sum;
}

struct fixed_two fixed_block_form(const struct fixed_block *b, int form,
                                  const struct fixed_row *row)
{
    const struct fixed_sum *s = &b->n->f.form[form];
    const char *instruction = b->n->f.bits == 8 ? pair_sum(b) : NULL;
    struct reads r = { .b = b, .row = row };
    if (instruction)
        return (struct fixed_two){ form_of_pairs(&r, s, 0, instruction),
                                   form_of_pairs(&r, s, 1, instruction) };
    return (struct fixed_two){ form_of_halves(&r, s, 0), form_of_halves(&r, s, 1) };
}

/* ---- outputs -------------------------------------------------------------------------------- */

/* One part of a sum, of forms in `x`. */
static LLVMValueRef part_of(const struct fixed_block *b, int i, const LLVMValueRef *x)
{
    const struct fixed_part *part = &b->n->f.sum.part[i];
    bool sign = b->n->f.form[b->n->f.of[i]].sign;
    LLVMValueRef sum = x[0];
    for (int r = 1; r < part->count; r++)
        sum = part->mean ? mean(b, sum, x[r]) : plus(b, sum, x[r], false);
    return b->n->f.exact ? LLVMBuildMul(b->em->builder, sum, whole(b, part->factor), "")
                         : scaled(b, sum, part->factor, sign);
}

struct fixed_two fixed_block_sum(const struct fixed_block *b,
                                 struct fixed_two of[FIXED_TAPS][FIXED_PASSED])
{
    const struct fixed *f = &b->n->f;
    struct fixed_two sum = { 0 };
    for (int i = 0; i < f->sum.parts; i++) {
        const struct fixed_part *part = &f->sum.part[i];
        LLVMValueRef even[FIXED_TAPS], odd[FIXED_TAPS];
        for (int r = 0; r < part->count; r++) {
            const struct fixed_two *x = &of[f->of[i]][part->at[r] - b->n->first[f->of[i]]];
            even[r] = x->even;
            odd[r] = x->odd;
        }
        sum.even = plus(b, sum.even, part_of(b, i, even), part->minus);
        sum.odd = plus(b, sum.odd, part_of(b, i, odd), part->minus);
    }
    return sum;
}

/* ---- results -------------------------------------------------------------------------------- */

/* x / 2^shift to the nearest; of two that are as near to the even one, where sums are exact. */
static LLVMValueRef rounded(const struct fixed_block *b, LLVMValueRef x)
{
    const struct fixed *f = &b->n->f;
    LLVMBuilderRef builder = b->em->builder;
    LLVMValueRef shift = whole(b, f->shift);
    if (f->exact && f->shift) {
        LLVMValueRef odd =
            LLVMBuildAnd(builder, LLVMBuildLShr(builder, x, shift, ""), whole(b, 1), "");
        x = LLVMBuildAdd(builder, x, whole(b, (1 << f->shift) / 2 - 1), "");
        x = LLVMBuildAdd(builder, x, odd, "");
    } else if (f->bias) {
        x = LLVMBuildAdd(builder, x, whole(b, f->bias), "");
    }
    return x;
}

static LLVMValueRef extreme(const struct fixed_block *b, const char *name, LLVMValueRef x,
                            double end)
{
    LLVMTypeRef type = b->whole;
    LLVMValueRef args[2] = { x, whole(b, (int64_t)end) };
    return em_call(b->em, name, &type, 1, args, 2);
}

/* The ends of what is stored. */
static double least_of(const struct convc_problem *p)
{
    double least = dtype_least(p->dst_dtype);
    return p->activation == CONVC_ACT_RELU && least < 0 ? 0 : least;
}

/* Do sums go beyond what is stored? */
static bool too_small(const struct fixed_nest *n)
{
    return n->f.sum.sign && n->f.sum.least / (1 << n->f.shift) < least_of(&n->p->p);
}

static bool too_large(const struct fixed_nest *n)
{
    double most = n->f.sum.most + (n->f.exact && n->f.shift ? (1 << n->f.shift) / 2 : 0);
    return most / (1 << n->f.shift) >= dtype_most(n->p->p.dst_dtype) + 1;
}

/* What rounded() left, as whole numbers that the type holds. */
static LLVMValueRef held(const struct fixed_block *b, LLVMValueRef x)
{
    const struct fixed_nest *n = b->n;
    LLVMValueRef shift = whole(b, n->f.shift);
    bool sign = n->f.sum.sign;
    if (n->f.shift)
        x = sign ? LLVMBuildAShr(b->em->builder, x, shift, "")
                 : LLVMBuildLShr(b->em->builder, x, shift, "");
    if (too_small(n))
        x = extreme(b, "llvm.smax", x, least_of(&n->p->p));
    if (too_large(n))
        x = extreme(b, sign ? "llvm.smin" : "llvm.umin", x, dtype_most(n->p->p.dst_dtype));
    return x;
}

/* Bytes of both in turn: the lower ones of 16 bits, or the upper. */
static void store_bytes(const struct fixed_block *b, struct fixed_two x, bool high, LLVMValueRef to)
{
    int pick[2 * FIXED_LANES], block = (int)b->n->block;
    for (int l = 0; l < block; l++)
        pick[l] = (l & ~1) + high + (l & 1 ? block : 0);
    LLVMValueRef even = LLVMBuildBitCast(b->em->builder, x.even, b->bytes, "");
    LLVMValueRef odd = LLVMBuildBitCast(b->em->builder, x.odd, b->bytes, "");
    em_store(b->em, em_shuffle(b->em, even, odd, pick, block), to, 1);
}

static void store_whole(const struct fixed_block *b, struct fixed_two x, LLVMValueRef to)
{
    int lanes = b->n->lanes, pick[FIXED_LANES];
    for (int v = 0; v < 2; v++) {
        for (int l = 0; l < lanes; l++)
            pick[l] = (v * lanes + l) / 2 + (l & 1 ? lanes : 0);
        LLVMValueRef side = em_shuffle(b->em, x.even, x.odd, pick, lanes);
        em_store(b->em, side, em_at_const(b->em, to, 2 * v * lanes), 2);
    }
}

void fixed_block_store(const struct fixed_block *b, struct fixed_two sum, LLVMValueRef to)
{
    const struct fixed_nest *n = b->n;
    struct fixed_two x = { rounded(b, sum.even), rounded(b, sum.odd) };
    bool byte = n->p->p.dst_dtype == CONVC_U8;
    if (byte && n->f.shift == 8 && !n->f.sum.sign && !too_large(n)) {
        store_bytes(b, x, true, to);
        return;
    }
    x = (struct fixed_two){ held(b, x.even), held(b, x.odd) };
    if (byte)
        store_bytes(b, x, false, to);
    else
        store_whole(b, x, to);
}
