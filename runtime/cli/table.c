#include "runtime/cli/table.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { COLUMNS_MAX = 32, CELL_MAX = 512 };

void table_begin(struct table *t, const char *align)
{
    *t = (struct table){ .columns = (int)strlen(align), .align = align };
}

void table_cell(struct table *t, const char *format, ...)
{
    char text[CELL_MAX];
    va_list list;
    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    if (t->count == t->capacity) {
        size_t capacity = t->capacity ? t->capacity * 2 : 64;
        char **more = realloc(t->cell, capacity * sizeof *more);
        if (!more) {
            t->failed = true;
            return;
        }
        t->cell = more;
        t->capacity = capacity;
    }
    t->cell[t->count] = strdup(text);
    if (t->cell[t->count])
        t->count++;
    else
        t->failed = true;
}

void table_real(struct table *t, const char *format, double value)
{
    char text[64];
    snprintf(text, sizeof text, format, value);
    table_cell(t, "%s", isnan(value) ? "-" : text);
}

static void print_row(const struct table *t, size_t first, const int *width, FILE *out)
{
    for (int c = 0; c < t->columns; c++) {
        const char *text = t->cell[first + (size_t)c];
        bool last = c + 1 == t->columns;
        if (t->align[c] == 'r')
            fprintf(out, "%*s%s", width[c], text, last ? "\n" : "  ");
        else if (last)
            fprintf(out, "%s\n", text);
        else
            fprintf(out, "%-*s  ", width[c], text);
    }
}

bool table_print(struct table *t, FILE *out)
{
    int width[COLUMNS_MAX] = { 0 };
    bool fine = !t->failed;
    for (size_t i = 0; i < t->count; i++) {
        int length = (int)strlen(t->cell[i]);
        int *w = &width[i % (size_t)t->columns];
        if (length > *w)
            *w = length;
    }
    for (size_t i = 0; fine && i + (size_t)t->columns <= t->count; i += (size_t)t->columns)
        print_row(t, i, width, out);
    table_free(t);
    return fine;
}

void table_free(struct table *t)
{
    for (size_t i = 0; i < t->count; i++)
        free(t->cell[i]);
    free(t->cell);
    *t = (struct table){ 0 };
}
