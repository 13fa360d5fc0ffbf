#include "gen/plan/work.h"

/* Slots of an operation, timed within sums of single operations (Zen 3); with AVX2 and FMA, and
 * without: there a choice is three operations, and to floor a call of many. What does not need the
 * pipes of sums is nearly hidden, and a division, which keeps a unit of its own, is partly so. */
static double slots(enum expr_op op, bool fma)
{
    switch (op) {
    case EXPR_CONST:
    case EXPR_VAR: return 0;
    case EXPR_NEG:
    case EXPR_ABS: return fma ? 0.1 : 0.5;
    case EXPR_FLOOR:
    case EXPR_CEIL: return fma ? 0.1 : 12;
    case EXPR_LT:
    case EXPR_LE:
    case EXPR_EQ:
    case EXPR_NOT:
    case EXPR_AND:
    case EXPR_OR: return fma ? 0.5 : 1;
    case EXPR_WHERE: return fma ? 0.5 : 1.5;
    case EXPR_SQRT: return 8;
    case EXPR_DIV: return 4.5;
    case EXPR_EXP: return fma ? 21 : 31;
    case EXPR_LOG: return fma ? 40 : 57;
    case EXPR_TANH: return fma ? 24 : 39;
    case EXPR_SIGMOID: return fma ? 28 : 38;
    default: return 1;
    }
}

double work_of(enum expr_op op, const struct target *t)
{
    return slots(op, t->fma);
}

/* Operations of one operand of the tile alone are done once for all accumulators that share it. */
enum { SHARED_BY = 4 };

static double work(const struct expr *e, bool shares, bool fma)
{
    double total = 0;
    bool reads[EXPR_NODES][2]; /* does the node depend on the variable? */
    for (int i = 0; i <= e->root; i++) {
        const struct expr_node *n = &e->node[i];
        for (int v = 0; v < 2; v++) {
            reads[i][v] = n->op == EXPR_VAR && n->var == v;
            for (int a = 0; a < expr_arity((enum expr_op)n->op); a++)
                reads[i][v] = reads[i][v] || reads[n->arg[a]][v];
        }
        bool both = reads[i][0] && reads[i][1];
        total += slots((enum expr_op)n->op, fma) / (shares && !both ? SHARED_BY : 1);
    }
    return total;
}

double work_function(const struct expr *e, int node, const struct target *t)
{
    double total = 0;
    for (int i = 0; i <= node; i++)
        total += work_of((enum expr_op)e->node[i].op, t);
    return total;
}

double work_term(const struct problem *p, const struct target *t)
{
    const struct functions *f = &p->f;
    if (!f->terms)
        return t->fma ? 1 : 2;
    double total = work(&f->combine, true, t->fma);
    if (f->reduce == REDUCE_FOLD)
        return total + work(&f->fold, false, t->fma);
    bool fused =
        t->fma && f->reduce == REDUCE_SUM && f->combine.node[f->combine.root].op == EXPR_MUL;
    return fused ? total : total + 1;
}

double work_last(const struct problem *p)
{
    enum convc_activation a = p->p.activation;
    if (p->f.epilogue)
        return work(&p->f.last, false, true) / 2;
    return a > CONVC_ACT_LEAKY_RELU && a != CONVC_ACT_HARDSWISH ? 20 : 0;
}

int64_t work_written(const struct problem *p)
{
    enum { MOST = 64, SHORT = 3 };
    if (!p->f.terms)
        return 1;
    double total = work(&p->f.combine, false, true);
    if (p->f.reduce == REDUCE_FOLD)
        total += work(&p->f.fold, false, true);
    int64_t written = (int64_t)(total / SHORT);
    return written < 1 ? 1 : written > MOST ? MOST : written;
}
