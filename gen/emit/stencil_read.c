/* Operands of a stencil's tile. */
#include "gen/emit/border.h"
#include "gen/emit/em_element.h"
#include "gen/emit/stencil_tile.h"

#include <assert.h>

static LLVMValueRef padding_of(const struct stencil_tile *t)
{
    const struct convc_problem *p = &t->n->p->p;
    return stencil_number(t, p->padding_value); /* of zeros: 0, or what changes no accumulator */
}

/* ---- rows ----------------------------------------------------------------------------------- */

static struct border along(struct stencil_tile *t, int axis, LLVMValueRef out, int64_t tap)
{
    const struct convc_problem *p = &t->n->p->p;
    int64_t n = p->in[axis], first = -p->pad_begin[axis];
    int64_t last = (t->n->p->out[axis] - 1) * p->stride[axis] + t->n->reach[axis] + first;
    LLVMValueRef at = em_mul_add(t->em, out, p->stride[axis], tap + first);
    return first > -n && last <= 2 * n - 2 ? border_emit_near(t->em, p->padding_mode, at, n)
                                           : border_emit(t->em, p->padding_mode, at, n);
}

static void find_row(struct stencil_tile *t, const int64_t at[2])
{
    struct em *em = t->em;
    const int64_t *stride = t->n->p->p.src_stride;
    for (int i = 0; i < t->row_count; i++)
        if (t->row[i].at[0] == at[0] && t->row[i].at[1] == at[1])
            return;
    assert(t->row_count < STENCIL_SRC_ROWS);
    struct border d = along(t, CONVC_D, t->od, at[0]), h = along(t, CONVC_H, t->oh, at[1]);
    LLVMValueRef offset = em_mul(em, d.index, stride[CONVC_STRIDE_D] * t->n->src_bytes);
    offset = em_add(em, offset, em_mul(em, h.index, stride[CONVC_STRIDE_H] * t->n->src_bytes));
    t->row[t->row_count++] = (struct stencil_row){ { at[0], at[1] },
                                                   em_opaque(em, em_at(em, t->src, offset)),
                                                   em_opaque(em, em_and(em, d.inside, h.inside)) };
}

void stencil_find_rows(struct stencil_tile *t)
{
    t->row_count = 0;
    for (int i = 0; i < t->n->src_rows; i++)
        find_row(t, t->n->src_row[i]);
}

static const struct stencil_row *row_of(const struct stencil_tile *t, const int64_t *at)
{
    for (int i = 0; i < t->row_count; i++)
        if (t->row[i].at[0] == at[0] && t->row[i].at[1] == at[1])
            return &t->row[i];
    assert(!"a row of the window");
    return NULL;
}

static bool may_be_padding(const struct stencil_tile *t)
{
    enum convc_padding_mode m = t->n->p->p.padding_mode;
    return t->single && (m == CONVC_PAD_ZEROS || m == CONVC_PAD_CONSTANT) &&
           (problem_axis_pads(t->n->p, CONVC_D) || problem_axis_pads(t->n->p, CONVC_H));
}

/* ---- vectors -------------------------------------------------------------------------------- */

/* A vector of elements of the source, or of what is kept. */
static LLVMValueRef load_vector(struct stencil_tile *t, LLVMValueRef p, bool kept)
{
    struct em_lanes all = em_lanes_first(t->n->lanes, t->n->lanes);
    if (kept)
        return em_load(t->em, t->vector, p, (unsigned)t->n->bytes);
    return em_element_load_lanes(t->em, t->n->p->p.src_dtype, t->vector, p, &all, NULL);
}

/* Elements at p, `stride` apart. */
static LLVMValueRef load_strided(struct stencil_tile *t, LLVMValueRef p, int64_t stride, bool kept)
{
    struct em *em = t->em;
    int lanes = t->n->lanes, pick[EM_LANES_MAX];
    LLVMValueRef low = load_vector(t, p, kept);
    if (stride == 1)
        return low;
    for (int l = 0; l < lanes; l++)
        pick[l] = l * (int)stride;
    int64_t bytes = kept ? t->n->bytes : t->n->src_bytes;
    LLVMValueRef high = load_vector(t, em_at_const(em, p, lanes * bytes), kept);
    return em_shuffle(em, low, high, pick, lanes);
}

/* The element of its row that each lane reads; -1: padding. Lanes beyond the last output read what
 * that does. */
