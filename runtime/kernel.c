#include "runtime/kernel.h"

#include "gen/base/memory.h"
#include "runtime/api.h"
#include "runtime/perf_map.h"
#include "runtime/ref.h"

#include <stdio.h>
#include <string.h>

/* ---- life ------------------------------------------------------------------------------------ */

/* Elements of one image. A stride of 0 lets them be more than any memory has; INT64_MAX then. */
static int64_t count_elements(int64_t channels, const int64_t extent[3])
{
    int64_t count = channels;
    for (int a = 0; a < 3; a++) {
        if (__builtin_mul_overflow(count, extent[a], &count))
            return INT64_MAX;
    }
    return count;
}

static struct kernel_tensor tensor_of(const int64_t stride[5], int64_t channels,
                                      const int64_t extent[3], enum convc_dtype type)
{
    return (struct kernel_tensor){ .span = problem_span(stride, 1, channels, extent),
                                   .stride = stride[CONVC_STRIDE_N],
                                   .count = count_elements(channels, extent),
                                   .bytes = dtype_bytes(type) };
}

/* Two multiply-adds and one store of a vector per cycle; the reference does a tap in a few. */
static double estimate_cycles(const struct convc_kernel *k)
{
    const struct convc_problem *p = &k->problem.p;
    double outputs = (double)k->dst.count;
    double macs = outputs * (double)(k->problem.icg * p->kernel[0] * p->kernel[1] * p->kernel[2]);
    double lanes = target_lanes(&k->machine->target, dtype_bytes(p->acc_dtype));
    return 1 + (k->function ? macs / (2 * lanes) + outputs / lanes : macs * 4);
}

/* As the plan's machine code reads them. The reference reads them too, unless they are
 * transformed. */
static enum convc_status lay_out_weights(struct convc_kernel *k, struct diag *d)
{
    if (k->plan_text[0])
        plan_layout(&k->problem, &k->plan, &k->machine->target, &k->layout);
    if (!k->plan_text[0] || (k->layout.transformed && !k->function))
        layout_plain(&k->problem, &k->layout);
    k->layout_hash = layout_hash(&k->layout);
    if (!problem_packs(&k->problem))
        return CONVC_OK;
    int64_t elements = layout_elements(&k->layout);
    int64_t bytes = dtype_bytes(k->problem.p.wei_dtype);
    if (elements < 0 || elements > (PTRDIFF_MAX - 128) / bytes)
        return diag_fail(d, CONVC_ERR_UNSUPPORTED, "the packed weights exceed the address space");
    k->packed_bytes = sizeof(struct convc_packed_header) + (size_t)(elements * bytes);
    return CONVC_OK;
}

enum convc_status kernel_create(struct machine *m, const struct problem *p, const struct plan *plan,
                                struct convc_kernel **out, struct diag *d)
{
    struct convc_kernel *k = memory_zeroed(1, sizeof *k);
    if (!k)
        return diag_memory(d);
    atomic_init(&k->references, 1);
    k->machine = machine_retain(m);
    k->problem = *p;
    if (plan) {
        k->plan = *plan;
        plan_print(plan, k->plan_text);
    }
    k->src = tensor_of(p->p.src_stride, p->p.ic, p->p.in, p->p.src_dtype);
    k->dst = tensor_of(p->p.dst_stride, p->p.oc, p->out, p->p.dst_dtype);
    kernel_refer(k, "no machine code was made");
    if (lay_out_weights(k, d) != CONVC_OK) {
        convc_kernel_release(k);
        return d->status;
    }
    *out = k;
    return CONVC_OK;
}

/* For `perf report`. */
static void name_code(const struct convc_kernel *k, const char *object, size_t count,
                      const char *symbol)
{
    struct text name = { 0 };
    problem_print(&k->problem, &name);
    text_add(&name, " %s", k->plan_text);
    if (!name.failed)
        perf_map_add((const void *)(uintptr_t)k->function, object, count, symbol, name.data);
    text_free(&name);
}

/* What the plan and the machine code say of how the kernel is called. */
static enum convc_status describe(struct convc_kernel *k, struct diag *d)
{
    const struct target *t = &k->machine->target;
    uint64_t refused = memory_refused();
    k->workspace_bytes = plan_workspace_bytes(&k->problem, &k->plan, t);
    for (int32_t i = 0; i < plan_phases(&k->plan); i++)
        k->items[i] = plan_items(&k->problem, &k->plan, t, i, 1);
    k->unit_bound = plan_unit_bound(&k->plan, &k->problem);
    return memory_refused() != refused ? diag_memory(d) : lay_out_weights(k, d);
}

