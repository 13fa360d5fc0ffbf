#include "tests/support/draw.h"

static bool one_in(struct test_random *r, int64_t n)
{
    return test_random_in(r, 1, n) == 1;
}

static void draw_axis(struct test_random *r, struct convc_problem *p, int a)
{
    p->in[a] = one_in(r, 4) ? 1 : test_random_in(r, 1, 11);
    p->kernel[a] = one_in(r, 3) ? 1 : test_random_in(r, 1, 5);
    p->stride[a] = one_in(r, 2) ? 1 : test_random_in(r, 1, 4);
    p->dilation[a] = one_in(r, 2) ? 1 : test_random_in(r, 1, 3);
    int64_t most = one_in(r, 4) ? 2 * p->in[a] + 3 : p->kernel[a] / 2;
    p->pad_begin[a] = test_random_in(r, 0, most);
    p->pad_end[a] = test_random_in(r, 0, most);
    if (one_in(r, 16))
        p->pad_begin[a] = -test_random_in(r, 0, p->in[a] - 1);
}

/* Dense in a random order of the axes, with gaps. */
static void draw_strides(struct test_random *r, int64_t c, const int64_t extent[3],
                         int64_t stride[5])
{
    const int64_t size[5] = { 0, c, extent[0], extent[1], extent[2] };
    int order[4] = { 1, 2, 3, 4 };
    int64_t step = test_random_in(r, 1, 2);
    for (int i = 0; i < 4; i++) {
        int other = (int)test_random_in(r, i, 3), axis = order[other];
        order[other] = order[i];
        stride[axis] = step;
        step = step * size[axis] + test_random_in(r, 0, 3);
    }
    stride[0] = step;
}

/* Sources or results are whole numbers in one of four. */
static void draw_dtypes(struct test_random *r, struct convc_problem *p)
{
    dtype_everywhere(p, (enum convc_dtype)test_random_in(r, CONVC_F32, CONVC_F64));
    if (one_in(r, 6))
        p->src_dtype = (enum convc_dtype)test_random_in(r, CONVC_U8, CONVC_U16);
    if (one_in(r, 6))
        p->dst_dtype = (enum convc_dtype)test_random_in(r, CONVC_U8, CONVC_U16);
}

static void draw_once(struct test_random *r, struct convc_problem *p)
{
    problem_init(p);
    p->spatial = (int32_t)test_random_in(r, 1, 3);
    for (int a = 3 - p->spatial; a < 3; a++)
        draw_axis(r, p, a);
    p->n = test_random_in(r, 1, 3);
    p->groups = one_in(r, 2) ? 1 : test_random_in(r, 1, 5);
    p->ic = p->groups * (one_in(r, 3) ? 1 : test_random_in(r, 1, 7));
    p->oc = p->groups * (one_in(r, 3) ? 1 : test_random_in(r, 1, 9));
    p->layout = (enum convc_layout)test_random_in(r, 0, 1);
    draw_dtypes(r, p);
    p->padding_mode = (enum convc_padding_mode)test_random_in(r, 0, CONVC_PAD_IDENTITY);
    p->padding_value = (double)test_random_in(r, -2, 2);
    p->flip = one_in(r, 3);
    p->bias = one_in(r, 2);
    p->residual = one_in(r, 3);
    p->activation = (enum convc_activation)test_random_in(r, 0, CONVC_ACT_HARDSWISH);
    p->activation_args[0] = -0.5 * (double)test_random_in(r, 0, 3);
    p->activation_args[1] = (double)test_random_in(r, 0, 6);
}

void draw_problem(struct test_random *r, struct convc_problem *p)
{
    struct problem resolved;
    struct diag d;
    do {
        draw_once(r, p);
        d.status = CONVC_OK;
    } while (problem_resolve(p, &resolved, &d) != CONVC_OK);
    if (one_in(r, 4))
        draw_strides(r, p->ic, p->in, p->src_stride);
    if (one_in(r, 4))
        draw_strides(r, p->oc, resolved.out, p->dst_stride);
}
