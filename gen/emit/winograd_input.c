/* The input transform: V of a block of tiles.
 *
 * Tiles within the image are read where they lie. For the others, and for a last vector of channels
 * that is not full, a table of pointers (to pixels, or to what lies outside) is followed into a
 * patch, one vector of channels at a time, which the same code then reads. Images that go through a
 * strip are read from there as if it were the image: its rows are those of the tile, within the
 * image or not, and its last vector of channels is full. */
#include "gen/emit/border.h"
#include "gen/emit/winograd_stage.h"
#include "gen/emit/winograd_transform.h"

/* One tile in one slab. */
struct tile {
    LLVMValueRef y, x;   /* its first input, which may lie outside */
    LLVMValueRef plane;  /* pointer at the slab's plane            */
    LLVMValueRef direct; /* i1: all of it lies inside              */
    LLVMValueRef v;      /* its place in V, channel 0 of the slab  */
    LLVMValueRef step;   /* from vector to vector of channels there */
};

static int64_t pixel_bytes(const struct winograd_stage *s, int axis)
{
    if (s->w->src_strip)
        return axis == CONVC_H ? s->w->src_row : s->w->vector_bytes;
    return s->w->p->p.src_stride[axis == CONVC_H ? CONVC_STRIDE_H : CONVC_STRIDE_W] * s->w->bytes;
}

/* The pointer table's entry for each pixel of the tile. */
static void fill_table(const struct winograd_stage *s, const struct tile *t, LLVMValueRef inside)
{
    const struct winograd *w = s->w;
    const struct convc_problem *p = &w->p->p;
    struct em *em = s->em;
    LLVMValueRef table = winograd_scratch(s, w->table_at);
    LLVMValueRef outside = w->src_strip ? winograd_strip_outside(s) : s->scratch;
    EM_FOR (em, row, em_int(em, 0), em_int(em, w->h.n)) {
        struct border y = { row, em_true(em) };
        if (!w->src_strip)
            y = border_emit(em, p->padding_mode, em_add(em, t->y, row), p->in[CONVC_H]);
        LLVMValueRef line = em_at(em, t->plane, em_mul(em, y.index, pixel_bytes(s, CONVC_H)));
        LLVMValueRef line_inside = em_and(em, inside, y.inside);
        EM_FOR (em, col, em_int(em, 0), em_int(em, w->w.n)) {
            struct border x =
                border_emit(em, p->padding_mode, em_add(em, t->x, col), p->in[CONVC_W]);
            LLVMValueRef pixel = em_at(em, line, em_mul(em, x.index, pixel_bytes(s, CONVC_W)));
            LLVMValueRef found =
                LLVMBuildSelect(em->builder, em_and(em, line_inside, x.inside), pixel, outside, "");
            LLVMValueRef entry = em_add(em, em_mul(em, row, w->w.n), col);
            em_store(em, found, em_at(em, table, em_mul(em, entry, 8)), 8);
        }
    }
}

/* One vector of channels of every pixel of the table. */
static void fill_patch(const struct winograd_stage *s, LLVMValueRef channel_bytes, int active)
{
    const struct winograd *w = s->w;
    struct em *em = s->em;
    LLVMValueRef table = winograd_scratch(s, w->table_at), patch = winograd_scratch(s, w->patch_at);
    struct em_lanes on = em_lanes_first(w->lanes, active);
    EM_FOR (em, i, em_int(em, 0), em_int(em, w->points)) {
        LLVMValueRef pixel = em_load(em, em->ptr, em_at(em, table, em_mul(em, i, 8)), 8);
        LLVMValueRef v = em_load_lanes(em, s->vector, em_at(em, pixel, channel_bytes), &on, NULL);
        em_store(em, v, em_at(em, patch, em_mul(em, i, w->vector_bytes)),
                 (unsigned)w->vector_bytes);
    }
}

/* Where a tile's vectors are read: pixel (i, j) lies at at + i*row + j*column bytes. */
struct source {
    LLVMValueRef at, row[WINOGRAD_POINTS], column;
};

