#include "runtime/cli/random.h"

#include <string.h>

#define PICK(r, ...)                                                                               \
    ((const int64_t[]){ __VA_ARGS__ }[random_below(                                                \
        r, (int64_t)(sizeof((const int64_t[]){ __VA_ARGS__ }) / sizeof(int64_t)))])

/* What kind of kernels there are. */
enum kernels { DENSE, SPARSE, SYMMETRIC, SEPARABLE, BOX, NOTHING, REAL, KERNELS };

static double weight(struct random *r, enum kernels kind)
{
    if (kind == SPARSE && random_below(r, 3))
        return 0;
    if (kind == REAL)
        return random_real(random_next(r), 0);
    return kind == NOTHING ? 0 : (double)random_within(r, -3, 3);
}

/* One channel of a kernel. */
static void draw_plane(struct random *r, const struct convc_problem *p, enum kernels kind,
                       double *to)
{
    int64_t kw = p->kernel[2], rows = p->kernel[0] * p->kernel[1], taps = rows * kw;
    double row[64] = { 0 }, value = weight(r, kind);
    for (int64_t i = 0; i < kw && i < 64; i++)
        row[i] = weight(r, kind) / (random_below(r, 8) ? 1 : 3);
    for (int64_t j = 0; j < rows; j++) {
        double factor = weight(r, kind);
        for (int64_t i = 0; i < kw; i++)
            to[j * kw + i] = kind == SEPARABLE ? factor * row[i % 64]
                             : kind == BOX     ? value
                                               : weight(r, kind);
    }
    double sign = (double)PICK(r, -1, 1);
    for (int64_t i = 0; kind == SYMMETRIC && i < taps / 2; i++)
        to[taps - 1 - i] = sign * to[i];
}

/* Filters over each channel by itself. */
static void draw_filters(struct random *r, struct convc_problem *p)
{
    struct convc_problem narrow = *p;
    narrow.groups = narrow.ic = PICK(r, 1, 1, 1, 2, 3, 4, 17);
    narrow.oc = narrow.ic * PICK(r, 1, 1, 1, 2, 3, 4);
    memset(narrow.src_stride, 0, sizeof narrow.src_stride);
    memset(narrow.dst_stride, 0, sizeof narrow.dst_stride);
    if (convc_problem_check(&narrow) == CONVC_OK)
        *p = narrow;
}

/* A picture of bytes, filtered. */
static void draw_picture(struct random *r, struct convc_problem *p)
{
    struct convc_problem picture = *p;
    picture.groups = picture.ic = picture.oc = PICK(r, 1, 1, 3, 4);
    picture.src_dtype = CONVC_U8;
    picture.dst_dtype = random_below(r, 3) ? CONVC_U8 : CONVC_S16;
    picture.wei_dtype = picture.acc_dtype = CONVC_F32;
    picture.activation = CONVC_ACT_NONE;
    picture.residual = picture.bias = 0;
    picture.tolerance = 1e-5;
    for (int a = 3 - p->spatial; a < 3; a++)
        picture.stride[a] = picture.dilation[a] = 1;
    memset(picture.src_stride, 0, sizeof picture.src_stride);
    memset(picture.dst_stride, 0, sizeof picture.dst_stride);
    if (convc_problem_check(&picture) == CONVC_OK)
        *p = picture;
}

void random_constants(uint64_t seed, struct convc_problem *p, double weights[RANDOM_WEIGHTS])
{
    struct random r = { random_at(seed, 2) };
    if (random_below(&r, 4))
        draw_filters(&r, p);
    if (random_below(&r, 2) && !p->epilogue)
        draw_picture(&r, p);
    int64_t icg = p->ic / p->groups, taps = p->kernel[0] * p->kernel[1] * p->kernel[2];
    int64_t values = icg * taps, each = p->oc / p->groups;
    if (values * p->oc > RANDOM_WEIGHTS)
        return;
    int64_t period = PICK(&r, 1, each, each, p->oc);
    for (int64_t o = 0; o < p->oc; o++) {
        enum kernels kind = (enum kernels)random_below(&r, KERNELS);
        for (int64_t i = 0; i < icg; i++)
            draw_plane(&r, p, kind, weights + o * values + i * taps);
        if (o >= period)
            memcpy(weights + o * values, weights + (o - period) * values,
                   (size_t)values * sizeof *weights);
    }
    p->weights = weights;
    if (convc_problem_check(p) != CONVC_OK)
        p->weights = NULL;
}
