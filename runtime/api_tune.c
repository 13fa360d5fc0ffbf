/* api_tune: sweeps over problems, and the plans that they would try.
 * Stands on: context, tune.
 */
#include "runtime/api.h"
#include "runtime/api_tuning.h"
#include "runtime/clock.h"
#include "runtime/context.h"
#include "runtime/tune.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const int64_t usual_trials = 40;
static const double usual_patience = 30;
static const int32_t shards_most = 65536;

/* ---- options --------------------------------------------------------------------------------- */

static enum convc_status check_shard(int32_t shard, int32_t shards, struct diag *d)
{
    if (shards < 1 || shards > shards_most || shard < 0 || shard >= shards)
        return diag_fail(d, CONVC_ERR_ARGUMENT,
                         "shard=%" PRId32 " of shards=%" PRId32 " must be 0 to shards-1, of 1 to "
                         "%" PRId32,
                         shard, shards, shards_most);
    return CONVC_OK;
}

static enum convc_status check_options(const struct convc_tune_options *o, struct diag *d)
{
    if (o->trials < 0)
        return diag_fail(d, CONVC_ERR_ARGUMENT, "trials=%" PRId64 " is negative", o->trials);
    if (!(o->seconds >= 0 && o->seconds < 1e9))
        return diag_fail(d, CONVC_ERR_ARGUMENT, "seconds=%g must be 0 to 1e9", o->seconds);
    if (!(o->patience >= 0 && o->patience < 1e6))
        return diag_fail(d, CONVC_ERR_ARGUMENT, "patience=%g must be 0 to 1e6", o->patience);
    return check_shard(o->shard, o->shards, d);
}

/* The caller's options, in full whatever version of the structure they come in. */
static enum convc_status read_options(const struct convc_tune_options *opt,
                                      struct convc_tune_options *full, struct diag *d)
{
    if (api_read("convc_tune_options", opt, full, sizeof *full, d) != CONVC_OK)
        return d->status;
    if (!full->shards)
        full->shards = 1;
    if (check_options(full, d) != CONVC_OK)
        return d->status;
    if (!full->trials)
        full->trials = full->seconds > 0 ? INT64_MAX / 4 : usual_trials;
    if (full->patience <= 0)
        full->patience = usual_patience;
    if (!full->measure)
        full->measure = secure_getenv("CONVC_MEASURE");
    if (!full->measure)
        full->measure = CONVC_MEASURE_PROGRAM;
    return CONVC_OK;
}

/* ---- telling how far it is ------------------------------------------------------------------- */

struct sweep {
    convc_context *cx;
    const struct convc_tune_options *o;
    size_t problem, problems;
    double begin;
    struct tune_db *db;
    struct measurer *measurer;
    int64_t made; /* measurements of this call */
    bool stopped;
};

/* By the pace so far, were the problems to come like this one; the budget's, where there is one. */
static double seconds_left(const struct sweep *s, int64_t measured, int64_t planned)
{
    double spent = clock_seconds() - s->begin;
    if (s->o->seconds > 0)
        return fmax(s->o->seconds - spent, 0);
    if (!s->made)
        return NAN;
    double pace = spent / (double)s->made;
    int64_t here = planned > measured ? planned - measured : 0;
    return pace * (double)(here + (int64_t)(s->problems - s->problem - 1) * planned);
}

static void tell(struct sweep *s, struct convc_tune_progress *p)
{
    p->struct_bytes = sizeof *p;
    p->problem = s->problem;
    p->problems = s->problems;
    p->seconds = clock_seconds() - s->begin;
    p->seconds_left = seconds_left(s, p->measured, p->planned);
    if (s->o->progress && s->o->progress(s->o->data, p))
        s->stopped = true;
}

static struct convc_tune_progress state_of(const struct tune_space *space, int64_t planned)
{
    const struct tune_plan *best = &space->plan[tune_incumbent(space->plan, space->count)];
    struct convc_tune_progress p = { .measured = tune_measured(space),
                                     .planned = planned,
                                     .plans = (int64_t)space->count,
                                     .best = best->text,
                                     .trouble = "" };
    p.ratio = best->base ? 1 : best->ratio;
    p.low = best->base ? 1 : best->low;
    p.high = best->base ? 1 : best->high;
    return p;
}

static int tell_measurement(void *data, const struct tune_space *space,
                            const struct tune_order *order, const struct tune_row *last)
{
    struct sweep *s = data;
    struct convc_measurement m;
    struct convc_tune_progress p = state_of(space, order->planned);
    p.event = last ? CONVC_TUNE_MEASURED : CONVC_TUNE_BEGIN;
    if (last) {
        s->made++;
        measurement_of(last, &m);
        p.last = &m;
    }
    tell(s, &p);
    return s->stopped;
}

/* Where the time is over a measurement is not waited for: few are ended so, since each problem has
 * its share of the time. */
static int tell_waiting(void *data, const struct tune_space *space, const struct tune_order *order)
{
    struct sweep *s = data;
    struct convc_tune_progress p = state_of(space, order->planned);
    p.event = CONVC_TUNE_WAITING;
    tell(s, &p);
    return s->stopped || (s->o->seconds > 0 && p.seconds > s->o->seconds);
}

/* ---- one problem after the other ------------------------------------------------------------- */

