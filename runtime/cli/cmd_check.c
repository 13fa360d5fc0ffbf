/* check: every kernel against the reference.
 *
 * Problems of specs are checked one after another, with all threads on the reference; random ones
 * side by side. Problems that are equal in all but their name are checked once and counted each.
 */
#include "runtime/cli/command.h"
#include "runtime/cli/layers.h"
#include "runtime/cli/parallel.h"
#include "runtime/cli/random.h"
#include "runtime/cli/trial.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TARGETS_MAX = 16, TARGET_TEXT = 640 };

struct check {
    const struct options *o;
    convc_context *cx[TARGETS_MAX];
    size_t cx_count;
    int64_t total;

    pthread_mutex_t lock; /* of all below, and of standard output */
    int64_t passed, failed;
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

/* `layer`: the convolution of the command line that it is, or NULL. */
static bool check_problem(struct check *c, const struct convc_problem *p, const struct layer *layer,
                          int threads, struct outcome *out)
{
    struct failure f = { 0 };
    size_t size;
    struct trial t = { .o = c->o,
                       .cx = c->cx,
                       .cx_count = c->cx_count,
                       .threads = threads,
                       .lines = open_memstream(&out->lines, &size) };
    enum exit_code code = t.lines ? trial_run(&t, p, &f) : fail_memory(&f);
    if (t.lines && fclose(t.lines) && code == EXIT_FINE)
        code = fail_memory(&f);
    out->failed = t.failed;
    out->result = t.result;
    if (code && layer)
        layer_blame(c->o, layer, code, &f);
    if (code)
        stop(c, code, &f);
    else
        count(c, out->failed, out->lines, &out->result);
    return code == EXIT_FINE;
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
            check_problem(c, &l->layer[i].problem, &l->layer[i], options_threads(c->o),
                          &outcomes[i]);
    for (size_t i = 0; i < l->count; i++)
        outcome_free(&outcomes[i]);
    free(outcomes);
}

/* ---- random problems ------------------------------------------------------------------------ */

static void check_random(void *argument, int64_t begin, int64_t end)
{
    struct check *c = argument;
    for (int64_t i = begin; i < end && !stopped(c); i++) {
        struct convc_problem p;
        struct outcome out = { 0 };
        struct random_texts texts;
        double weights[RANDOM_WEIGHTS];
        uint64_t seed = random_at((uint64_t)c->o->seed, (uint64_t)i);
        random_problem(seed, &p);
        if (i % 4 == 3)
            random_functions(seed, &p, &texts);
        if (i % 8 >= 6 && !p.window)
            random_constants(seed, &p, weights);
        check_problem(c, &p, NULL, 1, &out);
        outcome_free(&out);
    }
}

/* ---- the command ---------------------------------------------------------------------------- */

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
    if (random && !stopped(c))
        parallel_ranges(options_threads(c->o), random, 1, check_random, c);
    pthread_mutex_destroy(&c->lock);
    if (isatty(STDERR_FILENO))
        fputs("\r\033[K", stderr);
    if (c->code) {
        *f = c->f;
        return c->code;
    }
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
    if (code == EXIT_FINE)
        code = layers_load(o, NULL, 0, &l, f);
    if (code == EXIT_FINE)
        code = open_contexts(c, f);
    if (code == EXIT_FINE)
        code = run_checks(c, &l, f);
    for (size_t i = 0; i < c->cx_count; i++)
        convc_context_destroy(c->cx[i]);
    free(c);
    layers_free(&l);
    return code;
}
