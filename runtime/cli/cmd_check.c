/* check: every kernel against the reference.
 *
 * Problems of specs are checked one after another, with all threads on the reference; random ones
 * side by side. Problems that are equal in all but their name are checked once and counted each.
 * Problems of specs are checked on every target, random ones on one of them.
 */
#include "runtime/cli/check_random.h"
#include "runtime/cli/command.h"
#include "runtime/cli/layers.h"
#include "runtime/cli/parallel.h"
#include "runtime/cli/spread.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TARGETS_MAX = 16, TARGET_TEXT = 640, SHRINKS = 8 };

/* Levels of x86-64 that random problems are dealt to where nothing else is asked for. */
static const char *const levels[] = { "x86-64-v4", "x86-64-v3", "x86-64" };
enum { LEVELS = sizeof levels / sizeof *levels };

struct check {
    const struct options *o;
    convc_context *cx[TARGETS_MAX + LEVELS];
    size_t cx_count;      /* for the problems of specs */
    size_t cx_count_more; /* and for random ones */
    struct random_check random;
    int64_t total;

    pthread_mutex_t lock; /* of all below, and of standard output */
    int64_t passed, failed, dull;
    struct spread spread;
    enum exit_code code; /* not EXIT_FINE: stop */
    struct failure f;
};

static bool stopped(struct check *c)
{
    pthread_mutex_lock(&c->lock);
    bool stop = c->code != EXIT_FINE;
    pthread_mutex_unlock(&c->lock);
    return stop;
}

/* Counts a problem and prints what it has to say. */
static void count(struct check *c, bool failed, const char *lines, const struct result *r)
{
    pthread_mutex_lock(&c->lock);
    if (failed)
        c->failed++;
    else
        c->passed++;
    fputs(lines, stdout);
    if (c->o->json)
        result_json(r, stdout);
    if (isatty(STDERR_FILENO))
        fprintf(stderr, "\r\033[Kcheck: %" PRId64 " of %" PRId64 ", %" PRId64 " failed",
                c->passed + c->failed, c->total, c->failed);
    pthread_mutex_unlock(&c->lock);
}

static void stop(struct check *c, enum exit_code code, const struct failure *f)
{
    pthread_mutex_lock(&c->lock);
    c->code = code;
    c->f = *f;
    pthread_mutex_unlock(&c->lock);
}

/* A problem and what became of it. */
struct outcome {
    bool failed;
    char *lines;
    struct result result;
};

static void outcome_free(struct outcome *out)
{
    free(out->lines);
    result_free(&out->result);
}

static void check_layer(struct check *c, const struct layer *layer, struct outcome *out)
{
    const struct convc_problem *p = &layer->problem;
    struct failure f = { 0 };
    struct trial t = { .o = c->o,
                       .cx = c->cx,
                       .cx_count = c->cx_count,
                       .threads = options_threads(c->o),
                       .plan = c->o->plan };
    enum exit_code code = trial_told(&t, p, &out->lines, &f);
    out->failed = t.failed;
    out->result = t.result;
    if (layer_blame(c->o, layer, code, &f))
        stop(c, code, &f);
    else
        count(c, out->failed, out->lines, &out->result);
}

/* ---- specs ---------------------------------------------------------------------------------- */

/* Counts layer i like an earlier equal one, if there is one. */
static bool seen_before(struct check *c, const struct layers *l, const struct outcome *outcomes,
                        size_t i)
{
    char *text;
    bool found = false;
    if (convc_problem_text(&l->layer[i].problem, &text))
        return false;
    for (size_t j = 0; j < i && !found; j++) {
        const struct outcome *earlier = &outcomes[j];
        if (!earlier->result.problem || strcmp(earlier->result.problem, text))
            continue;
        struct result r = earlier->result;
        memcpy(r.name, l->layer[i].problem.name, sizeof r.name);
        count(c, earlier->failed, earlier->lines, &r);
        found = true;
    }
    convc_text_free(text);
    return found;
}

static void check_layers(struct check *c, const struct layers *l)
{
    struct failure f;
    struct outcome *outcomes = calloc(l->count + 1, sizeof *outcomes);
    if (!outcomes) {
        stop(c, fail_memory(&f), &f);
        return;
    }
    for (size_t i = 0; i < l->count && !stopped(c); i++)
        if (!seen_before(c, l, outcomes, i))
            check_layer(c, &l->layer[i], &outcomes[i]);
    for (size_t i = 0; i < l->count; i++)
        outcome_free(&outcomes[i]);
    free(outcomes);
}

/* ---- random problems ------------------------------------------------------------------------ */

static void check_random(void *argument, int64_t begin, int64_t end)
{
    struct check *c = argument;
    struct failure f = { 0 };
    struct drawn *d = calloc(1, sizeof *d);
    if (!d)
        stop(c, fail_memory(&f), &f);
    for (int64_t i = begin; d && i < end && !stopped(c); i++) {
        enum exit_code code = check_drawn(&c->random, c->o->first + i, d, &f);
        if (code) {
            stop(c, code, &f);
        } else {
            count(c, d->failed, d->lines, &d->result);
            pthread_mutex_lock(&c->lock);
            c->dull += d->dull;
            spread_add(&c->spread, &d->problem, &d->result, convc_context_target(d->cx));
            pthread_mutex_unlock(&c->lock);
        }
        drawn_free(d);
    }
    free(d);
}

