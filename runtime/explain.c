/* explain: what would be done for a problem, and why, in words; and every plan there is.
 * Stands on: context, choose, object.
 */
#include "gen/out/object.h"
#include "gen/plan/choose.h"
#include "runtime/api.h"
#include "runtime/context.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* What convc_explain and convc_plans both need. */
struct subject {
    struct problem problem;
    const struct target *target;
    struct arena arena; /* owns the candidates */
    struct candidates candidates;
};

static enum convc_status consider(const convc_context *cx, const struct convc_problem *p,
                                  struct subject *s, struct diag *d)
{
    *s = (struct subject){ .target = &cx->machine->target };
    if (problem_resolve(p, &s->problem, d) != CONVC_OK)
        return d->status;
    return choose_plans(&s->arena, &s->problem, s->target, &s->candidates, d);
}

/* Hands the text out, or tells what went wrong. */
static enum convc_status finish(struct subject *s, struct text *t, char **text, struct diag *d)
{
    arena_free(&s->arena);
    char *line = d->status == CONVC_OK ? text_take(t) : NULL;
    text_free(t);
    if (d->status == CONVC_OK && !line)
        diag_memory(d);
    if (d->status == CONVC_OK)
        *text = line;
    return api_fail(d);
}

enum convc_status convc_plans(convc_context *cx, const struct convc_problem *p, char **text)
{
    struct diag d = { 0 };
    struct subject s;
    struct text t = { 0 };
    char plan[PLAN_TEXT_MAX];
    if (!cx || !p || !text)
        return api_fail_with(CONVC_ERR_ARGUMENT,
                             "convc_plans: context, problem and text must be given");
    consider(cx, p, &s, &d);
    for (size_t i = 0; d.status == CONVC_OK && i < s.candidates.count; i++) {
        plan_print(&s.candidates.list[i].plan, plan);
        text_add(&t, "%s\n", plan);
    }
    return finish(&s, &t, text, &d);
}

/* ---- explain --------------------------------------------------------------------------------- */

static double gflop(const struct problem *p)
{
    const struct convc_problem *c = &p->p;
    return 2e-9 * (double)c->n * (double)(c->oc * p->out[0] * p->out[1] * p->out[2]) *
           (double)(p->icg * c->kernel[0] * c->kernel[1] * c->kernel[2]);
}

/* "1 x 64 x 56 x 56": only the axes that the problem has. */
static void add_shape(struct text *t, const char *name, int64_t n, int64_t c, const int64_t e[3],
                      int spatial)
{
    text_add(t, "  %-8s %" PRId64 " x %" PRId64, name, n, c);
    for (int a = 3 - spatial; a < 3; a++)
        text_add(t, " x %" PRId64, e[a]);
    text_add(t, "\n");
}

static void add_axes(struct text *t, const char *name, const int64_t value[3], int spatial)
{
    text_add(t, "  %-8s", name);
    for (int a = 3 - spatial; a < 3; a++)
        text_add(t, " %" PRId64, value[a]);
    text_add(t, "\n");
}

static void add_padding(struct text *t, const struct convc_problem *c)
{
    text_add(t, "  %-8s", "padding");
    for (int a = 3 - c->spatial; a < 3; a++)
        text_add(t, " %" PRId64 "..%" PRId64, c->pad_begin[a], c->pad_end[a]);
    text_add(t, " %s", padding_mode_name(c->padding_mode));
    if (c->padding_mode == CONVC_PAD_CONSTANT)
        text_add(t, " %g", c->padding_value);
    text_add(t, "\n");
}

static void add_problem(struct text *t, const struct problem *p)
{
    const struct convc_problem *c = &p->p;
    text_add(t, "problem  ");
    problem_print(p, t);
    text_add(t, "\n");
    add_shape(t, "src", c->n, c->ic, c->in, c->spatial);
    add_shape(t, "wei", c->oc, p->icg, c->kernel, c->spatial);
    add_shape(t, "dst", c->n, c->oc, p->out, c->spatial);
    add_axes(t, "stride", c->stride, c->spatial);
    add_axes(t, "dilation", c->dilation, c->spatial);
    add_padding(t, c);
    text_add(t, "  %-8s %s, %s, groups %" PRId64 "%s%s%s, activation %s\n", "also",
             dtype_name(c->src_dtype), c->layout == CONVC_NHWC ? "nhwc" : "nchw", c->groups,
             c->flip ? ", flipped" : "", c->bias ? ", bias" : "", c->residual ? ", residual" : "",
             activation_name(c->activation));
    if (functions_any(&p->f)) {
        text_add(t, "  %-8s", "with");
        functions_print(&p->f, t);
        text_add(t, "\n");
    }
    text_add(t, "  %-8s %.4g GFLOP\n\n", "work", gflop(p));
}

static void add_cost(struct text *t, const struct cost *c)
{
    text_add(t,
             "  %.4g cycles for an image, limited by %s: fma %.4g, loads %.4g, L2 %.4g, memory "
             "%.4g, overhead %.4g; compiles in about %.2g ms\n",
             c->cycles, c->limit, c->fma, c->load, c->l2, c->memory, c->overhead, c->compile_ms);
}

