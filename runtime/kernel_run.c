/* kernel_run: checks what a kernel is called with, and splits its work over the threads. */
#include "runtime/api.h"
#include "runtime/clock.h"
#include "runtime/kernel.h"
#include "runtime/ref.h"

#include <inttypes.h>
#include <sched.h>
#include <string.h>

/* Below this, about 20 microseconds, waking other threads costs more than they save. */
static const double cycles_worth_splitting = 80e3;

enum { BLOCK_ALIGN = 64 }; /* of packed weights and workspace */

/* ---- checks ---------------------------------------------------------------------------------- */

static enum convc_status check_pointer(const char *name, const void *p, int64_t align,
                                       struct diag *d)
{
    if (!p)
        return diag_fail(d, CONVC_ERR_ARGUMENT, "%s is missing", name);
    if ((uintptr_t)p % (uintptr_t)align != 0)
        return diag_fail(d, CONVC_ERR_ARGUMENT, "%s=%p is not aligned to %" PRId64 " bytes", name,
                         p, align);
    return CONVC_OK;
}

static enum convc_status check_packed(const struct convc_kernel *k, const void *wei, struct diag *d)
{
    struct convc_packed_header h;
    if (check_pointer("wei", wei, BLOCK_ALIGN, d) != CONVC_OK)
        return d->status;
    memcpy(&h, wei, sizeof h);
    if (memcmp(h.magic, "convcpk1", sizeof h.magic) != 0)
        return diag_fail(d, CONVC_ERR_ARGUMENT, "wei was not written by convc_pack");
    if (h.layout_hash != k->layout_hash || h.bytes != k->packed_bytes)
        return diag_fail(d, CONVC_ERR_ARGUMENT,
                         "wei was packed for another layout (%" PRIu64 " bytes; this kernel's "
                         "convc_pack writes %zu)",
                         h.bytes, k->packed_bytes);
    return CONVC_OK;
}

/* The bytes of a tensor, and whether it fills them without a gap. */
struct extent {
    const char *begin;
    size_t bytes;
    bool dense;
};

static enum convc_status extent_of(const char *name, const struct kernel_tensor *t, const void *p,
                                   int64_t n, struct extent *e, struct diag *d)
{
    int64_t span, count, bytes;
    if (check_pointer(name, p, t->bytes, d) != CONVC_OK)
        return d->status;
    if (__builtin_mul_overflow(t->stride, n - 1, &span) ||
        __builtin_add_overflow(span, t->span, &span) ||
        __builtin_mul_overflow(span, t->bytes, &bytes) || bytes > PTRDIFF_MAX)
        return diag_fail(d, CONVC_ERR_ARGUMENT,
                         "n=%" PRId64 " images of %s exceed the address "
                         "space",
                         n, name);
    if (__builtin_mul_overflow(t->count, n, &count))
        count = INT64_MAX; /* of a broadcast tensor, whose elements share memory */
    *e = (struct extent){ p, (size_t)bytes, count >= span };
    return CONVC_OK;
}

/* Tensors with gaps may lie in each other's gaps, as channel slices of one buffer do. */
static enum convc_status check_apart(const struct extent *dst, const char *name,
                                     const struct extent *e, struct diag *d)
{
    uintptr_t a = (uintptr_t)dst->begin, b = (uintptr_t)e->begin;
    if ((dst->dense || e->dense) && a < b + e->bytes && b < a + dst->bytes)
        return diag_fail(d, CONVC_ERR_ARGUMENT, "dst overlaps %s", name);
    return CONVC_OK;
}

static enum convc_status check_block(const char *name, const void *p, size_t bytes, int64_t align,
                                     const struct extent *dst, struct diag *d)
{
    const struct extent e = { p, bytes, true };
    if (check_pointer(name, p, align, d) != CONVC_OK)
        return d->status;
    return check_apart(dst, name, &e, d);
}

static enum convc_status check_residual(const struct convc_kernel *k, const struct convc_args *args,
                                        const struct extent *dst, struct diag *d)
{
    struct extent e;
    if (extent_of("residual", &k->dst, args->residual, args->n, &e, d) != CONVC_OK)
        return d->status;
    return args->residual == args->dst ? CONVC_OK : check_apart(dst, "residual", &e, d);
}

/* Of an element of bias, and of args that are no tensors. */
static int64_t acc_bytes(const struct convc_kernel *k)
{
    return dtype_bytes(k->problem.p.acc_dtype);
}

static struct extent bias_extent(const struct convc_kernel *k, const struct convc_args *args)
{
    const struct convc_problem *p = &k->problem.p;
    if (!p->bias)
        return (struct extent){ NULL, 0, true };
    return (struct extent){ args->bias, (size_t)(p->oc * acc_bytes(k)), true };
}

