/* The output transform: from M to the outputs of a block of tiles, through bias, residual and
 * activation. Where outputs go through a strip, the transform fills it, and the strip is written
 * after each row of tiles. */
#include "gen/emit/em_math.h"
#include "gen/emit/winograd_stage.h"
#include "gen/emit/winograd_transform.h"

LLVMValueRef winograd_scratch(const struct winograd_stage *s, int64_t at)
{
    return em_at_const(s->em, s->scratch, at);
}

struct winograd_place winograd_locate(const struct winograd_stage *s, LLVMValueRef tile)
{
    const struct winograd *w = s->w;
    struct em *em = s->em;
    LLVMValueRef x, y, rest = em_divide(em, tile, em_int(em, w->tiles_w), &x);
    struct winograd_place at;
    at.od = em_divide(em, rest, em_int(em, w->tiles_h), &y);
    at.y = em_mul(em, y, w->h.m);
    at.x = em_mul(em, x, w->w.m);
    return at;
}

/* One vector of channels of one tile. */
struct place {
    LLVMValueRef m;                   /* its place in M */
    LLVMValueRef dst, residual, bias; /* of the tile's first output; bias is the vector itself */
    LLVMValueRef rows, cols;          /* outputs that exist */
    struct em_lanes on;
};

static LLVMValueRef epilogue(const struct winograd_stage *s, const struct place *at,
                             LLVMValueRef acc, int64_t distance)
{
    const struct convc_problem *p = &s->w->p->p;
    struct em *em = s->em;
    if (p->bias)
        acc = LLVMBuildFAdd(em->builder, acc, at->bias, "");
    if (p->residual) {
        LLVMValueRef from = em_at_const(em, at->residual, distance);
        LLVMValueRef more = em_load_lanes(em, s->vector, from, &at->on, NULL);
        acc = LLVMBuildFAdd(em->builder, acc, more, "");
    }
    return em_activation(em, p->activation, p->activation_args, acc);
}

/* Does every tile have outputs this far along the axis? */
static bool certain(const struct winograd *w, int axis, int i)
{
    int m = axis == CONVC_H ? w->h.m : w->w.m;
    int64_t last = w->p->out[axis] % m;
    return last == 0 || i < last;
}

/* Into the strip: outputs that do not exist have room there. */
static void store_strip_row(const struct winograd_stage *s, const struct place *at, int row,
                            LLVMValueRef *out)
{
    const struct winograd *w = s->w;
    struct em *em = s->em;
    for (int j = 0; j < w->w.m; j++) {
        LLVMValueRef y = w->p->p.bias ? LLVMBuildFAdd(em->builder, out[j], at->bias, "") : out[j];
        em_store(em, y, em_at_const(em, at->dst, row * w->dst_row + j * w->vector_bytes),
                 (unsigned)w->vector_bytes);
    }
}

static void store_row(const struct winograd_stage *s, const struct place *at, int row,
                      LLVMValueRef *out)
{
    const struct winograd *w = s->w;
    const int64_t *stride = w->p->p.dst_stride;
    struct em *em = s->em;
    for (int j = 0; j < w->w.m; j++) {
        int64_t distance = (row * stride[CONVC_STRIDE_H] + j * stride[CONVC_STRIDE_W]) * w->bytes;
        LLVMValueRef exists = em_true(em);
        if (!certain(w, CONVC_W, j))
            exists = em_less(em, em_int(em, j), at->cols);
        EM_IF (em, exists) {
            LLVMValueRef y = epilogue(s, at, out[j], distance);
            em_store_lanes(em, y, em_at_const(em, at->dst, distance), &at->on);
        }
    }
}

