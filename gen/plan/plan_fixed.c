#include "gen/plan/plan_fixed.h"

#include "gen/base/memory.h"
#include "gen/base/number.h"
#include "gen/plan/cost.h"
#include "gen/plan/fixed_nest.h"
#include "gen/plan/layout.h"
#include "gen/plan/picture.h"

#include <string.h>

/* ---- text ---------------------------------------------------------------------------------- */

void plan_fixed_print(const struct plan *plan, struct text *t)
{
    text_add(t, " weights=%d strip=%lld", plan->fixed.bits, (long long)plan->fixed.strip);
}

enum convc_status plan_fixed_parse(const char *key, const char *value, struct plan *plan,
                                   struct diag *d)
{
    int64_t count;
    bool bits = !strcmp(key, "weights"), strip = !strcmp(key, "strip");
    if (!bits && !strip)
        return diag_fail(d, CONVC_ERR_PLAN,
                         "plan word '%s' is unknown; fixed has weights and strip", key);
    if (!plan_read_count(value, &count) || (bits && count > 64))
        return diag_fail(d, CONVC_ERR_PLAN, "plan word '%s=%s' has no such value", key, value);
    if (bits)
        plan->fixed.bits = (int)count;
    else
        plan->fixed.strip = count;
    return CONVC_OK;
}

/* ---- facts --------------------------------------------------------------------------------- */

enum convc_status plan_fixed_check(const struct plan *plan, const struct problem *p,
                                   const struct target *t, struct diag *d)
{
    return fixed_nest_check(p, &plan->fixed, t, d);
}

double plan_fixed_error_bound(const struct plan *plan, const struct problem *p)
{
    return 0;
}

double plan_fixed_unit_bound(const struct plan *plan, const struct problem *p)
{
    struct fixed *f = memory_take(sizeof *f);
    double bound = f && !fixed_unfit(p, plan->fixed.bits, f) ? f->bound : INFINITY;
    memory_free(f);
    return bound;
}

/* Weights are in the code. */
void plan_fixed_layout(const struct problem *p, const struct plan *plan, const struct target *t,
                       struct layout *l)
{
    layout_plain(p, l);
}

void plan_fixed_pack(const struct problem *p, const struct plan *plan, const struct target *t,
                     const void *plain, void *packed)
{
}

size_t plan_fixed_workspace_bytes(const struct problem *p, const struct plan *plan,
                                  const struct target *t)
{
    return 0;
}

int64_t plan_fixed_items(const struct problem *p, const struct plan *plan, const struct target *t,
                         int32_t phase, int64_t n)
{
    int64_t strips = ceil_div(p->out[CONVC_H], plan->fixed.strip);
    return n * picture_channels(p) * strips;
}

static void explain_sum(const struct fixed_sum *s, const char *name, struct text *text)
{
    text_add(text, "    %s:", name);
    for (int i = 0; i < s->parts; i++) {
        const struct fixed_part *part = &s->part[i];
        text_add(text, " %c%lld", part->minus ? '-' : '+', (long long)part->factor);
        text_add(text, part->mean ? "*mean(" : part->count > 1 ? "*sum(" : "*(");
        for (int j = 0; j < part->count; j++)
            text_add(text, "%s%lld", j ? "," : "", (long long)part->at[j]);
        text_add(text, ")");
    }
    text_add(text, "\n");
}

void plan_fixed_explain(const struct problem *p, const struct plan *plan, const struct target *t,
                        struct text *text)
{
    struct fixed_nest *n = fixed_nest_of(p, &plan->fixed, t);
    text->failed = text->failed || !n;
    if (!n)
        return;
    const struct fixed *f = &n->f;
    text_add(text, "  %d row forms, in whole numbers of 16 bits %s a sign; outputs times %d\n",
             f->forms, f->sum.sign ? "with" : "without", 1 << f->shift);
    for (int i = 0; i < f->forms; i++)
        explain_sum(&f->form[i], f->bits == 8 ? "columns" : "columns, 2^-8", text);
    explain_sum(&f->sum, f->exact ? "rows" : "rows, 2^-16", text);
    text_add(text, "  for image < n, channel < %lld, strip < %lld of %lld rows\n",
             (long long)n->channels, (long long)n->strips, (long long)n->plan.strip);
    text_add(text, "    for blocks of %lld bytes along the row, %d of them at the border\n",
             (long long)n->block, n->edges);
    text_add(text, "      for rows: forms of the row, those of %lld rows above in registers\n",
             (long long)n->passed);
    text_add(text, "  off by at most %.2g of a unit before it is rounded\n", f->bound);
    memory_free(n);
}

/* ---- cost ---------------------------------------------------------------------------------- */

