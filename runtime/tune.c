#include "runtime/tune.h"

#include "gen/base/memory.h"
#include "gen/out/object.h"
#include "runtime/clock.h"

#include <math.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* One turn of a contender in a round. */
static const double turn_milliseconds = 1;

/* Measurements that are made before their pace is believed. */
enum { PACED = 4 };

/* A round may take this long, and so many runs of the base by each contender. */
static const double round_seconds = 5, round_slack = 40;

/* ---- who is in which place of the measurer --------------------------------------------------- */

enum { PLACES = MEASURER_SLOTS };

struct work {
    struct tune_space *s;
    struct tune_order *o;
    struct {
        size_t plan;
        int64_t used; /* 0: empty */
    } place[PLACES];
    int64_t clock;
    double base_seconds;
    uint64_t refused; /* allocations when it began */
    bool stopped;     /* by who ordered it         */
    char machine[64];
};

/* What went wrong because memory was out in this process says nothing of any plan. */
static enum convc_status check_memory(const struct work *w, struct diag *d)
{
    return memory_refused() != w->refused ? diag_memory(d) : d->status;
}

static bool look(void *data)
{
    struct work *w = data;
    w->stopped = w->o->waiting && w->o->waiting(w->o->data, w->s, w->o);
    return w->stopped;
}

/* Begins, or begins again after a child is gone. */
static enum measurer_answer give_problem(struct work *w, struct text *why, struct diag *d)
{
    memset(w->place, 0, sizeof w->place);
    measurer_patience(w->o->measurer, w->o->patience);
    enum measurer_answer answer = measurer_problem(w->o->measurer, w->s->problem, why);
    if (check_memory(w, d) == CONVC_OK && answer != MEASURER_OK && answer != MEASURER_STOPPED)
        diag_fail(d, CONVC_ERR_INTERNAL, "the problem cannot be measured: %s",
                  why->data ? why->data : "");
    return answer;
}

/* The place of a plan, compiled and checked; the one that was not used for longest is given up. */
static enum measurer_answer place_plan(struct work *w, size_t plan, int *slot, struct text *why)
{
    int oldest = 0;
    for (int i = 0; i < PLACES; i++) {
        if (w->place[i].used && w->place[i].plan == plan) {
            w->place[i].used = ++w->clock;
            *slot = i;
            return MEASURER_OK;
        }
        if (w->place[i].used < w->place[oldest].used)
            oldest = i;
    }
    w->place[oldest].used = 0;
    measurer_patience(w->o->measurer, w->o->patience);
    enum measurer_answer answer = measurer_plan(w->o->measurer, oldest, w->s->plan[plan].text, why);
    if (answer == MEASURER_OK) {
        w->place[oldest].plan = plan;
        w->place[oldest].used = ++w->clock;
    }
    *slot = oldest;
    return answer;
}

/* ---- one measurement ------------------------------------------------------------------------- */

enum { CONTENDERS = 3, ROUNDS_MAX = 64 };

/* The plan, the base and, where that is another, the incumbent; `answer` is about the plan. */
struct race {
    size_t contender[CONTENDERS];
    int slot[CONTENDERS], count, rounds;
    double seconds[ROUNDS_MAX * CONTENDERS];
};

static void median_of(const struct race *r, int which, int by, double *median, double *low,
                      double *high)
{
    double value[ROUNDS_MAX];
    for (int i = 0; i < r->rounds; i++) {
        const double *round = &r->seconds[i * r->count];
        value[i] = by < 0 ? round[which] : round[which] / round[by];
    }
    tune_median(value, r->rounds, median, low, high);
}

static bool gone(enum measurer_answer answer)
{
    return answer == MEASURER_CRASHED || answer == MEASURER_HUNG;
}

static enum measurer_answer base_fails(const struct work *w, size_t plan,
                                       enum measurer_answer answer, const struct text *why,
                                       struct diag *d)
{
    if (check_memory(w, d) == CONVC_OK && answer != MEASURER_STOPPED)
        diag_fail(d, CONVC_ERR_INTERNAL, "the plan %s, which others are measured against: %s",
                  w->s->plan[plan].text, why->data ? why->data : "it fails");
    return answer;
}