/* Rows begin, begin + step, ... of the tile. */
static void transform_rows(const struct winograd_stage *s, const struct place *at, int begin,
                           int step)
{
    const struct winograd *w = s->w;
    struct em *em = s->em;
    LLVMValueRef z[WINOGRAD_POINTS][WINOGRAD_POINTS], out[WINOGRAD_POINTS];
    LLVMValueRef from = at->m;
    for (int j = 0; j < w->w.n; j++) {
        LLVMValueRef m[WINOGRAD_POINTS], made[WINOGRAD_POINTS];
        for (int i = 0; i < w->h.n; i++)
            m[i] = em_load(em, s->vector, em_at_const(em, from, i * w->w.n * w->m_stride),
                           (unsigned)w->vector_bytes);
        winograd_output_axis(em, &w->h, begin, step, m, made);
        for (int i = begin; i < w->h.m; i += step)
            z[i][j] = made[i];
        from = em_opaque(em, em_at_const(em, from, w->m_stride));
    }
    for (int i = begin; i < w->h.m; i += step) {
        LLVMValueRef exists = em_true(em);
        if (!w->dst_strip && !certain(w, CONVC_H, i))
            exists = em_less(em, em_int(em, i), at->rows);
        EM_IF (em, exists) {
            winograd_output_axis(em, &w->w, 0, 1, z[i], out);
            if (w->dst_strip)
                store_strip_row(s, at, i, out);
            else
                store_row(s, at, i, out);
        }
    }
}

/* Half-transformed rows are held in registers: all of them, or the even ones and then the odd. */
static void transform(const struct winograd_stage *s, const struct place *at)
{
    const struct winograd *w = s->w;
    bool all = w->h.m * w->w.n * 4 <= s->em->target->vector_registers * 3;
    transform_rows(s, at, 0, all ? 1 : 2);
    if (!all && w->h.m > 1)
        transform_rows(s, at, 1, 2);
}

/* Vector `v` of the block's channels of a tile, which counts within the block, in M. */
static LLVMValueRef find_products(const struct winograd_stage *s, LLVMValueRef tile, LLVMValueRef v)
{
    const struct winograd *w = s->w;
    struct em *em = s->em;
    LLVMValueRef within, panel = em_divide(em, v, em_int(em, w->plan.vecs), &within);
    LLVMValueRef row = em_add(em, em_mul(em, panel, w->blocks.wide), tile);
    LLVMValueRef slot = em_add(em, em_mul(em, row, w->plan.vecs), within);
    LLVMValueRef m = em_mul(em, slot, w->vector_bytes);
    return em_opaque(em, em_at(em, winograd_scratch(s, w->m_at), m));
}

/* What vector `v` of the block's channels needs; `tile` counts within the block. */
static void emit_vector(const struct winograd_stage *s, const struct place *first,
                        LLVMValueRef tile, LLVMValueRef v, int active)
{
    const struct winograd *w = s->w;
    struct em *em = s->em;
    struct place at = *first;
    LLVMValueRef channel = em_mul(em, v, w->vector_bytes);
    at.on = em_lanes_first(w->lanes, active);
    at.m = find_products(s, tile, v);
    at.dst = em_opaque(em, em_at(em, first->dst, channel));
    at.residual = em_opaque(em, em_at(em, first->residual, channel));
    if (w->p->p.bias)
        at.bias = em_load_lanes(em, s->vector, em_at(em, s->bias, channel), &at.on, NULL);
    transform(s, &at);
}

static struct place find_place(const struct winograd_stage *s, LLVMValueRef tile)
{
    const struct winograd *w = s->w;
    const int64_t *stride = w->p->p.dst_stride;
    struct em *em = s->em;
    struct winograd_place t = winograd_locate(s, em_add(em, s->tile, tile));
    LLVMValueRef offset = em_mul(em, t.od, stride[CONVC_STRIDE_D] * w->bytes);
    offset = em_add(em, offset, em_mul(em, t.y, stride[CONVC_STRIDE_H] * w->bytes));
    offset = em_add(em, offset, em_mul(em, t.x, stride[CONVC_STRIDE_W] * w->bytes));
    return (struct place){
        .dst = em_opaque(em, em_at(em, s->dst, offset)),
        .residual = em_opaque(em, em_at(em, s->residual, offset)),
        .rows = em_opaque(em, em_sub(em, em_int(em, w->p->out[CONVC_H]), t.y)),
        .cols = em_opaque(em, em_sub(em, em_int(em, w->p->out[CONVC_W]), t.x)),
    };
}