static struct source find_source(const struct winograd_stage *s, const struct tile *t,
                                 LLVMValueRef direct, LLVMValueRef channel_bytes)
{
    const struct winograd *w = s->w;
    struct em *em = s->em;
    struct source from;
    LLVMValueRef offset = em_mul(em, t->y, pixel_bytes(s, CONVC_H));
    offset = em_add(em, offset, em_mul(em, t->x, pixel_bytes(s, CONVC_W)));
    LLVMValueRef here = em_at(em, t->plane, em_add(em, offset, channel_bytes));
    LLVMValueRef patch = winograd_scratch(s, w->patch_at);
    from.at = em_opaque(em, LLVMBuildSelect(em->builder, direct, here, patch, ""));
    from.column = LLVMBuildSelect(em->builder, direct, em_int(em, pixel_bytes(s, CONVC_W)),
                                  em_int(em, w->vector_bytes), "");
    LLVMValueRef row = LLVMBuildSelect(em->builder, direct, em_int(em, pixel_bytes(s, CONVC_H)),
                                       em_int(em, w->w.n * w->vector_bytes), "");
    from.column = em_opaque(em, from.column);
    for (int i = 0; i < w->h.n; i++)
        from.row[i] = em_opaque(em, em_mul(em, row, i));
    return from;
}

static void transform(const struct winograd_stage *s, const struct source *from, LLVMValueRef v)
{
    const struct winograd *w = s->w;
    struct em *em = s->em;
    for (int phase = 0; phase < winograd_phases(&w->h); phase++) {
        LLVMValueRef x[2][WINOGRAD_POINTS], out[WINOGRAD_POINTS];
        int count, point = winograd_phase_point(&w->h, phase, &count);
        LLVMValueRef at = from->at;
        for (int j = 0; j < w->w.n; j++) {
            LLVMValueRef d[WINOGRAD_POINTS] = { 0 }, made[2];
            for (int i = 0; i < w->h.n; i++) {
                if (winograd_phase_reads(&w->h, phase, i))
                    d[i] = em_load(em, s->vector, em_at(em, at, from->row[i]), (unsigned)w->bytes);
            }
            winograd_input_phase(em, &w->h, phase, d, made);
            for (int k = 0; k < count; k++)
                x[k][j] = made[k];
            at = em_opaque(em, em_at(em, at, from->column));
        }
        for (int k = 0; k < count; k++) {
            winograd_input_axis(em, &w->w, x[k], out);
            for (int j = 0; j < w->w.n; j++)
                em_store(em, out[j], em_at_const(em, v, ((point + k) * w->w.n + j) * w->v_stride),
                         (unsigned)w->vector_bytes);
        }
    }
}

static void emit_channels(const struct winograd_stage *s, const struct tile *t)
{
    const struct winograd *w = s->w;
    struct em *em = s->em;
    bool has_tail = w->tail != w->lanes && !w->src_strip;
    int64_t distance = w->src_strip ? w->src_channel : w->vector_bytes;
    EM_FOR (em, c, em_int(em, 0), em_int(em, w->channels)) {
        LLVMValueRef channel_bytes = em_mul(em, c, distance);
        LLVMValueRef tail = LLVMConstNull(em->i1), direct = t->direct;
        if (has_tail) {
            tail = em_equal(em, c, em_int(em, w->channels - 1));
            direct = em_and(em, direct, em_not(em, tail));
            EM_IF (em, tail) {
                fill_patch(s, channel_bytes, (int)w->tail);
            }
        }
        EM_IF (em, em_not(em, LLVMBuildOr(em->builder, direct, tail, ""))) {
            fill_patch(s, channel_bytes, w->lanes);
        }
        struct source from = find_source(s, t, direct, channel_bytes);
        LLVMValueRef v = em_at(em, t->v, LLVMBuildMul(em->builder, c, t->step, ""));
        transform(s, &from, em_opaque(em, v));
    }
}

