#include "gen/emit/stencil_tile.h"

#include "gen/emit/em_element.h"
#include "gen/emit/em_expr.h"
#include "gen/emit/em_math.h"

#include <math.h>
#include <string.h>

/* ---- steps ---------------------------------------------------------------------------------- */

LLVMValueRef stencil_number(const struct stencil_tile *t, double value)
{
    return t->n->program.number.narrow ? em_whole(t->vector, (int64_t)value)
                                       : em_real(t->vector, value);
}

/* In whole numbers, modulo 2^16. */
static LLVMValueRef operate_whole(struct stencil_tile *t, const struct stencil_form *f,
                                  LLVMValueRef a, LLVMValueRef b)
{
    LLVMBuilderRef builder = t->em->builder;
    LLVMValueRef value = stencil_number(t, f->value), args[2] = { a, b };
    bool sign = t->n->program.number.sign;
    if (f->op == STENCIL_EXPR + EXPR_MAX)
        return em_call(t->em, sign ? "llvm.smax" : "llvm.umax", &t->vector, 1, args, 2);
    if (f->op == STENCIL_EXPR + EXPR_MIN)
        return em_call(t->em, sign ? "llvm.smin" : "llvm.umin", &t->vector, 1, args, 2);
    switch ((enum stencil_op)f->op) {
    case STENCIL_ADD: return LLVMBuildAdd(builder, a, b, "");
    case STENCIL_SUB: return LLVMBuildSub(builder, a, b, "");
    case STENCIL_SCALE: return LLVMBuildMul(builder, a, value, "");
    case STENCIL_FMA: return LLVMBuildAdd(builder, LLVMBuildMul(builder, a, value, ""), b, "");
    case STENCIL_CONST:
    case STENCIL_SRC:
    case STENCIL_EXPR: break;
    }
    return value;
}

static bool is_factor(const struct stencil_form *f)
{
    return f->op == STENCIL_SCALE || f->op == STENCIL_FMA;
}

static int find_factor(const struct stencil_tile *t, double value)
{
    int i = 0;
    while (i < t->factors && t->factor[i] != value)
        i++;
    return i;
}

void stencil_find_factors(struct stencil_tile *t)
{
    struct em *em = t->em;
    const struct stencil *s = &t->n->program;
    LLVMValueRef element[STENCIL_FORMS];
    LLVMTypeRef type = LLVMGetElementType(t->real);
    for (int i = 0; i < s->forms; i++) {
        if (is_factor(&s->form[i]) && find_factor(t, s->form[i].value) == t->factors)
            t->factor[t->factors++] = s->form[i].value;
    }
    if (s->number.narrow || t->factors <= em->target->vector_registers / 4)
        return;
    for (int i = 0; i < t->factors; i++)
        element[i] = LLVMConstReal(type, t->factor[i]);
    LLVMValueRef array = LLVMConstArray2(type, element, (uint64_t)t->factors);
    t->table = LLVMAddGlobal(em->module, LLVMTypeOf(array), "factors");
    LLVMSetInitializer(t->table, array);
    LLVMSetGlobalConstant(t->table, 1);
    LLVMSetLinkage(t->table, LLVMPrivateLinkage);
}

static LLVMValueRef factor_of(struct stencil_tile *t, double value)
{
    struct em *em = t->em;
    int i = find_factor(t, value);
    if (!t->table)
        return em_real(t->vector, value);
    if (i != t->last) {
        LLVMTypeRef type = LLVMGetElementType(t->real);
        int64_t bytes = t->n->acc_bytes;
        LLVMValueRef p = em_at_const(em, t->seen_table, i * bytes);
        t->last_value = em_splat(em, em_load(em, type, p, (unsigned)bytes), t->n->lanes);
        t->last = i;
    }
    return t->last_value;
}

static LLVMValueRef operate(struct stencil_tile *t, const struct stencil_form *f,
                            const LLVMValueRef arg[EXPR_ARGS])
{
    struct em *em = t->em;
    LLVMValueRef a = arg[0], b = arg[1];
    if (t->n->program.number.narrow)
        return operate_whole(t, f, a, b);
    if (f->op >= STENCIL_EXPR)
        return em_expr_operation(em, (enum expr_op)(f->op - STENCIL_EXPR), arg);
    switch ((enum stencil_op)f->op) {
    case STENCIL_ADD: return LLVMBuildFAdd(em->builder, a, b, "");
    case STENCIL_SUB: return LLVMBuildFSub(em->builder, a, b, "");
    case STENCIL_SCALE: return LLVMBuildFMul(em->builder, a, factor_of(t, f->value), "");
    case STENCIL_FMA: return em_fma(em, a, factor_of(t, f->value), b);
    case STENCIL_CONST:
    case STENCIL_SRC:
    case STENCIL_EXPR: break;
    }
    return em_real(t->vector, f->value);
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
            t->value[i] =
                operate(t, f,
                        (LLVMValueRef[EXPR_ARGS]){ t->value[step->arg[0]], t->value[step->arg[1]],
                                                   t->value[step->arg[2]] });
    }
}

