/* benchdnn's notation for a convolution, as in
 *
 *     g32mb2ic128ih56oc128oh56kh3sh1dh0ph1n"res3a"
 *
 * and what convc adds behind it: ;mode=reflect;act=clamp,0,6;layout=nchw ...
 * See "benchdnn" in specs/README.md.
 */
#include "gen/spec/spec.h"
#include "gen/spec/spec_additions.h"

#include <ctype.h>
#include <inttypes.h>
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
    const char *end = additions_number(s + n, is_padding(l, value), value);
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
        spec_additions(rest, memory, p, d);
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
