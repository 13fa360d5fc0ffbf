#include "gen/emit/tile.h"

#include "gen/base/number.h"
#include "gen/emit/border.h"
#include "gen/emit/em_element.h"

void tile_open(struct tile *t, struct em *em, const struct nest *n,
               const struct channel_class *channel, const struct segment *segment, int rows)
{
    *t = (struct tile){ .em = em, .nest = n, .channel = channel, .segment = segment, .rows = rows };
    t->element = n->bytes == 8 ? em->f64 : em->f32;
    t->vector = em_vector(t->element, n->lanes);
    bool ow = n->plan.lanes == LANES_OW;
    t->cols = (int)(ow ? channel->cols : segment->width);
    t->vecs = ow ? (int)(ceil_div(segment->width, n->lanes)) : channel->vecs;
    t->sets = n->plan.split ? n->plan.split : 1;
    for (int i = 0; i < t->sets * t->rows * t->cols * t->vecs; i++)
        t->acc[i] = em_var(em, t->vector, "acc");
}

struct em_var tile_acc(const struct tile *t, int set, int r, int c, int v)
{
    return t->acc[((set * t->rows + r) * t->cols + c) * t->vecs + v];
}

struct em_lanes tile_lanes(const struct tile *t, int v)
{
    int lanes = t->nest->lanes, active = lanes;
    if (t->nest->plan.lanes == LANES_OW) {
        int64_t left = t->segment->width - (int64_t)v * lanes;
        active = left < lanes ? (int)left : lanes;
    } else if (v == t->vecs - 1) {
        active = t->channel->last_lanes;
    } else if (t->nest->plan.lanes == LANES_GROUPS) {
        active = (int)(t->nest->layout.vector_groups * t->nest->p->ocg);
    }
    return em_lanes_first(lanes, active);
}

/* ---- elements of tensors -------------------------------------------------------------------- */

LLVMValueRef tile_src(struct tile *t, LLVMValueRef p)
{
    return em_element_load(t->em, t->nest->p->p.src_dtype, t->element, p);
}

LLVMValueRef tile_src_lanes(struct tile *t, LLVMValueRef p, const struct em_lanes *on,
                            LLVMValueRef other)
{
    return em_element_load_lanes(t->em, t->nest->p->p.src_dtype, t->vector, p, on, other);
}

LLVMValueRef tile_src_gather(struct tile *t, LLVMValueRef p, const int64_t *offset,
                             const struct em_lanes *on, LLVMValueRef other)
{
    return em_element_gather(t->em, t->nest->p->p.src_dtype, t->vector, p, offset, on, other);
}

LLVMValueRef tile_dst_lanes(struct tile *t, LLVMValueRef p, const struct em_lanes *on)
{
    return em_element_load_lanes(t->em, t->nest->p->p.dst_dtype, t->vector, p, on, NULL);
}

LLVMValueRef tile_dst_gather(struct tile *t, LLVMValueRef p, const int64_t *offset,
                             const struct em_lanes *on)
{
    return em_element_gather(t->em, t->nest->p->p.dst_dtype, t->vector, p, offset, on, NULL);
}

LLVMValueRef tile_dst_round(struct tile *t, LLVMValueRef x)
{
    return em_element_round(t->em, t->nest->p->p.dst_dtype, x);
}

/* ---- rows ---------------------------------------------------------------------------------- */

/* Where the taps (kd, kh) of each row of the tile read. */
struct taps {
    struct tile_row row[TILE_ROWS];
    LLVMValueRef inside[TILE_ROWS]; /* i1 */
    LLVMValueRef all;               /* i1: every row is inside */
    LLVMValueRef wei;
};

/* Modes that skip taps outside bound the loop of a single row instead of testing every tap. */
static bool bounded(const struct tile *t, int axis)
{
    const struct problem *p = t->nest->p;
    return p->p.padding_mode == CONVC_PAD_ZEROS && problem_axis_pads(p, axis) &&
           (t->rows == 1 || axis == CONVC_D);
}

static void bounds(struct tile *t, int axis, LLVMValueRef o, LLVMValueRef *begin, LLVMValueRef *end)
{
    const struct convc_problem *p = &t->nest->p->p;
    *begin = em_int(t->em, 0);
    *end = em_int(t->em, p->kernel[axis]);
    if (bounded(t, axis))
        border_bounds(t->em, p, axis, o, begin, end);
}

static struct border axis_index(struct tile *t, int axis, LLVMValueRef o, LLVMValueRef k)
{
    const struct convc_problem *p = &t->nest->p->p;
    struct em *em = t->em;
    LLVMValueRef at = em_mul_add(em, o, p->stride[axis], -p->pad_begin[axis]);
    at = em_add(em, at, em_mul(em, k, p->dilation[axis]));
    if (!problem_axis_pads(t->nest->p, axis) || bounded(t, axis))
        return (struct border){ at, em_true(em) };
    return border_emit(em, p->padding_mode, at, t->nest->in[axis]);
}

/* Scattered pixels are counted from the image, and there is one tap. */
static void scattered_row(struct tile *t, struct taps *taps)
{
    taps->row[0].start = taps->row[0].origin = t->src;
    taps->inside[0] = taps->all = em_true(t->em);
    taps->wei = t->wei;
}

