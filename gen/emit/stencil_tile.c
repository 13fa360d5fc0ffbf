#include "gen/emit/stencil_tile.h"

#include "gen/emit/em_expr.h"
#include "gen/emit/em_math.h"

#include <string.h>

/* ---- steps ---------------------------------------------------------------------------------- */

static LLVMValueRef operate(struct stencil_tile *t, const struct stencil_form *f, LLVMValueRef a,
                            LLVMValueRef b)
{
    struct em *em = t->em;
    LLVMValueRef value = em_real(t->vector, f->value);
    switch (f->op) {
    case STENCIL_ADD: return LLVMBuildFAdd(em->builder, a, b, "");
    case STENCIL_SUB: return LLVMBuildFSub(em->builder, a, b, "");
    case STENCIL_SCALE: return LLVMBuildFMul(em->builder, a, value, "");
    case STENCIL_FMA: return em_fma(em, a, value, b);
    case STENCIL_CONST:
    case STENCIL_SRC: break;
    }
    return value;
}

/* The steps from `first` on. */
static void emit_steps(struct stencil_tile *t, const struct stencil_span *span, int first)
{
    for (int i = first; i < t->steps->count; i++) {
        const struct stencil_step *step = &t->steps->step[i];
        const struct stencil_form *f = &t->n->program.form[step->form];
        if (step->kept || f->op == STENCIL_SRC)
            t->value[i] = stencil_read(t, span, step);
        else
            t->value[i] = operate(t, f, t->value[step->arg[0]], t->value[step->arg[1]]);
    }
}

/* ---- results -------------------------------------------------------------------------------- */

/* One vector of outputs: `distance` bytes from the span's first of filter 0. */
struct result {
    int filter;
    int64_t distance;
    struct em_lanes on;
    LLVMValueRef at; /* bytes of the span along the row */
};

static LLVMValueRef load_like_dst(struct stencil_tile *t, LLVMValueRef tensor,
                                  const struct result *r)
{
    LLVMValueRef p = em_at_const(t->em, em_at(t->em, tensor, r->at), r->distance);
    return em_load_lanes(t->em, t->vector, p, &r->on, NULL);
}

static LLVMValueRef splat_at(struct stencil_tile *t, LLVMValueRef p, int64_t element)
{
    struct em *em = t->em;
    LLVMValueRef x =
        em_load(em, t->element, em_at_const(em, p, element * t->n->bytes), (unsigned)t->n->bytes);
    return em_splat(em, x, t->n->lanes);
}

static LLVMValueRef finish(struct stencil_tile *t, LLVMValueRef x, const struct result *r)
{
    const struct problem *p = t->n->p;
    struct em *em = t->em;
    LLVMValueRef var[1 + FUNCTIONS_ARGS] = { x };
    for (int a = 0; a < p->f.arg_count; a++) {
        enum arg_kind kind = p->f.arg[a].kind;
        var[1 + a] = kind == ARG_TENSOR
                         ? load_like_dst(t, t->user[a], r)
                         : splat_at(t, t->user[a], kind == ARG_CHANNEL ? r->filter : 0);
    }
    if (p->f.epilogue)
        return em_expr(em, &p->f.last, p->f.last.root, t->vector, var);
    if (p->p.bias)
        x = LLVMBuildFAdd(em->builder, x, splat_at(t, t->bias, r->filter), "");
    if (p->p.residual)
        x = LLVMBuildFAdd(em->builder, x, load_like_dst(t, t->residual, r), "");
    return em_activation(em, p->p.activation, p->p.activation_args, x);
}

