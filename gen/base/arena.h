/* arena: memory that is freed all at once.
 *
 * One arena is one lifetime, usually one compile. A failed allocation returns NULL and is
 * remembered in `failed`, so that a long run of allocations may be checked once.
 * Stands on: memory.
 */
#ifndef GEN_BASE_ARENA_H
#define GEN_BASE_ARENA_H

#include <stdbool.h>
#include <stddef.h>

struct arena_block;

/* Zero-initialise: struct arena a = { 0 }. */
struct arena {
    struct arena_block *blocks;
    bool failed;
};

/* `bytes` zeroed bytes, aligned for any type; NULL where memory is out. */
void *arena_alloc(struct arena *a, size_t bytes);

/* `count` zeroed elements of `size` bytes; NULL too where the product overflows. */
void *arena_array(struct arena *a, size_t count, size_t size);

char *arena_strdup(struct arena *a, const char *s);

/* Frees everything; the arena may be used again. */
void arena_free(struct arena *a);

#endif