/* *about is the plan that the answer is about: the contender whose turn it is, or one of those that
 * it is measured against. */
static enum measurer_answer try_race(struct work *w, struct race *r, size_t *about,
                                     struct text *why)
{
    for (int i = r->count - 1; i >= 0; i--) {
        *about = r->contender[i];
        enum measurer_answer answer = place_plan(w, r->contender[i], &r->slot[i], why);
        if (answer != MEASURER_OK)
            return answer;
    }
    measurer_patience(w->o->measurer, round_seconds + round_slack * r->count * w->base_seconds);
    return measurer_race(w->o->measurer, r->rounds, turn_milliseconds, r->slot, r->count,
                         r->seconds, why);
}

/* A child that ends, or that fails with plans which have been fine, may have been spoilt by a plan
 * of before: nobody is blamed for what does not happen in a new one. */
static enum measurer_answer race_plan(struct work *w, struct race *r, size_t *about,
                                      struct text *why, struct diag *d)
{
    enum measurer_answer answer = try_race(w, r, about, why);
    bool doubtful =
        answer == MEASURER_FAILED || answer == MEASURER_CRASHED || *about != r->contender[0];
    if (answer != MEASURER_OK && answer != MEASURER_STOPPED && doubtful) {
        answer = give_problem(w, why, d);
        if (answer == MEASURER_OK)
            answer = try_race(w, r, about, why);
    }
    if (answer != MEASURER_OK && d->status == CONVC_OK && *about == w->s->base)
        base_fails(w, *about, answer, why, d);
    return answer;
}

static enum tune_outcome outcome_of(enum measurer_answer answer)
{
    switch (answer) {
    case MEASURER_OK: return TUNE_MEASURED;
    case MEASURER_WRONG: return TUNE_WRONG;
    case MEASURER_CRASHED: return TUNE_CRASHED;
    case MEASURER_HUNG: return TUNE_HUNG;
    case MEASURER_REFUSED:
    case MEASURER_FAILED:
    case MEASURER_STOPPED: break;
    }
    return TUNE_REFUSED;
}

static void fill_times(struct work *w, const struct race *r, struct tune_row *row)
{
    double ignored[2];
    median_of(r, 0, -1, &row->seconds, &ignored[0], &ignored[1]);
    median_of(r, 1, -1, &row->base_seconds, &ignored[0], &ignored[1]);
    median_of(r, 0, 1, &row->ratio, &row->low, &row->high);
    if (r->count > 2)
        median_of(r, 0, 2, &row->incumbent_ratio, &row->incumbent_low, &row->incumbent_high);
    w->base_seconds = row->base_seconds;
}

static struct tune_row blank_row(const struct work *w, const struct tune_step *step)
{
    const struct tune_space *s = w->s;
    return (struct tune_row){ .problem = s->problem,
                              .target = s->target,
                              .convc = tune_db_convc(),
                              .llvm = object_llvm_version(),
                              .plan = s->plan[step->plan].text,
                              .base = s->plan[s->base].text,
                              .rung = step->rung,
                              .seconds = NAN,
                              .base_seconds = NAN,
                              .ratio = NAN,
                              .low = NAN,
                              .high = NAN,
                              .incumbent = "",
                              .incumbent_ratio = NAN,
                              .incumbent_low = NAN,
                              .incumbent_high = NAN,
                              .predicted = s->plan[step->plan].predicted,
                              .note = "",
                              .machine = w->machine,
                              .at = (int64_t)time(NULL) };
}

static struct race make_race(const struct work *w, const struct tune_step *step)
{
    const struct tune_space *s = w->s;
    size_t incumbent = tune_incumbent(s->plan, s->count);
    struct race r = { .rounds = tune_rounds(step->rung), .count = 2 };
    r.contender[0] = step->plan;
    r.contender[1] = s->base;
    if (incumbent != s->base && incumbent != step->plan)
        r.contender[r.count++] = incumbent;
    return r;
}

