#include "runtime/cli/array.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int64_t array_product(const int64_t *extent, int rank)
{
    const int64_t limit = (int64_t)1 << 48;
    int64_t product = 1;
    for (int a = 0; a < rank; a++)
        if (extent[a] == 0)
            return 0;
    for (int a = 0; a < rank; a++) {
        if (extent[a] < 0 || extent[a] > limit / product)
            return -1;
        product *= extent[a];
    }
    return product;
}

/* Systems promise memory that they do not have, and end processes that use it. */
static bool machine_holds(int64_t values)
{
    double pages = (double)sysconf(_SC_PHYS_PAGES), page = (double)sysconf(_SC_PAGESIZE);
    return pages <= 0 || (double)values * sizeof(double) <= pages * page;
}

enum exit_code array_allocate(struct array *a, struct failure *f)
{
    a->count = array_product(a->extent, a->rank);
    if (a->count >= 0 && !machine_holds(a->count))
        return fail(f, EXIT_SYSTEM,
                    "%" PRId64 " elements are more than this machine's memory holds", a->count);
    a->value = a->count < 0 ? NULL : calloc(a->count ? (size_t)a->count : 1, sizeof *a->value);
    return a->value ? EXIT_FINE : fail_memory(f);
}

void array_free(struct array *a)
{
    free(a->value);
    a->value = NULL;
}

void array_shape_text(const struct array *a, char text[ARRAY_SHAPE_TEXT])
{
    int at = snprintf(text, ARRAY_SHAPE_TEXT, "(");
    for (int i = 0; i < a->rank; i++)
        at += snprintf(text + at, (size_t)(ARRAY_SHAPE_TEXT - at), "%s%" PRId64, i ? ", " : "",
                       a->extent[i]);
    snprintf(text + at, (size_t)(ARRAY_SHAPE_TEXT - at), a->rank == 1 ? ",)" : ")");
}
