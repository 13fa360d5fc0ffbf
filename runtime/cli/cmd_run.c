/* run: compiles every layer, runs it, times it and compares it with the reference. */
#include "runtime/cli/command.h"
#include "runtime/cli/inputs.h"
#include "runtime/cli/judge.h"
#include "runtime/cli/npy.h"
#include "runtime/cli/picture.h"
#include "runtime/cli/result.h"
#include "runtime/cli/table.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { OUTPUTS_COMPARED = 4096, TURNS = 10 };

static const double seconds_timed = 0.25, seconds_peak = 0.1;

/* One layer on its way through `run`. */
struct job {
    const struct options *o;
    convc_context *cx;
    const struct layer *layer;
    struct operands operands;
    struct tensors tensors;
    struct guarded dst;
    struct execution x;
    struct array output;
    int bits; /* of the input picture */
};

static enum exit_code run_once(const struct job *j, struct failure *f)
{
    struct convc_args args;
    execution_args(&j->x, &j->tensors.args, j->dst.dst, &args);
    enum convc_status st = convc_run(j->x.kernel, &args);
    return st ? fail_status(f, st) : EXIT_FINE;
}

static enum exit_code prepare(struct job *j, struct result *r, struct failure *f)
{
    const struct convc_problem *p = &j->layer->problem;
    enum exit_code code = inputs_operands(j->o, j->layer, &j->operands, &j->bits, f);
    if (code == EXIT_FINE)
        code = tensors_place(p, &j->operands, 0, false, &j->tensors, f);
    if (code == EXIT_FINE)
        code = guarded_create(p, 0, &j->dst, f);
    if (code == EXIT_FINE)
        code = execution_compile(j->cx, p, j->o->plan, &j->x, NULL, f);
    if (code == EXIT_FINE)
        code = execution_pack(&j->x, &j->tensors.args, options_threads(j->o), f);
    if (code == EXIT_FINE)
        code = result_kernel(&j->x, r, f);
    if (code == EXIT_FINE)
        code = run_once(j, f);
    return code;
}

/* The fastest run of one turn. Runs of a few microseconds are timed several at a time. */
static enum exit_code time_turn(const struct job *j, double *seconds, struct failure *f)
{
    double begin = seconds_now();
    enum exit_code code = run_once(j, f);
    double once = seconds_now() - begin;
    int repeat = once < 20e-6 ? (int)(20e-6 / (once + 1e-7)) + 1 : 1;
    *seconds = once;
    for (double now = seconds_now(), end = now + seconds_timed / TURNS;
         code == EXIT_FINE && now < end;) {
        for (int i = 0; code == EXIT_FINE && i < repeat; i++)
            code = run_once(j, f);
        double then = now;
        now = seconds_now();
        *seconds = fmin(*seconds, (now - then) / repeat);
    }
    return code;
}

