#include "runtime/ref.h"

#include "runtime/ref_terms.h"

#include <math.h>

/* Outputs of a row that are summed together, so that each weight is looked up once for them. */
enum { PIECE = 32 };

/* Sums that a dot product keeps, because each addition waits for the last one to its sum. */
enum { SUMS = 4 };

struct ref {
    const struct convc_problem *p;
    const struct problem *problem;
    const int64_t *out; /* extents */
    int64_t icg, ocg;
    const struct layout *layout;
    const struct convc_args *args;
    const char *wei;
    enum convc_dtype wei_type; /* constants are f64 */
    union {
        float f32;
        double f64;
    } outside; /* padding_value in acc's type */

    /* Instead of dot, one by one; or NULL. */
    void (*add)(const struct problem *p, struct terms *acc, long double x, long double w);
};

/* `count` outputs of channel o of image n, beginning with x and going along the width. */
struct piece {
    int64_t n, o, x[3], count;
};

static long double dot_f32(const void *src, int64_t src_step, const void *wei, int64_t wei_step,
                           int64_t count)
{
    const float *s = src, *w = wei;
    double sum[SUMS] = { 0 };
    for (int64_t i = 0; i < count; i++)
        sum[i % SUMS] += (double)s[i * src_step] * (double)w[i * wei_step];
    return sum[0] + sum[1] + sum[2] + sum[3];
}

static long double dot_f64(const void *src, int64_t src_step, const void *wei, int64_t wei_step,
                           int64_t count)
{
    const double *s = src, *w = wei;
    long double sum[SUMS] = { 0 };
    for (int64_t i = 0; i < count; i++)
        sum[i % SUMS] += (long double)s[i * src_step] * (long double)w[i * wei_step];
    return sum[0] + sum[1] + sum[2] + sum[3];
}

static long double load(enum convc_dtype t, const void *tensor, int64_t i)
{
    switch (t) {
    case CONVC_F32: return ((const float *)tensor)[i];
    case CONVC_F64: return ((const double *)tensor)[i];
    case CONVC_U8: return ((const uint8_t *)tensor)[i];
    case CONVC_S16: return ((const int16_t *)tensor)[i];
    case CONVC_U16: return ((const uint16_t *)tensor)[i];
    }
    return NAN;
}

/* Some elements, `step` from one to the next. */
struct line {
    enum convc_dtype type;
    const void *data;
    int64_t step;
};

/* sum over i < count of src[i] * wei[i], in the type next wider than wei's; weights of 0 that are
 * constants are absent. */
static long double dot(const struct line *src, const struct line *wei, int64_t count,
                       bool constants)
{
    long double sum = 0;
    for (int64_t i = 0; constants && i < count; i++) {
        long double w = load(wei->type, wei->data, i * wei->step);
        sum += w != 0 ? w * load(src->type, src->data, i * src->step) : 0;
    }
    if (constants)
        return sum;
    if (src->type == CONVC_F32)
        return dot_f32(src->data, src->step, wei->data, wei->step, count);
    if (src->type == CONVC_F64)
        return dot_f64(src->data, src->step, wei->data, wei->step, count);
    for (int64_t i = 0; i < count; i++)
        sum +=
            load(src->type, src->data, i * src->step) * load(wei->type, wei->data, i * wei->step);
    return sum;
}

static struct ref ref_of(const struct problem *p, const struct layout *l,
                         const struct convc_args *args, const void *wei)
{
    struct ref r = { .p = &p->p,
                     .problem = p,
                     .out = p->out,
                     .icg = p->icg,
                     .ocg = p->ocg,
                     .layout = l,
                     .args = args,
                     .wei = p->c.period ? (const char *)p->c.value : wei,
                     .wei_type = p->c.period ? CONVC_F64 : p->p.wei_dtype,
                     .add = p->f.terms ? terms_add : NULL };
    if (p->p.acc_dtype == CONVC_F64)
        r.outside.f64 = p->p.padding_value;
    else
        r.outside.f32 = (float)p->p.padding_value;
    return r;
}

/* ---- the sum --------------------------------------------------------------------------------- */

/* Where tap k of output x reads along an axis; -1 outside. */
static int64_t source(const struct convc_problem *p, int axis, int64_t x, int64_t k)
{
    int64_t i = x * p->stride[axis] + k * p->dilation[axis] - p->pad_begin[axis];
    return i >= 0 && i < p->in[axis] ? i : problem_border(p->padding_mode, i, p->in[axis]);
}

