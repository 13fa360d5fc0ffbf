/* Candidates of the stencil algorithm, and what they should cost. */
#include "gen/base/memory.h"
#include "gen/base/number.h"
#include "gen/plan/cost.h"
#include "gen/plan/plan_stencil.h"
#include "gen/plan/stencil_nest.h"
#include "gen/plan/work.h"

/* Cycles of finding the rows that the vectors of one read, where those at the border are apart. */
static const double row_apart = 24;

enum { CANDIDATES_MAX = 40 };

/* ---- cost ---------------------------------------------------------------------------------- */

/* What the steps of a tile keep busy, in operations of a vector. */
struct busy {
    double adds, multiplies, loads, shuffles, stores, last;
    double narrow; /* what rounding is in 16 bits; 0: those of the accumulator */
};

/* Vectors that begin within a cache line often cross into the next, and always where they are as
 * long as one. */
static double load_cost(const struct stencil_nest *n, const struct target *t,
                        const struct stencil_sweep *sweep, const struct stencil_step *step)
{
    int64_t bytes = n->lanes * (step->kept ? n->bytes : n->src_bytes);
    bool aligned = (step->at[2] - sweep->pad * n->unit) % n->lanes == 0;
    return aligned ? 1 : bytes < 64 ? 1.5 : 2;
}

