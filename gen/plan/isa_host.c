#include "gen/plan/isa.h"

#include <string.h>

#if defined(__x86_64__)
#include <cpuid.h>
#elif defined(__linux__)
#include <sys/auxv.h>
#endif

const struct isa *isa_host(void)
{
#if defined(__x86_64__)
    const char *name = "x86_64";
#elif defined(__aarch64__)
    const char *name = "aarch64";
#elif defined(__riscv) && __riscv_xlen == 64
    const char *name = "riscv64";
#else
    const char *name = "";
#endif
    return isa_find(name, strlen(name));
}

static const struct isa_cpu *find_cpu(const struct isa *isa, const char *name, uint64_t features)
{
    for (int i = 0; i < isa->cpus; i++)
        if (strcmp(isa->cpu[i].name, name) == 0 && !(isa->cpu[i].features & ~features))
            return &isa->cpu[i];
    return NULL;
}

#if defined(__x86_64__)

static bool reports(const struct isa_feature *f)
{
    unsigned reg[4];
    return __get_cpuid_count((unsigned)f->leaf, (unsigned)f->subleaf, &reg[0], &reg[1], &reg[2],
                             &reg[3]) &&
           (reg[f->reg] >> f->bit & 1);
}

/* Which register states the operating system saves: bits of XCR0. */
static unsigned saved_state(void)
{
    unsigned eax, ebx, ecx, edx;
    if (!__get_cpuid(1, &eax, &ebx, &ecx, &edx) || !(ecx & bit_OSXSAVE))
        return 0;
    __asm__ volatile("xgetbv" : "=a"(eax), "=d"(edx) : "c"(0));
    return eax;
}

static uint64_t without(const struct isa *isa, uint64_t set, const char *feature)
{
    return isa_remove(isa, set, isa_match_feature(isa, feature));
}

uint64_t isa_host_features(void)
{
    const struct isa *isa = isa_host();
    uint64_t set = 0;
    for (int i = 0; i < isa->features; i++)
        if (reports(&isa->feature[i]))
            set |= UINT64_C(1) << i;
    set = isa_complete(isa, set);

    unsigned state = saved_state();
    if ((state & 0x06) != 0x06) /* xmm, ymm */
        set = without(isa, set, "avx");
    if ((state & 0xe6) != 0xe6) /* and the masks, zmm, the upper sixteen */
        set = without(isa, set, "avx512f");
    return set;
}

/* Where the tuning of one CPU fits others of its core, they share it. */
static const struct {
    char vendor; /* of "GenuineIntel", "AuthenticAMD" */
    int family, first_model, last_model;
    const char *cpu;
} models[] = {
    { 'A', 0x1a, 0x00, 0xff, "znver5" },      { 'A', 0x19, 0x10, 0x1f, "znver4" },
    { 'A', 0x19, 0x60, 0xaf, "znver4" },      { 'A', 0x19, 0x00, 0xff, "znver3" },
    { 'A', 0x17, 0x30, 0xff, "znver2" },      { 'A', 0x17, 0x00, 0xff, "znver1" },
    { 'G', 6, 0xad, 0xae, "graniterapids" },  { 'G', 6, 0xcf, 0xcf, "emeraldrapids" },
    { 'G', 6, 0x8f, 0x8f, "sapphirerapids" }, { 'G', 6, 0x8c, 0x8d, "tigerlake" },
    { 'G', 6, 0xa7, 0xa7, "rocketlake" },     { 'G', 6, 0x6a, 0x6c, "icelake-server" },
    { 'G', 6, 0x7d, 0x7e, "icelake-client" }, { 'G', 6, 0x55, 0x55, "cooperlake" },
    { 'G', 6, 0x55, 0x55, "cascadelake" },    { 'G', 6, 0x55, 0x55, "skylake-avx512" },
    { 'G', 6, 0x97, 0x9a, "alderlake" },      { 'G', 6, 0xb7, 0xbf, "alderlake" },
    { 'G', 6, 0x4e, 0x4e, "skylake" },        { 'G', 6, 0x5e, 0x5e, "skylake" },
    { 'G', 6, 0x8e, 0x8e, "skylake" },        { 'G', 6, 0x9e, 0xa6, "skylake" },
    { 'G', 6, 0x3c, 0x3c, "haswell" },        { 'G', 6, 0x3f, 0x3f, "haswell" },
    { 'G', 6, 0x45, 0x46, "haswell" },        { 'G', 6, 0x3d, 0x3d, "broadwell" },
    { 'G', 6, 0x47, 0x47, "broadwell" },      { 'G', 6, 0x4f, 0x4f, "broadwell" },
    { 'G', 6, 0x56, 0x56, "broadwell" },
};

const struct isa_cpu *isa_host_cpu(uint64_t features)
{
    static const char *const levels[] = { "x86-64-v4",   "x86-64-v3", "ivybridge",
                                          "sandybridge", "x86-64-v2", "x86-64" };
    const struct isa *isa = isa_host();
    unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
    __get_cpuid(0, &eax, &ebx, &ecx, &edx);
    char vendor = (char)(ebx & 0xff);
    __get_cpuid(1, &eax, &ebx, &ecx, &edx);
    int family = (int)((eax >> 8 & 15) + (eax >> 20 & 255));
    int model = (int)((eax >> 4 & 15) | (eax >> 12 & 0xf0));

    /* A virtual machine may hide features of the CPU that it names; hence find_cpu's look. */
    const struct isa_cpu *cpu = NULL;
    for (size_t i = 0; !cpu && i < sizeof models / sizeof *models; i++)
        if (models[i].vendor == vendor && models[i].family == family &&
            models[i].first_model <= model && model <= models[i].last_model)
            cpu = find_cpu(isa, models[i].cpu, features);
    for (size_t i = 0; !cpu && i < sizeof levels / sizeof *levels; i++)
        cpu = find_cpu(isa, levels[i], features);
    return cpu;
}

#else

uint64_t isa_host_features(void)
{
    uint64_t set = 0;
#if defined(__linux__)
    const struct isa *isa = isa_host();
    for (int i = 0; isa && i < isa->features; i++) {
        const struct isa_feature *f = &isa->feature[i];
        if (f->leaf >= 0 && (getauxval((unsigned long)f->leaf) >> f->bit & 1))
            set |= UINT64_C(1) << i;
    }
#elif defined(__APPLE__)
    set = isa_host()->cpu[isa_match_cpu(isa_host(), "apple-m1")].features;
#endif
    return set;
}

const struct isa_cpu *isa_host_cpu(uint64_t features)
{
    static const char *const names[] = {
#if defined(__APPLE__)
        "apple-m1",
#endif
        "sifive-u74",
        "generic",
    };
    const struct isa *isa = isa_host();
    const struct isa_cpu *cpu = NULL;
    for (size_t i = 0; isa && !cpu && i < sizeof names / sizeof *names; i++)
        cpu = find_cpu(isa, names[i], features);
    return cpu || !isa ? cpu : &isa->cpu[0];
}

#endif
