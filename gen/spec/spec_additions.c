#include "gen/spec/spec_additions.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *additions_number(const char *s, bool negative, int64_t *value)
{
    char *end;
    if (!isdigit((unsigned char)s[0]) && !(negative && s[0] == '-' && isdigit((unsigned char)s[1])))
        return NULL;
    errno = 0;
    long long number = strtoll(s, &end, 10);
    if (errno != 0)
        return NULL;
    *value = number;
    return end;
}

/* A word up to ';', ',' or the end. */
static bool word_is(const char *s, const char *word)
{
    size_t n = strlen(word);
    return strncmp(s, word, n) == 0 && (s[n] == '\0' || s[n] == ';' || s[n] == ',');
}

static bool read_real(const char **s, double *value)
{
    char *end;
    if (!isdigit((unsigned char)**s) && **s != '-' && **s != '.')
        return false;
    *value = strtod(*s, &end);
    bool whole = end > *s;
    *s = end;
    return whole;
}

/* A text up to the next addition; what it means is the problem's business. */
static bool read_text(const char **s, struct arena *memory, const char **to)
{
    size_t n = strcspn(*s, ";");
    char *copy = arena_alloc(memory, n + 1);
    if (copy)
        memcpy(copy, *s, n);
    *to = copy;
    *s += n;
    return n > 0;
}

/* Reals, or an infinity. */
static bool read_init(const char **s, double *value)
{
    bool minus = **s == '-';
    if (strncmp(*s + minus, "inf", 3) != 0)
        return read_real(s, value);
    *value = minus ? -INFINITY : INFINITY;
    *s += 3 + minus;
    return true;
}

static bool read_mode(const char **s, struct convc_problem *p)
{
    for (int m = CONVC_PAD_ZEROS; m <= CONVC_PAD_IDENTITY; m++) {
        const char *name = padding_mode_name((enum convc_padding_mode)m);
        if (word_is(*s, name)) {
            p->padding_mode = (enum convc_padding_mode)m;
            *s += strlen(name);
            return true;
        }
    }
    return false;
}

static bool read_activation(const char **s, struct convc_problem *p)
{
    for (int a = CONVC_ACT_RELU; a <= CONVC_ACT_HARDSWISH; a++) {
        const char *name = activation_name((enum convc_activation)a);
        if (!word_is(*s, name))
            continue;
        p->activation = (enum convc_activation)a;
        *s += strlen(name);
        int arguments = a == CONVC_ACT_CLAMP ? 2 : a == CONVC_ACT_LEAKY_RELU;
        for (int i = 0; i < arguments; i++)
            if (*(*s)++ != ',' || !read_real(s, &p->activation_args[i]))
                return false;
        return true;
    }
    return false;
}

static bool read_strides(const char **s, int64_t stride[5])
{
    for (int i = 0; i < 5; i++) {
        if (i > 0 && *(*s)++ != ',')
            return false;
        const char *end = additions_number(*s, false, &stride[i]);
        if (!end)
            return false;
        *s = end;
    }
    return true;
}

static bool read_dtype(const char **s, struct convc_problem *p)
{
    enum convc_dtype name[3] = { 0 };
    int count = 0;
    for (bool more = true; more; count++) {
        size_t n = strcspn(*s, ":;");
        if (!dtype_named(*s, n, &name[count]))
            return false;
        *s += n;
        more = count < 2 && **s == ':';
        *s += more;
    }
    if (count == 2)
        return false;
    dtype_everywhere(p, name[0]);
    if (count == 3) {
        p->wei_dtype = p->acc_dtype = name[1];
        p->dst_dtype = name[2];
    }
    return true;
}

static bool read_layout(const char **s, struct convc_problem *p)
{
    bool nchw = word_is(*s, "nchw");
    if (!nchw && !word_is(*s, "nhwc"))
        return false;
    p->layout = nchw ? CONVC_NCHW : CONVC_NHWC;
    *s += 4;
    return true;
}

/* Does the addition begin with `key`, "mode="? Steps behind it. */
static bool skip_key(const char **s, const char *key)
{
    size_t n = strlen(key);
    if (strncmp(*s, key, n) != 0)
        return false;
    *s += n;
    return true;
}

static bool read_flag(const char **s, const char *flag, int32_t *to)
{
    if (!word_is(*s, flag))
        return false;
    *to = 1;
    *s += strlen(flag);
    return true;
}

/* What may stand behind a key, for the sentence about what does. */
static const struct {
    const char *key, *value;
} values[] = {
    { "mode=", "zeros, constant, reflect, symmetric, replicate, circular or identity" },
    { "value=", "a number" },
    { "act=", "relu, clamp,LOW,HIGH, leaky_relu,SLOPE, sigmoid, tanh, silu, gelu or hardswish" },
    { "dtype=", "f32, f64, u8, s16, u16 or SRC:ACC:DST" },
    { "layout=", "nhwc or nchw" },
    { "tol=", "a number" },
    { "src_strides=", "five whole numbers from 0: n,c,d,h,w" },
    { "dst_strides=", "five whole numbers from 0: n,c,d,h,w" },
    { "init=", "a number" },
    { "weights=", "one value, or VALUE*COUNT, after the other, as many as some channels have" },
};

