/* strides: where the elements of a tensor lie.
 *
 * Strides count elements and are indexed by CONVC_STRIDE_*. An axis of one element has a stride
 * that nobody uses; strides_canonical gives it the one value that every description of the same
 * memory agrees on. Errors: CONVC_ERR_SHAPE for what is too large, CONVC_ERR_ARGUMENT for strides
 * that no tensor can have. Stands on: base.
 */
#ifndef GEN_PROBLEM_STRIDES_H
#define GEN_PROBLEM_STRIDES_H

#include "gen/base/diag.h"

#include <stdbool.h>

/* One tensor of a problem; `name` ("src", "dst") is for sentences. */
struct tensor {
    const char *name;
    enum convc_layout layout;
    int64_t bytes; /* of an element */
    int64_t n, c;
    int64_t extent[3];
    bool written; /* its elements must lie apart */
};

/* Makes `stride` canonical: all zero stands for dense in the layout, anything else is checked.
 * No tensor spans more than 2^62 bytes. */
enum convc_status strides_resolve(const struct tensor *t, int64_t stride[5], struct diag *d);

/* The canonical strides of a dense tensor that strides_resolve has accepted. */
void strides_dense(const struct tensor *t, int64_t stride[5]);

/* Elements from the first to one past the last; -1 where that is past 2^62. */
int64_t strides_span(const int64_t stride[5], int64_t n, int64_t c, const int64_t extent[3]);

#endif
