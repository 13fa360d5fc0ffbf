#include "gen/emit/emit_fixed.h"

#include "gen/base/memory.h"
#include "gen/emit/arguments.h"
#include "gen/emit/border.h"
#include "gen/emit/fixed_block.h"

#include <string.h>

/* One work item, decoded: a channel of an image, and rows [begin, end) of its result. */
struct item {
    LLVMValueRef src, dst, begin, end;
};

static struct item decode(struct em *em, const struct fixed_nest *n, const struct arguments *args,
                          LLVMValueRef index)
{
    const struct convc_problem *p = &n->p->p;
    struct item i;
    LLVMValueRef strip, channel, bytes = em_int(em, dtype_bytes(p->dst_dtype)), image;
    LLVMValueRef rest = em_divide(em, index, em_int(em, n->strips), &strip);
    image = em_divide(em, rest, em_int(em, n->channels), &channel);
    LLVMValueRef from = em_add(em, em_mul(em, image, p->src_stride[CONVC_STRIDE_N]),
                               em_mul(em, channel, p->src_stride[CONVC_STRIDE_C]));
    LLVMValueRef to = em_add(em, em_mul(em, image, p->dst_stride[CONVC_STRIDE_N]),
                             em_mul(em, channel, p->dst_stride[CONVC_STRIDE_C]));
    i.src = em_opaque(em, em_at(em, args->src, from));
    i.dst = em_opaque(em, em_at(em, args->dst, LLVMBuildMul(em->builder, to, bytes, "")));
    i.begin = em_opaque(em, em_mul(em, strip, n->plan.strip));
    LLVMValueRef end = em_add(em, i.begin, em_int(em, n->plan.strip));
    i.end = em_opaque(em, em_min(em, end, em_int(em, n->p->out[CONVC_H])));
    return i;
}

/* ---- padding -------------------------------------------------------------------------------- */

static bool reads_padding(const struct fixed_nest *n)
{
    enum convc_padding_mode m = n->p->p.padding_mode;
    return (m == CONVC_PAD_ZEROS || m == CONVC_PAD_CONSTANT) && problem_axis_pads(n->p, CONVC_H);
}

/* What rows outside of the source are read from: as much as a block and its window. */
static LLVMValueRef padding_table(struct em *em, const struct fixed_nest *n)
{
    char bytes[2 * FIXED_LANES + 2 * FIXED_PAIRS];
    size_t count = (size_t)(n->block + 2 * n->pairs);
    memset(bytes, (int)n->p->p.padding_value, count);
    LLVMValueRef row = LLVMConstStringInContext2(em->context, bytes, count, 1);
    LLVMValueRef table = LLVMAddGlobal(em->module, LLVMTypeOf(row), "padding");
    LLVMSetInitializer(table, row);
    LLVMSetGlobalConstant(table, 1);
    LLVMSetLinkage(table, LLVMPrivateLinkage);
    return table;
}

/* ---- rows ----------------------------------------------------------------------------------- */

/* Row `tap` of the window of output row `oh`, which may be as many rows above the first one as are
 * passed on. */
static struct fixed_row find_row(const struct fixed_block *b, const struct item *i, LLVMValueRef oh,
                                 int64_t tap)
{
    struct em *em = b->em;
    const struct convc_problem *p = &b->n->p->p;
    int64_t n = p->in[CONVC_H], first = tap - p->pad_begin[CONVC_H];
    int64_t last = b->n->p->out[CONVC_H] - 1 + first;
    LLVMValueRef at = em_mul_add(em, oh, 1, first);
    struct border r = first - b->n->passed > -n && last <= 2 * n - 2
                          ? border_emit_near(em, p->padding_mode, at, n)
                          : border_emit(em, p->padding_mode, at, n);
    LLVMValueRef far = em_mul(em, r.index, p->src_stride[CONVC_STRIDE_H]);
    return (struct fixed_row){ em_opaque(em, em_at(em, i->src, far)),
                               b->padding ? em_opaque(em, r.inside) : NULL };
}

/* The forms of the last rows of the window. */
static void emit_forms(const struct fixed_block *b, const struct item *i, LLVMValueRef oh,
                       struct fixed_two of[FIXED_TAPS][FIXED_PASSED])
{
    const struct fixed_nest *n = b->n;
    for (int f = 0; f < n->f.forms; f++) {
        struct fixed_row row = find_row(b, i, oh, n->last[f]);
        of[f][n->last[f] - n->first[f]] = fixed_block_form(b, f, &row);
    }
}

