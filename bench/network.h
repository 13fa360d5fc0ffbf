/* network: every layer of every spec, with equal ones measured once, and what they sum up to.
 *
 * A network lists a layer as often as it occurs, so that a sum over its layers is the network's;
 * the ratio of a network is the peer's sum over convc's sum, over the layers that the peer
 * computes. Stands on: contest, layers.
 */
#ifndef BENCH_NETWORK_H
#define BENCH_NETWORK_H

#include "bench/contest.h"

struct network {
    const struct options *o;
    struct layers layers;
    struct field field;
    struct contest *contest; /* one for each kind of layer, in order of appearance */
    size_t *kind;            /* of each layer */
    size_t *first;           /* the first layer of each kind */
    size_t kinds, measured;
    struct convc_ceilings ceilings; /* of one core; with --report */
};

/* Loads the specs and sorts their layers into kinds. Free with network_free, whatever the outcome.
 */
enum exit_code network_load(const struct options *o, struct network *net, struct failure *f);

/* Measures every kind; calls `each`, which may be NULL, for every layer once it is known. */
enum exit_code network_measure(struct network *net,
                               void (*each)(const struct network *net, size_t layer),
                               struct failure *f);
void network_free(struct network *net);

/* The layers of a spec, or all of them where `spec` is SPEC_ALL. */
#define SPEC_ALL ((size_t)-1)
bool network_has(const struct network *net, size_t spec, size_t layer);

/* How often a kind occurs in a spec. */
size_t network_times(const struct network *net, size_t spec, size_t kind);

struct peer_total {
    double ours_ms, peer_ms; /* over the layers that the peer computes */
    double ratio;            /* peer_ms / ours_ms; NAN where there are none */
    double geomean;          /* over the same layers */
    double worst;            /* the smallest ratio, and whose */
    const char *worst_name;
    size_t layers;
};

struct total {
    size_t layers, kinds, disturbed;
    double compile_ms, time_ms, gflops, peak_fraction, max_error;
    struct peer_total peer[PEERS_MAX];
};

void network_total(const struct network *net, size_t spec, struct total *t);

#endif
