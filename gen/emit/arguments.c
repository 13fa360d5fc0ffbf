#include "gen/emit/arguments.h"

#include <convc/kernel.h>

enum { RESERVED = 8 }; /* words behind the fields in use */

/* Pointers, but for n and what is reserved, whole numbers of 8 bytes. */
int64_t arguments_offset(const struct target *t, enum arguments_field field)
{
    int64_t pointer = t->pointer_bytes;
    int64_t n = (ARGUMENTS_N * pointer + 7) / 8 * 8, user = n + 8;
    int64_t reserved = (user + pointer + 7) / 8 * 8;
    switch (field) {
    case ARGUMENTS_N: return n;
    case ARGUMENTS_USER: return user;
    case ARGUMENTS_RESERVED: return reserved;
    case ARGUMENTS_FIELDS: return reserved + RESERVED * 8;
    default: return field * pointer;
    }
}

static LLVMValueRef load(struct em *em, LLVMTypeRef type, enum arguments_field field)
{
    LLVMValueRef at =
        em_at_const(em, LLVMGetParam(em->function, 0), arguments_offset(em->target, field));
    return em_load(em, type, at, type == em->ptr ? (unsigned)em->target->pointer_bytes : 8);
}

struct arguments arguments_tensors(struct em *em, int users)
{
    struct arguments a;
    unsigned pointer = (unsigned)em->target->pointer_bytes;
    a.src = load(em, em->ptr, ARGUMENTS_SRC);
    a.wei = em_at_const(em, load(em, em->ptr, ARGUMENTS_WEI), sizeof(struct convc_packed_header));
    a.bias = load(em, em->ptr, ARGUMENTS_BIAS);
    a.residual = load(em, em->ptr, ARGUMENTS_RESIDUAL);
    a.dst = load(em, em->ptr, ARGUMENTS_DST);
    if (users > 0) {
        LLVMValueRef list = load(em, em->ptr, ARGUMENTS_USER);
        for (int i = 0; i < users; i++)
            a.user[i] = em_load(em, em->ptr, em_at_const(em, list, i * (int64_t)pointer), pointer);
    }
    return a;
}

LLVMValueRef arguments_n(struct em *em)
{
    return load(em, em->i64, ARGUMENTS_N);
}

LLVMValueRef arguments_workspace(struct em *em)
{
    return load(em, em->ptr, ARGUMENTS_WORKSPACE);
}

LLVMValueRef arguments_begin(struct em *em)
{
    return LLVMGetParam(em->function, 2);
}

LLVMValueRef arguments_end(struct em *em)
{
    return LLVMGetParam(em->function, 3);
}
