/* answer: the tensors of one convolution of any types, and whether a kernel's answer is right.
 *
 * Values are small whole numbers. Failures end the test. Stands on: element, support, cmocka.
 */
#ifndef TESTS_SUPPORT_ANSWER_H
#define TESTS_SUPPORT_ANSWER_H

#include <convc/convc.h>

struct answer {
    convc_spec *spec;
    const struct convc_problem *p; /* the first of the spec, of a batch of n */
    int64_t n, elements;           /* of dst */
    void *src, *wei, *bias, *dst, *expected;
};

/* Of a spec's file, or a problem in its notation; without residual and user's args. */
void answer_init(struct answer *a, const char *path);
void answer_free(struct answer *a);

/* Arguments of the reference; dst is `dst`. */
struct convc_args answer_args(const struct answer *a);

/* Packs, runs on the context's threads, compares with the reference; whole numbers may be a unit
 * off where the kernel says so. */
void answer_check(const struct answer *a, const convc_kernel *k);

#endif