static struct busy count_steps(const struct stencil_nest *n, const struct target *t,
                               const struct stencil_steps *s, const struct stencil_sweep *sweep)
{
    struct busy b = { 0 };
    int widened = n->src_bytes != n->bytes;
    double moved = target_narrow(t) ? 2 : 1; /* into place, from two vectors */
    for (int i = 0; i < s->count; i++) {
        const struct stencil_step *step = &s->step[i];
        int op = n->program.form[step->form].op;
        if (step->kept && n->plan.columns == COLUMNS_ROLLED) {
            b.shuffles += step->at[2] % n->lanes ? moved : 0;
        } else if (step->kept || op == STENCIL_SRC) {
            b.loads += sweep->stride > 1 ? 2 : load_cost(n, t, sweep, step);
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

/* Cycles: adds have pipes of their own, beside those that multiply, on cores of 16 registers. Where
 * there is little to load and to store, all that is done in registers shares what is issued. */
static double cycles_of(const struct busy *b, const struct target *t, double tiles,
                        struct cost *cost)
{
    /* Of the short vectors of cores that have two pipes of 32 bytes, four begin at once. */
    const double pipes = target_vscale(t) == 2 ? 2 : 1;
    double multiplies = t->fma ? b->multiplies : 2 * b->multiplies;
    double arithmetic = (multiplies + b->adds) / 2;
    if (target_narrow(t))
        arithmetic = larger(larger(multiplies, b->adds) / 2, (multiplies + b->adds) / 4);
    arithmetic = larger(arithmetic, target_narrow(t) ? b->shuffles / 2 : b->shuffles);
    double all = multiplies + b->adds + b->shuffles + b->narrow;
    double each = target_narrow(t) ? 0.38 : t->halves && b->narrow ? 0.6 : 0.45;
    arithmetic = larger(arithmetic, all * each);
    arithmetic /= pipes;
    double memory = larger(b->loads / 2, b->stores);
    cost->fma += tiles * arithmetic;
    cost->load += tiles * memory;
    return larger(larger(arithmetic, memory), (arithmetic + memory) * 0.75) + b->last + 2;
}

/* Vectors that find no register in a tile: sums, and what is read for them; forms that are passed
 * on, beside the tile's own and what they are made of. */
static double spilled(const struct stencil_nest *n, const struct target *t)
{
    int factors = target_narrow(t) ? 0 : n->program.multiplies; /* else read where they are used */
    int room = t->vector_registers * 3 / 4 - factors;
    int passed = n->plan.rows * n->kept * (n->carried + n->plan.vecs);
    if (n->plan.columns == COLUMNS_ROLLED)
        return 4.0 * larger(0, passed - room);
    double over = larger(0, n->plan.rows * n->plan.vecs - t->vector_registers / 2.0);
    return over * n->program.operations / 4;
}

/* Operations of one output that is computed in 16 bits: shifted, held, made a byte. */
static double narrow_last(const struct stencil_nest *n)
{
    const struct stencil_number *number = &n->program.number;
    enum convc_dtype type = n->p->p.dst_dtype;
    double unit = 1 << number->shift, operations = number->shift ? 4 : 0.1;
    operations += number->least / unit < dtype_least(type);
    operations += number->most / unit > dtype_most(type);
    return operations + (n->dst_bytes == 1);
}

/* What a tile of a sweep over the source keeps busy; kept forms go to scratch memory. */
static struct busy tile_busy(const struct stencil_nest *n, const struct target *t, bool columns)
{
    int result[STENCIL_ROWS * STENCIL_VECS];
    struct stencil_steps *s = memory_zeroed(1, sizeof *s);
    const struct stencil_sweep *sweep = columns ? &n->columns : &n->outputs;
    int roots = columns ? n->kept : n->program.filters;
    bool passed = columns && n->plan.columns == COLUMNS_ROLLED;
    struct busy b = { 0 };
    for (int i = 0; s && i < roots; i++)
        stencil_steps_add(n, sweep, columns ? n->keep[i] : n->program.root[i], n->plan.rows,
                          n->plan.vecs, n->kept && !columns, s, result);
    if (s)
        b = count_steps(n, t, s, sweep);
    memory_free(s);
    int outputs = roots * n->plan.rows * n->plan.vecs;
    b.stores = passed ? 0 : outputs + spilled(n, t);
    b.last = columns ? 0 : work_last(n->p) * outputs;
    b.narrow = n->program.number.narrow ? columns ? 0.1 : narrow_last(n) * outputs : 0;
    return b;
}

/* Cycles of one vector of one row. */
static double edge_cycles(const struct stencil_nest *n, const struct target *t)
{
    struct stencil_nest one = *n;
    struct cost ignored = { 0 };
    one.plan.rows = one.plan.vecs = 1;
    struct busy b = tile_busy(&one, t, false);
    return cycles_of(&b, t, 1, &ignored);
}

/* Bytes of kept forms that leave L1 before they are read, and come back while little else is to be
 * done, of a row of tiles. */
static double kept_again(const struct stencil_nest *n, const struct target *t)
{
    const struct convc_problem *c = &n->p->p;
    double kept = (double)stencil_nest_workspace(n);
    double from = (double)(c->in[CONVC_W] * n->unit * n->src_bytes);
    double to = (double)(n->p->out[CONVC_W] * n->unit * n->dst_bytes * n->program.filters);
    double all = kept + (double)n->plan.rows * to;
    all += (double)(n->plan.rows * c->stride[CONVC_H] + n->reach[CONVC_H]) * from;
    return all > t->l1_bytes ? 2 * kept * (1 - t->l1_bytes / all) : 0;
}

/* Cycles of a row of tiles. */
static double row_cycles(const struct stencil_nest *n, const struct target *t, struct cost *cost)
{
    double edges = (double)(n->outputs.vectors - n->outputs.end + n->outputs.begin);
    double vectors = ((double)n->outputs.vectors - (n->plan.apart ? edges : 0)) / n->plan.vecs;
    double wide = (double)n->columns.vectors / n->plan.vecs;
    struct busy b = tile_busy(n, t, false);
    if (n->plan.columns == COLUMNS_AGAIN)
        return vectors * cycles_of(&b, t, vectors, cost);
    struct busy columns = tile_busy(n, t, true);
    if (n->plan.columns == COLUMNS_KEPT)
        return vectors * cycles_of(&b, t, vectors, cost) +
               wide * cycles_of(&columns, t, vectors, cost) + kept_again(n, t) / t->ceilings.l2;
    /* Before the first can be passed on; in pictures of many strips rows are long. */
    double primed = n->strips == 1 ? (vectors + n->carried) / vectors : 1;
    b.adds += columns.adds * primed;
    b.multiplies += columns.multiplies * primed;
    b.loads += columns.loads * primed;
    b.shuffles += columns.shuffles * primed;
    b.narrow += columns.narrow;
    return vectors * cycles_of(&b, t, vectors, cost);
}

/* The share of the output's rows that are computed singly. */
static double single_rows(const struct stencil_nest *n)
{
    int64_t inside = n->row_end - n->row_begin, all = n->p->out[CONVC_H];
    if (n->strips == 1)
        inside -= inside % n->plan.rows;
    return 1 - (double)inside / (double)all;
}

void plan_stencil_cost(const struct problem *p, const struct plan *plan, const struct target *t,
                       struct cost *cost)
{
    *cost = (struct cost){ .limit = "fma" };
    struct stencil_nest *n = stencil_nest_of(p, &plan->stencil, t);
    if (!n)
        return;
    double rows = (double)(n->channels * p->out[CONVC_D] * p->out[CONVC_H]) / n->plan.rows;
    double single = single_rows(n);
    double compute = row_cycles(n, t, cost);
    bool known = n->strips == 1; /* and so is what each row reads */
    double turns = rows * (1 + (known ? 0.5 : 1.5) * single);
    double edges = (double)(n->outputs.vectors - n->outputs.end + n->outputs.begin);
    if (n->plan.apart)
        cost->overhead += n->plan.rows * (row_apart + edges * edge_cycles(n, t)) * rows;
    cost->fma *= rows;
    cost->load *= rows;
    double src = (double)(p->p.ic * p->p.in[0] * p->p.in[1] * p->p.in[2]) * (double)n->src_bytes;
    double dst = (double)(p->p.oc * p->out[0] * p->out[1] * p->out[2]) * (double)n->dst_bytes;
    bool far = src + dst > target_l3_of_core(t) * 0.5, near = src + dst < t->l2_bytes;
    cost->l2 = (src * 1.5 + dst) / t->ceilings.l2;
    cost->memory = near ? 0 : (src + dst) / (far ? t->ceilings.memory : t->ceilings.l3 * 0.83);
    cost->overhead += 20 * rows;
    /* Kept forms share L1 with the rows that are read. */
    if (stencil_nest_workspace(n) > (size_t)t->l1_bytes)
        turns *= 1.3;
    cost->cycles = together(together(compute * turns, cost->l2), cost->memory) + cost->overhead;
    double copies = (double)stencil_nest_copies(n);
    cost->compile_ms = 5 + 0.018 * n->program.operations * copies * n->plan.rows * n->plan.vecs;
    cost->limit = cost->memory > cost->fma ? "memory" : cost->load > cost->fma ? "load" : "fma";
    memory_free(n);
}

/* ---- candidates ---------------------------------------------------------------------------- */

static int64_t strip_of_rows(const struct problem *p, int rows)
{
    int64_t strip = p->out[CONVC_H] < 32 ? p->out[CONVC_H] : 32;
    return ceil_div(strip, rows) * rows;
}

/* Windows of many operations fill the registers by themselves: a 3x3 median does. What is passed on
 * takes registers that more vectors side by side would need. */
static bool is_worth_it(const struct problem *p, const int *tile, enum plan_columns columns)
{
    enum { LONG = 36 };
    if (columns == COLUMNS_ROLLED && tile[1] > 1)
        return false;
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
    for (size_t i = 0; i < 4 * sizeof tiles / sizeof *tiles; i++) {
        const int *tile = tiles[i / 4];
        struct candidate *c = &out->list[out->count];
        struct diag ignored = { 0 };
        enum plan_columns columns = i % 4 == 3 ? COLUMNS_AGAIN : (enum plan_columns)(i % 4);
        if (!is_worth_it(p, tile, columns))
            continue;
        c->plan = (struct plan){ .algorithm = PLAN_STENCIL };
        c->plan.stencil = (struct plan_stencil){ .rows = tile[0], .vecs = tile[1] };
        c->plan.stencil.columns = columns;
        c->plan.stencil.apart = i % 4 == 3;
        c->plan.stencil.strip = strip_of_rows(p, tile[0]);
        if (plan_stencil_check(&c->plan, p, t, &ignored) != CONVC_OK)
            continue;
        plan_stencil_cost(p, &c->plan, t, &c->cost);
        out->count++;
    }
    return CONVC_OK;
}
