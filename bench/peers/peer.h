/* peer: another library that computes convolutions, behind one small table of functions.
 *
 * Every peer is one file that defines one `struct peer`; peers.c lists them with those that this
 * build does without. A peer is handed plain arrays, brings them into the layouts that it likes,
 * prepacks its weights, and then runs as often as asked: what it does before its first run is not
 * timed with its runs.
 * Functions return EXIT_FINE, or another code and one sentence; what a peer cannot do is such a
 * sentence too.
 */
#ifndef BENCH_PEERS_PEER_H
#define BENCH_PEERS_PEER_H

#include "runtime/cli/failure.h"

#include <stdbool.h>

/* A convolution with its operands, whose values are here in f32, whatever the problem's types:
 * dense arrays, N, C, spatial (weights: oc, ic/groups, spatial), that outlive what is prepared from
 * them. */
struct peer_task {
    const struct convc_problem *problem;
    int64_t out[3];
    const float *src, *wei, *bias, *residual; /* NULL: the problem has none */
    const double
        *want; /* all outputs, N, C, spatial: for peers that tell by them what they can do */
    int threads;
};

enum peer_layout {
    PEER_FAVOURITE, /* whichever the peer runs fastest on          */
    PEER_SPEC,      /* channels first or last, as the problem says */
};

struct peer_run {
    void *state;
    bool in_spec_layout; /* source and output both lie as the problem says */
    double creation_ms;  /* of what the library makes once for a problem   */
    char layout[64];     /* for people                                     */
};

struct peer {
    const char *name;

    /* It says itself which types and which functions of the user it takes; else it is asked for
     * sums of products in f32 alone. */
    bool says_itself;

    /* It takes part only where it is asked for by name. */
    bool when_named;

    /* Is it there at run time, too? NULL: yes. */
    enum exit_code (*start)(struct failure *f);

    /* Fills `r`, or fails and leaves nothing behind. */
    enum exit_code (*prepare)(const struct peer_task *t, enum peer_layout layout,
                              struct peer_run *r, struct failure *f);

    /* Runs once; the output may hold anything where the problem adds a residual. */
    enum exit_code (*run)(struct peer_run *r, struct failure *f);

    /* Instead, for a peer that times its runs itself: a turn of a race. */
    enum exit_code (*turn)(struct peer_run *r, double seconds, double *fastest, struct failure *f);

    /* Runs once from fresh operands, and writes the outputs in N, C, spatial order. Whole numbers
     * may be one off, as those are that were computed in fixed point. NULL: it
     * computes nothing that could be compared. */
    enum exit_code (*result)(struct peer_run *r, float *out, struct failure *f);
    void (*destroy)(struct peer_run *r);
};

/* All that convc knows by name. peer NULL: this build has it not. */
struct peer_entry {
    const char *name, *library;
    const struct peer *peer;
};
extern const struct peer_entry peer_entries[];
extern const int peer_count;

/* ---- for peers ------------------------------------------------------------------------------- */

/* Is what lies outside of the input zero, or skipped? */
bool peer_pads_zeros(const struct convc_problem *p);

/* The weights as a correlation takes them: mirrored where the problem flips them. The caller frees
 * them; NULL where memory ran out. */
float *peer_weights(const struct peer_task *t);

/* Elements of all images, of the weights, of all outputs. */
int64_t peer_src_elements(const struct peer_task *t);
int64_t peer_wei_elements(const struct peer_task *t);
int64_t peer_dst_elements(const struct peer_task *t);

/* [n][c][x] to [n][x][c], and back. */
void peer_channels_last(const float *in, int64_t n, int64_t c, int64_t x, float *out);
void peer_channels_first(const float *in, int64_t n, int64_t c, int64_t x, float *out);

#endif
