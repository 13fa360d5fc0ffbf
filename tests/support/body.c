#include "tests/support/body.h"

struct code body_build(const struct target *t, body emit, const void *what, unsigned *blocks)
{
    struct em em;
    LLVMContextRef context = LLVMContextCreate();
    em_open(&em, context, "body", t);
    LLVMValueRef args = LLVMGetParam(em.function, 0);
    struct io io = { .begin = LLVMGetParam(em.function, 2), .end = LLVMGetParam(em.function, 3) };
    io.src = em_load(&em, em.ptr, em_at_const(&em, args, offsetof(struct convc_args, src)), 8);
    io.dst = em_load(&em, em.ptr, em_at_const(&em, args, offsetof(struct convc_args, dst)), 8);
    emit(&em, &io, what);
    if (blocks)
        *blocks = LLVMCountBasicBlocks(em.function);
    struct code c = code_load(em_close(&em), t, "body");
    LLVMContextDispose(context);
    return c;
}

void body_call(const struct code *c, const void *src, void *dst, int64_t begin, int64_t end)
{
    struct convc_args args = { .struct_bytes = sizeof args, .src = src, .dst = dst };
    c->run(&args, 0, begin, end);
}

void body_build_and_call(const struct target *t, body emit, const void *what, const void *src,
                         void *dst)
{
    struct code c = body_build(t, emit, what, NULL);
    body_call(&c, src, dst, 0, 0);
    code_free(&c);
}

void body_store_int(struct em *em, const struct io *io, int64_t at, LLVMValueRef v)
{
    em_store(em, v, em_at_const(em, io->dst, 8 * at), 8);
}