/* Forms that are passed on, in the order of their rows. */
static void take_over(const struct fixed_block *b, struct fixed_two of[FIXED_TAPS][FIXED_PASSED])
{
    const struct em_var *v = b->passed;
    for (int f = 0; f < b->n->f.forms; f++)
        for (int64_t r = 0; r < b->n->last[f] - b->n->first[f]; r++, v += 2)
            of[f][r] = (struct fixed_two){ em_get(b->em, v[0]), em_get(b->em, v[1]) };
}

static void pass_on(const struct fixed_block *b, struct fixed_two of[FIXED_TAPS][FIXED_PASSED])
{
    const struct em_var *v = b->passed;
    for (int f = 0; f < b->n->f.forms; f++)
        for (int64_t r = 0; r < b->n->last[f] - b->n->first[f]; r++, v += 2) {
            em_set(b->em, v[0], of[f][r + 1].even);
            em_set(b->em, v[1], of[f][r + 1].odd);
        }
}

static void pass_nothing(const struct fixed_block *b)
{
    const struct em_var *v = b->passed;
    for (int f = 0; f < b->n->f.forms; f++)
        for (int64_t r = 0; r < 2 * (b->n->last[f] - b->n->first[f]); r++)
            em_set(b->em, *v++, LLVMGetPoison(b->whole));
}

/* All rows of the item. */
static void emit_block(struct fixed_block *b, const struct item *i, int64_t edge, LLVMValueRef at)
{
    struct em *em = b->em;
    const struct convc_problem *p = &b->n->p->p;
    struct fixed_two of[FIXED_TAPS][FIXED_PASSED];
    int64_t bytes = dtype_bytes(p->dst_dtype);
    b->edge = edge;
    b->at = em_opaque(em, at);
    pass_nothing(b);
    EM_FOR (em, above, em_int(em, 0), em_int(em, b->n->passed)) {
        LLVMValueRef oh = em_add(em, i->begin, em_sub(em, above, em_int(em, b->n->passed)));
        take_over(b, of);
        emit_forms(b, i, oh, of);
        pass_on(b, of);
    }
    LLVMValueRef dst = em_opaque(em, em_at(em, i->dst, em_mul(em, b->at, bytes)));
    EM_FOR (em, oh, i->begin, i->end) {
        take_over(b, of);
        emit_forms(b, i, oh, of);
        struct fixed_two sum = fixed_block_sum(b, of);
        LLVMValueRef to = em_mul(em, oh, p->dst_stride[CONVC_STRIDE_H] * bytes);
        fixed_block_store(b, sum, em_at(em, dst, to));
        pass_on(b, of);
    }
}

static void emit_item(struct fixed_block *b, const struct item *i)
{
    struct em *em = b->em;
    const struct fixed_nest *n = b->n;
    for (int e = 0; e < n->edges; e++)
        emit_block(b, i, n->edge[e], em_int(em, n->edge[e]));
    if (n->begin < n->end) {
        EM_FOR (em, block, em_int(em, n->begin), em_int(em, n->end)) {
            emit_block(b, i, -1, em_mul(em, block, n->block));
        }
    }
}

void emit_fixed(struct em *em, const struct problem *p, const struct plan *plan)
{
    const struct target *whole = em->target, known = target_of_known_length(whole);
    struct fixed_nest *n = fixed_nest_of(p, &plan->fixed, whole);
    struct fixed_block *b = memory_zeroed(1, sizeof *b);
    em->failed = em->failed || !n || !b;
    if (!em->failed) {
        b->em = em;
        b->n = n;
        b->whole = em_vector(LLVMInt16TypeInContext(em->context), n->lanes);
        b->bytes = em_vector(LLVMInt8TypeInContext(em->context), (int)n->block);
        b->padding = reads_padding(n) ? padding_table(em, n) : NULL;
        for (int i = 0; i < FIXED_PASSED; i++)
            b->passed[i] = em_var(em, b->whole, "passed");
        struct arguments args = arguments_tensors(em, p, plan);
        em->target = &known;
        EM_FOR (em, index, arguments_begin(em), arguments_end(em)) {
            struct item i = decode(em, n, &args, index);
            emit_item(b, &i);
        }
        em->target = whole;
    }
    memory_free(b);
    memory_free(n);
}
