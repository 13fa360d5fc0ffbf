/* body: a few words of em as a kernel, compiled for one machine and called.
 * Stands on: subject, cmocka.
 */
#ifndef TESTS_SUPPORT_BODY_H
#define TESTS_SUPPORT_BODY_H

#include "tests/support/subject.h"

/* What a body sees of its call. */
struct io {
    LLVMValueRef src, dst, begin, end;
};

/* Emits something that reads src and writes dst; `what` is the test's. */
typedef void (*body)(struct em *em, const struct io *io, const void *what);

/* The number of basic blocks goes to *blocks, where it is asked for. The caller's to code_free. */
struct code body_build(const struct target *t, body emit, const void *what, unsigned *blocks);
void body_call(const struct code *c, const void *src, void *dst, int64_t begin, int64_t end);
void body_build_and_call(const struct target *t, body emit, const void *what, const void *src,
                         void *dst);

/* dst[at] = v, of i64 */
void body_store_int(struct em *em, const struct io *io, int64_t at, LLVMValueRef v);

#endif
