/* Functions as texts. Nests of calls, unless that is long: sharing makes a median's endless. */
#include "gen/expr/expr.h"

#include <inttypes.h>

/* The longest nest, in nodes where shared ones count each time, and the deepest. */
enum { NEST_NODES = 64, NEST_DEPTH = 64 };

struct printer {
    const struct expr *e;
    const char *const *var;
    const struct expr_window *window;
    struct text *t;
    int place[EXPR_NODES]; /* of a node's definition, from 0; -1: it is written where it is used */
};

static void print_tap(const struct printer *p, int64_t var)
{
    int64_t at[3];
    int first = 3 - p->window->axes;
    char which = expr_window_tap(p->window, var, at);
    text_add(p->t, "%c(%" PRId64, which, at[first]);
    for (int a = first + 1; a < 3; a++)
        text_add(p->t, ",%" PRId64, at[a]);
    text_add(p->t, ")");
}

static void print_nest(const struct printer *p, int node, bool define)
{
    const struct expr_node *n = &p->e->node[node];
    if (p->place[node] >= 0 && !define) {
        text_add(p->t, "@%d", p->place[node]);
    } else if (n->op == EXPR_CONST) {
        text_add_real(p->t, n->value);
    } else if (n->op == EXPR_VAR) {
        if (p->var)
            text_add(p->t, "%s", p->var[n->var]);
        else
            print_tap(p, n->var);
    } else {
        text_add(p->t, "%s", expr_name((enum expr_op)n->op));
        for (int a = 0; a < expr_arity((enum expr_op)n->op); a++) {
            text_add(p->t, a ? "," : "(");
            print_nest(p, n->arg[a], false);
        }
        text_add(p->t, ")");
    }
}

/* Chooses what is defined; `order` is how the root is made. Returns how many. */
static int define(struct printer *p, const uint16_t *order, int count)
{
    const struct expr *e = p->e;
    int nest[EXPR_NODES], depth[EXPR_NODES], uses[EXPR_NODES], defined = 0;
    for (int i = 0; i < count; i++) {
        int node = order[i], op = e->node[node].op;
        nest[node] = 1;
        depth[node] = uses[node] = 0;
        for (int a = 0; a < expr_arity((enum expr_op)op); a++) {
            int arg = e->node[node].arg[a];
            nest[node] += nest[arg] > NEST_NODES ? NEST_NODES : nest[arg];
            uses[arg]++;
        }
    }
    bool shares = nest[e->root] > NEST_NODES;
    for (int i = 0; i < count; i++) {
        int node = order[i], arity = expr_arity((enum expr_op)e->node[node].op);
        for (int a = 0; a < arity; a++) {
            int below = depth[e->node[node].arg[a]] + 1;
            depth[node] = below > depth[node] ? below : depth[node];
        }
        bool wanted =
            node != e->root && arity && ((shares && uses[node] > 1) || depth[node] >= NEST_DEPTH);
        p->place[node] = wanted ? defined++ : -1;
        depth[node] = wanted ? 0 : depth[node];
    }
    return defined;
}

static void print(struct printer *p)
{
    uint16_t order[EXPR_NODES];
    int count = expr_walk(p->e, p->e->root, order), defined = define(p, order, count);
    if (defined)
        text_add(p->t, "def(");
    for (int i = 0; i < count; i++) {
        if (p->place[order[i]] < 0)
            continue;
        print_nest(p, order[i], true);
        text_add(p->t, ",");
    }
    print_nest(p, p->e->root, false);
    if (defined)
        text_add(p->t, ")");
}

void expr_print(const struct expr *e, const char *const *var, struct text *t)
{
    struct printer p = { .e = e, .var = var, .t = t };
    print(&p);
}

void expr_print_window(const struct expr *e, const struct expr_window *w, struct text *t)
{
    struct printer p = { .e = e, .window = w, .t = t };
    print(&p);
}
