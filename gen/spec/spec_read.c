#include "gen/spec/spec_read.h"

#include "gen/spec/spec_trace.h"

#include <inttypes.h>
#include <lauxlib.h>
#include <stdio.h>
#include <string.h>

static const char conv_type[] = "convolution";

/* The table of texts lies on the stack above that of the fields. */
enum { TEXTS = 2 };

/* ---- the other fields ---------------------------------------------------------------------- */

static bool is_name(const char *s, size_t bytes)
{
    return bytes >= 1 && bytes <= CONVC_NAME_MAX && s[0] != '.' &&
           strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.:-") == bytes;
}

static void read_own_name(struct fields *f)
{
    size_t bytes = 0;
    const char *name = lua_type(f->L, -1) == LUA_TSTRING ? lua_tolstring(f->L, -1, &bytes) : NULL;
    if (!name || !is_name(name, bytes))
        value_fail(f, -1, f->field,
                   "is not 1 to 64 of A-Z a-z 0-9 _ . : - with no . at its beginning");
    memcpy(f->p->name, name, bytes + 1);
}

static bool is_given(lua_State *L, const char *field)
{
    bool given = lua_getfield(L, 1, field) != LUA_TNIL;
    lua_pop(L, 1);
    return given;
}

/* A window is one channel's, so that there are as many outputs. */
static void read_input(struct fields *f)
{
    struct convc_problem *p = f->p;
    int64_t value[5];
    if (!lua_istable(f->L, -1))
        value_fail(f, -1, f->field, "is no list {N, C, spatial...}");
    int64_t count = (int64_t)lua_rawlen(f->L, -1);
    if (count < 3 || count > 5)
        sandbox_fail(f->L, f->field, CONVC_ERR_SPEC,
                     "input has %" PRId64 " values, where {N, C, spatial...} has 3 to 5", count);
    for (int64_t i = 0; i < count; i++) {
        char label[32];
        value_push(f, i + 1, label);
        value[i] = value_integer(f, -1, label);
        lua_pop(f->L, 1);
    }
    p->spatial = (int32_t)count - 2;
    p->n = value[0];
    p->ic = value[1];
    for (int a = 0; a < p->spatial; a++)
        p->in[3 - p->spatial + a] = value[2 + a];
    if (is_given(f->L, "window"))
        p->oc = p->groups = p->ic;
}

static void read_out_channels(struct fields *f)
{
    f->p->oc = value_integer(f, -1, f->field);
}

static void read_kernel_size(struct fields *f)
{
    value_axes(f, f->p->kernel);
}

static void read_stride(struct fields *f)
{
    value_axes(f, f->p->stride);
}

static void read_dilation(struct fields *f)
{
    value_axes(f, f->p->dilation);
}

static void read_groups(struct fields *f)
{
    f->p->groups = value_integer(f, -1, f->field);
}

static void read_padding_mode(struct fields *f)
{
    static const char *const names[] = { "zeros",     "constant", "reflect",  "symmetric",
                                         "replicate", "circular", "identity", NULL };
    f->p->padding_mode = (enum convc_padding_mode)value_name(f, -1, f->field, names);
}

static void read_padding_value(struct fields *f)
{
    f->p->padding_value = value_number(f, -1, f->field);
}

static void read_flip(struct fields *f)
{
    f->p->flip = value_bool(f);
}

static void read_bias(struct fields *f)
{
    f->p->bias = value_bool(f);
}

static void read_residual(struct fields *f)
{
    f->p->residual = value_bool(f);
}

/* "relu", or a table with the name and its arguments. */
static void read_activation(struct fields *f)
{
    /* In the order of enum convc_activation, which begins with none. */
    static const char *const names[] = { "relu", "clamp", "leaky_relu", "sigmoid", "tanh",
                                         "silu", "gelu",  "hardswish",  NULL };
    static const int arguments[] = { 0, 2, 1, 0, 0, 0, 0, 0 };
    lua_State *L = f->L;
    bool table = lua_istable(L, -1);
    int64_t given = table ? (int64_t)lua_rawlen(L, -1) - 1 : 0;
    if (table)
        lua_rawgeti(L, -1, 1);
    else
        lua_pushvalue(L, -1);
    int name = value_name(f, -1, table ? "activation[1]" : f->field, names);
    lua_pop(L, 1);
    if (given != arguments[name])
        sandbox_fail(L, f->field, CONVC_ERR_SPEC,
                     "activation \"%s\" has %" PRId64 " arguments, where it takes %d", names[name],
                     given, arguments[name]);
    f->p->activation = (enum convc_activation)(name + 1);
    for (int i = 0; i < arguments[name]; i++) {
        char label[32];
        value_push(f, i + 2, label);
        f->p->activation_args[i] = value_number(f, -1, label);
        lua_pop(L, 1);
    }
}

