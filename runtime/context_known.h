/* context_known: keys of problems whose functions have been read before.
 *
 * Reading the text of a window takes as long as running it on a small picture, and finding its
 * kernel in memory should not. A problem is known by 128 bits over all its bytes and texts; the
 * table keeps the last of each slot. Any number of threads. Stands on: problem,
 * hash, guard.
 */
#ifndef RUNTIME_CONTEXT_KNOWN_H
#define RUNTIME_CONTEXT_KNOWN_H

#include "gen/problem/problem.h"
#include "runtime/guard.h"

enum { KNOWN_SLOTS = 64 };

struct known_slot {
    uint64_t hash[2]; /* 0, 0: empty */
    struct problem_key key;
};

struct known {
    struct guard guard;
    struct known_slot slot[KNOWN_SLOTS];
};

/* Hashes a problem that has texts; false where it has none, or constant weights beside them. */
bool known_hash(const struct convc_problem *p, uint64_t hash[2]);

bool known_find(struct known *known, const uint64_t hash[2], struct problem_key *key);

/* Keeps the key of a problem that could be resolved. */
void known_keep(struct known *known, const uint64_t hash[2], const struct problem_key *key);

#endif
