#include "gen/plan/probe.h"

#include "gen/plan/isa.h"

#include <string.h>

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

enum convc_status probes_of(const struct target *t, struct probes *p, struct diag *d)
{
    const struct isa *isa = isa_find("x86_64", 6);
    uint64_t set;
    *p = (struct probes){ 0 };
    if (strncmp(t->triple, "x86_64", 6) != 0)
        return diag_fail(d, CONVC_ERR_UNSUPPORTED,
                         "several CPUs in one library must be x86-64, whose programs can ask; %s "
                         "is not",
                         t->triple);
    if (target_features(t, &set, d) != CONVC_OK)
        return d->status;
    for (int f = 0; f < isa->features; f++) {
        if (set >> f & 1)
            require(p, &isa->feature[f]);
    }
    if (t->vector_bytes > 16)
        p->state = t->vector_bytes > 32 ? STATE_ZMM : STATE_YMM;
    return CONVC_OK;
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
