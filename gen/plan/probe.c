#include "gen/plan/probe.h"

#include "gen/plan/isa.h"

#include <string.h>

/* ---- x86-64 -------------------------------------------------------------------------------- */

enum { STATE_YMM = 0x06, STATE_ZMM = 0xe6 };

static void require(struct probes *p, const struct isa_feature *f)
{
    const uint32_t bit = UINT32_C(1) << f->bit;
    for (int i = 0; i < p->count; i++) {
        struct probe *q = &p->list[i];
        if (q->leaf == (uint32_t)f->leaf && q->subleaf == (uint32_t)f->subleaf &&
            q->reg == f->reg) {
            q->mask |= bit;
            return;
        }
    }
    p->list[p->count++] = (struct probe){ (uint32_t)f->leaf, (uint32_t)f->subleaf, bit, f->reg };
}

static void require_all(struct probes *p, const struct isa *isa, uint64_t set)
{
    for (int f = 0; f < isa->features; f++) {
        if (set >> f & 1)
            require(p, &isa->feature[f]);
    }
}

/* ---- AArch64 ------------------------------------------------------------------------------- */

/* Arm Architecture Reference Manual, D19.2: AArch64 system registers. A field of floating point is
 * -1 where there is none of it. */
static const struct {
    const char *feature;
    struct probe_field field;
} arm_fields[] = {
    { "neon", { PROBE_PFR0, 20, 0 } },     { "fullfp16", { PROBE_PFR0, 20, 1 } },
    { "sve", { PROBE_PFR0, 32, 1 } },      { "lse", { PROBE_ISAR0, 20, 2 } },
    { "dotprod", { PROBE_ISAR0, 44, 1 } }, { "bf16", { PROBE_ISAR1, 44, 1 } },
    { "i8mm", { PROBE_ISAR1, 52, 1 } },    { "sve2", { PROBE_ZFR0, 0, 1 } },
};

static void require_fields(struct probes *p, const struct isa *isa, uint64_t set)
{
    for (size_t i = 0; i < sizeof arm_fields / sizeof *arm_fields; i++) {
        if (set >> isa_match_feature(isa, arm_fields[i].feature) & 1)
            p->field[p->fields++] = arm_fields[i].field;
    }
}

/* ---- both ---------------------------------------------------------------------------------- */

static bool is_x86(const struct target *t)
{
    return !strncmp(t->triple, "x86_64", 6);
}

/* Apple's systems and Windows end programs that read ID registers. */
static bool is_open_arm(const struct target *t)
{
    static const char *const closed[] = { "apple", "darwin", "macos", "ios", "windows", "win32" };
    for (size_t i = 0; i < sizeof closed / sizeof *closed; i++) {
        if (strstr(t->triple, closed[i]))
            return false;
    }
    return !strncmp(t->triple, "aarch64", 7) || !strncmp(t->triple, "arm64", 5);
}

enum convc_status probes_of(const struct target *t, struct probes *p, struct diag *d)
{
    const struct isa *isa = isa_find(t->triple, strcspn(t->triple, "-"));
    uint64_t set;
    *p = (struct probes){ 0 };
    if (!is_x86(t) && !is_open_arm(t))
        return diag_fail(d, CONVC_ERR_UNSUPPORTED,
                         "several CPUs in one library must be of x86-64, or of AArch64 without "
                         "Apple's systems and Windows, where programs can ask; %s is not",
                         t->triple);
    if (target_features(t, &set, d) != CONVC_OK)
        return d->status;
    if (!is_x86(t)) {
        require_fields(p, isa, set);
        p->vector_bytes = t->vector_bytes > 16 ? t->vector_bytes : 0;
        return CONVC_OK;
    }
    require_all(p, isa, set);
    if (t->vector_bytes > 16)
        p->state = t->vector_bytes > 32 ? STATE_ZMM : STATE_YMM;
    return CONVC_OK;
}

const char *probes_plainest(const struct target *t)
{
    return is_x86(t) ? "x86-64" : "generic";
}

static int count(uint64_t set)
{
    return __builtin_popcountll(set);
}

bool probes_prefer(const struct target *a, const struct target *b)
{
    uint64_t of_a = 0, of_b = 0;
    struct diag ignored = { 0 };
    target_features(a, &of_a, &ignored);
    target_features(b, &of_b, &ignored);
    if (a->vector_bytes != b->vector_bytes)
        return a->vector_bytes > b->vector_bytes;
    return count(of_a) > count(of_b);
}