static enum convc_status refuse_addition(const char *s, struct diag *d)
{
    size_t n = strcspn(s, ";");
    int shown = (int)(n < 60 ? n : 60);
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        if (strncmp(s, values[i].key, strlen(values[i].key)) == 0)
            return diag_fail(d, CONVC_ERR_SPEC, "\"%.*s\" is not %s%s", shown, s, values[i].key,
                             values[i].value);
    }
    return diag_fail(d, CONVC_ERR_SPEC, "\"%.*s\" is no addition to a benchdnn problem", shown, s);
}

/* A value, and how many of it: "0.5*3". */
static bool read_run(const char **s, double *value, int64_t *count)
{
    *count = 1;
    if (!read_real(s, value))
        return false;
    if (**s != '*')
        return true;
    const char *end = additions_number(*s + 1, false, count);
    *s = end;
    return end && *count > 0;
}

/* Constants until they repeat, for all channels. The shape is known; whether it makes sense is the
 * problem's business, so nothing is read that it could not be. */
static bool read_weights(const char **s, struct arena *memory, struct convc_problem *p)
{
    int64_t taps = p->kernel[0] * p->kernel[1] * p->kernel[2];
    if (p->groups < 1 || p->ic < p->groups || p->oc < 1 || taps < 1 || !constants_count_fits(p))
        return false;
    int64_t one = p->ic / p->groups * taps, all = one * p->oc, given = 0, count;
    double value, *to = arena_array(memory, (size_t)all, sizeof *to);
    for (bool more = to != NULL; more; *s += more) {
        if (!read_run(s, &value, &count) || count > all - given)
            return false;
        for (int64_t end = given + count; given < end;)
            to[given++] = value;
        more = **s == ',';
    }
    for (int64_t i = given; to && i < all; i++)
        to[i] = to[i - given];
    p->weights = to;
    *s += to ? 0 : strcspn(*s, ";");
    return given % one == 0 && (given == 0 || all % given == 0);
}

static bool read_function(const char **s, struct arena *memory, struct convc_problem *p)
{
    static const char *const keys[] = { "combine=", "reduce=", "window=", "epilogue=", "args=" };
    const char **const to[] = { &p->combine, &p->reduce, &p->window, &p->epilogue, &p->args };
    for (int i = 0; i < 5; i++)
        if (skip_key(s, keys[i]))
            return read_text(s, memory, to[i]);
    return skip_key(s, "init=") && read_init(s, &p->reduce_init);
}

/* One addition, from behind its ';' to the next one's. */
static bool read_addition(const char **s, struct arena *memory, struct convc_problem *p)
{
    if (read_flag(s, "flip", &p->flip) || read_flag(s, "bias", &p->bias) ||
        read_flag(s, "residual", &p->residual))
        return true;
    if (skip_key(s, "mode="))
        return read_mode(s, p);
    if (skip_key(s, "value="))
        return read_real(s, &p->padding_value);
    if (skip_key(s, "act="))
        return read_activation(s, p);
    if (skip_key(s, "dtype="))
        return read_dtype(s, p);
    if (skip_key(s, "layout="))
        return read_layout(s, p);
    if (skip_key(s, "tol="))
        return read_real(s, &p->tolerance);
    if (skip_key(s, "src_strides="))
        return read_strides(s, p->src_stride);
    if (skip_key(s, "dst_strides="))
        return read_strides(s, p->dst_stride);
    if (skip_key(s, "weights="))
        return read_weights(s, memory, p);
    return read_function(s, memory, p);
}

/* Does an addition between `first` and this one have its key? */
static bool is_repeated(const char *first, const char *addition)
{
    size_t n = strcspn(addition, "=;");
    for (const char *s = first; s < addition; s += strcspn(s, ";") + 1)
        if (strcspn(s, "=;") == n && strncmp(s, addition, n) == 0)
            return true;
    return false;
}

enum convc_status spec_additions(const char *s, struct arena *memory, struct convc_problem *p,
                                 struct diag *d)
{
    const char *first = s + 1;
    while (*s == ';') {
        const char *begin = ++s;
        if (is_repeated(first, begin))
            return diag_fail(d, CONVC_ERR_SPEC, "the addition %.*s is given twice",
                             (int)strcspn(begin, "=;"), begin);
        if (!read_addition(&s, memory, p) || (*s && *s != ';'))
            return refuse_addition(begin, d);
    }
    return memory->failed ? diag_memory(d) : CONVC_OK;
}
