/* table: rows of cells, printed in columns as wide as their widest cell.
 *
 * Running out of memory is remembered and table_print says so.
 */
#ifndef CLI_TABLE_H
#define CLI_TABLE_H

#include <stdbool.h>
#include <stdio.h>

struct table {
    int columns;
    const char *align; /* a letter for each column: l or r */
    char **cell;
    size_t count, capacity;
    bool failed;
};

void table_begin(struct table *t, const char *align);

/* Cells fill the rows from left to right. */
void table_cell(struct table *t, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* One number, by a format for it; "-" for NAN. */
void table_real(struct table *t, const char *format, double value);

/* Prints the rows and frees the table. False where memory ran out. */
bool table_print(struct table *t, FILE *out);
void table_free(struct table *t);

#endif
