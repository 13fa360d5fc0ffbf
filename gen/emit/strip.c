/* Squares of as many pixels as channels are turned over in registers. One that would reach past the
 * end of its row begins earlier instead, and turns some pixels over twice. */
#include "gen/emit/strip.h"

#include "gen/emit/em_transpose.h"

struct filler {
    struct em *em;
    const struct problem *p;
    const struct nest *n;
    const struct strip *s;
    LLVMTypeRef vector;
};

/* Where item-sized pieces begin: of rows, or of columns. */
static LLVMValueRef begin_of(struct em *em, const struct split *s, LLVMValueRef tile)
{
    LLVMValueRef past = em_max(em, em_sub(em, tile, em_int(em, s->wide_tiles)), em_int(em, 0));
    return em_sub(em, em_mul(em, tile, s->wide), em_mul(em, past, s->wide - s->narrow));
}

/* `active` channels of a square of pixels; src and to are at the first of both. */
static void turn_square(const struct filler *f, LLVMValueRef src, LLVMValueRef to, int active)
{
    const struct strip *s = f->s;
    int64_t channel = f->p->p.src_stride[CONVC_STRIDE_C] * f->n->bytes;
    int pixels = (int)(s->width < s->keep ? s->width : s->keep), lanes = f->n->lanes;
    struct em_lanes on = em_lanes_first(lanes, (int)((pixels - 1) * s->step) + 1);
    LLVMValueRef row[EM_LANES_MAX];
    int store[EM_LANES_MAX];
    for (int i = 0; i < lanes; i++) {
        LLVMValueRef from = em_at_const(f->em, src, i * channel);
        row[i] = i < active ? em_load_lanes(f->em, f->vector, from, &on, NULL)
                            : LLVMConstNull(f->vector);
        store[i] = i;
    }
    em_transpose(f->em, f->vector, row);
    for (int i = 0; i < pixels; i++) {
        LLVMValueRef x = row[i * s->step];
        if (s->stored < lanes)
            x = em_shuffle(f->em, x, x, store, (int)s->stored);
        em_store(f->em, x, em_at_const(f->em, to, i * s->pitch), (unsigned)f->n->bytes);
    }
}

/* Columns [begin, end) of one vector of channels; src and to are at column 0. */
static void turn_columns(const struct filler *f, LLVMValueRef src, LLVMValueRef to,
                         LLVMValueRef begin, LLVMValueRef end, int active)
{
    const struct strip *s = f->s;
    struct em *em = f->em;
    LLVMValueRef rest, last = em_int(em, s->width > s->keep ? s->width - s->keep : 0);
    LLVMValueRef count = em_add(em, em_sub(em, end, begin), em_int(em, s->keep - 1));
    LLVMValueRef squares =
        em_divide(em, em_max(em, count, em_int(em, 0)), em_int(em, s->keep), &rest);
    EM_FOR (em, i, em_int(em, 0), squares) {
        LLVMValueRef at = em_min(em, em_add(em, begin, em_mul(em, i, s->keep)), last);
        LLVMValueRef from = em_at(em, src, em_mul(em, at, s->step * f->n->bytes));
        turn_square(f, em_opaque(em, from), em_opaque(em, em_at(em, to, em_mul(em, at, s->pitch))),
                    active);
    }
}

static void turn_row(const struct filler *f, LLVMValueRef src, LLVMValueRef to, LLVMValueRef begin,
                     LLVMValueRef end)
{
    const struct strip *s = f->s;
    struct em *em = f->em;
    int lanes = f->n->lanes;
    int64_t step = lanes * f->p->p.src_stride[CONVC_STRIDE_C] * f->n->bytes;
    int64_t vector = lanes * f->n->bytes, full = s->tail == lanes ? s->vectors : s->vectors - 1;
    EM_FOR (em, c, em_int(em, 0), em_int(em, full)) {
        turn_columns(f, em_at(em, src, em_mul(em, c, step)), em_at(em, to, em_mul(em, c, vector)),
                     begin, end, lanes);
    }
    if (full < s->vectors)
        turn_columns(f, em_at_const(em, src, full * step), em_at_const(em, to, full * vector),
                     begin, end, (int)s->tail);
}

