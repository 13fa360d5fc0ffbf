#include "gen/emit/arguments.h"

#include <convc/kernel.h>

#include <stddef.h>

static LLVMValueRef field(struct em *em, LLVMTypeRef type, size_t offset)
{
    LLVMValueRef args = LLVMGetParam(em->function, 0);
    return em_load(em, type, em_at_const(em, args, (int64_t)offset), 8);
}

struct arguments arguments_tensors(struct em *em, int users)
{
    struct arguments a;
    a.src = field(em, em->ptr, offsetof(struct convc_args, src));
    a.wei = em_at_const(em, field(em, em->ptr, offsetof(struct convc_args, wei)),
                        sizeof(struct convc_packed_header));
    a.bias = field(em, em->ptr, offsetof(struct convc_args, bias));
    a.residual = field(em, em->ptr, offsetof(struct convc_args, residual));
    a.dst = field(em, em->ptr, offsetof(struct convc_args, dst));
    if (users > 0) {
        LLVMValueRef list = field(em, em->ptr, offsetof(struct convc_args, user));
        for (int i = 0; i < users; i++)
            a.user[i] = em_load(em, em->ptr, em_at_const(em, list, i * (int)sizeof(void *)), 8);
    }
    return a;
}

LLVMValueRef arguments_n(struct em *em)
{
    return field(em, em->i64, offsetof(struct convc_args, n));
}

LLVMValueRef arguments_workspace(struct em *em)
{
    return field(em, em->ptr, offsetof(struct convc_args, workspace));
}

LLVMValueRef arguments_begin(struct em *em)
{
    return LLVMGetParam(em->function, 2);
}

LLVMValueRef arguments_end(struct em *em)
{
    return LLVMGetParam(em->function, 3);
}