/* ---- results -------------------------------------------------------------------------------- */

/* One vector of outputs: `distance` bytes from the span's first of filter 0. */
struct result {
    int filter;
    int64_t distance;
    struct em_lanes on;
    LLVMValueRef at; /* bytes of the span along the row, in dst */
};

static LLVMValueRef load_like_dst(struct stencil_tile *t, LLVMValueRef tensor,
                                  const struct result *r)
{
    LLVMValueRef p = em_at_const(t->em, em_at(t->em, tensor, r->at), r->distance);
    return em_element_load_lanes(t->em, t->n->p->p.dst_dtype, t->real, p, &r->on, NULL);
}

static LLVMValueRef splat_at(struct stencil_tile *t, LLVMValueRef p, int64_t element)
{
    struct em *em = t->em;
    unsigned bytes = (unsigned)t->n->acc_bytes;
    LLVMTypeRef type = LLVMGetElementType(t->real);
    LLVMValueRef x = em_load(em, type, em_at_const(em, p, element * bytes), bytes);
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
        return em_expr(em, &p->f.last, p->f.last.root, t->real, var);
    if (p->p.bias)
        x = LLVMBuildFAdd(em->builder, x, splat_at(t, t->bias, r->filter), "");
    if (p->p.residual)
        x = LLVMBuildFAdd(em->builder, x, load_like_dst(t, t->residual, r), "");
    return em_activation(em, p->p.activation, p->p.activation_args, x);
}

/* x / 2^shift to the nearest, to the even one of two that are as near. */
static LLVMValueRef unscale(struct stencil_tile *t, LLVMValueRef x)
{
    const struct stencil_number *number = &t->n->program.number;
    LLVMBuilderRef builder = t->em->builder;
    if (!number->shift)
        return x;
    LLVMValueRef shift = stencil_number(t, number->shift), one = stencil_number(t, 1);
    LLVMValueRef odd = LLVMBuildAnd(builder, LLVMBuildLShr(builder, x, shift, ""), one, "");
    x = LLVMBuildAdd(builder, x, stencil_number(t, (1 << number->shift) / 2 - 1), "");
    x = LLVMBuildAdd(builder, x, odd, "");
    return number->sign ? LLVMBuildAShr(builder, x, shift, "")
                        : LLVMBuildLShr(builder, x, shift, "");
}

static LLVMValueRef extreme(struct stencil_tile *t, const char *name, LLVMValueRef x, double end)
{
    LLVMValueRef args[2] = { x, stencil_number(t, end) };
    return em_call(t->em, name, &t->vector, 1, args, 2);
}

/* A sum of whole numbers as a whole number of dst's type. */
static LLVMValueRef hold(struct stencil_tile *t, LLVMValueRef x)
{
    const struct stencil_number *number = &t->n->program.number;
    enum convc_dtype type = t->n->p->p.dst_dtype;
    double unit = 1 << number->shift, least = dtype_least(type), most = dtype_most(type);
    if (t->n->p->p.activation == CONVC_ACT_RELU)
        least = fmax(least, 0);
    x = unscale(t, x);
    if (number->sign && number->least / unit < least)
        x = extreme(t, "llvm.smax", x, least);
    if (number->most / unit > most)
        x = extreme(t, number->sign ? "llvm.smin" : "llvm.umin", x, most);
    LLVMTypeRef narrow = LLVMIntTypeInContext(t->em->context, 8 * (unsigned)t->n->dst_bytes);
    return t->n->dst_bytes == t->n->bytes
               ? x
               : LLVMBuildTrunc(t->em->builder, x, em_vector(narrow, t->n->lanes), "");
}

/* Likewise as a real. */
static LLVMValueRef to_real(struct stencil_tile *t, LLVMValueRef x)
{
    const struct stencil_number *number = &t->n->program.number;
    LLVMBuilderRef builder = t->em->builder;
    x = number->sign ? LLVMBuildSIToFP(builder, x, t->real, "")
                     : LLVMBuildUIToFP(builder, x, t->real, "");
    return LLVMBuildFMul(builder, x, em_real(t->real, 1.0 / (1 << number->shift)), "");
}

static LLVMValueRef to_dst(struct stencil_tile *t, LLVMValueRef x, const struct result *r)
{
    enum convc_dtype type = t->n->p->p.dst_dtype;
    bool narrow = t->n->program.number.narrow;
    if (narrow && dtype_whole(type))
        return hold(t, x);
    return em_element_round(t->em, type, finish(t, narrow ? to_real(t, x) : x, r));
}

static void store_output(struct stencil_tile *t, const struct stencil_span *span, int filter, int r,
                         int v, LLVMValueRef x)
{
    const struct stencil_nest *n = t->n;
    const int64_t *stride = n->p->p.dst_stride;
    struct em *em = t->em;
    int64_t left = span->inside ? n->lanes : span->sweep->width - span->vector * n->lanes;
    int64_t element = filter * stride[CONVC_STRIDE_C] + r * stride[CONVC_STRIDE_H] + v * n->lanes;
    struct result result = { .filter = filter, .distance = element * n->dst_bytes };
    result.at = em_mul(em, span->at, n->dst_bytes);
    result.on = em_lanes_first(n->lanes, left < n->lanes ? (int)left : n->lanes);
    x = to_dst(t, x, &result);
    LLVMValueRef to = em_at_const(em, em_at(em, t->dst, result.at), result.distance);
    em_store_lanes(em, x, to, &result.on);
}