/* The weights of a tap, as it is counted over the source. */
static int64_t weight_index(const struct ref *r, int64_t o, int64_t i, const int64_t tap[3])
{
    int64_t stored[3];
    const int64_t *kernel = r->p->kernel;
    if (r->problem->c.period)
        return o % r->problem->c.period * r->problem->c.values +
               ((i * kernel[0] + tap[0]) * kernel[1] + tap[1]) * kernel[2] + tap[2];
    for (int a = 0; a < 3; a++)
        stored[a] = r->p->flip ? kernel[a] - 1 - tap[a] : tap[a];
    return layout_index(r->layout, o, i, stored);
}

/* One tap of all channels. */
static void add_channels(const struct ref *r, const struct line *src, const struct line *wei,
                         struct terms *acc)
{
    if (!r->add)
        acc->value += dot(src, wei, r->icg, r->problem->c.period > 0);
    for (int64_t i = 0; r->add && i < r->icg; i++)
        r->add(r->problem, acc, load(src->type, src->data, i * src->step),
               load(wei->type, wei->data, i * wei->step));
}

static void add_tap(const struct ref *r, const struct piece *piece, const int64_t tap[3],
                    struct terms *acc)
{
    const struct convc_problem *p = r->p;
    const int64_t *stride = p->src_stride;
    int64_t d = source(p, CONVC_D, piece->x[CONVC_D], tap[CONVC_D]);
    int64_t h = source(p, CONVC_H, piece->x[CONVC_H], tap[CONVC_H]);
    bool inside = d >= 0 && h >= 0;
    if (!inside && p->padding_mode != CONVC_PAD_CONSTANT)
        return;

    int64_t first = weight_index(r, piece->o, 0, tap);
    int64_t wei_step = r->icg > 1 ? weight_index(r, piece->o, 1, tap) - first : 0;
    const struct line wei = { r->wei_type, r->wei + first * dtype_bytes(r->wei_type), wei_step };
    const struct line outside = { p->acc_dtype, &r->outside, 0 };
    int64_t channel = piece->o / r->ocg * r->icg;
    int64_t row = piece->n * stride[CONVC_STRIDE_N] + channel * stride[CONVC_STRIDE_C] +
                  d * stride[CONVC_STRIDE_D] + h * stride[CONVC_STRIDE_H];
    for (int64_t x = 0; x < piece->count; x++) {
        int64_t w = source(p, CONVC_W, piece->x[CONVC_W] + x, tap[CONVC_W]);
        if (inside && w >= 0) {
            struct line src = { p->src_dtype, r->args->src, stride[CONVC_STRIDE_C] };
            int64_t at = row + w * stride[CONVC_STRIDE_W];
            src.data = (const char *)src.data + at * dtype_bytes(p->src_dtype);
            add_channels(r, &src, &wei, &acc[x]);
        } else if (p->padding_mode == CONVC_PAD_CONSTANT) {
            add_channels(r, &outside, &wei, &acc[x]);
        }
    }
}

/* What tap reads for output ow of a row. */
static long double load_tap(const struct ref *r, const struct piece *piece, int64_t ow,
                            const int64_t tap[3])
{
    const struct convc_problem *p = r->p;
    const int64_t out[3] = { piece->x[CONVC_D], piece->x[CONVC_H], ow };
    int64_t at = piece->n * p->src_stride[CONVC_STRIDE_N] +
                 piece->o / r->ocg * r->icg * p->src_stride[CONVC_STRIDE_C];
    for (int a = 0; a < 3; a++) {
        int64_t i = source(p, a, out[a], tap[a]);
        if (i < 0)
            return p->padding_value;
        at += i * p->src_stride[CONVC_STRIDE_D + a];
    }
    return load(p->src_dtype, r->args->src, at);
}

/* The taps that a window names, by its nodes, for output ow of a row. */
static void load_leaves(const struct ref *r, const struct piece *piece, int64_t ow,
                        long double leaf[EXPR_NODES])
{
    const struct functions *f = &r->problem->f;
    for (int i = 0; i < f->window.count; i++) {
        const struct expr_node *n = &f->window.node[i];
        int64_t tap[3];
        if (n->op != EXPR_VAR)
            continue;
        if (expr_window_tap(&f->taps, n->var, tap) == 'x')
            leaf[i] = load_tap(r, piece, ow, tap);
        else
            leaf[i] = load(r->wei_type, r->wei, weight_index(r, piece->o, 0, tap));
    }
}

