/* shard: which part of a sweep is this process's.
 *
 *     I/N      part I of N, from 1
 *     auto     what the launcher says: Slurm, Open MPI, MPICH and others that speak PMI, GNU
 *              parallel (which tells the number of its job, but not how many there are: auto/N)
 *     auto/N   of N, whatever number of processes the launcher tells of
 */
#ifndef CLI_SHARD_H
#define CLI_SHARD_H

#include "runtime/cli/failure.h"

#include <stdbool.h>

struct shard {
    int32_t index, count; /* index from 0 */
};

/* text NULL: 0 of 1. EXIT_USAGE where it cannot be read, or where no launcher is about. */
enum exit_code shard_read(const char *text, struct shard *s, struct failure *f);

/* `path` with every %r in it replaced by the number of the shard, from 1: a file for each.
 * malloc'd; NULL where memory is out. */
char *shard_path(const char *path, const struct shard *s);

#endif
