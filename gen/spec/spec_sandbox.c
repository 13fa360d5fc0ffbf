#include "gen/spec/spec_sandbox.h"

#include "gen/base/memory.h"
#include "gen/spec/spec_env.h"
#include "gen/spec/spec_read.h"

#include <inttypes.h>
#include <lauxlib.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    HOOK_STEPS = 100,   /* instructions between two looks at the bounds                        */
    SOURCE_PIECE = 256, /* bytes of source between two looks: some of Lua's parsing is quadratic */
    CLOCK_BYTES = 4096, /* allocations from this size on look at the clock, the others at times */
    CLOCK_ALLOCATIONS = 64,
    CLOCK_HOOKS = 8, /* hooks between two looks at the clock, which is a call of the system */
    CLOSING = 4,     /* ns that a byte takes at most to be marked, swept and freed in the end */
    LEVELS_MAX = 1000,
};

/* How long the allocator leaves it to the hook to refuse a spec that is out of time: only the hook
 * can name the line. What loops inside C meets no hook. */
static const int64_t grace = 100000000; /* ns */

struct sandbox *sandbox_of(lua_State *L)
{
    void *s;
    lua_getallocf(L, &s);
    return s;
}

/* The thread's own time: what else the machine does is not the spec's fault. */
static int64_t now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

/* The spec's own chunk; Lua's messages begin with "(spec):4:". The others are "@path". */
static const char spec_chunk[] = "=(spec)";

/* ---- errors -------------------------------------------------------------------------------- */

void sandbox_one_line(const char *from, size_t bytes, char *to, size_t size)
{
    size_t n = 0;
    for (size_t i = 0; i < bytes; i++) {
        unsigned char c = (unsigned char)from[i];
        bool plain = c >= 0x20 && c < 0x7f;
        char piece[8];
        int length = snprintf(piece, sizeof piece, plain ? "%c" : c == '\n' ? "\\n" : "\\x%02x", c);
        bool last = i + 1 == bytes;
        if (n + (size_t)length + (last ? 1 : 4) > size) {
            snprintf(to + n, size - n, "...");
            return;
        }
        memcpy(to + n, piece, (size_t)length);
        n += (size_t)length;
    }
    to[n] = '\0';
}

/* Is this the call of convc.conv that traces a function? What lies outside of it is not to blame.
 */
static bool is_tracing(lua_State *L, lua_Debug *ar)
{
    const struct sandbox *s = sandbox_of(L);
    if (!s->traced[0] || ar->what[0] != 'C')
        return false;
    lua_getinfo(L, "f", ar);
    bool is = lua_tocfunction(L, -1) == s->conv;
    lua_pop(L, 1);
    return is;
}

/* The innermost line that a chunk is at, of the spec or of a library. Reaching level n takes Lua n
 * steps, so a deep stack is not searched to its end. */
static bool innermost(lua_State *L, bool spec, lua_Debug *ar)
{
    for (int level = 0; level < LEVELS_MAX && lua_getstack(L, level, ar); level++) {
        lua_getinfo(L, "Sl", ar);
        if (ar->currentline > 0 && (strcmp(ar->source, spec_chunk) == 0) == spec)
            return true;
        if (is_tracing(L, ar))
            return false;
    }
    return false;
}

/* That of the field whose function is traced; 0: none is. */
static int traced_line(const struct sandbox *s)
{
    return s->traced[0] ? read_field_line(s->text, s->call_line, s->field) : 0;
}

int sandbox_line(lua_State *L)
{
    lua_Debug ar;
    return innermost(L, true, &ar) ? ar.currentline : traced_line(sandbox_of(L));
}

/* Writes "file:line: sentence" to the diag. */
static void note(struct sandbox *s, const char *file, int line, enum convc_status status,
                 const char *format, va_list args)
{
    char sentence[400], clean[400];
    vsnprintf(sentence, sizeof sentence, format, args);
    sandbox_one_line(sentence, strlen(sentence), clean, sizeof clean);
    if (line > 0)
        diag_fail(s->d, status, "%s:%d: %s%s", file, line, s->traced, clean);
    else
        diag_fail(s->d, status, "%s: %s%s", file, s->traced, clean);
}

/* The value raised does not matter: the diag has the sentence. */
static _Noreturn void raise_noted(lua_State *L)
{
    lua_pushnil(L);
    lua_error(L);
    abort(); /* lua_error does not return */
}

void sandbox_fail(lua_State *L, const char *field, enum convc_status status, const char *format,
                  ...)
{
    struct sandbox *s = sandbox_of(L);
    const char *file = s->file;
    int line = sandbox_line(L);
    lua_Debug ar;
    if (line > 0 && field) {
        line = read_field_line(s->text, line, field);
    } else if (line == 0 && innermost(L, false, &ar)) {
        file = ar.source + 1; /* "@path" */
        line = ar.currentline;
    }

    va_list args;
    va_start(args, format);
    note(s, file, line, status, format, args);
    va_end(args);
    raise_noted(L);
}

