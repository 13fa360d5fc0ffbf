#include "runtime/peak.h"

#include "gen/base/memory.h"
#include "runtime/clock.h"

#include <math.h>
#include <stdbool.h>

/* ---- the loops ------------------------------------------------------------------------------- */

struct loop {
    void (*run)(int64_t rounds);
    double flop_per_round; /* a fused multiply-add counts as two */
};

#if defined(__x86_64__)

#define CHAINS_14 "0,1,2,3,4,5,6,7,8,9,10,11,12,13"
#define CHAINS_24 CHAINS_14 ",14,15,16,17,18,19,20,21,22,23"
#define CLOBBERS_16                                                                                \
    "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10",       \
        "xmm11", "xmm12", "xmm13", "xmm14", "xmm15"
#define CLOBBERS_32                                                                                \
    CLOBBERS_16, "xmm16", "xmm17", "xmm18", "xmm19", "xmm20", "xmm21", "xmm22", "xmm23", "xmm30",  \
        "xmm31"

/* %1 is the factor a, %2 the summand b; both tend to leave the chains at 1. */
#define FUSED_LOOP(name, isa, chains, step, broadcast, reg, a, b, type, clobbers)                  \
    __attribute__((target(isa))) static void name(int64_t rounds)                                  \
    {                                                                                              \
        const type factor = (type)0.75, summand = (type)0.25;                                      \
        __asm__ volatile(broadcast " %1, %%" reg a "\n\t" broadcast " %2, %%" reg b "\n\t"         \
                                   ".irp r," chains "\n\t" broadcast " %1, %%" reg "\\r\n\t"       \
                                   ".endr\n"                                                       \
                                   "1:\n\t"                                                        \
                                   ".irp r," chains "\n\t" step " %%" reg b ", %%" reg a           \
                                   ", %%" reg "\\r\n\t"                                            \
                                   ".endr\n\t"                                                     \
                                   "dec %0\n\t"                                                    \
                                   "jnz 1b"                                                        \
                         : "+r"(rounds)                                                            \
                         : "m"(factor), "m"(summand)                                               \
                         : "cc", clobbers);                                                        \
    }

/* Without fused operations: a multiplication and an addition. %xmm14 and %xmm15 hold a and b. */
#define SPLIT_LOOP(name, multiply, add, load, spread, type)                                        \
    static void name(int64_t rounds)                                                               \
    {                                                                                              \
        const type factor = (type)0.75, summand = (type)0.25;                                      \
        __asm__ volatile(load " %1, %%xmm14\n\t" spread " $0, %%xmm14, %%xmm14\n\t" load           \
                              " %2, %%xmm15\n\t" spread " $0, %%xmm15, %%xmm15\n\t"                \
                              ".irp r," CHAINS_14 "\n\t"                                           \
                              "movaps %%xmm14, %%xmm\\r\n\t"                                       \
                              ".endr\n"                                                            \
                              "1:\n\t"                                                             \
                              ".irp r," CHAINS_14 "\n\t" multiply " %%xmm14, %%xmm\\r\n\t" add     \
                              " %%xmm15, %%xmm\\r\n\t"                                             \
                              ".endr\n\t"                                                          \
                              "dec %0\n\t"                                                         \
                              "jnz 1b"                                                             \
                         : "+r"(rounds)                                                            \
                         : "m"(factor), "m"(summand)                                               \
                         : "cc", CLOBBERS_16);                                                     \
    }

FUSED_LOOP(avx512_f32, "avx512f", CHAINS_24, "vfmadd213ps", "vbroadcastss", "zmm", "30", "31",
           float, CLOBBERS_32)
FUSED_LOOP(avx512_f64, "avx512f", CHAINS_24, "vfmadd213pd", "vbroadcastsd", "zmm", "30", "31",
           double, CLOBBERS_32)
FUSED_LOOP(avx2_f32, "avx2,fma", CHAINS_14, "vfmadd213ps", "vbroadcastss", "ymm", "14", "15", float,
           CLOBBERS_16)
