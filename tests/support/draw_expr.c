#include "tests/support/draw_expr.h"

#include "gen/expr/expr_eval.h"

const char *const draw_expr_vars[4] = { "a", "b", "c", NULL };

static const double constants[] = { 0, -0.0, 1, -1, 2, 0.5, -4, 0.1, 3, 1e30, -0.3 };
enum { CONSTANTS = sizeof constants / sizeof *constants };

/* One of the nodes that are there, a real or a truth value; -1 where there is none. */
static int pick(struct test_random *r, const struct expr *e, bool truth)
{
    int found[EXPR_NODES], count = 0;
    for (int i = 0; i < e->count; i++) {
        if (expr_is_truth(e, i) == truth)
            found[count++] = i;
    }
    /* Mostly a late one, so that graphs are deep. */
    int64_t low = test_random_in(r, 0, 2) ? count / 2 : 0;
    return count ? found[test_random_in(r, low, count - 1)] : -1;
}

static void grow(struct test_random *r, struct expr *e)
{
    enum expr_op op = (enum expr_op)test_random_in(r, EXPR_NEG, EXPR_OPS - 1);
    bool logic = op == EXPR_NOT || op == EXPR_AND || op == EXPR_OR;
    int arg[EXPR_ARGS] = { 0 };
    for (int i = 0; i < expr_arity(op); i++) {
        arg[i] = pick(r, e, logic || (op == EXPR_WHERE && i == 0));
        if (arg[i] < 0)
            return;
    }
    expr_make(e, op, arg[0], arg[1], arg[2]);
}

void draw_expr(struct test_random *r, int vars, int size, struct expr *e)
{
    *e = (struct expr){ 0 };
    for (int v = 0; v < vars; v++)
        expr_var(e, v);
    for (int i = 0; i < 3; i++)
        expr_const(e, constants[test_random_in(r, 0, CONSTANTS - 1)]);
    for (int i = 0; i < size; i++)
        grow(r, e);
    e->root = e->count - 1;
    while (expr_is_truth(e, e->root))
        e->root--;
}

double draw_expr_compute(const struct expr *e, const double *var, bool wide)
{
    double value[EXPR_NODES] = { 0 };
    for (int i = 0; i <= e->root; i++) {
        const struct expr_node *n = &e->node[i];
        double a = value[n->arg[0]], b = value[n->arg[1]];
        const long double arg[EXPR_ARGS] = { a, b, value[n->arg[2]] };
        long double exact = expr_apply((enum expr_op)n->op, arg);
        /* In f64, what long double would round twice. */
        switch (n->op) {
        case EXPR_CONST: exact = n->value; break;
        case EXPR_VAR: exact = var[n->var]; break;
        case EXPR_ADD: exact = wide ? (long double)(a + b) : exact; break;
        case EXPR_SUB: exact = wide ? (long double)(a - b) : exact; break;
        case EXPR_MUL: exact = wide ? (long double)(a * b) : exact; break;
        case EXPR_DIV: exact = wide ? (long double)(a / b) : exact; break;
        default: break;
        }
        value[i] = wide ? (double)exact : (double)(float)exact;
    }
    return value[e->root];
}
