#include "gen/expr/expr_eval.h"

#include <float.h>
#include <math.h>

long double expr_apply(enum expr_op op, const long double arg[EXPR_ARGS])
{
    long double a = arg[0], b = arg[1], c = arg[2];
    switch (op) {
    case EXPR_CONST:
    case EXPR_VAR:
    case EXPR_OPS: break;
    case EXPR_NEG: return -a;
    case EXPR_ABS: return fabsl(a);
    case EXPR_SQRT: return sqrtl(a);
    case EXPR_EXP: return expl(a);
    case EXPR_LOG: return logl(a);
    case EXPR_TANH: return tanhl(a);
    case EXPR_SIGMOID: return 1 / (1 + expl(-a));
    case EXPR_FLOOR: return floorl(a);
    case EXPR_CEIL: return ceill(a);
    case EXPR_ADD: return a + b;
    case EXPR_SUB: return a - b;
    case EXPR_MUL: return a * b;
    case EXPR_DIV: return a / b;
    case EXPR_MIN: return a < b ? a : b;
    case EXPR_MAX: return a > b ? a : b;
    case EXPR_LT: return a < b;
    case EXPR_LE: return a <= b;
    case EXPR_EQ: return a == b;
    case EXPR_NOT: return a == 0;
    case EXPR_AND: return a != 0 && b != 0;
    case EXPR_OR: return a != 0 || b != 0;
    case EXPR_WHERE: return a != 0 ? b : c;
    }
    return a;
}

static long double eval(const struct expr *e, const long double *var, bool leaves)
{
    long double value[EXPR_NODES];
    value[0] = 0; /* what an operand that is not there refers to */
    for (int i = 0; i <= e->root; i++) {
        const struct expr_node *n = &e->node[i];
        const long double arg[EXPR_ARGS] = { value[n->arg[0]], value[n->arg[1]], value[n->arg[2]] };
        value[i] = n->op == EXPR_CONST ? n->value
                   : n->op == EXPR_VAR ? var[leaves ? i : n->var]
                                       : expr_apply((enum expr_op)n->op, arg);
    }
    return value[e->root];
}

long double expr_eval(const struct expr *e, const long double *var)
{
    return eval(e, var, false);
}

long double expr_eval_leaves(const struct expr *e, const long double *leaf)
{
    return eval(e, leaf, true);
}

/* ---- errors -------------------------------------------------------------------------------- */

static long double half_ulp(bool wide)
{
    return wide ? 0x1p-53L : 0x1p-24L;
}

static long double largest(bool wide)
{
    return wide ? (long double)DBL_MAX : (long double)FLT_MAX;
}

static bool exact(long double value, bool wide)
{
    return wide ? value == (double)value : value == (float)value;
}

long double expr_rounded_error(long double value, long double error, bool wide)
{
    long double least = wide ? 0x1p-1074L : 0x1p-149L;
    if (isnan(value) || isnan(error) || fabsl(value) + error > largest(wide))
        return isinf(value) && error == 0 ? 0 : INFINITY;
    if (error == 0 && exact(value, wide))
        return 0;
    return error + (fabsl(value) + error) * half_ulp(wide) + least;
}

/* What em_math states, with room to spare, in half ulps. */
static long double ulps(enum expr_op op)
{
    return op == EXPR_TANH || op == EXPR_SIGMOID ? 8 : 5;
}

/* The error that comes from those of the operands. */
static long double inherited(enum expr_op op, const struct expr_bounded *x, long double value)
{
    long double a = fabsl(x[0].value), b = fabsl(x[1].value), ea = x[0].error, eb = x[1].error;
    switch (op) {
    case EXPR_NEG:
    case EXPR_ABS:
    case EXPR_TANH: return ea;
    case EXPR_SIGMOID: return ea / 4;
    case EXPR_SQRT: return ea == 0 ? 0 : a > ea ? ea / (sqrtl(a) + sqrtl(a - ea)) : INFINITY;
    case EXPR_EXP: return ea == 0 ? 0 : value * expm1l(ea);
    case EXPR_LOG: return ea == 0 ? 0 : x[0].value > ea ? log1pl(ea / (a - ea)) : INFINITY;
    case EXPR_FLOOR:
    case EXPR_CEIL: {
        long double low = x[0].value - ea, high = x[0].value + ea;
        return op == EXPR_FLOOR ? floorl(high) - floorl(low) : ceill(high) - ceill(low);
    }
    case EXPR_ADD:
    case EXPR_SUB: return ea + eb;
    case EXPR_MUL: return a * eb + b * ea + ea * eb;
    case EXPR_DIV: return b > eb ? (ea + fabsl(value) * eb) / (b - eb) : INFINITY;
    case EXPR_MIN:
    case EXPR_MAX: return ea > eb ? ea : eb;
    default: return 0;
    }
}

