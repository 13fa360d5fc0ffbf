/* api_problem: the public calls on problems, and the reference, which needs nothing but a problem.
 */
#include "gen/plan/layout.h"
#include "runtime/api.h"
#include "runtime/ref.h"

#include <inttypes.h>
#include <stdlib.h>

void convc_problem_init(struct convc_problem *p)
{
    if (p)
        problem_init(p);
}

static enum convc_status resolve(const struct convc_problem *p, struct problem *to, struct diag *d)
{
    if (!p)
        return diag_fail(d, CONVC_ERR_ARGUMENT, "the problem must be given");
    return problem_resolve(p, to, d);
}

enum convc_status convc_problem_check(const struct convc_problem *p)
{
    struct diag d = { 0 };
    struct problem r;
    resolve(p, &r, &d);
    return api_fail(&d);
}

enum convc_status convc_problem_output(const struct convc_problem *p, int64_t out[3])
{
    struct diag d = { 0 };
    struct problem r;
    if (resolve(p, &r, &d) != CONVC_OK)
        return api_fail(&d);
    for (int a = 0; out && a < 3; a++)
        out[a] = r.out[a];
    return CONVC_OK;
}

/* What is asked about one tensor of n images. */
static enum convc_status describe(const int64_t from[5], int64_t n, int64_t channels,
                                  const int64_t extent[3], int64_t stride[5], int64_t *elements)
{
    struct diag d = { 0 };
    int64_t span = n > 0 ? problem_span(from, n, channels, extent) : 0;
    if (n < 0)
        diag_fail(&d, CONVC_ERR_ARGUMENT, "n=%" PRId64 " is negative", n);
    else if (span < 0)
        diag_fail(&d, CONVC_ERR_SHAPE, "n=%" PRId64 " images exceed the address space", n);
    if (d.status != CONVC_OK)
        return api_fail(&d);
    for (int a = 0; stride && a < 5; a++)
        stride[a] = from[a];
    if (elements)
        *elements = span;
    return CONVC_OK;
}

enum convc_status convc_problem_src(const struct convc_problem *p, int64_t n, int64_t stride[5],
                                    int64_t *elements)
{
    struct diag d = { 0 };
    struct problem r;
    if (resolve(p, &r, &d) != CONVC_OK)
        return api_fail(&d);
    return describe(r.p.src_stride, n, r.p.ic, r.p.in, stride, elements);
}

enum convc_status convc_problem_dst(const struct convc_problem *p, int64_t n, int64_t stride[5],
                                    int64_t *elements)
{
    struct diag d = { 0 };
    struct problem r;
    if (resolve(p, &r, &d) != CONVC_OK)
        return api_fail(&d);
    return describe(r.p.dst_stride, n, r.p.oc, r.out, stride, elements);
}

enum convc_status convc_problem_wei(const struct convc_problem *p, int64_t *elements)
{
    struct diag d = { 0 };
    struct problem r;
    if (resolve(p, &r, &d) != CONVC_OK)
        return api_fail(&d);
    if (elements)
        *elements =
            r.f.weighted ? r.p.oc * r.icg * r.p.kernel[0] * r.p.kernel[1] * r.p.kernel[2] : 0;
    return CONVC_OK;
}

enum convc_status convc_problem_text(const struct convc_problem *p, char **text)
{
    struct diag d = { 0 };
    struct problem r;
    struct text t = { 0 };
    if (!text)
        return api_fail_with(CONVC_ERR_ARGUMENT, "convc_problem_text: text must be given");
    if (resolve(p, &r, &d) != CONVC_OK)
        return api_fail(&d);
    problem_print(&r, &t);
    char *line = text_take(&t);
    if (!line)
        return api_fail_with(CONVC_ERR_MEMORY, "out of memory");
    *text = line;
    return CONVC_OK;
}

/* ---- the reference --------------------------------------------------------------------------- */

/* Do n images fit the address space, so that nothing that is counted in them overflows? */
static bool images_fit(const struct problem *r, int64_t n)
{
    int64_t channels = n > 0 ? INT64_MAX / n : INT64_MAX;
    return n <= 0 || (problem_span(r->p.src_stride, n, r->p.ic, r->p.in) >= 0 &&
                      r->p.oc <= channels / r->out[0] / r->out[1] / r->out[2]);
}

