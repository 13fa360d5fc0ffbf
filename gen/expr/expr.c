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

void expr_clear(struct expr *e)
{
    e->count = e->root = 0;
    memset(e->head, 0, sizeof e->head);
}

void expr_copy(struct expr *to, const struct expr *from)
{
    size_t nodes = (size_t)from->count;
    to->count = from->count;
    to->root = from->root;
    memcpy(to->head, from->head, sizeof to->head);
    memcpy(to->next, from->next, nodes * sizeof *to->next);
    memcpy(to->node, from->node, nodes * sizeof *to->node);
}

/* Values differ in their high bits alone, operations in their low ones. */
static int head_of(const struct expr_node *n)
{
    uint64_t word[2];
    memcpy(word, n, sizeof word);
    return (int)((word[0] * 0x9e3779b97f4a7c15 ^ word[1] * 0xc2b2ae3d27d4eb4f) >> 57);
}

/* The node, unless there is room for it no more. */
static int add_node(struct expr *e, const struct expr_node *n)
{
    uint16_t *head = &e->head[head_of(n)];
    for (int i = *head; i; i = e->next[i - 1]) {
        if (!memcmp(&e->node[i - 1], n, sizeof *n))
            return i - 1;
    }
    if (e->count == EXPR_NODES)
        return -1;
    e->node[e->count] = *n;
    e->next[e->count] = *head;
    *head = (uint16_t)(e->count + 1);
    return e->count++;
}

int expr_const(struct expr *e, double value)
{
    return add_node(e, &(struct expr_node){ .op = EXPR_CONST, .value = value });
}

int expr_var(struct expr *e, int64_t var)
{
    return add_node(e, &(struct expr_node){ .op = EXPR_VAR, .var = var });
}

int expr_make(struct expr *e, enum expr_op op, int a, int b, int c)
{
    const int arg[EXPR_ARGS] = { a, b, c };
    struct expr_node n = { .op = (uint16_t)op };
    for (int i = 0; i < ops[op].arity; i++) {
        if (arg[i] < 0)
            return -1;
        n.arg[i] = (uint16_t)arg[i];
    }
    return add_node(e, &n);
}

/* ---- one graph into another ---------------------------------------------------------------- */

/* Depth first, on a stack of nodes whose operands are on their way. */
int expr_walk(const struct expr *e, int node, uint16_t order[EXPR_NODES])
{
    uint16_t stack[EXPR_NODES];
    uint8_t visited[EXPR_NODES] = { 0 }; /* 1 + operands that were looked at */
    int depth = 0, count = 0;
    stack[depth++] = (uint16_t)node;
    visited[node] = 1;
    while (depth) {
        int top = stack[depth - 1], next = visited[top] - 1;
        if (next == ops[e->node[top].op].arity) {
            order[count++] = (uint16_t)top;
            depth--;
            continue;
        }
        visited[top]++;
        int arg = e->node[top].arg[next];
        if (visited[arg])
            continue;
        visited[arg] = 1;
        stack[depth++] = (uint16_t)arg;
    }
    return count;
}

int expr_graft(struct expr *to, const struct expr *from, int node, const int *var, expr_maker make,
               void *context)
{
    uint16_t order[EXPR_NODES];
    int made[EXPR_NODES], count = expr_walk(from, node, order);
    for (int i = 0; i < count; i++) {
        const struct expr_node *n = &from->node[order[i]];
        int *at = &made[order[i]];
        if (n->op == EXPR_CONST)
            *at = expr_const(to, n->value);
        else if (n->op == EXPR_VAR)
            *at = var ? var[n->var] : expr_var(to, n->var);
        else
            *at = make(context, to, (enum expr_op)n->op, made[n->arg[0]],
                       expr_arity(n->op) > 1 ? made[n->arg[1]] : 0,
                       expr_arity(n->op) > 2 ? made[n->arg[2]] : 0);
        if (*at < 0)
            return -1;
    }
    return made[node];
}

bool expr_reads(const struct expr *e, int64_t var)
{
    uint16_t order[EXPR_NODES];
    int count = expr_walk(e, e->root, order);
    for (int i = 0; i < count; i++) {
        const struct expr_node *n = &e->node[order[i]];
        if (n->op == EXPR_VAR && n->var == var)
            return true;
    }
    return false;
}