/* Of what kinds they were, and that their outputs say something. */
static enum exit_code print_spread(struct check *c, struct failure *f)
{
    printf("%" PRId64 " random problems, each with at least one in %d outputs that is not 0; "
           "besides, %" PRId64 " whose outputs are nearly all 0\n",
           c->o->random, TELLING, c->dull);
    return spread_print(&c->spread, stdout) ? EXIT_FINE : fail_memory(f);
}

/* ---- the command ---------------------------------------------------------------------------- */

/* Can this machine run code for the context's target? */
static bool runs_here(convc_context *cx)
{
    struct convc_problem p;
    convc_kernel *k = NULL;
    convc_problem_init(&p);
    enum convc_status st = convc_compile(cx, &p, NULL, &k);
    convc_kernel_release(k);
    return st == CONVC_OK;
}

/* Opens contexts for the levels of x86-64 that this machine has. */
static void open_levels(struct check *c)
{
    for (int i = 0; i < LEVELS; i++) {
        struct failure none;
        convc_context *cx = NULL;
        if (context_open(c->o, levels[i], CONVC_NO_DISK_CACHE, &cx, &none))
            continue;
        if (runs_here(cx))
            c->cx[c->cx_count + c->cx_count_more++] = cx;
        else
            convc_context_destroy(cx);
    }
}

/* Opens a context for each target of the list; no list is this machine. */
static enum exit_code open_contexts(struct check *c, struct failure *f)
{
    const struct options *o = c->o;
    /* Kernels that nobody will ask for again do not belong on the disk. */
    int32_t flags = o->random || o->all_plans ? CONVC_NO_DISK_CACHE : 0;
    enum exit_code code = EXIT_FINE;
    if (!o->target)
        return context_open(o, NULL, flags, &c->cx[c->cx_count++], f); /* NULL where it fails */
    for (const char *at = o->target; code == EXIT_FINE && at;) {
        char target[TARGET_TEXT];
        size_t length = strcspn(at, ",");
        if (!length)
            return fail(f, EXIT_USAGE, "--target=%.200s names an empty target", o->target);
        if (c->cx_count == TARGETS_MAX || length >= sizeof target)
            return fail(f, EXIT_USAGE, "--target=%.200s is too long a list", o->target);
        memcpy(target, at, length);
        target[length] = 0;
        code = context_open(o, target, flags, &c->cx[c->cx_count], f);
        if (code == EXIT_FINE)
            c->cx_count++;
        at = at[length] ? at + length + 1 : NULL;
    }
    return code;
}

static enum exit_code run_checks(struct check *c, const struct layers *l, struct failure *f)
{
    const int64_t random = c->o->random;
    c->total = (int64_t)l->count + random;
    pthread_mutex_init(&c->lock, NULL);
    check_layers(c, l);
    c->random = (struct random_check){
        .o = c->o, .cx = c->cx, .cx_count = c->cx_count + c->cx_count_more, .shrinks = SHRINKS
    };
    if (random && !stopped(c))
        parallel_ranges(options_threads(c->o), random, 1, check_random, c);
    pthread_mutex_destroy(&c->lock);
    if (isatty(STDERR_FILENO))
        fputs("\r\033[K", stderr);
    if (c->code) {
        *f = c->f;
        return c->code;
    }
    if (random && print_spread(c, f))
        return EXIT_SYSTEM;
    printf("%" PRId64 " passed, %" PRId64 " failed\n", c->passed, c->failed);
    return c->failed ? EXIT_CHECK : EXIT_FINE;
}

enum exit_code cmd_check(const struct options *o, struct failure *f)
{
    struct layers l = { 0 };
    struct check *c = calloc(1, sizeof *c);
    if (!c)
        return fail_memory(f);
    c->o = o;
    enum exit_code code = EXIT_FINE;
    if (!o->word_count && !o->random)
        code = fail(f, EXIT_USAGE, "check needs specs or --random N; see convc check --help");
    else if (o->plan && o->all_plans)
        code = fail(f, EXIT_USAGE, "--plan and --all-plans exclude each other");
    else if (o->first > INT64_MAX - o->random)
        code = fail(f, EXIT_USAGE, "--first and --random together are past 2^63-1");
    if (code == EXIT_FINE)
        code = layers_load(o, NULL, 0, &l, f);
    if (code == EXIT_FINE)
        code = open_contexts(c, f);
    if (code == EXIT_FINE && o->random && !o->target)
        open_levels(c);
    if (code == EXIT_FINE)
        code = run_checks(c, &l, f);
    spread_free(&c->spread);
    for (size_t i = 0; i < c->cx_count + c->cx_count_more; i++)
        convc_context_destroy(c->cx[i]);
    free(c);
    layers_free(&l);
    return code;
}
