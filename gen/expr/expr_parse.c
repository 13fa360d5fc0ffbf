#include "gen/expr/expr.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_BYTES = 32, DEPTH_MAX = EXPR_NODES, OPERANDS_MAX = 8 };

struct parser {
    const char *text, *at;
    const char *const *var;
    struct expr *e;
    struct diag *d;
    int depth;
};

static int refuse(struct parser *p, const char *what)
{
    diag_fail(p->d, CONVC_ERR_SPEC, "%s at \"%.20s\" (character %d)", what, p->at,
              (int)(p->at - p->text) + 1);
    return -1;
}

static int read_expression(struct parser *p);

/* The operands of a call, from behind its parenthesis to behind the other. */
static int read_operands(struct parser *p, int arg[OPERANDS_MAX])
{
    int count = 0;
    if (++p->depth > DEPTH_MAX)
        return refuse(p, "calls are nested too deep");
    do {
        if (count == OPERANDS_MAX)
            return refuse(p, "too many operands");
        if ((arg[count++] = read_expression(p)) < 0)
            return -1;
    } while (*p->at == ',' && p->at++);
    if (*p->at != ')')
        return refuse(p, "a closing parenthesis is missing");
    p->at++;
    p->depth--;
    return count;
}

static int read_number(struct parser *p)
{
    char *end;
    double value = strtod(p->at, &end);
    if (end == p->at || isnan(value))
        return refuse(p, "no number");
    p->at = end;
    int made = expr_const(p->e, value);
    return made >= 0 ? made : refuse(p, "too many operations");
}

static int read_named(struct parser *p)
{
    char name[NAME_BYTES];
    int arg[OPERANDS_MAX];
    size_t n = 0;
    while (isalnum((unsigned char)p->at[n]) || p->at[n] == '_')
        n++;
    if (n == 0 || n >= sizeof name)
        return refuse(p, "no name, number or call");
    memcpy(name, p->at, n);
    name[n] = '\0';
    if (p->at[n] == '(') {
        p->at += n + 1;
        int count = read_operands(p, arg);
        return count < 0 ? -1 : expr_call(p->e, name, arg, count, p->d);
    }
    for (int v = 0; p->var[v]; v++) {
        if (strcmp(p->var[v], name) == 0) {
            p->at += n;
            int made = expr_var(p->e, v);
            return made >= 0 ? made : refuse(p, "too many operations");
        }
    }
    return refuse(p, "an unknown name");
}

static int read_expression(struct parser *p)
{
    bool infinite = strncmp(p->at, "inf", 3) == 0 && !isalnum((unsigned char)p->at[3]) &&
                    p->at[3] != '_' && p->at[3] != '(';
    if (isdigit((unsigned char)*p->at) || *p->at == '-' || *p->at == '.' || infinite)
        return read_number(p);
    return read_named(p);
}

enum convc_status expr_parse(const char *text, const char *const *var, struct expr *e,
                             struct diag *d)
{
    struct parser p = { .text = text, .at = text, .var = var, .e = e, .d = d };
    e->count = 0;
    if (strlen(text) > EXPR_TEXT)
        return diag_fail(d, CONVC_ERR_SPEC, "the text has more than %d characters", EXPR_TEXT);
    e->root = read_expression(&p);
    if (e->root >= 0 && *p.at)
        refuse(&p, "an end is expected");
    else if (e->root >= 0 && expr_is_truth(e, e->root))
        diag_fail(d, CONVC_ERR_SPEC, "the result is a comparison, not a number; see where");
    return d->status;
}
