#include "bench/network.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const double ceilings_seconds = 1;

/* ---- kinds of layers ------------------------------------------------------------------------- */

/* Layers of equal texts compute the same; constant weights are not in the text. */
static enum exit_code sort_layers(struct network *net, struct failure *f)
{
    enum exit_code code = EXIT_FINE;
    size_t count = net->layers.count;
    char **text = calloc(count + 1, sizeof *text);
    net->kind = calloc(count + 1, sizeof *net->kind);
    net->first = calloc(count + 1, sizeof *net->first);
    if (!text || !net->kind || !net->first)
        code = fail_memory(f);
    for (size_t i = 0; code == EXIT_FINE && i < count; i++) {
        const struct layer *layer = &net->layers.layer[i];
        enum convc_status st = convc_problem_text(&layer->problem, &text[i]);
        if (st) {
            code = fail_status(f, st);
            break;
        }
        size_t kind = 0;
        while (kind < net->kinds &&
               (layer->weights || net->layers.layer[net->first[kind]].weights ||
                strcmp(text[net->first[kind]], text[i])))
            kind++;
        if (kind == net->kinds)
            net->first[net->kinds++] = i;
        net->kind[i] = kind;
    }
    for (size_t i = 0; text && i < count; i++)
        convc_text_free(text[i]);
    free(text);
    return code;
}

enum exit_code network_load(const struct options *o, struct network *net, struct failure *f)
{
    *net = (struct network){ .o = o };
    enum exit_code code = field_read(o->peers, &net->field, f);
    if (code == EXIT_FINE)
        code = layers_load(o, NULL, 0, &net->layers, f);
    if (code == EXIT_FINE)
        code = sort_layers(net, f);
    if (code == EXIT_FINE && !(net->contest = calloc(net->kinds + 1, sizeof *net->contest)))
        code = fail_memory(f);
    return code;
}

void network_free(struct network *net)
{
    for (size_t i = 0; i < net->measured; i++)
        contest_free(&net->contest[i]);
    free(net->contest);
    free(net->kind);
    free(net->first);
    layers_free(&net->layers);
}

static void show_progress(const struct network *net, size_t kind)
{
    if (!isatty(STDERR_FILENO))
        return;
    if (kind < net->kinds)
        fprintf(stderr, "\r\033[Kbench: %zu of %zu, %s", kind + 1, net->kinds,
                net->layers.layer[net->first[kind]].problem.name);
    else
        fprintf(stderr, "\r\033[K");
}

static enum exit_code measure_ceilings(struct network *net, convc_context *cx, struct failure *f)
{
    net->ceilings.struct_bytes = sizeof net->ceilings;
    enum convc_status st = convc_measure_ceilings(cx, ceilings_seconds, &net->ceilings);
    return st ? fail_status(f, st) : EXIT_FINE;
}

/* The layer takes part under a name of its own, but that of its kind is the first one's. */
enum exit_code network_measure(struct network *net,
                               void (*each)(const struct network *net, size_t layer),
                               struct failure *f)
{
    convc_context *cx = NULL;
    enum exit_code code = context_open(net->o, net->o->target, 0, &cx, f);
    if (code == EXIT_FINE && net->o->report)
        code = measure_ceilings(net, cx, f);
    for (size_t i = 0; code == EXIT_FINE && i < net->layers.count; i++) {
        size_t kind = net->kind[i];
        if (kind == net->measured) {
            show_progress(net, kind);
            code =
                contest_run(net->o, cx, &net->layers.layer[i], &net->field, &net->contest[kind], f);
            net->measured++;
            show_progress(net, net->kinds);
        }
        if (code == EXIT_FINE && each)
            each(net, i);
    }
    convc_context_destroy(cx);
    return code;
}

/* ---- sums ------------------------------------------------------------------------------------ */

bool network_has(const struct network *net, size_t spec, size_t layer)
{
    return spec == SPEC_ALL || net->layers.layer[layer].spec == spec;
}

size_t network_times(const struct network *net, size_t spec, size_t kind)
{
    size_t times = 0;
    for (size_t i = 0; i < net->layers.count; i++)
        times += net->kind[i] == kind && network_has(net, spec, i);
    return times;
}

/* geomean holds the sum of logarithms until the end. */
static void add_peer(const struct contest *c, int peer, double times, struct peer_total *t)
{
    const struct peer_time *best = &c->peer[peer].best;
    if (isnan(best->time_ms))
        return;
    t->layers += (size_t)times;
    t->ours_ms += times * c->result.time_ms;
    t->peer_ms += times * best->time_ms;
    t->geomean += times * log(best->ratio);
    if (best->ratio < t->worst) {
        t->worst = best->ratio;
        t->worst_name = c->result.name;
    }
}

void network_total(const struct network *net, size_t spec, struct total *t)
{
    double flops = 0, peak_flops = 0;
    *t = (struct total){ 0 };
    for (int p = 0; p < net->field.count; p++)
        t->peer[p].worst = INFINITY;
    for (size_t kind = 0; kind < net->measured; kind++) {
        const struct contest *c = &net->contest[kind];
        size_t occurs = network_times(net, spec, kind);
        double times = (double)occurs;
        if (!occurs)
            continue;
        t->layers += occurs;
        t->kinds++;
        t->disturbed += c->disturbed;
        t->compile_ms += c->result.compile_ms;
        t->time_ms += times * c->result.time_ms;
        flops += times * c->result.gflops * c->result.time_ms;
        peak_flops += times * c->result.peak_gflops * c->result.time_ms;
        t->max_error = fmax(t->max_error, c->result.max_error);
        for (int p = 0; p < net->field.count; p++)
            add_peer(c, p, times, &t->peer[p]);
    }
    t->gflops = flops / t->time_ms;
    t->peak_fraction = flops / peak_flops;
    for (int p = 0; p < net->field.count; p++) {
        struct peer_total *pt = &t->peer[p];
        pt->ratio = pt->layers ? pt->peer_ms / pt->ours_ms : NAN;
        pt->geomean = pt->layers ? exp(pt->geomean / (double)pt->layers) : NAN;
    }
}
