/* The steps of a register tile. */
#include "gen/plan/stencil_nest.h"

#include "gen/base/hash.h"

#include <string.h>

static bool same_step(const struct stencil_step *a, const struct stencil_step *b)
{
    return a->form == b->form && a->kept == b->kept && !memcmp(a->at, b->at, sizeof a->at);
}

/* The place in the table of an equal step, or of a new one. */
static size_t slot_of(const struct stencil_steps *s, const struct stencil_step *step)
{
    enum { SLOTS = 2 * STENCIL_STEPS };
    uint64_t h = hash64(step->at, sizeof step->at, (uint64_t)(2 * step->form + step->kept));
    size_t slot = h % SLOTS;
    while (s->hash[slot] && !same_step(&s->step[s->hash[slot] - 1], step))
        slot = (slot + 1) % SLOTS;
    return slot;
}

struct tile {
    const struct stencil_nest *n;
    const struct stencil_sweep *sweep;
    bool reads_kept;
    struct stencil_steps *s;
};

static int kept_as(const struct stencil_nest *n, const struct stencil_term *term)
{
    for (int i = 0; i < n->kept; i++)
        if (n->keep[i].form == term->form && n->keep[i].at[0] == term->at[0] &&
            n->keep[i].at[1] == term->at[1])
            return i;
    return -1;
}

/* A term of the output in row r and vector v. */
static struct stencil_step step_of(const struct tile *t, struct stencil_term term, int r, int v)
{
    const struct stencil_nest *n = t->n;
    int keep = t->reads_kept ? kept_as(n, &term) : -1;
    struct stencil_step step = { .form = term.form, .kept = keep >= 0 };
    step.at[0] = step.kept ? keep : term.at[0];
    step.at[1] = step.kept ? r : term.at[1] + r * n->p->p.stride[CONVC_H];
    step.at[2] = term.at[2] * n->unit + v * n->lanes * t->sweep->stride;
    if (step.kept)
        step.at[2] += (n->lead - t->sweep->pad) * n->unit;
    if (n->program.form[term.form].op == STENCIL_CONST)
        memset(step.at, 0, sizeof step.at);
    return step;
}

static struct stencil_term operand(const struct stencil *program, struct stencil_term term, int k)
{
    struct stencil_term arg = program->form[term.form].arg[k];
    for (int a = 0; a < 3; a++)
        arg.at[a] += term.at[a];
    return arg;
}

static int add_one(const struct tile *t, struct stencil_term term, int r, int v)
{
    struct stencil_steps *s = t->s;
    struct stencil_step step = step_of(t, term, r, v);
    size_t slot = slot_of(s, &step);
    if (s->hash[slot])
        return s->hash[slot] - 1;
    int arity = step.kept ? 0 : stencil_arity(t->n->program.form[term.form].op);
    for (int k = 0; k < arity; k++)
        step.arg[k] = add_one(t, operand(&t->n->program, term, k), r, v);
    if (s->count == STENCIL_STEPS) {
        s->full = true;
        return 0;
    }
    slot = slot_of(s, &step);
    s->step[s->count] = step;
    s->hash[slot] = ++s->count;
    return s->count - 1;
}

/* ---- terms ---------------------------------------------------------------------------------- */

static void visit(const struct stencil_nest *n, struct stencil_term term, bool reads_kept,
                  struct stencil_terms *l)
{
    for (int i = 0; i < l->count; i++)
        if (l->term[i].form == term.form && !memcmp(l->term[i].at, term.at, sizeof term.at))
            return;
    int arity = stencil_arity(n->program.form[term.form].op);
    if (reads_kept && n->program.form[term.form].column)
        arity = 0;
    for (int k = 0; k < arity; k++)
        visit(n, operand(&n->program, term, k), reads_kept, l);
    if (l->count == STENCIL_FORMS)
        l->full = true;
    else
        l->term[l->count++] = term;
}

void stencil_terms_of(const struct stencil_nest *n, struct stencil_term root, bool reads_kept,
                      struct stencil_terms *l)
{
    l->count = 0;
    l->full = false;
    visit(n, root, reads_kept, l);
}

/* Operands first, each for all outputs of the tile; what is only read comes where it is needed. */
void stencil_steps_add(const struct stencil_nest *n, const struct stencil_sweep *sweep,
                       struct stencil_term root, int rows, int vecs, bool reads_kept,
                       struct stencil_steps *s, int *result)
{
    struct tile t = { n, sweep, reads_kept, s };
    struct stencil_terms *l = &s->terms;
    stencil_terms_of(n, root, reads_kept, l);
    /* Functions of the user hold more values than sums: one output after the other. */
    bool in_step = !n->p->f.windowed && n->plan.columns != COLUMNS_ROLLED;
    for (int i = 0; i < l->count; i++) {
        bool last = i == l->count - 1;
        if (!last && (!in_step || stencil_arity(n->program.form[l->term[i].form].op) == 0))
            continue;
        for (int r = 0; r < rows; r++) {
            for (int v = 0; v < vecs; v++)
                result[r * vecs + v] = add_one(&t, l->term[i], r, v);
        }
    }
    s->full = s->full || l->full;
}
