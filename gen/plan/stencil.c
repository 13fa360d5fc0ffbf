#include "gen/plan/stencil.h"

#include "gen/base/hash.h"

#include <math.h>
#include <string.h>

int stencil_arity(int op)
{
    static const int arity[] = { 0, 0, 2, 2, 1, 2 };
    return op < STENCIL_EXPR ? arity[op] : expr_arity((enum expr_op)(op - STENCIL_EXPR));
}

/* ---- forms ---------------------------------------------------------------------------------- */

static bool same_term(const struct stencil_term *a, const struct stencil_term *b)
{
    return a->form == b->form && !memcmp(a->at, b->at, sizeof a->at);
}

static bool same_form(const struct stencil_form *a, const struct stencil_form *b)
{
    bool same = a->op == b->op && !memcmp(&a->value, &b->value, sizeof a->value);
    for (int i = 0; i < stencil_arity(a->op); i++)
        same = same && same_term(&a->arg[i], &b->arg[i]);
    return same;
}

static int hash_of(const struct stencil_form *f)
{
    uint64_t h = hash64(&f->value, sizeof f->value, (uint64_t)f->op);
    for (int i = 0; i < stencil_arity(f->op); i++)
        h = hash64(f->arg[i].at, sizeof f->arg[i].at, h + (uint64_t)f->arg[i].form);
    return (int)(h % STENCIL_HEADS);
}

static int find_form(struct stencil *s, const struct stencil_form *f)
{
    int *head = &s->head[hash_of(f)];
    for (int i = *head; i; i = s->form[i - 1].next)
        if (same_form(&s->form[i - 1], f))
            return i - 1;
    if (s->forms == STENCIL_FORMS) {
        s->full = true;
        return 0;
    }
    s->form[s->forms] = *f;
    s->form[s->forms].next = *head;
    *head = ++s->forms;
    return s->forms - 1;
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

/* Constants lie nowhere. */
static bool has_place(const struct stencil *s, const struct stencil_term *t)
{
    return s->form[t->form].op != STENCIL_CONST;
}

struct stencil_term stencil_make_of(struct stencil *s, int op, double value,
                                    const struct stencil_term arg[EXPR_ARGS])
{
    struct stencil_form f = { .op = op, .value = value };
    struct stencil_term t = { 0 };
    for (int i = 0; i < 3; i++) {
        bool first = true;
        for (int k = 0; k < stencil_arity(op); k++) {
            if (!has_place(s, &arg[k]))
                continue;
            t.at[i] = first || arg[k].at[i] < t.at[i] ? arg[k].at[i] : t.at[i];
            first = false;
        }
    }
    for (int k = 0; k < stencil_arity(op); k++) {
        f.arg[k].form = arg[k].form;
        for (int i = 0; i < 3 && has_place(s, &arg[k]); i++) {
            f.arg[k].at[i] = arg[k].at[i] - t.at[i];
            int64_t far = f.arg[k].at[i] + s->form[arg[k].form].reach[i];
            f.reach[i] = far > f.reach[i] ? far : f.reach[i];
        }
    }
    t.form = find_form(s, &f);
    return t;
}

struct stencil_term stencil_make(struct stencil *s, int op, double value, struct stencil_term a,
                                 struct stencil_term b)
{
    return stencil_make_of(s, op, value, (const struct stencil_term[EXPR_ARGS]){ a, b });
}

/* ---- the whole ------------------------------------------------------------------------------ */

const char *stencil_unfit(const struct problem *p)
{
    const struct convc_problem *c = &p->p;
    if (p->f.windowed ? p->f.weighted : !p->c.period)
        return "needs constant weights, the same for every channel";
    if (p->f.terms && (p->f.reduce == REDUCE_FOLD || p->f.init != functions_identity(p->f.reduce)))
        return "needs a reduction that has a name and begins with nothing";
    if (p->f.terms && c->padding_mode == CONVC_PAD_ZEROS && problem_pads(p) && !p->f.neutral)
        return "needs a value that stands for a tap that is left out";
    if (p->icg != 1 || (!p->f.windowed && p->ocg % p->c.period != 0))
        return "needs filters over one channel each, the same for every channel";
    if (p->ocg > STENCIL_FILTERS)
        return "has more than 16 filters over a channel";
    return NULL;
}

/* Operations below a form, each counted once. */
static void count_operations(struct stencil *s)
{
    bool seen[STENCIL_FORMS] = { false };
    s->multiplies = s->operations = 0;
    for (int f = 0; f < s->filters; f++)
        seen[s->root[f].form] = true;
    for (int i = s->forms - 1; i >= 0; i--) {
        const struct stencil_form *form = &s->form[i];
        for (int k = 0; seen[i] && k < stencil_arity(form->op); k++)
            seen[form->arg[k].form] = true;
        s->multiplies += seen[i] && (form->op == STENCIL_SCALE || form->op == STENCIL_FMA);
        s->operations += seen[i] && form->op > STENCIL_CONST;
    }
}

static struct stencil_term filter_of(const struct problem *p, int f, struct stencil *s)
{
    double kernel[CONSTANTS_MAX];
    if (p->f.windowed)
        return stencil_window(s, p);
    for (int64_t i = 0; i < p->c.values; i++) {
        kernel[i] = constants_at(&p->c, f, i);
        if (s->number.narrow)
            kernel[i] = ldexp(kernel[i], s->number.shift);
        s->taps += kernel[i] != 0 || p->f.terms;
    }
    return p->f.terms ? stencil_reduction(s, p, kernel) : stencil_kernel(s, p, kernel);
}

void stencil_of(const struct problem *p, struct stencil *s)
{
    s->forms = s->taps = 0;
    s->full = false;
    memset(s->head, 0, sizeof s->head);
    s->filters = (int)p->ocg;
    s->number = stencil_number_of(p);
    for (int f = 0; f < s->filters; f++)
        s->root[f] = filter_of(p, f, s);
    if (p->f.windowed)
        s->taps = (int)expr_window_taps(&p->f.taps);
    if (p->f.windowed || p->f.terms)
        stencil_mark_columns(s);
    count_operations(s);
}