static void find_lanes(const struct stencil_tile *t, const struct stencil_span *span,
                       int64_t element, int64_t lane[EM_LANES_MAX])
{
    const struct stencil_nest *n = t->n;
    const struct stencil_sweep *s = span->sweep;
    const struct convc_problem *p = &n->p->p;
    for (int l = 0; l < n->lanes; l++) {
        int64_t e = span->vector * n->lanes + l, last = s->width - n->unit + e % n->unit;
        e = e < s->width ? e : last;
        int64_t col = e / n->unit * s->stride + element / n->unit - s->pad;
        int64_t from = problem_border(p->padding_mode, col, p->in[CONVC_W]);
        lane[l] = from < 0 ? -1 : from * n->unit + e % n->unit;
    }
}

/* The first element of a vector that holds all lanes; -1: there is none. */
static int64_t find_window(const struct stencil_tile *t, const int64_t lane[EM_LANES_MAX])
{
    int64_t row = t->n->p->p.in[CONVC_W] * t->n->unit, least = row, most = -1;
    for (int l = 0; l < t->n->lanes; l++) {
        least = lane[l] >= 0 && lane[l] < least ? lane[l] : least;
        most = lane[l] > most ? lane[l] : most;
    }
    if (row < t->n->lanes || most - least >= t->n->lanes)
        return -1;
    return least < row - t->n->lanes ? least : row - t->n->lanes;
}

static LLVMValueRef read_lanes(struct stencil_tile *t, LLVMValueRef row, const int64_t *lane)
{
    struct em *em = t->em;
    LLVMValueRef padding = padding_of(t);
    int64_t window = find_window(t, lane), offset[EM_LANES_MAX];
    struct em_lanes on = { .count = t->n->lanes };
    int pick[EM_LANES_MAX];
    for (int l = 0; l < t->n->lanes; l++) {
        on.on[l] = lane[l] >= 0;
        on.active += on.on[l];
        offset[l] = on.on[l] ? lane[l] * t->n->src_bytes : 0;
        pick[l] = on.on[l] ? (int)(lane[l] - window) : t->n->lanes;
    }
    if (!on.active)
        return padding;
    if (window < 0)
        return em_element_gather(em, t->n->p->p.src_dtype, t->vector, row, offset, &on, padding);
    LLVMValueRef v = load_vector(t, em_at_const(em, row, window * t->n->src_bytes), false);
    return em_shuffle(em, v, padding, pick, t->n->lanes);
}

/* ---- operands ------------------------------------------------------------------------------- */

static LLVMValueRef read_kept(struct stencil_tile *t, const struct stencil_span *span,
                              const struct stencil_step *step)
{
    const struct stencil_nest *n = t->n;
    struct em *em = t->em;
    int64_t row = (step->at[0] * n->plan.rows + step->at[1]) * n->scratch_row;
    LLVMValueRef at = em_mul(em, span->at, span->sweep->stride * n->bytes);
    LLVMValueRef p = em_at(em, t->scratch, at);
    return load_strided(t, em_at_const(em, p, row + step->at[2] * n->bytes), span->sweep->stride,
                        true);
}

static LLVMValueRef read_inside(struct stencil_tile *t, const struct stencil_span *span,
                                LLVMValueRef from, int64_t element)
{
    element -= span->sweep->pad * t->n->unit;
    return load_strided(t, em_at_const(t->em, from, element * t->n->src_bytes), span->sweep->stride,
                        false);
}

LLVMValueRef stencil_read(struct stencil_tile *t, const struct stencil_span *span,
                          const struct stencil_step *step)
{
    const int64_t *stride = t->n->p->p.src_stride;
    struct em *em = t->em;
    int64_t lane[EM_LANES_MAX];
    if (step->kept)
        return t->rolled ? stencil_read_rolled(t, step) : read_kept(t, span, step);
    LLVMValueRef row = t->src, from = span->from, v;
    if (t->single) {
        row = row_of(t, step->at)->begin;
        from = em_at(em, row, em_mul(em, span->at, span->sweep->stride * t->n->src_bytes));
    } else {
        int64_t far = step->at[0] * stride[CONVC_STRIDE_D] + step->at[1] * stride[CONVC_STRIDE_H];
        row = em_at_const(em, row, far * t->n->src_bytes);
        from = em_at_const(em, from, far * t->n->src_bytes);
    }
    if (span->inside) {
        v = read_inside(t, span, from, step->at[2]);
    } else {
        find_lanes(t, span, step->at[2], lane);
        v = read_lanes(t, row, lane);
    }
    if (!may_be_padding(t))
        return v;
    return LLVMBuildSelect(em->builder, row_of(t, step->at)->inside, v, padding_of(t), "");
}
