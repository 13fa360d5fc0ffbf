#include "bench/contest.h"

#include "runtime/cli/element.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What any order of summation in f32 stays far below, in units of `judge`. */
static const double peer_bound = 1e-5;

/* How far the ratio of fastest runs may be from the median of the rounds, and how often a race is
 * run again for it. */
static const double off_most = 0.1;
static const int tries_most = 2;

/* ---- who takes part -------------------------------------------------------------------------- */

static const struct peer_entry *find_entry(const char *name, size_t length)
{
    for (int i = 0; i < peer_count; i++)
        if (strlen(peer_entries[i].name) == length && !strncmp(peer_entries[i].name, name, length))
            return &peer_entries[i];
    return NULL;
}

bool field_has(const struct field *field, int peer)
{
    return !field->missing[peer].text[0];
}

static enum exit_code read_names(const char *list, struct field *field, struct failure *f)
{
    for (const char *p = list;;) {
        size_t length = strcspn(p, ",");
        const struct peer_entry *e = find_entry(p, length);
        if (!e)
            return fail(f, EXIT_USAGE, "--peers=%s: %.*s is no peer; see convc bench --help", list,
                        (int)length, p);
        bool known = false;
        for (int i = 0; i < field->count; i++)
            known = known || field->entry[i] == e;
        if (!known)
            field->entry[field->count++] = e;
        if (!p[length])
            return EXIT_FINE;
        p += length + 1;
    }
}

static void find_peers(struct field *field)
{
    for (int i = 0; i < field->count; i++) {
        const struct peer_entry *e = field->entry[i];
        if (!e->peer)
            fail(&field->missing[i], EXIT_SYSTEM, "%s: this build was made without %s", e->name,
                 e->library);
        else if (e->peer->start)
            e->peer->start(&field->missing[i]);
    }
}

enum exit_code field_read(const char *list, struct field *field, struct failure *f)
{
    *field = (struct field){ 0 };
    if (list && !strcmp(list, "none"))
        return EXIT_FINE;
    for (int i = 0; !list && i < peer_count; i++)
        if (!peer_entries[i].peer || !peer_entries[i].peer->when_named)
            field->entry[field->count++] = &peer_entries[i];
    enum exit_code code = list ? read_names(list, field, f) : EXIT_FINE;
    if (code)
        return code;
    find_peers(field);
    bool there = !list;
    for (int i = 0; i < field->count; i++)
        there = there || field_has(field, i);
    return there ? EXIT_FINE : fail(f, EXIT_SYSTEM, "%s", field->missing[0].text);
}

/* ---- one convolution ------------------------------------------------------------------------- */

/* A peer in one layout. */
struct entrant {
    const struct peer *peer;
    struct peer_run run;
    struct failure why; /* its first failure while it was timed */
};

/* Everything about the contest that its functions share. */
struct arena {
    struct job job;
    struct peer_task task;
    float *array[OPERANDS];
    struct expectation all; /* convc's own outputs, as what a peer should come to */
    struct entrant entrant[2 * PEERS_MAX];
    struct racer racer[2 + 2 * PEERS_MAX];
    int entrants;
};

static enum exit_code make_task(struct arena *a, struct failure *f)
{
    const struct convc_problem *p = &a->job.layer->problem;
    for (int i = 0; i < OPERANDS; i++) {
        const struct array *from = &a->job.operands.array[i];
        if (!from->value)
            continue;
        a->array[i] = malloc((size_t)(from->count ? from->count : 1) * sizeof(float));
        if (!a->array[i])
            return fail_memory(f);
        for (int64_t k = 0; k < from->count; k++)
            a->array[i][k] = (float)from->value[k];
    }
    a->task = (struct peer_task){ .problem = p,
                                  .src = a->array[OPERAND_SRC],
                                  .wei = a->array[OPERAND_WEI],
                                  .bias = a->array[OPERAND_BIAS],
                                  .residual = a->array[OPERAND_RESIDUAL],
                                  .want = a->job.output.value,
                                  .threads = options_threads(a->job.o) };
    enum convc_status st = convc_problem_output(p, a->task.out);
    return st ? fail_status(f, st) : EXIT_FINE;
}

/* The scales of the job's expectation, and all outputs. */
static enum exit_code expect_ours(struct arena *a, struct failure *f)
{
    const struct array *ours = &a->job.output;
    int64_t *index = malloc((size_t)(ours->count ? ours->count : 1) * sizeof *index);
    if (!index)
        return fail_memory(f);
    for (int64_t i = 0; i < ours->count; i++)
        index[i] = i;
    a->all = (struct expectation){ .count = ours->count,
                                   .index = index,
                                   .want = ours->value,
                                   .scale = a->job.e.scale,
                                   .plane = a->job.e.plane };
    return EXIT_FINE;
}

