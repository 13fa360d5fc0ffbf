/* contest: one convolution measured turn by turn: convc's kernel, the FMA loop and the peers.
 *
 * Every peer computes the same values, in the layout that it likes best and, where that is another
 * one, in the layout of the spec; what it computes is compared with what convc does before anything
 * is timed, and a peer that comes to other results is not timed. What a peer cannot do is a
 * sentence in its result, no failure of the contest.
 * Stands on: race, job, peer.
 */
#ifndef BENCH_CONTEST_H
#define BENCH_CONTEST_H

#include "bench/peers/peer.h"
#include "runtime/cli/job.h"

enum { PEERS_MAX = 8 };

/* The peers of a command line, those that are not there among them. */
struct field {
    const struct peer_entry *entry[PEERS_MAX];
    struct failure missing[PEERS_MAX]; /* why it is not there, else "" */
    int count;
};

/* list NULL: all that convc knows; "none": none. Fails where a name is unknown, or where none of
 * those that were asked for by name is there. */
enum exit_code field_read(const char *list, struct field *field, struct failure *f);
bool field_has(const struct field *field, int peer);

struct peer_time {
    double time_ms;      /* the fastest run; NAN: not measured             */
    double ratio;        /* peer's time / convc's time                     */
    double median_ratio; /* the median of that over the rounds of the race */
};

struct peer_result {
    const struct peer_entry *entry;
    struct peer_time best; /* in its fastest layout */
    struct peer_time spec; /* in the layout of the spec */
    bool apart;            /* the favourite layout is another than the spec's */
    double creation_ms;    /* of the favourite */
    double max_error;      /* from convc's outputs, in units of `judge`; NAN: none are compared */
    bool different;        /* it computes something else */
    char layout[64];
    char reason[200]; /* why it is not measured, else "" */
};

struct contest {
    struct result result;
    double round[RACE_ROUNDS]; /* convc's fastest run of every round, in seconds */
    int rounds;
    bool disturbed; /* rounds tell otherwise than the fastest runs do: somebody else was at work */
    char *reason;   /* with --report: why the plan was chosen */
    struct peer_result peer[PEERS_MAX];
    int peers;
};

/* Measures. Free with contest_free, whatever the outcome. */
enum exit_code contest_run(const struct options *o, convc_context *cx, const struct layer *layer,
                           const struct field *field, struct contest *c, struct failure *f);
void contest_free(struct contest *c);

#endif