static void run_window(const struct ref *r, const struct piece *piece, struct terms *acc)
{
    long double leaf[EXPR_NODES];
    for (int64_t x = 0; x < piece->count; x++) {
        load_leaves(r, piece, piece->x[CONVC_W] + x, leaf);
        acc[x] = (struct terms){ .value = expr_eval_leaves(&r->problem->f.window, leaf) };
    }
}

static struct expr_bounded window_error(const struct ref *r, const struct piece *piece)
{
    long double leaf[EXPR_NODES];
    struct expr_bounded bounded[EXPR_NODES];
    const struct expr *e = &r->problem->f.window;
    load_leaves(r, piece, piece->x[CONVC_W], leaf);
    for (int i = 0; i < e->count; i++) {
        if (e->node[i].op == EXPR_VAR)
            bounded[i] = (struct expr_bounded){ leaf[i], 0 };
    }
    return expr_error_leaves(e, bounded, r->p->acc_dtype == CONVC_F64);
}

static void sum(const struct ref *r, const struct piece *piece, struct terms *acc)
{
    if (r->problem->f.windowed) {
        run_window(r, piece, acc);
        return;
    }
    for (int64_t x = 0; x < piece->count; x++)
        terms_begin(r->problem, &acc[x]);
    for (int64_t kd = 0; kd < r->p->kernel[CONVC_D]; kd++)
        for (int64_t kh = 0; kh < r->p->kernel[CONVC_H]; kh++)
            for (int64_t kw = 0; kw < r->p->kernel[CONVC_W]; kw++)
                add_tap(r, piece, (int64_t[3]){ kd, kh, kw }, acc);
}

/* ---- what follows it ------------------------------------------------------------------------- */

static long double min(long double a, long double b)
{
    return a < b ? a : b;
}

static long double max(long double a, long double b)
{
    return a > b ? a : b;
}

long double ref_activation(enum convc_activation activation, const double args[2], long double x)
{
    static const long double sqrt_half = 0.707106781186547524400844362104849039L;
    switch (activation) {
    case CONVC_ACT_NONE: break;
    case CONVC_ACT_RELU: return x > 0 ? x : 0;
    case CONVC_ACT_CLAMP: return min(max(x, args[0]), args[1]);
    case CONVC_ACT_LEAKY_RELU: return x > 0 ? x : args[0] * x;
    case CONVC_ACT_SIGMOID: return 1 / (1 + expl(-x));
    case CONVC_ACT_TANH: return tanhl(x);
    case CONVC_ACT_SILU: return isinf(x) && x < 0 ? 0 : x / (1 + expl(-x));
    case CONVC_ACT_GELU:
        return isinf(x) && x < 0 ? 0
                                 : x / 2 * erfcl(-x * sqrt_half); /* 1 + erf(y), not cancelling */
    case CONVC_ACT_HARDSWISH: return x * min(max(x + 3, 0), 6) / 6;
    }
    return x;
}

static long double to_whole(enum convc_dtype t, long double value)
{
    return isnan(value) ? 0 : min(max(rintl(value), dtype_least(t)), dtype_most(t));
}

static void store(const struct ref *r, int64_t i, long double value)
{
    enum convc_dtype t = r->p->dst_dtype;
    void *dst = r->args->dst;
    switch (t) {
    case CONVC_F32: ((float *)dst)[i] = (float)value; break;
    case CONVC_F64: ((double *)dst)[i] = (double)value; break;
    case CONVC_U8: ((uint8_t *)dst)[i] = (uint8_t)to_whole(t, value); break;
    case CONVC_S16: ((int16_t *)dst)[i] = (int16_t)to_whole(t, value); break;
    case CONVC_U16: ((uint16_t *)dst)[i] = (uint16_t)to_whole(t, value); break;
    }
}

static int64_t dst_index(const struct ref *r, const struct piece *piece)
{
    const int64_t *stride = r->p->dst_stride;
    return piece->n * stride[CONVC_STRIDE_N] + piece->o * stride[CONVC_STRIDE_C] +
           piece->x[CONVC_D] * stride[CONVC_STRIDE_D] + piece->x[CONVC_H] * stride[CONVC_STRIDE_H] +
           piece->x[CONVC_W] * stride[CONVC_STRIDE_W];
}

