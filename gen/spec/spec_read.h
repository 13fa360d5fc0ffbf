/* spec_read: from a table of fields to a convolution, and back out of Lua.
 *
 * Every function here raises its errors as Lua errors, see sandbox_fail.
 * Stands on: spec_sandbox, problem.
 */
#ifndef GEN_SPEC_SPEC_READ_H
#define GEN_SPEC_SPEC_READ_H

#include "gen/spec/spec_sandbox.h"

/* convc.conv: checks one table of fields and returns a convolution. */
int read_conv(lua_State *L);

/* The value at `index` as a convolution, or NULL. */
struct sandbox_conv *read_conv_at(lua_State *L, int index);

/* How constant weights are nested. */
struct read_weights {
    int levels;        /* within one filter */
    int64_t extent[5]; /* of each level, outermost first */
    int64_t filters;   /* of `list = {...}`; 0: no list */
    int64_t count;     /* values that [oc][ic/groups][kernel] holds */
};

/* Measures the weights at `index`, and sets what follows from them: out_channels, kernel_size and
 * groups of `p`, whose input is already read. */
void read_weights_measure(lua_State *L, int index, struct convc_problem *p, struct read_weights *w);

/* Writes w->count values: [oc][ic/groups][kernel]. */
void read_weights_copy(lua_State *L, int index, const struct convc_problem *p,
                       const struct read_weights *w, double *out);

/* The line on which `field =` stands, in the first table constructor that begins on `line` and has
 * it; else `line`. */
int read_field_line(const char *text, int line, const char *field);

#endif
