#include "gen/base/text.h"

#include "gen/base/memory.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct text text_in(char *bytes, size_t size)
{
    bytes[0] = '\0';
    return (struct text){ .data = bytes, .capacity = size, .fixed = true };
}

static bool reserve(struct text *t, size_t more)
{
    if (t->capacity - t->size > more)
        return true;
    size_t capacity = (t->size + more + 1) * 2;
    char *data = t->failed || t->fixed ? NULL : memory_resize(t->data, capacity);
    if (!data) {
        t->failed = true;
        return false;
    }
    t->data = data;
    t->capacity = capacity;
    return true;
}

void text_append(struct text *t, const char *bytes, size_t count)
{
    if (!reserve(t, count))
        return;
    memcpy(t->data + t->size, bytes, count);
    t->size += count;
    t->data[t->size] = '\0';
}

void text_add(struct text *t, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, args);
    if (n >= 0 && reserve(t, (size_t)n)) {
        vsnprintf(t->data + t->size, (size_t)n + 1, format, again);
        t->size += (size_t)n;
    }
    va_end(again);
    va_end(args);
}

void text_add_real(struct text *t, double value)
{
    char digits[32];
    for (int precision = 6; precision <= 17; precision++) {
        snprintf(digits, sizeof digits, "%.*g", precision, value);
        if (strtod(digits, NULL) == value)
            break;
    }
    char *comma = strchr(digits, ','); /* where the host program chose a locale that has one */
    if (comma)
        *comma = '.';
    text_append(t, digits, strlen(digits));
}

void text_free(struct text *t)
{
    memory_free(t->data);
    *t = (struct text){ 0 };
}

char *text_take(struct text *t)
{
    text_append(t, "", 0);
    char *data = t->data;
    if (t->failed) {
        memory_free(data);
        data = NULL;
    }
    *t = (struct text){ 0 };
    return data;
}
