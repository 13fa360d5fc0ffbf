#include "gen/emit/arguments.h"

#include "gen/base/memory.h"
#include "gen/plan/pack.h"

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

/* Constants as a caller would give weights to be packed. */
static void write_plain(const struct problem *p, int64_t count, void *plain)
{
    for (int64_t i = 0; i < count; i++) {
        double v = constants_at(&p->c, i / p->c.values, i % p->c.values);
        if (p->p.wei_dtype == CONVC_F64)
            ((double *)plain)[i] = v;
        else
            ((float *)plain)[i] = (float)v;
    }
}

/* The bytes as a constant of the module, of which only the pointer is seen. */
static LLVMValueRef constant_bytes(struct em *em, const char *bytes, size_t count)
{
    enum { ALIGN = 64, WITHOUT_NUL = 1 };
    LLVMValueRef value = LLVMConstStringInContext2(em->context, bytes, count, WITHOUT_NUL);
    LLVMValueRef global = LLVMAddGlobal(em->module, LLVMTypeOf(value), "weights");
    LLVMSetInitializer(global, value);
    LLVMSetGlobalConstant(global, 1);
    LLVMSetLinkage(global, LLVMPrivateLinkage);
    LLVMSetUnnamedAddress(global, LLVMGlobalUnnamedAddr);
    LLVMSetAlignment(global, ALIGN);
    return global;
}

static LLVMValueRef built_in_weights(struct em *em, const struct problem *p,
                                     const struct plan *plan)
{
    struct layout l;
    plan_layout(p, plan, em->target, &l);
    int64_t bytes = dtype_bytes(p->p.wei_dtype), count = p->p.oc * p->c.values;
    size_t packed_bytes = (size_t)(layout_elements(&l) * bytes);
    char *plain = memory_take((size_t)(count * bytes)), *packed = memory_take(packed_bytes);
    LLVMValueRef weights = LLVMGetUndef(em->ptr);
    em->failed = em->failed || !plain || !packed;
    if (plain && packed) {
        write_plain(p, count, plain);
        if (l.transformed)
            plan_pack(p, plan, em->target, plain, packed);
        else
            pack_by_layout(&l, bytes, plain, packed);
        weights = constant_bytes(em, packed, packed_bytes);
    }
    memory_free(plain);
    memory_free(packed);
    return weights;
}

struct arguments arguments_tensors(struct em *em, const struct problem *p, const struct plan *plan)
{
    struct arguments a;
    int users = p->f.arg_count;
    unsigned pointer = (unsigned)em->target->pointer_bytes;
    a.src = load(em, em->ptr, ARGUMENTS_SRC);
    a.wei = plan_in_code(plan) ? NULL
            : p->c.period      ? built_in_weights(em, p, plan)
                               : em_at_const(em, load(em, em->ptr, ARGUMENTS_WEI),
                                             sizeof(struct convc_packed_header));
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
