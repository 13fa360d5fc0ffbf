#include "runtime/cli/sweep.h"

#include "runtime/cli/execution.h"
#include "runtime/cli/here.h"
#include "runtime/cli/json.h"
#include "runtime/cli/layers.h"
#include "runtime/cli/meter.h"
#include "runtime/cli/shard.h"
#include "runtime/cli/stream.h"
#include "runtime/cli/tune_report.h"

#include <convc/tuning.h>
#include <inttypes.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

/* Everything that a sweep and what it prints are made of. */
struct sweep {
    const struct options *o;
    struct layers layers;
    size_t *first, *times; /* of every distinct convolution: its first layer, how many are equal */
    size_t count;
    struct shard shard;
    char *db;
    convc_context *cx;
    struct meter meter;
    int64_t made;       /* measurements of this run */
    int64_t begun_with; /* of the convolution under way */
    int failed, tuned;  /* convolutions */
    double seconds;     /* so far */
    double log_gain;    /* summed over all layers */
    size_t gain_layers;
};

/* ---- signals --------------------------------------------------------------------------------- */

static volatile sig_atomic_t signalled;

/* A launcher tells its child and then the child's group: what comes right behind is the same. */
static const double same_seconds = 0.3;

/* The second one ends the process at once. */
static void note_signal(int number)
{
    static volatile double first;
    if (!signalled) {
        first = seconds_now();
        signalled = number;
    } else if (seconds_now() - first > same_seconds) {
        signal(number, SIG_DFL);
        raise(number);
    }
}

/* ---- what is tuned --------------------------------------------------------------------------- */

/* Layers that compute the same are tuned once. */
static enum exit_code find_distinct(struct sweep *s, struct failure *f)
{
    size_t layers = s->layers.count;
    char **text = calloc(layers + 1, sizeof *text);
    s->first = calloc(layers + 1, sizeof *s->first);
    s->times = calloc(layers + 1, sizeof *s->times);
    enum exit_code code = text && s->first && s->times ? EXIT_FINE : fail_memory(f);
    for (size_t i = 0; code == EXIT_FINE && i < layers; i++) {
        size_t j = 0;
        code = layer_text(s->o, &s->layers.layer[i], &text[i], f);
        while (code == EXIT_FINE && j < s->count && strcmp(text[s->first[j]], text[i]))
            j++;
        if (code == EXIT_FINE && j == s->count)
            s->first[s->count++] = i;
        s->times[j]++;
    }
    for (size_t i = 0; text && i < layers; i++)
        convc_text_free(text[i]);
    free(text);
    return code;
}

static enum exit_code sweep_open(struct sweep *s, const struct options *o, struct failure *f)
{
    *s = (struct sweep){ .o = o };
    enum exit_code code = shard_read(o->shard, &s->shard, f);
    if (code == EXIT_FINE)
        code = layers_load(o, NULL, 0, &s->layers, f);
    if (code == EXIT_FINE)
        code = find_distinct(s, f);
    if (code == EXIT_FINE && o->db && !(s->db = shard_path(o->db, &s->shard)))
        code = fail_memory(f);
    struct options named = *o;
    named.db = s->db;
    named.no_cache = true;
    return code ? code : context_open(&named, o->target, CONVC_NEW_TUNING_DB, &s->cx, f);
}

static void sweep_close(struct sweep *s)
{
    convc_context_destroy(s->cx);
    layers_free(&s->layers);
    free(s->first);
    free(s->times);
    free(s->db);
}

static const char *name_of(const struct sweep *s, size_t problem)
{
    return s->layers.layer[s->first[problem]].problem.name;
}

/* ---- while it runs --------------------------------------------------------------------------- */