static void store_kept(struct stencil_tile *t, const struct stencil_span *span, int keep, int r,
                       int v, LLVMValueRef x)
{
    const struct stencil_nest *n = t->n;
    int64_t far = (keep * n->plan.rows + r) * n->scratch_row + v * n->lanes * n->bytes;
    LLVMValueRef at = em_mul(t->em, span->at, n->bytes);
    LLVMValueRef to = em_at_const(t->em, em_at(t->em, t->scratch, at), far);
    em_store(t->em, x, to, (unsigned)n->bytes);
}

/* ---- spans ---------------------------------------------------------------------------------- */

static void emit_span(struct stencil_tile *t, const struct stencil_span *span)
{
    const struct stencil_nest *n = t->n;
    int result[STENCIL_ROWS * STENCIL_VECS], roots = span->columns ? n->kept : n->program.filters;
    memset(t->steps, 0, sizeof *t->steps);
    t->last = -1;
    if (t->table)
        t->seen_table = LLVMBuildFreeze(t->em->builder, t->table, "");
    for (int i = 0; i < roots; i++) {
        int first = t->steps->count;
        stencil_steps_add(n, span->sweep, span->columns ? n->keep[i] : n->program.root[i], t->rows,
                          span->vecs, !span->columns && n->kept, t->steps, result);
        emit_steps(t, span, first);
        for (int r = 0; r < t->rows; r++) {
            for (int v = 0; v < span->vecs; v++) {
                LLVMValueRef x = t->value[result[r * span->vecs + v]];
                if (span->columns && t->rolled)
                    stencil_set_rolled(t, i, r, v, x);
                else if (span->columns)
                    store_kept(t, span, i, r, v, x);
                else
                    store_output(t, span, i, r, v, x);
            }
        }
    }
}

void stencil_emit_span(struct stencil_tile *t, struct stencil_span *span, LLVMValueRef vector)
{
    struct em *em = t->em;
    span->at = em_opaque(em, em_mul(em, vector, t->n->lanes));
    LLVMValueRef from = em_mul(em, span->at, span->sweep->stride * t->n->src_bytes);
    span->from = em_opaque(em, em_at(em, t->src, from));
    emit_span(t, span);
}

static void emit_known(struct stencil_tile *t, struct stencil_span *span, int64_t vector, int vecs,
                       bool inside)
{
    span->vector = vector;
    span->vecs = vecs;
    span->inside = inside;
    stencil_emit_span(t, span, em_int(t->em, vector));
}

static void emit_inside(struct stencil_tile *t, const struct stencil_sweep *s, bool columns)
{
    struct em *em = t->em;
    struct stencil_span span = { .sweep = s, .columns = columns };
    int64_t vecs = t->n->plan.vecs, tiles = (s->end - s->begin) / vecs;
    int64_t rest = s->begin + tiles * vecs;
    if (tiles > 0) {
        EM_FOR (em, tile, em_int(em, 0), em_int(em, tiles)) {
            span.vector = -1;
            span.vecs = (int)vecs;
            span.inside = true;
            stencil_emit_span(t, &span, em_mul_add(em, tile, vecs, s->begin));
        }
    }
    if (rest < s->end)
        emit_known(t, &span, rest, (int)(s->end - rest), true);
}

/* Vectors [begin, end), each known. */
static void emit_edge(struct stencil_tile *t, const struct stencil_sweep *s, bool columns,
                      int64_t begin, int64_t end)
{
    struct stencil_span span = { .sweep = s, .columns = columns };
    for (int64_t i = begin; i < end; i++)
        emit_known(t, &span, i, 1, false);
}

static void emit_sweep(struct stencil_tile *t, const struct stencil_sweep *s, bool columns)
{
    emit_edge(t, s, columns, 0, s->begin);
    emit_inside(t, s, columns);
    emit_edge(t, s, columns, s->end, s->vectors);
}

void stencil_tile_emit(struct stencil_tile *t)
{
    if (t->n->plan.columns == COLUMNS_ROLLED) {
        stencil_roll(t);
        return;
    }
    if (t->n->plan.columns == COLUMNS_KEPT)
        emit_sweep(t, &t->n->columns, true);
    emit_sweep(t, &t->n->outputs, false);
}

void stencil_tile_emit_inside(struct stencil_tile *t)
{
    emit_inside(t, &t->n->outputs, false);
}

void stencil_tile_emit_edges(struct stencil_tile *t)
{
    const struct stencil_sweep *s = &t->n->outputs;
    emit_edge(t, s, false, 0, s->begin);
    emit_edge(t, s, false, s->end, s->vectors);
}