static void read_layout(struct fields *f)
{
    static const char *const names[] = { "nhwc", "nchw", NULL };
    f->p->layout = (enum convc_layout)value_name(f, -1, f->field, names);
}

/* In the order of enum convc_dtype. */
static enum convc_dtype dtype_at(struct fields *f, const char *label)
{
    static const char *const names[] = { "f32", "f64", "u8", "s16", "u16", NULL };
    return (enum convc_dtype)value_name(f, -1, label, names);
}

static void check_dtype_keys(struct fields *f, const char *const keys[3])
{
    int known = 0, all = 0;
    for (lua_pushnil(f->L); lua_next(f->L, -2); lua_pop(f->L, 1)) {
        sandbox_charge(f->L, 1);
        all++;
    }
    for (int i = 0; i < 3; i++) {
        known += lua_getfield(f->L, -1, keys[i]) != LUA_TNIL;
        lua_pop(f->L, 1);
    }
    if (known != all)
        sandbox_fail(f->L, f->field, CONVC_ERR_SPEC,
                     "dtype has other fields than src, dst and acc, each the name of a type");
}

/* One name for all, or a table of what differs from acc, and acc from f32. */
static void read_dtype(struct fields *f)
{
    struct convc_problem *p = f->p;
    if (!lua_istable(f->L, -1)) {
        dtype_everywhere(p, dtype_at(f, f->field));
        return;
    }
    static const char *const keys[] = { "acc", "src", "dst" };
    enum convc_dtype *const to[] = { &p->acc_dtype, &p->src_dtype, &p->dst_dtype };
    check_dtype_keys(f, keys);
    for (int i = 0; i < 3; i++) {
        char label[32];
        snprintf(label, sizeof label, "dtype.%s", keys[i]);
        *to[i] = lua_getfield(f->L, -1, keys[i]) == LUA_TNIL ? p->acc_dtype : dtype_at(f, label);
        lua_pop(f->L, 1);
    }
    p->wei_dtype = p->acc_dtype;
}

static void read_tolerance(struct fields *f)
{
    f->p->tolerance = value_number(f, -1, f->field);
    if (f->p->tolerance < 0)
        value_fail(f, -1, f->field, "must not be negative");
}

static void read_weights(struct fields *f)
{
    read_weights_measure(f->L, lua_gettop(f->L), f->p, f->w);
    *f->made = *f->p;
}

/* In the order in which they are read: what a field needs to know stands before it. */
static const struct {
    const char *name;
    void (*read)(struct fields *f);
} known[] = {
    { "name", read_own_name },
    { "input", read_input },
    { "weights", read_weights },
    { "out_channels", read_out_channels },
    { "kernel_size", read_kernel_size },
    { "groups", read_groups },
    { "stride", read_stride },
    { "dilation", read_dilation },
    { "padding", padding_read },
    { "padding_mode", read_padding_mode },
    { "padding_value", read_padding_value },
    { "flip", read_flip },
    { "bias", read_bias },
    { "residual", read_residual },
    { "activation", read_activation },
    { "layout", read_layout },
    { "dtype", read_dtype },
    { "tolerance", read_tolerance },
    { "combine", trace_combine },
    { "reduce", trace_reduce },
    { "window", trace_window },
    { "args", trace_args },
    { "epilogue", trace_epilogue },
};
enum { KNOWN = sizeof known / sizeof known[0] };

/* ---- the whole ----------------------------------------------------------------------------- */

static bool is_known(const char *name)
{
    for (int i = 0; i < KNOWN; i++)
        if (strcmp(known[i].name, name) == 0)
            return true;
    return false;
}

/* Refuses fields that nobody reads; of several, the first by the alphabet. */
static void check_known(lua_State *L)
{
    char value[SANDBOX_VALUE_MAX];
    const char *unknown = NULL;
    for (lua_pushnil(L); lua_next(L, 1); lua_pop(L, 1)) {
        sandbox_charge(L, 1);
        if (lua_type(L, -2) != LUA_TSTRING)
            sandbox_fail(L, NULL, CONVC_ERR_SPEC, "the value %s stands in no field",
                         sandbox_value(L, -1, value));
        const char *name = lua_tostring(L, -2); /* in the table, and so alive */
        bool whole = strlen(name) == lua_rawlen(L, -2);
        if (!(whole && is_known(name)) && (!unknown || strcmp(name, unknown) < 0))
            unknown = name;
    }
    if (unknown)
        sandbox_fail(L, unknown, CONVC_ERR_SPEC, "%s is no field of a convolution", unknown);
}

static void check_given(lua_State *L, const char *field)
{
    if (!is_given(L, field))
        sandbox_fail(L, NULL, CONVC_ERR_SPEC, "%s is missing", field);
}

