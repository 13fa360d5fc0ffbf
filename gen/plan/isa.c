#include "gen/plan/isa.h"

#include <string.h>

#define BIT(feature) (UINT64_C(1) << (feature))
#define COUNT(array) (int)(sizeof(array) / sizeof *(array))

/* ---- x86-64 -------------------------------------------------------------------------------- */

enum {
    SSE3,
    SSSE3,
    SSE41,
    SSE42,
    POPCNT,
    CX16,
    SSE4A,
    AVX,
    F16C,
    FMA,
    BMI,
    BMI2,
    LZCNT,
    MOVBE,
    AVX2,
    GFNI,
    VAES,
    VPCLMULQDQ,
    AVXVNNI,
    AVX512F,
    AVX512CD,
    AVX512BW,
    AVX512DQ,
    AVX512VL,
    AVX512IFMA,
    AVX512VBMI,
    AVX512VBMI2,
    AVX512VNNI,
    AVX512BITALG,
    AVX512VPOPCNTDQ,
    AVX512BF16,
    AVX512FP16,
};

enum { EAX, EBX, ECX, EDX };

/* Bits: Intel's Software Developer's Manual, volume 2A, CPUID; AMD's APM, volume 3, appendix E. */
static const struct isa_feature x86_feature[] = {
    [SSE3] = { "sse3", 0, 1, 0, ECX, 0 },
    [SSSE3] = { "ssse3", BIT(SSE3), 1, 0, ECX, 9 },
    [SSE41] = { "sse4.1", BIT(SSSE3), 1, 0, ECX, 19 },
    [SSE42] = { "sse4.2", BIT(SSE41), 1, 0, ECX, 20 },
    [POPCNT] = { "popcnt", 0, 1, 0, ECX, 23 },
    [CX16] = { "cx16", 0, 1, 0, ECX, 13 },
    [SSE4A] = { "sse4a", BIT(SSE3), 0x80000001, 0, ECX, 6 },
    [AVX] = { "avx", BIT(SSE42), 1, 0, ECX, 28 },
    [F16C] = { "f16c", BIT(AVX), 1, 0, ECX, 29 },
    [FMA] = { "fma", BIT(AVX), 1, 0, ECX, 12 },
    [BMI] = { "bmi", 0, 7, 0, EBX, 3 },
    [BMI2] = { "bmi2", 0, 7, 0, EBX, 8 },
    [LZCNT] = { "lzcnt", 0, 0x80000001, 0, ECX, 5 },
    [MOVBE] = { "movbe", 0, 1, 0, ECX, 22 },
    [AVX2] = { "avx2", BIT(AVX), 7, 0, EBX, 5 },
    [GFNI] = { "gfni", 0, 7, 0, ECX, 8 },
    [VAES] = { "vaes", BIT(AVX2), 7, 0, ECX, 9 },
    [VPCLMULQDQ] = { "vpclmulqdq", BIT(AVX), 7, 0, ECX, 10 },
    [AVXVNNI] = { "avxvnni", BIT(AVX2), 7, 1, EAX, 4 },
    [AVX512F] = { "avx512f", BIT(AVX2) | BIT(FMA) | BIT(F16C), 7, 0, EBX, 16 },
    [AVX512CD] = { "avx512cd", BIT(AVX512F), 7, 0, EBX, 28 },
    [AVX512BW] = { "avx512bw", BIT(AVX512F), 7, 0, EBX, 30 },
    [AVX512DQ] = { "avx512dq", BIT(AVX512F), 7, 0, EBX, 17 },
    [AVX512VL] = { "avx512vl", BIT(AVX512F), 7, 0, EBX, 31 },
    [AVX512IFMA] = { "avx512ifma", BIT(AVX512F), 7, 0, EBX, 21 },
    [AVX512VBMI] = { "avx512vbmi", BIT(AVX512BW), 7, 0, ECX, 1 },
    [AVX512VBMI2] = { "avx512vbmi2", BIT(AVX512BW), 7, 0, ECX, 6 },
    [AVX512VNNI] = { "avx512vnni", BIT(AVX512F), 7, 0, ECX, 11 },
    [AVX512BITALG] = { "avx512bitalg", BIT(AVX512BW), 7, 0, ECX, 12 },
    [AVX512VPOPCNTDQ] = { "avx512vpopcntdq", BIT(AVX512F), 7, 0, ECX, 14 },
    [AVX512BF16] = { "avx512bf16", BIT(AVX512BW), 7, 1, EAX, 5 },
    [AVX512FP16] = { "avx512fp16", BIT(AVX512BW) | BIT(AVX512DQ) | BIT(AVX512VL), 7, 0, EDX, 23 },
};

