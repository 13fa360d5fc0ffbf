#include "gen/spec/spec.h"

#include "gen/spec/spec_file.h"
#include "gen/spec/spec_names.h"
#include "gen/spec/spec_read.h"

#include <lauxlib.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* ---- what a spec returned ------------------------------------------------------------------ */

/* Where a name is missing, it is that of the file, with the index of the convolution in its list.
 * The names taken so far are the keys of the table on top. */
static void name_conv(lua_State *L, struct sandbox_conv *c, size_t index)
{
    char stem[CONVC_NAME_MAX - 15], *name = c->problem.name;
    file_stem(sandbox_of(L)->file, stem, sizeof stem);
    snprintf(name, CONVC_NAME_MAX + 1, index ? "%s_%zu" : "%s", stem, index);
    for (int again = 2; lua_getfield(L, -1, name) != LUA_TNIL; again++) {
        lua_pop(L, 1);
        snprintf(name, CONVC_NAME_MAX + 1, "%s_%zu_%d", stem, index, again);
    }
    lua_pop(L, 1);
}

static void take_name(lua_State *L, const struct sandbox_conv *c)
{
    const char *name = c->problem.name;
    if (lua_getfield(L, -1, name) != LUA_TNIL)
        sandbox_fail_at(L, c, "name", CONVC_ERR_SPEC,
                        "name=\"%s\" is the name of convolution %d already", name,
                        (int)lua_tointeger(L, -1));
    lua_pop(L, 1);
    lua_pushinteger(L, (lua_Integer)c->index);
    lua_setfield(L, -2, name);
}

/* Gives every convolution a name of its own. */
static void name_all(lua_State *L, struct sandbox *s, bool in_list)
{
    lua_newtable(L);
    for (size_t i = 0; i < s->count; i++)
        if (s->list[i]->problem.name[0])
            take_name(L, s->list[i]);
    for (size_t i = 0; i < s->count; i++) {
        if (!s->list[i]->problem.name[0]) {
            name_conv(L, s->list[i], in_list ? i + 1 : 0);
            take_name(L, s->list[i]);
        }
    }
    lua_pop(L, 1);
}

static struct sandbox_conv *list_element(lua_State *L, size_t i)
{
    char value[SANDBOX_VALUE_MAX];
    lua_rawgeti(L, 1, (lua_Integer)i);
    struct sandbox_conv *c = read_conv_at(L, -1);
    if (!c)
        sandbox_fail_at(L, NULL, NULL, CONVC_ERR_SPEC,
                        "value %zu of the list, %s, is no convolution", i,
                        sandbox_value(L, -1, value));
    if (c->index)
        sandbox_fail_at(L, NULL, NULL, CONVC_ERR_SPEC,
                        "value %zu of the list is convolution %zu once more", i, c->index);
    lua_pop(L, 1);
    return c;
}

/* Refuses a table that is more than a list. */
static void check_list(lua_State *L, size_t count)
{
    size_t keys = 0;
    for (lua_pushnil(L); lua_next(L, 1); lua_pop(L, 1))
        keys++;
    if (keys == 0)
        sandbox_fail_at(L, NULL, NULL, CONVC_ERR_SPEC, "returns an empty list");
    if (keys != count)
        sandbox_fail_at(L, NULL, NULL, CONVC_ERR_SPEC,
                        "returns a table with fields; only convc.conv makes a convolution of it");
    if (count > SANDBOX_CONVS)
        sandbox_fail_at(L, NULL, NULL, CONVC_ERR_SPEC, "returns %zu convolutions, more than %d",
                        count, SANDBOX_CONVS);
}

