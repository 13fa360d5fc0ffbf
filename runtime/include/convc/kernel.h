/* convc/kernel.h: the binary interface of a compiled kernel.
 *
 * A kernel is one function. It knows no threads: it takes a phase and a range of work items,
 * computes those outputs and returns; it allocates nothing, takes no lock and calls nothing.
 */
#ifndef CONVC_KERNEL_H
#define CONVC_KERNEL_H

#include <convc/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Changes whenever struct convc_args or the meaning of a work range changes. */
#define CONVC_KERNEL_ABI 1

/* What a kernel is called with. Zero the structure, set struct_bytes and what the problem has.
 *
 *   src        [n] images, laid out by the problem's src strides, aligned to an element, as all are
 *   wei        what convc_pack wrote, 64-byte aligned (the reference call takes plain weights);
 *              not read where convc_packed_bytes is 0
 *   bias       [oc], dense, of acc's type; ignored where the problem has none
 *   residual   as dst, with dst's strides and type; may be dst itself
 *   dst        [n] images, laid out by the problem's dst strides; may be the residual, or a tensor
 *              of `user`, and overlaps nothing else
 *   workspace  convc_workspace_bytes(...) bytes, 64-byte aligned; NULL where that is 0. Whoever
 *              calls the function itself, instead of convc_run, gives each of the calls that run
 *              at the same time convc_workspace_bytes(k, n, 1) of its own
 *   n          images in this call; 0 is legal and does nothing
 *   user       a pointer for each of the problem's args: channel [oc], dense, of acc's type; tensor
 *              as dst, with dst's strides and type, may be dst itself; scalar one element of acc's
 *              type. NULL where there are none
 */
struct convc_args {
    size_t struct_bytes;
    const void *src;
    const void *wei;
    const void *bias;
    const void *residual;
    void *dst;
    void *workspace;
    int64_t n;
    const void *const *user; /* the epilogue's args, in their order       */
    int64_t reserved[8];     /* reserved: run-time extents and pitches    */
};

/* Work items [begin, end) of `phase`. */
typedef void (*convc_kernel_fn)(const struct convc_args *args, int32_t phase, int64_t begin,
                                int64_t end);

/* Packed weights begin with this; the elements follow at once. */
struct convc_packed_header {
    char magic[8];        /* "convcpk1" */
    uint64_t layout_hash; /* of the layout that the elements are in */
    uint64_t bytes;       /* header included */
    uint64_t reserved[5];
};

#ifdef __cplusplus
}
#endif
#endif
