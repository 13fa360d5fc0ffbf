#include "gen/problem/functions.h"

#include "gen/base/hash.h"
#include "gen/expr/expr_simplify.h"

#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdatomic.h>
#include <string.h>

static const char *const reduction_names[] = { "sum", "max", "min", "prod" };
enum { NAMED = 4 };
static const enum expr_op reduction_ops[NAMED] = { EXPR_ADD, EXPR_MAX, EXPR_MIN, EXPR_MUL };
static const char *const kind_names[] = { "channel", "tensor", "scalar" };
enum { KINDS = 3 };

static const char *const combine_vars[] = { "x", "w", NULL };
static const char *const fold_vars[] = { "acc", "t", NULL };

const char *arg_kind_name(enum arg_kind kind)
{
    return kind_names[kind];
}

double functions_identity(enum reduction r)
{
    static const double identity[] = { 0, -INFINITY, INFINITY, 1 };
    return identity[r];
}

bool functions_never_multiply(const struct functions *f)
{
    bool never = f->terms && f->reduce != REDUCE_PROD && f->reduce != REDUCE_FOLD;
    for (int i = 0; never && i <= f->combine.root; i++) {
        int op = f->combine.node[i].op;
        never = op == EXPR_CONST || op == EXPR_VAR || op == EXPR_ADD || op == EXPR_SUB ||
                op == EXPR_ABS || op == EXPR_NEG || op == EXPR_MIN || op == EXPR_MAX;
    }
    return never;
}

static bool given(const char *text)
{
    return text && *text;
}

/* ---- texts --------------------------------------------------------------------------------- */

static enum convc_status check_size(const char *field, const struct expr *e, struct diag *d)
{
    if (e->count > FUNCTIONS_NODES)
        return diag_fail(d, CONVC_ERR_SPEC, "%s: more than %d different operations and operands",
                         field, FUNCTIONS_NODES);
    return CONVC_OK;
}

static enum convc_status parse(const char *field, const char *text, const char *const *var,
                               bool wide, struct expr *e, struct diag *d)
{
    struct diag own = { 0 };
    if (expr_parse(text, var, e, &own) != CONVC_OK)
        return diag_fail(d, own.status, "%s: %s", field, own.text);
    expr_simplify(e, wide);
    return check_size(field, e, d);
}

static enum convc_status set_product(struct expr *e)
{
    expr_clear(e);
    e->root = expr_make(e, EXPR_MUL, expr_var(e, VAR_X), expr_var(e, VAR_W), 0);
    return CONVC_OK;
}

static bool is_product(const struct expr *e)
{
    const struct expr_node *n = &e->node[e->root];
    return n->op == EXPR_MUL && e->node[n->arg[0]].op == EXPR_VAR &&
           e->node[n->arg[1]].op == EXPR_VAR && e->node[n->arg[0]].var == VAR_X &&
           e->node[n->arg[1]].var == VAR_W;
}

/* ---- args ---------------------------------------------------------------------------------- */

static enum convc_status add_arg(struct functions *f, const char *name, size_t n, const char *kind,
                                 size_t kind_bytes, struct diag *d)
{
    int k = 0;
    while (k < KINDS &&
           (strlen(kind_names[k]) != kind_bytes || strncmp(kind_names[k], kind, kind_bytes) != 0))
        k++;
    if (k == KINDS)
        return diag_fail(d, CONVC_ERR_SPEC, "args: %.*s=%.*s is none of channel, tensor, scalar",
                         (int)(n < 32 ? n : 32), name, (int)(kind_bytes < 32 ? kind_bytes : 32),
                         kind);
    if (f->arg_count == FUNCTIONS_ARGS)
        return diag_fail(d, CONVC_ERR_SPEC, "args: there are more than %d", FUNCTIONS_ARGS);
    memcpy(f->arg[f->arg_count].name, name, n);
    f->arg[f->arg_count].name[n] = '\0';
    f->arg[f->arg_count].kind = (enum arg_kind)k;
    for (int i = 0; i < f->arg_count; i++) {
        if (strcmp(f->arg[i].name, f->arg[f->arg_count].name) == 0)
            return diag_fail(d, CONVC_ERR_SPEC, "args: %s is there twice", f->arg[i].name);
    }
    f->arg_count++;
    return CONVC_OK;
}