/* The tiles [begin, end) of a row of tiles, which count within the block, through the strip. */
static void emit_strip(const struct winograd_stage *s, const struct place *first,
                       LLVMValueRef begin, LLVMValueRef end, LLVMValueRef v, int active)
{
    const struct winograd *w = s->w;
    struct em *em = s->em;
    struct place at = { .on = em_lanes_first(w->lanes, active) };
    LLVMValueRef channel = em_mul(em, v, w->vector_bytes), strip = winograd_scratch(s, w->dst_at);
    if (w->p->p.bias)
        at.bias = em_load_lanes(em, s->vector, em_at(em, s->bias, channel), &at.on, NULL);
    EM_FOR (em, tile, begin, end) {
        LLVMValueRef column = em_mul(em, em_sub(em, tile, begin), w->w.m * w->vector_bytes);
        at.m = find_products(s, tile, v);
        at.dst = em_opaque(em, em_at(em, strip, column));
        transform(s, &at);
    }
    LLVMValueRef channels = em_mul(em, channel, w->p->p.dst_stride[CONVC_STRIDE_C]);
    LLVMValueRef cols = em_mul(em, em_sub(em, end, begin), w->w.m);
    struct winograd_strip to = { .dst = em_opaque(em, em_at(em, first->dst, channels)),
                                 .residual = em_opaque(em, em_at(em, first->residual, channels)),
                                 .rows = em_min(em, first->rows, em_int(em, w->h.m)),
                                 .cols = em_min(em, first->cols, cols),
                                 .active = active };
    winograd_strip_write(s, &to);
}

/* Rows of tiles, the first and the last of which may be partly those of other blocks. */
static void emit_strips(const struct winograd_stage *s, LLVMValueRef full, LLVMValueRef last,
                        bool tail)
{
    const struct winograd *w = s->w;
    struct em *em = s->em;
    LLVMValueRef rest, beyond = em_add(em, s->tile, s->tiles);
    LLVMValueRef row = em_divide(em, s->tile, em_int(em, w->tiles_w), &rest);
    LLVMValueRef rows = em_divide(em, em_add(em, beyond, em_int(em, w->tiles_w - 1)),
                                  em_int(em, w->tiles_w), &rest);
    EM_FOR (em, i, row, rows) {
        LLVMValueRef from = em_max(em, em_mul(em, i, w->tiles_w), s->tile);
        LLVMValueRef to = em_min(em, em_mul_add(em, i, w->tiles_w, w->tiles_w), beyond);
        LLVMValueRef begin = em_opaque(em, em_sub(em, from, s->tile));
        LLVMValueRef end = em_opaque(em, em_sub(em, to, s->tile));
        struct place at = find_place(s, begin);
        EM_FOR (em, v, em_int(em, 0), full) {
            emit_strip(s, &at, begin, end, v, w->lanes);
        }
        if (tail) {
            EM_IF (em, s->last) {
                emit_strip(s, &at, begin, end, last, (int)w->out_tail);
            }
        }
    }
}

void winograd_output(const struct winograd_stage *s)
{
    const struct winograd *w = s->w;
    struct em *em = s->em;
    int64_t block = w->block_panels * w->plan.vecs;
    int64_t left = w->vectors - (w->oc_blocks - 1) * block;
    bool tail = w->out_tail != w->lanes;
    LLVMValueRef last = em_int(em, left - (tail ? 1 : 0));
    LLVMValueRef full = LLVMBuildSelect(em->builder, s->last, last, em_int(em, block), "");
    if (w->dst_strip) {
        emit_strips(s, full, last, tail);
        return;
    }
    EM_FOR (em, tile, em_int(em, 0), s->tiles) {
        struct place at = find_place(s, tile);
        EM_FOR (em, v, em_int(em, 0), full) {
            emit_vector(s, &at, tile, v, w->lanes);
        }
        if (tail) {
            EM_IF (em, s->last) {
                emit_vector(s, &at, tile, last, (int)w->out_tail);
            }
        }
    }
}
