/* Runs static kernels on a machine that has no C library: under an emulator, or as WebAssembly.
 *
 * Tensors come in on standard input and go out on standard output, kernel after kernel, as raw
 * bytes: src, wei, bias, residual and what dst holds before in; dst out. `entries`, written by the
 * test, says what there is.
 */
#include <convc/kernel.h>

struct foreign_entry {
    convc_kernel_fn kernel;
    void (*pack)(const void *plain, void *packed); /* NULL: there are no weights to pack */
    int64_t (*items)(int32_t phase, int64_t n);
    int64_t src_bytes, wei_bytes, bias_bytes, dst_bytes, packed_bytes, workspace_bytes;
    int32_t phases;
    int64_t n;
};
extern const struct foreign_entry foreign_entries[];
extern const int foreign_count;

/* ---- the machine ------------------------------------------------------------------------------
 */

#if defined(__wasm__)
__attribute__((import_module("host"), import_name("read"))) void host_read(void *to, int bytes);
__attribute__((import_module("host"), import_name("write"))) void host_write(const void *p, int n);
#else
enum { READ = 63, WRITE = 64, EXIT = 93 }; /* of the kernel's generic table */

static long call(long number, long a, long b, long c)
{
#if defined(__aarch64__)
    register long x8 __asm__("x8") = number;
    register long x0 __asm__("x0") = a;
    register long x1 __asm__("x1") = b;
    register long x2 __asm__("x2") = c;
    __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2) : "memory");
    return x0;
#elif defined(__riscv)
    register long a7 __asm__("a7") = number;
    register long a0 __asm__("a0") = a;
    register long a1 __asm__("a1") = b;
    register long a2 __asm__("a2") = c;
    __asm__ volatile("ecall" : "+r"(a0) : "r"(a7), "r"(a1), "r"(a2) : "memory");
    return a0;
#endif
}

/* All of the bytes, or the program ends. */
static void transfer(long number, long file, const void *memory, int bytes)
{
    for (long done; bytes > 0; bytes -= (int)done, memory = (const char *)memory + done)
        if ((done = call(number, file, (long)memory, bytes)) <= 0)
            call(EXIT, 3 + file, 0, 0);
}

static void host_read(void *to, int bytes)
{
    transfer(READ, 0, to, bytes);
}

static void host_write(const void *from, int bytes)
{
    transfer(WRITE, 1, from, bytes);
}
#endif

/* Compilers ask for these by themselves. */
void *memset(void *to, int value, size_t bytes)
{
    for (volatile char *p = (volatile char *)to; bytes--; p++)
        *p = (char)value;
    return to;
}

void *memcpy(void *to, const void *from, size_t bytes)
{
    const char *q = (const char *)from;
    for (volatile char *p = (volatile char *)to; bytes--; p++)
        *p = *q++;
    return to;
}

/* ---- the run ----------------------------------------------------------------------------------
 */

enum { SRC, WEI, BIAS, RESIDUAL, DST, PACKED, WORKSPACE, BUFFERS, ROOM = 8 << 20 };
static char buffer[BUFFERS][ROOM] __attribute__((aligned(64)));

static void run_entry(const struct foreign_entry *e)
{
    struct convc_args args = { sizeof args,
                               buffer[SRC],
                               buffer[PACKED],
                               buffer[BIAS],
                               buffer[RESIDUAL],
                               buffer[DST],
                               buffer[WORKSPACE],
                               e->n,
                               0,
                               { 0 } };
    host_read(buffer[SRC], (int)e->src_bytes);
    host_read(buffer[WEI], (int)e->wei_bytes);
    host_read(buffer[BIAS], (int)e->bias_bytes);
    host_read(buffer[RESIDUAL], (int)e->dst_bytes);
    host_read(buffer[DST], (int)e->dst_bytes);
    memset(buffer[PACKED], 0xff, (size_t)e->packed_bytes);
    memset(buffer[WORKSPACE], 0xff, (size_t)e->workspace_bytes);
    if (e->pack)
        e->pack(buffer[WEI], buffer[PACKED]);
    for (int32_t phase = 0; phase < e->phases; phase++)
        e->kernel(&args, phase, 0, e->items(phase, e->n));
    host_write(buffer[DST], (int)e->dst_bytes);
}

static void run_all(void)
{
    for (int i = 0; i < foreign_count; i++)
        run_entry(&foreign_entries[i]);
}

#if defined(__wasm__)
__attribute__((export_name("run"))) void run(void)
{
    run_all();
}
#else
__attribute__((used)) void foreign_main(void)
{
    run_all();
    call(EXIT, 0, 0, 0);
}

/* The stack is aligned to 16 bytes when a program begins, as it is before a call. */
#if defined(__riscv)
/* Relaxed code finds its data by gp. */
__asm__(".globl _start\n_start:\n.option push\n.option norelax\nla gp, __global_pointer$\n"
        ".option pop\ncall foreign_main\n");
#else
__asm__(".globl _start\n_start:\nbl foreign_main\n");
#endif
#endif
