#include "gen/expr/expr_simplify.h"

#include "gen/expr/expr_eval.h"

#include <math.h>
#include <string.h>

/* The arithmetic of the problem. */
struct rules {
    bool wide;
};

static int make(void *context, struct expr *e, enum expr_op op, int a, int b, int c);

double expr_round(long double value, bool wide)
{
    return wide ? (double)value : (double)(float)value;
}

/* ---- what operands look like --------------------------------------------------------------- */

static bool is(const struct expr *e, int node, enum expr_op op)
{
    return e->node[node].op == op;
}

static bool is_value(const struct expr *e, int node, double value)
{
    const struct expr_node *n = &e->node[node];
    return n->op == EXPR_CONST && !memcmp(&n->value, &value, sizeof value);
}

static int operand(const struct expr *e, int node)
{
    return e->node[node].arg[0];
}

/* By structure alone, so that the order does not depend on who was made first: variables, then
 * operations, then constants. */
static int compare(const struct expr *e, int a, int b)
{
    const struct expr_node *x = &e->node[a], *y = &e->node[b];
    if (a == b)
        return 0;
    if (x->op != y->op) {
        if (x->op == EXPR_CONST || y->op == EXPR_CONST)
            return x->op == EXPR_CONST ? 1 : -1;
        return x->op < y->op ? -1 : 1;
    }
    if (x->op == EXPR_VAR)
        return x->var < y->var ? -1 : 1;
    if (x->op == EXPR_CONST)
        return x->value != y->value ? (x->value < y->value ? -1 : 1) : signbit(x->value) ? -1 : 1;
    for (int i = 0; i < expr_arity((enum expr_op)x->op); i++) {
        int order = compare(e, x->arg[i], y->arg[i]);
        if (order)
            return order;
    }
    return 0;
}

static void order(const struct expr *e, int *a, int *b)
{
    if (compare(e, *a, *b) > 0) {
        int first = *b;
        *b = *a;
        *a = first;
    }
}

/* ---- rules --------------------------------------------------------------------------------- */

/* All operands being constants, the result, where it is a number. Truth values are left alone. */
static bool fold(const struct expr *e, const struct rules *r, enum expr_op op, const int *arg,
                 double *value)
{
    long double given[EXPR_ARGS] = { 0 };
    if (op >= EXPR_LT)
        return false;
    for (int i = 0; i < expr_arity(op); i++) {
        if (!is(e, arg[i], EXPR_CONST))
            return false;
        given[i] = e->node[arg[i]].value;
    }
    long double exact = expr_apply(op, given);
    /* A double's sum, product or root in long double may be rounded twice: not so these. */
    if (r->wide && (op == EXPR_ADD || op == EXPR_SUB || op == EXPR_MUL || op == EXPR_DIV)) {
        double x = (double)given[0], y = (double)given[1];
        exact = op == EXPR_ADD ? x + y : op == EXPR_SUB ? x - y : op == EXPR_MUL ? x * y : x / y;
    }
    *value = expr_round(exact, r->wide);
    return !isnan(*value);
}

/* Is 1/value exact, and neither it nor the value denormal? */
static bool has_reciprocal(double value, bool wide)
{
    int exponent, most = wide ? 1021 : 125;
    double fraction = frexp(value, &exponent);
    return isfinite(value) && fabs(fraction) == 0.5 && exponent > -most && exponent < most;
}

static int negate(const struct rules *r, struct expr *e, int a)
{
    return make((void *)r, e, EXPR_NEG, a, 0, 0);
}

static int simple_neg(const struct rules *r, struct expr *e, int a)
{
    if (is(e, a, EXPR_NEG))
        return operand(e, a);
    if (is(e, a, EXPR_MUL) && is(e, e->node[a].arg[1], EXPR_CONST))
        return make((void *)r, e, EXPR_MUL, operand(e, a), negate(r, e, e->node[a].arg[1]), 0);
    return expr_make(e, EXPR_NEG, a, 0, 0);
}

static int simple_abs(struct expr *e, int a)
{
    if (is(e, a, EXPR_NEG))
        a = operand(e, a);
    if (is(e, a, EXPR_ABS) || is(e, a, EXPR_EXP) || is(e, a, EXPR_SIGMOID))
        return a;
    if (is(e, a, EXPR_SUB)) {
        int x = e->node[a].arg[0], y = e->node[a].arg[1];
        order(e, &x, &y);
        a = expr_make(e, EXPR_SUB, x, y, 0);
    }
    return expr_make(e, EXPR_ABS, a, 0, 0);
}