/* "scale:channel,shift:tensor" */
static enum convc_status parse_args(const char *text, struct functions *f, struct diag *d)
{
    for (const char *at = text; at && d->status == CONVC_OK;) {
        size_t n = 0;
        while (isalnum((unsigned char)at[n]) || at[n] == '_')
            n++;
        if (n == 0 || n >= ARG_NAME || isdigit((unsigned char)at[0]) || at[n] != ':' ||
            (n == 3 && (!strncmp(at, "acc", 3) || !strncmp(at, "inf", 3))))
            return diag_fail(d, CONVC_ERR_SPEC,
                             "args: \"%.40s\" does not begin with NAME:KIND, a name of 1 to %d "
                             "letters, digits and _ other than acc and inf",
                             at, ARG_NAME - 1);
        const char *kind = at + n + 1;
        size_t bytes = strcspn(kind, ",");
        add_arg(f, at, n, kind, bytes, d);
        at = kind[bytes] ? kind + bytes + 1 : NULL;
    }
    return d->status;
}

static void epilogue_vars(const struct functions *f, const char *var[FUNCTIONS_ARGS + 2])
{
    var[VAR_ACC] = fold_vars[VAR_ACC];
    for (int i = 0; i < f->arg_count; i++)
        var[1 + i] = f->arg[i].name;
    var[1 + f->arg_count] = NULL;
}

static enum convc_status resolve_epilogue(const struct convc_problem *p, bool wide,
                                          struct functions *f, struct diag *d)
{
    const char *var[FUNCTIONS_ARGS + 2];
    f->epilogue = given(p->epilogue);
    if (!f->epilogue)
        return given(p->args)
                   ? diag_fail(d, CONVC_ERR_ARGUMENT, "args are for an epilogue, and there is none")
                   : CONVC_OK;
    if (p->bias || p->residual || p->activation != CONVC_ACT_NONE)
        return diag_fail(d, CONVC_ERR_ARGUMENT,
                         "epilogue takes the place of bias, residual and activation: %s cannot be "
                         "given too",
                         p->bias       ? "bias"
                         : p->residual ? "residual"
                                       : "activation");
    if (given(p->args) && parse_args(p->args, f, d) != CONVC_OK)
        return d->status;
    epilogue_vars(f, var);
    return parse("epilogue", p->epilogue, var, wide, &f->last, d);
}

/* ---- combine and reduce -------------------------------------------------------------------- */

/* Takes op(acc, g(t)) apart: g is written to *term, and does not read acc. */
static bool take_apart(const struct expr *fold, enum reduction *r, struct expr *term)
{
    const struct expr_node *n = &fold->node[fold->root];
    bool less = n->op == EXPR_SUB;
    int which = 0;
    while (which < NAMED && reduction_ops[which] != n->op)
        which++;
    if (which == NAMED && !less)
        return false;
    for (int i = 0; i < (less ? 1 : 2); i++) {
        const struct expr_node *side = &fold->node[n->arg[i]];
        struct expr other = *fold;
        other.root = n->arg[1 - i];
        if (side->op != EXPR_VAR || side->var != VAR_ACC || expr_reads(&other, VAR_ACC))
            continue;
        *r = less ? REDUCE_SUM : (enum reduction)which;
        *term = other;
        if (less)
            term->root = expr_make(term, EXPR_NEG, term->root, 0, 0);
        return term->root >= 0;
    }
    return false;
}

/* A reduction that a name can state has it. */
static void name_reduction(struct functions *f, bool wide)
{
    enum reduction r;
    struct expr term;
    if (take_apart(&f->fold, &r, &term) && expr_substitute(&term, VAR_T, &f->combine, wide)) {
        f->reduce = r;
        f->combine = term;
    }
}

