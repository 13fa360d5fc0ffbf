/* Functions of the user as programs. */
#include "gen/base/memory.h"
#include "gen/expr/expr_simplify.h"
#include "gen/plan/stencil.h"

static struct stencil_term tap(struct stencil *s, const struct problem *p, const int64_t at[3])
{
    const int64_t *dilation = p->p.dilation;
    const int64_t place[3] = { at[0] * dilation[0], at[1] * dilation[1], at[2] * dilation[2] };
    return stencil_src(s, place);
}

/* What node `root` of the function is, where variable v is var(data, v). */
static struct stencil_term graft(struct stencil *s, const struct expr *e, const void *data,
                                 struct stencil_term (*var)(struct stencil *s, const void *data,
                                                            int64_t v))
{
    struct stencil_term *term = memory_zeroed(EXPR_NODES, sizeof *term), root = { 0 };
    s->full = s->full || !term;
    for (int i = 0; term && i <= e->root; i++) {
        const struct expr_node *n = &e->node[i];
        struct stencil_term arg[EXPR_ARGS];
        for (int k = 0; k < EXPR_ARGS; k++)
            arg[k] = term[n->arg[k]];
        if (n->op == EXPR_CONST)
            term[i] = stencil_constant(s, n->value);
        else if (n->op == EXPR_VAR)
            term[i] = var(s, data, n->var);
        else
            term[i] = stencil_make_of(s, STENCIL_EXPR + n->op, 0, arg);
    }
    if (term)
        root = term[e->root];
    memory_free(term);
    return root;
}

/* ---- windows -------------------------------------------------------------------------------- */

static struct stencil_term window_var(struct stencil *s, const void *data, int64_t v)
{
    const struct problem *p = data;
    int64_t at[3];
    expr_window_tap(&p->f.taps, v, at);
    return tap(s, p, at);
}

struct stencil_term stencil_window(struct stencil *s, const struct problem *p)
{
    return graft(s, &p->f.window, p, window_var);
}

/* ---- combine and reduce --------------------------------------------------------------------- */

static struct stencil_term tap_var(struct stencil *s, const void *data, int64_t v)
{
    return *(const struct stencil_term *)data;
}

/* x + 0 is x, but for the sign of a 0. */
static void drop_zero(struct expr *e)
{
    const struct expr_node *root = &e->node[e->root];
    for (int k = 0; root->op == EXPR_ADD && k < 2; k++) {
        const struct expr_node *arg = &e->node[root->arg[k]];
        if (arg->op == EXPR_CONST && arg->value == 0)
            e->root = root->arg[1 - k];
    }
}

/* combine(x, w) at a tap, simplified. */
static struct stencil_term combined(struct stencil *s, const struct problem *p,
                                    struct stencil_term x, double w)
{
    bool wide = p->p.acc_dtype == CONVC_F64;
    struct expr constant, e = p->f.combine;
    expr_clear(&constant);
    constant.root = expr_const(&constant, w);
    s->full = s->full || !expr_substitute(&e, VAR_W, &constant, wide);
    drop_zero(&e);
    return s->full ? x : graft(s, &e, &x, tap_var);
}

static struct stencil_term reduce(struct stencil *s, const struct problem *p,
                                  const struct stencil_term *sum, struct stencil_term next)
{
    static const int op[] = { EXPR_ADD, EXPR_MAX, EXPR_MIN, EXPR_MUL };
    if (!sum)
        return next;
    return stencil_make(s, STENCIL_EXPR + op[p->f.reduce], 0, *sum, next);
}

/* Column by column, so that columns of equal weights are one form. */
struct stencil_term stencil_reduction(struct stencil *s, const struct problem *p,
                                      const double *weights)
{
    const int64_t *k = p->p.kernel;
    struct stencil_term sum, column;
    for (int64_t col = 0; col < k[2]; col++) {
        for (int64_t row = 0; row < k[0] * k[1]; row++) {
            const int64_t at[3] = { row / k[1], row % k[1], col };
            struct stencil_term term = combined(s, p, tap(s, p, at), weights[row * k[2] + col]);
            column = reduce(s, p, row ? &column : NULL, term);
        }
        sum = reduce(s, p, col ? &sum : NULL, column);
    }
    return sum;
}

/* ---- columns -------------------------------------------------------------------------------- */

static bool is_truth(int op)
{
    return op >= STENCIL_EXPR + EXPR_LT && op <= STENCIL_EXPR + EXPR_OR;
}

void stencil_mark_columns(struct stencil *s)
{
    for (int i = 0; i < s->forms; i++) {
        const struct stencil_form *f = &s->form[i];
        for (int k = 0; f->reach[2] > 0 && k < stencil_arity(f->op); k++) {
            struct stencil_form *arg = &s->form[f->arg[k].form];
            bool leaf = arg->op == STENCIL_SRC || arg->op == STENCIL_CONST;
            arg->column = !leaf && arg->reach[2] == 0 && !is_truth(arg->op);
        }
    }
}
