/* benchdnn's notation for a convolution, as in
 *
 *     g32mb2ic128ih56oc128oh56kh3sh1dh0ph1n"res3a"
 *
 * and what convc adds behind it: ;mode=reflect;act=clamp,0,6;layout=nchw ...
 * See "benchdnn" in specs/README.md.
 */
#include "gen/spec/spec.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ABSENT = -1 };

/* The numbers that a line gives, before defaults. */
struct line {
    int64_t g, mb, ic, oc;
    int64_t i[3], o[3], k[3], s[3], d[3], p[3];
    bool pad_given[3];
    const char *name;
    size_t name_bytes;
};

/* ---- the numbers --------------------------------------------------------------------------- */

/* Where the value of a key like "ih" belongs; NULL where there is no such key. */
static int64_t *slot(struct line *l, const char *key, size_t n)
{
    static const char axes[] = "dhw";
    if (n == 1 && key[0] == 'g')
        return &l->g;
    if (n != 2)
        return NULL;
    if (strncmp(key, "mb", 2) == 0)
        return &l->mb;
    if (strncmp(key, "ic", 2) == 0)
        return &l->ic;
    if (strncmp(key, "oc", 2) == 0)
        return &l->oc;
    const char *axis = strchr(axes, key[1]);
    if (!axis)
        return NULL;
    switch (key[0]) {
    case 'i': return &l->i[axis - axes];
    case 'o': return &l->o[axis - axes];
    case 'k': return &l->k[axis - axes];
    case 's': return &l->s[axis - axes];
    case 'd': return &l->d[axis - axes];
    case 'p': return &l->p[axis - axes];
    default: return NULL;
    }
}

/* A number; only padding may be negative, which crops. */
static const char *read_number(const char *s, bool negative, int64_t *value)
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

static bool is_padding(const struct line *l, const int64_t *value)
{
    return value >= l->p && value < l->p + 3;
}

/* Reads one "ih56" and returns what follows, or NULL after a failure. */
static const char *read_pair(struct line *l, const char *s, struct diag *d)
{
    size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyz");
    int64_t *value = slot(l, s, n);
    if (!value) {
        diag_fail(d, CONVC_ERR_SPEC, "\"%.*s\" is no key of a benchdnn problem",
                  (int)(n ? n < 20 ? n : 20 : 1), s);
        return NULL;
    }
    bool again = is_padding(l, value) ? l->pad_given[value - l->p] : *value != ABSENT;
    if (again) {
        diag_fail(d, CONVC_ERR_SPEC, "%.*s is given twice", (int)n, s);
        return NULL;
    }
    const char *end = read_number(s + n, is_padding(l, value), value);
    if (!end)
        diag_fail(d, CONVC_ERR_SPEC, "%.*s has no number behind it that fits 64 bits", (int)n, s);
    else if (is_padding(l, value))
        l->pad_given[value - l->p] = true;
    return end;
}

/* n"name" or nname, up to the additions. */
static const char *read_name(struct line *l, const char *s)
{
    bool quoted = s[1] == '"';
    l->name = s + 1 + quoted;
    l->name_bytes = strcspn(l->name, quoted ? "\"" : ";");
    const char *end = l->name + l->name_bytes;
    return end + (quoted && *end == '"');
}

static const char *read_pairs(struct line *l, const char *s, struct diag *d)
{
    while (s && *s && *s != ';') {
        if (*s == '_')
            s++;
        else if (*s == 'n')
            s = read_name(l, s);
        else
            s = read_pair(l, s, d);
    }
    return s;
}

/* ---- defaults ------------------------------------------------------------------------------ */

static bool axis_is_given(const struct line *l, int a)
{
    return l->i[a] != ABSENT || l->o[a] != ABSENT || l->k[a] != ABSENT || l->s[a] != ABSENT ||
           l->d[a] != ABSENT || l->pad_given[a];
}

static void copy_axis(struct line *l, int to, int from)
{
    int64_t *const all[] = { l->i, l->o, l->k, l->s, l->d, l->p };
    for (size_t n = 0; n < sizeof all / sizeof all[0]; n++)
        all[n][to] = all[n][from];
    l->pad_given[to] = l->pad_given[from];
}

/* Axes that a line leaves out are as the one before them: a square, a cube. */
static int fill_axes(struct line *l)
{
    int first = 0;
    while (first < 3 && !axis_is_given(l, first))
        first++;
    for (int a = first + 1; a < 3; a++)
        if (!axis_is_given(l, a))
            copy_axis(l, a, a - 1);
    return 3 - first;
}

static int64_t either(int64_t value, int64_t fallback)
{
    return value == ABSENT ? fallback : value;
}