/* What the epilogue's args are for the output at dst[i], of channel o, from var[1] on. */
static void load_args(const struct ref *r, int64_t o, int64_t i, long double *var)
{
    const struct functions *f = &r->problem->f;
    for (int a = 0; a < f->arg_count; a++) {
        enum arg_kind kind = f->arg[a].kind;
        int64_t at = kind == ARG_CHANNEL ? o : kind == ARG_TENSOR ? i : 0;
        enum convc_dtype type = kind == ARG_TENSOR ? r->p->dst_dtype : r->p->acc_dtype;
        var[1 + a] = load(type, r->args->user[a], at);
    }
}

/* The value of the output at dst[i], of channel o. */
static long double finish(const struct ref *r, int64_t o, int64_t i, long double x)
{
    long double var[1 + FUNCTIONS_ARGS] = { x };
    if (r->problem->f.epilogue) {
        load_args(r, o, i, var);
        return expr_eval(&r->problem->f.last, var);
    }
    if (r->p->bias)
        x += load(r->p->acc_dtype, r->args->bias, o);
    if (r->p->residual)
        x += load(r->p->dst_dtype, r->args->residual, i);
    return ref_activation(r->p->activation, r->p->activation_args, x);
}

/* ---- the loops ------------------------------------------------------------------------------- */

static void run_row(const struct ref *r, struct piece *piece)
{
    struct terms acc[PIECE];
    for (int64_t ow = 0; ow < r->out[CONVC_W]; ow += PIECE) {
        int64_t left = r->out[CONVC_W] - ow;
        piece->x[CONVC_W] = ow;
        piece->count = left < PIECE ? left : PIECE;
        sum(r, piece, acc);
        int64_t at = dst_index(r, piece);
        for (int64_t x = 0; x < piece->count; x++, at += r->p->dst_stride[CONVC_STRIDE_W])
            store(r, at, finish(r, piece->o, at, acc[x].value));
    }
}

int64_t ref_items(const struct problem *p, int64_t n)
{
    return n * p->p.oc;
}

void ref_run(const struct problem *p, const struct layout *l, const struct convc_args *args,
             const void *wei, int64_t begin, int64_t end)
{
    struct ref r = ref_of(p, l, args, wei);
    for (int64_t item = begin; item < end; item++) {
        struct piece piece = { .n = item / p->p.oc, .o = item % p->p.oc };
        for (int64_t od = 0; od < p->out[CONVC_D]; od++)
            for (int64_t oh = 0; oh < p->out[CONVC_H]; oh++) {
                piece.x[CONVC_D] = od;
                piece.x[CONVC_H] = oh;
                run_row(&r, &piece);
            }
    }
}

/* The output with index `i` in N, C, spatial order. */
static struct piece piece_at(const struct problem *p, int64_t i)
{
    struct piece piece = { .count = 1 };
    for (int a = CONVC_W; a >= CONVC_D; a--) {
        piece.x[a] = i % p->out[a];
        i /= p->out[a];
    }
    piece.o = i % p->p.oc;
    piece.n = i / p->p.oc;
    return piece;
}

long double ref_at(const struct problem *p, const struct layout *l, const struct convc_args *args,
                   const void *wei, int64_t i)
{
    struct ref r = ref_of(p, l, args, wei);
    struct piece piece = piece_at(p, i);
    struct terms acc;
    sum(&r, &piece, &acc);
    return finish(&r, piece.o, dst_index(&r, &piece), acc.value);
}

static struct expr_bounded acc_error(struct ref *r, const struct piece *piece)
{
    struct terms acc;
    if (r->problem->f.windowed)
        return window_error(r, piece);
    r->add = terms_add_error;
    sum(r, piece, &acc);
    return terms_end(r->problem, &acc);
}

long double ref_error_at(const struct problem *p, const struct layout *l,
                         const struct convc_args *args, const void *wei, int64_t i)
{
    struct ref r = ref_of(p, l, args, wei);
    struct piece piece = piece_at(p, i);
    struct expr_bounded var[1 + FUNCTIONS_ARGS] = { acc_error(&r, &piece) };
    int64_t at = dst_index(&r, &piece);
    if (p->f.epilogue) {
        long double value[1 + FUNCTIONS_ARGS];
        load_args(&r, piece.o, at, value);
        for (int a = 1; a <= p->f.arg_count; a++)
            var[a] = (struct expr_bounded){ value[a], 0 };
        return expr_error(&p->f.last, var, p->p.acc_dtype == CONVC_F64).error;
    }
    long double bias = p->p.bias ? load(p->p.acc_dtype, args->bias, piece.o) : 0;
    long double residual = p->p.residual ? load(p->p.dst_dtype, args->residual, at) : 0;
    return terms_activate(p, var[0], bias, residual).error;
}