static enum exit_code measure_peak(const struct job *j, double *gflops, struct failure *f)
{
    enum convc_status st = convc_measure_peak(j->cx, j->layer->problem.acc_dtype,
                                              options_threads(j->o), seconds_peak / TURNS, gflops);
    return st ? fail_status(f, st) : EXIT_FINE;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Turn by turn with the FMA loop, because clocks come and go: the fastest run of all turns, and the
 * median of the peaks around them. */
static enum exit_code measure(const struct job *j, struct result *r, struct failure *f)
{
    double peak[TURNS + 1], seconds, fastest = INFINITY;
    enum exit_code code = measure_peak(j, &peak[0], f);
    for (int turn = 0; code == EXIT_FINE && turn < TURNS; turn++) {
        code = time_turn(j, &seconds, f);
        if (code == EXIT_FINE)
            code = measure_peak(j, &peak[turn + 1], f);
        fastest = fmin(fastest, seconds);
    }
    if (code != EXIT_FINE)
        return code;
    qsort(peak, TURNS + 1, sizeof peak[0], by_value);
    r->peak_gflops = peak[TURNS / 2];
    r->time_ms = fastest * 1e3;
    r->gflops = problem_flops(&j->layer->problem) / fastest * 1e-9;
    r->peak_fraction = r->gflops / r->peak_gflops;
    return EXIT_FINE;
}

static enum exit_code read_back(struct job *j, struct result *r, struct failure *f)
{
    const struct convc_problem *p = &j->layer->problem;
    enum exit_code code = output_shape(p, &j->output, f);
    if (code == EXIT_FINE)
        code = array_allocate(&j->output, f);
    if (code == EXIT_FINE)
        code = guarded_take(p, &j->dst, j->output.value, f);
    if (code == EXIT_FINE)
        r->checksum = result_checksum(j->output.value, j->output.count, p->dst_dtype);
    return code;
}

static enum exit_code compare(const struct job *j, struct result *r, struct failure *f)
{
    const struct convc_problem *p = &j->layer->problem;
    struct expectation e;
    struct verdict v;
    enum exit_code code = expectation_create(p, &j->operands, &j->tensors, OUTPUTS_COMPARED,
                                             options_threads(j->o), &e, f);
    if (code == EXIT_FINE) {
        judge(p, &e, j->output.value, j->x.info.error_bound, false, &v);
        r->max_error = v.max_error;
    }
    expectation_free(&e);
    return code;
}

static enum exit_code write_output(const struct job *j, struct failure *f)
{
    const char *path = j->o->output;
    if (!path)
        return EXIT_FINE;
    if (picture_named(path))
        return picture_write(path, &j->output, j->bits, f);
    return npy_write(path, &j->output, j->layer->problem.dst_dtype, f);
}

static enum exit_code run_layer(const struct options *o, convc_context *cx,
                                const struct layer *layer, struct result *r, struct failure *f)
{
    struct job j = { .o = o, .cx = cx, .layer = layer };
    enum exit_code code = result_begin(&layer->problem, r, f);
    if (code == EXIT_FINE)
        code = prepare(&j, r, f);
    if (code == EXIT_FINE && !o->no_timing)
        code = measure(&j, r, f);
    if (code == EXIT_FINE)
        code = read_back(&j, r, f);
    if (code == EXIT_FINE)
        code = compare(&j, r, f);
    if (code == EXIT_FINE)
        code = write_output(&j, f);
    operands_free(&j.operands);
    tensors_free(&j.tensors);
    guarded_free(&j.dst);
    execution_free(&j.x);
    array_free(&j.output);
    return code;
}

/* ---- the table ------------------------------------------------------------------------------ */

static void real_cell(struct table *t, const char *format, double value)
{
    char text[32];
    snprintf(text, sizeof text, format, value);
    table_cell(t, "%s", isnan(value) ? "-" : text);
}

static void add_numbers(struct table *t, const struct result *r)
{
    real_cell(t, "%.2f", r->compile_ms);
    real_cell(t, "%.4f", r->time_ms);
    real_cell(t, "%.1f", r->gflops);
    real_cell(t, "%.1f%%", r->peak_fraction * 100);
    real_cell(t, "%.1e", r->max_error);
}

/* Times and operations add up; the share of the peak is that of the whole. */
static void add_total(struct table *t, const struct result *results, size_t count)
{
    struct result total = { 0 };
    double flops = 0, peak_flops = 0;
    for (size_t i = 0; i < count; i++) {
        const struct result *r = &results[i];
        total.compile_ms += r->compile_ms;
        total.time_ms += r->time_ms;
        flops += r->gflops * r->time_ms;
        peak_flops += r->peak_gflops * r->time_ms;
        total.max_error = fmax(total.max_error, r->max_error);
    }
    total.gflops = flops / total.time_ms;
    total.peak_fraction = flops / peak_flops;
    table_cell(t, "total");
    table_cell(t, "%s", "");
    table_cell(t, "%zu convolution%s", count, count == 1 ? "" : "s");
    table_cell(t, "%s", "");
    add_numbers(t, &total);
}

static enum exit_code print_table(const struct result *results, size_t count, struct failure *f)
{
    static const char *const heads[] = { "layer",  "algorithm", "plan", "source", "compile ms",
                                         "run ms", "GFLOP/s",   "peak", "error" };
    struct table t;
    table_begin(&t, "llllrrrrr");
    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++)
        table_cell(&t, "%s", heads[i]);
    for (size_t i = 0; i < count; i++) {
        const struct result *r = &results[i];
        table_cell(&t, "%s", r->name);
        table_cell(&t, "%s", r->algorithm);
        table_cell(&t, "%s", r->plan);
        table_cell(&t, "%s", source_name(r->source));
        add_numbers(&t, r);
    }
    add_total(&t, results, count);
    return table_print(&t, stdout) ? EXIT_FINE : fail_memory(f);
}

/* ---- the command ---------------------------------------------------------------------------- */

static enum exit_code check_usage(const struct options *o, const struct layers *l,
                                  struct failure *f)
{
    bool files = o->input || o->weights || o->bias || o->residual || o->output;
    if (files && l->count != 1)
        return fail(f, EXIT_USAGE, "files go with one convolution, but the specs have %zu of them",
                    l->count);
    return o->output ? inputs_check_output(o, &l->layer[0], f) : EXIT_FINE;
}

static void show_progress(size_t i, size_t count, const char *name)
{
    if (!isatty(STDERR_FILENO))
        return;
    if (i < count)
        fprintf(stderr, "\r\033[Krun: %zu of %zu, %s", i + 1, count, name);
    else
        fprintf(stderr, "\r\033[K");
}

static enum exit_code run_layers(const struct options *o, convc_context *cx, const struct layers *l,
                                 struct failure *f)
{
    size_t done = 0;
    enum exit_code code = EXIT_FINE;
    struct result *results = calloc(l->count, sizeof *results);
    if (!results)
        return fail_memory(f);
    while (code == EXIT_FINE && done < l->count) {
        show_progress(done, l->count, l->layer[done].problem.name);
        code = run_layer(o, cx, &l->layer[done], &results[done], f);
        if (code == EXIT_FINE && o->json)
            result_json(&results[done], stdout);
        done++;
    }
    show_progress(l->count, l->count, "");
    if (code == EXIT_FINE && !o->json)
        code = print_table(results, l->count, f);
    for (size_t i = 0; i < done; i++)
        result_free(&results[i]);
    free(results);
    return code;
}

enum exit_code cmd_run(const struct options *o, struct failure *f)
{
    struct layers l = { 0 };
    convc_context *cx = NULL;
    if (!o->word_count)
        return fail(f, EXIT_USAGE, "run needs a spec; see convc run --help");
    if (o->target && strchr(o->target, ','))
        return fail(f, EXIT_USAGE, "--target=%s: run takes one target", o->target);
    enum exit_code code = inputs_layers(o, &l, f);
    if (code == EXIT_FINE)
        code = check_usage(o, &l, f);
    if (code == EXIT_FINE)
        code = context_open(o, o->target, 0, &cx, f);
    if (code == EXIT_FINE)
        code = run_layers(o, cx, &l, f);
    convc_context_destroy(cx);
    layers_free(&l);
    return code;
}
