#include "gen/expr/expr.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_BYTES = 32, DEPTH_MAX = 128, OPERANDS_MAX = 8 };

struct parser {
    const char *text, *at;
    const char *const *var;           /* names; or NULL and ... */
    const struct expr_window *window; /* ... whose taps the variables are */
    struct expr *e;
    struct diag *d;
    int depth;
    int defined[EXPR_NODES], definitions;
};

static int refuse(struct parser *p, const char *what)
{
    diag_fail(p->d, CONVC_ERR_SPEC, "%s at \"%.20s\" (character %d)", what, p->at,
              (int)(p->at - p->text) + 1);
    return -1;
}

static int made_or_refuse(struct parser *p, int made)
{
    return made >= 0 ? made : refuse(p, "too many operations");
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
    return made_or_refuse(p, expr_const(p->e, value));
}

/* Coordinates, from behind the parenthesis of "x(" to behind the other. */
static int read_tap(struct parser *p, char which)
{
    int64_t at[3];
    int count = 0;
    do {
        int digits = (int)strspn(p->at, "0123456789");
        if (count == 3 || digits < 1 || digits > 9)
            return refuse(p, "no coordinate of a tap");
        at[count++] = strtol(p->at, NULL, 10);
        p->at += digits;
    } while (*p->at == ',' && p->at++);
    if (*p->at != ')')
        return refuse(p, "a closing parenthesis is missing");
    p->at++;
    int64_t var = expr_window_var(p->window, which, at, count, p->d);
    return var < 0 ? -1 : made_or_refuse(p, expr_var(p->e, var));
}

/* "@12" */
static int read_definition(struct parser *p)
{
    int digits = (int)strspn(p->at + 1, "0123456789");
    int place = digits >= 1 && digits <= 4 ? atoi(p->at + 1) : -1;
    if (place < 0 || place >= p->definitions)
        return refuse(p, "no definition before");
    p->at += 1 + digits;
    return p->defined[place];
}

static int read_variable(struct parser *p, const char *name, size_t bytes)
{
    for (int v = 0; p->var && p->var[v]; v++) {
        if (strcmp(p->var[v], name) == 0) {
            p->at += bytes;
            return made_or_refuse(p, expr_var(p->e, v));
        }
    }
    return refuse(p, "an unknown name");
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
    if (p->at[n] != '(')
        return read_variable(p, name, n);
    p->at += n + 1;
    if (p->window && n == 1 && (*name == 'x' || *name == 'w'))
        return read_tap(p, *name);
    int count = read_operands(p, arg);
    return count < 0 ? -1 : expr_call(p->e, name, arg, count, p->d);
}

static int read_expression(struct parser *p)
{
    bool infinite = strncmp(p->at, "inf", 3) == 0 && !isalnum((unsigned char)p->at[3]) &&
                    p->at[3] != '_' && p->at[3] != '(';
    if (isdigit((unsigned char)*p->at) || *p->at == '-' || *p->at == '.' || infinite)
        return read_number(p);
    return *p->at == '@' ? read_definition(p) : read_named(p);
}

/* What stands in "def(A,B,...,R)", from behind its parenthesis; the last one is the result. */
static int read_definitions(struct parser *p)
{
    int made;
    while ((made = read_expression(p)) >= 0 && *p->at == ',') {
        if (p->definitions == EXPR_NODES)
            return refuse(p, "too many definitions");
        p->defined[p->definitions++] = made;
        p->at++;
    }
    if (made >= 0 && *p->at != ')')
        return refuse(p, "a closing parenthesis is missing");
    p->at++;
    return made;
}

static int read_whole(struct parser *p)
{
    if (strncmp(p->at, "def(", 4) != 0)
        return read_expression(p);
    p->at += 4;
    return read_definitions(p);
}

static enum convc_status parse(struct parser *p)
{
    struct expr *e = p->e;
    p->at = p->text;
    expr_clear(e);
    if (strlen(p->text) > EXPR_TEXT)
        return diag_fail(p->d, CONVC_ERR_SPEC, "the text has more than %d characters", EXPR_TEXT);
    e->root = read_whole(p);
    if (e->root >= 0 && *p->at)
        refuse(p, "an end is expected");
    else if (e->root >= 0 && expr_is_truth(e, e->root))
        diag_fail(p->d, CONVC_ERR_SPEC, "the result is a comparison, not a number; see where");
    return p->d->status;
}

enum convc_status expr_parse(const char *text, const char *const *var, struct expr *e,
                             struct diag *d)
{
    struct parser p;
    p.text = text, p.var = var, p.window = NULL, p.e = e, p.d = d;
    p.depth = p.definitions = 0;
    return parse(&p);
}

enum convc_status expr_parse_window(const char *text, const struct expr_window *w, struct expr *e,
                                    struct diag *d)
{
    struct parser p;
    p.text = text, p.var = NULL, p.window = w, p.e = e, p.d = d;
    p.depth = p.definitions = 0;
    return parse(&p);
}
