/* memory: where all that convc itself allocates comes from.
 *
 * One allocator for the process: the C library's, or the host's (convc_set_allocator). It is
 * settled by the first allocation, so that every block goes back to where it came from. Nothing
 * else in gen/ and runtime/ calls malloc; LLVM, SQLite and the C library allocate for themselves.
 * Any number of threads. Stands on: diag.
 */
#ifndef GEN_BASE_MEMORY_H
#define GEN_BASE_MEMORY_H

#include "gen/base/diag.h"

#include <stddef.h>
#include <stdint.h>

/* Like malloc, calloc, realloc, strndup and free; NULL where memory is out. */
void *memory_take(size_t bytes);
void *memory_zeroed(size_t count, size_t size);
void *memory_resize(void *block, size_t bytes);
char *memory_text(const char *text, size_t count); /* NUL-terminated */
char *memory_strdup(const char *text);
void memory_free(void *block); /* NULL is fine */

/* Of 64 bytes' alignment, as tensors have. */
void *memory_take_aligned(size_t bytes);
void memory_free_aligned(void *block);

/* How many allocations of this thread have failed so far. Work that may come out otherwise for want
 * of memory, such as a choice among what there was memory to look at, asks before and after. */
uint64_t memory_refused(void);

/* The host's functions, with `user` in front; see struct convc_allocator. */
struct memory_source {
    void *user;
    void *(*allocate)(void *user, size_t bytes);
    void *(*reallocate)(void *user, void *block, size_t bytes);
    void (*release)(void *user, void *block);
};

/* NULL: the C library's. CONVC_ERR_ARGUMENT once something was allocated. */
enum convc_status memory_set(const struct memory_source *source, struct diag *d);

#endif
