/* Strips: between tensors whose pixels of a row lie side by side and vectors of channels.
 *
 * Squares of as many pixels as channels are turned over in registers. A square of inputs that would
 * reach past the end of its row begins earlier instead and reads some pixels twice; outputs are
 * stored under a mask, since one block must not write what another one does. */
#include "gen/emit/border.h"
#include "gen/emit/em_math.h"
#include "gen/emit/em_transpose.h"
#include "gen/emit/winograd_stage.h"

/* ---- inputs -------------------------------------------------------------------------------- */

LLVMValueRef winograd_strip_outside(const struct winograd_stage *s)
{
    return winograd_scratch(s, s->w->src_at + s->w->src_row - s->w->vector_bytes);
}

static LLVMValueRef outside_value(const struct winograd_stage *s)
{
    const struct convc_problem *p = &s->w->p->p;
    return em_real(s->vector, p->padding_mode == CONVC_PAD_CONSTANT ? p->padding_value : 0);
}

void winograd_strip_begin(const struct winograd_stage *s)
{
    struct em *em = s->em;
    LLVMValueRef pixel = winograd_strip_outside(s);
    EM_FOR (em, c, em_int(em, 0), em_int(em, s->w->channels)) {
        em_store(em, outside_value(s), em_at(em, pixel, em_mul(em, c, s->w->src_channel)),
                 (unsigned)s->w->vector_bytes);
    }
}

/* Columns of the image that a row of tiles reads. */
struct span {
    LLVMValueRef begin, end;
};

/* Modes that read elsewhere in place of what lies outside may read anywhere. */
static struct span find_span(const struct winograd_stage *s, LLVMValueRef tile, LLVMValueRef x)
{
    const struct winograd *w = s->w;
    const struct convc_problem *p = &w->p->p;
    struct em *em = s->em;
    LLVMValueRef width = em_int(em, p->in[CONVC_W]), none = em_int(em, 0), column;
    if (p->padding_mode >= CONVC_PAD_REFLECT && p->padding_mode <= CONVC_PAD_CIRCULAR)
        return (struct span){ none, width };
    em_divide(em, tile, em_int(em, w->tiles_w), &column);
    LLVMValueRef left = em_sub(em, em_add(em, s->tile, s->tiles), tile);
    LLVMValueRef tiles = em_min(em, em_sub(em, em_int(em, w->tiles_w), column), left);
    LLVMValueRef first = em_sub(em, x, em_int(em, p->pad_begin[CONVC_W]));
    LLVMValueRef end = em_add(em, first, em_mul_add(em, tiles, w->w.m, w->w.n - w->w.m));
    return (struct span){ em_opaque(em, em_max(em, first, none)),
                          em_opaque(em, em_min(em, end, width)) };
}

/* `active` channels of a square of pixels; src is at the first of both. */
static void read_square(const struct winograd_stage *s, LLVMValueRef src, LLVMValueRef to,
                        int active)
{
    const struct winograd *w = s->w;
    int64_t step = w->p->p.src_stride[CONVC_STRIDE_C] * w->bytes, width = w->p->p.in[CONVC_W];
    struct em *em = s->em;
    LLVMValueRef row[EM_LANES_MAX];
    int pixels = width < w->lanes ? (int)width : w->lanes;
    struct em_lanes on = em_lanes_first(w->lanes, pixels);
    for (int i = 0; i < w->lanes; i++)
        row[i] = i < active
                     ? em_load_lanes(em, s->vector, em_at_const(em, src, i * step), &on, NULL)
                     : LLVMConstNull(s->vector);
    em_transpose(em, s->vector, row);
    for (int i = 0; i < pixels; i++)
        em_store(em, row[i], em_at_const(em, to, i * w->vector_bytes), (unsigned)w->vector_bytes);
}

