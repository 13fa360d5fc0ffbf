/* The operands of a window: x(i, j) and w(i, j). */
#include "gen/spec/spec_trace.h"

#include "gen/problem/functions.h"

#include <lauxlib.h>
#include <string.h>

/* x or w, of one trace. */
struct taps {
    int64_t trace;
    char which;
};

static const struct taps *taps_at(lua_State *L, int index, const char *who)
{
    const struct taps *t = luaL_testudata(L, index, TAPS_TYPE);
    char text[SANDBOX_VALUE_MAX];
    if (!t)
        sandbox_fail(L, NULL, CONVC_ERR_SPEC, "%s is given %s, where it takes x or w of a window",
                     who, sandbox_value(L, index, text));
    if (t->trace != sandbox_of(L)->trace)
        sandbox_fail(L, NULL, CONVC_ERR_SPEC, "%s is given a window of another function", who);
    return t;
}

/* Pushes the symbol of a tap. */
static void push_tap(lua_State *L, char which, const int64_t *at, int count)
{
    struct diag d = { 0 };
    int64_t var = expr_window_var(&sandbox_of(L)->window, which, at, count, &d);
    if (var < 0)
        sandbox_fail(L, NULL, CONVC_ERR_SPEC, "%s", d.text);
    trace_push(L, var);
}

/* x(i, j) */
static int call_taps(lua_State *L)
{
    const struct taps *t = taps_at(L, 1, "a call");
    int64_t at[3];
    int count = lua_gettop(L) - 1;
    char text[SANDBOX_VALUE_MAX];
    for (int i = 0; i < count && i < 3; i++) {
        int whole = 0;
        at[i] = lua_tointegerx(L, 2 + i, &whole);
        if (!whole || lua_type(L, 2 + i) != LUA_TNUMBER)
            sandbox_fail(L, NULL, CONVC_ERR_SPEC,
                         "coordinate %d of a tap of %c is %s, no whole number", i + 1, t->which,
                         sandbox_value(L, 2 + i, text));
    }
    push_tap(L, t->which, at, count);
    return 1;
}

/* convc.taps(x): all of them, row by row. */
static int list_taps(lua_State *L)
{
    const struct taps *t = taps_at(L, 1, "convc.taps");
    const struct expr_window *w = &sandbox_of(L)->window;
    int64_t count = expr_window_taps(w), at[3];
    lua_newtable(L);
    for (int64_t i = 0; i < count; i++) {
        expr_window_tap(w, i, at);
        sandbox_charge(L, 1);
        push_tap(L, t->which, at + 3 - w->axes, w->axes);
        lua_rawseti(L, -2, i + 1);
    }
    return 1;
}

static int refuse(lua_State *L)
{
    sandbox_fail(L, NULL, CONVC_ERR_SPEC,
                 "a window is no number: its taps are x(i, j), and convc.taps(x) lists them all");
}

static int to_text(lua_State *L)
{
    lua_pushliteral(L, "window");
    return 1;
}

static void make_metatable(lua_State *L)
{
    static const char *const refused[] = { "__add",    "__sub",  "__mul",   "__div", "__mod",
                                           "__pow",    "__idiv", "__unm",   "__lt",  "__le",
                                           "__concat", "__len",  "__index", "__eq",  "__newindex",
                                           "__band",   "__bor",  "__bnot" };
    luaL_newmetatable(L, TAPS_TYPE);
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        lua_pushcfunction(L, refuse);
        lua_setfield(L, -2, refused[i]);
    }
    lua_pushcfunction(L, call_taps);
    lua_setfield(L, -2, "__call");
    lua_pushcfunction(L, to_text);
    lua_setfield(L, -2, "__tostring");
    lua_pop(L, 1);
}

void trace_taps(lua_State *L)
{
    make_metatable(L);
    lua_pushcfunction(L, list_taps);
    lua_setfield(L, -2, "taps");
}

static void push_taps(lua_State *L, char which)
{
    struct taps *t = lua_newuserdatauv(L, sizeof *t, 0);
    *t = (struct taps){ sandbox_of(L)->trace, which };
    luaL_setmetatable(L, TAPS_TYPE);
}

void trace_window(struct fields *f)
{
    lua_State *L = f->L;
    const int64_t *kernel = f->p->kernel;
    if (!lua_isfunction(L, -1))
        value_fail(f, -1, f->field, "is no function");
    for (int a = 0; a < 3; a++) {
        if (kernel[a] < 1 || kernel[a] > WINDOW_TAPS) /* a shape that will be refused */
            sandbox_fail(L, "kernel_size", CONVC_ERR_SHAPE,
                         "kernel_size makes a window of more than %d taps", WINDOW_TAPS);
    }
    lua_pushvalue(L, -1);
    trace_begin(f);
    sandbox_of(L)->window =
        (struct expr_window){ f->p->spatial, { kernel[0], kernel[1], kernel[2] } };
    push_taps(L, 'x');
    push_taps(L, 'w');
    lua_call(L, 2, 1);
    f->p->window = trace_finish(f, NULL);
}
