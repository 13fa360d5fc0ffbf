#include "gen/emit/dispatch_machine.h"

#include <string.h>

static LLVMValueRef i32(struct em *em, int64_t v)
{
    return LLVMConstInt(em->i32, (unsigned long long)v, 1);
}

static LLVMValueRef has_all(struct em *em, LLVMValueRef word, uint32_t mask)
{
    LLVMValueRef and = LLVMBuildAnd(em->builder, word, i32(em, mask), "");
    return LLVMBuildICmp(em->builder, LLVMIntEQ, and, i32(em, mask), "");
}

static LLVMValueRef assembly(struct em *em, LLVMTypeRef type, const char *text,
                             const char *constraints, LLVMValueRef *with, unsigned count)
{
    LLVMValueRef code = LLVMGetInlineAsm(type, text, strlen(text), constraints, strlen(constraints),
                                         1, 0, LLVMInlineAsmDialectATT, 0);
    return LLVMBuildCall2(em->builder, type, code, with, count, "");
}

/* ---- x86-64 --------------------------------------------------------------------------------- */

static const uint32_t extended_leaves = 0x80000000; /* where the leaves of the second kind begin */
enum { OSXSAVE = 27 };

/* Words that come from one or two others. */
static LLVMValueRef ask_words(struct em *em, const char *text, const char *constraints, int words,
                              LLVMValueRef *with, unsigned count)
{
    LLVMTypeRef word[4] = { em->i32, em->i32, em->i32, em->i32 };
    LLVMTypeRef result = LLVMStructTypeInContext(em->context, word, (unsigned)words, 0);
    return assembly(em, LLVMFunctionType(result, word, count, 0), text, constraints, with, count);
}

static LLVMValueRef cpuid(struct em *em, uint32_t leaf, uint32_t subleaf, int reg)
{
    LLVMValueRef with[2] = { i32(em, leaf), i32(em, subleaf) };
    LLVMValueRef all = ask_words(em, "cpuid", "={ax},={bx},={cx},={dx},{ax},{cx}", 4, with, 2);
    return LLVMBuildExtractValue(em->builder, all, (unsigned)reg, "");
}

static struct machine ask_x86(struct em *em)
{
    struct em_var state = em_var(em, em->i32, "state");
    struct machine m = { .basic = cpuid(em, 0, 0, 0),
                         .extended = cpuid(em, extended_leaves, 0, 0) };
    em_set(em, state, i32(em, 0));
    EM_IF (em, has_all(em, cpuid(em, 1, 0, 2), UINT32_C(1) << OSXSAVE)) {
        LLVMValueRef none = i32(em, 0);
        LLVMValueRef all = ask_words(em, "xgetbv", "={ax},={dx},{cx}", 2, &none, 1);
        em_set(em, state, LLVMBuildExtractValue(em->builder, all, 0, ""));
    }
    m.state = em_get(em, state);
    return m;
}

/* A leaf that the machine does not know says nothing. */
static LLVMValueRef fits_x86(struct em *em, const struct machine *m, const struct probes *p)
{
    LLVMValueRef all = has_all(em, m->state, p->state);
    for (int i = 0; i < p->count; i++) {
        const struct probe *q = &p->list[i];
        LLVMValueRef highest = q->leaf < extended_leaves ? m->basic : m->extended;
        LLVMValueRef known = LLVMBuildICmp(em->builder, LLVMIntUGE, highest, i32(em, q->leaf), "");
        LLVMValueRef word = cpuid(em, q->leaf, q->subleaf, q->reg);
        all = em_and(em, all, em_and(em, known, has_all(em, word, q->mask)));
    }
    return all;
}

/* ---- AArch64 -------------------------------------------------------------------------------- */

static LLVMValueRef ask_double_word(struct em *em, const char *text, const char *constraints)
{
    return assembly(em, LLVMFunctionType(em->i64, NULL, 0, 0), text, constraints, NULL, 0);
}

static LLVMValueRef has_field(struct em *em, const struct machine *m, const struct probe_field *f)
{
    enum { BITS = 4, WORD = 64 };
    LLVMValueRef up = LLVMBuildShl(em->builder, m->id[f->id], em_int(em, WORD - BITS - f->bit), "");
    LLVMValueRef field = LLVMBuildAShr(em->builder, up, em_int(em, WORD - BITS), "");
    return LLVMBuildICmp(em->builder, LLVMIntSGE, field, em_int(em, f->least), "");
}

/* By their numbers, that assemblers of every age know them. ID_AA64ZFR0_EL1 is 0 without SVE. */
static struct machine ask_arm(struct em *em, const struct probes *probes, int targets)
{
    static const char *const read[PROBE_IDS] = { [PROBE_PFR0] = "mrs $0, S3_0_C0_C4_0",
                                                 [PROBE_ISAR0] = "mrs $0, S3_0_C0_C6_0",
                                                 [PROBE_ISAR1] = "mrs $0, S3_0_C0_C6_1",
                                                 [PROBE_ZFR0] = "mrs $0, S3_0_C0_C4_4" };
    static const struct probe_field sve = { PROBE_PFR0, 32, 1 };
    static const char rdvl_x0_1[] = ".inst 0x04bf5020"; /* x0 = bytes of a vector */
    struct em_var bytes = em_var(em, em->i64, "bytes");
    struct machine m = { 0 };
    bool length = false;
    for (int i = 0; i < targets; i++)
        length = length || probes[i].vector_bytes;
    for (int i = 0; i < PROBE_IDS; i++)
        m.id[i] = ask_double_word(em, read[i], "=r");
    em_set(em, bytes, em_int(em, 0));
    if (length) {
        EM_IF (em, has_field(em, &m, &sve)) {
            em_set(em, bytes, ask_double_word(em, rdvl_x0_1, "={x0}"));
        }
    }
    m.vector_bytes = em_get(em, bytes);
    return m;
}

static LLVMValueRef fits_arm(struct em *em, const struct machine *m, const struct probes *p)
{
    LLVMValueRef all = em_true(em);
    for (int i = 0; i < p->fields; i++)
        all = em_and(em, all, has_field(em, m, &p->field[i]));
    if (p->vector_bytes)
        all = em_and(em, all, em_equal(em, m->vector_bytes, em_int(em, p->vector_bytes)));
    return all;
}

/* ---- both ----------------------------------------------------------------------------------- */

static bool is_x86(const struct em *em)
{
    return !strncmp(em->target->triple, "x86_64", 6);
}

struct machine machine_ask(struct em *em, const struct probes *probes, int targets)
{
    return is_x86(em) ? ask_x86(em) : ask_arm(em, probes, targets);
}

LLVMValueRef machine_fits(struct em *em, const struct machine *m, const struct probes *p)
{
    return is_x86(em) ? fits_x86(em, m, p) : fits_arm(em, m, p);
}
