#include "tests/support/draw.h"

#include <string.h>

uint64_t draw_bits(uint64_t *seed)
{
    uint64_t x = *seed += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

int64_t draw_range(uint64_t *seed, int64_t first, int64_t last)
{
    return first + (int64_t)(draw_bits(seed) % (uint64_t)(last - first + 1));
}

static bool one_in(uint64_t *seed, int64_t n)
{
    return draw_range(seed, 1, n) == 1;
}

static void draw_axis(uint64_t *seed, struct convc_problem *p, int a)
{
    p->in[a] = one_in(seed, 4) ? 1 : draw_range(seed, 1, 11);
    p->kernel[a] = one_in(seed, 3) ? 1 : draw_range(seed, 1, 5);
    p->stride[a] = one_in(seed, 2) ? 1 : draw_range(seed, 1, 4);
    p->dilation[a] = one_in(seed, 2) ? 1 : draw_range(seed, 1, 3);
    int64_t most = one_in(seed, 4) ? 2 * p->in[a] + 3 : p->kernel[a] / 2;
    p->pad_begin[a] = draw_range(seed, 0, most);
    p->pad_end[a] = draw_range(seed, 0, most);
    if (one_in(seed, 16))
        p->pad_begin[a] = -draw_range(seed, 0, p->in[a] - 1);
}

/* Dense in a random order of the axes, with gaps. */
static void draw_strides(uint64_t *seed, int64_t c, const int64_t extent[3], int64_t stride[5])
{
    const int64_t size[5] = { 0, c, extent[0], extent[1], extent[2] };
    int order[4] = { 1, 2, 3, 4 };
    int64_t step = draw_range(seed, 1, 2);
    for (int i = 0; i < 4; i++) {
        int other = (int)draw_range(seed, i, 3), axis = order[other];
        order[other] = order[i];
        stride[axis] = step;
        step = step * size[axis] + draw_range(seed, 0, 3);
    }
    stride[0] = step;
}

static void draw_once(uint64_t *seed, struct convc_problem *p)
{
    problem_init(p);
    p->spatial = (int32_t)draw_range(seed, 1, 3);
    for (int a = 3 - p->spatial; a < 3; a++)
        draw_axis(seed, p, a);
    p->n = draw_range(seed, 1, 3);
    p->groups = one_in(seed, 2) ? 1 : draw_range(seed, 1, 5);
    p->ic = p->groups * (one_in(seed, 3) ? 1 : draw_range(seed, 1, 7));
    p->oc = p->groups * (one_in(seed, 3) ? 1 : draw_range(seed, 1, 9));
    p->layout = (enum convc_layout)draw_range(seed, 0, 1);
    p->src_dtype = p->wei_dtype = p->acc_dtype = p->dst_dtype =
        (enum convc_dtype)draw_range(seed, 0, 1);
    p->padding_mode = (enum convc_padding_mode)draw_range(seed, 0, CONVC_PAD_IDENTITY);
    p->padding_value = (double)draw_range(seed, -2, 2);
    p->flip = one_in(seed, 3);
    p->bias = one_in(seed, 2);
    p->residual = one_in(seed, 3);
    p->activation = (enum convc_activation)draw_range(seed, 0, CONVC_ACT_HARDSWISH);
    p->activation_args[0] = -0.5 * (double)draw_range(seed, 0, 3);
    p->activation_args[1] = (double)draw_range(seed, 0, 6);
}

void draw_problem(uint64_t *seed, struct convc_problem *p)
{
    struct problem resolved;
    struct diag d;
    do {
        draw_once(seed, p);
        d.status = CONVC_OK;
    } while (problem_resolve(p, &resolved, &d) != CONVC_OK);
    if (one_in(seed, 4))
        draw_strides(seed, p->ic, p->in, p->src_stride);
    if (one_in(seed, 4))
        draw_strides(seed, p->oc, resolved.out, p->dst_stride);
}