/* What arg i of the epilogue spans; dst's extent, where it is a tensor. */
static struct extent arg_extent(const struct convc_kernel *k, const struct convc_args *args, int i,
                                const struct extent *dst)
{
    const void *p = args->user ? args->user[i] : NULL;
    switch (k->problem.f.arg[i].kind) {
    case ARG_CHANNEL: return (struct extent){ p, (size_t)(k->problem.p.oc * acc_bytes(k)), true };
    case ARG_SCALAR: return (struct extent){ p, (size_t)acc_bytes(k), true };
    case ARG_TENSOR: break;
    }
    return (struct extent){ p, dst->bytes, dst->dense };
}

static bool overlap(const struct extent *a, const struct extent *b)
{
    uintptr_t x = (uintptr_t)a->begin, y = (uintptr_t)b->begin;
    return x < y + b->bytes && y < x + a->bytes;
}

/* The args of the epilogue. */
static enum convc_status check_user(const struct convc_kernel *k, const struct convc_args *args,
                                    const struct extent *dst, struct diag *d)
{
    const struct functions *f = &k->problem.f;
    for (int i = 0; i < f->arg_count; i++) {
        struct extent e = arg_extent(k, args, i, dst);
        const char *name = f->arg[i].name;
        bool tensor = f->arg[i].kind == ARG_TENSOR;
        enum convc_status st = CONVC_OK;
        if (tensor)
            st = extent_of(name, &k->dst, e.begin, args->n, &e, d);
        else
            st = check_pointer(name, e.begin, acc_bytes(k), d);
        if (st == CONVC_OK && !(tensor && e.begin == args->dst))
            st = check_apart(dst, name, &e, d);
        if (st != CONVC_OK)
            return st;
    }
    return CONVC_OK;
}

/* Scratch memory may lie in no tensor, not even in its gaps. */
static enum convc_status check_workspace(const struct convc_kernel *k,
                                         const struct convc_args *args, size_t bytes,
                                         const struct extent *src, const struct extent *dst,
                                         struct diag *d)
{
    const struct convc_problem *p = &k->problem.p;
    const struct extent own = { args->workspace, bytes * (size_t)pool_threads(k->machine->pool),
                                true };
    const struct extent tensor[] = {
        *src,
        *dst,
        { args->wei, k->packed_bytes, true },
        bias_extent(k, args),
        { p->residual ? args->residual : NULL, p->residual ? dst->bytes : 0, true },
    };
    static const char *const name[] = { "src", "dst", "wei", "bias", "the residual" };
    if (!own.bytes)
        return CONVC_OK;
    if (check_pointer("workspace", own.begin, BLOCK_ALIGN, d) != CONVC_OK)
        return d->status;
    for (size_t i = 0; i < sizeof tensor / sizeof *tensor; i++) {
        if (overlap(&own, &tensor[i]))
            return diag_fail(d, CONVC_ERR_ARGUMENT, "the workspace overlaps %s", name[i]);
    }
    for (int i = 0; i < k->problem.f.arg_count; i++) {
        struct extent e = arg_extent(k, args, i, dst);
        if (overlap(&own, &e))
            return diag_fail(d, CONVC_ERR_ARGUMENT, "the workspace overlaps %s",
                             k->problem.f.arg[i].name);
    }
    return CONVC_OK;
}

static enum convc_status check_tensors(const struct convc_kernel *k, const struct convc_args *args,
                                       size_t workspace_bytes, struct diag *d)
{
    const struct convc_problem *p = &k->problem.p;
    struct extent src, dst;

    enum convc_status st = extent_of("src", &k->src, args->src, args->n, &src, d);
    if (st == CONVC_OK)
        st = extent_of("dst", &k->dst, args->dst, args->n, &dst, d);
    if (st == CONVC_OK)
        st = check_apart(&dst, "src", &src, d);
    if (st == CONVC_OK && k->packed_bytes)
        st = check_packed(k, args->wei, d);
    if (st == CONVC_OK && k->packed_bytes)
        st = check_block("wei", args->wei, k->packed_bytes, BLOCK_ALIGN, &dst, d);
    if (st == CONVC_OK && p->bias)
        st = check_block("bias", args->bias, bias_extent(k, args).bytes, acc_bytes(k), &dst, d);
    if (st == CONVC_OK && p->residual)
        st = check_residual(k, args, &dst, d);
    if (st == CONVC_OK)
        st = check_user(k, args, &dst, d);
    if (st == CONVC_OK)
        st = check_workspace(k, args, workspace_bytes, &src, &dst, d);
    return st;
}