/* What the CPUs of a generation have in common; each line stands on one above it. */
#define X86_V2    (BIT(SSE3) | BIT(SSSE3) | BIT(SSE41) | BIT(SSE42) | BIT(POPCNT) | BIT(CX16))
#define X86_SNB   (X86_V2 | BIT(AVX))
#define X86_IVB   (X86_SNB | BIT(F16C))
#define X86_V3    (X86_IVB | BIT(FMA) | BIT(BMI) | BIT(BMI2) | BIT(LZCNT) | BIT(MOVBE) | BIT(AVX2))
#define X86_VCRYP (BIT(VAES) | BIT(VPCLMULQDQ))
#define X86_ADL   (X86_V3 | X86_VCRYP | BIT(GFNI) | BIT(AVXVNNI))
#define X86_V4                                                                                     \
    (X86_V3 | BIT(AVX512F) | BIT(AVX512CD) | BIT(AVX512BW) | BIT(AVX512DQ) | BIT(AVX512VL))
#define X86_CLX (X86_V4 | BIT(AVX512VNNI))
#define X86_ICL                                                                                    \
    (X86_CLX | X86_VCRYP | BIT(GFNI) | BIT(AVX512IFMA) | BIT(AVX512VBMI) | BIT(AVX512VBMI2) |      \
     BIT(AVX512BITALG) | BIT(AVX512VPOPCNTDQ))
#define X86_SPR (X86_ICL | BIT(AVX512BF16) | BIT(AVX512FP16) | BIT(AVXVNNI))
#define X86_ZN1 (X86_V3 | BIT(SSE4A))
#define X86_ZN4 (X86_ICL | BIT(SSE4A) | BIT(AVX512BF16))

static const struct isa_cpu x86_cpu[] = {
    { "x86-64", 0, 32, 8, 256 },
    { "x86-64-v2", X86_V2, 32, 8, 256 },
    { "x86-64-v3", X86_V3, 32, 8, 256 },
    { "x86-64-v4", X86_V4, 32, 8, 1024 },
    { "nehalem", X86_V2, 32, 8, 256 },
    { "westmere", X86_V2, 32, 8, 256 },
    { "sandybridge", X86_SNB, 32, 8, 256 },
    { "ivybridge", X86_IVB, 32, 8, 256 },
    { "haswell", X86_V3, 32, 8, 256 },
    { "broadwell", X86_V3, 32, 8, 256 },
    { "skylake", X86_V3, 32, 8, 256 },
    { "skylake-avx512", X86_V4, 32, 8, 1024 },
    { "cascadelake", X86_CLX, 32, 8, 1024 },
    { "cooperlake", X86_CLX | BIT(AVX512BF16), 32, 8, 1024 },
    { "icelake-client", X86_ICL, 48, 12, 512 },
    { "icelake-server", X86_ICL, 48, 12, 1280 },
    { "tigerlake", X86_ICL, 48, 12, 1280 },
    { "rocketlake", X86_ICL, 48, 12, 512 },
    { "alderlake", X86_ADL, 48, 12, 1280 },
    { "sapphirerapids", X86_SPR, 48, 12, 2048 },
    { "emeraldrapids", X86_SPR, 48, 12, 2048 },
    { "graniterapids", X86_SPR, 48, 12, 2048 },
    { "znver1", X86_ZN1, 32, 8, 512 },
    { "znver2", X86_ZN1, 32, 8, 512 },
    { "znver3", X86_ZN1 | X86_VCRYP, 32, 8, 512 },
    { "znver4", X86_ZN4, 32, 8, 1024 },
    { "znver5", X86_ZN4 | BIT(AVXVNNI), 48, 12, 1024 },
};

static void describe_x86(uint64_t features, struct target *t)
{
    bool avx512 = features & BIT(AVX512F);
    t->vector_bytes = avx512 ? 64 : features & BIT(AVX) ? 32 : 16;
    t->halves = avx512 && features & BIT(SSE4A) && !(features & BIT(AVXVNNI)); /* Zen 4 */
    t->vector_registers = avx512 ? 32 : 16;
    t->fma = features & BIT(FMA);
    t->masks = avx512;
    t->permutes = avx512;
    t->pointer_bytes = 8;
}

