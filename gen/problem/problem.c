#include "gen/problem/problem.h"

#include "gen/problem/strides.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

static const int64_t extent_max = INT32_MAX;
static const int64_t pad_min = -((int64_t)1 << 32);
static const int64_t tensor_bytes_max = (int64_t)1 << 62;

static const char *const axis_name[3] = { "depth", "height", "width" };

/* In the order of enum convc_dtype. */
static const struct {
    const char *name;
    int64_t bytes;
    bool whole;
    double least, most;
} dtypes[] = {
    { "f32", 4, false, -FLT_MAX, FLT_MAX }, { "f64", 8, false, -DBL_MAX, DBL_MAX },
    { "u8", 1, true, 0, UINT8_MAX },        { "s16", 2, true, INT16_MIN, INT16_MAX },
    { "u16", 2, true, 0, UINT16_MAX },
};
enum { DTYPES = sizeof dtypes / sizeof dtypes[0] };
static const char *const mode_names[] = { "zeros",     "constant", "reflect", "symmetric",
                                          "replicate", "circular", "identity" };
static const char *const activation_names[] = { "none", "relu", "clamp", "leaky_relu", "sigmoid",
                                                "tanh", "silu", "gelu",  "hardswish" };

/* ---- names and defaults -------------------------------------------------------------------- */

void problem_init(struct convc_problem *p)
{
    memset(p, 0, sizeof *p);
    p->struct_bytes = sizeof *p;
    p->spatial = 2;
    p->n = p->ic = p->oc = p->groups = 1;
    for (int a = 0; a < 3; a++)
        p->in[a] = p->kernel[a] = p->stride[a] = p->dilation[a] = 1;
    p->tolerance = 1e-5;
}

int64_t dtype_bytes(enum convc_dtype t)
{
    return dtypes[t].bytes;
}

const char *dtype_name(enum convc_dtype t)
{
    return dtypes[t].name;
}

bool dtype_named(const char *text, size_t n, enum convc_dtype *t)
{
    for (int i = 0; i < DTYPES; i++) {
        if (strlen(dtypes[i].name) == n && strncmp(text, dtypes[i].name, n) == 0) {
            *t = (enum convc_dtype)i;
            return true;
        }
    }
    return false;
}

bool dtype_whole(enum convc_dtype t)
{
    return dtypes[t].whole;
}

double dtype_least(enum convc_dtype t)
{
    return dtypes[t].least;
}

double dtype_most(enum convc_dtype t)
{
    return dtypes[t].most;
}

void dtype_everywhere(struct convc_problem *p, enum convc_dtype t)
{
    p->src_dtype = p->dst_dtype = t;
    p->wei_dtype = p->acc_dtype = dtypes[t].whole ? CONVC_F32 : t;
}

const char *padding_mode_name(enum convc_padding_mode m)
{
    return mode_names[m];
}

const char *activation_name(enum convc_activation a)
{
    return activation_names[a];
}

/* ---- checks -------------------------------------------------------------------------------- */

static enum convc_status check_one(const char *field, int64_t value, int64_t last, struct diag *d)
{
    if ((uint64_t)value <= (uint64_t)last)
        return CONVC_OK;
    return diag_fail(d, CONVC_ERR_ARGUMENT, "%s=%" PRId64 " must be 0 to %" PRId64, field, value,
                     last);
}

static void check_tensor_dtype(const char *field, enum convc_dtype t, enum convc_dtype acc,
                               struct diag *d)
{
    if (t != acc && !dtypes[t].whole)
        diag_fail(d, CONVC_ERR_UNSUPPORTED, "%s=%s must be u8, s16, u16 or that of acc, %s", field,
                  dtypes[t].name, dtypes[acc].name);
}

