/* Constant weights: how they are nested, and what follows from it.
 *
 *     as many levels as spatial axes        the same kernel for every channel
 *     { list = { k1, k2 } }, each like that several filters over each channel
 *     two levels more                       [out channel][channel in group][kernel]
 */
#include "gen/spec/spec_read.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

enum { LEVELS_MAX = 5, COUNT_MAX = 1 << 22 };

static const char field[] = "weights";

static _Noreturn void fail(lua_State *L, const char *sentence)
{
    sandbox_fail(L, field, CONVC_ERR_SPEC, "%s", sentence);
}

/* Follows the first elements of the table at `index` down to a number. */
static void measure_levels(lua_State *L, int index, struct read_weights *w)
{
    lua_pushvalue(L, index);
    for (w->levels = 0; lua_istable(L, -1); w->levels++) {
        if (w->levels == LEVELS_MAX)
            fail(L, "weights is nested more than 5 deep");
        w->extent[w->levels] = (int64_t)lua_rawlen(L, -1);
        if (w->extent[w->levels] == 0)
            fail(L, "weights has an empty list in it");
        lua_rawgeti(L, -1, 1);
        lua_replace(L, -2);
    }
    lua_pop(L, 1);
}

static void count_values(lua_State *L, const struct convc_problem *p, struct read_weights *w)
{
    w->count = 1;
    for (int i = 0; i < w->levels; i++)
        if (__builtin_mul_overflow(w->count, w->extent[i], &w->count))
            w->count = INT64_MAX;
    if (w->levels == p->spatial && __builtin_mul_overflow(w->count, p->oc, &w->count))
        w->count = INT64_MAX;
    if (w->count > COUNT_MAX)
        sandbox_fail(L, field, CONVC_ERR_SPEC, "weights makes more than %d values", COUNT_MAX);
}

static void infer_full(lua_State *L, struct convc_problem *p, const struct read_weights *w)
{
    int64_t icg = w->extent[1];
    if (p->ic % icg != 0)
        sandbox_fail(L, field, CONVC_ERR_SHAPE,
                     "weights has %" PRId64 " channels in a group, which do not divide "
                     "in_channels=%" PRId64,
                     icg, p->ic);
    p->oc = w->extent[0];
    p->groups = p->ic / icg;
}

static void infer_depthwise(struct convc_problem *p, const struct read_weights *w)
{
    int64_t filters = w->filters ? w->filters : 1;
    p->groups = p->ic;
    if (__builtin_mul_overflow(p->ic, filters, &p->oc))
        p->oc = INT64_MAX;
}

void read_weights_measure(lua_State *L, int index, struct convc_problem *p, struct read_weights *w)
{
    char value[SANDBOX_VALUE_MAX];
    if (p->ic < 1)
        sandbox_fail(L, "input", CONVC_ERR_SHAPE, "in_channels=%" PRId64 " must be at least 1",
                     p->ic);
    if (!lua_istable(L, index))
        sandbox_fail(L, field, CONVC_ERR_SPEC, "weights=%s is no list of numbers",
                     sandbox_value(L, index, value));
    if (lua_getfield(L, index, "list") == LUA_TTABLE) {
        w->filters = (int64_t)lua_rawlen(L, -1);
        if (w->filters == 0)
            fail(L, "weights.list is empty");
        if (lua_rawlen(L, index) > 0)
            fail(L, "weights has values beside its list");
        lua_rawgeti(L, -1, 1);
        measure_levels(L, lua_gettop(L), w);
        lua_pop(L, 1);
    } else if (lua_isnil(L, -1)) {
        measure_levels(L, index, w);
    } else {
        sandbox_fail(L, field, CONVC_ERR_SPEC, "weights.list=%s is no list of kernels",
                     sandbox_value(L, -1, value));
    }
    lua_pop(L, 1);

    bool full = w->levels == p->spatial + 2 && !w->filters;
    if (w->levels != p->spatial && !full)
        sandbox_fail(L, field, CONVC_ERR_SPEC,
                     "weights%s is nested %d deep, where input has %" PRId32 " spatial axes",
                     w->filters ? ".list" : "", w->levels, p->spatial);
    if (full)
        infer_full(L, p, w);
    else
        infer_depthwise(p, w);
    for (int a = 0; a < p->spatial; a++)
        p->kernel[3 - p->spatial + a] = w->extent[w->levels - p->spatial + a];
    count_values(L, p, w);
}

/* Reads the table on top, of extent[level] and deeper, in order. */
static double *copy_level(lua_State *L, const struct read_weights *w, int level, double *to)
{
    char value[SANDBOX_VALUE_MAX];
    if (level == w->levels) {
        if (lua_type(L, -1) != LUA_TNUMBER || !isfinite(lua_tonumber(L, -1)))
            sandbox_fail(L, field, CONVC_ERR_SPEC,
                         "weights has %s in it, which is no finite number",
                         sandbox_value(L, -1, value));
        *to = lua_tonumber(L, -1);
        return to + 1;
    }
    int64_t count = lua_istable(L, -1) ? (int64_t)lua_rawlen(L, -1) : 0;
    if (count != w->extent[level])
        sandbox_fail(L, field, CONVC_ERR_SPEC,
                     "weights has a list of %" PRId64 " values beside one of %" PRId64, count,
                     w->extent[level]);
    sandbox_charge(L, count);
    for (int64_t i = 1; i <= count; i++) {
        lua_rawgeti(L, -1, i);
        to = copy_level(L, w, level + 1, to);
        lua_pop(L, 1);
    }
    return to;
}

/* Filter f of channel c makes output channel c * filters + f. */
static void copy_depthwise(lua_State *L, const struct convc_problem *p,
                           const struct read_weights *w, double *out)
{
    int64_t filters = w->filters ? w->filters : 1;
    int64_t taps = p->kernel[0] * p->kernel[1] * p->kernel[2];
    for (int64_t f = 0; f < filters; f++) {
        if (w->filters)
            lua_rawgeti(L, -1, f + 1);
        copy_level(L, w, 0, out + f * taps);
        if (w->filters)
            lua_pop(L, 1);
    }
    for (int64_t c = 1; c < p->ic; c++)
        memcpy(out + c * filters * taps, out, (size_t)(filters * taps) * sizeof *out);
}

void read_weights_copy(lua_State *L, int index, const struct convc_problem *p,
                       const struct read_weights *w, double *out)
{
    lua_pushvalue(L, index);
    if (w->filters) {
        lua_getfield(L, -1, "list");
        lua_replace(L, -2);
    }
    if (w->levels == p->spatial)
        copy_depthwise(L, p, w, out);
    else
        copy_level(L, w, 0, out);
    lua_pop(L, 1);
}
