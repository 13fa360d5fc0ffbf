#include "bench/print.h"

#include "runtime/cli/table.h"

#include <math.h>
#include <string.h>

/* ---- JSON ------------------------------------------------------------------------------------ */

static void time_members(struct json *j, const struct peer_time *t)
{
    json_real(j, "time_ms", t->time_ms);
    json_real(j, "ratio", t->ratio);
    json_real(j, "median_ratio", t->median_ratio);
}

static void peer_members(struct json *j, const struct peer_result *r)
{
    time_members(j, &r->best);
    if (r->apart && !isnan(r->spec.time_ms)) {
        struct json spec;
        json_open(j, "spec_layout", &spec);
        time_members(&spec, &r->spec);
        json_close(&spec);
    }
    if (r->reason[0]) {
        json_text(j, "reason", r->reason);
        return;
    }
    json_text(j, "layout", r->layout);
    json_real(j, "creation_ms", r->creation_ms);
    json_real(j, "max_error", r->max_error);
}

void print_json(const struct network *net, size_t layer)
{
    const struct contest *c = &net->contest[net->kind[layer]];
    const char *name = net->layers.layer[layer].problem.name;
    struct result r = c->result;
    struct json j, peers, peer;
    if (name[0])
        snprintf(r.name, sizeof r.name, "%s", name);
    json_begin(&j, stdout);
    result_members(&r, &j);
    json_open(&j, "peers", &peers);
    for (int i = 0; i < c->peers; i++) {
        json_open(&peers, c->peer[i].entry->name, &peer);
        peer_members(&peer, &c->peer[i]);
        json_close(&peer);
    }
    json_close(&peers);
    json_end(&j);
    fflush(stdout);
}

/* ---- the table ------------------------------------------------------------------------------- */

/* Peers that have no column, because they are missing, are named below. */
static bool has_column(const struct network *net, int peer)
{
    return field_has(&net->field, peer);
}

static void add_head(const struct network *net, struct table *t)
{
    static const char *const heads[] = { "layer",  "times",   "algorithm", "plan",
                                         "run ms", "GFLOP/s", "peak",      "error" };
    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++)
        table_cell(t, "%s", heads[i]);
    for (int p = 0; p < net->field.count; p++) {
        if (!has_column(net, p))
            continue;
        table_cell(t, "%s ms", net->field.entry[p]->name);
        table_cell(t, "ratio");
        table_cell(t, "spec layout");
    }
}

static void add_numbers(struct table *t, double time_ms, double gflops, double fraction,
                        double error)
{
    table_real(t, "%.4f", time_ms);
    table_real(t, "%.1f", gflops);
    table_real(t, "%.1f%%", fraction * 100);
    table_real(t, "%.1e", error);
}

static void add_kind(const struct network *net, size_t kind, struct table *t)
{
    const struct contest *c = &net->contest[kind];
    const struct result *r = &c->result;
    table_cell(t, "%s", r->name);
    table_cell(t, "%zu", network_times(net, SPEC_ALL, kind));
    table_cell(t, "%s", r->algorithm);
    table_cell(t, "%s", r->plan);
    add_numbers(t, r->time_ms, r->gflops, r->peak_fraction, r->max_error);
    for (int p = 0; p < c->peers; p++) {
        const struct peer_result *peer = &c->peer[p];
        if (!has_column(net, p))
            continue;
        table_real(t, "%.4f", peer->best.time_ms);
        table_real(t, "%.3f", peer->best.ratio);
        table_real(t, "%.3f", peer->spec.ratio);
    }
}

static void add_total(const struct network *net, struct table *t)
{
    struct total all;
    network_total(net, SPEC_ALL, &all);
    table_cell(t, "total");
    table_cell(t, "%zu", all.layers);
    table_cell(t, "%s", "");
    table_cell(t, "%s", "");
    add_numbers(t, all.time_ms, all.gflops, all.peak_fraction, all.max_error);
    for (int p = 0; p < net->field.count; p++) {
        if (!has_column(net, p))
            continue;
        table_real(t, "%.4f", all.peer[p].layers ? all.peer[p].peer_ms : NAN);
        table_real(t, "%.3f", all.peer[p].ratio);
        table_cell(t, "%s", "");
    }
}

/* Every reason once, with the layers that it holds for counted. */
static void print_reasons(const struct network *net, int peer)
{
    for (size_t kind = 0; kind < net->kinds; kind++) {
        const char *reason = net->contest[kind].peer[peer].reason;
        size_t layers = 0;
        bool told = !reason[0];
        for (size_t k = 0; k < net->kinds; k++) {
            bool same = !strcmp(net->contest[k].peer[peer].reason, reason);
            told = told || (same && k < kind);
            layers += same ? network_times(net, SPEC_ALL, k) : 0;
        }
        if (!told && has_column(net, peer))
            printf("%s cannot be compared for %zu of %zu: %s\n", net->field.entry[peer]->name,
                   layers, net->layers.count, reason);
        else if (!told)
            printf("%s\n", reason);
    }
}

enum exit_code print_table(const struct network *net, struct failure *f)
{
    struct table t;
    char align[16 + 3 * PEERS_MAX] = "lrllrrrr";
    for (int p = 0; p < net->field.count; p++)
        strcat(align, has_column(net, p) ? "rrr" : "");
    table_begin(&t, align);
    add_head(net, &t);
    for (size_t kind = 0; kind < net->kinds; kind++)
        add_kind(net, kind, &t);
    add_total(net, &t);
    if (!table_print(&t, stdout))
        return fail_memory(f);
    for (int p = 0; p < net->field.count; p++)
        print_reasons(net, p);
    return EXIT_FINE;
}

/* ---- totals ---------------------------------------------------------------------------------- */

static void print_total(const struct network *net, size_t spec, const char *name, FILE *out)
{
    struct total t;
    network_total(net, spec, &t);
    fprintf(out, "%s: %zu convolution%s, %zu different; %.3f ms, %.1f GFLOP/s, %.3f of the peak\n",
            name, t.layers, t.layers == 1 ? "" : "s", t.kinds, t.time_ms, t.gflops,
            t.peak_fraction);
    for (int p = 0; p < net->field.count; p++) {
        const struct peer_total *peer = &t.peer[p];
        if (!peer->layers)
            continue;
        fprintf(out, "%s: %.3fx %s, sum over sum", name, peer->ratio, net->field.entry[p]->name);
        if (peer->layers < t.layers)
            fprintf(out, " of the %zu that it computes", peer->layers);
        fprintf(out, "; geomean %.3f, worst %.3f (%s)\n", peer->geomean, peer->worst,
                peer->worst_name);
    }
    if (t.disturbed)
        fprintf(out, "%s: the machine was disturbed during %zu of %zu, whose rounds differ\n", name,
                t.disturbed, t.kinds);
}

void print_totals(const struct network *net, FILE *out)
{
    for (size_t spec = 0; spec < net->o->word_count; spec++)
        print_total(net, spec, net->o->word[spec], out);
    if (net->o->word_count > 1)
        print_total(net, SPEC_ALL, "all", out);
}
