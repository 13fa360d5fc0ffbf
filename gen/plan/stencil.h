/* stencil: what each filter computes from the window of one channel, as a program.
 *
 * A form is an operation on up to two others, each met at an offset of depth, row and column; it is
 * written with the smallest offset of its operands at 0. So a form is a stream: values along every
 * row, of which a term is one place. Equal forms are one, whatever the places they are met at, and
 * rows and columns share what they have in common.
 *
 * Constant weights are taken apart: absent taps are left out, columns that are multiples of one
 * another become one vertical form and its multiples, and equal magnitudes are added up before they
 * are multiplied. Equal kernels are equal programs on every machine.
 * Offsets are in elements of the source, dilation is in them already. Stands on: problem.
 */
#ifndef GEN_PLAN_STENCIL_H
#define GEN_PLAN_STENCIL_H

#include "gen/problem/problem.h"

enum { STENCIL_FORMS = 1024, STENCIL_HEADS = 256, STENCIL_FILTERS = 16 };

enum stencil_op {
    STENCIL_SRC,   /* an element of the source          */
    STENCIL_CONST, /* value                             */
    STENCIL_ADD,
    STENCIL_SUB,
    STENCIL_SCALE, /* value * a                         */
    STENCIL_FMA,   /* value * a + b                     */
    STENCIL_EXPR,  /* from here on those of enum expr_op */
};

struct stencil_term {
    int form;
    int64_t at[3]; /* depth, row, column */
};

struct stencil_form {
    int op; /* enum stencil_op */
    double value;
    struct stencil_term arg[EXPR_ARGS];
    int64_t reach[3]; /* the farthest element that it reads */
    bool column;      /* a stream that is met at several columns, and worth keeping for them */
    int next;         /* of the same hash */
};

/* Sources of whole numbers, under weights that are multiples of 2^-shift, are computed with in
 * whole numbers of 16 bits, modulo 2^16, where every filter's sum, times 2^shift, is known to fit:
 * with a sign or without one. So are functions that do nothing but pick the larger and the smaller,
 * as medians do. All else is computed in the accumulator's type. */
struct stencil_number {
    bool narrow, sign;
    int shift;
    double least, most; /* of the sums, times 2^shift */
};
struct stencil_number stencil_number_of(const struct problem *p);

struct stencil {
    struct stencil_number number;
    int forms, filters;
    bool full;               /* there was no room for all of it */
    int head[STENCIL_HEADS]; /* forms of one hash: 1 + form */
    struct stencil_form form[STENCIL_FORMS];
    struct stencil_term root[STENCIL_FILTERS]; /* filter f makes output channel c*filters + f */

    /* For people. */
    int taps, multiplies, operations; /* of the constants; that remain, of an output */
};

/* What keeps a problem from being a stencil: a sentence; NULL where nothing does. */
const char *stencil_unfit(const struct problem *p);

/* The program of a problem that fits. */
void stencil_of(const struct problem *p, struct stencil *s);

/* Operands that the operation has. */
int stencil_arity(int op);

/* ---- making forms --------------------------------------------------------------------------- */

struct stencil_term stencil_src(struct stencil *s, const int64_t at[3]);
struct stencil_term stencil_constant(struct stencil *s, double value);
struct stencil_term stencil_make(struct stencil *s, int op, double value, struct stencil_term a,
                                 struct stencil_term b);
struct stencil_term stencil_make_of(struct stencil *s, int op, double value,
                                    const struct stencil_term arg[EXPR_ARGS]);

/* The sum of value[i] * term[i]. Reorders both. */
struct stencil_term stencil_sum(struct stencil *s, struct stencil_term *term, double *value,
                                int count);

/* The window of the user; combine and reduce with one filter's weights. */
struct stencil_term stencil_window(struct stencil *s, const struct problem *p);
struct stencil_term stencil_reduction(struct stencil *s, const struct problem *p,
                                      const double *weights);

/* Marks the column forms that forms of several columns read. */
void stencil_mark_columns(struct stencil *s);

/* The kernel of one filter, [kd][kh][kw]. */
struct stencil_term stencil_kernel(struct stencil *s, const struct problem *p,
                                   const double *kernel);

#endif
