/* stencil_nest: the loops of a stencil plan, and the steps of its register tile.
 *
 *     for image, channel, depth, strip of rows                     a work item
 *         for rows of a tile that read inside, and singly for the others; with edges=apart of those
 *           the vectors that read inside alone, and singly for all rows the others
 *             [for vectors of source columns: column forms into scratch memory]
 *             for vectors of output columns: a tile of rows x vecs
 *                 [column forms of the next vectors of source columns; those before are passed on]
 *
 * Lanes are the output columns of one channel; where all channels of a pixel lie side by side and
 * are treated alike, they are the elements of a row of pixels: `unit` of them a column. Vectors
 * within [begin, end) of a sweep read inside and are whole; each of the others is known while
 * emitting, and so is what its lanes read.
 * Stands on: stencil, plan.
 */
#ifndef GEN_PLAN_STENCIL_NEST_H
#define GEN_PLAN_STENCIL_NEST_H

#include "gen/plan/plan.h"
#include "gen/plan/stencil.h"

enum {
    STENCIL_SRC_ROWS = 256,
    STENCIL_KEPT = 32,
    STENCIL_ROLLED = 128,
    STENCIL_ROWS = 8,
    STENCIL_VECS = 4,
    STENCIL_STEPS = 4096,
    STENCIL_EDGES = 8
};

/* One way along a row: output element e, of column e / unit, reads column e/unit * stride - pad. */
struct stencil_sweep {
    int64_t stride, pad;
    int64_t width;               /* elements */
    int64_t vectors, begin, end; /* of lanes; those that are whole and read inside */
};

struct stencil_nest {
    const struct problem *p;
    struct plan_stencil plan;
    struct stencil program;
    int lanes;
    int64_t bytes; /* of what is computed in, in scratch memory too */
    int64_t src_bytes, dst_bytes, acc_bytes;
    int64_t unit;
    int64_t channels; /* that loops go over */
    int64_t reach[3];
    int64_t strips;
    int64_t row_begin, row_end;     /* output rows that read inside */
    int64_t depth_begin, depth_end; /* output depths that do        */
    int src_rows;
    int64_t src_row[STENCIL_SRC_ROWS][2]; /* depths and rows of the window that are read */

    int kept;                               /* column forms that are computed once a column */
    struct stencil_term keep[STENCIL_KEPT]; /* and where they lie in the window of an output,
                                               but for the column                       */
    int64_t left, right;                    /* the columns at which they are met        */
    int64_t lead;                           /* columns of theirs before the source's first */
    int64_t scratch_row;                    /* bytes of one form of one row */
    struct stencil_sweep columns, outputs;
    /* Of rolled ones: a vector of outputs reads `carried` + 1 of columns, from its own number plus
     * `first` on. */
    int first, carried;
};

/* Is it one that the algorithm can do? */
enum convc_status stencil_nest_check(const struct problem *p, const struct plan_stencil *plan,
                                     const struct target *t, struct diag *d);

/* Of a plan that passed the check. NULL where memory is out; the caller frees it. */
struct stencil_nest *stencil_nest_of(const struct problem *p, const struct plan_stencil *plan,
                                     const struct target *t);

/* How often the steps of a tile are written down, about. */
int64_t stencil_nest_copies(const struct stencil_nest *n);

/* Work items of one image are channels x depths x strips. */
int64_t stencil_channels(const struct problem *p);
int64_t stencil_strips(const struct problem *p, const struct plan_stencil *plan);
size_t stencil_nest_workspace(const struct stencil_nest *n);

/* ---- the tile ------------------------------------------------------------------------------- */

/* A value of the tile: a form at elements of the source counted from the tile's first, or
 * keep[at[0]] of row at[1] of the tile. Kept forms count elements of their sweep. */
struct stencil_step {
    int form, arg[EXPR_ARGS]; /* steps before this one */
    bool kept;
    int64_t at[3]; /* depth, row, elements along the row */
};

/* The terms below `root` and itself, operands first. */
struct stencil_terms {
    int count;
    bool full;
    struct stencil_term term[STENCIL_FORMS];
};
void stencil_terms_of(const struct stencil_nest *n, struct stencil_term root, bool reads_kept,
                      struct stencil_terms *l);

/* What a tile does, values that its rows and vectors share once: row by row in step, so that chains
 * of additions run side by side. */
struct stencil_steps {
    int count;
    bool full;
    struct stencil_step step[STENCIL_STEPS];
    int hash[2 * STENCIL_STEPS];
    struct stencil_terms terms; /* while some are added */
};

/* Adds the steps of one term for `rows` x `vecs` outputs; result[row * vecs + vec] is the step of
 * each. Kept forms are read where `reads_kept`. */
void stencil_steps_add(const struct stencil_nest *n, const struct stencil_sweep *sweep,
                       struct stencil_term term, int rows, int vecs, bool reads_kept,
                       struct stencil_steps *s, int *result);

#endif
