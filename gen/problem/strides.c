#include "gen/problem/strides.h"

#include <inttypes.h>

static const int64_t span_max = (int64_t)1 << 62;

static const char *const axis_name[5] = { "batch", "channel", "depth", "height", "width" };

/* *sum += count * stride, or false where that passes 2^62. */
static bool add_product(int64_t *sum, int64_t count, int64_t stride)
{
    int64_t product;
    return !__builtin_mul_overflow(count, stride, &product) &&
           !__builtin_add_overflow(*sum, product, sum) && *sum <= span_max;
}

int64_t problem_span(const int64_t stride[5], int64_t n, int64_t c, const int64_t extent[3])
{
    if (n <= 0)
        return 0;
    int64_t span = 1;
    bool fits = add_product(&span, n - 1, stride[CONVC_STRIDE_N]) &&
                add_product(&span, c - 1, stride[CONVC_STRIDE_C]);
    for (int a = 0; a < 3; a++)
        fits = fits && add_product(&span, extent[a] - 1, stride[CONVC_STRIDE_D + a]);
    return fits ? span : -1;
}

struct tensor tensor_src(const struct problem *p)
{
    return (struct tensor){ "src",  p->p.layout, dtype_bytes(p->p.src_dtype),
                            p->p.n, p->p.ic,     { p->p.in[0], p->p.in[1], p->p.in[2] },
                            false };
}

struct tensor tensor_dst(const struct problem *p)
{
    return (struct tensor){ "dst",  p->p.layout, dtype_bytes(p->p.dst_dtype),
                            p->p.n, p->p.oc,     { p->out[0], p->out[1], p->out[2] },
                            true };
}

static int64_t axis_extent(const struct tensor *t, int axis)
{
    return axis == CONVC_STRIDE_C ? t->c : t->extent[axis - CONVC_STRIDE_D];
}

static bool dense(const struct tensor *t, int64_t stride[5])
{
    static const int inner_first[2][4] = {
        [CONVC_NHWC] = { CONVC_STRIDE_C, CONVC_STRIDE_W, CONVC_STRIDE_H, CONVC_STRIDE_D },
        [CONVC_NCHW] = { CONVC_STRIDE_W, CONVC_STRIDE_H, CONVC_STRIDE_D, CONVC_STRIDE_C },
    };
    int64_t step = 1;
    for (int i = 0; i < 4; i++) {
        int axis = inner_first[t->layout][i];
        stride[axis] = step;
        if (__builtin_mul_overflow(step, axis_extent(t, axis), &step))
            return false;
    }
    stride[CONVC_STRIDE_N] = step;
    return true;
}

/* A spatial axis of one element continues the next axis inside it of more than one, or else takes
 * the stride of the next one outside, or else (a 1x1 image) steps over all channels. Channels of
 * one have stride 1. So both layouts of one and the same memory come out equal. */
static void canonical(const struct tensor *t, int64_t stride[5])
{
    int64_t *spatial = stride + CONVC_STRIDE_D;
    if (t->c == 1)
        stride[CONVC_STRIDE_C] = 1;
    int innermost = CONVC_W;
    while (innermost >= 0 && t->extent[innermost] == 1)
        innermost--;
    int64_t next = innermost >= 0 ? spatial[innermost] : (t->c - 1) * stride[CONVC_STRIDE_C] + 1;
    for (int a = CONVC_W; a >= 0; a--) {
        if (t->extent[a] == 1)
            spatial[a] = next;
        else
            next = spatial[a] * t->extent[a];
    }
}

void strides_dense(const struct tensor *t, int64_t stride[5])
{
    if (dense(t, stride))
        canonical(t, stride);
}

/* Elements lie apart where each axis steps over everything that the axes of smaller stride span.
 * Other ways to lie apart exist (two axes may interleave); nobody lays out memory like that. */
static enum convc_status check_apart(const struct tensor *t, const int64_t stride[5],
                                     struct diag *d)
{
    int axis[5], count = 0;
    for (int a = CONVC_STRIDE_C; a <= CONVC_STRIDE_W; a++) {
        if (axis_extent(t, a) == 1)
            continue;
        int at = count++;
        for (; at > 0 && stride[axis[at - 1]] > stride[a]; at--)
            axis[at] = axis[at - 1];
        axis[at] = a;
    }
    axis[count++] = CONVC_STRIDE_N; /* outermost, because its extent is known at run time only */

    int64_t span = 1;
    for (int i = 0; i < count; i++) {
        if (stride[axis[i]] < span)
            return diag_fail(d, CONVC_ERR_ARGUMENT,
                             "%s_strides=%" PRId64 " along the %s lets elements overlap: it must "
                             "be at least %" PRId64,
                             t->name, stride[axis[i]], axis_name[axis[i]], span);
        if (axis[i] != CONVC_STRIDE_N)
            span += (axis_extent(t, axis[i]) - 1) * stride[axis[i]];
    }
    return CONVC_OK;
}

static enum convc_status too_large(const struct tensor *t, struct diag *d)
{
    return diag_fail(d, CONVC_ERR_SHAPE,
                     "%s of %" PRId64 " x %" PRId64 " x %" PRId64 " x %" PRId64 " x %" PRId64
                     " elements spans more than 2^62 bytes",
                     t->name, t->n, t->c, t->extent[0], t->extent[1], t->extent[2]);
}

static enum convc_status check_given(const struct tensor *t, int64_t stride[5], struct diag *d)
{
    for (int a = 0; a < 5; a++)
        if (stride[a] < 0)
            return diag_fail(d, CONVC_ERR_ARGUMENT,
                             "%s_strides=%" PRId64 " along the %s must not be negative", t->name,
                             stride[a], axis_name[a]);
    int64_t span = problem_span(stride, t->n > 1 ? t->n : 1, t->c, t->extent);
    if (span < 0 || span > span_max / t->bytes || stride[CONVC_STRIDE_N] > span_max / t->bytes)
        return too_large(t, d);

    canonical(t, stride);
    if (!(stride[0] | stride[1] | stride[2] | stride[3] | stride[4]))
        return diag_fail(d, CONVC_ERR_ARGUMENT,
                         "%s_strides=0 along every axis of more than one element is the notation "
                         "for dense",
                         t->name);
    return t->written ? check_apart(t, stride, d) : CONVC_OK;
}

enum convc_status strides_resolve(const struct tensor *t, int64_t stride[5], struct diag *d)
{
    if (stride[0] | stride[1] | stride[2] | stride[3] | stride[4])
        return check_given(t, stride, d);

    int64_t elements;
    if (!dense(t, stride) ||
        __builtin_mul_overflow(stride[CONVC_STRIDE_N], t->n > 1 ? t->n : 1, &elements) ||
        elements > span_max / t->bytes)
        return too_large(t, d);
    canonical(t, stride);
    return CONVC_OK;
}