static enum convc_status resolve_reduce(const struct convc_problem *p, bool wide,
                                        struct functions *f, struct diag *d)
{
    f->reduce = REDUCE_SUM;
    for (int i = 0; given(p->reduce) && i < NAMED; i++) {
        if (strcmp(p->reduce, reduction_names[i]) == 0)
            f->reduce = (enum reduction)i;
    }
    bool named = !given(p->reduce) || strcmp(p->reduce, reduction_names[f->reduce]) == 0;
    if (named && p->reduce_init != 0)
        return diag_fail(d, CONVC_ERR_ARGUMENT,
                         "reduce: init=%g is for a function of acc and t; %s has its own",
                         p->reduce_init, reduction_names[f->reduce]);
    f->init = functions_identity(f->reduce);
    if (named)
        return CONVC_OK;
    if (isnan(p->reduce_init))
        return diag_fail(d, CONVC_ERR_ARGUMENT, "reduce: init=%g is no number", p->reduce_init);
    f->reduce = REDUCE_FOLD;
    f->init = expr_round(p->reduce_init, wide) + 0.0; /* -0 becomes 0 */
    struct diag own = { 0 };
    if (expr_parse(p->reduce, fold_vars, &f->fold, &own) != CONVC_OK)
        return diag_fail(d, own.status, "reduce: none of sum, max, min, prod: %s", own.text);
    expr_simplify(&f->fold, wide);
    if (check_size("reduce", &f->fold, d) == CONVC_OK)
        name_reduction(f, wide);
    return d->status;
}

/* ---- window -------------------------------------------------------------------------------- */

static enum convc_status check_window(const struct convc_problem *p, struct diag *d)
{
    double taps = (double)p->kernel[0] * (double)p->kernel[1] * (double)p->kernel[2];
    if (given(p->combine) || given(p->reduce) || p->reduce_init != 0)
        return diag_fail(d, CONVC_ERR_ARGUMENT,
                         "window takes the place of combine and reduce: %s cannot be given too",
                         given(p->combine) ? "combine" : "reduce");
    if (p->groups != p->ic || p->oc != p->ic)
        return diag_fail(d, CONVC_ERR_SHAPE,
                         "%s=%" PRId64 " must be in_channels=%" PRId64
                         ", a window being one channel's",
                         p->groups != p->ic ? "groups" : "out_channels",
                         p->groups != p->ic ? p->groups : p->oc, p->ic);
    if (p->padding_mode == CONVC_PAD_IDENTITY)
        return diag_fail(d, CONVC_ERR_ARGUMENT,
                         "padding_mode=identity leaves out taps, and a window has them all");
    if (taps > WINDOW_TAPS)
        return diag_fail(d, CONVC_ERR_SHAPE,
                         "kernel_size makes a window of %.0f taps, more than %d", taps,
                         WINDOW_TAPS);
    return CONVC_OK;
}

static enum convc_status resolve_window(const struct convc_problem *p, bool wide,
                                        struct functions *f, struct diag *d)
{
    struct diag own = { 0 };
    bool reads_x = false;
    if (check_window(p, d) != CONVC_OK)
        return d->status;
    f->windowed = true;
    f->weighted = false;
    f->taps = (struct expr_window){ p->spatial, { p->kernel[0], p->kernel[1], p->kernel[2] } };
    if (expr_parse_window(p->window, &f->taps, &f->window, &own) != CONVC_OK)
        return diag_fail(d, own.status, "window: %s", own.text);
    expr_simplify(&f->window, wide);
    for (int i = 0; i < f->window.count; i++) {
        const struct expr_node *n = &f->window.node[i];
        bool x = n->op == EXPR_VAR && n->var < expr_window_taps(&f->taps);
        reads_x = reads_x || x;
        f->weighted = f->weighted || (n->op == EXPR_VAR && !x);
    }
    return reads_x ? CONVC_OK
                   : diag_fail(d, CONVC_ERR_SPEC, "window: the function reads no tap of x");
}

static enum convc_status resolve_terms(const struct convc_problem *p, bool wide,
                                       struct functions *f, struct diag *d)
{
    enum convc_status st = given(p->combine)
                               ? parse("combine", p->combine, combine_vars, wide, &f->combine, d)
                               : set_product(&f->combine);
    if (st == CONVC_OK)
        st = resolve_reduce(p, wide, f, d);
    f->terms = !(f->reduce == REDUCE_SUM && f->init == 0 && is_product(&f->combine));
    return st;
}

