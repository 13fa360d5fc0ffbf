/* Functions for random problems: every operation, in places where it is mostly defined, so that
 * results can be compared. */
#include "runtime/cli/random.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* A text that grows until it is full; what does not fit is cut, and then refused by whoever reads
 * it. */
struct line {
    char *text;
    size_t size, used;
};

static void add(struct line *l, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void add(struct line *l, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = vsnprintf(l->text + l->used, l->size - l->used, format, args);
    va_end(args);
    l->used += n > 0 ? (size_t)n : 0;
    l->used = l->used < l->size ? l->used : l->size - 1;
}

static int64_t below(struct random *r, int64_t n)
{
    return random_below(r, n);
}

static void draw_real(struct random *r, struct line *l, const char *const *var, int depth);

static void draw_leaf(struct random *r, struct line *l, const char *const *var)
{
    static const char *const numbers[] = { "0", "1", "-1", "2", "0.5", "-0.25", "3", "0.1" };
    int count = 0;
    while (var[count])
        count++;
    if (below(r, 4))
        add(l, "%s", var[below(r, count)]);
    else
        add(l, "%s", numbers[below(r, 8)]);
}

static void draw_truth(struct random *r, struct line *l, const char *const *var, int depth)
{
    static const char *const comparisons[] = { "lt", "le", "gt", "ge", "eq", "ne" };
    static const char *const both[] = { "and", "or" };
    if (depth > 1 && below(r, 4) == 0) {
        add(l, "%s(", both[below(r, 2)]);
        draw_truth(r, l, var, depth - 1);
        add(l, ",not(");
        draw_truth(r, l, var, depth - 1);
        add(l, "))");
        return;
    }
    add(l, "%s(", comparisons[below(r, 6)]);
    draw_real(r, l, var, depth - 1);
    add(l, ",");
    draw_leaf(r, l, var);
    add(l, ")");
}

/* f(a), f(a,b) and their like: %1 and %2 are the operands. */
static const char *const forms[] = {
    "add(%1,%2)",     "sub(%1,%2)",
    "mul(%1,%2)",     "max(%1,%2)",
    "min(%1,%2)",     "abs(%1)",
    "neg(%1)",        "relu(%1)",
    "floor(%1)",      "ceil(%1)",
    "sub(%1,%2)",     "clamp(%1,-1,2)",
    "pow(%1,2)",      "pow(%1,3)",
    "tanh(%1)",       "sigmoid(%1)",
    "exp(min(%1,3))", "log(add(abs(%1),1))",
    "sqrt(abs(%1))",  "div(%1,add(abs(%2),0.5))",
    "div(%1,4)",      "max(%1,%2,1)",
    "min(%1,0.5,%2)",
};
enum { FORMS = sizeof forms / sizeof *forms };

static void draw_real(struct random *r, struct line *l, const char *const *var, int depth)
{
    if (depth <= 0 || below(r, 8) == 0) {
        draw_leaf(r, l, var);
        return;
    }
    if (below(r, 9) == 0) {
        add(l, "where(");
        draw_truth(r, l, var, depth - 1);
        add(l, ",");
        draw_real(r, l, var, depth - 1);
        add(l, ",");
        draw_real(r, l, var, depth - 1);
        add(l, ")");
        return;
    }
    for (const char *f = forms[below(r, FORMS)]; *f; f++) {
        if (*f == '%')
            draw_real(r, l, var, depth - 1 - (*++f == '2'));
        else
            add(l, "%c", *f);
    }
}

static void draw_function(struct random *r, char *text, size_t size, const char *const *var,
                          int depth)
{
    struct line l = { text, size, 0 };
    text[0] = '\0';
    draw_real(r, &l, var, depth);
}

/* Of few operations; rarely of so many that code calls the function. */
static int depth(struct random *r)
{
    return below(r, 16) ? 3 : 7;
}

/* Half of them what people write. */
static void draw_terms(struct random *r, struct convc_problem *p, struct random_texts *t)
{
    static const char *const var[] = { "x", "w", NULL }, *const fold_var[] = { "acc", "t", NULL };
    static const char *const terms[] = { "add(x,w)",        "sub(x,w)", "abs(sub(x,w))",
                                         "pow(sub(x,w),2)", "mul(x,w)", "mul(w,abs(x))",
                                         "min(x,w)",        "max(x,w)" };
    static const char *const named[] = { "sum", "max", "min", "prod", "max", "min", "sum" };
    static const char *const folds[] = { "add(acc,abs(t))",      "max(acc,mul(t,t))",
                                         "sub(acc,t)",           "add(mul(acc,0.5),t)",
                                         "where(lt(t,0),acc,t)", "mul(acc,add(1,mul(t,0.125)))",
                                         "min(acc,add(t,1))" };
    if (below(r, 2))
        snprintf(t->combine, sizeof t->combine, "%s", terms[below(r, 8)]);
    else
        draw_function(r, t->combine, sizeof t->combine, var, depth(r));
    switch (below(r, 4)) {
    case 0:
        snprintf(t->reduce, sizeof t->reduce, "%s", folds[below(r, 7)]);
        p->reduce_init = (double)random_within(r, -1, 2);
        break;
    case 1:
        if (below(r, 4) == 0) {
            draw_function(r, t->reduce, sizeof t->reduce, fold_var, 2);
            p->reduce_init = (double)random_within(r, -1, 2);
            break;
        } /* fall through */
    default: snprintf(t->reduce, sizeof t->reduce, "%s", named[below(r, 7)]);
    }
    p->combine = t->combine;
    p->reduce = t->reduce;
}

static void draw_epilogue(struct random *r, struct convc_problem *p, struct random_texts *t)
{
    static const char *const kinds[] = { "channel", "tensor", "scalar" };
    static const char *const names[] = { "scale", "shift", "gain" };
    const char *var[5] = { "acc" };
    struct line l = { t->args, sizeof t->args, 0 };
    int64_t count = below(r, 4);
    t->args[0] = '\0';
    for (int64_t i = 0; i < count; i++) {
        var[1 + i] = names[i];
        add(&l, "%s%s:%s", i ? "," : "", names[i], kinds[below(r, 3)]);
    }
    draw_function(r, t->epilogue, sizeof t->epilogue, var, depth(r));
    if (count == 2 && below(r, 2))
        snprintf(t->epilogue, sizeof t->epilogue, "relu(add(mul(acc,scale),shift))");
    p->epilogue = t->epilogue;
    p->args = t->args;
}

/* ---- windows -------------------------------------------------------------------------------- */

/* "x(0,1)" */
static void add_tap(struct line *l, char which, const struct convc_problem *p, const int64_t at[3])
{
    int first = 3 - p->spatial;
    add(l, "%c(%d", which, (int)at[first]);
    for (int a = first + 1; a < 3; a++)
        add(l, ",%d", (int)at[a]);
    add(l, ")");
}

/* Any function of a few taps, rarely of weights too. */
static void draw_few(struct random *r, const struct convc_problem *p, struct random_texts *t)
{
    enum { FEW = 6, NAME = 24 };
    char name[FEW][NAME];
    const char *var[FEW + 1] = { NULL };
    int64_t count = random_within(r, 1, FEW);
    bool weighted = below(r, 6) == 0;
    for (int64_t i = 0; i < count; i++) {
        struct line l = { name[i], NAME, 0 };
        int64_t at[3];
        for (int a = 0; a < 3; a++)
            at[a] = below(r, p->kernel[a]);
        add_tap(&l, weighted && i ? 'w' : 'x', p, at);
        var[i] = name[i];
    }
    draw_function(r, t->window, sizeof t->window, var, 4);
}

/* f(columns, f(columns, ...)), of columns that are g(taps, g(taps, ...)), which kernels share. */
static void draw_columns(struct random *r, const struct convc_problem *p, struct random_texts *t)
{
    static const char *const ops[] = { "min", "max", "add", "sub" };
    struct line l = { t->window, sizeof t->window, 0 };
    const char *across = ops[below(r, 4)], *along = ops[below(r, 4)];
    int64_t rows = p->kernel[0] * p->kernel[1], cols = p->kernel[2];
    t->window[0] = '\0';
    for (int64_t c = 0; c < cols; c++) {
        if (c + 1 < cols)
            add(&l, "%s(", across);
        for (int64_t i = 0; i < rows; i++) {
            const int64_t at[3] = { i / p->kernel[1], i % p->kernel[1], c };
            if (i + 1 < rows)
                add(&l, "%s(", along);
            add_tap(&l, 'x', p, at);
            if (i + 1 < rows)
                add(&l, ",");
        }
        for (int64_t i = 1; i < rows; i++)
            add(&l, ")");
        if (c + 1 < cols)
            add(&l, ",");
    }
    for (int64_t c = 1; c < cols; c++)
        add(&l, ")");
}

static void draw_window(struct random *r, struct convc_problem *p, struct random_texts *t)
{
    if (below(r, 2))
        draw_columns(r, p, t);
    else
        draw_few(r, p, t);
    p->window = t->window;
}

void random_functions(uint64_t seed, struct convc_problem *p, struct random_texts *texts)
{
    struct random r = { random_at(seed, 1) };
    struct convc_problem plain = *p;
    do {
        *p = plain;
        int64_t kind = below(&r, 4);
        bool alone = p->groups == p->ic && p->oc == p->ic;
        if (alone && below(&r, 4) > 0)
            draw_window(&r, p, texts);
        else if (kind > 0)
            draw_terms(&r, p, texts);
        if (kind < 2) {
            p->bias = p->residual = 0;
            p->activation = CONVC_ACT_NONE;
            draw_epilogue(&r, p, texts);
        }
    } while (convc_problem_check(p));
}
