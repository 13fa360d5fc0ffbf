/* ceilings: what this machine can do at most, measured once and kept in a file beside the disk
 * cache, where the cost model of later contexts finds it.
 *
 * The file is text: a title, the target it was measured on, and a figure a line. One that is of
 * another target, damaged, implausible or not to be trusted is as good as none.
 * Errors: CONVC_ERR_IO, CONVC_ERR_MEMORY. Stands on: target, bandwidth, peak, disk_dir.
 */
#ifndef RUNTIME_CEILINGS_H
#define RUNTIME_CEILINGS_H

#include "gen/plan/target.h"
#include "runtime/peak.h"

/* GFLOP/s of f32 and 10^9 bytes a second, of one core. */
struct ceilings_measured {
    double gflops, l1, l2, l3, memory;
};

/* `one` is a pool of one thread. Takes about `seconds`. */
enum convc_status ceilings_measure(struct pool *one, const struct target *t, double seconds,
                                   struct ceilings_measured *out, struct diag *d);

/* In bytes per cycle: two multiply-adds of a vector are one. */
struct ceilings ceilings_per_cycle(const struct ceilings_measured *m, const struct target *t);

/* `dir` as from disk_dir_open. Storing replaces the file as a whole. */
enum convc_status ceilings_store(int dir, const char *target, const struct ceilings *c,
                                 struct diag *d);
bool ceilings_load(int dir, const char *target, struct ceilings *out);

#endif
