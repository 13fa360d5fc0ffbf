#include "bench/measure_plans.h"

#include "bench/harness.h"
#include "runtime/cli/race.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

enum { OUTPUTS_COMPARED = 4096 };

/* ---- the context ---------------------------------------------------------------------------- */

/* Only where machine code runs can plans be measured; found here, no plan is blamed for it. */
static enum exit_code try_machine(convc_context *cx, struct failure *f)
{
    struct convc_problem p;
    struct execution x;
    convc_problem_init(&p);
    enum exit_code code = execution_compile(cx, &p, NULL, &x, NULL, f);
    if (code == EXIT_FINE && !x.info.function)
        code = fail(f, EXIT_SYSTEM, "no kernel has machine code: %s", x.info.reason);
    execution_free(&x);
    return code;
}

/* What slots hold is kept anyway; of all that a long search tries, no more shall stay. */
static const size_t kernels_kept = 2 * MEASURE_SLOTS;

enum exit_code measure_open(const char *target, int threads, struct measure *m, struct failure *f)
{
    const struct convc_context_options opt = { .struct_bytes = sizeof opt,
                                               .threads = threads,
                                               .flags = CONVC_NO_DISK_CACHE,
                                               .target = target,
                                               .max_kernels = kernels_kept };
    *m = (struct measure){ .o = { .threads = threads } };
    enum convc_status st = convc_context_create(&opt, &m->cx);
    return st ? fail_status(f, st) : try_machine(m->cx, f);
}

static void forget_problem(struct measure *m)
{
    for (int i = 0; i < MEASURE_SLOTS; i++)
        execution_free(&m->slot[i].x);
    tensors_free(&m->tensors);
    guarded_free(&m->dst);
    array_free(&m->output);
    expectation_free(&m->e);
    convc_spec_free(m->spec);
    m->spec = NULL;
    m->ready = false;
}

void measure_close(struct measure *m)
{
    forget_problem(m);
    convc_context_destroy(m->cx);
}

/* ---- the problem ---------------------------------------------------------------------------- */

/* A spec's file has no place here, nor has standard input, which requests come from. */
static enum exit_code load(struct measure *m, const char *text, struct failure *f)
{
    const struct convc_spec_source source = { .struct_bytes = sizeof source, .path = text };
    bool path = strchr(text, '/') || !strcmp(text, "-");
    enum convc_status st = path ? CONVC_ERR_IO : convc_spec_load(&source, &m->spec);
    if (st == CONVC_ERR_IO)
        return fail(f, EXIT_USAGE, "%.100s is no problem in benchdnn's notation", text);
    if (st)
        return fail_status(f, st);
    m->layer = (struct layer){ .problem = *convc_spec_problem(m->spec, 0),
                               .weights = convc_spec_weights(m->spec, 0) };
    return EXIT_FINE;
}

/* Operands, where they lie in memory, and what should come of them. */
static enum exit_code lay_out(struct measure *m, struct failure *f)
{
    const struct convc_problem *p = &m->layer.problem;
    struct operands operands;
    int bits;
    enum exit_code code = inputs_operands(&m->o, &m->layer, &operands, &bits, f);
    if (code == EXIT_FINE)
        code = tensors_place(p, &operands, 0, false, &m->tensors, f);
    if (code == EXIT_FINE)
        code = expectation_create(p, &operands, &m->tensors, OUTPUTS_COMPARED,
                                  options_threads(&m->o), &m->e, f);
    operands_free(&operands);
    return code;
}

enum exit_code measure_problem(struct measure *m, const char *text, struct failure *f)
{
    forget_problem(m);
    enum exit_code code = load(m, text, f);
    if (code == EXIT_FINE)
        code = output_shape(&m->layer.problem, &m->output, f);
    if (code == EXIT_FINE)
        code = array_allocate(&m->output, f);
    if (code == EXIT_FINE)
        code = lay_out(m, f);
    if (code == EXIT_FINE)
        code = guarded_create(&m->layer.problem, 0, &m->dst, f);
    if (code)
        forget_problem(m);
    m->ready = code == EXIT_FINE;
    return code;
}

/* ---- a plan --------------------------------------------------------------------------------- */

/* What a turn repeats. */
struct turn {
    const convc_kernel *kernel;
    struct convc_args args;
    enum convc_status status; /* of the last run that failed */
};

static struct turn turn_of(const struct measure *m, const struct execution *x)
{
    struct turn t = { .kernel = x->kernel };
    execution_args(x, &m->tensors.args, m->dst.dst, &t.args);
    return t;
}

static void run(void *argument)
{
    struct turn *t = argument;
    enum convc_status st = convc_run(t->kernel, &t->args);
    if (st)
        t->status = st;
}

