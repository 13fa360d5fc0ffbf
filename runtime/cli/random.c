#include "runtime/cli/random.h"

#include <stdbool.h>
#include <stdio.h>

uint64_t random_at(uint64_t seed, uint64_t i)
{
    uint64_t z = seed * 0xd1342543de82ef95 + (i + 1) * 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

uint64_t random_next(struct random *r)
{
    return random_at(0x5851f42d4c957f2d, r->state++);
}

int64_t random_below(struct random *r, int64_t n)
{
    return (int64_t)(random_next(r) % (uint64_t)n);
}

int64_t random_within(struct random *r, int64_t low, int64_t high)
{
    return low + random_below(r, high - low + 1);
}

double random_real(uint64_t seed, uint64_t i)
{
    return (double)(random_at(seed, i) >> 11) * 0x1p-52 - 1;
}

double random_sparse(uint64_t seed, uint64_t i, int64_t most)
{
    uint64_t v = random_at(seed, i);
    if (v & 1)
        return 0;
    return (double)((int64_t)((v >> 8) % (uint64_t)(2 * most + 1)) - most);
}

/* ---- problems ------------------------------------------------------------------------------- */

/* True once in n. */
static bool once_in(struct random *r, int64_t n)
{
    return random_below(r, n) == 0;
}

#define PICK(r, ...)                                                                               \
    ((const int64_t[]){ __VA_ARGS__ }[random_below(                                                \
        r, (int64_t)(sizeof((const int64_t[]){ __VA_ARGS__ }) / sizeof(int64_t)))])

/* Dense, narrow and wide groups, depthwise with and without a multiplier. */
static void draw_channels(struct random *r, struct convc_problem *p)
{
    switch (random_below(r, 6)) {
    case 0: /* depthwise */
        p->groups = p->ic = p->oc = PICK(r, 1, 2, 3, 7, 8, 15, 16, 17, 31, 32, 33, 40, 65);
        break;
    case 1: /* depthwise with a multiplier */
        p->groups = p->ic = PICK(r, 1, 2, 3, 5, 8, 16, 17);
        p->oc = p->groups * PICK(r, 2, 3, 4);
        break;
    case 2: /* narrow groups */
        p->groups = PICK(r, 2, 3, 4, 5, 8, 9, 16, 17);
        p->ic = p->groups * PICK(r, 1, 2, 3, 4, 8);
        p->oc = p->groups * PICK(r, 1, 2, 3, 4, 8);
        break;
    case 3: /* wide groups */
        p->groups = PICK(r, 2, 3);
        p->ic = p->groups * PICK(r, 1, 5, 15, 16, 17);
        p->oc = p->groups * PICK(r, 15, 16, 17, 31, 33);
        break;
    default:
        p->groups = 1;
        p->ic = PICK(r, 1, 1, 2, 3, 4, 7, 8, 13, 15, 16, 17, 31, 33, 64, 101);
        p->oc = PICK(r, 1, 2, 3, 5, 8, 11, 15, 16, 17, 23, 31, 32, 33, 47, 48, 49, 64, 67, 96, 129);
    }
}

static void draw_axis(struct random *r, struct convc_problem *p, int axis)
{
    bool innermost = axis == CONVC_W;
    p->in[axis] = PICK(r, 1, 1, 2, 3, 4, 5, 7, 8, 11, 13);
    if (once_in(r, 10))
        p->in[axis] = PICK(r, 17, 24, 29);
    if (innermost && once_in(r, 2)) /* wide enough for tiles that touch no border */
        p->in[axis] = PICK(r, 14, 16, 17, 28, 29, 31, 32, 33, 47, 56, 61, 97, 113, 130);
    p->kernel[axis] = PICK(r, 1, 1, 2, 3, 3, 3, 4, 5, 7);
    p->stride[axis] = PICK(r, 1, 1, 1, 1, 2, 2, 3);
    p->dilation[axis] = PICK(r, 1, 1, 1, 1, 2, 3);
    if (once_in(r, 24))
        p->stride[axis] = p->kernel[axis] + random_within(r, 1, 3);
    if (once_in(r, 24))
        p->dilation[axis] = random_within(r, 4, 9);

    int64_t reach = p->dilation[axis] * (p->kernel[axis] - 1);
    int64_t begin = PICK(r, 0, 0, -1, -1, -2, -3), end = begin;
    if (once_in(r, 4))
        end = PICK(r, 0, -1, -2, -3);
    /* -1: half of the reach, as in "same"; -2: all of it; -3: more than that */
    p->pad_begin[axis] = begin == 0    ? 0
                         : begin == -1 ? reach / 2
                         : begin == -2 ? reach
                                       : reach + random_within(r, 1, 3);
    p->pad_end[axis] = end == 0    ? 0
                       : end == -1 ? (reach + 1) / 2
                       : end == -2 ? reach
                                   : reach + random_within(r, 1, 3);
    if (once_in(r, 40))
        p->pad_begin[axis] = -random_within(r, 1, 2);
    if (once_in(r, 40))
        p->pad_end[axis] = -random_within(r, 1, 2);
}

static void draw_activation(struct random *r, struct convc_problem *p)
{
    p->activation = once_in(r, 2) ? CONVC_ACT_NONE : (enum convc_activation)random_below(r, 9);
    if (p->activation == CONVC_ACT_CLAMP) {
        p->activation_args[0] = (double)-random_within(r, 0, 4);
        p->activation_args[1] = (double)random_within(r, 0, 6);
    }
    if (p->activation == CONVC_ACT_LEAKY_RELU)
        p->activation_args[0] = once_in(r, 2) ? 0.125 : 0.01;
}

/* Strides with the axes in any order and gaps between their elements. The images of a destination
 * lie behind one another: their number is not known before the call. */
static void draw_strides(struct random *r, const int64_t extent[5], bool destination,
                         int64_t stride[5])
{
    int order[5] = { 4, 3, 2, 1, 0 };
    for (int i = destination ? 3 : 4; i > 0; i--) {
        int j = (int)random_below(r, i + 1), swap = order[i];
        order[i] = order[j];
        order[j] = swap;
    }
    int64_t step = random_within(r, 1, 2);
    for (int i = 0; i < 5; i++) {
        stride[order[i]] = step;
        step = step * (extent[order[i]] ? extent[order[i]] : 1) + PICK(r, 0, 0, 1, 3);
    }
}

static void draw_layout(struct random *r, struct convc_problem *p)
{
    int64_t out[3];
    p->layout = once_in(r, 2) ? CONVC_NCHW : CONVC_NHWC;
    if (!once_in(r, 5) || convc_problem_output(p, out))
        return;
    if (!once_in(r, 3))
        draw_strides(r, (int64_t[]){ p->n, p->ic, p->in[0], p->in[1], p->in[2] }, false,
                     p->src_stride);
    if (!once_in(r, 3))
        draw_strides(r, (int64_t[]){ p->n, p->oc, out[0], out[1], out[2] }, true, p->dst_stride);
}

/* Neighbouring taps and outputs along height and width, mostly under a kernel of 3. */
static void draw_unit_steps(struct random *r, struct convc_problem *p)
{
    for (int axis = CONVC_H; axis <= CONVC_W; axis++) {
        p->stride[axis] = p->dilation[axis] = 1;
        if (axis == CONVC_W || p->spatial > 1)
            p->kernel[axis] = PICK(r, 1, 2, 3, 3, 3, 3, 4, 5, 6, 7);
    }
    if (once_in(r, 2)) {
        p->groups = 1;
        p->ic = PICK(r, 1, 5, 8, 16, 19, 32, 40);
        p->oc = PICK(r, 1, 7, 16, 20, 33, 48);
    }
}

/* Sources or results are whole numbers in one of four. */
static void draw_dtypes(struct random *r, struct convc_problem *p)
{
    enum convc_dtype acc = once_in(r, 3) ? CONVC_F64 : CONVC_F32;
    p->src_dtype = p->wei_dtype = p->acc_dtype = p->dst_dtype = acc;
    if (!once_in(r, 4))
        return;
    int which = (int)random_below(r, 3);
    if (which != 0)
        p->src_dtype = (enum convc_dtype)random_within(r, CONVC_U8, CONVC_U16);
    if (which != 1)
        p->dst_dtype = (enum convc_dtype)random_within(r, CONVC_U8, CONVC_U16);
}

static void draw(struct random *r, struct convc_problem *p)
{
    convc_problem_init(p);
    p->spatial = (int32_t)PICK(r, 1, 2, 2, 2, 3);
    draw_dtypes(r, p);
    p->n = once_in(r, 64) ? 0 : PICK(r, 1, 1, 1, 1, 2, 2, 3);
    draw_channels(r, p);
    for (int axis = 3 - p->spatial; axis < 3; axis++)
        draw_axis(r, p, axis);
    p->padding_mode = once_in(r, 3) ? CONVC_PAD_ZEROS : (enum convc_padding_mode)random_below(r, 7);
    if (p->padding_mode == CONVC_PAD_CONSTANT)
        p->padding_value = (double)PICK(r, -2, -1, 1, 3) / (once_in(r, 4) ? 3 : 2);
    p->flip = once_in(r, 6);
    p->bias = once_in(r, 2);
    p->residual = once_in(r, 4);
    bool unit_steps = once_in(r, 4);
    if (unit_steps) /* what Winograd's algorithm asks for */
        draw_unit_steps(r, p);
    p->tolerance = once_in(r, 8) ? 0 : once_in(r, 4) ? 1e-3 : 1e-5;
    draw_activation(r, p);
    draw_layout(r, p);
    if (unit_steps && once_in(r, 2))
        p->layout = CONVC_NHWC;
}

/* Multiply-adds of the problem, as if no tap fell outside. */
static double cost(const struct convc_problem *p, const int64_t out[3])
{
    double macs = (double)(p->n ? p->n : 1) * (double)p->oc * (double)(p->ic / p->groups);
    for (int axis = 0; axis < 3; axis++)
        macs *= (double)out[axis] * (double)p->kernel[axis];
    return macs;
}

void random_problem(uint64_t seed, struct convc_problem *p)
{
    struct random r = { random_at(seed, 0) };
    int64_t out[3];
    /* Most problems are small; a few may take ten times as long. */
    double most = once_in(&r, 10) ? 1.5e6 : 1.5e5;
    do
        draw(&r, p);
    while (convc_problem_check(p) || convc_problem_output(p, out) || cost(p, out) > most);
    snprintf(p->name, sizeof p->name, "random-%llx", (unsigned long long)seed);
}