static void print_object(const struct sweep *s, const struct convc_tune_progress *p)
{
    struct json j;
    char *text = NULL;
    convc_problem_text(&s->layers.layer[s->first[p->problem]].problem, &text);
    json_begin(&j, stdout);
    json_text(&j, "name", name_of(s, p->problem));
    json_text(&j, "problem", text);
    json_text(&j, "plan", p->best);
    json_real(&j, "ratio", p->ratio);
    json_real(&j, "low", p->low);
    json_real(&j, "high", p->high);
    json_whole(&j, "plans", p->plans);
    json_whole(&j, "measured", p->measured);
    json_whole(&j, "new", p->measured - s->begun_with);
    json_whole(&j, "times", (int64_t)s->times[p->problem]);
    json_text(&j, "trouble", p->trouble[0] ? p->trouble : NULL);
    json_end(&j);
    convc_text_free(text);
}

/* What was found for one convolution. */
static void print_line(struct sweep *s, const struct convc_tune_progress *p)
{
    if (s->o->json) {
        print_object(s, p);
    } else if (p->event == CONVC_TUNE_FAILED) {
        printf("%-28s %s\n", name_of(s, p->problem), p->trouble);
    } else {
        printf("%-28s %4" PRId64 " measured, %4" PRId64 " plans  %.3f (%.3f..%.3f)  %s%s\n",
               name_of(s, p->problem), p->measured, p->plans, 1 / p->ratio, 1 / p->high, 1 / p->low,
               p->best, p->ratio < 1 ? "" : "  (the cost model's)");
    }
    fflush(stdout);
}

static void count_problem(struct sweep *s, const struct convc_tune_progress *p)
{
    if (p->event == CONVC_TUNE_FAILED) {
        s->failed++;
        return;
    }
    s->tuned++;
    s->log_gain += (double)s->times[p->problem] * log(1 / p->ratio);
    s->gain_layers += s->times[p->problem];
}

static int on_progress(void *data, const struct convc_tune_progress *p)
{
    struct sweep *s = data;
    s->seconds = p->seconds;
    double here = p->planned > 0 ? (double)p->measured / (double)p->planned : 1;
    double share = ((double)p->problem + fmin(here, 1)) / (double)p->problems;
    if (p->event == CONVC_TUNE_BEGIN)
        s->begun_with = p->measured;
    if (p->event == CONVC_TUNE_MEASURED)
        s->made++;
    if (p->event == CONVC_TUNE_END || p->event == CONVC_TUNE_FAILED) {
        meter_wipe(&s->meter);
        count_problem(s, p);
        print_line(s, p);
    } else {
        meter_show(&s->meter, share, p->seconds_left, "%s %" PRId64 "/%" PRId64 "  best %.3f  %s",
                   name_of(s, p->problem), p->measured, p->planned, 1 / p->ratio, p->best);
    }
    return signalled != 0;
}

/* ---- the commands ---------------------------------------------------------------------------- */

static enum exit_code measure_all(struct sweep *s, struct failure *f)
{
    char path[4096 + 64];
    bool found = !getenv("CONVC_MEASURE") && here_program("convc-measure", path, sizeof path);
    struct convc_problem *problems = calloc(s->count + 1, sizeof *problems);
    struct convc_tune_options opt = { .struct_bytes = sizeof opt,
                                      .shard = s->shard.index,
                                      .shards = s->shard.count,
                                      .trials = s->o->trials,
                                      .seconds = s->o->budget,
                                      .patience = s->o->patience,
                                      .measure = found ? path : NULL,
                                      .progress = on_progress,
                                      .data = s };
    if (!problems)
        return fail_memory(f);
    for (size_t i = 0; i < s->count; i++)
        problems[i] = s->layers.layer[s->first[i]].problem;
    meter_begin(&s->meter);
    enum convc_status st = convc_tune(s->cx, problems, s->count, &opt);
    meter_wipe(&s->meter);
    free(problems);
    return st ? fail_status(f, st) : EXIT_FINE;
}

static enum exit_code read_evidence(struct sweep *s, struct evidence *e, struct failure *f)
{
    enum exit_code code = EXIT_FINE;
    for (size_t i = 0; code == EXIT_FINE && i < s->count; i++) {
        const struct layer *l = &s->layers.layer[s->first[i]];
        e[i] = (struct evidence){ .name = name_of(s, i), .db = s->db, .times = s->times[i] };
        enum convc_status st = evidence_read(&e[i], s->cx, &l->problem);
        if (st)
            code = layer_fail(s->o, l, st, convc_last_error(), f);
    }
    return code;
}