static enum convc_status check_dtypes(const struct convc_problem *p, struct diag *d)
{
    if (dtypes[p->acc_dtype].whole)
        diag_fail(d, CONVC_ERR_UNSUPPORTED, "acc_dtype=%s must be f32 or f64",
                  dtypes[p->acc_dtype].name);
    else if (p->wei_dtype != p->acc_dtype)
        diag_fail(d, CONVC_ERR_UNSUPPORTED, "wei_dtype=%s must be that of acc, %s",
                  dtypes[p->wei_dtype].name, dtypes[p->acc_dtype].name);
    check_tensor_dtype("src_dtype", p->src_dtype, p->acc_dtype, d);
    check_tensor_dtype("dst_dtype", p->dst_dtype, p->acc_dtype, d);
    return d->status;
}

/* Values that stand for a name, or for yes and no. */
static enum convc_status check_names(const struct convc_problem *p, struct diag *d)
{
    check_one("kind", p->kind, CONVC_FORWARD, d);
    check_one("src_dtype", p->src_dtype, DTYPES - 1, d);
    check_one("wei_dtype", p->wei_dtype, DTYPES - 1, d);
    check_one("acc_dtype", p->acc_dtype, DTYPES - 1, d);
    check_one("dst_dtype", p->dst_dtype, DTYPES - 1, d);
    check_one("layout", p->layout, CONVC_NCHW, d);
    check_one("padding_mode", p->padding_mode, CONVC_PAD_IDENTITY, d);
    check_one("flip", p->flip, 1, d);
    check_one("bias", p->bias, 1, d);
    check_one("residual", p->residual, 1, d);
    check_one("activation", p->activation, CONVC_ACT_HARDSWISH, d);
    if (p->spatial < 1 || p->spatial > 3)
        diag_fail(d, CONVC_ERR_ARGUMENT, "spatial=%d must be 1 to 3", (int)p->spatial);
    if (!memchr(p->name, '\0', sizeof p->name))
        diag_fail(d, CONVC_ERR_ARGUMENT, "name has more than %d characters", CONVC_NAME_MAX);
    return d->status == CONVC_OK ? check_dtypes(p, d) : d->status;
}

static void check_count(const char *field, int64_t value, int64_t first, struct diag *d)
{
    if (value < first || value > extent_max)
        diag_fail(d, CONVC_ERR_SHAPE, "%s=%" PRId64 " must be %" PRId64 " to %" PRId64, field,
                  value, first, extent_max);
}

static enum convc_status check_channels(const struct convc_problem *p, struct diag *d)
{
    check_count("batch", p->n, 0, d);
    check_count("in_channels", p->ic, 1, d);
    check_count("out_channels", p->oc, 1, d);
    check_count("groups", p->groups, 1, d);
    if (d->status != CONVC_OK || p->groups == 1)
        return d->status;
    if (p->ic % p->groups != 0)
        diag_fail(d, CONVC_ERR_SHAPE, "groups=%" PRId64 " does not divide in_channels=%" PRId64,
                  p->groups, p->ic);
    if (p->oc % p->groups != 0)
        diag_fail(d, CONVC_ERR_SHAPE, "groups=%" PRId64 " does not divide out_channels=%" PRId64,
                  p->groups, p->oc);
    return d->status;
}

static void check_along(const char *field, int64_t value, int64_t first, int axis, struct diag *d)
{
    if (value < first || value > extent_max)
        diag_fail(d, CONVC_ERR_SHAPE, "%s=%" PRId64 " along the %s must be %" PRId64 " to %" PRId64,
                  field, value, axis_name[axis], first, extent_max);
}

static enum convc_status check_axis(const struct convc_problem *p, int a, struct diag *d)
{
    check_along("input", p->in[a], 1, a, d);
    check_along("kernel_size", p->kernel[a], 1, a, d);
    check_along("stride", p->stride[a], 1, a, d);
    check_along("dilation", p->dilation[a], 1, a, d);
    check_along("padding", p->pad_begin[a], pad_min, a, d);
    check_along("padding", p->pad_end[a], pad_min, a, d);
    bool used = a >= 3 - p->spatial;
    if (!used && (p->in[a] != 1 || p->kernel[a] != 1 || p->stride[a] != 1 || p->dilation[a] != 1 ||
                  p->pad_begin[a] != 0 || p->pad_end[a] != 0))
        diag_fail(d, CONVC_ERR_SHAPE,
                  "spatial=%d leaves the %s unused, which must have input, kernel_size, stride and "
                  "dilation 1 and padding 0",
                  (int)p->spatial, axis_name[a]);
    return d->status;
}

