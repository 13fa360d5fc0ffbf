#include "gen/spec/spec_trace.h"

#include "gen/problem/functions.h"

#include <ctype.h>
#include <lauxlib.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Instructions that making a node counts for, and tracing a function. */
enum { NODE_STEPS = 20, TRACE_STEPS = 2000, OPERANDS_MAX = 8 };

struct symbol {
    int64_t trace;
    int node;
};

/* ---- symbols ------------------------------------------------------------------------------- */

static void push_symbol(lua_State *L, int node)
{
    struct symbol *s = lua_newuserdatauv(L, sizeof *s, 0);
    *s = (struct symbol){ sandbox_of(L)->trace, node };
    luaL_setmetatable(L, SYMBOL_TYPE);
}

/* The node of the value at `index`, a number or a symbol of this trace; `who` is given it, or
 * returns it, and begins sentences. */
static int node_at(lua_State *L, int index, const char *who)
{
    struct sandbox *s = sandbox_of(L);
    char text[SANDBOX_VALUE_MAX];
    const struct symbol *symbol = luaL_testudata(L, index, SYMBOL_TYPE);
    if (symbol && symbol->trace != s->trace)
        sandbox_fail(L, NULL, CONVC_ERR_SPEC, "%s an operand of another function", who);
    if (luaL_testudata(L, index, TAPS_TYPE))
        sandbox_fail(L, NULL, CONVC_ERR_SPEC, "%s a whole window, not a tap of it", who);
    if (symbol)
        return symbol->node;
    if (lua_type(L, index) != LUA_TNUMBER)
        sandbox_fail(L, NULL, CONVC_ERR_SPEC, "%s %s, which is no number", who,
                     sandbox_value(L, index, text));
    double value = lua_tonumber(L, index);
    if (isnan(value))
        sandbox_fail(L, NULL, CONVC_ERR_SPEC, "%s nan", who);
    int node = expr_const(&s->graph, value);
    if (node < 0)
        sandbox_fail(L, NULL, CONVC_ERR_SPEC, "more than %d different operations and operands",
                     EXPR_NODES);
    return node;
}

/* Calls `name` on the values at 1 to count; leaves the result on the stack. */
static int call(lua_State *L, const char *name, int count)
{
    struct sandbox *s = sandbox_of(L);
    char who[48];
    int arg[OPERANDS_MAX];
    struct diag d = { 0 };
    snprintf(who, sizeof who, "convc.%s is given", name);
    sandbox_charge(L, NODE_STEPS);
    if (!s->traced[0])
        sandbox_fail(L, NULL, CONVC_ERR_SPEC,
                     "convc.%s works on the operands of combine, reduce, window and epilogue alone",
                     name);
    if (count > OPERANDS_MAX)
        sandbox_fail(L, NULL, CONVC_ERR_SPEC, "convc.%s takes at most %d values", name,
                     OPERANDS_MAX);
    for (int i = 0; i < count; i++)
        arg[i] = node_at(L, i + 1, who);
    int node = expr_call(&s->graph, name, arg, count, &d);
    if (node < 0)
        sandbox_fail(L, NULL, CONVC_ERR_SPEC, "%s", d.text);
    push_symbol(L, node);
    return 1;
}

/* ---- functions and operators: the name is an upvalue --------------------------------------- */

static int function(lua_State *L)
{
    return call(L, lua_tostring(L, lua_upvalueindex(1)), lua_gettop(L));
}

static int binary(lua_State *L)
{
    return call(L, lua_tostring(L, lua_upvalueindex(1)), 2);
}

static int unary(lua_State *L)
{
    return call(L, lua_tostring(L, lua_upvalueindex(1)), 1);
}

static int floor_divide(lua_State *L)
{
    call(L, "div", 2);
    lua_replace(L, 1);
    lua_settop(L, 1);
    return call(L, "floor", 1);
}

static int refuse(lua_State *L)
{
    sandbox_fail(L, NULL, CONVC_ERR_SPEC, "%s", lua_tostring(L, lua_upvalueindex(1)));
}

static int to_text(lua_State *L)
{
    lua_pushliteral(L, "symbol");
    return 1;
}

struct named {
    const char *name, *value;
};

static void add_closures(lua_State *L, const struct named *list, size_t count, lua_CFunction f)
{
    for (size_t i = 0; i < count; i++) {
        lua_pushstring(L, list[i].value);
        lua_pushcclosure(L, f, 1);
        lua_setfield(L, -2, list[i].name);
    }
}

