/* The functions of the language, and what operations they are. */
#include "gen/expr/expr.h"

#include <math.h>
#include <string.h>

enum { POWER_MAX = 16, OPERANDS_MAX = 8 };

/* What is written as a function of its own but is none of the operations. */
static const char *const derived[] = { "relu", "clamp", "pow", "gt", "ge", "ne" };
enum { RELU, CLAMP, POW, GT, GE, NE, DERIVED };
static const int derived_takes[DERIVED] = { 1, 3, 2, 2, 2, 2 };

static int find_derived(const char *name)
{
    int i = 0;
    while (i < DERIVED && strcmp(derived[i], name) != 0)
        i++;
    return i;
}

static enum expr_op find_op(const char *name)
{
    enum expr_op op = EXPR_NEG;
    while (op < EXPR_OPS && strcmp(expr_name(op), name) != 0)
        op++;
    return op;
}

bool expr_is_function(const char *name)
{
    return find_op(name) < EXPR_OPS || find_derived(name) < DERIVED;
}

/* The truth value that operand i of an operation must be, or the real. */
static bool takes_truth(enum expr_op op, int i)
{
    return op == EXPR_NOT || op == EXPR_AND || op == EXPR_OR || (op == EXPR_WHERE && i == 0);
}

static enum convc_status check_operands(const struct expr *e, const char *name, enum expr_op op,
                                        const int *arg, int count, struct diag *d)
{
    for (int i = 0; i < count; i++) {
        bool truth = op < EXPR_OPS && takes_truth(op, i), is = expr_is_truth(e, arg[i]);
        if (truth != is)
            return diag_fail(d, CONVC_ERR_SPEC, "%s takes %s as its operand %d, not %s", name,
                             truth ? "a comparison" : "a number", i + 1,
                             is ? "a comparison" : "a number");
    }
    return CONVC_OK;
}

static int power(struct expr *e, int base, int exponent)
{
    if (exponent == 1)
        return base;
    int half = power(e, base, exponent / 2), square = expr_make(e, EXPR_MUL, half, half, 0);
    return exponent % 2 ? expr_make(e, EXPR_MUL, square, base, 0) : square;
}

static int make_power(struct expr *e, const int *arg, struct diag *d)
{
    const struct expr_node *n = &e->node[arg[1]];
    double exponent = n->value;
    if (n->op != EXPR_CONST || exponent != rint(exponent) || fabs(exponent) > POWER_MAX) {
        diag_fail(d, CONVC_ERR_SPEC, "pow takes a whole constant from -%d to %d as its exponent",
                  POWER_MAX, POWER_MAX);
        return -1;
    }
    if (exponent == 0)
        return expr_const(e, 1);
    int value = power(e, arg[0], (int)fabs(exponent));
    return exponent > 0 ? value : expr_make(e, EXPR_DIV, expr_const(e, 1), value, 0);
}

static int make_derived(struct expr *e, int which, const int *arg, struct diag *d)
{
    switch (which) {
    case RELU: return expr_make(e, EXPR_MAX, arg[0], expr_const(e, 0), 0);
    case CLAMP: return expr_make(e, EXPR_MIN, expr_make(e, EXPR_MAX, arg[0], arg[1], 0), arg[2], 0);
    case GT: return expr_make(e, EXPR_LT, arg[1], arg[0], 0);
    case GE: return expr_make(e, EXPR_LE, arg[1], arg[0], 0);
    case NE: return expr_make(e, EXPR_NOT, expr_make(e, EXPR_EQ, arg[0], arg[1], 0), 0, 0);
    default: return make_power(e, arg, d);
    }
}

/* min and max take two operands or more. */
static int make_op(struct expr *e, enum expr_op op, const int *arg, int count)
{
    bool folds = op == EXPR_MIN || op == EXPR_MAX;
    int made = expr_make(e, op, arg[0], count > 1 ? arg[1] : 0, count > 2 && !folds ? arg[2] : 0);
    for (int i = 2; folds && i < count; i++)
        made = expr_make(e, op, made, arg[i], 0);
    return made;
}

int expr_call(struct expr *e, const char *name, const int *arg, int count, struct diag *d)
{
    enum expr_op op = find_op(name);
    int which = find_derived(name);
    if (op == EXPR_OPS && which == DERIVED) {
        diag_fail(d, CONVC_ERR_SPEC, "%.40s is no function", name);
        return -1;
    }
    bool many = op == EXPR_MIN || op == EXPR_MAX;
    int takes = op < EXPR_OPS ? expr_arity(op) : derived_takes[which];
    if (many ? count < 2 || count > OPERANDS_MAX : count != takes) {
        diag_fail(d, CONVC_ERR_SPEC, "%s takes %d%s operand%s, not %d", name, takes,
                  many ? " to 8" : "", takes > 1 ? "s" : "", count);
        return -1;
    }
    for (int i = 0; i < count; i++) {
        if (arg[i] < 0)
            return -1;
    }
    if (check_operands(e, name, op, arg, count, d) != CONVC_OK)
        return -1;
    int made = op < EXPR_OPS ? make_op(e, op, arg, count) : make_derived(e, which, arg, d);
    if (made < 0)
        diag_fail(d, CONVC_ERR_SPEC, "more than %d different operations and operands", EXPR_NODES);
    return made;
}