static enum convc_status check_user(const struct problem *r, const struct convc_args *args,
                                    struct diag *d)
{
    for (int i = 0; i < r->f.arg_count; i++) {
        if (!args->user || !args->user[i])
            return diag_fail(d, CONVC_ERR_ARGUMENT, "user[%d], %s, is missing", i,
                             r->f.arg[i].name);
        bool tensor = r->f.arg[i].kind == ARG_TENSOR;
        enum convc_dtype type = tensor ? r->p.dst_dtype : r->p.acc_dtype;
        if ((uintptr_t)args->user[i] % (uintptr_t)dtype_bytes(type))
            return diag_fail(d, CONVC_ERR_ARGUMENT, "user[%d], %s, is not aligned to an element", i,
                             r->f.arg[i].name);
    }
    return CONVC_OK;
}

/* Resolves the problem and checks the tensors that it needs. */
static enum convc_status check_reference(const struct convc_problem *p,
                                         const struct convc_args *args, bool needs_dst,
                                         struct problem *r, struct diag *d)
{
    if (resolve(p, r, d) != CONVC_OK)
        return d->status;
    if (!args || args->struct_bytes < sizeof *args)
        return diag_fail(d, CONVC_ERR_ARGUMENT, "args with its struct_bytes must be given");
    if (args->n < 0)
        return diag_fail(d, CONVC_ERR_ARGUMENT, "n=%" PRId64 " is negative", args->n);
    if (!images_fit(r, args->n))
        return diag_fail(d, CONVC_ERR_ARGUMENT, "n=%" PRId64 " images exceed the address space",
                         args->n);
    const struct {
        const char *name;
        bool needed;
        const void *p;
        enum convc_dtype type;
    } tensors[] = { { "src", true, args->src, r->p.src_dtype },
                    { "wei", problem_packs(r), args->wei, r->p.wei_dtype },
                    { "bias", r->p.bias, args->bias, r->p.acc_dtype },
                    { "residual", r->p.residual, args->residual, r->p.dst_dtype },
                    { "dst", needs_dst, args->dst, r->p.dst_dtype } };
    if (args->n > 0 && check_user(r, args, d) != CONVC_OK)
        return d->status;
    for (size_t i = 0; args->n > 0 && i < sizeof tensors / sizeof *tensors; i++) {
        if (tensors[i].needed && !tensors[i].p)
            return diag_fail(d, CONVC_ERR_ARGUMENT, "%s is missing", tensors[i].name);
        if (tensors[i].needed && (uintptr_t)tensors[i].p % (uintptr_t)dtype_bytes(tensors[i].type))
            return diag_fail(d, CONVC_ERR_ARGUMENT, "%s is not aligned to an element",
                             tensors[i].name);
    }
    return CONVC_OK;
}

enum convc_status convc_reference(const struct convc_problem *p, const struct convc_args *args)
{
    struct diag d = { 0 };
    struct problem r;
    struct layout l;
    if (check_reference(p, args, true, &r, &d) != CONVC_OK)
        return api_fail(&d);
    layout_plain(&r, &l);
    if (args->n > 0)
        ref_run(&r, &l, args, args->wei, 0, ref_items(&r, args->n));
    return CONVC_OK;
}

typedef long double (*question)(const struct problem *p, const struct layout *l,
                                const struct convc_args *args, const void *wei, int64_t i);

/* Asks about some outputs. */
static enum convc_status ask(const struct convc_problem *p, const struct convc_args *args,
                             const int64_t *index, size_t count, question about, double *out)
{
    struct diag d = { 0 };
    struct problem r;
    struct layout l;
    if (check_reference(p, args, false, &r, &d) != CONVC_OK)
        return api_fail(&d);
    if (about == ref_error_at && !functions_any(&r.f))
        return api_fail_with(CONVC_ERR_UNSUPPORTED,
                             "convc_reference_error_at: the problem has no functions of the user");
    if (count && (!index || !out))
        return api_fail_with(CONVC_ERR_ARGUMENT, "convc_reference_at: index and out must be given");
    int64_t outputs = args->n * r.p.oc * r.out[0] * r.out[1] * r.out[2];
    layout_plain(&r, &l);
    for (size_t i = 0; i < count; i++) {
        if (index[i] < 0 || index[i] >= outputs) {
            diag_fail(&d, CONVC_ERR_ARGUMENT, "index[%zu]=%" PRId64 " must be 0 to %" PRId64, i,
                      index[i], outputs - 1);
            return api_fail(&d);
        }
        out[i] = (double)about(&r, &l, args, args->wei, index[i]);
    }
    return CONVC_OK;
}

enum convc_status convc_reference_at(const struct convc_problem *p, const struct convc_args *args,
                                     const int64_t *index, size_t count, double *out)
{
    return ask(p, args, index, count, ref_at, out);
}

enum convc_status convc_reference_error_at(const struct convc_problem *p,
                                           const struct convc_args *args, const int64_t *index,
                                           size_t count, double *out)
{
    return ask(p, args, index, count, ref_error_at, out);
}
