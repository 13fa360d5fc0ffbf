/* What accumulators do: multiply-adds, or the functions of the problem in their place; and the
 * epilogue that follows them. */
#include "gen/emit/em_expr.h"
#include "gen/emit/tile.h"

static LLVMValueRef reduce(struct em *em, enum reduction r, LLVMValueRef acc, LLVMValueRef t)
{
    switch (r) {
    case REDUCE_MAX: return em_fmax(em, acc, t);
    case REDUCE_MIN: return em_fmin(em, acc, t);
    case REDUCE_PROD: return LLVMBuildFMul(em->builder, acc, t, "");
    case REDUCE_SUM:
    case REDUCE_FOLD: break;
    }
    return LLVMBuildFAdd(em->builder, acc, t, "");
}

/* Sums of products of whatever are fused. */
static LLVMValueRef functions_step(struct tile *t, LLVMValueRef acc, LLVMValueRef src,
                                   LLVMValueRef wei)
{
    const struct functions *f = &t->nest->p->f;
    const struct expr *e = &f->combine;
    const struct expr_node *root = &e->node[e->root];
    const LLVMValueRef var[2] = { [VAR_X] = src, [VAR_W] = wei };
    struct em *em = t->em;
    if (f->reduce == REDUCE_SUM && root->op == EXPR_MUL) {
        LLVMValueRef a = em_expr(em, e, root->arg[0], t->vector, var);
        LLVMValueRef b = a;
        if (root->arg[1] != root->arg[0])
            b = em_expr(em, e, root->arg[1], t->vector, var);
        return em_fma(em, a, b, acc);
    }
    LLVMValueRef term = em_expr_by(em, e, e->root, t->vector, var, t->one);
    if (f->reduce != REDUCE_FOLD)
        return reduce(em, f->reduce, acc, term);
    const LLVMValueRef step[2] = { [VAR_ACC] = acc, [VAR_T] = term };
    return em_expr(em, &f->fold, f->fold.root, t->vector, step);
}

void tile_accumulate(struct tile *t, struct em_var acc, LLVMValueRef src, LLVMValueRef wei)
{
    LLVMValueRef before = em_get(t->em, acc);
    bool product = !t->nest->p->f.terms;
    em_set(t->em, acc,
           product ? em_fma(t->em, src, wei, before) : functions_step(t, before, src, wei));
}

void tile_begin(struct tile *t)
{
    const struct functions *f = &t->nest->p->f;
    t->one = NULL;
    if (t->em->target->fma && functions_never_multiply(f))
        t->one = em_hidden(t->em, em_real(t->vector, 1));
    int each = t->rows * t->cols * t->vecs;
    for (int i = 0; i < t->sets * each; i++) {
        double value = !f->terms ? 0 : i < each ? f->init : functions_identity(f->reduce);
        em_set(t->em, t->acc[i], em_real(t->vector, value));
    }
}

LLVMValueRef tile_sum(struct tile *t, int r, int c, int v)
{
    enum reduction reduction = t->nest->p->f.terms ? t->nest->p->f.reduce : REDUCE_SUM;
    LLVMValueRef part[TILE_SPLIT];
    for (int i = 0; i < t->sets; i++)
        part[i] = em_get(t->em, tile_acc(t, i, r, c, v));
    for (int step = 1; step < t->sets; step *= 2) {
        for (int i = 0; i + step < t->sets; i += 2 * step)
            part[i] = reduce(t->em, reduction, part[i], part[i + step]);
    }
    return part[0];
}

LLVMValueRef tile_epilogue(struct tile *t, LLVMValueRef acc, const LLVMValueRef arg[])
{
    const struct functions *f = &t->nest->p->f;
    LLVMValueRef var[1 + FUNCTIONS_ARGS] = { [VAR_ACC] = acc };
    for (int a = 0; a < f->arg_count; a++)
        var[1 + a] = arg[a];
    return em_expr(t->em, &f->last, f->last.root, t->vector, var);
}

LLVMValueRef tile_splat(struct tile *t, LLVMValueRef p)
{
    return em_splat(t->em, em_load(t->em, t->element, p, (unsigned)t->nest->bytes), t->nest->lanes);
}
