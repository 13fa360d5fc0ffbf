/* openblas: windows gathered into the rows of a matrix (im2col), then a matrix product; a pointwise
 * convolution is a product as it stands. What convolutions were before they had kernels.
 *
 * Channels last, a row is a window: dst[pixel][oc] = rows[pixel][tap, ic] * wei[oc][tap, ic]';
 * channels first, a column is: dst[oc][pixel] = wei[oc][ic, tap] * columns[ic, tap][pixel]. Bias
 * and residual are what the product is added to. Every thread gathers and multiplies a part of the
 * pixels of its own, with the library itself on one thread; parts of at most 16 MiB.
 * The library is loaded when it is first needed, after it was told what the CPU is: one that is
 * newer than the library is taken for an old one, with vectors of half the width. Stands on: peer,
 * CBLAS, OpenMP.
 */
#include "bench/peers/peer.h"

#include <cblas.h>
#include <dlfcn.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PART_FLOATS = 4 << 20 };

static struct {
    void *handle;
    __typeof__(cblas_sgemm) *sgemm;
    __typeof__(openblas_set_num_threads) *set_num_threads;
} blas;

struct state {
    const struct peer_task *task;
    enum convc_layout layout;
    float *src, *wei, *dst, *residual; /* in the layout */
    int32_t *source;                   /* [pixels][taps]: where to gather from, -1: outside   */
    float *gathered;                   /* room for one part a thread; NULL: src is the matrix */
    int64_t pixels;                    /* of an output image                                  */
    int64_t part;                      /* pixels that are gathered at once                    */
    int64_t depth;                     /* of the product: taps * ic/groups                    */
};

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* ---- gathering ------------------------------------------------------------------------------- */

/* Where a tap of an output pixel reads: the pixel of the input, or -1 outside of it. */
static int64_t source_pixel(const struct peer_task *t, int64_t pixel, int64_t tap)
{
    const struct convc_problem *p = t->problem;
    int64_t at = 0, o[3], k[3];
    o[2] = pixel % t->out[2], o[1] = pixel / t->out[2] % t->out[1];
    o[0] = pixel / t->out[2] / t->out[1];
    k[2] = tap % p->kernel[2], k[1] = tap / p->kernel[2] % p->kernel[1];
    k[0] = tap / p->kernel[2] / p->kernel[1];
    for (int a = 0; a < 3; a++) {
        int64_t i = o[a] * p->stride[a] + k[a] * p->dilation[a] - p->pad_begin[a];
        if (i < 0 || i >= p->in[a])
            return -1;
        at = at * p->in[a] + i;
    }
    return at;
}

/* One window after the other; a tap is a run of channels. */
static void gather_rows(const struct state *s, const float *image, int64_t group, int64_t begin,
                        int64_t end, float *out)
{
    const struct convc_problem *p = s->task->problem;
    int64_t ic = p->ic / p->groups, taps = s->depth / ic;
    for (const int32_t *at = s->source + begin * taps; at < s->source + end * taps; at++) {
        const float *from = image + *at * p->ic + group * ic;
        for (int64_t c = 0; c < ic; c++)
            out[c] = *at < 0 ? 0 : from[c];
        out += ic;
    }
}

/* One tap of one channel after the other. */
static void gather_columns(const struct state *s, const float *image, int64_t group, int64_t begin,
                           int64_t end, float *out)
{
    const struct convc_problem *p = s->task->problem;
    int64_t ic = p->ic / p->groups, taps = s->depth / ic;
    int64_t plane = p->in[0] * p->in[1] * p->in[2];
    for (int64_t c = 0; c < ic; c++) {
        const float *from = image + (group * ic + c) * plane;
        for (int64_t tap = 0; tap < taps; tap++) {
            for (int64_t pixel = begin; pixel < end; pixel++) {
                int32_t at = s->source[pixel * taps + tap];
                *out++ = at < 0 ? 0 : from[at];
            }
        }
    }
}

/* Where every tap of every pixel reads. */
static bool find_sources(struct state *s)
{
    const struct convc_problem *p = s->task->problem;
    int64_t taps = s->depth / (p->ic / p->groups);
    s->source = malloc((size_t)(s->pixels * taps) * sizeof *s->source);
    for (int64_t i = 0; s->source && i < s->pixels * taps; i++)
        s->source[i] = (int32_t)source_pixel(s->task, i / taps, i % taps);
    return s->source != NULL;
}

/* ---- one part of the pixels ------------------------------------------------------------------ */

/* What the product is added to; false where that is nothing. */
static bool begin_outputs(const struct state *s, int64_t n, int64_t begin, int64_t end)
{
    const struct peer_task *t = s->task;
    int64_t oc = t->problem->oc;
    if (!t->bias && !s->residual)
        return false;
    bool last = s->layout == CONVC_NHWC;
    int64_t outer = last ? end - begin : oc, inner = last ? oc : end - begin;
    for (int64_t i = 0; i < outer; i++) {
        int64_t at = last ? (n * s->pixels + begin + i) * oc : (n * oc + i) * s->pixels + begin;
        for (int64_t k = 0; k < inner; k++) {
            float v = t->bias ? t->bias[last ? k : i] : 0;
            s->dst[at + k] = v + (s->residual ? s->residual[at + k] : 0);
        }
    }
    return true;
}