void sandbox_fail_at(lua_State *L, const struct sandbox_conv *c, const char *field,
                     enum convc_status status, const char *format, ...)
{
    struct sandbox *s = sandbox_of(L);
    int line = c ? c->line : 0;
    if (line > 0 && field)
        line = read_field_line(s->text, line, field);
    va_list args;
    va_start(args, format);
    note(s, s->file, line, status, format, args);
    va_end(args);
    raise_noted(L);
}

const char *sandbox_value(lua_State *L, int index, char text[SANDBOX_VALUE_MAX])
{
    char piece[48];
    switch (lua_type(L, index)) {
    case LUA_TSTRING:
        sandbox_one_line(lua_tostring(L, index), lua_rawlen(L, index), piece, sizeof piece);
        snprintf(text, SANDBOX_VALUE_MAX, "\"%s\"", piece);
        break;
    case LUA_TNUMBER:
        if (lua_tonumber(L, index) != lua_tonumber(L, index))
            snprintf(text, SANDBOX_VALUE_MAX, "nan");
        else if (lua_isinteger(L, index))
            snprintf(text, SANDBOX_VALUE_MAX, "%" PRId64, (int64_t)lua_tointeger(L, index));
        else
            snprintf(text, SANDBOX_VALUE_MAX, "%.14g", lua_tonumber(L, index));
        break;
    case LUA_TBOOLEAN:
        snprintf(text, SANDBOX_VALUE_MAX, lua_toboolean(L, index) ? "true" : "false");
        break;
    case LUA_TTABLE: snprintf(text, SANDBOX_VALUE_MAX, "{...}"); break;
    case LUA_TUSERDATA: /* the three kinds there are */
        snprintf(text, SANDBOX_VALUE_MAX, "%s",
                 luaL_testudata(L, index, SYMBOL_TYPE) ? "symbol"
                 : luaL_testudata(L, index, TAPS_TYPE) ? "window"
                                                       : "convolution");
        break;
    default: snprintf(text, SANDBOX_VALUE_MAX, "%s", lua_typename(L, lua_type(L, index))); break;
    }
    return text;
}

/* ---- bounds -------------------------------------------------------------------------------- */

/* Is the spec out of time, or will it be once Lua has freed what it holds? */
static bool late(const struct sandbox *s, int64_t more)
{
    return now() + (int64_t)s->used * CLOSING > s->deadline + more;
}

static void charge(lua_State *L, int64_t steps, bool clock)
{
    struct sandbox *s = sandbox_of(L);
    s->steps += steps;
    if (s->steps > SANDBOX_STEPS)
        sandbox_fail(L, NULL, CONVC_ERR_SPEC, "runs for more than %d instructions", SANDBOX_STEPS);
    if (clock && late(s, 0))
        sandbox_fail(L, NULL, CONVC_ERR_SPEC, "runs for longer than %d ms", SANDBOX_MILLISECONDS);
}

void sandbox_charge(lua_State *L, int64_t steps)
{
    charge(L, steps, true);
}

static void hook(lua_State *L, lua_Debug *ar)
{
    (void)ar;
    charge(L, HOOK_STEPS, sandbox_of(L)->hooks++ % CLOCK_HOOKS == 0);
}

static enum sandbox_refusal refuse(struct sandbox *s, bool string, size_t old, size_t bytes)
{
    if (string && bytes > SANDBOX_STRING)
        return REFUSED_STRING;
    if (s->used - old + bytes > SANDBOX_MEMORY)
        return REFUSED_MEMORY;
    if (bytes >= CLOCK_BYTES || s->allocations++ % CLOCK_ALLOCATIONS == 0)
        return late(s, grace) ? REFUSED_TIME : REFUSED_NOTHING;
    return REFUSED_NOTHING;
}

/* Lua's allocator. Where `block` is NULL, `old` is the kind of object that it will hold. Never
 * fails to shrink, which Lua relies on. */
static void *allocate(void *data, void *block, size_t old, size_t bytes)
{
    struct sandbox *s = data;
    bool string = !block && old == LUA_TSTRING;
    if (!block)
        old = 0;
    if (bytes == 0) {
        memory_free(block);
        s->used -= old;
        return NULL;
    }
    enum sandbox_refusal why = bytes > old ? refuse(s, string, old, bytes) : REFUSED_NOTHING;
    if (why != REFUSED_NOTHING) {
        s->refused = why;
        return NULL;
    }
    void *moved = memory_resize(block, bytes);
    if (moved)
        s->used += bytes - old;
    else if (bytes <= old)
        return block;
    else
        s->refused = REFUSED_BY_SYSTEM;
    return moved;
}

/* ---- running ------------------------------------------------------------------------------- */

