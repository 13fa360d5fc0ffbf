#include "tests/support/layer.h"

#include "tests/support/support.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

void layer_problem(struct convc_problem *p, int64_t ic, int64_t oc, int64_t h, int64_t w)
{
    convc_problem_init(p);
    p->ic = ic;
    p->oc = oc;
    p->in[CONVC_H] = h;
    p->in[CONVC_W] = w;
    for (int a = CONVC_H; a <= CONVC_W; a++) {
        p->kernel[a] = 3;
        p->pad_begin[a] = p->pad_end[a] = 1;
    }
    p->bias = p->residual = 1;
}

static float *tensor(int64_t elements, struct test_random *r)
{
    size_t bytes = ((size_t)elements * sizeof(float) + 127) / 64 * 64;
    float *t = aligned_alloc(64, bytes);
    assert_non_null(t);
    memset(t, 0, bytes);
    for (int64_t i = 0; i < elements; i++)
        t[i] = (float)test_random_in(r, -4, 4);
    return t;
}

void layer_init(struct layer *l, const struct convc_problem *p, int64_t n)
{
    struct test_random r = { 1 };
    *l = (struct layer){ .p = *p, .n = n };
    assert_int_equal(convc_problem_src(p, n, NULL, &l->src_elements), CONVC_OK);
    assert_int_equal(convc_problem_dst(p, n, NULL, &l->dst_elements), CONVC_OK);
    assert_int_equal(convc_problem_wei(p, &l->wei_elements), CONVC_OK);
    l->src = tensor(l->src_elements, &r);
    l->wei = tensor(l->wei_elements, &r);
    l->bias = tensor(p->oc, &r);
    l->residual = tensor(l->dst_elements, &r);
    l->dst = tensor(l->dst_elements, &r);
    l->expected = tensor(l->dst_elements, &r);
    memcpy(l->expected, l->dst, (size_t)l->dst_elements * sizeof(float));

    struct convc_args args = layer_args(l);
    args.wei = l->wei;
    args.dst = l->expected;
    assert_int_equal(convc_reference(p, &args), CONVC_OK);
}

void layer_make(struct layer *l, int64_t ic, int64_t oc, int64_t h, int64_t w, int64_t n)
{
    struct convc_problem p;
    layer_problem(&p, ic, oc, h, w);
    layer_init(l, &p, n);
}

void layer_free(struct layer *l)
{
    free(l->src);
    free(l->wei);
    free(l->bias);
    free(l->residual);
    free(l->dst);
    free(l->expected);
    free(l->packed);
}

convc_context *layer_context(int32_t threads, int32_t compile_threads)
{
    convc_context *cx = NULL;
    const struct convc_context_options opt = { .struct_bytes = sizeof opt,
                                               .threads = threads,
                                               .flags = CONVC_NO_DISK_CACHE,
                                               .compile_threads = compile_threads };
    if (convc_context_create(&opt, &cx) != CONVC_OK)
        fail_msg("%s", convc_last_error());
    return cx;
}

void layer_pack(struct layer *l, const convc_kernel *k)
{
    free(l->packed);
    l->packed = aligned_alloc(64, (convc_packed_bytes(k) + 63) / 64 * 64);
    assert_non_null(l->packed);
    assert_int_equal(convc_pack(k, l->wei, l->packed), CONVC_OK);
}

struct convc_args layer_args(const struct layer *l)
{
    return (struct convc_args){ .struct_bytes = sizeof(struct convc_args),
                                .src = l->src,
                                .wei = l->packed,
                                .bias = l->bias,
                                .residual = l->residual,
                                .dst = l->dst,
                                .n = l->n };
}

void layer_check(struct layer *l, const convc_kernel *k)
{
    size_t bytes = convc_workspace_bytes(k, l->n, 0);
    layer_pack(l, k);
    struct convc_args args = layer_args(l);
    void *workspace = bytes ? aligned_alloc(64, (bytes + 63) / 64 * 64) : NULL;
    args.workspace = workspace;
    if (convc_run(k, &args) != CONVC_OK)
        fail_msg("%s", convc_last_error());
    free(workspace);
    /* Values are at most 4, so this is the largest that the sums of |src*wei| can be. */
    struct convc_kernel_info info = { .struct_bytes = sizeof info };
    const struct convc_problem *p = &l->p;
    double scale = 16.0 * (double)(p->ic * p->kernel[0] * p->kernel[1] * p->kernel[2]);
    assert_int_equal(convc_kernel_info(k, &info), CONVC_OK);
    double slack = info.plain_sum ? 0 : info.error_bound * scale;
    for (int64_t i = 0; i < l->dst_elements; i++) {
        if (!(fabs((double)l->dst[i] - (double)l->expected[i]) <= slack))
            fail_msg("dst[%lld] is %g, not %g", (long long)i, (double)l->dst[i],
                     (double)l->expected[i]);
    }
}

static void *room(size_t bytes)
{
    return aligned_alloc(64, (bytes + 127) / 64 * 64);
}

bool layer_computes(const struct layer *l, const convc_kernel *k)
{
    struct convc_args args = layer_args(l);
    size_t bytes = (size_t)l->dst_elements * sizeof(float);
    void *packed = room(convc_packed_bytes(k));
    void *workspace = room(convc_workspace_bytes(k, l->n, 0)), *dst = room(bytes);
    bool same = packed && workspace && dst && convc_pack(k, l->wei, packed) == CONVC_OK;
    if (same) {
        args.wei = packed;
        args.workspace = workspace;
        args.dst = dst;
        memset(dst, 0x7f, bytes);
        same = convc_run(k, &args) == CONVC_OK;
    }
    for (int64_t i = 0; same && i < l->dst_elements; i++)
        same = ((float *)dst)[i] == l->expected[i];
    free(packed);
    free(workspace);
    free(dst);
    return same;
}

convc_kernel *layer_compile(convc_context *cx, const struct layer *l,
                            const struct convc_compile_options *opt)
{
    convc_kernel *k = NULL;
    if (convc_compile(cx, &l->p, opt, &k) != CONVC_OK)
        fail_msg("%s", convc_last_error());
    return k;
}