/* A truth value is off by 1 where errors may decide it. */
static long double doubt(const struct expr_node *n, const struct expr_bounded *x)
{
    long double both = x[0].error + x[1].error;
    switch (n->op) {
    case EXPR_LT:
    case EXPR_LE:
    case EXPR_EQ: return both > 0 && !(fabsl(x[0].value - x[1].value) > both);
    case EXPR_AND:
        return both > 0 &&
               !((x[0].error == 0 && x[0].value == 0) || (x[1].error == 0 && x[1].value == 0));
    case EXPR_OR:
        return both > 0 &&
               !((x[0].error == 0 && x[0].value != 0) || (x[1].error == 0 && x[1].value != 0));
    default: return x[0].error;
    }
}

static long double chosen_error(const struct expr_bounded *x)
{
    const struct expr_bounded *taken = x[0].value != 0 ? &x[1] : &x[2];
    const struct expr_bounded *other = x[0].value != 0 ? &x[2] : &x[1];
    if (x[0].error == 0)
        return taken->error;
    long double apart = fabsl(other->value - taken->value) + other->error;
    return apart > taken->error ? apart : taken->error;
}

static struct expr_bounded apply(const struct expr_node *n, const struct expr_bounded *x, bool wide)
{
    long double arg[EXPR_ARGS] = { x[0].value, x[1].value, x[2].value };
    struct expr_bounded out = { .value = expr_apply((enum expr_op)n->op, arg) };
    if (n->op >= EXPR_LT && n->op < EXPR_WHERE) {
        out.error = doubt(n, x);
        return out;
    }
    if (n->op == EXPR_WHERE) {
        out.error = chosen_error(x);
        return out;
    }
    out.error = inherited((enum expr_op)n->op, x, out.value);
    bool rounds = n->op >= EXPR_SQRT && n->op <= EXPR_SIGMOID;
    if (rounds && n->op != EXPR_SQRT) {
        out.error += ulps((enum expr_op)n->op) * half_ulp(wide) * (fabsl(out.value) + out.error);
        out.error += n->op == EXPR_TANH ? 4 * half_ulp(wide) * (fabsl(out.value)) : 0;
    }
    if (n->op != EXPR_NEG && n->op != EXPR_ABS && n->op != EXPR_MIN && n->op != EXPR_MAX)
        out.error = expr_rounded_error(out.value, out.error, wide);
    return out;
}

static struct expr_bounded error_of(const struct expr *e, const struct expr_bounded *var,
                                    bool leaves, bool wide)
{
    struct expr_bounded known[EXPR_NODES];
    known[0] = (struct expr_bounded){ 0 };
    for (int i = 0; i <= e->root; i++) {
        const struct expr_node *n = &e->node[i];
        if (n->op == EXPR_CONST)
            known[i] = (struct expr_bounded){ n->value, 0 };
        else if (n->op == EXPR_VAR)
            known[i] = var[leaves ? i : n->var];
        else
            known[i] = apply(n,
                             (const struct expr_bounded[]){ known[n->arg[0]], known[n->arg[1]],
                                                            known[n->arg[2]] },
                             wide);
    }
    return known[e->root];
}

struct expr_bounded expr_error(const struct expr *e, const struct expr_bounded *var, bool wide)
{
    return error_of(e, var, false, wide);
}

struct expr_bounded expr_error_leaves(const struct expr *e, const struct expr_bounded *leaf,
                                      bool wide)
{
    return error_of(e, leaf, true, wide);
}
