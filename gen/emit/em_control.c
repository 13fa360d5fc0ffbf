/* Mutable locals, loops and branches. */
#include "gen/emit/em.h"

struct em_var em_var(struct em *em, LLVMTypeRef type, const char *name)
{
    LLVMBasicBlockRef here = LLVMGetInsertBlock(em->builder);
    LLVMPositionBuilderBefore(em->builder, LLVMGetBasicBlockTerminator(em->entry));
    struct em_var v = { .type = type, .slot = LLVMBuildAlloca(em->builder, type, name) };
    LLVMPositionBuilderAtEnd(em->builder, here);
    return v;
}

LLVMValueRef em_get(struct em *em, struct em_var v)
{
    return LLVMBuildLoad2(em->builder, v.type, v.slot, "");
}

void em_set(struct em *em, struct em_var v, LLVMValueRef value)
{
    LLVMBuildStore(em->builder, value, v.slot);
}

static LLVMBasicBlockRef block(struct em *em, const char *name)
{
    return LLVMAppendBasicBlockInContext(em->context, em->function, name);
}

/* Tested at the bottom, with a guard in front unless the first turn is certain. */
struct em_loop em_loop_begin(struct em *em, const char *name, LLVMValueRef begin, LLVMValueRef end)
{
    struct em_loop l = { .em = em, .open = true, .index = begin, .end = end };
    int64_t first = 0, last = 0;
    bool known = em_is_const(begin, &first) && em_is_const(end, &last);
    if (known && last - first <= 1) {
        l.open = last > first;
        return l;
    }
    LLVMBasicBlockRef before = LLVMGetInsertBlock(em->builder);
    l.body = block(em, name);
    l.exit = block(em, "");
    if (known)
        LLVMBuildBr(em->builder, l.body);
    else
        LLVMBuildCondBr(em->builder, em_less(em, begin, end), l.body, l.exit);
    LLVMPositionBuilderAtEnd(em->builder, l.body);
    l.index = LLVMBuildPhi(em->builder, em->i64, name);
    LLVMAddIncoming(l.index, &begin, &before, 1);
    return l;
}

void em_loop_end(struct em_loop *l)
{
    struct em *em = l->em;
    l->open = false;
    if (!l->body)
        return;
    LLVMValueRef next = em_add(em, l->index, em_int(em, 1));
    LLVMBasicBlockRef latch = LLVMGetInsertBlock(em->builder);
    LLVMAddIncoming(l->index, &next, &latch, 1);
    LLVMBuildCondBr(em->builder, em_less(em, next, l->end), l->body, l->exit);
    LLVMPositionBuilderAtEnd(em->builder, l->exit);
}

struct em_branch em_if_begin(struct em *em, LLVMValueRef condition)
{
    struct em_branch b = { .em = em, .open = true };
    int64_t known;
    if (em_is_const(condition, &known)) {
        b.open = known != 0;
        return b;
    }
    LLVMBasicBlockRef body = block(em, "if");
    b.exit = block(em, "");
    LLVMBuildCondBr(em->builder, condition, body, b.exit);
    LLVMPositionBuilderAtEnd(em->builder, body);
    return b;
}

void em_if_end(struct em_branch *b)
{
    b->open = false;
    if (!b->exit)
        return;
    LLVMBuildBr(b->em->builder, b->exit);
    LLVMPositionBuilderAtEnd(b->em->builder, b->exit);
}