/* Fits the constant into the accumulator's type. */
static void resolve_constant(const char *field, double *value, enum convc_dtype t, struct diag *d)
{
    if (!isfinite(*value))
        diag_fail(d, CONVC_ERR_ARGUMENT, "%s=%g must be finite", field, *value);
    else if (t == CONVC_F32 && fabs(*value) > FLT_MAX)
        diag_fail(d, CONVC_ERR_ARGUMENT, "%s=%g does not fit f32", field, *value);
    else if (t == CONVC_F32)
        *value = (float)*value;
}

static int64_t tap_span(const struct convc_problem *p, int a)
{
    return p->dilation[a] * (p->kernel[a] - 1) + 1; /* below 2^62, both being below 2^31 */
}

/* ---- canonical form ------------------------------------------------------------------------ */

static enum convc_status resolve_axis(struct problem *to, int a, struct diag *d)
{
    struct convc_problem *p = &to->p;
    if (check_axis(p, a, d) != CONVC_OK)
        return d->status;

    int64_t window = tap_span(p, a);
    int64_t slack = p->in[a] + p->pad_begin[a] + p->pad_end[a] - window;
    if (slack < 0)
        return diag_fail(d, CONVC_ERR_SHAPE,
                         "kernel_size=%" PRId64 " with dilation=%" PRId64 " spans %" PRId64
                         " along the %s, more than the %" PRId64 " of the padded input",
                         p->kernel[a], p->dilation[a], window, axis_name[a], slack + window);
    to->out[a] = (p->stride[a] == 1 ? slack : slack / p->stride[a]) + 1;
    if (to->out[a] > extent_max)
        return diag_fail(d, CONVC_ERR_SHAPE,
                         "output=%" PRId64 " along the %s must be 1 to %" PRId64, to->out[a],
                         axis_name[a], extent_max);

    if (to->out[a] == 1)
        p->stride[a] = 1;
    if (p->kernel[a] == 1)
        p->dilation[a] = 1;
    p->pad_end[a] = (to->out[a] - 1) * p->stride[a] + window - p->in[a] - p->pad_begin[a];
    return CONVC_OK;
}

/* What lanes hold whose taps are left out. */
static void resolve_neutral(struct problem *to, bool wide)
{
    static const double values[] = { 0, -INFINITY, INFINITY, 1 };
    to->f.neutral = false;
    for (int i = 0; i < 4 && !to->f.neutral; i++) {
        to->f.neutral = functions_absorb(&to->f, values[i], wide);
        to->p.padding_value = to->f.neutral ? values[i] : 0;
    }
}

static enum convc_status resolve_padding(struct problem *to, struct diag *d)
{
    struct convc_problem *p = &to->p;
    bool wide = p->acc_dtype == CONVC_F64;
    resolve_constant("padding_value", &p->padding_value, p->acc_dtype, d);

    if (p->padding_mode != CONVC_PAD_CONSTANT)
        p->padding_value = 0;
    bool value = p->padding_mode == CONVC_PAD_CONSTANT || p->padding_mode == CONVC_PAD_ZEROS;
    bool skips = p->padding_mode == CONVC_PAD_IDENTITY || !problem_pads(to) ||
                 (value && functions_absorb(&to->f, p->padding_value, wide));
    if (skips) {
        p->padding_mode = CONVC_PAD_ZEROS;
        p->padding_value = 0;
    } else if (value) {
        p->padding_mode = CONVC_PAD_CONSTANT;
    }
    if (skips && to->f.terms && problem_pads(to))
        resolve_neutral(to, wide);
    return d->status;
}

