/* Candidates of the stencil algorithm, and what they should cost. */
#include "gen/base/number.h"
#include "gen/plan/cost.h"
#include "gen/plan/plan_stencil.h"
#include "gen/plan/stencil_nest.h"
#include "gen/plan/work.h"

#include <stdlib.h>

/* Cycles of finding the rows that the vectors of one read, where those at the border are apart. */
static const double row_apart = 24;

enum { CANDIDATES_MAX = 40 };

/* ---- cost ---------------------------------------------------------------------------------- */

/* What the steps of a tile keep busy, in operations of a vector. */
struct busy {
    double adds, multiplies, loads, shuffles, stores;
};

static struct busy count_steps(const struct stencil_nest *n, const struct target *t,
                               const struct stencil_steps *s, const struct stencil_sweep *sweep)
{
    struct busy b = { 0 };
    int widened = n->src_bytes != n->bytes;
    for (int i = 0; i < s->count; i++) {
        const struct stencil_step *step = &s->step[i];
        int op = n->program.form[step->form].op;
        if (step->kept || op == STENCIL_SRC) {
            b.loads += sweep->stride > 1 ? 2 : step->at[2] % n->lanes ? 1.5 : 1;
            b.shuffles += sweep->stride > 1;
            if (!step->kept)
                b.shuffles += widened, b.adds += widened && !n->program.number.narrow;
        } else if (op == STENCIL_ADD || op == STENCIL_SUB) {
            b.adds++;
        } else if (op >= STENCIL_EXPR) {
            double work = work_of((enum expr_op)(op - STENCIL_EXPR), t);
            b.adds += work / 2;
            b.multiplies += work / 2;
        } else if (op != STENCIL_CONST) {
            b.multiplies++;
        }
    }
    return b;
}

/* Cycles: adds have pipes of their own, beside those that multiply, on cores of 16 registers. */
static double cycles_of(const struct busy *b, const struct target *t, double *fma, double *load)
{
    double multiplies = t->fma ? b->multiplies : 2 * b->multiplies;
    double arithmetic = (multiplies + b->adds) / 2;
    if (target_narrow(t))
        arithmetic = larger(larger(multiplies, b->adds) / 2, (multiplies + b->adds) / 4);
    arithmetic = larger(arithmetic, target_narrow(t) ? b->shuffles / 2 : b->shuffles);
    double memory = larger(b->loads / 2, b->stores);
    *fma += arithmetic;
    *load += memory;
    return larger(larger(arithmetic, memory), (arithmetic + memory) * 0.75);
}

/* Cycles of one tile of a sweep over the source; kept forms go to scratch memory. */
static double tile_cycles(const struct stencil_nest *n, const struct target *t, bool columns,
                          struct cost *cost)
{
    int result[STENCIL_ROWS * STENCIL_VECS];
    struct stencil_steps *s = calloc(1, sizeof *s);
    const struct stencil_sweep *sweep = columns ? &n->columns : &n->outputs;
    int roots = columns ? n->kept : n->program.filters;
    for (int i = 0; s && i < roots; i++)
        stencil_steps_add(n, sweep, columns ? n->keep[i] : n->program.root[i], n->plan.rows,
                          n->plan.vecs, n->plan.kept && !columns, s, result);
    struct busy b = { 0 };
    double outputs = (double)(roots * n->plan.rows * n->plan.vecs), spilled = 0;
    if (s) {
        b = count_steps(n, t, s, sweep);
        /* Sums, and what is read for them. */
        spilled = larger(0, n->plan.rows * n->plan.vecs - t->vector_registers / 2.0);
    }
    free(s);
    b.stores = outputs + spilled * (double)(n->program.operations) / 4;
    double last = columns ? 0 : work_last(n->p) * outputs;
    return cycles_of(&b, t, &cost->fma, &cost->load) + last + 2;
}

/* Cycles of one vector of one row. */
static double edge_cycles(const struct stencil_nest *n, const struct target *t)
{
    struct stencil_nest one = *n;
    struct cost ignored = { 0 };
    one.plan.rows = one.plan.vecs = 1;
    return tile_cycles(&one, t, false, &ignored);
}

/* Bytes of kept forms that leave L1 before they are read, and come back while little else is to be
 * done, of a row of tiles. */
static double kept_again(const struct stencil_nest *n, const struct target *t)
{
    const struct convc_problem *c = &n->p->p;
    double kept = (double)(n->plan.rows * n->kept * n->scratch_row);
    double from = (double)(c->in[CONVC_W] * n->unit * n->src_bytes);
    double to = (double)(n->p->out[CONVC_W] * n->unit * n->dst_bytes * n->program.filters);
    double all = kept + (double)n->plan.rows * to;
    all += (double)(n->plan.rows * c->stride[CONVC_H] + n->reach[CONVC_H]) * from;
    return all > t->l1_bytes ? 2 * kept * (1 - t->l1_bytes / all) : 0;
}