/* One row of one vector of channels: of the image, or of what lies outside. */
static void read_row(const struct winograd_stage *s, const struct span *span, LLVMValueRef src,
                     LLVMValueRef to, LLVMValueRef inside, int active)
{
    const struct winograd *w = s->w;
    int64_t most = w->p->p.in[CONVC_W] > w->lanes ? w->p->p.in[CONVC_W] - w->lanes : 0;
    struct em *em = s->em;
    LLVMValueRef pixels = em_sub(em, span->end, span->begin), rest;
    LLVMValueRef squares =
        em_divide(em, em_max(em, em_add(em, pixels, em_int(em, w->lanes - 1)), em_int(em, 0)),
                  em_int(em, w->lanes), &rest);
    EM_IF (em, inside) {
        EM_FOR (em, i, em_int(em, 0), squares) {
            LLVMValueRef at = em_add(em, span->begin, em_mul(em, i, w->lanes));
            at = em_min(em, at, em_int(em, most));
            read_square(s, em_opaque(em, em_at(em, src, em_mul(em, at, w->bytes))),
                        em_opaque(em, em_at(em, to, em_mul(em, at, w->vector_bytes))), active);
        }
    }
    EM_IF (em, em_not(em, inside)) {
        EM_FOR (em, i, span->begin, span->end) {
            em_store(em, outside_value(s), em_at(em, to, em_mul(em, i, w->vector_bytes)),
                     (unsigned)w->vector_bytes);
        }
    }
}

/* Vector `c` of the channels of one slab; y is the first row, plane the image's. */
static void read_channels(const struct winograd_stage *s, const struct span *span, LLVMValueRef y,
                          const struct border *depth, LLVMValueRef slab, LLVMValueRef c, int active)
{
    const struct winograd *w = s->w;
    const struct convc_problem *p = &w->p->p;
    struct em *em = s->em;
    int64_t channels = w->lanes * p->src_stride[CONVC_STRIDE_C] * w->bytes;
    LLVMValueRef from = em_mul(em, depth->index, p->src_stride[CONVC_STRIDE_D] * w->bytes);
    from = em_at(em, s->src, em_add(em, from, em_mul(em, c, channels)));
    LLVMValueRef vector = em_add(em, em_mul(em, slab, w->channels), c);
    LLVMValueRef to = em_at(em, winograd_scratch(s, w->src_at), em_mul(em, vector, w->src_channel));
    EM_FOR (em, row, em_int(em, 0), em_int(em, w->h.n)) {
        struct border line = border_emit(em, p->padding_mode, em_add(em, y, row), p->in[CONVC_H]);
        LLVMValueRef src =
            em_at(em, from, em_mul(em, line.index, p->src_stride[CONVC_STRIDE_H] * w->bytes));
        read_row(s, span, src, em_at(em, to, em_mul(em, row, w->src_row)),
                 em_and(em, depth->inside, line.inside), active);
    }
}

void winograd_strip_read(const struct winograd_stage *s, LLVMValueRef tile)
{
    const struct winograd *w = s->w;
    const struct convc_problem *p = &w->p->p;
    struct em *em = s->em;
    struct winograd_place at = winograd_locate(s, tile);
    struct span span = find_span(s, tile, at.x);
    LLVMValueRef y = em_opaque(em, em_sub(em, at.y, em_int(em, p->pad_begin[CONVC_H])));
    bool tail = w->tail != w->lanes;
    LLVMValueRef full = em_int(em, w->channels - (tail ? 1 : 0));
    EM_FOR (em, slab, em_int(em, 0), em_int(em, w->slabs)) {
        LLVMValueRef id = em_mul_add(em, at.od, p->stride[CONVC_D], -p->pad_begin[CONVC_D]);
        id = em_add(em, id, em_mul(em, slab, p->dilation[CONVC_D]));
        struct border depth = border_emit(em, p->padding_mode, id, p->in[CONVC_D]);
        EM_FOR (em, c, em_int(em, 0), full) {
            read_channels(s, &span, y, &depth, slab, c, w->lanes);
        }
        if (tail)
            read_channels(s, &span, y, &depth, slab, full, (int)w->tail);
    }
}

