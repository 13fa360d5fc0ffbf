#include "gen/emit/emit_stencil.h"

#include "gen/base/memory.h"
#include "gen/emit/arguments.h"
#include "gen/emit/stencil_tile.h"

/* One work item, decoded; rows [begin, end). */
struct item {
    LLVMValueRef image, channel, od, begin, end;
};

static struct item decode(struct em *em, const struct stencil_nest *n, LLVMValueRef index)
{
    struct item i;
    LLVMValueRef strip, rest = em_divide(em, index, em_int(em, n->strips), &strip);
    rest = em_divide(em, rest, em_int(em, n->p->out[CONVC_D]), &i.od);
    i.image = em_divide(em, rest, em_int(em, n->channels), &i.channel);
    if (n->strips == 1) {
        i.begin = em_int(em, 0);
        i.end = em_int(em, n->p->out[CONVC_H]);
        return i;
    }
    i.begin = em_opaque(em, em_mul(em, strip, n->plan.strip));
    LLVMValueRef end = em_add(em, i.begin, em_int(em, n->plan.strip));
    i.end = em_opaque(em, em_min(em, end, em_int(em, n->p->out[CONVC_H])));
    return i;
}

/* Pointers of a tile whose first output row is `oh`; of a single row, the source's first. */
static void place_tile(struct stencil_tile *t, const struct arguments *args, const struct item *i,
                       LLVMValueRef oh)
{
    const struct stencil_nest *n = t->n;
    const struct convc_problem *p = &n->p->p;
    struct em *em = t->em;
    const int64_t *src = p->src_stride, *dst = p->dst_stride, *step = p->stride;
    int64_t bytes = n->dst_bytes, filters = n->program.filters;
    LLVMValueRef from = em_mul(em, i->image, src[CONVC_STRIDE_N] * n->src_bytes);
    from = em_add(em, from, em_mul(em, i->channel, src[CONVC_STRIDE_C] * n->src_bytes));
    if (!t->single) {
        int64_t d = src[CONVC_STRIDE_D] * n->src_bytes, h = src[CONVC_STRIDE_H] * n->src_bytes;
        from = em_add(em, from, em_mul_add(em, i->od, step[0] * d, -p->pad_begin[0] * d));
        from = em_add(em, from, em_mul_add(em, oh, step[1] * h, -p->pad_begin[1] * h));
    }
    LLVMValueRef to = em_mul(em, i->image, dst[CONVC_STRIDE_N] * bytes);
    LLVMValueRef channel = em_mul(em, i->channel, filters);
    to = em_add(em, to, em_mul(em, channel, dst[CONVC_STRIDE_C] * bytes));
    to = em_add(em, to, em_mul(em, i->od, dst[CONVC_STRIDE_D] * bytes));
    to = em_add(em, to, em_mul(em, oh, dst[CONVC_STRIDE_H] * bytes));
    t->src = em_opaque(em, em_at(em, args->src, from));
    t->dst = em_opaque(em, em_at(em, args->dst, to));
    if (p->residual)
        t->residual = em_opaque(em, em_at(em, args->residual, to));
    if (p->bias)
        t->bias = em_opaque(em, em_at(em, args->bias, em_mul(em, channel, n->acc_bytes)));
    for (int a = 0; a < n->p->f.arg_count; a++) {
        enum arg_kind kind = n->p->f.arg[a].kind;
        LLVMValueRef at = kind == ARG_CHANNEL  ? em_mul(em, channel, n->acc_bytes)
                          : kind == ARG_TENSOR ? to
                                               : em_int(em, 0);
        t->user[a] = em_opaque(em, em_at(em, args->user[a], at));
    }
}

/* Rows of the item that read inside, [*begin, *end). */
static void find_inside(struct em *em, const struct stencil_nest *n, const struct item *i,
                        LLVMValueRef *begin, LLVMValueRef *end)
{
    *begin = em_min(em, em_max(em, i->begin, em_int(em, n->row_begin)), i->end);
    *end = em_max(em, em_min(em, i->end, em_int(em, n->row_end)), *begin);
    if (n->depth_begin > 0 || n->depth_end < n->p->out[CONVC_D]) {
        LLVMValueRef depth = em_sub(em, i->od, em_int(em, n->depth_begin));
        LLVMValueRef inside = em_below(em, depth, em_int(em, n->depth_end - n->depth_begin));
        *end = LLVMBuildSelect(em->builder, inside, *end, *begin, "");
    }
}

/* Tiles of rows inside; returns the row behind them. */
static LLVMValueRef emit_tiles(struct stencil_tile *t, const struct arguments *args,
                               const struct item *i, LLVMValueRef begin, LLVMValueRef end)
{
    struct em *em = t->em;
    int64_t rows = t->n->plan.rows;
    LLVMValueRef rest;
    if (t->n->row_end - t->n->row_begin < rows || (t->n->plan.apart && rows == 1))
        return begin;
    LLVMValueRef tiles = em_divide(em, em_sub(em, end, begin), em_int(em, rows), &rest);
    EM_FOR (em, tile, em_int(em, 0), tiles) {
        t->rows = (int)rows;
        t->single = false;
        place_tile(t, args, i, em_add(em, begin, em_mul(em, tile, rows)));
        if (t->n->plan.apart)
            stencil_tile_emit_inside(t);
        else
            stencil_tile_emit(t);
    }
    return em_sub(em, end, rest);
}