/* The slab's plane: of the image, or of the strip. */
static LLVMValueRef find_plane(const struct winograd_stage *s, LLVMValueRef od, LLVMValueRef slab,
                               LLVMValueRef *inside)
{
    const struct winograd *w = s->w;
    const struct convc_problem *p = &w->p->p;
    struct em *em = s->em;
    *inside = em_true(em);
    if (w->src_strip)
        return em_at(em, winograd_scratch(s, w->src_at),
                     em_mul(em, slab, w->channels * w->src_channel));
    LLVMValueRef id = em_mul_add(em, od, p->stride[CONVC_D], -p->pad_begin[CONVC_D]);
    id = em_add(em, id, em_mul(em, slab, p->dilation[CONVC_D]));
    struct border depth = border_emit(em, p->padding_mode, id, p->in[CONVC_D]);
    *inside = depth.inside;
    return em_at(em, s->src, em_mul(em, depth.index, p->src_stride[CONVC_STRIDE_D] * w->bytes));
}

/* i1: is all of the tile within the image, or within the strip's columns? */
static LLVMValueRef find_inside(const struct winograd_stage *s, const struct tile *t)
{
    const struct winograd *w = s->w;
    struct em *em = s->em;
    int64_t room_h = w->p->p.in[CONVC_H] - w->h.n + 1, room_w = w->p->p.in[CONVC_W] - w->w.n + 1;
    room_h = w->src_strip ? 1 : room_h;
    if (room_h <= 0 || room_w <= 0)
        return LLVMConstNull(em->i1);
    return em_and(em, em_below(em, t->y, em_int(em, room_h)),
                  em_below(em, t->x, em_int(em, room_w)));
}

/* All slabs of one tile; `v` is its place in V. */
static void emit_tile(const struct winograd_stage *s, LLVMValueRef tile, LLVMValueRef v,
                      LLVMValueRef step)
{
    const struct winograd *w = s->w;
    const struct convc_problem *p = &w->p->p;
    struct em *em = s->em;
    struct winograd_place at = winograd_locate(s, tile);
    struct tile t = { .step = step };
    t.y = em_opaque(em, em_sub(em, at.y, em_int(em, p->pad_begin[CONVC_H])));
    if (w->src_strip)
        t.y = em_int(em, 0);
    t.x = em_opaque(em, em_sub(em, at.x, em_int(em, p->pad_begin[CONVC_W])));
    LLVMValueRef inside = find_inside(s, &t);
    if (w->src_strip) {
        LLVMValueRef begins = em_equal(em, at.x, em_int(em, 0));
        begins = LLVMBuildOr(em->builder, begins, em_equal(em, tile, s->tile), "");
        EM_IF (em, begins) {
            winograd_strip_read(s, tile);
        }
    }
    bool tables = w->tail != w->lanes && !w->src_strip;
    EM_FOR (em, slab, em_int(em, 0), em_int(em, w->slabs)) {
        LLVMValueRef plane_inside;
        t.plane = em_opaque(em, find_plane(s, at.od, slab, &plane_inside));
        t.direct = em_and(em, inside, plane_inside);
        LLVMValueRef ahead = LLVMBuildMul(em->builder, em_mul(em, slab, w->channels), step, "");
        t.v = em_opaque(em, em_at(em, v, ahead));
        EM_IF (em, tables ? em_true(em) : em_not(em, t.direct)) {
            fill_table(s, &t, plane_inside);
        }
        emit_channels(s, &t);
    }
}

void winograd_input(const struct winograd_stage *s)
{
    const struct winograd *w = s->w;
    struct em *em = s->em;
    LLVMValueRef base = winograd_scratch(s, w->v_at);
    EM_FOR (em, panel, em_int(em, 0), em_int(em, w->row_panels)) {
        LLVMValueRef wide = em_less(em, panel, s->wide_panels);
        LLVMValueRef rows =
            LLVMBuildSelect(em->builder, wide, em_int(em, w->wide), em_int(em, w->narrow), "");
        LLVMValueRef first =
            em_add(em, em_mul(em, panel, w->narrow), em_min(em, panel, s->wide_panels));
        LLVMValueRef v = em_at(em, base, em_mul(em, first, w->k * w->bytes));
        LLVMValueRef step = em_opaque(em, em_mul(em, rows, w->vector_bytes));
        EM_FOR (em, row, em_int(em, 0), rows) {
            LLVMValueRef tile = em_add(em, s->tile, em_add(em, first, row));
            emit_tile(s, tile, em_at(em, v, em_mul(em, row, w->vector_bytes)), step);
        }
    }
}
