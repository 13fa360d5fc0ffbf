#include "gen/plan/stencil.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

int stencil_arity(enum stencil_op op)
{
    static const int arity[] = { 0, 0, 2, 2, 1, 2 };
    return arity[op];
}

/* ---- forms ---------------------------------------------------------------------------------- */

static bool same_term(const struct stencil_term *a, const struct stencil_term *b)
{
    return a->form == b->form && !memcmp(a->at, b->at, sizeof a->at);
}

static bool same_form(const struct stencil_form *a, const struct stencil_form *b)
{
    bool same = a->op == b->op && a->value == b->value;
    for (int i = 0; i < stencil_arity(a->op); i++)
        same = same && same_term(&a->arg[i], &b->arg[i]);
    return same;
}

static int find_form(struct stencil *s, const struct stencil_form *f)
{
    for (int i = 0; i < s->forms; i++)
        if (same_form(&s->form[i], f))
            return i;
    if (s->forms == STENCIL_FORMS) {
        s->full = true;
        return 0;
    }
    s->form[s->forms] = *f;
    return s->forms++;
}

struct stencil_term stencil_src(struct stencil *s, const int64_t at[3])
{
    const struct stencil_form f = { .op = STENCIL_SRC };
    return (struct stencil_term){ find_form(s, &f), { at[0], at[1], at[2] } };
}

struct stencil_term stencil_constant(struct stencil *s, double value)
{
    const struct stencil_form f = { .op = STENCIL_CONST, .value = value };
    return (struct stencil_term){ find_form(s, &f), { 0 } };
}

struct stencil_term stencil_make(struct stencil *s, enum stencil_op op, double value,
                                 struct stencil_term a, struct stencil_term b)
{
    struct stencil_form f = { .op = op, .value = value, .arg = { a, b } };
    struct stencil_term t = { 0 };
    bool two = stencil_arity(op) == 2;
    for (int i = 0; i < 3; i++) {
        int64_t least = two && b.at[i] < a.at[i] ? b.at[i] : a.at[i];
        t.at[i] = least;
        for (int k = 0; k < (two ? 2 : 1); k++) {
            f.arg[k].at[i] -= least;
            int64_t far = f.arg[k].at[i] + s->form[f.arg[k].form].reach[i];
            f.reach[i] = far > f.reach[i] ? far : f.reach[i];
        }
    }
    t.form = find_form(s, &f);
    return t;
}

/* ---- the whole ------------------------------------------------------------------------------ */

const char *stencil_unfit(const struct problem *p)
{
    if (!p->c.period)
        return "needs constant weights";
    if (p->f.terms || p->f.windowed)
        return "needs sums of products";
    if (p->icg != 1 || p->ocg % p->c.period != 0)
        return "needs filters over one channel each, the same for every channel";
    if (p->ocg > STENCIL_FILTERS)
        return "has more than 16 filters over a channel";
    return NULL;
}

/* Operations below a form, each counted once. */
static void count_operations(struct stencil *s)
{
    bool *seen = calloc(STENCIL_FORMS, sizeof *seen);
    s->multiplies = s->operations = 0;
    for (int f = 0; seen && f < s->filters; f++)
        seen[s->root[f].form] = true;
    for (int i = s->forms - 1; seen && i >= 0; i--) {
        const struct stencil_form *form = &s->form[i];
        for (int k = 0; seen[i] && k < stencil_arity(form->op); k++)
            seen[form->arg[k].form] = true;
        s->multiplies += seen[i] && (form->op == STENCIL_SCALE || form->op == STENCIL_FMA);
        s->operations += seen[i] && form->op > STENCIL_CONST;
    }
    free(seen);
}

void stencil_of(const struct problem *p, struct stencil *s)
{
    s->forms = s->taps = 0;
    s->full = false;
    s->filters = (int)p->ocg;
    s->number = stencil_number_of(p);
    for (int f = 0; f < s->filters; f++) {
        double kernel[CONSTANTS_MAX];
        for (int64_t i = 0; i < p->c.values; i++) {
            kernel[i] = constants_at(&p->c, f, i);
            if (s->number.narrow)
                kernel[i] = ldexp(kernel[i], s->number.shift);
            s->taps += kernel[i] != 0;
        }
        s->root[f] = stencil_kernel(s, p, kernel);
    }
    count_operations(s);
}