static enum convc_status check_args(const struct convc_kernel *k, const struct convc_args *args,
                                    size_t workspace_bytes, struct diag *d)
{
    if (!k || !args)
        return diag_fail(d, CONVC_ERR_ARGUMENT, "convc_run: kernel and args must be given");
    if (args->struct_bytes < sizeof *args)
        return diag_fail(d, CONVC_ERR_ARGUMENT, "args.struct_bytes=%zu must be %zu",
                         args->struct_bytes, sizeof *args);
    if (args->n < 0)
        return diag_fail(d, CONVC_ERR_ARGUMENT, "n=%" PRId64 " is negative", args->n);
    return args->n > 0 ? check_tensors(k, args, workspace_bytes, d) : CONVC_OK;
}

/* ---- the run --------------------------------------------------------------------------------- */

/* Each of the calls that run at a time has a slice of the workspace to itself. The first free one
 * is taken, so that a thread mostly finds the slice that its caches know. */
struct phase {
    const struct convc_kernel *kernel;
    const struct convc_args *args;
    int32_t index;
    int slices;
    atomic_bool taken[POOL_THREADS_MAX];
};

/* Small kernels run as fast as this is: what is not used is not cleared. */
static void phase_begin(struct phase *ph, const struct convc_kernel *k,
                        const struct convc_args *args, int32_t index)
{
    ph->kernel = k;
    ph->args = args;
    ph->index = index;
    ph->slices = k->workspace_bytes ? pool_threads(k->machine->pool) : 0;
    for (int i = 0; i < ph->slices; i++)
        atomic_init(&ph->taken[i], false);
}

/* A host whose pool has more threads than it said lets the surplus wait here. */
static int take_slice(struct phase *ph)
{
    for (;; sched_yield()) {
        for (int i = 0; i < ph->slices; i++) {
            if (!atomic_exchange_explicit(&ph->taken[i], true, memory_order_acquire))
                return i;
        }
    }
}

static void run_in_slice(struct phase *ph, int64_t begin, int64_t end)
{
    const struct convc_kernel *k = ph->kernel;
    struct convc_args args = *ph->args;
    int slice = take_slice(ph);
    args.workspace = (char *)args.workspace + (size_t)slice * k->workspace_bytes;
    k->function(&args, ph->index, begin, end);
    atomic_store_explicit(&ph->taken[slice], false, memory_order_release);
}

/* The packed weights behind their header; NULL where there are none. */
static const void *elements_of(const struct convc_kernel *k, const struct convc_args *args)
{
    return k->packed_bytes ? (const char *)args->wei + sizeof(struct convc_packed_header) : NULL;
}

static void run_items(void *argument, int64_t begin, int64_t end)
{
    struct phase *ph = argument;
    const struct convc_kernel *k = ph->kernel;
    if (k->function && k->workspace_bytes)
        run_in_slice(ph, begin, end);
    else if (k->function)
        k->function(ph->args, ph->index, begin, end);
    else
        ref_run(&k->problem, &k->layout, ph->args, elements_of(k, ph->args), begin, end);
}

void kernel_run(const struct convc_kernel *k, const struct convc_args *args)
{
    bool split = k->cycles * (double)args->n >= cycles_worth_splitting;
    int32_t phases = k->function ? plan_phases(&k->plan) : 1;
    for (int32_t i = 0; i < phases; i++) {
        struct phase ph;
        phase_begin(&ph, k, args, i);
        int64_t items = convc_kernel_items(k, i, args->n);
        if (split)
            pool_run(k->machine->pool, run_items, &ph, items);
        else
            run_items(&ph, 0, items);
    }
}

static void run_and_tell(const struct convc_kernel *k, const struct convc_args *args)
{
    double start = clock_seconds();
    kernel_run(k, args);
    double ms = (clock_seconds() - start) * 1e3;
    kernel_tell(k, VERBOSE_EXEC, k->function ? "kernel" : "reference", args->n, ms);
}

enum convc_status kernel_run_in(const struct convc_kernel *k, const struct convc_args *args,
                                size_t workspace_bytes)
{
    struct diag d; /* half a KiB, which nobody reads unless a check fails */
    d.status = CONVC_OK;
    d.text[0] = '\0';
    if (check_args(k, args, workspace_bytes, &d) != CONVC_OK)
        return api_fail(&d);
    if (args->n > 0 && verbose_on(VERBOSE_EXEC))
        run_and_tell(k, args);
    else if (args->n > 0)
        kernel_run(k, args);
    return CONVC_OK;
}

enum convc_status convc_run(const convc_kernel *k, const struct convc_args *args)
{
    return kernel_run_in(k, args, k ? k->workspace_bytes : 0);
}
