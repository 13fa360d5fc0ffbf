#include "gen/spec/spec_env.h"

#include "gen/spec/spec_file.h"
#include "gen/spec/spec_trace.h"

#include <lauxlib.h>
#include <lualib.h>
#include <stdio.h>
#include <string.h>

/* Keys of the registry. */
static const char environment[] = "convc.environment";
static const char modules[] = "convc.modules";

static const char filters[] = {
#include "gen/spec/filters.inc"
};
static const char lists[] = {
#include "gen/spec/lists.inc"
};
static const char prelude[] = {
#include "gen/spec/prelude.inc"
};

/* ---- convc.param --------------------------------------------------------------------------- */

/* Notes that the spec has a parameter, once, and as long as there is room. */
static void remember_param(struct sandbox *s, const char *name)
{
    size_t n = strlen(name), used = strlen(s->params);
    for (const char *p = s->params; (p = strstr(p, name)); p += n)
        if ((p == s->params || p[-1] == ' ') && (p[n] == '\0' || p[n] == ','))
            return;
    if (used + n + 3 < sizeof s->params)
        snprintf(s->params + used, sizeof s->params - used, "%s%s", used ? ", " : "", name);
}

/* The value that the last define of `name` gives, or NULL. */
static const char *defined(struct sandbox *s, const char *name)
{
    const char *value = NULL;
    size_t n = strlen(name);
    for (size_t i = 0; i < s->source->define_count; i++) {
        const char *define = s->source->defines[i];
        if (strncmp(define, name, n) == 0 && define[n] == '=') {
            s->asked[i] = true;
            value = define + n + 1;
        }
    }
    return value;
}

/* convc.param(name, default) */
static int param(lua_State *L)
{
    struct sandbox *s = sandbox_of(L);
    char text[SANDBOX_VALUE_MAX];
    lua_settop(L, 2);
    if (lua_type(L, 1) != LUA_TSTRING || lua_rawlen(L, 1) == 0)
        sandbox_fail(L, NULL, CONVC_ERR_SPEC, "convc.param(%s): a parameter's name is a string",
                     sandbox_value(L, 1, text));
    const char *name = lua_tostring(L, 1);
    if (lua_type(L, 2) > LUA_TSTRING)
        sandbox_fail(L, NULL, CONVC_ERR_SPEC,
                     "convc.param: the default of %s, %s, is neither a number nor a string", name,
                     sandbox_value(L, 2, text));
    sandbox_charge(L, (int64_t)s->source->define_count);
    remember_param(s, name);

    const char *value = defined(s, name);
    if (!value && lua_isnil(L, 2))
        sandbox_fail(L, NULL, CONVC_ERR_SPEC,
                     "parameter %s has no default: set it with -D %s=VALUE", name, name);
    if (value && lua_stringtonumber(L, value) == 0)
        lua_pushstring(L, value);
    return 1;
}

/* ---- require ------------------------------------------------------------------------------- */

static void check_module_name(lua_State *L)
{
    char text[SANDBOX_VALUE_MAX];
    size_t bytes;
    const char *name = lua_type(L, 1) == LUA_TSTRING ? lua_tolstring(L, 1, &bytes) : NULL;
    bool right =
        name && bytes > 0 && bytes <= 64 && name[0] != '/' &&
        strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_/") == bytes;
    if (!right)
        sandbox_fail(L, NULL, CONVC_ERR_SPEC,
                     "require(%s): a module of specs/lib is named by letters, digits, _ and /",
                     sandbox_value(L, 1, text));
}

/* Pushes the chunk of a module. */
static void load_module(lua_State *L, const char *name)
{
    struct sandbox *s = sandbox_of(L);
    char path[1024], *text;
    size_t bytes;
    struct diag d = { 0 };
    if (!file_of_module(s->source, name, path, sizeof path))
        sandbox_fail(L, NULL, CONVC_ERR_SPEC, "require(\"%s\"): specs/lib has no %s.lua", name,
                     name);
    if (file_read(s->memory, path, path, &text, &bytes, &d) != CONVC_OK ||
        file_note(s->memory, path, s->files, &d) != CONVC_OK)
        sandbox_fail(L, NULL, d.status, "require(\"%s\"): %s", name, d.text);
    sandbox_load(L, text, bytes, lua_pushfstring(L, "@%s", path));
}

/* require(name): the value of the module, which is run once. */
static int require(lua_State *L)
{
    lua_settop(L, 1);
    check_module_name(L);
    const char *name = lua_tostring(L, 1);
    lua_getfield(L, LUA_REGISTRYINDEX, modules);
    lua_pushvalue(L, 1);
    if (lua_rawget(L, 2) != LUA_TNIL) {
        if (lua_islightuserdata(L, -1))
            sandbox_fail(L, NULL, CONVC_ERR_SPEC, "require(\"%s\"): the module requires itself",
                         name);
        return 1;
    }
    lua_pushlightuserdata(L, L); /* under way */
    lua_setfield(L, 2, name);
    load_module(L, name);
    env_give(L);
    lua_call(L, 0, 1);
    if (lua_isnil(L, -1)) {
        lua_pop(L, 1);
        lua_pushboolean(L, 1);
    }
    lua_pushvalue(L, -1);
    lua_setfield(L, 2, name);
    return 1;
}

/* ---- the environment ----------------------------------------------------------------------- */

void env_give(lua_State *L)
{
    lua_getfield(L, LUA_REGISTRYINDEX, environment);
    lua_setupvalue(L, -2, 1);
}

/* Strings have no methods and no arithmetic. */
static void strip_strings(lua_State *L)
{
    lua_pushliteral(L, "");
    lua_pushnil(L);
    lua_setmetatable(L, -2);
    lua_pop(L, 1);
}

void env_open(lua_State *L)
{
    /* The whole of these is for the prelude's eyes only. */
    luaL_requiref(L, "_G", luaopen_base, 0);
    luaL_requiref(L, "math", luaopen_math, 1);
    luaL_requiref(L, "string", luaopen_string, 1);
    lua_settop(L, 0);
    strip_strings(L);
    lua_newtable(L);
    lua_setfield(L, LUA_REGISTRYINDEX, modules);

    sandbox_load(L, prelude, sizeof prelude, PRELUDE_CHUNK);
    lua_pushcfunction(L, read_conv);
    lua_pushcfunction(L, param);
    lua_pushcfunction(L, require);
    sandbox_load(L, filters, sizeof filters, PRELUDE_CHUNK);
    lua_call(L, 0, 1);
    trace_functions(L);
    sandbox_load(L, lists, sizeof lists, PRELUDE_CHUNK);
    lua_pushvalue(L, -2);
    lua_call(L, 1, 1);
    lua_call(L, 6, 1);
    lua_setfield(L, LUA_REGISTRYINDEX, environment);
}