static void begin_single(struct stencil_tile *t, const struct arguments *args, const struct item *i,
                         LLVMValueRef oh)
{
    t->rows = 1;
    t->single = true;
    t->od = i->od;
    t->oh = oh;
    place_tile(t, args, i, oh);
    stencil_find_rows(t);
}

static void emit_single(struct stencil_tile *t, const struct arguments *args, const struct item *i,
                        LLVMValueRef oh)
{
    begin_single(t, args, i, em_opaque(t->em, oh));
    stencil_tile_emit(t);
}

/* Of pictures of one strip the rows outside of [begin, after) are known, and where they are few
 * each has code of its own, which knows what it reads. */
static bool emit_known_others(struct stencil_tile *t, const struct arguments *args,
                              const struct item *i, LLVMValueRef begin, LLVMValueRef after)
{
    enum { FEW = 2 };
    int64_t first, last, behind, end;
    if (t->em->small || !em_is_const(i->begin, &first) || !em_is_const(i->end, &end) ||
        !em_is_const(begin, &last) || !em_is_const(after, &behind) ||
        last - first + end - behind > FEW)
        return false;
    for (int64_t oh = first; oh < end; oh++) {
        if (oh < last || oh >= behind)
            emit_single(t, args, i, em_int(t->em, oh));
    }
    return true;
}

/* Rows of the item outside of [begin, after). */
static void emit_others(struct stencil_tile *t, const struct arguments *args, const struct item *i,
                        LLVMValueRef begin, LLVMValueRef after)
{
    struct em *em = t->em;
    if (emit_known_others(t, args, i, begin, after))
        return;
    LLVMValueRef before = em_sub(em, begin, i->begin);
    LLVMValueRef count = em_add(em, before, em_sub(em, i->end, after));
    EM_FOR (em, row, em_int(em, 0), count) {
        LLVMValueRef late = em_add(em, after, em_sub(em, row, before));
        LLVMValueRef early = em_less(em, row, before);
        LLVMValueRef oh = LLVMBuildSelect(em->builder, early, em_add(em, i->begin, row), late, "");
        emit_single(t, args, i, oh);
    }
}

/* Vectors at the border of all rows of the item; those outside of [begin, after) in full. */
static void emit_edges(struct stencil_tile *t, const struct arguments *args, const struct item *i,
                       LLVMValueRef begin, LLVMValueRef after)
{
    struct em *em = t->em;
    LLVMValueRef tiled = em_sub(em, after, begin);
    EM_FOR (em, row, em_int(em, 0), em_sub(em, i->end, i->begin)) {
        LLVMValueRef oh = em_opaque(em, em_add(em, i->begin, row));
        begin_single(t, args, i, oh);
        stencil_tile_emit_edges(t);
        if (t->n->plan.rows == 1) {
            stencil_tile_emit_inside(t);
        } else {
            LLVMValueRef done =
                LLVMBuildICmp(em->builder, LLVMIntULT, em_sub(em, oh, begin), tiled, "");
            EM_IF (em, LLVMBuildNot(em->builder, done, "")) {
                stencil_tile_emit_inside(t);
            }
        }
    }
}

static void emit_item(struct stencil_tile *t, const struct arguments *args, const struct item *i)
{
    LLVMValueRef begin, end;
    find_inside(t->em, t->n, i, &begin, &end);
    LLVMValueRef after = emit_tiles(t, args, i, begin, end);
    if (t->n->plan.apart)
        emit_edges(t, args, i, begin, after);
    else
        emit_others(t, args, i, begin, after);
}

static void emit_items(struct stencil_tile *t, const struct arguments *args)
{
    struct em *em = t->em;
    if (t->n->plan.columns == COLUMNS_KEPT)
        t->scratch = arguments_workspace(em);
    EM_FOR (em, index, arguments_begin(em), arguments_end(em)) {
        struct item i = decode(em, t->n, index);
        emit_item(t, args, &i);
    }
}

void emit_stencil(struct em *em, const struct problem *p, const struct plan *plan)
{
    const struct target *whole = em->target, known = target_of_known_length(whole);
    struct stencil_nest *n = stencil_nest_of(p, &plan->stencil, whole);
    struct stencil_tile *t = memory_zeroed(1, sizeof *t);
    struct stencil_steps *steps = memory_zeroed(1, sizeof *steps);
    LLVMValueRef *value = memory_zeroed(STENCIL_STEPS, sizeof *value);
    em->failed = em->failed || !n || !t || !steps || !value;
    if (!em->failed) {
        *t = (struct stencil_tile){ .em = em, .n = n, .steps = steps, .value = value };
        t->real = em_vector(n->acc_bytes == 8 ? em->f64 : em->f32, n->lanes);
        t->vector = n->program.number.narrow
                        ? em_vector(LLVMInt16TypeInContext(em->context), n->lanes)
                        : t->real;
        struct arguments args = arguments_tensors(em, p, plan);
        em->target = &known;
        stencil_find_factors(t);
        emit_items(t, &args);
        em->target = whole;
    }
    memory_free(value);
    memory_free(steps);
    memory_free(t);
    memory_free(n);
}