/* Measures one plan and keeps what came out. */
static enum convc_status measure(struct work *w, const struct tune_step *step, struct diag *d)
{
    struct text why = { 0 };
    struct race r = make_race(w, step);
    struct tune_step about = *step;
    enum measurer_answer answer = race_plan(w, &r, &about.plan, &why, d);
    if (about.plan != step->plan)
        about.rung = w->s->plan[about.plan].rung;
    struct tune_row row = blank_row(w, &about);
    check_memory(w, d);
    if (d->status == CONVC_OK && !w->stopped) {
        row.outcome = outcome_of(answer);
        row.rounds = answer == MEASURER_OK ? r.rounds : 0;
        row.note = answer != MEASURER_OK && why.data ? why.data : "";
        if (r.count > 2 && about.plan == step->plan)
            row.incumbent = w->s->plan[r.contender[2]].text;
        if (answer == MEASURER_OK)
            fill_times(w, &r, &row);
        tune_db_add(w->o->db, &row, d);
    }
    if (d->status == CONVC_OK && !w->stopped) {
        tune_space_take(w->s, &row);
        w->stopped = w->o->progress && w->o->progress(w->o->data, w->s, w->o, &row);
    }
    text_free(&why);
    why = (struct text){ 0 };
    if (d->status == CONVC_OK && gone(answer))
        give_problem(w, &why, d);
    text_free(&why);
    return d->status;
}

/* ---- one problem ----------------------------------------------------------------------------- */

/* Where time is the limit, as many as it should suffice for, by the pace so far. */
static int64_t trials_left(const struct tune_space *s, const struct tune_order *o, int64_t before,
                           int64_t now, double begin)
{
    double spent = clock_seconds() - begin;
    if (isinf(o->until) || now - before < PACED)
        return o->trials;
    double more = (o->until - clock_seconds()) / (spent / (double)(now - before));
    double all = (double)now + fmax(more, 0);
    if (all >= (double)tune_planned(s->own, o->trials))
        return o->trials;
    return tune_trials(s->own, (int64_t)all);
}

/* The first plan of all: nothing is measured where it cannot be. */
static enum convc_status begin(struct work *w, struct diag *d)
{
    struct text why = { 0 };
    int slot;
    if (give_problem(w, &why, d) == MEASURER_OK) {
        enum measurer_answer answer = place_plan(w, w->s->base, &slot, &why);
        if (answer != MEASURER_OK)
            base_fails(w, w->s->base, answer, &why, d);
    }
    text_free(&why);
    return d->status;
}

/* Is there something to measure, and time for it? */
static bool goes_on(const struct work *w, int64_t trials, struct tune_step *step)
{
    return !w->stopped && clock_seconds() < w->o->until &&
           tune_next(w->s->plan, w->s->count, trials, w->s->seed, step);
}

enum convc_status tune_run(struct tune_space *s, struct tune_order *o, struct diag *d)
{
    struct work *w = memory_zeroed(1, sizeof *w);
    struct tune_step step;
    int64_t before = tune_measured(s), trials = o->trials;
    double start = clock_seconds();
    if (!w)
        return diag_memory(d);
    w->s = s;
    w->o = o;
    w->refused = memory_refused();
    gethostname(w->machine, sizeof w->machine - 1);
    o->planned = tune_planned(s->own, trials);
    w->stopped = o->progress && o->progress(o->data, s, o, NULL);
    measurer_watch(o->measurer, look, w);
    if (goes_on(w, trials, &step))
        begin(w, d);
    while (d->status == CONVC_OK && goes_on(w, trials, &step)) {
        measure(w, &step, d);
        trials = trials_left(s, o, before, tune_measured(s), start);
        o->planned = tune_planned(s->own, trials);
    }
    measurer_watch(o->measurer, NULL, NULL);
    memory_free(w);
    return d->status;
}