/* Does the peer come to what convc comes to? Of whole numbers it may be one off. */
static enum exit_code compare(struct arena *a, struct entrant *e, struct peer_result *r,
                              struct failure *f)
{
    const struct convc_problem *p = &a->job.layer->problem;
    int64_t count = a->all.count;
    size_t room = (size_t)(count ? count : 1);
    float *out = malloc(room * sizeof *out);
    double *got = malloc(room * sizeof *got);
    struct verdict v = { 0 };
    struct convc_kernel_info info = a->job.x.info;
    info.error_bound += peer_bound;
    enum exit_code code = out && got ? e->peer->result(&e->run, out, f) : fail_memory(f);
    for (int64_t i = 0; code == EXIT_FINE && i < count; i++) {
        double want = a->all.want[i];
        bool near = element_whole(p->dst_dtype) && fabs((double)out[i] - want) <= 1;
        got[i] = near ? want : (double)out[i];
    }
    if (code == EXIT_FINE)
        judge(p, &a->all, got, &info, false, &v);
    free(out);
    free(got);
    r->max_error = fmax(r->max_error, v.max_error);
    r->different = r->different || v.wrong;
    if (code == EXIT_FINE && v.wrong)
        code = fail(f, EXIT_CHECK, "its results are different: output %lld is %g, convc's is %g",
                    (long long)v.index, v.got, v.want);
    return code;
}

static enum exit_code peer_work(void *entrant, struct failure *f)
{
    struct entrant *e = entrant;
    return e->peer->run(&e->run, f);
}

/* A failure stays with the peer, whose other layout may still do. */
static enum exit_code peer_turn(void *entrant, double seconds, double *fastest, struct failure *f)
{
    struct entrant *e = entrant;
    *fastest = INFINITY;
    enum exit_code code = EXIT_FINE;
    if (!e->why.text[0] && e->peer->turn)
        code = e->peer->turn(&e->run, seconds, fastest, &e->why);
    else if (!e->why.text[0])
        code = race_turn(peer_work, e, seconds, fastest, &e->why);
    if (code)
        *fastest = INFINITY;
    return EXIT_FINE;
}

/* Lets a peer take part in one layout; NULL, and the reason in the result, where it cannot. */
static struct entrant *enter(struct arena *a, enum peer_layout layout, struct peer_result *r)
{
    struct failure why = { 0 };
    struct entrant *e = &a->entrant[a->entrants];
    *e = (struct entrant){ .peer = r->entry->peer };
    enum exit_code code = e->peer->prepare(&a->task, layout, &e->run, &why);
    if (code == EXIT_FINE && e->peer->result) {
        code = compare(a, e, r, &why);
        if (code)
            e->peer->destroy(&e->run);
    }
    if (code) {
        if (!r->reason[0])
            snprintf(r->reason, sizeof r->reason, "%.*s", (int)sizeof r->reason - 1, why.text);
        return NULL;
    }
    a->racer[2 + a->entrants] =
        (struct racer){ .turn = peer_turn, .argument = e, .seconds = JOB_SECONDS };
    a->entrants++;
    return e;
}

/* Why a peer cannot take part, whatever it is. */
static const char *out_of_bounds(const struct convc_problem *p, const struct peer *peer)
{
    if (!p->n)
        return "the batch is empty";
    if (peer && peer->says_itself)
        return NULL;
    if (p->src_dtype != CONVC_F32 || p->dst_dtype != CONVC_F32 || p->acc_dtype != CONVC_F32)
        return "peers are measured in f32 only";
    if ((p->combine && *p->combine) || (p->reduce && *p->reduce) || (p->window && *p->window) ||
        (p->epilogue && *p->epilogue))
        return "peers know no functions of the user";
    return NULL;
}

/* The favourite layout, then the spec's where it is another. */
static void enter_layouts(struct arena *a, const struct failure *missing, struct peer_result *r)
{
    const char *why = out_of_bounds(&a->job.layer->problem, r->entry->peer);
    if (missing->text[0])
        why = missing->text;
    if (why)
        snprintf(r->reason, sizeof r->reason, "%.*s", (int)sizeof r->reason - 1, why);
    if (r->reason[0])
        return;
    struct entrant *favourite = enter(a, PEER_FAVOURITE, r);
    if (favourite) {
        r->creation_ms = favourite->run.creation_ms;
        r->apart = !favourite->run.in_spec_layout;
    }
    if (!r->different && !(favourite && favourite->run.in_spec_layout))
        enter(a, PEER_SPEC, r);
}

static struct peer_time time_of(const struct racer *ours, const struct racer *peer, int rounds)
{
    double quotient[RACE_ROUNDS];
    for (int i = 0; i < rounds; i++)
        quotient[i] = peer->round[i] / ours->round[i];
    return (struct peer_time){ .time_ms = peer->fastest * 1e3,
                               .ratio = peer->fastest / ours->fastest,
                               .median_ratio = race_median(quotient, rounds) };
}