/* ---- outputs ------------------------------------------------------------------------------- */

/* A square of outputs; `where` NULL: all of its pixels exist. */
static void write_square(const struct winograd_stage *s, const struct winograd_strip *to,
                         LLVMValueRef from, LLVMValueRef offset, LLVMValueRef where)
{
    const struct winograd *w = s->w;
    const struct convc_problem *p = &w->p->p;
    struct em *em = s->em;
    int64_t step = p->dst_stride[CONVC_STRIDE_C] * w->bytes;
    LLVMValueRef row[EM_LANES_MAX], dst = em_opaque(em, em_at(em, to->dst, offset));
    LLVMValueRef residual = em_opaque(em, em_at(em, to->residual, offset));
    for (int i = 0; i < w->lanes; i++)
        row[i] = em_load(em, s->vector, em_at_const(em, from, i * w->vector_bytes),
                         (unsigned)w->vector_bytes);
    em_transpose(em, s->vector, row);
    for (int i = 0; i < to->active; i++) {
        LLVMValueRef y = row[i], more = em_at_const(em, residual, i * step);
        if (p->residual) {
            more = where ? em_load_where(em, s->vector, more, where)
                         : em_load(em, s->vector, more, (unsigned)w->bytes);
            y = LLVMBuildFAdd(em->builder, y, more, "");
        }
        y = em_activation(em, p->activation, p->activation_args, y);
        if (where)
            em_store_where(em, y, em_at_const(em, dst, i * step), where);
        else
            em_store(em, y, em_at_const(em, dst, i * step), (unsigned)w->bytes);
    }
}

/* Lanes below `count`. */
static LLVMValueRef below(const struct winograd_stage *s, LLVMValueRef count)
{
    struct em *em = s->em;
    LLVMValueRef lane[EM_LANES_MAX];
    LLVMTypeRef type = s->w->bytes == 8 ? em->i64 : em->i32;
    for (int l = 0; l < s->w->lanes; l++)
        lane[l] = LLVMConstInt(type, (unsigned long long)l, 0);
    count = em_min(em, count, em_int(em, s->w->lanes));
    count = LLVMBuildTruncOrBitCast(em->builder, count, type, "");
    return LLVMBuildICmp(em->builder, LLVMIntSLT, LLVMConstVector(lane, (unsigned)s->w->lanes),
                         em_splat(em, count, s->w->lanes), "");
}

void winograd_strip_write(const struct winograd_stage *s, const struct winograd_strip *to)
{
    const struct winograd *w = s->w;
    struct em *em = s->em;
    bool masks = s->em->target->masks;
    LLVMValueRef rest, strip = winograd_scratch(s, w->dst_at);
    LLVMValueRef squares =
        em_divide(em, em_add(em, to->cols, em_int(em, w->lanes - 1)), em_int(em, w->lanes), &rest);
    EM_FOR (em, row, em_int(em, 0), to->rows) {
        LLVMValueRef line = em_mul(em, row, w->p->p.dst_stride[CONVC_STRIDE_H] * w->bytes);
        EM_FOR (em, i, em_int(em, 0), squares) {
            LLVMValueRef at = em_mul(em, i, w->lanes), left = em_sub(em, to->cols, at);
            LLVMValueRef from =
                em_add(em, em_mul(em, row, w->dst_row), em_mul(em, at, w->vector_bytes));
            from = em_opaque(em, em_at(em, strip, from));
            LLVMValueRef offset = em_add(em, line, em_mul(em, at, w->bytes));
            LLVMValueRef whole = em_less(em, em_int(em, w->lanes - 1), left);
            if (!masks) {
                EM_IF (em, whole) {
                    write_square(s, to, from, offset, NULL);
                }
            }
            EM_IF (em, masks ? em_true(em) : em_not(em, whole)) {
                write_square(s, to, from, offset, below(s, left));
            }
        }
    }
}