static void make_metatable(lua_State *L)
{
    static const struct named two[] = { { "__add", "add" }, { "__sub", "sub" }, { "__mul", "mul" },
                                        { "__div", "div" }, { "__pow", "pow" }, { "__band", "and" },
                                        { "__bor", "or" } };
    static const struct named one[] = { { "__unm", "neg" }, { "__bnot", "not" } };
    static const struct named refused[] = {
        { "__lt", "Lua's < and > cannot be traced: write convc.lt(a, b) or convc.gt(a, b), and "
                  "convc.where" },
        { "__le", "Lua's <= and >= cannot be traced: write convc.le(a, b) or convc.ge(a, b), and "
                  "convc.where" },
        { "__eq", "Lua's == and ~= cannot be traced: write convc.eq(a, b) or convc.ne(a, b), and "
                  "convc.where" },
        { "__mod", "% cannot be traced: write a - convc.floor(a / b) * b" },
        { "__shl", "Lua's << cannot be traced: write a product" },
        { "__shr", "Lua's >> cannot be traced: write a quotient, and convc.floor" },
        { "__bxor", "Lua's ~ between two operands cannot be traced: write convc.ne(a, b)" },
        { "__concat", ".. makes no text of an operand" },
        { "__len", "an operand has no length" },
        { "__index", "an operand has no fields" },
        { "__newindex", "an operand has no fields" },
        { "__call", "an operand is no function" },
    };
    luaL_newmetatable(L, SYMBOL_TYPE);
    add_closures(L, two, sizeof two / sizeof *two, binary);
    add_closures(L, one, sizeof one / sizeof *one, unary);
    add_closures(L, refused, sizeof refused / sizeof *refused, refuse);
    lua_pushcfunction(L, floor_divide);
    lua_setfield(L, -2, "__idiv");
    lua_pushcfunction(L, to_text);
    lua_setfield(L, -2, "__tostring");
    /* What math.abs and its like say that they were given. */
    lua_pushliteral(L, "symbol; the functions for it are convc.abs, convc.max and so on");
    lua_setfield(L, -2, "__name");
    lua_pop(L, 1);
}

void trace_functions(lua_State *L)
{
    static const char *const names[] = { "add",  "div",     "abs",  "sqrt",  "exp",  "log",
                                         "tanh", "sigmoid", "relu", "floor", "ceil", "clamp",
                                         "pow",  "min",     "max",  "where", "lt",   "le",
                                         "gt",   "ge",      "eq",   "ne" };
    make_metatable(L);
    lua_newtable(L);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        add_closures(L, &(struct named){ names[i], names[i] }, 1, function);
    trace_taps(L);
}

/* ---- tracing ------------------------------------------------------------------------------- */

void trace_forbid(lua_State *L, const char *what)
{
    if (sandbox_of(L)->traced[0])
        sandbox_fail(L, NULL, CONVC_ERR_SPEC, "%s cannot be called in here", what);
}

void trace_begin(struct fields *f)
{
    struct sandbox *s = sandbox_of(f->L);
    sandbox_charge(f->L, TRACE_STEPS);
    expr_clear(&s->graph);
    s->window.axes = 0;
    s->trace++;
    s->call_line = sandbox_line(f->L);
    s->field = f->field;
    s->conv = read_conv;
    snprintf(s->traced, sizeof s->traced, "%s: ", f->field);
}

void trace_push(lua_State *L, int64_t var)
{
    int node = expr_var(&sandbox_of(L)->graph, var);
    if (node < 0)
        sandbox_fail(L, NULL, CONVC_ERR_SPEC, "more than %d different operations and operands",
                     EXPR_NODES);
    push_symbol(L, node);
}

const char *trace_finish(struct fields *f, const char *const *var)
{
    struct sandbox *s = sandbox_of(f->L);
    char value[SANDBOX_VALUE_MAX];
    lua_State *L = f->L;
    if (lua_type(L, -1) != LUA_TNUMBER && !luaL_testudata(L, -1, SYMBOL_TYPE))
        sandbox_fail(L, NULL, CONVC_ERR_SPEC,
                     "the function returns %s, not an expression of its operands",
                     sandbox_value(L, -1, value));
    s->graph.root = node_at(L, -1, "the function returns");
    if (expr_is_truth(&s->graph, s->graph.root))
        sandbox_fail(L, NULL, CONVC_ERR_SPEC,
                     "the function returns a comparison; convc.where makes a number of it");
    lua_pop(L, 1);
    char text[EXPR_TEXT + 1];
    struct text t = text_in(text, sizeof text);
    if (var)
        expr_print(&s->graph, var, &t);
    else
        expr_print_window(&s->graph, &s->window, &t);
    if (t.failed)
        sandbox_fail(L, NULL, CONVC_ERR_SPEC, "the function makes a text of more than %d bytes",
                     EXPR_TEXT);
    s->traced[0] = '\0';
    s->trace++; /* symbols that were kept belong to no trace any more */
    return value_keep(f, text);
}

static void check_function(struct fields *f, const char *label)
{
    if (!lua_isfunction(f->L, -1))
        value_fail(f, -1, label, "is no function");
}

/* Traces the function on top, of two operands. */
static const char *trace_pair(struct fields *f, const char *const *var)
{
    lua_pushvalue(f->L, -1);
    trace_begin(f);
    trace_push(f->L, 0);
    trace_push(f->L, 1);
    lua_call(f->L, 2, 1);
    return trace_finish(f, var);
}

void trace_combine(struct fields *f)
{
    static const char *const var[] = { "x", "w", NULL };
    check_function(f, f->field);
    f->p->combine = trace_pair(f, var);
}