static enum convc_status resolve_activation(struct convc_problem *p, struct diag *d)
{
    int used = p->activation == CONVC_ACT_CLAMP ? 2 : p->activation == CONVC_ACT_LEAKY_RELU;
    for (int i = 0; i < 2; i++) {
        if (i < used)
            resolve_constant("activation argument", &p->activation_args[i], p->acc_dtype, d);
        else
            p->activation_args[i] = 0;
    }
    if (used == 2 && p->activation_args[0] > p->activation_args[1])
        diag_fail(d, CONVC_ERR_ARGUMENT, "activation clamp low=%g is above high=%g",
                  p->activation_args[0], p->activation_args[1]);
    if (!isfinite(p->tolerance) || p->tolerance < 0)
        diag_fail(d, CONVC_ERR_ARGUMENT, "tolerance=%g must be finite and not negative",
                  p->tolerance);
    p->tolerance += 0.0; /* -0 becomes 0 */
    return d->status;
}

static enum convc_status resolve_memory(struct problem *to, struct diag *d)
{
    struct convc_problem *p = &to->p;
    struct tensor src = tensor_src(to), dst = tensor_dst(to);
    strides_resolve(&src, p->src_stride, d);
    strides_resolve(&dst, p->dst_stride, d);

    int64_t wei_bytes = dtype_bytes(p->wei_dtype);
    if (__builtin_mul_overflow(wei_bytes, p->oc, &wei_bytes) ||
        __builtin_mul_overflow(wei_bytes, to->icg, &wei_bytes) ||
        __builtin_mul_overflow(wei_bytes, p->kernel[0], &wei_bytes) ||
        __builtin_mul_overflow(wei_bytes, p->kernel[1], &wei_bytes) ||
        __builtin_mul_overflow(wei_bytes, p->kernel[2], &wei_bytes) || wei_bytes > tensor_bytes_max)
        diag_fail(d, CONVC_ERR_SHAPE,
                  "weights of %" PRId64 " x %" PRId64 " x %" PRId64 " x %" PRId64 " x %" PRId64
                  " elements span more than 2^62 bytes",
                  p->oc, to->icg, p->kernel[0], p->kernel[1], p->kernel[2]);
    return d->status;
}

static enum convc_status resolve_weights(const struct convc_problem *from, struct problem *to,
                                         struct diag *d)
{
    if (from->weights && !to->f.weighted)
        return diag_fail(d, CONVC_ERR_ARGUMENT, "weights are given, but the window reads no w");
    if (constants_resolve(from, &to->c, d) == CONVC_OK && to->f.windowed && to->c.period == 1) {
        functions_bind(&to->f, to->c.value, from->acc_dtype == CONVC_F64);
        to->c.period = 0;
    }
    return d->status;
}

enum convc_status problem_resolve(const struct convc_problem *from, struct problem *to,
                                  struct diag *d)
{
    if (from->struct_bytes != sizeof *from)
        return diag_fail(d, CONVC_ERR_ARGUMENT,
                         "struct_bytes=%zu of the problem must be %zu, as set by "
                         "convc_problem_init",
                         from->struct_bytes, sizeof *from);
    if (check_names(from, d) != CONVC_OK || check_channels(from, d) != CONVC_OK)
        return d->status;

    struct convc_problem *p = &to->p;
    *p = *from;
    to->icg = p->groups == 1 ? p->ic : p->ic / p->groups;
    to->ocg = p->groups == 1 ? p->oc : p->oc / p->groups;
    for (int a = 0; a < 3; a++)
        if (resolve_axis(to, a, d) != CONVC_OK)
            return d->status;
    if (from->weights || (p->kernel[0] == 1 && p->kernel[1] == 1 && p->kernel[2] == 1))
        p->flip = 0;

    enum convc_status st = functions_resolve(from, &to->f, d);
    p->combine = p->reduce = p->window = p->epilogue = p->args = NULL;
    p->weights = NULL;
    p->flip = p->flip && to->f.weighted;
    p->reduce_init = 0;
    if (st == CONVC_OK)
        st = resolve_weights(from, to, d);
    if (st == CONVC_OK)
        st = resolve_padding(to, d);
    if (st == CONVC_OK)
        st = resolve_activation(p, d);
    if (st == CONVC_OK)
        st = resolve_memory(to, d);
    return st;
}

