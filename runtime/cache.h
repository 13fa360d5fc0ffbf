/* cache: kernels in memory, by what was asked for.
 *
 * One thread makes a kernel; whoever asks for the same meanwhile waits for it, or shares its error.
 * Bounded in code bytes and in kernels: the least recently asked for leave first. A kernel that
 * leaves lives on for as long as anyone holds it. A look-up allocates nothing.
 * Stands on: kernel, guard, hash.
 */
#ifndef RUNTIME_CACHE_H
#define RUNTIME_CACHE_H

#include "runtime/kernel.h"

struct cache;

struct cache_key {
    struct problem_key problem;
    char plan[PLAN_TEXT_MAX]; /* the plan that was forced; "": the compiler's choice ...    */
    uint32_t generation;      /* ... by what the tuning database had then; 0 where forced */
};

enum convc_status cache_create(size_t max_code_bytes, size_t max_kernels, struct cache **out,
                               struct diag *d);

/* Releases every kernel. No call may be under way. NULL is fine. */
void cache_destroy(struct cache *c);

/* Makes the kernel of a key; the cache owns the reference that it returns. */
typedef enum convc_status (*cache_make)(void *argument, struct convc_kernel **out, struct diag *d);

/* The kernel of `key`, from `make` where it is not there. The caller owns one reference. *made says
 * whether this call made it. A failure is not kept: the next call tries again. */
enum convc_status cache_get(struct cache *c, const struct cache_key *key, cache_make make,
                            void *argument, struct convc_kernel **out, bool *made, struct diag *d);

/* The kernel of `key` where it is there; NULL where it is not, or is still being made. The caller
 * owns one reference. */
struct convc_kernel *cache_find(struct cache *c, const struct cache_key *key);

/* What is there, and how look-ups came out since the beginning: found; found while it was being
 * made; made; of those, failed. And how many kernels left for want of room. */
struct cache_stats {
    size_t kernels, code_bytes;
    int64_t hits, waits, misses, failures, evictions;
};
struct cache_stats cache_stats(struct cache *c);

#endif