/* Pixels that the outputs [begin, end) of the folded problem read, row by row of the source. */
static LLVMValueRef fold_strip(const struct filler *f, const struct strip_item *item,
                               LLVMValueRef begin, LLVMValueRef end)
{
    const struct convc_problem *p = &f->p->p;
    const int64_t *stride = p->src_stride, *pad = p->pad_begin;
    const struct strip *s = f->s;
    struct em *em = f->em;
    LLVMValueRef first = em_mul(em, em_sub(em, em_int(em, s->lead), begin), s->pitch);
    LLVMValueRef base = em_opaque(em, em_at(em, item->scratch, first)), rest;
    EM_IF (em, item->fresh) {
        LLVMValueRef y = em_divide(em, begin, em_int(em, s->width), &rest);
        LLVMValueRef beyond = em_add(em, end, em_int(em, s->width - 1));
        EM_FOR (em, row, y, em_divide(em, beyond, em_int(em, s->width), &rest)) {
            LLVMValueRef h, pixel = em_mul(em, row, s->width);
            LLVMValueRef d = em_divide(em, row, em_int(em, f->p->out[CONVC_H]), &h);
            LLVMValueRef id = em_mul_add(em, d, p->stride[CONVC_D], -pad[CONVC_D]);
            LLVMValueRef ih = em_mul_add(em, h, p->stride[CONVC_H], -pad[CONVC_H]);
            LLVMValueRef from = em_mul(em, id, stride[CONVC_STRIDE_D] * f->n->bytes);
            from = em_add(em, from, em_mul(em, ih, stride[CONVC_STRIDE_H] * f->n->bytes));
            from = em_mul_add(em, from, 1, -pad[CONVC_W] * f->n->bytes);
            turn_row(f, em_opaque(em, em_at(em, item->src, from)),
                     em_opaque(em, em_at(em, base, em_mul(em, pixel, s->pitch))),
                     em_opaque(em, em_max(em, em_sub(em, begin, pixel), em_int(em, 0))),
                     em_opaque(em, em_min(em, em_sub(em, end, pixel), em_int(em, s->width))));
        }
    }
    return base;
}

/* What the taps of an axis read for outputs from `out` on: `count` inputs, some of them outside. */
struct range {
    LLVMValueRef first, begin, end;
};

static struct range find_range(const struct filler *f, int axis, LLVMValueRef out,
                               LLVMValueRef count)
{
    const struct convc_problem *p = &f->p->p;
    struct em *em = f->em;
    struct range r = { .first = em_mul_add(em, out, p->stride[axis], -p->pad_begin[axis]) };
    r.begin = em_opaque(em, em_max(em, r.first, em_int(em, 0)));
    r.end = em_opaque(em, em_min(em, em_add(em, r.first, count), em_int(em, p->in[axis])));
    return r;
}

static LLVMValueRef window_strip(const struct filler *f, const struct strip_item *item,
                                 LLVMValueRef begin, LLVMValueRef end)
{
    const struct convc_problem *p = &f->p->p;
    const struct strip *s = f->s;
    struct em *em = f->em;
    int64_t taps = (p->kernel[CONVC_W] - 1) * p->dilation[CONVC_W], stride = p->stride[CONVC_W];
    LLVMValueRef wide = em_mul_add(em, em_sub(em, end, begin), stride, taps + 1 - stride);
    struct range x = find_range(f, CONVC_W, begin, wide);
    struct range y =
        find_range(f, CONVC_H, begin_of(em, &f->n->rows, item->row), em_int(em, s->rows));
    LLVMValueRef first = em_mul(em, em_sub(em, em_int(em, s->lead), x.first), s->pitch);
    first = em_sub(em, first, em_mul(em, y.first, s->row));
    LLVMValueRef base = em_opaque(em, em_at(em, item->scratch, first));
    EM_IF (em, item->fresh) {
        LLVMValueRef id = em_mul_add(em, item->od, p->stride[CONVC_D], -p->pad_begin[CONVC_D]);
        LLVMValueRef plane = em_mul(em, id, p->src_stride[CONVC_STRIDE_D] * f->n->bytes);
        plane = em_opaque(em, em_at(em, item->src, plane));
        EM_FOR (em, row, y.begin, y.end) {
            LLVMValueRef from = em_mul(em, row, p->src_stride[CONVC_STRIDE_H] * f->n->bytes);
            turn_row(f, em_opaque(em, em_at(em, plane, from)),
                     em_opaque(em, em_at(em, base, em_mul(em, row, s->row))), x.begin, x.end);
        }
    }
    return base;
}

LLVMValueRef strip_fill(struct em *em, const struct problem *p, const struct nest *n,
                        const struct strip_item *item)
{
    struct strip s;
    struct filler f = { .em = em, .p = p, .n = n, .s = &s };
    f.vector = em_vector(n->bytes == 8 ? em->f64 : em->f32, n->lanes);
    strip_of(p, n, &s);
    LLVMValueRef tile = em_mul(em, item->chunk, n->chunk);
    LLVMValueRef next =
        em_min(em, em_add(em, tile, em_int(em, n->chunk)), em_int(em, n->cols.tiles));
    LLVMValueRef begin = em_opaque(em, begin_of(em, &n->cols, tile));
    LLVMValueRef end = em_opaque(em, begin_of(em, &n->cols, next));
    return n->plan.fold ? fold_strip(&f, item, begin, end) : window_strip(&f, item, begin, end);
}