static void activate(const struct convc_problem *p, float *x, int64_t count)
{
    const float a = (float)p->activation_args[0], b = (float)p->activation_args[1];
    switch (p->activation) {
    case CONVC_ACT_RELU:
        for (int64_t i = 0; i < count; i++)
            x[i] = x[i] > 0 ? x[i] : 0;
        break;
    case CONVC_ACT_CLAMP:
        for (int64_t i = 0; i < count; i++) {
            float low = x[i] > a ? x[i] : a;
            x[i] = low < b ? low : b;
        }
        break;
    case CONVC_ACT_LEAKY_RELU:
        for (int64_t i = 0; i < count; i++)
            x[i] = x[i] > 0 ? x[i] : a * x[i];
        break;
    default: break;
    }
}

static void end_outputs(const struct state *s, int64_t n, int64_t begin, int64_t end)
{
    const struct convc_problem *p = s->task->problem;
    if (s->layout == CONVC_NHWC)
        activate(p, s->dst + (n * s->pixels + begin) * p->oc, (end - begin) * p->oc);
    else
        for (int64_t o = 0; o < p->oc; o++)
            activate(p, s->dst + (n * p->oc + o) * s->pixels + begin, end - begin);
}

static void multiply(const struct state *s, int64_t n, int64_t group, int64_t begin, int64_t end,
                     float *room, float beta)
{
    const struct convc_problem *p = s->task->problem;
    const float *wei = s->wei + group * (p->oc / p->groups) * s->depth;
    int64_t plane = p->in[0] * p->in[1] * p->in[2], m = end - begin;
    int oc = (int)(p->oc / p->groups), depth = (int)s->depth, pixels = (int)m;
    const float *image = s->src + n * p->ic * plane;
    if (s->layout == CONVC_NHWC) {
        const float *rows = room ? room : image + begin * p->ic;
        if (room)
            gather_rows(s, image, group, begin, end, room);
        blas.sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, pixels, oc, depth, 1, rows,
                   room ? depth : (int)p->ic, wei, oc, beta,
                   s->dst + (n * s->pixels + begin) * p->oc + group * oc, (int)p->oc);
    } else {
        const float *columns = room ? room : image + begin;
        if (room)
            gather_columns(s, image, group, begin, end, room);
        blas.sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, oc, pixels, depth, 1, wei, depth,
                   columns, room ? pixels : (int)plane, beta,
                   s->dst + (n * p->oc + group * oc) * s->pixels + begin, (int)s->pixels);
    }
}

static void run_part(const struct state *s, int64_t item, float *room)
{
    int64_t parts = (s->pixels + s->part - 1) / s->part, n = item / parts;
    int64_t begin = item % parts * s->part, end = smaller(begin + s->part, s->pixels);
    float beta = begin_outputs(s, n, begin, end) ? 1 : 0;
    for (int64_t group = 0; group < s->task->problem->groups; group++)
        multiply(s, n, group, begin, end, room, beta);
    end_outputs(s, n, begin, end);
}

static enum exit_code run(struct peer_run *r, struct failure *f)
{
    const struct state *s = r->state;
    int64_t parts = (s->pixels + s->part - 1) / s->part, items = s->task->problem->n * parts;
    int threads = (int)smaller(s->task->threads, items);
#pragma omp parallel for num_threads(threads) schedule(static) if (threads > 1)
    for (int64_t item = 0; item < items; item++) {
        int64_t room = omp_get_thread_num() * s->part * s->depth;
        run_part(s, item, s->gathered ? s->gathered + room : NULL);
    }
    return EXIT_FINE;
}

/* ---- preparation ----------------------------------------------------------------------------- */

static float *allocate(int64_t elements)
{
    return aligned_alloc(64, ((size_t)elements * sizeof(float) + 63) / 64 * 64 + 64);
}

/* A copy of `n` images in the layout. */
static float *place(const struct state *s, const float *from, int64_t n, int64_t c, int64_t x)
{
    float *to = allocate(n * c * x);
    if (to && s->layout == CONVC_NHWC)
        peer_channels_last(from, n, c, x, to);
    else if (to)
        memcpy(to, from, (size_t)(n * c * x) * sizeof *to);
    return to;
}

/* Channels last: [group][tap, ic][oc], the right side of the product; else as they come. */
static float *pack_weights(const struct state *s)
{
    const struct convc_problem *p = s->task->problem;
    int64_t oc = p->oc / p->groups, ic = p->ic / p->groups, taps = s->depth / ic;
    float *plain = peer_weights(s->task);
    float *wei = s->layout == CONVC_NHWC && plain ? allocate(p->oc * s->depth) : plain;
    if (!plain || !wei || wei == plain)
        return wei;
    for (int64_t o = 0; o < p->oc; o++)
        for (int64_t i = 0; i < s->depth; i++)
            wei[((o / oc) * s->depth + i % taps * ic + i / taps) * oc + o % oc] =
                plain[o * s->depth + i];
    free(plain);
    return wei;
}

