/* Every spelling of padding, see specs/README.md. */
#include "gen/spec/spec_value.h"

#include <stdio.h>

__extension__ typedef __int128 wide;

/* Padding that the formulas make may be past 64 bits; problem_resolve refuses what is that large.
 */
static int64_t saturate(wide value)
{
    return value > INT64_MAX ? INT64_MAX : value < 0 ? 0 : (int64_t)value;
}

static wide window_span(const struct convc_problem *p, int a)
{
    return (wide)p->dilation[a] * ((wide)p->kernel[a] - 1) + 1;
}

/* What "same" adds to an axis in all: enough for ceil(in / stride) outputs. */
static wide same_total(const struct convc_problem *p, int a)
{
    if (p->stride[a] < 1) /* problem_resolve will say so */
        return 0;
    wide out = ((wide)p->in[a] + p->stride[a] - 1) / p->stride[a];
    wide total = (out - 1) * p->stride[a] + window_span(p, a) - p->in[a];
    return total < 0 ? 0 : total;
}

static void read_padding_name(struct fields *f)
{
    static const char *const names[] = { "valid", "same", "same_lower", "full", NULL };
    struct convc_problem *p = f->p;
    enum { VALID, SAME, SAME_LOWER, FULL } name = value_name(f, -1, f->field, names);
    for (int a = 3 - p->spatial; a < 3; a++) {
        wide begin = 0, end = 0, total = same_total(p, a);
        if (name == SAME)
            begin = total / 2, end = total - begin;
        else if (name == SAME_LOWER)
            end = total / 2, begin = total - end;
        else if (name == FULL)
            begin = end = window_span(p, a) - 1;
        p->pad_begin[a] = saturate(begin);
        p->pad_end[a] = saturate(end);
    }
}

static int64_t read_pad(struct fields *f, const char *label)
{
    int64_t pad = value_integer(f, -1, label);
    if (pad < 0)
        value_fail(f, -1, label, "must not be negative");
    return pad;
}

/* One axis: a number for both ends, or {begin, end}. */
static void read_axis_padding(struct fields *f, const char *label, int64_t *begin, int64_t *end)
{
    if (!lua_istable(f->L, -1)) {
        *begin = *end = read_pad(f, label);
        return;
    }
    if (lua_rawlen(f->L, -1) != 2)
        sandbox_fail(f->L, f->field, CONVC_ERR_SPEC, "%s has %zu values, where {begin, end} has 2",
                     label, (size_t)lua_rawlen(f->L, -1));
    int64_t *to[2] = { begin, end };
    for (int i = 0; i < 2; i++) {
        char inner[48];
        lua_rawgeti(f->L, -1, i + 1);
        snprintf(inner, sizeof inner, "%s[%d]", label, i + 1);
        *to[i] = read_pad(f, inner);
        lua_pop(f->L, 1);
    }
}

void padding_read(struct fields *f)
{
    struct convc_problem *p = f->p;
    int first = 3 - p->spatial;
    if (lua_type(f->L, -1) == LUA_TSTRING) {
        read_padding_name(f);
    } else if (lua_istable(f->L, -1)) {
        value_check_axes(f);
        for (int a = first; a < 3; a++) {
            char label[32];
            value_push(f, a - first + 1, label);
            read_axis_padding(f, label, &p->pad_begin[a], &p->pad_end[a]);
            lua_pop(f->L, 1);
        }
    } else {
        int64_t pad = read_pad(f, f->field);
        for (int a = first; a < 3; a++)
            p->pad_begin[a] = p->pad_end[a] = pad;
    }
}
