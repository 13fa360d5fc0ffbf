/* text: a string that grows.
 *
 * Running out of memory is remembered in `failed` and the text keeps what it has.
 * Stands on: memory.
 */
#ifndef GEN_BASE_TEXT_H
#define GEN_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* Zero-initialise. `data` is NULL while empty, else NUL-terminated and owned by the text. */
struct text {
    char *data;
    size_t size, capacity;
    bool failed, fixed;
};

/* One that grows no further than `size` bytes, its NUL included, which are the caller's; needs no
 * memory, and text_free and text_take are not for it. */
struct text text_in(char *bytes, size_t size);

void text_add(struct text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
void text_append(struct text *t, const char *bytes, size_t count);

/* With the fewest digits that read back to the same double; "inf" and "-inf" too. */
void text_add_real(struct text *t, double value);

void text_free(struct text *t);

/* Hands the string to the caller, for memory_free; "" where nothing was added; NULL where memory is
 * out. */
char *text_take(struct text *t);

#endif