void plan_stencil_cost(const struct problem *p, const struct plan *plan, const struct target *t,
                       struct cost *cost)
{
    *cost = (struct cost){ .limit = "fma" };
    struct stencil_nest *n = stencil_nest_of(p, &plan->stencil, t);
    if (!n)
        return;
    double edges = (double)(n->outputs.vectors - n->outputs.end + n->outputs.begin);
    double vectors = ((double)n->outputs.vectors - (n->plan.apart ? edges : 0)) / n->plan.vecs;
    double wide = n->kept ? (double)n->columns.vectors / n->plan.vecs : 0;
    double rows = (double)(n->channels * p->out[CONVC_D] * p->out[CONVC_H]) / n->plan.rows;
    double single = 1 - (double)(n->row_end - n->row_begin) / (double)p->out[CONVC_H];
    double compute = tile_cycles(n, t, false, cost) * vectors;
    if (n->kept)
        compute += tile_cycles(n, t, true, cost) * wide + kept_again(n, t) / t->ceilings.l2;
    double turns = rows * (1 + 1.5 * single);
    if (n->plan.apart)
        cost->overhead += n->plan.rows * (row_apart + edges * edge_cycles(n, t)) * rows;
    cost->fma *= rows * vectors;
    cost->load *= rows * vectors;
    double src = (double)(p->p.ic * p->p.in[0] * p->p.in[1] * p->p.in[2]) * (double)n->src_bytes;
    double dst = (double)(p->p.oc * p->out[0] * p->out[1] * p->out[2]) * (double)n->dst_bytes;
    bool far = src + dst > target_l3_of_core(t) * 0.5, near = src + dst < t->l2_bytes;
    cost->l2 = (src * 1.5 + dst) / t->ceilings.l2;
    cost->memory = near ? 0 : (src + dst) / (far ? t->ceilings.memory : t->ceilings.l3 * 0.83);
    cost->overhead += 20 * rows;
    /* Kept forms share L1 with the rows that are read. */
    if (n->kept && stencil_nest_workspace(n) > (size_t)t->l1_bytes)
        turns *= 1.3;
    cost->cycles = together(together(compute * turns, cost->l2), cost->memory) + cost->overhead;
    double copies = (double)stencil_nest_copies(n);
    cost->compile_ms = 5 + 0.018 * n->program.operations * copies * n->plan.rows * n->plan.vecs;
    cost->limit = cost->memory > cost->fma ? "memory" : cost->load > cost->fma ? "load" : "fma";
    free(n);
}

/* ---- candidates ---------------------------------------------------------------------------- */

static int64_t strip_of_rows(const struct problem *p, int rows)
{
    int64_t strip = p->out[CONVC_H] < 32 ? p->out[CONVC_H] : 32;
    return ceil_div(strip, rows) * rows;
}

/* Windows of many operations fill the registers by themselves: a 3x3 median does. */
static bool is_worth_it(const struct problem *p, const int *tile)
{
    enum { LONG = 36 };
    return !p->f.windowed || p->f.window.count < LONG || tile[0] * tile[1] == 1;
}

enum convc_status plan_stencil_candidates(struct arena *a, const struct problem *p,
                                          const struct target *t, struct candidates *out,
                                          struct diag *d)
{
    static const int tiles[][2] = { { 1, 1 }, { 1, 4 }, { 2, 1 }, { 2, 2 }, { 2, 4 },
                                    { 3, 2 }, { 4, 1 }, { 4, 2 }, { 8, 1 }, { 6, 2 } };
    *out = (struct candidates){ 0 };
    if (stencil_unfit(p))
        return CONVC_OK;
    out->list = arena_array(a, CANDIDATES_MAX, sizeof *out->list);
    if (!out->list)
        return diag_memory(d);
    for (size_t i = 0; i < 3 * sizeof tiles / sizeof *tiles; i++) {
        const int *tile = tiles[i / 3];
        struct candidate *c = &out->list[out->count];
        struct diag ignored = { 0 };
        if (!is_worth_it(p, tile))
            continue;
        c->plan = (struct plan){ .algorithm = PLAN_STENCIL };
        c->plan.stencil = (struct plan_stencil){ .rows = tile[0], .vecs = tile[1] };
        c->plan.stencil.kept = i % 3 == 1;
        c->plan.stencil.apart = i % 3 == 2;
        c->plan.stencil.strip = strip_of_rows(p, tile[0]);
        if (plan_stencil_check(&c->plan, p, t, &ignored) != CONVC_OK)
            continue;
        plan_stencil_cost(p, &c->plan, t, &c->cost);
        out->count++;
    }
    return CONVC_OK;
}