static void check_reduce_fields(struct fields *f)
{
    lua_State *L = f->L;
    for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
        char value[SANDBOX_VALUE_MAX];
        const char *name = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "";
        sandbox_charge(L, 1);
        if (strcmp(name, "init") != 0 && strcmp(name, "fn") != 0)
            sandbox_fail(L, f->field, CONVC_ERR_SPEC,
                         "reduce has %s, where a table has init and fn alone",
                         sandbox_value(L, -2, value));
    }
}

void trace_reduce(struct fields *f)
{
    static const char *const names[] = { "sum", "max", "min", "prod", NULL };
    static const char *const var[] = { "acc", "t", NULL };
    lua_State *L = f->L;
    if (!lua_istable(L, -1)) {
        f->p->reduce = names[value_name(f, -1, f->field, names)];
        return;
    }
    check_reduce_fields(f);
    lua_getfield(L, -1, "init");
    if (lua_type(L, -1) != LUA_TNUMBER || isnan(lua_tonumber(L, -1)))
        value_fail(f, -1, "reduce.init", "is no number");
    f->p->reduce_init = lua_tonumber(L, -1);
    lua_pop(L, 1);
    lua_getfield(L, -1, "fn");
    check_function(f, "reduce.fn");
    f->p->reduce = trace_pair(f, var);
    lua_pop(L, 1);
}

/* ---- args and epilogue --------------------------------------------------------------------- */

static bool is_arg_name(const char *name, size_t bytes)
{
    bool good = bytes > 0 && bytes < ARG_NAME && !isdigit((unsigned char)name[0]);
    for (size_t i = 0; i < bytes; i++)
        good = good && (isalnum((unsigned char)name[i]) || name[i] == '_');
    return good && strcmp(name, "acc") != 0 && strcmp(name, "inf") != 0;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* In the order of their names: that of a table is chance. */
void trace_args(struct fields *f)
{
    static const char *const kinds[] = { "channel", "tensor", "scalar", NULL };
    const char *name[FUNCTIONS_ARGS];
    int count = 0;
    char text[FUNCTIONS_ARGS * (ARG_NAME + 16)] = "", value[SANDBOX_VALUE_MAX];
    lua_State *L = f->L;
    if (!lua_istable(L, -1))
        value_fail(f, -1, f->field, "is no table { NAME = KIND }");
    for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
        sandbox_charge(L, 1);
        bool text_key = lua_type(L, -2) == LUA_TSTRING;
        if (!text_key || !is_arg_name(lua_tostring(L, -2), lua_rawlen(L, -2)))
            sandbox_fail(L, f->field, CONVC_ERR_SPEC,
                         "args: %s is not 1 to %d of A-Z a-z 0-9 _, beginning with a letter, other "
                         "than acc and inf",
                         sandbox_value(L, -2, value), ARG_NAME - 1);
        if (count == FUNCTIONS_ARGS)
            sandbox_fail(L, f->field, CONVC_ERR_SPEC, "args has more than %d", FUNCTIONS_ARGS);
        name[count++] = lua_tostring(L, -2); /* in the table, and so alive */
    }
    qsort(name, (size_t)count, sizeof *name, by_name);
    for (int i = 0; i < count; i++) {
        char label[ARG_NAME + 8];
        lua_getfield(L, -1, name[i]);
        snprintf(label, sizeof label, "args.%s", name[i]);
        const char *kind = kinds[value_name(f, -1, label, kinds)];
        size_t used = strlen(text);
        snprintf(text + used, sizeof text - used, "%s%s:%s", i ? "," : "", name[i], kind);
        lua_pop(L, 1);
    }
    f->p->args = count ? value_keep(f, text) : NULL;
}

static int unknown_arg(lua_State *L)
{
    char value[SANDBOX_VALUE_MAX];
    sandbox_fail(L, NULL, CONVC_ERR_SPEC, "%s is none of the args", sandbox_value(L, 2, value));
}

/* Pushes the table of args, and tells their names behind that of the accumulator. */
static void push_args(struct fields *f, char names[FUNCTIONS_ARGS][ARG_NAME],
                      const char *var[FUNCTIONS_ARGS + 2])
{
    lua_State *L = f->L;
    int count = 0;
    lua_newtable(L);
    for (const char *at = f->p->args; at && *at && count < FUNCTIONS_ARGS; count++) {
        snprintf(names[count], ARG_NAME, "%.*s", (int)strcspn(at, ":"), at);
        trace_push(f->L, 1 + count);
        lua_setfield(L, -2, names[count]);
        var[1 + count] = names[count];
        at += strcspn(at, ",");
        at += *at == ',';
    }
    var[0] = "acc";
    var[1 + count] = NULL;
    lua_newtable(L);
    lua_pushcfunction(L, unknown_arg);
    lua_setfield(L, -2, "__index");
    lua_setmetatable(L, -2);
}

void trace_epilogue(struct fields *f)
{
    char names[FUNCTIONS_ARGS][ARG_NAME];
    const char *var[FUNCTIONS_ARGS + 2];
    check_function(f, f->field);
    lua_pushvalue(f->L, -1);
    trace_begin(f);
    trace_push(f->L, 0);
    push_args(f, names, var);
    lua_call(f->L, 2, 1);
    f->p->epilogue = trace_finish(f, var);
}