/* Operations of the two vectors of a block: sums of parts that are added up and multiplied. */
static double sum_operations(const struct fixed_sum *s, bool exact)
{
    double operations = -2;
    for (int i = 0; i < s->parts; i++)
        operations += 2 * (s->part[i].count + !(exact && s->part[i].factor == 1));
    return operations;
}

static double form_operations(const struct fixed_nest *n, int form)
{
    const struct fixed_sum *s = &n->f.form[form];
    if (n->f.bits == 8) /* of pairs */
        return 2 * s->parts + 1;
    return sum_operations(s, false) + 2 * larger(s->parts, (double)n->pairs / (double)n->unit);
}

/* Rounding, and putting both vectors together. */
static double last_operations(const struct fixed_nest *n, const struct target *t)
{
    bool upper = n->f.shift == 8 && !n->f.sum.sign && n->p->p.dst_dtype == CONVC_U8;
    double operations = n->f.exact && n->f.shift ? 8 : n->f.bias ? 2 : 0;
    operations += n->f.shift && !upper ? 2 : 0;
    operations += n->f.sum.sign && n->p->p.dst_dtype != CONVC_S16 ? 4 : 0;
    return operations + (n->p->p.dst_dtype == CONVC_U8 && t->permutes ? 1 : 3);
}

static double operations(const struct fixed_nest *n, const struct target *t)
{
    double operations = sum_operations(&n->f.sum, n->f.exact) + last_operations(n, t);
    for (int i = 0; i < n->f.forms; i++)
        operations += form_operations(n, i);
    return operations;
}

/* What is passed on and finds no register is stored and loaded. */
static double spilled(const struct fixed_nest *n, const struct target *t)
{
    double passed = 0;
    for (int f = 0; f < n->f.forms; f++)
        passed += 2 * (double)(n->last[f] - n->first[f]);
    return 2 * larger(0, passed + 6 - t->vector_registers);
}

void plan_fixed_cost(const struct problem *p, const struct plan *plan, const struct target *t,
                     struct cost *cost)
{
    *cost = (struct cost){ .limit = "fma" };
    struct fixed_nest *n = fixed_nest_of(p, &plan->fixed, t);
    if (!n)
        return;
    double rows = (double)(n->channels * p->out[CONVC_H]);
    double above = (double)(n->channels * n->strips * n->passed);
    double blocks = (double)n->edges * 1.5 + (double)(n->end - n->begin);
    bool halves = t->halves && n->block == t->vector_bytes;
    double turn = operations(n, t) + spilled(n, t);
    turn = turn * (target_narrow(t) ? 0.3 : halves ? 0.5 : 0.27) + 3;
    double src = (double)(p->p.ic * p->p.in[1] * p->p.in[2]);
    double dst = (double)(p->p.oc * p->out[1] * p->out[2]) * (double)dtype_bytes(p->p.dst_dtype);
    bool far = src + dst > target_l3_of_core(t) * 0.5, near = src + dst < t->l2_bytes;
    cost->fma = (rows + above / 2) * blocks * turn;
    cost->load = rows * blocks * (double)n->pairs * n->f.forms;
    cost->l2 = (src * 1.5 + dst) / t->ceilings.l2;
    cost->memory = near ? 0 : (src + dst) / (far ? t->ceilings.memory : t->ceilings.l3 * 0.83);
    cost->overhead = 30 * (double)n->strips * blocks * (double)n->channels;
    cost->cycles = together(together(larger(cost->fma, cost->load), cost->l2), cost->memory);
    cost->cycles += cost->overhead;
    cost->compile_ms = 4 + 0.03 * operations(n, t) * (1 + n->edges);
    cost->limit = cost->memory > cost->fma ? "memory" : cost->load > cost->fma ? "load" : "fma";
    memory_free(n);
}

enum convc_status plan_fixed_candidates(struct arena *a, const struct problem *p,
                                        const struct target *t, struct candidates *out,
                                        struct diag *d)
{
    enum { STRIP = 64 };
    *out = (struct candidates){ 0 };
    if (p->p.src_dtype != CONVC_U8 || !p->c.period)
        return CONVC_OK;
    out->list = arena_array(a, 2, sizeof *out->list);
    if (!out->list)
        return diag_memory(d);
    for (int bits = 8; bits <= 16; bits += 8) {
        struct candidate *c = &out->list[out->count];
        struct diag ignored = { 0 };
        c->plan = (struct plan){ .algorithm = PLAN_FIXED };
        c->plan.fixed.bits = bits;
        c->plan.fixed.strip = p->out[CONVC_H] < STRIP ? p->out[CONVC_H] : STRIP;
        if (plan_fixed_check(&c->plan, p, t, &ignored) != CONVC_OK)
            continue;
        plan_fixed_cost(p, &c->plan, t, &c->cost);
        out->count++;
    }
    return CONVC_OK;
}