static void take_time(const struct arena *a, int entrant, int rounds, struct peer_result *r)
{
    const struct entrant *e = &a->entrant[entrant];
    struct peer_time t = time_of(&a->racer[1], &a->racer[2 + entrant], rounds);
    if (e->peer != r->entry->peer || r->different)
        return;
    if (e->why.text[0]) {
        snprintf(r->reason, sizeof r->reason, "%.*s", (int)sizeof r->reason - 1, e->why.text);
        return;
    }
    if (!(r->best.time_ms <= t.time_ms)) {
        r->best = t;
        snprintf(r->layout, sizeof r->layout, "%s", e->run.layout);
    }
    if (e->run.in_spec_layout)
        r->spec = t;
}

/* Is any ratio of fastest runs far from the median of its rounds? */
static bool disturbed(const struct arena *a, int rounds)
{
    for (int i = 0; i < a->entrants; i++) {
        struct peer_time t = time_of(&a->racer[1], &a->racer[2 + i], rounds);
        double off = t.median_ratio / t.ratio;
        if (off > 1 + off_most || off < 1 / (1 + off_most))
            return true;
    }
    return false;
}

/* Again where it was disturbed; what was fastest before counts too. */
static enum exit_code race_undisturbed(struct arena *a, int *rounds, bool *was_disturbed,
                                       struct failure *f)
{
    double fastest[2 + 2 * PEERS_MAX];
    enum exit_code code = EXIT_FINE;
    *was_disturbed = true;
    for (int try = 0; code == EXIT_FINE && *was_disturbed && try < tries_most; try++) {
        code = race_run(a->racer, 2 + a->entrants, rounds, f);
        for (int i = 0; code == EXIT_FINE && i < 2 + a->entrants; i++) {
            struct racer *r = &a->racer[i];
            fastest[i] = r->fastest = try ? fmin(r->fastest, fastest[i]) : r->fastest;
        }
        *was_disturbed = code == EXIT_FINE && disturbed(a, *rounds);
    }
    return code;
}

static enum exit_code race(struct arena *a, struct contest *c, struct failure *f)
{
    a->racer[0] =
        (struct racer){ .turn = job_peak_turn, .argument = &a->job, .seconds = JOB_PEAK_SECONDS };
    a->racer[1] = (struct racer){ .turn = job_turn, .argument = &a->job, .seconds = JOB_SECONDS };
    enum exit_code code = race_undisturbed(a, &c->rounds, &c->disturbed, f);
    if (code)
        return code;
    memcpy(c->round, a->racer[1].round, sizeof c->round);
    job_timed(&a->job, &a->racer[1], &a->racer[0], c->rounds, &c->result);
    for (int i = 0; i < a->entrants; i++)
        for (int k = 0; k < c->peers; k++)
            take_time(a, i, c->rounds, &c->peer[k]);
    for (int k = 0; k < c->peers; k++) /* what one layout lacked is no matter where one was timed */
        if (!isnan(c->peer[k].best.time_ms))
            c->peer[k].reason[0] = 0;
    return EXIT_FINE;
}

static enum exit_code explain(const struct options *o, convc_context *cx, const struct layer *layer,
                              struct contest *c, struct failure *f)
{
    if (!o->report)
        return EXIT_FINE;
    enum convc_status st = convc_explain(cx, &layer->problem, o->plan, CONVC_SHOW_PLAN, &c->reason);
    return st ? fail_status(f, st) : EXIT_FINE;
}

static void arena_free(struct arena *a)
{
    for (int i = 0; i < a->entrants; i++)
        a->entrant[i].peer->destroy(&a->entrant[i].run);
    for (int i = 0; i < OPERANDS; i++)
        free(a->array[i]);
    free(a->all.index);
    job_free(&a->job);
    free(a);
}

enum exit_code contest_run(const struct options *o, convc_context *cx, const struct layer *layer,
                           const struct field *field, struct contest *c, struct failure *f)
{
    const struct peer_time unknown = { NAN, NAN, NAN };
    struct arena *a = calloc(1, sizeof *a);
    *c = (struct contest){ .peers = field->count };
    if (!a)
        return fail_memory(f);
    a->job = (struct job){ .o = o, .cx = cx, .layer = layer };
    enum exit_code code = job_prepare(&a->job, &c->result, f);
    if (code == EXIT_FINE)
        code = job_judge(&a->job, &c->result, f);
    if (code == EXIT_FINE)
        code = make_task(a, f);
    if (code == EXIT_FINE)
        code = expect_ours(a, f);
    for (int i = 0; code == EXIT_FINE && i < field->count; i++) {
        c->peer[i] = (struct peer_result){ .entry = field->entry[i],
                                           .best = unknown,
                                           .spec = unknown,
                                           .creation_ms = NAN,
                                           .max_error = NAN };
        enter_layouts(a, &field->missing[i], &c->peer[i]);
    }
    if (code == EXIT_FINE)
        code = race(a, c, f);
    if (code == EXIT_FINE)
        code = explain(o, cx, layer, c, f);
    arena_free(a);
    return code;
}

void contest_free(struct contest *c)
{
    result_free(&c->result);
    convc_text_free(c->reason);
    c->reason = NULL;
}