FUSED_LOOP(avx2_f64, "avx2,fma", CHAINS_14, "vfmadd213pd", "vbroadcastsd", "ymm", "14", "15",
           double, CLOBBERS_16)
SPLIT_LOOP(sse2_f32, "mulps", "addps", "movss", "shufps", float)
SPLIT_LOOP(sse2_f64, "mulpd", "addpd", "movsd", "shufpd", double)

static struct loop best_loop(enum convc_dtype type)
{
    bool f32 = type == CONVC_F32;
    double lanes = f32 ? 4 : 2;
    if (__builtin_cpu_supports("avx512f"))
        return (struct loop){ f32 ? avx512_f32 : avx512_f64, 24 * 2 * 4 * lanes };
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        return (struct loop){ f32 ? avx2_f32 : avx2_f64, 14 * 2 * 2 * lanes };
    return (struct loop){ f32 ? sse2_f32 : sse2_f64, 14 * 2 * lanes };
}

#else

/* Elsewhere the compiler vectorises, where it was asked to optimise. */
enum { ELEMENTS = 64 };

static void portable_f32(int64_t rounds)
{
    float x[ELEMENTS] = { 0 };
    for (int64_t r = 0; r < rounds; r++) {
        for (int i = 0; i < ELEMENTS; i++)
            x[i] = __builtin_fmaf(x[i], 0.75f, 0.25f);
    }
    __asm__ volatile("" : : "m"(x));
}

static void portable_f64(int64_t rounds)
{
    double x[ELEMENTS] = { 0 };
    for (int64_t r = 0; r < rounds; r++) {
        for (int i = 0; i < ELEMENTS; i++)
            x[i] = __builtin_fma(x[i], 0.75, 0.25);
    }
    __asm__ volatile("" : : "m"(x));
}

static struct loop best_loop(enum convc_dtype type)
{
    return (struct loop){ type == CONVC_F32 ? portable_f32 : portable_f64, 2 * ELEMENTS };
}

#endif

/* ---- the measurement ------------------------------------------------------------------------- */

/* One run takes about this long: short enough to fall between disturbances. */
static const double run_seconds = 2e-3;

struct measurement {
    struct loop loop;
    int64_t rounds;     /* of a run */
    double (*times)[2]; /* of the last run: start and end by thread */
};

static void run_threads(void *argument, int64_t begin, int64_t end)
{
    const struct measurement *m = argument;
    for (int64_t i = begin; i < end; i++) {
        m->times[i][0] = clock_seconds();
        m->loop.run(m->rounds);
        m->times[i][1] = clock_seconds();
    }
}

/* From the first start to the last end of a run. */
static double run_seconds_of(const struct measurement *m, int threads)
{
    double start = m->times[0][0], end = m->times[0][1];
    for (int i = 1; i < threads; i++) {
        start = fmin(start, m->times[i][0]);
        end = fmax(end, m->times[i][1]);
    }
    return end - start;
}

/* Rounds for one run, from runs that grow until the clock can tell. */
static int64_t calibrate(const struct loop *loop)
{
    int64_t rounds = 1000;
    for (;; rounds *= 2) {
        double start = clock_seconds();
        loop->run(rounds);
        double seconds = clock_seconds() - start;
        if (seconds > run_seconds / 8)
            return 1 + (int64_t)((double)rounds * run_seconds / seconds);
    }
}

enum convc_status peak_measure(struct pool *pool, enum convc_dtype dtype, double seconds,
                               double *gflops, struct diag *d)
{
    int threads = pool_threads(pool);
    struct measurement m = { .loop = best_loop(dtype) };
    m.times = memory_zeroed((size_t)threads, sizeof *m.times);
    if (!m.times)
        return diag_memory(d);
    double until = clock_seconds() + seconds, best = INFINITY;
    m.rounds = calibrate(&m.loop);
    do {
        pool_run(pool, run_threads, &m, threads);
        best = fmin(best, run_seconds_of(&m, threads));
    } while (clock_seconds() < until);
    *gflops = m.loop.flop_per_round * (double)m.rounds * threads / best * 1e-9;
    memory_free(m.times);
    return CONVC_OK;
}