static void store_output(struct stencil_tile *t, const struct stencil_span *span, int filter, int r,
                         int v, LLVMValueRef x)
{
    const struct stencil_nest *n = t->n;
    const int64_t *stride = n->p->p.dst_stride;
    struct em *em = t->em;
    int64_t left = span->inside ? n->lanes : span->sweep->width - span->vector * n->lanes;
    int64_t element = filter * stride[CONVC_STRIDE_C] + r * stride[CONVC_STRIDE_H] + v * n->lanes;
    struct result result = { .filter = filter, .distance = element * n->bytes, .at = span->at };
    result.on = em_lanes_first(n->lanes, left < n->lanes ? (int)left : n->lanes);
    x = finish(t, x, &result);
    LLVMValueRef to = em_at_const(em, em_at(em, t->dst, span->at), result.distance);
    em_store_lanes(em, x, to, &result.on);
}

static void store_kept(struct stencil_tile *t, const struct stencil_span *span, int keep, int r,
                       int v, LLVMValueRef x)
{
    const struct stencil_nest *n = t->n;
    int64_t far = (keep * n->plan.rows + r) * n->scratch_row + v * n->lanes * n->bytes;
    LLVMValueRef to = em_at_const(t->em, em_at(t->em, t->scratch, span->at), far);
    em_store(t->em, x, to, (unsigned)n->bytes);
}

/* ---- spans ---------------------------------------------------------------------------------- */

static void emit_span(struct stencil_tile *t, const struct stencil_span *span)
{
    const struct stencil_nest *n = t->n;
    int result[STENCIL_ROWS * STENCIL_VECS], roots = span->columns ? n->kept : n->program.filters;
    memset(t->steps, 0, sizeof *t->steps);
    for (int i = 0; i < roots; i++) {
        int first = t->steps->count;
        stencil_steps_add(n, span->sweep, span->columns ? n->keep[i] : n->program.root[i], t->rows,
                          span->vecs, !span->columns && n->kept, t->steps, result);
        emit_steps(t, span, first);
        for (int r = 0; r < t->rows; r++) {
            for (int v = 0; v < span->vecs; v++) {
                LLVMValueRef x = t->value[result[r * span->vecs + v]];
                if (span->columns)
                    store_kept(t, span, i, r, v, x);
                else
                    store_output(t, span, i, r, v, x);
            }
        }
    }
}

static void place_span(struct stencil_tile *t, struct stencil_span *span, LLVMValueRef vector)
{
    struct em *em = t->em;
    span->at = em_opaque(em, em_mul(em, vector, t->n->lanes * t->n->bytes));
    span->from = em_opaque(em, em_at(em, t->src, em_mul(em, span->at, span->sweep->stride)));
}

static void emit_known(struct stencil_tile *t, struct stencil_span *span, int64_t vector, int vecs,
                       bool inside)
{
    span->vector = vector;
    span->vecs = vecs;
    span->inside = inside;
    place_span(t, span, em_int(t->em, vector));
    emit_span(t, span);
}

static void emit_sweep(struct stencil_tile *t, const struct stencil_sweep *s, bool columns)
{
    struct em *em = t->em;
    struct stencil_span span = { .sweep = s, .columns = columns };
    int64_t vecs = t->n->plan.vecs, tiles = (s->end - s->begin) / vecs;
    int64_t rest = s->begin + tiles * vecs;
    for (int64_t i = 0; i < s->begin; i++)
        emit_known(t, &span, i, 1, false);
    if (tiles > 0) {
        EM_FOR (em, tile, em_int(em, 0), em_int(em, tiles)) {
            span.vector = -1;
            span.vecs = (int)vecs;
            span.inside = true;
            place_span(t, &span, em_mul_add(em, tile, vecs, s->begin));
            emit_span(t, &span);
        }
    }
    if (rest < s->end)
        emit_known(t, &span, rest, (int)(s->end - rest), true);
    for (int64_t i = s->end; i < s->vectors; i++)
        emit_known(t, &span, i, 1, false);
}

void stencil_tile_emit(struct stencil_tile *t)
{
    if (t->n->kept)
        emit_sweep(t, &t->n->columns, true);
    emit_sweep(t, &t->n->outputs, false);
}
