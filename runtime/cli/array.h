/* array: numbers as they stand in files: N, C, spatial (weights: oc, ic/groups, spatial), dense,
 * the last axis fastest, whatever the layout in memory. Doubles hold every f32 and f64 value.
 */
#ifndef CLI_ARRAY_H
#define CLI_ARRAY_H

#include "runtime/cli/failure.h"

enum { ARRAY_RANK_MAX = 8 };

struct array {
    int rank;
    int64_t extent[ARRAY_RANK_MAX];
    int64_t count;
    double *value; /* owned; NULL: no array */
};

/* Allocates `a` for the rank and the extents that it has; they multiply without overflow. The
 * values are 0. */
enum exit_code array_allocate(struct array *a, struct failure *f);
void array_free(struct array *a);

/* Writes the product of the extents, or returns -1 where it is past 2^48. */
int64_t array_product(const int64_t *extent, int rank);

enum { ARRAY_SHAPE_TEXT = 200 };

/* "(1, 3, 224, 224)" */
void array_shape_text(const struct array *a, char text[ARRAY_SHAPE_TEXT]);

#endif