/* Shares of the time that is left, and of the measurements. */
static struct tune_order order_for(struct sweep *s)
{
    double now = clock_seconds(), left = s->begin + s->o->seconds - now;
    return (struct tune_order){
        .db = s->db,
        .measurer = s->measurer,
        .trials = (s->o->trials - 1) / s->o->shards + 1,
        .until = s->o->seconds > 0 ? now + left / (double)(s->problems - s->problem) : INFINITY,
        .patience = s->o->patience,
        .progress = tell_measurement,
        .waiting = tell_waiting,
        .data = s,
    };
}

/* Trouble with one problem is told and does not end the sweep; what the database or memory lacks
 * does. */
static enum convc_status tune_problem(struct sweep *s, const struct problem *p, struct diag *d)
{
    struct tune_space space = { 0 };
    struct tune_order order = order_for(s);
    struct diag trouble = { 0 };
    enum convc_status st =
        tune_space_create(p, &s->cx->machine->target, s->o->shard, s->o->shards, &space, &trouble);
    if (st == CONVC_OK)
        st = tune_space_read(&space, s->db, &trouble);
    if (st == CONVC_OK)
        st = tune_run(&space, &order, &trouble);
    if (st == CONVC_ERR_MEMORY || st == CONVC_ERR_IO || st == CONVC_ERR_ARGUMENT) {
        diag_fail(d, st, "%s", trouble.text);
    } else if (st != CONVC_OK) {
        struct convc_tune_progress told = { .event = CONVC_TUNE_FAILED,
                                            .best = "",
                                            .ratio = NAN,
                                            .low = NAN,
                                            .high = NAN,
                                            .trouble = trouble.text };
        tell(s, &told);
    } else if (!s->stopped) {
        struct convc_tune_progress told = state_of(&space, order.planned);
        told.event = CONVC_TUNE_END;
        tell(s, &told);
    }
    tune_space_free(&space);
    return d->status;
}

static enum convc_status open_sweep(struct sweep *s, struct diag *d)
{
    const struct machine *m = s->cx->machine;
    const struct measurer_options how = {
        .program = s->o->measure, .target = m->target_text, .threads = 1, .patience = s->o->patience
    };
    if (m->foreign.status != CONVC_OK)
        return diag_fail(d, m->foreign.status, "%s", m->foreign.text);
    if (!s->cx->tuning.path)
        return diag_fail(d, CONVC_ERR_ARGUMENT,
                         "convc_tune: the context was created without a tuning_db");
    if (measurer_start(&how, &s->measurer, d) != CONVC_OK)
        return d->status;
    return tune_db_open(s->cx->tuning.path, true, &s->db, d);
}

/* Every problem is checked before the first is measured. */
static enum convc_status check_problems(const struct convc_problem *problems, size_t count,
                                        struct diag *d)
{
    struct problem p;
    for (size_t i = 0; i < count; i++) {
        if (problem_resolve(&problems[i], &p, d) != CONVC_OK)
            return d->status;
    }
    return CONVC_OK;
}

enum convc_status convc_tune(convc_context *cx, const struct convc_problem *problems, size_t count,
                             const struct convc_tune_options *opt)
{
    struct diag d = { 0 };
    struct convc_tune_options o;
    struct problem p;
    if (!cx || (!problems && count))
        return api_fail_with(CONVC_ERR_ARGUMENT, "convc_tune: context and problems must be given");
    if (read_options(opt, &o, &d) != CONVC_OK || check_problems(problems, count, &d) != CONVC_OK)
        return api_fail(&d);
    struct sweep s = { .cx = cx, .o = &o, .problems = count, .begin = clock_seconds() };
    open_sweep(&s, &d);
    for (; d.status == CONVC_OK && !s.stopped && s.problem < count; s.problem++) {
        if (problem_resolve(&problems[s.problem], &p, &d) == CONVC_OK)
            tune_problem(&s, &p, &d);
    }
    measurer_stop(s.measurer);
    tune_db_close(s.db);
    if (s.made)
        tuning_renew(&cx->tuning, &d);
    return api_fail(&d);
}

/* ---- what would be tried --------------------------------------------------------------------- */

enum convc_status convc_tune_space(convc_context *cx, const struct convc_problem *p, int32_t shard,
                                   int32_t shards, char **text)
{
    struct diag d = { 0 };
    struct problem problem;
    struct tune_space s = { 0 };
    struct text t = { 0 };
    if (!cx || !p || !text)
        return api_fail_with(CONVC_ERR_ARGUMENT,
                             "convc_tune_space: context, problem and text must be given");
    if (check_shard(shard, shards, &d) == CONVC_OK && problem_resolve(p, &problem, &d) == CONVC_OK)
        tune_space_create(&problem, &cx->machine->target, shard, shards, &s, &d);
    for (size_t i = 0; d.status == CONVC_OK && i < s.count; i++) {
        if (s.plan[i].base || s.plan[i].own)
            text_add(&t, "%.3f %s\n", s.plan[i].predicted, s.plan[i].text);
    }
    tune_space_free(&s);
    char *lines = d.status == CONVC_OK ? text_take(&t) : NULL;
    text_free(&t);
    if (d.status == CONVC_OK && !lines)
        diag_memory(&d);
    if (d.status == CONVC_OK)
        *text = lines;
    return api_fail(&d);
}
