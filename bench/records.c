#include "bench/records.h"

#include "bench/harness.h"

#include <stdlib.h>
#include <string.h>

enum { OWN_COUNTERS = 6, COUNTERS_MAX = OWN_COUNTERS + 2 * PEERS_MAX };

/* One layer; its runs point here. */
struct record {
    char name[256];
    char counter_name[2 * PEERS_MAX][32];
    struct bench_counter counter[COUNTERS_MAX];
    int counters;
};

/* "specs/networks/resnet50.lua" is "resnet50". */
static void name_record(const struct network *net, size_t layer, struct record *r)
{
    const struct layer *l = &net->layers.layer[layer];
    const char *spec = net->o->word[l->spec], *slash = strrchr(spec, '/');
    size_t length;
    spec = slash ? slash + 1 : spec;
    length = strlen(spec);
    if (length > 4 && !strcmp(spec + length - 4, ".lua"))
        length -= 4;
    snprintf(r->name, sizeof r->name, "%.*s/%s", (int)(length < 128 ? length : 128), spec,
             l->problem.name[0] ? l->problem.name : "conv");
}

static void count_peer(const struct peer_result *peer, struct record *r)
{
    static const char *const what[] = { "ms", "ratio" };
    const double value[] = { peer->best.time_ms, peer->best.ratio };
    if (!(peer->best.time_ms > 0))
        return;
    for (int i = 0; i < 2; i++) {
        char *name = r->counter_name[r->counters - OWN_COUNTERS];
        snprintf(name, sizeof r->counter_name[0], "%s_%s", peer->entry->name, what[i]);
        r->counter[r->counters++] = (struct bench_counter){ name, value[i] };
    }
}

static void fill_record(const struct network *net, size_t layer, struct record *r)
{
    const struct contest *c = &net->contest[net->kind[layer]];
    const struct result *t = &c->result;
    const struct bench_counter own[OWN_COUNTERS] = {
        { "time_ms", t->time_ms },
        { "compile_ms", t->compile_ms },
        { "gflops", t->gflops },
        { "peak_gflops", t->peak_gflops },
        { "peak_fraction", t->peak_fraction },
        { "max_error", t->max_error },
    };
    name_record(net, layer, r);
    memcpy(r->counter, own, sizeof own);
    r->counters = OWN_COUNTERS;
    for (int p = 0; p < c->peers; p++)
        count_peer(&c->peer[p], r);
}

enum exit_code records_write(const struct network *net, FILE *out, struct failure *f)
{
    size_t layers = net->layers.count, count = 0;
    struct record *record = calloc(layers + 1, sizeof *record);
    struct bench_run *run = calloc(layers * RACE_ROUNDS + 1, sizeof *run);
    bool fine = record && run;
    for (size_t i = 0; fine && i < layers; i++) {
        const struct contest *c = &net->contest[net->kind[i]];
        fill_record(net, i, &record[i]);
        for (int round = 0; round < c->rounds; round++)
            run[count++] = (struct bench_run){ .name = record[i].name,
                                               .label = c->result.plan,
                                               .family = (int)i,
                                               .repetition = round,
                                               .repetitions = c->rounds,
                                               .threads = options_threads(net->o),
                                               .seconds = c->round[round],
                                               .counter = record[i].counter,
                                               .counters = record[i].counters };
    }
    fine = fine && bench_write_json(run, count, out);
    free(record);
    free(run);
    return fine ? EXIT_FINE : fail_memory(f);
}
