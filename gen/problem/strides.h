/* strides: where the elements of a tensor lie.
 *
 * Strides count elements and are indexed by CONVC_STRIDE_*. An axis of one element has a stride
 * that nobody uses; the canonical form gives it a value that all descriptions of the same memory
 * agree on. Errors: CONVC_ERR_SHAPE for what is too large, CONVC_ERR_ARGUMENT for strides
 * that no tensor can have. Stands on: problem.
 */
#ifndef GEN_PROBLEM_STRIDES_H
#define GEN_PROBLEM_STRIDES_H

#include "gen/problem/problem.h"

/* One tensor of a problem; `name` ("src", "dst") is for sentences. */
struct tensor {
    const char *name;
    enum convc_layout layout;
    int64_t bytes; /* of an element */
    int64_t n, c;
    int64_t extent[3];
    bool written; /* its elements must lie apart */
};

struct tensor tensor_src(const struct problem *p);
struct tensor tensor_dst(const struct problem *p);

/* Makes `stride` canonical: all zero stands for dense in the layout, anything else is checked.
 * No tensor spans more than 2^62 bytes. */
enum convc_status strides_resolve(const struct tensor *t, int64_t stride[5], struct diag *d);

/* The canonical strides of a dense tensor that strides_resolve has accepted. */
void strides_dense(const struct tensor *t, int64_t stride[5]);

#endif
