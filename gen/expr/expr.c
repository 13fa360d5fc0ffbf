#include "gen/expr/expr.h"

#include <string.h>

static const struct {
    const char *name;
    int arity;
} ops[EXPR_OPS] = {
    [EXPR_CONST] = { "const", 0 }, [EXPR_VAR] = { "var", 0 },   [EXPR_NEG] = { "neg", 1 },
    [EXPR_ABS] = { "abs", 1 },     [EXPR_SQRT] = { "sqrt", 1 }, [EXPR_EXP] = { "exp", 1 },
    [EXPR_LOG] = { "log", 1 },     [EXPR_TANH] = { "tanh", 1 }, [EXPR_SIGMOID] = { "sigmoid", 1 },
    [EXPR_FLOOR] = { "floor", 1 }, [EXPR_CEIL] = { "ceil", 1 }, [EXPR_ADD] = { "add", 2 },
    [EXPR_SUB] = { "sub", 2 },     [EXPR_MUL] = { "mul", 2 },   [EXPR_DIV] = { "div", 2 },
    [EXPR_MIN] = { "min", 2 },     [EXPR_MAX] = { "max", 2 },   [EXPR_LT] = { "lt", 2 },
    [EXPR_LE] = { "le", 2 },       [EXPR_EQ] = { "eq", 2 },     [EXPR_NOT] = { "not", 1 },
    [EXPR_AND] = { "and", 2 },     [EXPR_OR] = { "or", 2 },     [EXPR_WHERE] = { "where", 3 },
};

int expr_arity(enum expr_op op)
{
    return ops[op].arity;
}

const char *expr_name(enum expr_op op)
{
    return ops[op].name;
}

bool expr_is_truth(const struct expr *e, int node)
{
    enum expr_op op = e->node[node].op;
    return op >= EXPR_LT && op <= EXPR_OR;
}

/* ---- nodes --------------------------------------------------------------------------------- */

static bool same(const struct expr_node *a, const struct expr_node *b)
{
    return a->op == b->op && !memcmp(a->arg, b->arg, sizeof a->arg) && a->var == b->var &&
           !memcmp(&a->value, &b->value, sizeof a->value);
}

/* The node, unless there is room for it no more. */
static int add_node(struct expr *e, const struct expr_node *n)
{
    for (int i = 0; i < e->count; i++) {
        if (same(&e->node[i], n))
            return i;
    }
    if (e->count == EXPR_NODES || n->tree > EXPR_TREE)
        return -1;
    e->node[e->count] = *n;
    return e->count++;
}

int expr_const(struct expr *e, double value)
{
    return add_node(e, &(struct expr_node){ .op = EXPR_CONST, .tree = 1, .value = value });
}

int expr_var(struct expr *e, int var)
{
    return add_node(e, &(struct expr_node){ .op = EXPR_VAR, .tree = 1, .var = (uint16_t)var });
}

int expr_make(struct expr *e, enum expr_op op, int a, int b, int c)
{
    const int arg[EXPR_ARGS] = { a, b, c };
    struct expr_node n = { .op = (uint8_t)op };
    int tree = 1;
    for (int i = 0; i < ops[op].arity; i++) {
        if (arg[i] < 0)
            return -1;
        n.arg[i] = (uint8_t)arg[i];
        tree += e->node[arg[i]].tree;
    }
    n.tree = (uint16_t)tree; /* of three that fit, far from the most that it holds */
    return add_node(e, &n);
}

/* ---- one graph into another ---------------------------------------------------------------- */

int expr_graft(struct expr *to, const struct expr *from, int node, const int *var, expr_maker make,
               void *context)
{
    int made[EXPR_NODES];
    bool wanted[EXPR_NODES] = { false };
    wanted[node] = true;
    for (int i = node; i >= 0; i--) {
        for (int a = 0; wanted[i] && a < ops[from->node[i].op].arity; a++)
            wanted[from->node[i].arg[a]] = true;
    }
    for (int i = 0; i <= node; i++) {
        const struct expr_node *n = &from->node[i];
        if (!wanted[i])
            continue;
        if (n->op == EXPR_CONST)
            made[i] = expr_const(to, n->value);
        else if (n->op == EXPR_VAR)
            made[i] = var ? var[n->var] : expr_var(to, n->var);
        else
            made[i] = make(context, to, (enum expr_op)n->op, made[n->arg[0]],
                           expr_arity(n->op) > 1 ? made[n->arg[1]] : 0,
                           expr_arity(n->op) > 2 ? made[n->arg[2]] : 0);
        if (made[i] < 0)
            return -1;
    }
    return made[node];
}

bool expr_reads(const struct expr *e, int var)
{
    bool reads[EXPR_NODES];
    for (int i = 0; i <= e->root; i++) {
        const struct expr_node *n = &e->node[i];
        reads[i] = n->op == EXPR_VAR && n->var == var;
        for (int a = 0; a < ops[n->op].arity; a++)
            reads[i] = reads[i] || reads[n->arg[a]];
    }
    return reads[e->root];
}

/* ---- printing ------------------------------------------------------------------------------ */

static void print_node(const struct expr *e, int node, const char *const *var, struct text *t)
{
    const struct expr_node *n = &e->node[node];
    if (n->op == EXPR_CONST) {
        text_add_real(t, n->value);
        return;
    }
    if (n->op == EXPR_VAR) {
        text_add(t, "%s", var[n->var]);
        return;
    }
    text_add(t, "%s", ops[n->op].name);
    for (int a = 0; a < ops[n->op].arity; a++) {
        text_add(t, a ? "," : "(");
        print_node(e, n->arg[a], var, t);
    }
    text_add(t, ")");
}

void expr_print(const struct expr *e, const char *const *var, struct text *t)
{
    print_node(e, e->root, var, t);
}
