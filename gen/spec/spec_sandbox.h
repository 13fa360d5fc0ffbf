/* spec_sandbox: the Lua state that a spec runs in, and its bounds.
 *
 * The state sees a list of harmless functions and no more. Every allocation, every hundred
 * instructions and every piece of source text are checked against the bounds, and no library
 * function that loops in C for long is in reach, so that nothing a spec writes runs on.
 *
 * Errors raised inside are Lua errors. Nothing between a raise and the lua_pcall of sandbox_run
 * owns memory: all of it belongs to Lua or to the sandbox. Stands on: spec, lua.
 */
#ifndef GEN_SPEC_SPEC_SANDBOX_H
#define GEN_SPEC_SPEC_SANDBOX_H

#include "gen/expr/expr.h"
#include "gen/spec/spec.h"

#include <lua.h>

enum {
    SANDBOX_MEMORY = 64 << 20,        /* bytes held at any time        */
    SANDBOX_STEPS = 10 * 1000 * 1000, /* instructions                  */
    SANDBOX_MILLISECONDS = 1000,      /* of the thread, closing included */
    SANDBOX_STRING = 64 << 10,        /* bytes of one string           */
    SANDBOX_SOURCE = 1 << 20,         /* bytes of one file             */
    SANDBOX_CONVS = 10000,            /* convolutions that a spec makes */
};

/* A convolution as Lua holds it. */
struct sandbox_conv {
    struct convc_problem problem;
    size_t index; /* in the returned list, from 1; 0: not there yet */
    int line;     /* of the call in the spec; 0: a library alone made it */
    size_t weight_count;
    double weights[];
};

/* The chunk that env_open runs. */
#define PRELUDE_CHUNK "@prelude"

/* The metatable of the operands that a function is traced on, see spec_trace. */
#define SYMBOL_TYPE "convc.symbol"

/* The metatable of x and w of a window. */
#define TAPS_TYPE "convc.taps"

/* Why an allocation was refused. */
enum sandbox_refusal {
    REFUSED_NOTHING,
    REFUSED_MEMORY,
    REFUSED_STRING,
    REFUSED_TIME,
    REFUSED_BY_SYSTEM,
};

struct sandbox {
    const struct spec_source *source;
    const char *file, *text; /* the spec itself: its name in messages and its Lua */
    size_t bytes;
    struct diag *d;
    struct arena *memory;     /* for the text of modules */
    struct spec_file **files; /* where each file that is read is noted */

    bool *asked;      /* for each define: has the spec asked for it? */
    char params[160]; /* the parameters that the spec has, for people */

    struct sandbox_conv **list; /* what the spec returned; lives as long as the Lua state */
    size_t count;

    /* The function that is being traced, see spec_trace. */
    char traced[16];    /* "combine: ", in front of sentences; "": none */
    const char *field;  /* whose function it is                         */
    int call_line;      /* of the convc.conv that traces it             */
    lua_CFunction conv; /* convc.conv itself                            */
    int64_t trace;      /* counts them                                  */
    struct expr graph;
    struct expr_window window; /* whose taps the operands are; no axes: there is none */

    int line;         /* of the spec, where an error of Lua's own was raised; 0: nowhere in it */
    size_t used;      /* bytes */
    int64_t steps;    /* instructions so far */
    int64_t deadline; /* nanoseconds of the thread's clock */
    unsigned allocations;
    unsigned hooks; /* so far */
    enum sandbox_refusal refused;
};

/* Runs the spec s->text, then `finish` with what it returned on the stack, both protected. Where
 * that went well calls take(s, data), which must raise no Lua error, before the state is closed. */
enum convc_status sandbox_run(struct sandbox *s, lua_CFunction finish,
                              enum convc_status (*take)(struct sandbox *s, void *data), void *data);

struct sandbox *sandbox_of(lua_State *L);

/* Pushes source text as a function. `chunk` is "@" and its file. */
void sandbox_load(lua_State *L, const char *text, size_t bytes, const char *chunk);

/* Raises an error: status and sentence go to the sandbox's diag, file and line in front. The line
 * is that of `field` in the call under way; of the call itself where `field` is NULL or not seen.
 */
_Noreturn void sandbox_fail(lua_State *L, const char *field, enum convc_status status,
                            const char *format, ...) __attribute__((format(printf, 4, 5)));

/* As sandbox_fail, about a convolution that was made before, or about the whole spec (c NULL). */
_Noreturn void sandbox_fail_at(lua_State *L, const struct sandbox_conv *c, const char *field,
                               enum convc_status status, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

/* The line of the spec that is being run, 0 where only a library is. Where a traced function is not
 * on the stack any more, or has its code elsewhere, it is the line of its field. */
int sandbox_line(lua_State *L);

/* Counts work done in C as instructions. */
void sandbox_charge(lua_State *L, int64_t steps);

/* The value at `index` as a spec would write it, cut where it is long: 2.5, "abc", a table. */
enum { SANDBOX_VALUE_MAX = 64 };
const char *sandbox_value(lua_State *L, int index, char text[SANDBOX_VALUE_MAX]);

/* The same bytes on one line of plain ASCII, cut with "..." where `to` ends. */
void sandbox_one_line(const char *from, size_t bytes, char *to, size_t size);

#endif
