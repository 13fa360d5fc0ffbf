#include "gen/spec/spec_value.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

_Noreturn void value_fail(struct fields *f, int index, const char *label, const char *rule)
{
    char value[SANDBOX_VALUE_MAX];
    sandbox_fail(f->L, f->field, CONVC_ERR_SPEC, "%s=%s %s", label,
                 sandbox_value(f->L, index, value), rule);
}

int64_t value_integer(struct fields *f, int index, const char *label)
{
    int is_integer = 0;
    int64_t value = 0;
    if (lua_type(f->L, index) == LUA_TNUMBER)
        value = lua_tointegerx(f->L, index, &is_integer);
    if (!is_integer)
        value_fail(f, index, label, "is no integer");
    return value;
}

double value_number(struct fields *f, int index, const char *label)
{
    if (lua_type(f->L, index) != LUA_TNUMBER)
        value_fail(f, index, label, "is no number");
    double value = lua_tonumber(f->L, index);
    if (!isfinite(value))
        value_fail(f, index, label, "is not finite");
    return value;
}

int value_name(struct fields *f, int index, const char *label, const char *const names[])
{
    if (lua_type(f->L, index) == LUA_TSTRING)
        for (int i = 0; names[i]; i++)
            if (strcmp(lua_tostring(f->L, index), names[i]) == 0 &&
                strlen(names[i]) == lua_rawlen(f->L, index))
                return i;

    char rule[160] = "is none of ";
    for (int i = 0; names[i]; i++) {
        size_t n = strlen(rule);
        snprintf(rule + n, sizeof rule - n, "%s%s", i ? ", " : "", names[i]);
    }
    value_fail(f, index, label, rule);
}

void value_push(struct fields *f, int64_t i, char label[32])
{
    lua_rawgeti(f->L, -1, i);
    snprintf(label, 32, "%s[%" PRId64 "]", f->field, i);
}

void value_check_axes(struct fields *f)
{
    int64_t count = (int64_t)lua_rawlen(f->L, -1);
    if (count != f->p->spatial)
        sandbox_fail(f->L, f->field, CONVC_ERR_SPEC,
                     "%s has %" PRId64 " values, where input has %" PRId32 " spatial axes",
                     f->field, count, f->p->spatial);
}

void value_axes(struct fields *f, int64_t to[3])
{
    int first = 3 - f->p->spatial;
    bool each = lua_istable(f->L, -1);
    if (each)
        value_check_axes(f);
    for (int a = first; a < 3; a++) {
        char label[32];
        if (each) {
            value_push(f, a - first + 1, label);
            to[a] = value_integer(f, -1, label);
            lua_pop(f->L, 1);
        } else {
            to[a] = value_integer(f, -1, f->field);
        }
    }
}

const char *value_keep(struct fields *f, const char *text)
{
    const char *kept = lua_pushstring(f->L, text);
    lua_rawseti(f->L, f->texts, (lua_Integer)lua_rawlen(f->L, f->texts) + 1);
    return kept;
}

int32_t value_bool(struct fields *f)
{
    if (!lua_isboolean(f->L, -1))
        value_fail(f, -1, f->field, "is neither true nor false");
    return lua_toboolean(f->L, -1);
}
