#include "tests/support/answer.h"

#include "tests/support/element.h"
#include "tests/support/support.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void *room(size_t bytes)
{
    void *t = aligned_alloc(64, (bytes + 127) / 64 * 64);
    assert_non_null(t);
    return memset(t, 0, (bytes + 127) / 64 * 64);
}

static void *tensor(enum convc_dtype type, int64_t elements, struct test_random *r)
{
    void *t = room((size_t)elements * sizeof(double));
    int64_t low = type == CONVC_U8 || type == CONVC_U16 ? 0 : -4;
    for (int64_t i = 0; i < elements; i++)
        element_set(type, t, i, (double)test_random_in(r, low, 4));
    return t;
}

void answer_init(struct answer *a, const char *path)
{
    const struct convc_spec_source source = { .struct_bytes = sizeof source, .path = path };
    struct test_random r = { 1 };
    int64_t src, wei;
    *a = (struct answer){ 0 };
    if (convc_spec_load(&source, &a->spec) != CONVC_OK)
        fail_msg("%s", convc_last_error());
    const struct convc_problem *p = a->p = convc_spec_problem(a->spec, 0);
    a->n = p->n;
    assert_int_equal(convc_problem_src(p, a->n, NULL, &src), CONVC_OK);
    assert_int_equal(convc_problem_dst(p, a->n, NULL, &a->elements), CONVC_OK);
    assert_int_equal(convc_problem_wei(p, &wei), CONVC_OK);
    a->src = tensor(p->src_dtype, src, &r);
    a->wei = tensor(p->wei_dtype, wei, &r);
    a->bias = tensor(p->acc_dtype, p->oc, &r);
    a->dst = room((size_t)a->elements * sizeof(double));
    a->expected = room((size_t)a->elements * sizeof(double));
    struct convc_args args = answer_args(a);
    args.dst = a->expected;
    if (convc_reference(p, &args) != CONVC_OK)
        fail_msg("%s", convc_last_error());
}

void answer_free(struct answer *a)
{
    convc_spec_free(a->spec);
    free(a->src);
    free(a->wei);
    free(a->bias);
    free(a->dst);
    free(a->expected);
}

struct convc_args answer_args(const struct answer *a)
{
    return (struct convc_args){ .struct_bytes = sizeof(struct convc_args),
                                .src = a->src,
                                .wei = a->wei,
                                .bias = a->bias,
                                .dst = a->dst,
                                .n = a->n };
}

/* How far each output may be off: values are at most 4. */
static double slack(const struct convc_problem *p, const struct convc_kernel_info *info)
{
    bool whole = p->dst_dtype != CONVC_F32 && p->dst_dtype != CONVC_F64;
    double scale = 16.0 * (double)(p->ic * p->kernel[0] * p->kernel[1] * p->kernel[2]);
    double off = info->plain_sum ? 0 : info->error_bound * scale;
    return whole && (off > 0 || info->unit_bound > 0) ? ceil(off + info->unit_bound) : off;
}

void answer_check(const struct answer *a, const convc_kernel *k)
{
    const struct convc_problem *p = a->p;
    void *packed = room(convc_packed_bytes(k));
    void *workspace = room(convc_workspace_bytes(k, a->n, 0));
    struct convc_args args = answer_args(a);
    memset(a->dst, 0x55, (size_t)a->elements * sizeof(float));
    assert_int_equal(convc_pack(k, a->wei, packed), CONVC_OK);
    args.wei = packed;
    args.workspace = workspace;
    if (convc_run(k, &args) != CONVC_OK)
        fail_msg("%s", convc_last_error());
    free(packed);
    free(workspace);
    struct convc_kernel_info info = { .struct_bytes = sizeof info };
    assert_int_equal(convc_kernel_info(k, &info), CONVC_OK);
    double most = slack(p, &info);
    for (int64_t i = 0; i < a->elements; i++) {
        double got = element_get(p->dst_dtype, a->dst, i);
        double right = element_get(p->dst_dtype, a->expected, i);
        if (!(fabs(got - right) <= most))
            fail_msg("dst[%lld] is %g, not %g (%s, %s)", (long long)i, got, right, info.algorithm,
                     info.plan);
    }
}
