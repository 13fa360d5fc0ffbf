/* expr: a function of the user as a small graph of operations.
 *
 * Nodes are made once: equal operations on equal operands are one node, so that a graph is also a
 * list in which operands stand before their uses. Values are real or truth values.
 *
 * As a text a function is a nest of calls without blanks, "max(abs(sub(x,w)),0.5)": names of
 * variables, numbers ("inf" among them) and
 *
 *     add sub mul div neg abs sqrt exp log tanh sigmoid floor ceil    of reals
 *     min(a,b,...) max(a,b,...)        a < b ? a : b and a > b ? a : b, from the left
 *     relu(a) clamp(a,low,high) pow(a,N)         max(a,0), min(max(a,low),high), N a whole constant
 *     lt le gt ge eq ne                of reals; and or not of their truth values
 *     where(c,a,b)                     c ? a : b
 *
 * Of these, expr_call makes the operations below. What is used again, or lies deep, may be defined
 * in front, "def(A,B,...,R)": @0 stands for A, @1 for B, behind them. The variables of a window are
 * its taps, counted from 0: "sub(x(0,1),w(0,1))", x(i) along one axis and x(d,i,j) along three.
 * Limits: EXPR_NODES nodes and EXPR_TEXT characters. Errors: CONVC_ERR_SPEC. Stands on: base.
 */
#ifndef GEN_EXPR_EXPR_H
#define GEN_EXPR_EXPR_H

#include "gen/base/diag.h"
#include "gen/base/text.h"

#include <stdbool.h>

enum expr_op {
    EXPR_CONST,
    EXPR_VAR,
    EXPR_NEG,
    EXPR_ABS,
    EXPR_SQRT,
    EXPR_EXP,
    EXPR_LOG,
    EXPR_TANH,
    EXPR_SIGMOID,
    EXPR_FLOOR,
    EXPR_CEIL,
    EXPR_ADD,
    EXPR_SUB,
    EXPR_MUL,
    EXPR_DIV,
    EXPR_MIN, /* a < b ? a : b */
    EXPR_MAX, /* a > b ? a : b */
    EXPR_LT,  /* from here on truth values */
    EXPR_LE,
    EXPR_EQ,
    EXPR_NOT,
    EXPR_AND,
    EXPR_OR,
    EXPR_WHERE, /* a truth value, and two reals of which one is the result */
    EXPR_OPS,
};

enum { EXPR_NODES = 1024, EXPR_TEXT = 1 << 15, EXPR_ARGS = 3, EXPR_HEADS = 128 };

struct expr_node {
    uint16_t op;             /* enum expr_op */
    uint16_t arg[EXPR_ARGS]; /* nodes before this one; 0 where there is none */
    union {
        double value; /* EXPR_CONST */
        int64_t var;  /* EXPR_VAR: its number */
    };
};

/* Zero-initialise, or expr_clear. */
struct expr {
    int count, root;
    uint16_t head[EXPR_HEADS], next[EXPR_NODES]; /* nodes of one hash, 1 + node; 0: no more */
    struct expr_node node[EXPR_NODES];
};

void expr_clear(struct expr *e);
void expr_copy(struct expr *to, const struct expr *from);

/* The operands that an operation takes, 0 to 3. */
int expr_arity(enum expr_op op);
const char *expr_name(enum expr_op op);
bool expr_is_truth(const struct expr *e, int node);

/* Each makes a node, or finds the one that there is; -1 where the graph is full, or an operand is
 * -1. Nothing is simplified. */
int expr_const(struct expr *e, double value);
int expr_var(struct expr *e, int64_t var);
int expr_make(struct expr *e, enum expr_op op, int a, int b, int c);

/* The function `name` of the language above, on `count` operands; -1 with a sentence in the diag
 * where there is no such function or it does not take them. */
int expr_call(struct expr *e, const char *name, const int *arg, int count, struct diag *d);
bool expr_is_function(const char *name);

/* Makes, in `to`, what node `from` of another graph is where variable v is node var[v] of `to`.
 * `make` is expr_make, or a function like it that simplifies on the way. */
typedef int (*expr_maker)(void *context, struct expr *to, enum expr_op op, int a, int b, int c);
int expr_graft(struct expr *to, const struct expr *from, int node, const int *var, expr_maker make,
               void *context);

/* Reads a text whose variables are named `var`, NULL behind the last. The root is a real. */
enum convc_status expr_parse(const char *text, const char *const *var, struct expr *e,
                             struct diag *d);
void expr_print(const struct expr *e, const char *const *var, struct text *t);

/* A window of 1 to 3 axes, the last of `extent` (depth, height, width). Its variables are the taps
 * of x, row by row, and behind them those of w. */
struct expr_window {
    int axes;
    int64_t extent[3];
};

int64_t expr_window_taps(const struct expr_window *w);

/* The variable of `which`, 'x' or 'w', at a tap of `count` coordinates; -1 with a sentence in the
 * diag where the window has no such tap. */
int64_t expr_window_var(const struct expr_window *w, char which, const int64_t *at, int count,
                        struct diag *d);

/* The tap of a variable, all three coordinates; 'x' or 'w'. */
char expr_window_tap(const struct expr_window *w, int64_t var, int64_t at[3]);

/* As expr_parse and expr_print, of a function of a window. */
enum convc_status expr_parse_window(const char *text, const struct expr_window *w, struct expr *e,
                                    struct diag *d);
void expr_print_window(const struct expr *e, const struct expr_window *w, struct text *t);

/* Does the root depend on the variable? */
bool expr_reads(const struct expr *e, int64_t var);

/* The nodes that `node` is made of, it included, operands before their uses, from the left; a
 * node's place depends on the function alone. Returns how many. */
int expr_walk(const struct expr *e, int node, uint16_t order[EXPR_NODES]);

#endif