static enum convc_status derive_axis(const struct line *l, int a, struct convc_problem *p,
                                     struct diag *d)
{
    static const char axes[] = "dhw";
    p->in[a] = either(l->i[a], 0);
    p->kernel[a] = either(l->k[a], 0);
    p->stride[a] = either(l->s[a], 1);
    int64_t out = either(l->o[a], 1), dilation = either(l->d[a], 0);
    const int64_t limit = INT32_MAX;
    if (p->in[a] < 1 || p->in[a] > limit)
        return diag_fail(d, CONVC_ERR_SPEC, "i%c must be given, 1 to %" PRId64, axes[a], limit);
    if (p->kernel[a] < 1 || p->kernel[a] > limit)
        return diag_fail(d, CONVC_ERR_SPEC, "k%c must be given, 1 to %" PRId64, axes[a], limit);
    if (p->stride[a] < 1 || p->stride[a] > limit)
        return diag_fail(d, CONVC_ERR_SPEC, "s%c=%" PRId64 " must be 1 to %" PRId64, axes[a],
                         p->stride[a], limit);
    if (dilation >= limit)
        return diag_fail(d, CONVC_ERR_SPEC, "d%c=%" PRId64 " must be 0 to %" PRId64, axes[a],
                         dilation, limit - 1);
    if (out < 1 || out > limit)
        return diag_fail(d, CONVC_ERR_SPEC, "o%c=%" PRId64 " must be 1 to %" PRId64, axes[a], out,
                         limit);
    if (l->pad_given[a] && (l->p[a] > limit || l->p[a] < -2 * limit))
        return diag_fail(d, CONVC_ERR_SPEC, "p%c=%" PRId64 " must be %" PRId64 " to %" PRId64,
                         axes[a], l->p[a], -2 * limit, limit);

    /* What the output needs beyond the input: half of it at the beginning unless told. Without an
     * output, the padding is the same at both ends. */
    p->dilation[a] = dilation + 1;
    int64_t window = p->dilation[a] * (p->kernel[a] - 1) + 1;
    int64_t total = (out - 1) * p->stride[a] + window - p->in[a];
    if (l->o[a] == ABSENT)
        total = l->pad_given[a] ? 2 * l->p[a] : 0;
    p->pad_begin[a] = l->pad_given[a] ? l->p[a] : total > 0 ? total / 2 : 0;
    p->pad_end[a] = total - p->pad_begin[a];
    return CONVC_OK;
}

static enum convc_status derive(struct line *l, struct convc_problem *p, struct diag *d)
{
    p->spatial = fill_axes(l);
    p->groups = either(l->g, 1);
    p->n = either(l->mb, 2);
    p->ic = l->ic;
    p->oc = l->oc;
    if (l->ic == ABSENT || l->oc == ABSENT)
        return diag_fail(d, CONVC_ERR_SPEC, "%s must be given", l->ic == ABSENT ? "ic" : "oc");
    if (p->spatial == 0)
        return diag_fail(d, CONVC_ERR_SPEC, "ih and kh must be given");
    for (int a = 3 - p->spatial; a < 3; a++)
        if (derive_axis(l, a, p, d) != CONVC_OK)
            return d->status;
    for (size_t i = 0; i < l->name_bytes && i < CONVC_NAME_MAX; i++)
        p->name[i] = l->name[i];
    return CONVC_OK;
}

/* ---- additions ----------------------------------------------------------------------------- */

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
        const char *end = read_number(*s, false, &stride[i]);
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
    bool nchw = word_is(*s, "nchw"), known = nchw || word_is(*s, "nhwc");
    p->layout = nchw ? CONVC_NCHW : CONVC_NHWC;
    *s += known ? 4 : 0;
    return known;
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
    bool there = word_is(*s, flag) && skip_key(s, flag);
    *to = *to || there;
    return there;
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
    const char *end = read_number(*s + 1, false, count);
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

static enum convc_status read_additions(const char *s, struct arena *memory,
                                        struct convc_problem *p, struct diag *d)
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

/* ---- the whole ----------------------------------------------------------------------------- */

enum convc_status spec_benchdnn(const char *text, struct arena *memory, struct convc_problem *p,
                                struct diag *d)
{
    struct line l = { ABSENT, ABSENT, ABSENT, ABSENT, .name = "" };
    for (int a = 0; a < 3; a++)
        l.i[a] = l.o[a] = l.k[a] = l.s[a] = l.d[a] = ABSENT;
    problem_init(p);
    const char *rest = read_pairs(&l, text, d);
    if (rest && derive(&l, p, d) == CONVC_OK)
        read_additions(rest, memory, p, d);
    return d->status;
}

bool spec_benchdnn_looks(const char *text)
{
    struct line l;
    size_t letters = strspn(text, "abcdefghijklmnopqrstuvwxyz");
    if (!slot(&l, text, letters) || !isdigit((unsigned char)text[letters]))
        return false;
    /* `ic3 = 5` may begin a spec, and ic3.lua be one. */
    if (strcspn(text, "=./,()[") < strcspn(text, " \t\r\n;\""))
        return false;
    const char *rest = text + strcspn(text, " \t\r\n");
    rest += strspn(rest, " \t\r");
    return *rest == '\0' || *rest == '\n' || *rest == '#';
}