/* Which resource made a plan lose: the one where it needs the most beyond the best plan. */
static const char *loss(const struct cost *c, const struct cost *best, double *cycles)
{
    const struct {
        const char *name;
        double more;
    } by[] = { { "fma", c->fma - best->fma },
               { "loads", c->load - best->load },
               { "L2 traffic", c->l2 - best->l2 },
               { "memory traffic", c->memory - best->memory },
               { "overhead", c->overhead - best->overhead } };
    size_t worst = 0;
    for (size_t i = 1; i < sizeof by / sizeof *by; i++) {
        if (by[i].more > by[worst].more)
            worst = i;
    }
    *cycles = by[worst].more;
    return by[worst].name;
}

static void add_losers(struct text *t, const struct candidates *c, const struct plan *chosen)
{
    enum { SHOWN = 16 };
    char plan[PLAN_TEXT_MAX], ours[PLAN_TEXT_MAX];
    const struct cost *best = &c->list[0].cost;
    size_t shown = 0;
    plan_print(chosen, ours);
    text_add(t, "  considered: %zu plans; against the best by the cost model\n", c->count);
    for (size_t i = 0; i < c->count && shown < SHOWN; i++) {
        const struct cost *cost = &c->list[i].cost;
        double cycles;
        plan_print(&c->list[i].plan, plan);
        text_add(t, "    %6.3f  %s", cost->cycles / best->cycles, plan);
        if (strcmp(plan, ours) == 0)
            text_add(t, "  <- this one");
        const char *why = loss(cost, best, &cycles);
        if (i > 0 && cycles > 0)
            text_add(t, "  (+%.3g cycles of %s)", cycles, why);
        text_add(t, "\n");
        shown++;
    }
    if (shown < c->count)
        text_add(t, "    ... and %zu that cost more\n", c->count - shown);
    text_add(t, "\n");
}

/* What was measured of a plan that the tuning database chose. */
static void add_winner(struct text *t, const struct tune_winner *w)
{
    if (!strcmp(w->plan, w->base))
        text_add(t, "  by the tuning database: nothing was really faster than the cost model's "
                    "choice\n");
    else
        text_add(t,
                 "  by the tuning database: %.3f of the time of the cost model's choice (%.3f to "
                 "%.3f, 95 %%), which is\n    %s\n",
                 w->ratio, w->low, w->high, w->base);
}

static void add_plan(struct text *t, const struct subject *s, const struct plan *plan,
                     const struct tune_winner *w)
{
    char line[PLAN_TEXT_MAX], ours[PLAN_TEXT_MAX];
    plan_print(plan, ours);
    text_add(t, "plan     %s\n", ours);
    if (w)
        add_winner(t, w);
    plan_explain(&s->problem, plan, s->target, t);
    for (size_t i = 0; i < s->candidates.count; i++) {
        plan_print(&s->candidates.list[i].plan, line);
        if (strcmp(line, ours) == 0)
            add_cost(t, &s->candidates.list[i].cost);
    }
    text_add(t, "  error at most %.2g of the largest sum of |src*wei|\n",
             plan_error_bound(plan, &s->problem));
    add_losers(t, &s->candidates, plan);
}

static enum convc_status add_code(struct text *t, const struct subject *s, const struct plan *plan,
                                  enum object_form form, const char *title, struct diag *d)
{
    const struct object_request request = {
        .problem = &s->problem, .plan = plan, .target = s->target, .symbol = "kernel", .form = form
    };
    struct object code = { 0 };
    if (object_emit(&request, &code, d) != CONVC_OK)
        return d->status;
    text_add(t, "%s\n", title);
    text_append(t, code.bytes, code.count);
    text_add(t, "\n");
    object_free(&code);
    return CONVC_OK;
}

enum convc_status convc_explain(convc_context *cx, const struct convc_problem *p, const char *plan,
                                int32_t show, char **text)
{
    struct diag d = { 0 };
    struct subject s;
    struct plan chosen;
    struct tune_winner winner;
    bool tuned = false;
    struct text t = { 0 };
    if (!cx || !p || !text)
        return api_fail_with(CONVC_ERR_ARGUMENT,
                             "convc_explain: context, problem and text must be given");
    enum convc_status st = consider(cx, p, &s, &d);
    if (st == CONVC_OK && plan)
        st = context_force_plan(cx, &s.problem, plan, &chosen, &d);
    else if (st == CONVC_OK)
        tuned = tuning_plan(&cx->tuning, &s.problem, s.target, &chosen, &winner);
    if (st == CONVC_OK && !plan && !tuned)
        chosen = s.candidates.list[0].plan;
    if (st == CONVC_OK && (show & CONVC_SHOW_PROBLEM))
        add_problem(&t, &s.problem);
    if (st == CONVC_OK && (show & CONVC_SHOW_PLAN))
        add_plan(&t, &s, &chosen, tuned ? &winner : NULL);
    if (st == CONVC_OK && (show & CONVC_SHOW_IR))
        st = add_code(&t, &s, &chosen, OBJECT_IR, "ir", &d);
    if (st == CONVC_OK && (show & CONVC_SHOW_ASM))
        st = add_code(&t, &s, &chosen, OBJECT_ASM, "assembly", &d);
    return finish(&s, &t, text, &d);
}
