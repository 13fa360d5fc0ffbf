/* run: compiles every layer, runs it, times it and compares it with the reference. */
#include "runtime/cli/command.h"
#include "runtime/cli/job.h"
#include "runtime/cli/npy.h"
#include "runtime/cli/picture.h"
#include "runtime/cli/table.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Turn by turn with the FMA loop: the fastest run of all turns, and the median of the peaks. */
static enum exit_code measure(struct job *j, struct result *r, struct failure *f)
{
    struct racer racer[] = {
        { .turn = job_peak_turn, .argument = j, .seconds = JOB_PEAK_SECONDS },
        { .turn = job_turn, .argument = j, .seconds = JOB_SECONDS },
    };
    int rounds;
    enum exit_code code = race_run(racer, 2, &rounds, f);
    if (code == EXIT_FINE)
        job_timed(j, &racer[1], &racer[0], rounds, r);
    return code;
}

/* As many as the output's type has, or else the input's. */
static int picture_bits(const struct job *j)
{
    enum convc_dtype t = j->layer->problem.dst_dtype;
    return t == CONVC_U8 ? 8 : t == CONVC_U16 ? 16 : j->bits;
}

static enum exit_code write_output(const struct job *j, struct failure *f)
{
    const char *path = j->o->output;
    if (!path)
        return EXIT_FINE;
    if (picture_named(path))
        return picture_write(path, &j->output, picture_bits(j), f);
    return npy_write(path, &j->output, j->layer->problem.dst_dtype, f);
}

static enum exit_code run_layer(const struct options *o, convc_context *cx,
                                const struct layer *layer, struct result *r, struct failure *f)
{
    struct job j = { .o = o, .cx = cx, .layer = layer };
    enum exit_code code = job_prepare(&j, r, f);
    if (code == EXIT_FINE && !o->no_timing)
        code = measure(&j, r, f);
    if (code == EXIT_FINE)
        code = job_judge(&j, r, f);
    if (code == EXIT_FINE)
        code = write_output(&j, f);
    job_free(&j);
    return code;
}

/* ---- the table ------------------------------------------------------------------------------ */

static void add_numbers(struct table *t, const struct result *r)
{
    table_real(t, "%.2f", r->compile_ms);
    table_real(t, "%.4f", r->time_ms);
    table_real(t, "%.1f", r->gflops);
    table_real(t, "%.1f%%", r->peak_fraction * 100);
    table_real(t, "%.1e", r->max_error);
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
