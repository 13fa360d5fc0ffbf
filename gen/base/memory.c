#include "gen/base/memory.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* `allocate` NULL: the C library's. Written before the first allocation alone. */
static struct memory_source host;
static atomic_bool settled;

static _Thread_local uint64_t refused;

uint64_t memory_refused(void)
{
    return refused;
}

/* What an allocation came to. */
static void *counted(void *block)
{
    refused += !block;
    return block;
}

static void settle(void)
{
    if (!atomic_load_explicit(&settled, memory_order_relaxed))
        atomic_store_explicit(&settled, true, memory_order_relaxed);
}

enum convc_status memory_set(const struct memory_source *source, struct diag *d)
{
    if (atomic_load_explicit(&settled, memory_order_relaxed))
        return diag_fail(d, CONVC_ERR_ARGUMENT,
                         "convc has allocated memory already: its allocator is to be set before "
                         "any other call");
    host = source ? *source : (struct memory_source){ 0 };
    return CONVC_OK;
}

/* No size is 0 or past what a pointer can span, whatever the host's functions make of those. */
void *memory_take(size_t bytes)
{
    settle();
    if (bytes > PTRDIFF_MAX)
        return counted(NULL);
    bytes = bytes ? bytes : 1;
    return counted(host.allocate ? host.allocate(host.user, bytes) : malloc(bytes));
}

void *memory_zeroed(size_t count, size_t size)
{
    if (size && count > PTRDIFF_MAX / size)
        return counted(NULL);
    if (!host.allocate) { /* large blocks come from the system, zeroed already */
        settle();
        return counted(calloc(count ? count : 1, size ? size : 1));
    }
    void *block = memory_take(count * size);
    return block ? memset(block, 0, count * size) : NULL;
}

void *memory_resize(void *block, size_t bytes)
{
    if (!block)
        return memory_take(bytes);
    if (bytes > PTRDIFF_MAX)
        return counted(NULL);
    bytes = bytes ? bytes : 1;
    return counted(host.allocate ? host.reallocate(host.user, block, bytes)
                                 : realloc(block, bytes));
}

/* The block that it lies in is named in front of it. */
void *memory_take_aligned(size_t bytes)
{
    enum { ALIGN = 64 };
    char *block = bytes < PTRDIFF_MAX - 2 * ALIGN ? memory_take(bytes + 2 * ALIGN) : NULL;
    if (!block)
        return NULL;
    void **aligned = (void **)(block + 2 * ALIGN - (uintptr_t)block % ALIGN);
    aligned[-1] = block;
    return aligned;
}

void memory_free_aligned(void *block)
{
    if (block)
        memory_free(((void **)block)[-1]);
}

char *memory_text(const char *text, size_t count)
{
    char *copy = memory_take(count + 1);
    if (copy) {
        memcpy(copy, text, count);
        copy[count] = '\0';
    }
    return copy;
}

char *memory_strdup(const char *text)
{
    return memory_text(text, strlen(text));
}

void memory_free(void *block)
{
    if (block && host.allocate)
        host.release(host.user, block);
    else
        free(block);
}