static enum exit_code report(struct sweep *s, FILE *out, struct failure *f)
{
    struct evidence *e = calloc(s->count + 1, sizeof *e);
    enum exit_code code = e ? read_evidence(s, e, f) : fail_memory(f);
    if (code == EXIT_FINE)
        code = tune_report_write(s->o, e, s->count, out, f);
    for (size_t i = 0; e && i < s->count; i++)
        evidence_free(&e[i]);
    free(e);
    return code;
}

/* A page that cannot be written is told before anything is measured. There is one of a sweep that
 * was interrupted, too. */
static enum exit_code measure_and_report(struct sweep *s, struct failure *f)
{
    struct stream_out out;
    if (!s->o->report)
        return measure_all(s, f);
    enum exit_code code = stream_create(s->o->report, &out, f);
    if (code)
        return code;
    code = measure_all(s, f);
    if (code == EXIT_FINE)
        code = report(s, out.stream, f);
    return stream_finish(&out, code, f);
}

static const char *plural(int64_t count)
{
    return count == 1 ? "" : "s";
}

static void print_end(const struct sweep *s)
{
    if (s->gain_layers)
        fprintf(stderr,
                "%d convolution%s, %zu layer%s: %.3f times as fast as the cost model's plans "
                "(geometric mean); %" PRId64 " new measurement%s in %s\n",
                s->tuned, plural(s->tuned), s->gain_layers, plural((int64_t)s->gain_layers),
                exp(s->log_gain / (double)s->gain_layers), s->made, plural(s->made), s->db);
    if (s->failed)
        fprintf(stderr, "%d convolution%s could not be measured\n", s->failed, plural(s->failed));
    if (!signalled && s->o->budget > 0)
        fprintf(stderr,
                "%.1f s of the time of %g s are over; the same command goes on from there\n",
                s->seconds, s->o->budget);
    if (signalled)
        fprintf(stderr,
                "stopped: every finished measurement is in %s; the same command goes on from "
                "there\n",
                s->db);
}

enum exit_code sweep_run(const struct options *o, struct failure *f)
{
    struct sweep s;
    enum exit_code code = sweep_open(&s, o, f);
    if (code == EXIT_FINE) {
        signal(SIGINT, note_signal);
        signal(SIGTERM, note_signal);
        code = measure_and_report(&s, f);
        print_end(&s);
    }
    if (code == EXIT_FINE && s.failed)
        code = EXIT_CHECK;
    sweep_close(&s);
    if (signalled) { /* whoever waits for this process learns what ended it */
        fflush(NULL);
        signal(signalled, SIG_DFL);
        raise(signalled);
    }
    return code;
}

static void dry_object(const struct sweep *s, size_t problem, const char *space, int64_t plans)
{
    struct json j;
    json_begin(&j, stdout);
    json_text(&j, "name", name_of(s, problem));
    json_whole(&j, "plans", plans);
    json_text(&j, "space", space);
    json_end(&j);
}

enum exit_code sweep_dry(const struct options *o, struct failure *f)
{
    struct sweep s;
    int64_t all = 0;
    enum exit_code code = sweep_open(&s, o, f);
    for (size_t i = 0; code == EXIT_FINE && i < s.count; i++) {
        const struct layer *l = &s.layers.layer[s.first[i]];
        char *space;
        enum convc_status st =
            convc_tune_space(s.cx, &l->problem, s.shard.index, s.shard.count, &space);
        if (st) {
            code = layer_fail(o, l, st, convc_last_error(), f);
            break;
        }
        int64_t plans = 0;
        for (const char *p = space; (p = strchr(p, '\n')); p++)
            plans++;
        all += plans;
        if (o->json)
            dry_object(&s, i, space, plans);
        else
            printf("%s\n%s\n", name_of(&s, i), space);
        convc_text_free(space);
    }
    if (code == EXIT_FINE)
        fprintf(stderr, "%zu convolution%s, %" PRId64 " plan%s\n", s.count,
                plural((int64_t)s.count), all, plural(all));
    sweep_close(&s);
    return code;
}