/* ---- identity ------------------------------------------------------------------------------ */

static int64_t bits_of(double x)
{
    int64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

/* Two numbers below 2^31 in one. */
static int64_t pair(int64_t high, int64_t low)
{
    return high << 32 | low;
}

/* Everything that is one of a few, in three bits or four. */
static int64_t choices(const struct convc_problem *p)
{
    int64_t bits = p->kind;
    bits = bits << 3 | p->src_dtype;
    bits = bits << 3 | p->wei_dtype;
    bits = bits << 3 | p->acc_dtype;
    bits = bits << 3 | p->dst_dtype;
    bits = bits << 3 | p->padding_mode;
    bits = bits << 4 | p->activation;
    return bits << 3 | p->flip << 2 | p->bias << 1 | p->residual;
}

void problem_key(const struct problem *problem, struct problem_key *key)
{
    const struct convc_problem *p = &problem->p;
    int64_t *to = key->field;
    *to++ = choices(p);
    *to++ = pair(p->ic, p->oc);
    *to++ = p->groups;
    for (int a = 0; a < 3; a++) {
        *to++ = pair(p->in[a], p->kernel[a]);
        *to++ = pair(p->stride[a], p->dilation[a]);
        *to++ = p->pad_begin[a];
        *to++ = problem->out[a]; /* and with it pad_end */
    }
    *to++ = bits_of(p->padding_value);
    *to++ = bits_of(p->activation_args[0]);
    *to++ = bits_of(p->activation_args[1]);
    *to++ = bits_of(p->tolerance);
    for (int a = 0; a < 5; a++) {
        *to++ = p->src_stride[a];
        *to++ = p->dst_stride[a];
    }
    uint64_t hash[2];
    functions_hash(&problem->f, hash);
    constants_hash(&problem->c, hash);
    *to++ = (int64_t)hash[0];
    *to++ = (int64_t)hash[1];
    memset(to, 0, (size_t)((char *)(key + 1) - (char *)to));
}

/* ---- borders ------------------------------------------------------------------------------- */

/* i modulo n, never negative. */
static int64_t wrap(int64_t i, int64_t n)
{
    int64_t r = i % n;
    return r < 0 ? r + n : r;
}

int64_t problem_border(enum convc_padding_mode mode, int64_t i, int64_t n)
{
    if (i >= 0 && i < n)
        return i;
    int64_t r;
    switch (mode) {
    case CONVC_PAD_REFLECT:
        if (n == 1)
            return 0;
        r = wrap(i, 2 * (n - 1));
        return r < n ? r : 2 * (n - 1) - r;
    case CONVC_PAD_SYMMETRIC: r = wrap(i, 2 * n); return r < n ? r : 2 * n - 1 - r;
    case CONVC_PAD_REPLICATE: return i < 0 ? 0 : n - 1;
    case CONVC_PAD_CIRCULAR: return wrap(i, n);
    case CONVC_PAD_ZEROS:
    case CONVC_PAD_CONSTANT:
    case CONVC_PAD_IDENTITY: break;
    }
    return -1;
}

bool problem_pads(const struct problem *p)
{
    return problem_axis_pads(p, CONVC_D) || problem_axis_pads(p, CONVC_H) ||
           problem_axis_pads(p, CONVC_W);
}

bool problem_packs(const struct problem *p)
{
    return p->f.weighted && !p->c.period;
}

bool problem_pointwise(const struct problem *p)
{
    return p->p.kernel[0] * p->p.kernel[1] * p->p.kernel[2] == 1;
}

bool problem_axis_pads(const struct problem *p, int axis)
{
    /* The first tap reads at -pad_begin and, pad_end being exact, the last at in - 1 + pad_end. */
    return p->p.pad_begin[axis] > 0 || p->p.pad_end[axis] > 0;
}