enum convc_status functions_resolve(const struct convc_problem *p, struct functions *f,
                                    struct diag *d)
{
    bool wide = p->acc_dtype == CONVC_F64;
    enum convc_status st = CONVC_OK;
    f->terms = f->epilogue = f->windowed = false;
    f->neutral = f->weighted = true;
    f->arg_count = 0;
    if (given(p->window))
        st = resolve_window(p, wide, f, d);
    else if (given(p->combine) || given(p->reduce) || p->reduce_init != 0)
        st = resolve_terms(p, wide, f, d);
    if (st == CONVC_OK && (given(p->epilogue) || given(p->args)))
        st = resolve_epilogue(p, wide, f, d);
    return st;
}

void functions_bind(struct functions *f, const double *w, bool wide)
{
    int64_t taps = expr_window_taps(&f->taps);
    for (int i = 0; i < f->window.count; i++) {
        struct expr_node *n = &f->window.node[i];
        if (n->op != EXPR_VAR || n->var < taps)
            continue;
        n->op = EXPR_CONST;
        n->value = w[n->var - taps];
    }
    expr_simplify(&f->window, wide); /* makes every node anew */
    f->weighted = false;
}

bool functions_any(const struct functions *f)
{
    return f->terms || f->windowed || f->epilogue;
}

bool functions_absorb(const struct functions *f, double value, bool wide)
{
    double term;
    if (f->windowed)
        return false;
    if (!f->terms)
        return value == 0;
    if (!expr_settles(&f->combine, VAR_X, value, wide, &term))
        return false;
    if (f->reduce != REDUCE_FOLD)
        return term == functions_identity(f->reduce);
    struct expr constant, after = f->fold;
    expr_clear(&constant);
    constant.root = expr_const(&constant, term);
    if (!expr_substitute(&after, VAR_T, &constant, wide))
        return false;
    const struct expr_node *n = &after.node[after.root];
    return n->op == EXPR_VAR && n->var == VAR_ACC;
}

/* ---- identity ------------------------------------------------------------------------------ */

static void print_reduce(const struct functions *f, struct text *t)
{
    bool named = f->reduce != REDUCE_FOLD;
    if (named && f->init == functions_identity(f->reduce)) {
        if (f->reduce != REDUCE_SUM)
            text_add(t, ";reduce=%s", reduction_names[f->reduce]);
        return;
    }
    text_add(t, ";reduce=");
    if (named)
        text_add(t, "%s(acc,t)", expr_name(reduction_ops[f->reduce]));
    else
        expr_print(&f->fold, fold_vars, t);
    if (f->init != 0) {
        text_add(t, ";init=");
        text_add_real(t, f->init);
    }
}

/* `axes` are the coordinates of a tap. */
static void print(const struct functions *f, int axes, struct text *t)
{
    if (f->windowed) {
        struct expr_window taps = f->taps;
        taps.axes = axes;
        text_add(t, ";window=");
        expr_print_window(&f->window, &taps, t);
    }
    if (f->terms) {
        text_add(t, ";combine=");
        expr_print(&f->combine, combine_vars, t);
        print_reduce(f, t);
    }
    if (!f->epilogue)
        return;
    const char *var[FUNCTIONS_ARGS + 2];
    epilogue_vars(f, var);
    text_add(t, ";epilogue=");
    expr_print(&f->last, var, t);
    for (int i = 0; i < f->arg_count; i++)
        text_add(t, "%s%s:%s", i ? "," : ";args=", f->arg[i].name, kind_names[f->arg[i].kind]);
}

void functions_print(const struct functions *f, struct text *t)
{
    print(f, f->taps.axes, t);
}

/* The extents of a problem do not tell how many axes it has, and so do not the taps here. */
void functions_hash(const struct functions *f, uint64_t hash[2])
{
    struct text t = { 0 };
    hash[0] = hash[1] = 0;
    if (!functions_any(f))
        return;
    print(f, 3, &t);
    for (int i = 0; t.data && i < 2; i++)
        hash[i] = hash64(t.data, t.size, i ? 0xc3a5c85c97cb3127 : 0x9ae16a3b2f90404f);
    if (t.failed) {
        static atomic_uint_fast64_t out_of_memory;
        hash[0] = UINT64_MAX;
        hash[1] = atomic_fetch_add(&out_of_memory, 1);
    }
    text_free(&t);
}