/* What weights say of out_channels, kernel_size and groups must not be contradicted. */
static void check_agreement(lua_State *L, const struct convc_problem *p,
                            const struct convc_problem *made)
{
    if (p->oc != made->oc)
        sandbox_fail(L, "out_channels", CONVC_ERR_SHAPE,
                     "out_channels=%" PRId64 " where the weights make %" PRId64, p->oc, made->oc);
    if (p->groups != made->groups)
        sandbox_fail(L, "groups", CONVC_ERR_SHAPE,
                     "groups=%" PRId64 " where the weights make %" PRId64, p->groups, made->groups);
    for (int a = 0; a < 3; a++)
        if (p->kernel[a] != made->kernel[a])
            sandbox_fail(L, "kernel_size", CONVC_ERR_SHAPE,
                         "kernel_size=%" PRId64 " where the weights make %" PRId64, p->kernel[a],
                         made->kernel[a]);
}

static void read_fields(lua_State *L, struct convc_problem *p, struct read_weights *w)
{
    struct convc_problem made;
    bool constant = is_given(L, "weights");
    check_known(L);
    check_given(L, "input");
    if (!constant && !is_given(L, "window"))
        check_given(L, "out_channels");
    if (!constant)
        check_given(L, "kernel_size");
    for (int i = 0; i < KNOWN; i++) {
        struct fields f = { L, known[i].name, p, w, &made, TEXTS };
        if (lua_getfield(L, 1, known[i].name) != LUA_TNIL)
            known[i].read(&f);
        lua_pop(L, 1);
    }
    if (constant)
        check_agreement(L, p, &made);
}

/* The field that a sentence of problem_resolve begins with; NULL where it is none. */
static const char *field_of(const char *sentence)
{
    static const char *const other[][2] = { { "batch", "input" },     { "in_channels", "input" },
                                            { "output", "input" },    { "src", "input" },
                                            { "dst", "input" },       { "src_dtype", "dtype" },
                                            { "dst_dtype", "dtype" }, { "acc_dtype", "dtype" } };
    size_t n = strcspn(sentence, "=: ");
    for (size_t i = 0; i < sizeof other / sizeof other[0]; i++)
        if (strlen(other[i][0]) == n && strncmp(sentence, other[i][0], n) == 0)
            return other[i][1];
    for (int i = 0; i < KNOWN; i++)
        if (strlen(known[i].name) == n && strncmp(sentence, known[i].name, n) == 0)
            return known[i].name;
    return NULL;
}

static void check_problem(lua_State *L, const struct convc_problem *p, bool weights)
{
    struct problem resolved;
    struct diag d = { 0 };
    if (problem_resolve(p, &resolved, &d) != CONVC_OK)
        sandbox_fail(L, field_of(d.text), d.status, "%s", d.text);
    if (weights && !resolved.f.weighted)
        sandbox_fail(L, "weights", CONVC_ERR_SPEC, "weights are given, but the window reads no w");
}

/* Few weights are constants of the problem; more of them are data that come with it. */
static void take_constants(lua_State *L, struct sandbox_conv *c)
{
    c->problem.weights = c->weights;
    if (constants_fit(&c->problem))
        check_problem(L, &c->problem, false);
    else
        c->problem.weights = NULL;
}

int read_conv(lua_State *L)
{
    char value[SANDBOX_VALUE_MAX];
    if (lua_gettop(L) != 1 || !lua_istable(L, 1)) {
        lua_settop(L, 1);
        sandbox_fail(L, NULL, CONVC_ERR_SPEC, "convc.conv(%s) takes one table of fields",
                     sandbox_value(L, 1, value));
    }
    struct convc_problem p;
    struct read_weights w = { 0 };
    trace_forbid(L, "convc.conv");
    problem_init(&p);
    lua_newtable(L); /* at TEXTS */
    read_fields(L, &p, &w);
    check_problem(L, &p, w.count > 0);

    size_t bytes = (size_t)w.count * sizeof(double);
    struct sandbox_conv *c = lua_newuserdatauv(L, sizeof *c + bytes, 1);
    lua_pushvalue(L, TEXTS);
    lua_setiuservalue(L, -2, 1);
    *c = (struct sandbox_conv){ .problem = p, .line = sandbox_line(L) };
    c->weight_count = (size_t)w.count;
    if (w.count > 0) {
        lua_getfield(L, 1, "weights");
        read_weights_copy(L, lua_gettop(L), &p, &w, c->weights);
        lua_pop(L, 1);
        take_constants(L, c);
    }
    luaL_newmetatable(L, conv_type);
    lua_setmetatable(L, -2);
    return 1;
}

struct sandbox_conv *read_conv_at(lua_State *L, int index)
{
    return luaL_testudata(L, index, conv_type);
}