/* ---- AArch64 ------------------------------------------------------------------------------- */

enum { NEON, LSE, FULLFP16, DOTPROD, I8MM, BF16, SVE, SVE2, SVE256, SVE512 };

/* Bits: Linux, arch/arm64/include/uapi/asm/hwcap.h; 16 is AT_HWCAP, 26 AT_HWCAP2. */
static const struct isa_feature arm_feature[] = {
    [NEON] = { "neon", 0, 16, 0, 0, 1 },
    [LSE] = { "lse", 0, 16, 0, 0, 8 },
    [FULLFP16] = { "fullfp16", 0, 16, 0, 0, 10 },
    [DOTPROD] = { "dotprod", BIT(NEON), 16, 0, 0, 20 },
    [I8MM] = { "i8mm", BIT(NEON), 26, 0, 0, 13 },
    [BF16] = { "bf16", 0, 26, 0, 0, 14 },
    [SVE] = { "sve", BIT(FULLFP16), 16, 0, 0, 22 },
    [SVE2] = { "sve2", BIT(SVE), 26, 0, 0, 1 },
    /* Vectors of exactly so many bits. */
    [SVE256] = { "sve256", BIT(SVE), -1, 0, 0, 0, .own = true },
    [SVE512] = { "sve512", BIT(SVE), -1, 0, 0, 0, .own = true },
};

#define ARM_V82 (BIT(NEON) | BIT(LSE) | BIT(FULLFP16) | BIT(DOTPROD))
#define ARM_V1  (ARM_V82 | BIT(I8MM) | BIT(BF16) | BIT(SVE))

static const struct isa_cpu arm_cpu[] = {
    { "generic", BIT(NEON), 32, 4, 512 },
    { "cortex-a53", BIT(NEON), 32, 4, 512 },
    { "cortex-a72", BIT(NEON), 32, 2, 1024 },
    { "cortex-a76", ARM_V82, 64, 4, 512 },
    { "neoverse-n1", ARM_V82, 64, 4, 1024 },
    { "neoverse-n2", ARM_V1 | BIT(SVE2), 64, 4, 1024 },
    { "neoverse-v1", ARM_V1 | BIT(SVE256), 64, 4, 1024 },
    { "neoverse-v2", ARM_V1 | BIT(SVE2), 64, 4, 2048 },
    { "apple-m1", ARM_V82, 128, 8, 12288 },
    { "apple-m2", ARM_V82 | BIT(I8MM) | BIT(BF16), 128, 8, 16384 },
};

static void describe_arm(uint64_t features, struct target *t)
{
    /* SVE, too, where its length is not known. */
    t->vector_bytes = features & BIT(SVE512) ? 64 : features & BIT(SVE256) ? 32 : 16;
    t->vector_registers = 32;
    t->fma = true;
    t->masks = t->vector_bytes > 16;
    t->pointer_bytes = 8;
}

/* ---- RISC-V -------------------------------------------------------------------------------- */

enum { RV_M, RV_A, RV_F, RV_D, RV_C, RV_V, ZVL256B, ZVL512B };

/* Bits: letter by letter in AT_HWCAP. */
static const struct isa_feature riscv_feature[] = {
    [RV_M] = { "m", 0, 16, 0, 0, 'm' - 'a' },  [RV_A] = { "a", 0, 16, 0, 0, 'a' - 'a' },
    [RV_F] = { "f", 0, 16, 0, 0, 'f' - 'a' },  [RV_D] = { "d", BIT(RV_F), 16, 0, 0, 'd' - 'a' },
    [RV_C] = { "c", 0, 16, 0, 0, 'c' - 'a' },  [RV_V] = { "v", BIT(RV_D), 16, 0, 0, 'v' - 'a' },
    [ZVL256B] = { "zvl256b", 0, -1, 0, 0, 0 }, [ZVL512B] = { "zvl512b", BIT(ZVL256B), -1, 0, 0, 0 },
};

#define RISCV_GC (BIT(RV_M) | BIT(RV_A) | BIT(RV_F) | BIT(RV_D) | BIT(RV_C))

