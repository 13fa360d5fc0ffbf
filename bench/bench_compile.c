/* bench_compile: how long convc_compile takes over the layers of a network.
 *
 *     bench_compile [SPEC] [--benchmark_...]           SPEC: ResNet-50 by default
 *
 *     cold     compiled, with an empty cache: median and worst layer in milliseconds
 *     disk     loaded from the disk cache, by a context that has not seen it: likewise
 *     memory   found in memory: nanoseconds for one look-up, the mean over all layers
 */
#include "bench/harness.h"

#include <convc/convc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct network {
    convc_spec *spec;
    size_t layers;
    double *ms; /* of every layer that was compiled, over all rounds */
    size_t count, room;
    char cache_dir[64];
};

static double milliseconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

static void note(struct network *net, double ms)
{
    if (net->count == net->room) {
        net->room = 2 * net->room + 64;
        net->ms = realloc(net->ms, net->room * sizeof *net->ms);
        if (!net->ms)
            abort();
    }
    net->ms[net->count++] = ms;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* A context of one thread, on the cache directory where it is given. */
static convc_context *make_context(const char *cache_dir)
{
    convc_context *cx = NULL;
    const struct convc_context_options opt = { .struct_bytes = sizeof opt,
                                               .threads = 1,
                                               .flags = cache_dir ? 0 : CONVC_NO_DISK_CACHE,
                                               .cache_dir = cache_dir };
    if (convc_context_create(&opt, &cx) != CONVC_OK)
        fprintf(stderr, "bench_compile: %s\n", convc_last_error());
    return cx;
}

/* Compiles every layer once, those that the context has from elsewhere than `wanted` not counted
 * (layers may repeat within a network). */
static bool compile_all(struct network *net, convc_context *cx, enum convc_source wanted)
{
    for (size_t i = 0; i < net->layers; i++) {
        enum convc_source source;
        const struct convc_compile_options opt = { .struct_bytes = sizeof opt, .source = &source };
        convc_kernel *k;
        double start = milliseconds();
        if (convc_compile(cx, convc_spec_problem(net->spec, i), &opt, &k) != CONVC_OK)
            return false;
        if (source == wanted)
            note(net, milliseconds() - start);
        convc_kernel_release(k);
    }
    return true;
}

/* Rounds over all layers, each in a context that is new. */
static void time_fresh(struct bench_state *s, struct network *net, const char *cache_dir,
                       enum convc_source wanted)
{
    net->count = 0;
    while (bench_next(s)) {
        convc_context *cx = make_context(cache_dir);
        size_t before = net->count;
        if (!cx || !compile_all(net, cx, wanted))
            bench_fail(s, convc_last_error());
        double ms = 0;
        for (size_t i = before; i < net->count; i++)
            ms += net->ms[i];
        bench_round_seconds(s, ms * 1e-3);
        convc_context_destroy(cx);
    }
    if (net->count == 0) {
        bench_fail(s, "no layer came from where it should");
        return;
    }
    qsort(net->ms, net->count, sizeof *net->ms, ascending);
    bench_counter(s, "median_ms", net->ms[net->count / 2]);
    bench_counter(s, "worst_ms", net->ms[net->count - 1]);
}

static void cold(struct bench_state *s, void *network)
{
    time_fresh(s, network, NULL, CONVC_FROM_COMPILER);
}

static void disk(struct bench_state *s, void *network)
{
    struct network *net = network;
    convc_context *writer = make_context(net->cache_dir);
    if (writer && compile_all(net, writer, CONVC_FROM_COMPILER))
        time_fresh(s, net, net->cache_dir, CONVC_FROM_DISK);
    else
        bench_fail(s, convc_last_error());
    if (writer)
        convc_cache_clear(writer, NULL);
    convc_context_destroy(writer);
}

static void memory(struct bench_state *s, void *network)
{
    struct network *net = network;
    convc_context *cx = make_context(NULL);
    if (!cx || !compile_all(net, cx, CONVC_FROM_COMPILER)) {
        bench_fail(s, convc_last_error());
        convc_context_destroy(cx);
        return;
    }
    double start = milliseconds(), rounds = 0;
    while (bench_next(s)) {
        for (size_t i = 0; i < net->layers; i++) {
            convc_kernel *k;
            if (convc_compile(cx, convc_spec_problem(net->spec, i), NULL, &k) == CONVC_OK)
                convc_kernel_release(k);
        }
        rounds++;
    }
    bench_counter(s, "lookup_ns", (milliseconds() - start) * 1e6 / rounds / (double)net->layers);
    convc_context_destroy(cx);
}

int main(int argc, char **argv)
{
    bool given = argc > 1 && strncmp(argv[1], "--", 2) != 0;
    struct network net = { .cache_dir = "/tmp/convc-bench-XXXXXX" };
    const struct convc_spec_source source = {
        .struct_bytes = sizeof source,
        .path = given ? argv[1] : CONVC_SOURCE_DIR "/specs/networks/resnet50.lua",
    };
    if (convc_spec_load(&source, &net.spec) != CONVC_OK || !mkdtemp(net.cache_dir)) {
        fprintf(stderr, "bench_compile: %s\n", convc_last_error());
        return 2;
    }
    net.layers = convc_spec_count(net.spec);
    bench_register_manual("cold", cold, &net);
    bench_register_manual("disk", disk, &net);
    bench_register("memory", memory, &net);
    if (given)
        argv[1] = argv[0];
    int code = bench_main(argc - given, argv + given);
    rmdir(net.cache_dir);
    free(net.ms);
    convc_spec_free(net.spec);
    return code;
}