static enum measure_outcome judge_outputs(struct measure *m, const struct execution *x,
                                          struct failure *f)
{
    const struct convc_problem *p = &m->layer.problem;
    struct verdict v;
    char text[VERDICT_TEXT];
    int64_t place;
    if (guarded_take(p, &m->dst, m->output.value, f))
        return MEASURE_FAILED;
    judge(p, &m->e, m->output.value, &x->info, false, &v);
    if (v.wrong) {
        verdict_text(&v, &m->output, text);
        fail(f, EXIT_CHECK, "%s", text);
        return MEASURE_WRONG;
    }
    if (guarded_broken(&m->dst, &place)) {
        fail(f, EXIT_CHECK, "it writes outside of its outputs: element %" PRId64 " of dst's memory",
             place);
        return MEASURE_WRONG;
    }
    return MEASURE_OK;
}

/* *seconds: what the run took, which is the first. */
static enum measure_outcome check(struct measure *m, const struct execution *x, double *seconds,
                                  struct failure *f)
{
    struct turn t = turn_of(m, x);
    double begin = seconds_now();
    run(&t);
    *seconds = seconds_now() - begin;
    if (t.status) {
        fail(f, EXIT_CHECK, "it does not run: %s", convc_last_error());
        return MEASURE_WRONG;
    }
    enum measure_outcome outcome = judge_outputs(m, x, f);
    if (outcome == MEASURE_WRONG) { /* whatever it wrote must not be taken for the next plan's */
        struct failure why;
        guarded_free(&m->dst);
        if (guarded_create(&m->layer.problem, 0, &m->dst, &why)) {
            *f = why;
            outcome = MEASURE_FAILED;
            forget_problem(m);
        }
    }
    return outcome;
}

/* Runs that take longer fill a turn, whatever the first one had to fetch. */
static const double long_seconds = 10e-3;

/* A turn that works for at least this long tells what a shorter run takes. */
static const double gauge_seconds = 100e-6;

static int64_t runs_within(double seconds, double once)
{
    double runs = seconds / once;
    return runs > 1 ? runs < 1e9 ? (int64_t)runs : 1000 * 1000 * 1000 : 1;
}

/* What a run takes, of a plan whose first one took `first`. */
static enum measure_outcome gauge(struct measure *m, const struct execution *x, double first,
                                  double *seconds, struct failure *f)
{
    struct turn t = turn_of(m, x);
    *seconds = first;
    if (first > long_seconds)
        return MEASURE_OK;
    *seconds = bench_turn(run, &t, 1);
    if (*seconds < gauge_seconds)
        *seconds = bench_turn(run, &t, runs_within(gauge_seconds, *seconds));
    return measure_rounds_end(m, f) ? MEASURE_FAILED : MEASURE_OK;
}

static enum measure_outcome compile(struct measure *m, const char *plan, struct execution *x,
                                    struct failure *f)
{
    enum exit_code code = execution_compile(m->cx, &m->layer.problem, plan, x, NULL, f);
    if (code == EXIT_FINE && !x->info.function)
        code = fail(f, EXIT_USAGE, "it has no machine code: %s", x->info.reason);
    if (code == EXIT_FINE)
        code = execution_pack(x, &m->tensors.args, options_threads(&m->o), f);
    return code ? MEASURE_REFUSED : MEASURE_OK;
}

enum measure_outcome measure_plan(struct measure *m, int slot, const char *plan, struct failure *f)
{
    struct execution *x = &m->slot[slot].x;
    if (!m->ready) {
        fail(f, EXIT_USAGE, "there is no problem");
        return MEASURE_FAILED;
    }
    execution_free(x);
    double first;
    enum measure_outcome outcome = compile(m, plan, x, f);
    if (outcome == MEASURE_OK)
        outcome = check(m, x, &first, f);
    if (outcome == MEASURE_OK)
        outcome = gauge(m, x, first, &m->slot[slot].seconds, f);
    if (outcome)
        execution_free(x);
    return outcome;
}

/* ---- turns ---------------------------------------------------------------------------------- */

static enum exit_code take_turn(const struct measure *m, struct measure_slot *s,
                                double turn_seconds, struct failure *f)
{
    struct turn t = turn_of(m, &s->x);
    if (options_threads(&m->o) > 1)
        race_settle();
    s->seconds = bench_turn(run, &t, runs_within(turn_seconds, s->seconds));
    if (t.status)
        return fail_status(f, t.status);
    return isfinite(s->seconds) ? EXIT_FINE : fail_memory(f);
}

enum exit_code measure_round(struct measure *m, const int *slot, int count, int round,
                             double turn_seconds, double *seconds, struct failure *f)
{
    enum exit_code code = EXIT_FINE;
    for (int i = 0; code == EXIT_FINE && i < count; i++) {
        int who = (i + round) % count;
        code = take_turn(m, &m->slot[slot[who]], turn_seconds, f);
        seconds[who] = m->slot[slot[who]].seconds;
    }
    return code;
}

enum exit_code measure_rounds_end(struct measure *m, struct failure *f)
{
    return guarded_take(&m->layer.problem, &m->dst, m->output.value, f);
}