static enum convc_status out_of_bounds(struct sandbox *s)
{
    char place[16] = "";
    int line = traced_line(s); /* the stack is gone */
    if (line > 0)
        snprintf(place, sizeof place, ":%d", line);
    switch (s->refused) {
    case REFUSED_TIME:
        return diag_fail(s->d, CONVC_ERR_SPEC, "%s%s: %sruns for longer than %d ms", s->file, place,
                         s->traced, SANDBOX_MILLISECONDS);
    case REFUSED_STRING:
        return diag_fail(s->d, CONVC_ERR_SPEC, "%s%s: %smakes a string of more than %d bytes",
                         s->file, place, s->traced, SANDBOX_STRING);
    case REFUSED_MEMORY:
        return diag_fail(s->d, CONVC_ERR_SPEC, "%s%s: %sneeds more than %d MB of memory", s->file,
                         place, s->traced, SANDBOX_MEMORY >> 20);
    case REFUSED_NOTHING:
    case REFUSED_BY_SYSTEM: break;
    }
    return diag_memory(s->d);
}

struct reader {
    const char *text;
    size_t left;
};

static const char *next_piece(lua_State *L, void *data, size_t *bytes)
{
    struct reader *r = data;
    sandbox_charge(L, 1);
    *bytes = r->left < SOURCE_PIECE ? r->left : SOURCE_PIECE;
    const char *piece = r->text;
    r->text += *bytes;
    r->left -= *bytes;
    return *bytes ? piece : NULL;
}

void sandbox_load(lua_State *L, const char *text, size_t bytes, const char *chunk)
{
    struct reader r = { text, bytes };
    if (bytes > 0 && text[0] == LUA_SIGNATURE[0])
        sandbox_fail_at(L, NULL, NULL, CONVC_ERR_SPEC, "is compiled Lua; only source text is read");
    int result = lua_load(L, next_piece, &r, chunk, "t");
    if (result == LUA_ERRMEM) {
        out_of_bounds(sandbox_of(L));
        raise_noted(L);
    }
    if (result != LUA_OK)
        lua_error(L);
}

static int run(lua_State *L)
{
    struct sandbox *s = sandbox_of(L);
    lua_CFunction finish = lua_tocfunction(L, 1);
    lua_settop(L, 0);
    env_open(L);
    lua_sethook(L, hook, LUA_MASKCOUNT, HOOK_STEPS);
    sandbox_load(L, s->text, s->bytes, spec_chunk);
    env_give(L);
    lua_call(L, 0, LUA_MULTRET);
    return finish(L);
}

/* Notes where an error of Lua's own is raised, while the stack still tells. */
static int locate(lua_State *L)
{
    sandbox_of(L)->line = sandbox_line(L);
    return 1;
}

static bool begins(const char *text, const char *chunk)
{
    size_t n = strlen(chunk);
    return strncmp(text, chunk, n) == 0 && text[n] == ':';
}

/* Makes a sentence of what a failed lua_pcall left on the stack. Allocates nothing of Lua's. */
static enum convc_status explain(lua_State *L, struct sandbox *s, int result)
{
    if (s->d->status != CONVC_OK)
        return s->d->status;
    if (result == LUA_ERRMEM)
        return out_of_bounds(s);

    char clean[400], value[SANDBOX_VALUE_MAX], place[16] = "";
    if (s->line > 0)
        snprintf(place, sizeof place, ":%d", s->line);
    if (lua_type(L, -1) != LUA_TSTRING)
        return diag_fail(s->d, CONVC_ERR_SPEC, "%s%s: %serror(%s) was called, without a sentence",
                         s->file, place, s->traced, sandbox_value(L, -1, value));
    const char *text = lua_tostring(L, -1);
    sandbox_one_line(text, strlen(text), clean, sizeof clean);
    if (begins(clean, spec_chunk + 1)) { /* Lua has found the place */
        const char *at = clean + strlen(spec_chunk + 1), *sentence = strstr(at, ": ");
        int line = sentence ? (int)(sentence + 2 - at) : 0;
        return diag_fail(s->d, CONVC_ERR_SPEC, "%s%.*s%s%s", s->file, line, at, s->traced,
                         at + line);
    }
    const char *space = begins(clean, PRELUDE_CHUNK + 1) ? strchr(clean, ' ') : NULL;
    return diag_fail(s->d, CONVC_ERR_SPEC, "%s%s: %s%s", s->file, place, s->traced,
                     space ? space + 1 : clean);
}

enum convc_status sandbox_run(struct sandbox *s, lua_CFunction finish,
                              enum convc_status (*take)(struct sandbox *s, void *data), void *data)
{
    s->deadline = now() + SANDBOX_MILLISECONDS * INT64_C(1000000);
    lua_State *L = lua_newstate(allocate, s);
    if (!L)
        return diag_memory(s->d);
    lua_pushcfunction(L, locate);
    lua_pushcfunction(L, run);
    lua_pushcfunction(L, finish);
    int result = lua_pcall(L, 1, 0, 1);
    enum convc_status st = result == LUA_OK ? take(s, data) : explain(L, s, result);
    lua_close(L);
    return st;
}