static int simple_add(const struct rules *r, struct expr *e, int a, int b)
{
    if (is(e, b, EXPR_NEG))
        return make((void *)r, e, EXPR_SUB, a, operand(e, b), 0);
    if (is(e, a, EXPR_NEG))
        return make((void *)r, e, EXPR_SUB, b, operand(e, a), 0);
    if (is_value(e, a, -0.0))
        return b;
    if (is_value(e, b, -0.0))
        return a;
    order(e, &a, &b);
    return expr_make(e, EXPR_ADD, a, b, 0);
}

static int simple_sub(const struct rules *r, struct expr *e, int a, int b)
{
    if (is(e, b, EXPR_NEG))
        return make((void *)r, e, EXPR_ADD, a, operand(e, b), 0);
    if (is(e, b, EXPR_CONST))
        return make((void *)r, e, EXPR_ADD, a, negate(r, e, b), 0);
    return expr_make(e, EXPR_SUB, a, b, 0);
}

static int simple_mul(const struct rules *r, struct expr *e, int a, int b)
{
    order(e, &a, &b); /* a constant stands last */
    if (is_value(e, b, 1))
        return a;
    if (is_value(e, b, -1))
        return negate(r, e, a);
    if (is(e, a, EXPR_NEG) && is(e, b, EXPR_CONST))
        return make((void *)r, e, EXPR_MUL, operand(e, a), negate(r, e, b), 0);
    if (is(e, a, EXPR_NEG))
        return negate(r, e, make((void *)r, e, EXPR_MUL, operand(e, a), b, 0));
    if (is(e, b, EXPR_NEG))
        return negate(r, e, make((void *)r, e, EXPR_MUL, a, operand(e, b), 0));
    return expr_make(e, EXPR_MUL, a, b, 0);
}

static int simple_div(const struct rules *r, struct expr *e, int a, int b)
{
    const struct expr_node *n = &e->node[b];
    if (is(e, a, EXPR_NEG) && is(e, b, EXPR_NEG))
        return make((void *)r, e, EXPR_DIV, operand(e, a), operand(e, b), 0);
    if (n->op == EXPR_CONST && has_reciprocal(n->value, r->wide))
        return make((void *)r, e, EXPR_MUL, a, expr_const(e, 1 / n->value), 0);
    return expr_make(e, EXPR_DIV, a, b, 0);
}

static int simple_where(const struct rules *r, struct expr *e, int c, int a, int b)
{
    if (a == b)
        return a;
    if (is(e, c, EXPR_NOT))
        return make((void *)r, e, EXPR_WHERE, operand(e, c), b, a);
    return expr_make(e, EXPR_WHERE, c, a, b);
}

/* An operation that comes to nothing when it is done again, or on equal operands. */
static int simple_other(struct expr *e, enum expr_op op, int a, int b)
{
    bool pair = op == EXPR_MIN || op == EXPR_MAX || op == EXPR_AND || op == EXPR_OR;
    if (pair && a == b)
        return a;
    if ((op == EXPR_FLOOR || op == EXPR_CEIL) && (is(e, a, EXPR_FLOOR) || is(e, a, EXPR_CEIL)))
        return a;
    if (op == EXPR_NOT && is(e, a, EXPR_NOT))
        return operand(e, a);
    if (op == EXPR_EQ || op == EXPR_AND || op == EXPR_OR)
        order(e, &a, &b);
    return expr_make(e, op, a, b, 0);
}

/* An expr_maker. */
static int make(void *context, struct expr *e, enum expr_op op, int a, int b, int c)
{
    const struct rules *r = context;
    const int arg[EXPR_ARGS] = { a, b, c };
    double value;
    for (int i = 0; i < expr_arity(op); i++) {
        if (arg[i] < 0)
            return -1;
    }
    if (fold(e, r, op, arg, &value))
        return expr_const(e, value);
    switch (op) {
    case EXPR_NEG: return simple_neg(r, e, a);
    case EXPR_ABS: return simple_abs(e, a);
    case EXPR_ADD: return simple_add(r, e, a, b);
    case EXPR_SUB: return simple_sub(r, e, a, b);
    case EXPR_MUL: return simple_mul(r, e, a, b);
    case EXPR_DIV: return simple_div(r, e, a, b);
    case EXPR_WHERE: return simple_where(r, e, a, b, c);
    default: return simple_other(e, op, a, b);
    }
}

/* ---- whole functions ----------------------------------------------------------------------- */

static int make_raw(void *context, struct expr *e, enum expr_op op, int a, int b, int c)
{
    (void)context;
    return expr_make(e, op, a, b, c);
}

/* Drops what the root does not need, and rounds constants. */
static void compact(struct expr *e, bool wide)
{
    struct expr kept;
    expr_clear(&kept);
    for (int i = 0; i < e->count; i++) {
        if (e->node[i].op == EXPR_CONST)
            e->node[i].value = expr_round(e->node[i].value, wide);
    }
    kept.root = expr_graft(&kept, e, e->root, NULL, make_raw, NULL);
    if (kept.root >= 0)
        expr_copy(e, &kept);
}

