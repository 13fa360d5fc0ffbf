/* spec_trace: functions of a spec, run once on symbols.
 *
 * A symbol stands for an operand; arithmetic on it makes a node of the function's graph. What Lua
 * decides by itself cannot be seen: `<` and `<=` are refused with a sentence that says what to
 * write, `if`, `and`, `or`, `not` and `==` with a number take a symbol for true, or unequal.
 * A symbol belongs to one trace. Errors name the field and are raised, see sandbox_fail.
 * Stands on: spec_value, expr.
 */
#ifndef GEN_SPEC_SPEC_TRACE_H
#define GEN_SPEC_SPEC_TRACE_H

#include "gen/spec/spec_value.h"

/* Pushes the table of convc.abs, convc.where and all the others. */
void trace_functions(lua_State *L);

/* Adds convc.taps to the table on top. */
void trace_taps(lua_State *L);

/* The parts of a trace. After trace_begin sentences begin with the field, and operands are symbols,
 * which trace_push makes of variables. trace_finish takes the result of the function from the stack
 * and keeps its text for as long as the convolution; `var` has the names of the variables, NULL:
 * they are the taps of the sandbox's window. */
void trace_begin(struct fields *f);
void trace_push(lua_State *L, int64_t var);
const char *trace_finish(struct fields *f, const char *const *var);

/* Refuses what must not happen while a function is traced. */
void trace_forbid(lua_State *L, const char *what);

/* The fields combine, reduce, window, args and epilogue; each value is on top of the stack. */
void trace_combine(struct fields *f);
void trace_reduce(struct fields *f);
void trace_window(struct fields *f);
void trace_args(struct fields *f);
void trace_epilogue(struct fields *f);

#endif
