#include "runtime/cli/execution.h"

#include <stdlib.h>
#include <time.h>

double seconds_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

const char *source_name(enum convc_source s)
{
    static const char *const names[] = { "memory", "disk", "compiled", "reference" };
    return names[s];
}

double problem_flops(const struct convc_problem *p)
{
    int64_t out[3];
    if (convc_problem_output(p, out))
        return 0;
    double flops = 2.0 * (double)p->n * (double)p->oc * (double)(p->ic / p->groups);
    for (int axis = 0; axis < 3; axis++)
        flops *= (double)out[axis] * (double)p->kernel[axis];
    return flops;
}

enum exit_code execution_compile(convc_context *cx, const struct convc_problem *p, const char *plan,
                                 struct execution *x, enum convc_status *status, struct failure *f)
{
    *x = (struct execution){ .info = { .struct_bytes = sizeof x->info } };
    struct convc_compile_options opt = { .struct_bytes = sizeof opt,
                                         .plan = plan,
                                         .source = &x->source };
    double begin = seconds_now();
    enum convc_status st = convc_compile(cx, p, &opt, &x->kernel);
    x->compile_ms = (seconds_now() - begin) * 1e3;
    if (st == CONVC_OK)
        st = convc_kernel_info(x->kernel, &x->info);
    if (status)
        *status = st;
    return st ? fail_status(f, st) : EXIT_FINE;
}

static void *allocate_lines(size_t bytes)
{
    return aligned_alloc(64, (bytes + 63) / 64 * 64);
}

enum exit_code execution_pack(struct execution *x, const struct convc_args *plain, int threads,
                              struct failure *f)
{
    size_t workspace = convc_workspace_bytes(x->kernel, plain->n, threads);
    x->packed = allocate_lines(convc_packed_bytes(x->kernel) + 1);
    if (workspace)
        x->workspace = allocate_lines(workspace);
    if (!x->packed || (workspace && !x->workspace))
        return fail_memory(f);
    enum convc_status st = convc_pack(x->kernel, plain->wei, x->packed);
    return st ? fail_status(f, st) : EXIT_FINE;
}

void execution_args(const struct execution *x, const struct convc_args *plain, void *dst,
                    struct convc_args *out)
{
    *out = *plain;
    out->wei = x->packed;
    out->workspace = x->workspace;
    out->dst = dst;
}

void execution_free(struct execution *x)
{
    convc_kernel_release(x->kernel);
    free(x->packed);
    free(x->workspace);
    *x = (struct execution){ 0 };
}