/* Is the source the matrix itself? */
static bool pointwise(const struct convc_problem *p)
{
    bool yes = p->groups == 1;
    for (int a = 0; a < 3; a++)
        yes = yes && p->kernel[a] == 1 && p->stride[a] == 1 && !p->pad_begin[a] && !p->pad_end[a];
    return yes;
}

static void destroy(struct peer_run *r)
{
    struct state *s = r->state;
    if (!s)
        return;
    free(s->src);
    free(s->wei);
    free(s->dst);
    free(s->residual);
    free(s->source);
    free(s->gathered);
    free(s);
    r->state = NULL;
}

static bool place_all(struct state *s)
{
    const struct peer_task *t = s->task;
    const struct convc_problem *p = t->problem;
    bool direct = pointwise(p);
    s->pixels = t->out[0] * t->out[1] * t->out[2];
    s->depth = p->ic / p->groups * p->kernel[0] * p->kernel[1] * p->kernel[2];
    s->part = (s->pixels + t->threads - 1) / t->threads;
    if (!direct)
        s->part = smaller(s->part, 1 + PART_FLOATS / s->depth);
    s->src = place(s, t->src, p->n, p->ic, p->in[0] * p->in[1] * p->in[2]);
    s->wei = pack_weights(s);
    s->dst = allocate(peer_dst_elements(t));
    if (t->residual)
        s->residual = place(s, t->residual, p->n, p->oc, s->pixels);
    if (!direct && find_sources(s))
        s->gathered = allocate(t->threads * s->part * s->depth);
    return s->src && s->wei && s->dst && (!t->residual || s->residual) && (direct || s->gathered);
}

static enum exit_code prepare(const struct peer_task *t, enum peer_layout layout,
                              struct peer_run *r, struct failure *f)
{
    const struct convc_problem *p = t->problem;
    if (!peer_pads_zeros(p))
        return fail(f, EXIT_USAGE, "with OpenBLAS, only zeros are padded");
    if (p->ic == p->groups && p->groups > 1)
        return fail(f, EXIT_USAGE, "with OpenBLAS, depthwise is no matrix product");
    if (p->in[0] * p->in[1] * p->in[2] > INT32_MAX)
        return fail(f, EXIT_USAGE, "with OpenBLAS, the image is too large");
    if (p->activation > CONVC_ACT_LEAKY_RELU)
        return fail(f, EXIT_USAGE, "with OpenBLAS, the activation is not vectorised");
    struct state *s = calloc(1, sizeof *s);
    if (!s)
        return fail_memory(f);
    s->task = t;
    s->layout = layout == PEER_SPEC ? p->layout : CONVC_NHWC;
    *r = (struct peer_run){ .state = s, .in_spec_layout = s->layout == p->layout };
    snprintf(r->layout, sizeof r->layout, "channels %s",
             s->layout == CONVC_NHWC ? "last" : "first");
    blas.set_num_threads(1);
    if (place_all(s))
        return EXIT_FINE;
    destroy(r);
    return fail_memory(f);
}

static enum exit_code result(struct peer_run *r, float *out, struct failure *f)
{
    const struct state *s = r->state;
    enum exit_code code = run(r, f);
    if (code == EXIT_FINE && s->layout == CONVC_NHWC)
        peer_channels_first(s->dst, s->task->problem->n, s->task->problem->oc, s->pixels, out);
    else if (code == EXIT_FINE)
        memcpy(out, s->dst, (size_t)peer_dst_elements(s->task) * sizeof *out);
    return code;
}

/* A name given by the user stays. */
static enum exit_code start(struct failure *f)
{
    if (blas.handle)
        return EXIT_FINE;
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512bw"))
        setenv("OPENBLAS_CORETYPE", "SKYLAKEX", 0);
#endif
    blas.handle = dlopen(CONVC_OPENBLAS, RTLD_NOW | RTLD_LOCAL);
    if (!blas.handle)
        return fail(f, EXIT_SYSTEM, "openblas: %s", dlerror());
    *(void **)&blas.sgemm = dlsym(blas.handle, "cblas_sgemm");
    *(void **)&blas.set_num_threads = dlsym(blas.handle, "openblas_set_num_threads");
    if (!blas.sgemm || !blas.set_num_threads)
        return fail(f, EXIT_SYSTEM, "openblas: %s is not OpenBLAS", CONVC_OPENBLAS);
    return EXIT_FINE;
}

const struct peer peer_openblas = {
    .name = "openblas",
    .start = start,
    .prepare = prepare,
    .run = run,
    .result = result,
    .destroy = destroy,
};