/* Runs in the sandbox with what the spec returned on the stack. */
static int collect(lua_State *L)
{
    struct sandbox *s = sandbox_of(L);
    char value[SANDBOX_VALUE_MAX];
    int values = lua_gettop(L);
    if (values != 1)
        sandbox_fail_at(L, NULL, NULL, CONVC_ERR_SPEC,
                        "returns %d values, where a spec returns a convolution or a list of them",
                        values);
    struct sandbox_conv *single = read_conv_at(L, 1);
    /* So that specs/ can be given whole, modules included. */
    if (!single && s->source->path && file_is_module(s->source->path))
        return 0;
    if (!single && !lua_istable(L, 1))
        sandbox_fail_at(L, NULL, NULL, CONVC_ERR_SPEC,
                        "returns %s, where a spec returns a convolution or a list of them",
                        sandbox_value(L, 1, value));
    s->count = single ? 1 : lua_rawlen(L, 1);
    if (!single)
        check_list(L, s->count);

    s->list = lua_newuserdatauv(L, s->count * sizeof *s->list, 0);
    for (size_t i = 0; i < s->count; i++) {
        s->list[i] = single ? single : list_element(L, i + 1);
        s->list[i]->index = i + 1;
    }
    name_all(L, s, !single);

    /* Keeps both alive until they are copied. */
    luaL_ref(L, LUA_REGISTRYINDEX);
    luaL_ref(L, LUA_REGISTRYINDEX);
    return 0;
}

/* Copies the convolutions out of Lua's memory. */
static enum convc_status take(struct sandbox *s, void *data)
{
    struct spec *out = data;
    out->convs = arena_array(&out->memory, s->count, sizeof *out->convs);
    for (size_t i = 0; out->convs && i < s->count; i++) {
        struct convc_problem *p = &out->convs[i].problem;
        *p = s->list[i]->problem;
        const char **texts[] = { &p->combine, &p->reduce, &p->window, &p->epilogue, &p->args };
        for (size_t k = 0; k < sizeof texts / sizeof *texts; k++) {
            if (*texts[k])
                *texts[k] = arena_strdup(&out->memory, *texts[k]);
        }
        p->weights = NULL;
        if (s->list[i]->weight_count == 0)
            continue;
        size_t count = s->list[i]->weight_count;
        double *weights = arena_array(&out->memory, count, sizeof *weights);
        if (weights)
            memcpy(weights, s->list[i]->weights, count * sizeof *weights);
        out->convs[i].weights = weights;
        if (s->list[i]->problem.weights)
            p->weights = weights;
    }
    if (out->memory.failed)
        return diag_memory(s->d);
    out->count = s->count;
    return CONVC_OK;
}

/* ---- problems in benchdnn's notation ------------------------------------------------------- */

/* Lists have the same problem, or the same name, more than once. */
static void name_line(struct names *names, char name[CONVC_NAME_MAX + 1], const char *line)
{
    char stem[CONVC_NAME_MAX - 7];
    file_stem(name[0] ? name : line, stem, sizeof stem);
    names_take(names, stem, name, CONVC_NAME_MAX + 1);
}

static enum convc_status load_line(struct spec *out, struct names *names, const char *line,
                                   const char *place, struct diag *d)
{
    struct diag own = { 0 };
    struct convc_problem *p = &out->convs[out->count].problem;
    struct problem resolved;
    if (spec_benchdnn(line, &out->memory, p, &own) != CONVC_OK ||
        problem_resolve(p, &resolved, &own) != CONVC_OK)
        return diag_fail(d, own.status, "%s: %s", place, own.text);
    out->convs[out->count].weights = p->weights;
    name_line(names, p->name, line);
    out->count++;
    return CONVC_OK;
}

/* Cuts a remark behind a problem off, and the blanks before it. */
static void cut_remark(char *line)
{
    size_t end = strcspn(line, " \t\r");
    const char *rest = line + end + strspn(line + end, " \t\r");
    if (*rest == '\0' || *rest == '#')
        line[end] = '\0';
}

/* One problem a line; empty lines and those that begin with # say nothing. Cuts `text` up. */
static enum convc_status load_lines(struct spec *out, char *text, const char *file, struct diag *d)
{
    size_t lines = 1, number = 0;
    for (const char *s = text; *s; s++)
        lines += *s == '\n';
    if (lines > SANDBOX_CONVS)
        return diag_fail(d, CONVC_ERR_SPEC, "%s: has %zu lines, more than %d", file, lines,
                         SANDBOX_CONVS);
    struct names names;
    out->convs = arena_array(&out->memory, lines, sizeof *out->convs);
    if (!out->convs || !names_begin(&names, lines, &out->memory))
        return diag_memory(d);
    for (char *line = text, *next; line && d->status == CONVC_OK; line = next) {
        char place[300];
        next = strchr(line, '\n');
        if (next)
            *next++ = '\0';
        line += strspn(line, " \t");
        cut_remark(line);
        snprintf(place, sizeof place, "%.280s:%zu", file, ++number);
        if (line[0] && line[0] != '#')
            load_line(out, &names, line, place, d);
    }
    return d->status;
}

