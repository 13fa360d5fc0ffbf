/* tensor: arrays in the memory of a problem.
 *
 * An array is N, C, spatial; a tensor lies where the problem's strides and dtype put it. Elements
 * between a source's own are NaN, so that a kernel which uses them is seen; a destination stands
 * among guard elements, so that a kernel which writes elsewhere is seen.
 */
#ifndef CLI_TENSOR_H
#define CLI_TENSOR_H

#include "runtime/cli/array.h"

#include <stdbool.h>

/* The epilogue's args come last, in their order. */
enum { ARGS_MAX = 8, ARG_NAME_BYTES = 32 };
enum operand {
    OPERAND_SRC,
    OPERAND_WEI,
    OPERAND_BIAS,
    OPERAND_RESIDUAL,
    OPERAND_ARG,
    OPERANDS = OPERAND_ARG + ARGS_MAX
};

/* The arrays that a problem reads; those that it lacks have no value. */
struct operands {
    struct array array[OPERANDS];
};

/* "input", "weights", "bias", "residual"; the arg's own name */
const char *operand_name(const struct convc_problem *p, enum operand which,
                         char text[ARG_NAME_BYTES]);

/* Does the problem have it? */
bool operand_wanted(const struct convc_problem *p, enum operand which);

/* Rank and extents of an operand, and of the output, as they stand in a file. */
void operand_shape(const struct convc_problem *p, enum operand which, struct array *a);
enum exit_code output_shape(const struct convc_problem *p, struct array *a, struct failure *f);

/* Fills an operand that has no value yet: uniform in [-1, 1), from the seed; whole numbers over all
 * of their type, and reals that become whole numbers in [-100, 100); constants as they are. */
enum exit_code operand_fill_real(const struct convc_problem *p, enum operand which, uint64_t seed,
                                 struct array *a, struct failure *f);
/* Likewise, half zeros, else whole numbers from -most to most; without signs where there are none.
 */
enum exit_code operand_fill_sparse(const struct convc_problem *p, enum operand which, uint64_t seed,
                                   int64_t most, struct array *a, struct failure *f);
void operands_free(struct operands *o);

/* Does the array hold what the operand's type has no numbers for? *at is the first such element. */
bool operand_misfits(const struct convc_problem *p, enum operand which, const struct array *a,
                     int64_t *at);

/* The name of its type. */
const char *operand_type(const struct convc_problem *p, enum operand which);

/* The operands in memory. args has everything but dst and workspace; its weights are plain. */
struct tensors {
    struct convc_args args;
    const void *user[ARGS_MAX]; /* args.user points here */
    void *base[OPERANDS];
};

/* `skew` elements lie between a 64-byte boundary and the source. With `absolute`, every value is
 * replaced by its absolute value. */
enum exit_code tensors_place(const struct convc_problem *p, const struct operands *o, int64_t skew,
                             bool absolute, struct tensors *t, struct failure *f);
void tensors_free(struct tensors *t);

/* A destination among guards. */
struct guarded {
    void *base, *dst;
    int64_t elements; /* with the guards */
    int64_t bytes;    /* of an element */
    int64_t before;   /* elements before dst */
};

enum exit_code guarded_create(const struct convc_problem *p, int64_t skew, struct guarded *g,
                              struct failure *f);
void guarded_free(struct guarded *g);

/* Moves the outputs to `value`, in N, C, spatial order, and puts guards in their place. */
enum exit_code guarded_take(const struct convc_problem *p, struct guarded *g, double *value,
                            struct failure *f);

/* After guarded_take: finds an element that is no guard any more. Its place is counted from dst. */
bool guarded_broken(const struct guarded *g, int64_t *place);

#endif