static void find_rows(struct tile *t, LLVMValueRef kd, LLVMValueRef kh, struct taps *taps)
{
    const struct nest *n = t->nest;
    const struct convc_problem *p = &n->p->p;
    struct em *em = t->em;
    struct border depth = axis_index(t, CONVC_D, t->od, kd);
    LLVMValueRef plane =
        em_at(em, t->src, em_mul(em, depth.index, n->src_stride[CONVC_STRIDE_D] * n->src_bytes));
    int64_t pixel = n->src_stride[CONVC_STRIDE_W] * n->src_bytes;
    LLVMValueRef first = em_mul_add(em, t->ow, p->stride[CONVC_W], -p->pad_begin[CONVC_W]);
    taps->all = em_true(em);
    for (int r = 0; r < t->rows; r++) {
        struct border b = axis_index(t, CONVC_H, em_add(em, t->oh, em_int(em, r)), kh);
        struct tile_row *row = &taps->row[r];
        row->start =
            em_at(em, plane, em_mul(em, b.index, n->src_stride[CONVC_STRIDE_H] * n->src_bytes));
        row->start = em_opaque(em, row->start);
        row->origin = em_opaque(em, em_at(em, row->start, em_mul(em, first, pixel)));
        taps->inside[r] = em_and(em, depth.inside, b.inside);
        taps->all = em_and(em, taps->all, taps->inside[r]);
    }
    LLVMValueRef tap = em_add(em, em_mul(em, kd, p->kernel[CONVC_H]), kh);
    int64_t width = p->kernel[CONVC_W] * n->p->icg * t->channel->width * n->bytes;
    taps->wei = em_opaque(em, em_at(em, t->wei, em_mul(em, tap, width)));
}

/* Multiply-adds of some rows. */
static void some_rows(struct tile *t, const struct taps *taps, struct row_set set, bool constant)
{
    struct tile_row row[TILE_ROWS];
    for (int i = 0; i < t->rows; i++) {
        row[i] = taps->row[i];
        row[i].used = i >= set.begin && i < set.end;
        row[i].constant = constant;
    }
    tile_width(t, row, taps->wei);
}

/* Is it exactly these rows that are inside? */
static LLVMValueRef exactly(struct tile *t, const struct taps *taps, struct row_set set)
{
    struct em *em = t->em;
    LLVMValueRef yes = em_and(em, taps->inside[set.begin], taps->inside[set.end - 1]);
    if (set.begin > 0)
        yes = em_and(em, yes, em_not(em, taps->inside[set.begin - 1]));
    if (set.end < t->rows)
        yes = em_and(em, yes, em_not(em, taps->inside[set.end]));
    return yes;
}

/* Some rows are outside. The sets that can be inside have code of their own where they are few. */
static void rows_apart(struct tile *t, const struct taps *taps)
{
    struct em *em = t->em;
    const struct nest *n = t->nest;
    struct row_set sets[ROW_SETS_MAX];
    bool zeros = n->p->p.padding_mode == CONVC_PAD_ZEROS;
    int count = zeros ? nest_row_sets(n, t->rows, sets) : -1;
    for (int i = 0; i < count; i++) {
        EM_IF (em, exactly(t, taps, sets[i])) {
            some_rows(t, taps, sets[i], false);
        }
    }
    for (int r = 0; r < t->rows && count < 0; r++) {
        EM_IF (em, taps->inside[r]) {
            some_rows(t, taps, (struct row_set){ r, r + 1 }, false);
        }
        if (n->p->p.padding_mode == CONVC_PAD_CONSTANT) {
            EM_IF (em, em_not(em, taps->inside[r])) {
                some_rows(t, taps, (struct row_set){ r, r + 1 }, true);
            }
        }
    }
}

static void tile_taps(struct tile *t, LLVMValueRef kd, LLVMValueRef kh)
{
    struct em *em = t->em;
    struct taps taps;
    if (t->nest->scattered)
        scattered_row(t, &taps);
    else
        find_rows(t, kd, kh, &taps);
    EM_IF (em, taps.all) {
        some_rows(t, &taps, (struct row_set){ 0, t->rows }, false);
    }
    EM_IF (em, em_not(em, taps.all)) {
        rows_apart(t, &taps);
    }
}

/* taps=window */
static void plane_taps(struct tile *t, LLVMValueRef kd)
{
    const struct nest *n = t->nest;
    const int64_t *kernel = n->p->p.kernel;
    struct em *em = t->em;
    struct border depth = axis_index(t, CONVC_D, t->od, kd);
    int64_t plane = n->src_stride[CONVC_STRIDE_D] * n->src_bytes;
    int64_t taps = kernel[CONVC_H] * kernel[CONVC_W] * n->p->icg * t->channel->width * n->bytes;
    EM_IF (em, depth.inside) {
        LLVMValueRef src = em_at(em, t->src, em_mul(em, depth.index, plane));
        tile_window(t, src, em_at(em, t->wei, em_mul(em, kd, taps)));
    }
}

void tile_emit(struct tile *t)
{
    struct em *em = t->em;
    LLVMValueRef kd_begin, kd_end, kh_begin, kh_end;
    tile_begin(t);
    tile_ask_residual(t);
    bounds(t, CONVC_D, t->od, &kd_begin, &kd_end);
    bounds(t, CONVC_H, t->oh, &kh_begin, &kh_end);
    EM_FOR (em, kd, kd_begin, kd_end) {
        if (t->nest->plan.taps == TAPS_WINDOW) {
            plane_taps(t, kd);
            continue;
        }
        EM_FOR (em, kh, kh_begin, kh_end) {
            tile_taps(t, kd, kh);
        }
    }
    tile_store(t);
}