/* The reference again, with weights as it reads them. */
static void unload(struct convc_kernel *k)
{
    struct diag known = { 0 }; /* kernel_create has been here */
    jit_unload(k->machine->jit, k->code);
    k->code = NULL;
    k->function = NULL;
    lay_out_weights(k, &known);
}

enum convc_status kernel_load(struct convc_kernel *k, const char *object, size_t count,
                              const char *symbol, enum convc_source source, struct diag *d)
{
    if (jit_load(k->machine->jit, object, count, symbol, &k->code, &k->function, d) != CONVC_OK)
        return d->status;
    if (describe(k, d) != CONVC_OK) {
        unload(k);
        return d->status;
    }
    if (perf_map_on())
        name_code(k, object, count, symbol);
    k->object_bytes = count;
    k->source = source;
    k->reason[0] = '\0';
    k->cycles = estimate_cycles(k);
    return CONVC_OK;
}

static const char *kernel_algorithm(const struct convc_kernel *k)
{
    return k->function ? plan_algorithm_name(k->plan.algorithm) : "reference";
}

void kernel_refer(struct convc_kernel *k, const char *reason)
{
    k->source = CONVC_FROM_REFERENCE;
    k->cycles = estimate_cycles(k);
    snprintf(k->reason, sizeof k->reason, "%s", reason);
}

void kernel_tell(const struct convc_kernel *k, enum verbose_stage stage, const char *what,
                 int64_t number, double ms)
{
    struct text problem = { 0 };
    if (!verbose_on(stage))
        return;
    problem_print(&k->problem, &problem);
    verbose_line(&(struct verbose){ .stage = stage,
                                    .what = what,
                                    .algorithm = kernel_algorithm(k),
                                    .plan = k->function ? k->plan_text : NULL,
                                    .number = number,
                                    .reason = k->reason,
                                    .problem = problem.data,
                                    .ms = ms });
    text_free(&problem);
}

void convc_kernel_retain(convc_kernel *k)
{
    atomic_fetch_add_explicit(&k->references, 1, memory_order_relaxed);
}

void convc_kernel_release(convc_kernel *k)
{
    if (!k || atomic_fetch_sub_explicit(&k->references, 1, memory_order_acq_rel) != 1)
        return;
    jit_unload(k->machine->jit, k->code);
    machine_release(k->machine);
    memory_free(k);
}

/* ---- questions ------------------------------------------------------------------------------- */

/* Fills what the caller's version of the structure has room for. */
enum convc_status convc_kernel_info(const convc_kernel *k, struct convc_kernel_info *info)
{
    if (!k || !info || info->struct_bytes < sizeof info->struct_bytes)
        return api_fail_with(CONVC_ERR_ARGUMENT, "convc_kernel_info: kernel and info with its "
                                                 "struct_bytes must be given");
    struct convc_kernel_info full = {
        .struct_bytes = info->struct_bytes,
        .plan = k->plan_text,
        .algorithm = kernel_algorithm(k),
        .target = k->machine->target_text,
        .reason = k->reason,
        .source = k->source,
        .compile_ms = k->compile_ms,
        .error_bound = plan_error_bound(&k->plan, &k->problem),
        .object_bytes = k->object_bytes,
        .function = k->function,
        .phases = k->function ? plan_phases(&k->plan) : 1,
        .plain_sum = k->function ? plan_plain_sum(&k->plan) : 1,
        .plan_source = k->plan_source,
        .unit_bound = k->function ? k->unit_bound : 0,
    };
    size_t known = info->struct_bytes < sizeof full ? info->struct_bytes : sizeof full;
    memcpy(info, &full, known);
    return CONVC_OK;
}

int64_t convc_kernel_items(const convc_kernel *k, int32_t phase, int64_t n)
{
    if (!k || n <= 0 || phase < 0 || n > INT64_MAX / k->dst.count)
        return 0;
    if (!k->function)
        return phase == 0 ? ref_items(&k->problem, n) : 0;
    if (phase >= plan_phases(&k->plan))
        return 0;
    return n * k->items[phase];
}

size_t convc_packed_bytes(const convc_kernel *k)
{
    return k ? k->packed_bytes : 0;
}

size_t convc_workspace_bytes(const convc_kernel *k, int64_t n, int32_t threads)
{
    if (!k || !k->function || n <= 0)
        return 0;
    if (threads <= 0)
        threads = pool_threads(k->machine->pool);
    return k->workspace_bytes * (size_t)threads;
}
