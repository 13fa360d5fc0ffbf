/* layer: one convolution with its tensors, for tests of the runtime.
 *
 * Values are small integers, so that every order of summation gives the same result, and the result
 * can be demanded exactly; of transforms within their bound. Failures end the test. Stands on:
 * convc/convc.h, cmocka.
 */
#ifndef TESTS_SUPPORT_LAYER_H
#define TESTS_SUPPORT_LAYER_H

#include <convc/convc.h>
#include <stdbool.h>

struct layer {
    struct convc_problem p;
    int64_t n, src_elements, wei_elements, dst_elements;
    float *src, *wei, *bias, *residual, *dst, *expected; /* f32, aligned to 64 bytes */
    void *packed;                                        /* layer_pack's */
};

/* 2-D, f32, ic -> oc at h x w, 3x3 with padding 1, bias and residual. */
void layer_problem(struct convc_problem *p, int64_t ic, int64_t oc, int64_t h, int64_t w);

/* Tensors for n images of `p`, with what the reference makes of them. */
void layer_init(struct layer *l, const struct convc_problem *p, int64_t n);

/* layer_init with layer_problem. */
void layer_make(struct layer *l, int64_t ic, int64_t oc, int64_t h, int64_t w, int64_t n);
void layer_free(struct layer *l);

/* A context for layers, without the disk cache; or ends the test. */
convc_context *layer_context(int32_t threads, int32_t compile_threads);

/* Packs the weights for `k`. */
void layer_pack(struct layer *l, const convc_kernel *k);

/* Arguments of a run on all tensors. */
struct convc_args layer_args(const struct layer *l);

/* Packs, runs and demands the expected result. */
void layer_check(struct layer *l, const convc_kernel *k);

/* Does the kernel compute the layer, exactly? In memory of its own, and nothing ends the test: for
 * any number of threads, and for children. */
bool layer_computes(const struct layer *l, const convc_kernel *k);

/* Compiles or ends the test. opt may be NULL. */
convc_kernel *layer_compile(convc_context *cx, const struct layer *l,
                            const struct convc_compile_options *opt);

#endif
