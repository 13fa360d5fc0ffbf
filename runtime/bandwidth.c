#include "runtime/bandwidth.h"

#include "gen/base/memory.h"
#include "runtime/clock.h"

#include <math.h>
#include <string.h>

enum { PAGE_BYTES = 4096 };

typedef void (*read_fn)(const char *p, int64_t bytes);

#if defined(__x86_64__)

/* Sixteen loads a turn; what they bring is thrown away. */
#define READ_LOOP(name, isa, load, reg, width)                                                     \
    __attribute__((target(isa))) static void name(const char *p, int64_t bytes)                    \
    {                                                                                              \
        const char *end = p + bytes;                                                               \
        __asm__ volatile("1:\n\t"                                                                  \
                         ".irp i,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n\t" load " \\i*" #width    \
                         "(%0), %%" reg "\\i\n\t"                                                  \
                         ".endr\n\t"                                                               \
                         "add $16*" #width ", %0\n\t"                                              \
                         "cmp %1, %0\n\t"                                                          \
                         "jb 1b"                                                                   \
                         : "+r"(p)                                                                 \
                         : "r"(end)                                                                \
                         : "cc", "memory", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", \
                           "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14",    \
                           "xmm15");                                                               \
    }

READ_LOOP(read_avx512, "avx512f", "vmovaps", "zmm", 64)
READ_LOOP(read_avx, "avx", "vmovaps", "ymm", 32)
READ_LOOP(read_sse, "sse2", "movaps", "xmm", 16)

static read_fn best_loop(void)
{
    if (__builtin_cpu_supports("avx512f"))
        return read_avx512;
    return __builtin_cpu_supports("avx") ? read_avx : read_sse;
}

#else

/* Elsewhere the compiler vectorises, where it was asked to optimise. */
static void read_words(const char *p, int64_t bytes)
{
    const uint64_t *word = (const uint64_t *)(const void *)p;
    uint64_t sum = 0;
    for (int64_t i = 0; i < bytes / 8; i++)
        sum += word[i];
    __asm__ volatile("" : : "r"(sum));
}

static read_fn best_loop(void)
{
    return read_words;
}

#endif

enum convc_status bandwidth_measure(int64_t bytes, double seconds, double *gigabytes,
                                    struct diag *d)
{
    /* Small buffers are read often enough that the clock can tell. */
    const int64_t turns = bytes < (1 << 22) ? (1 << 22) / bytes : 1;
    read_fn read = best_loop();
    char *block = memory_take((size_t)bytes + PAGE_BYTES);
    if (!block)
        return diag_memory(d);
    char *buffer = block + (PAGE_BYTES - (uintptr_t)block % PAGE_BYTES);
    memset(buffer, 1, (size_t)bytes);
    double until = clock_seconds() + seconds, best = INFINITY;
    do {
        double start = clock_seconds();
        for (int64_t i = 0; i < turns; i++)
            read(buffer, bytes);
        best = fmin(best, clock_seconds() - start);
    } while (clock_seconds() < until);
    *gigabytes = (double)(bytes * turns) / best * 1e-9;
    memory_free(block);
    return CONVC_OK;
}