static enum convc_status load_problem(struct spec *out, const char *line, struct diag *d)
{
    struct names names;
    out->convs = arena_array(&out->memory, 1, sizeof *out->convs);
    if (!out->convs || !names_begin(&names, 1, &out->memory))
        return diag_memory(d);
    char place[100];
    sandbox_one_line(line, strlen(line), place, sizeof place);
    return load_line(out, &names, line, place, d);
}

/* Is the first line that says something a problem? */
static bool is_list(const char *text)
{
    for (; text; text = strchr(text, '\n') ? strchr(text, '\n') + 1 : NULL) {
        text += strspn(text, " \t\r\n");
        if (text[0] != '#')
            return spec_benchdnn_looks(text);
    }
    return false;
}

/* ---- loading ------------------------------------------------------------------------------- */

static enum convc_status check_source(const struct spec_source *source, struct diag *d)
{
    if (!source->path == !source->text)
        return diag_fail(d, CONVC_ERR_ARGUMENT, "a spec is either a path or a text");
    for (size_t i = 0; i < source->define_count; i++) {
        const char *define = source->defines[i];
        const char *equals = define ? strchr(define, '=') : NULL;
        if (!equals || equals == define)
            return diag_fail(d, CONVC_ERR_ARGUMENT, "-D %.100s is not of the form NAME=VALUE",
                             define ? define : "(null)");
    }
    return CONVC_OK;
}

static enum convc_status check_asked(const struct sandbox *s)
{
    for (size_t i = 0; i < s->source->define_count; i++)
        if (!s->asked[i])
            return diag_fail(s->d, CONVC_ERR_SPEC, "%s: -D %.100s sets no parameter; %s%s", s->file,
                             s->source->defines[i],
                             s->params[0] ? "the spec has " : "the spec has none", s->params);
    return CONVC_OK;
}

static enum convc_status read_text(struct sandbox *s, char **text)
{
    const struct spec_source *source = s->source;
    if (!source->text) {
        if (file_read(s->memory, source->path, s->file, text, &s->bytes, s->d) != CONVC_OK)
            return s->d->status;
        return file_note(s->memory, source->path, s->files, s->d);
    }
    s->bytes = strlen(source->text);
    if (s->bytes > SANDBOX_SOURCE)
        return diag_fail(s->d, CONVC_ERR_SPEC, "%s: is longer than %d bytes", s->file,
                         SANDBOX_SOURCE);
    *text = arena_strdup(s->memory, source->text);
    return *text ? CONVC_OK : diag_memory(s->d);
}

static const char *file_of(const struct spec_source *source)
{
    if (source->text)
        return source->name ? source->name : "spec";
    return strcmp(source->path, "-") == 0 ? "stdin" : source->path;
}

static enum convc_status load(struct sandbox *s, struct spec *out)
{
    const char *path = s->source->path;
    if (path && strcmp(path, "-") != 0 && access(path, F_OK) != 0 && spec_benchdnn_looks(path))
        return load_problem(out, path, s->d);

    char *text = NULL;
    if (read_text(s, &text) != CONVC_OK)
        return s->d->status;
    if (is_list(text))
        return load_lines(out, text, s->file, s->d);
    s->text = text;
    return sandbox_run(s, collect, take, out);
}

enum convc_status spec_load(const struct spec_source *source, struct spec *out, struct diag *d)
{
    *out = (struct spec){ 0 };
    if (check_source(source, d) != CONVC_OK)
        return d->status;
    struct sandbox s = { .source = source, .file = file_of(source), .d = d };
    s.memory = &out->memory;
    s.files = &out->files;
    s.asked = arena_array(&out->memory, source->define_count, sizeof *s.asked);
    enum convc_status st = s.asked ? load(&s, out) : diag_memory(d);
    if (st == CONVC_OK)
        st = check_asked(&s);
    if (st != CONVC_OK)
        spec_free(out);
    return st;
}

void spec_free(struct spec *s)
{
    arena_free(&s->memory);
    *s = (struct spec){ 0 };
}