static const struct isa_cpu riscv_cpu[] = {
    { "generic-rv64", 0, 32, 8, 512 },
    { "sifive-u74", RISCV_GC, 32, 4, 2048 },
    { "spacemit-x60", RISCV_GC | BIT(RV_V) | BIT(ZVL256B), 32, 4, 512 },
    { "sifive-x280", RISCV_GC | BIT(RV_V) | BIT(ZVL256B) | BIT(ZVL512B), 32, 8, 512 },
};

static void describe_riscv(uint64_t features, struct target *t)
{
    bool v = features & BIT(RV_V);
    t->vector_bytes = !v ? 4 : features & BIT(ZVL512B) ? 64 : features & BIT(ZVL256B) ? 32 : 16;
    t->vector_registers = 32;
    t->fma = features & BIT(RV_F);
    t->masks = false;
    t->pointer_bytes = 8;
}

/* ---- WebAssembly --------------------------------------------------------------------------- */

enum { SIMD128 };

static const struct isa_feature wasm_feature[] = {
    [SIMD128] = { "simd128", 0, -1, 0, 0, 0 },
};

static const struct isa_cpu wasm_cpu[] = {
    { "generic", 0, 32, 8, 512 },
    { "bleeding-edge", BIT(SIMD128), 32, 8, 512 },
};

static void describe_wasm(uint64_t features, struct target *t)
{
    t->vector_bytes = features & BIT(SIMD128) ? 16 : 4;
    t->vector_registers = 16;
    t->fma = false; /* it would be a call */
    t->masks = false;
    t->pointer_bytes = 4;
}

/* ---- looking up ---------------------------------------------------------------------------- */

static const struct isa isas[] = {
    { "x86_64", NULL, x86_feature, COUNT(x86_feature), x86_cpu, COUNT(x86_cpu), 0, describe_x86 },
    { "aarch64", "arm64", arm_feature, COUNT(arm_feature), arm_cpu, COUNT(arm_cpu), BIT(NEON),
      describe_arm },
    { "riscv64", NULL, riscv_feature, COUNT(riscv_feature), riscv_cpu, COUNT(riscv_cpu),
      BIT(RV_M) | BIT(RV_F) | BIT(RV_D), describe_riscv },
    { "wasm32", NULL, wasm_feature, COUNT(wasm_feature), wasm_cpu, COUNT(wasm_cpu), 0,
      describe_wasm },
};

static bool same(const char *name, const char *text, size_t size)
{
    return name && strlen(name) == size && memcmp(name, text, size) == 0;
}

const struct isa *isa_find(const char *name, size_t size)
{
    for (int i = 0; i < COUNT(isas); i++)
        if (same(isas[i].name, name, size) || same(isas[i].alias, name, size))
            return &isas[i];
    return NULL;
}

/* The size of `name` where `text` begins with it and it ends there, else 0. */
static size_t match(const char *name, const char *text)
{
    size_t size = strlen(name);
    if (strncmp(name, text, size) != 0)
        return 0;
    return text[size] == '\0' || text[size] == '+' || text[size] == '-' ? size : 0;
}

int isa_match_cpu(const struct isa *isa, const char *text)
{
    int best = -1;
    size_t longest = 0;
    for (int i = 0; i < isa->cpus; i++) {
        size_t size = match(isa->cpu[i].name, text);
        if (size > longest) {
            longest = size;
            best = i;
        }
    }
    return best;
}

int isa_match_feature(const struct isa *isa, const char *text)
{
    for (int i = 0; i < isa->features; i++) /* no name has a '-', so there is one match at most */
        if (match(isa->feature[i].name, text))
            return i;
    return -1;
}

uint64_t isa_add(const struct isa *isa, uint64_t set, int feature)
{
    set |= BIT(feature);
    for (int i = feature; i >= 0; i--) /* what a feature needs stands before it in its table */
        if (set & BIT(i))
            set |= isa->feature[i].needs;
    return set;
}

uint64_t isa_complete(const struct isa *isa, uint64_t set)
{
    for (int i = 0; i < isa->features; i++)
        if (isa->feature[i].needs & ~set)
            set &= ~BIT(i);
    return set;
}

uint64_t isa_remove(const struct isa *isa, uint64_t set, int feature)
{
    return isa_complete(isa, set & ~BIT(feature));
}