static bool equal(const struct expr *a, const struct expr *b)
{
    return a->count == b->count && a->root == b->root &&
           !memcmp(a->node, b->node, (size_t)a->count * sizeof *a->node);
}

/* Rules may make room for other rules. Intermediate results may not fit where the function does: it
 * then stays as it is, which computes the same. */
void expr_simplify(struct expr *e, bool wide)
{
    struct rules r = { wide };
    compact(e, wide);
    for (int pass = 0; pass < 8; pass++) {
        struct expr next;
        expr_clear(&next);
        next.root = expr_graft(&next, e, e->root, NULL, make, &r);
        if (next.root < 0)
            return;
        compact(&next, wide);
        if (equal(&next, e))
            return;
        expr_copy(e, &next);
    }
}

bool expr_substitute(struct expr *e, int v, const struct expr *by, bool wide)
{
    enum { VARS = 16 };
    struct expr made;
    expr_clear(&made);
    int var[VARS], node = expr_graft(&made, by, by->root, NULL, make_raw, NULL);
    for (int i = 0; i < VARS; i++)
        var[i] = i == v ? node : -1;
    for (int i = 0; i < e->count; i++) {
        if (e->node[i].op == EXPR_VAR && e->node[i].var != v)
            var[e->node[i].var] = expr_var(&made, e->node[i].var);
    }
    made.root = node < 0 ? -1 : expr_graft(&made, e, e->root, var, make_raw, NULL);
    if (made.root < 0)
        return false;
    expr_copy(e, &made);
    expr_simplify(e, wide);
    return true;
}

/* ---- one number, whatever the other operands ----------------------------------------------- */

/* What is known of a node. */
struct known {
    bool value_known, finite;
    long double value;
};

static struct known learn(const struct expr_node *n, const struct known *k)
{
    const struct known *a = &k[n->arg[0]], *b = &k[n->arg[1]], *c = &k[n->arg[2]];
    struct known out = { 0 };
    int arity = expr_arity((enum expr_op)n->op);
    bool all = true, finite = true;
    long double given[EXPR_ARGS] = { 0 };
    for (int i = 0; i < arity; i++) {
        all = all && k[n->arg[i]].value_known;
        finite = finite && k[n->arg[i]].finite;
        given[i] = k[n->arg[i]].value;
    }
    bool partial = n->op == EXPR_DIV || n->op == EXPR_SQRT || n->op == EXPR_LOG ||
                   n->op == EXPR_EXP || n->op >= EXPR_LT;
    out.finite = finite && !partial;
    if (n->op == EXPR_WHERE && (a->value_known || (b->value_known && c->value_known)))
        return !a->value_known ? (b->value == c->value ? *b : out) : a->value != 0 ? *b : *c;
    if (all) {
        long double value = expr_apply((enum expr_op)n->op, given);
        return (struct known){ !isnan(value), isfinite(value), value };
    }
    bool zero = (a->value_known && a->value == 0 && b->finite) ||
                (b->value_known && b->value == 0 && a->finite);
    if (n->op == EXPR_MUL && zero)
        return (struct known){ true, true, 0 };
    /* An infinity and a finite number. */
    if (a->value_known && isinf(a->value) && b->finite && !b->value_known) {
        bool kept = n->op == EXPR_ADD || n->op == EXPR_SUB || (n->op == EXPR_MAX && a->value > 0) ||
                    (n->op == EXPR_MIN && a->value < 0);
        return kept ? *a : out;
    }
    if (b->value_known && isinf(b->value) && a->finite && !a->value_known) {
        bool kept = n->op == EXPR_ADD || (n->op == EXPR_MAX && b->value > 0) ||
                    (n->op == EXPR_MIN && b->value < 0);
        return kept ? *b : n->op == EXPR_SUB ? (struct known){ true, false, -b->value } : out;
    }
    return out;
}

bool expr_settles(const struct expr *e, int var, double value, bool wide, double *result)
{
    struct known k[EXPR_NODES];
    for (int i = 0; i <= e->root; i++) {
        const struct expr_node *n = &e->node[i];
        if (n->op == EXPR_CONST)
            k[i] = (struct known){ true, isfinite(n->value), n->value };
        else if (n->op == EXPR_VAR)
            k[i] = n->var == var ? (struct known){ true, isfinite(value), value }
                                 : (struct known){ false, true, 0 };
        else
            k[i] = learn(n, k);
    }
    *result = expr_round(k[e->root].value, wide);
    return k[e->root].value_known;
}
