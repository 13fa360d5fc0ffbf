/* spec_value: one field of convc.conv{...}, from Lua to C.
 *
 * Errors are raised: "stride[2]=1.5 is no integer", on the field's line.
 * Stands on: spec_sandbox.
 */
#ifndef GEN_SPEC_SPEC_VALUE_H
#define GEN_SPEC_SPEC_VALUE_H

#include "gen/spec/spec_read.h"

/* The table of fields lies at index 1 of the stack, the value of `field` on top. */
struct fields {
    lua_State *L;
    const char *field;
    struct convc_problem *p;    /* under construction                    */
    struct read_weights *w;     /* where weights are given               */
    struct convc_problem *made; /* p as the weights made it, for checks  */
    int texts;                  /* the stack's index of a table that keeps texts */
};

/* In what follows the value is at `index`, and `label` is what sentences call it. */
_Noreturn void value_fail(struct fields *f, int index, const char *label, const char *rule);
int64_t value_integer(struct fields *f, int index, const char *label);
double value_number(struct fields *f, int index, const char *label);

/* The index of the value among `names`, which NULL ends. */
int value_name(struct fields *f, int index, const char *label, const char *const names[]);

int32_t value_bool(struct fields *f);

/* A copy of the text that lives as long as the convolution. */
const char *value_keep(struct fields *f, const char *text);

/* Pushes element i (from 1) of the table on top and labels it: "stride[2]". */
void value_push(struct fields *f, int64_t i, char label[32]);

/* Demands one value for each axis in the table on top. */
void value_check_axes(struct fields *f);

/* One number for all axes, or one for each. */
void value_axes(struct fields *f, int64_t to[3]);

/* Every spelling of padding. Reads input, kernel, stride and dilation of the problem. */
void padding_read(struct fields *f);

#endif
