/* plan: how a problem is computed, and its one-line text.
 *
 * A plan is plain data. Its text is what `explain` prints, `--plan` reads, the cache keys on and a
 * bug report quotes; plan_parse(plan_print(p)) is p, and the printed form of equal plans is equal.
 *
 *     direct lanes=oc tile=1x14x2 order=rows border=peel chunk=2
 *     winograd f=4x4 block=49 tile=13x2 prefetch=weights
 *     stencil tile=4x2 strip=32 columns=kept
 *     fixed weights=8 strip=64
 *
 * A word that is missing is the first of its kind, or 0.
 *
 * Errors: CONVC_ERR_PLAN names the word that cannot be read or does not fit the problem.
 * Stands on: base, problem, target.
 */
#ifndef GEN_PLAN_PLAN_H
#define GEN_PLAN_PLAN_H

#include "gen/plan/target.h"
#include "gen/problem/problem.h"

enum plan_algorithm { PLAN_DIRECT, PLAN_WINOGRAD, PLAN_STENCIL, PLAN_FIXED, PLAN_ALGORITHMS };

/* Which axis lies in the lanes of a vector register. */
enum plan_lanes {
    LANES_OC,     /* output channels of one group: src is broadcast              */
    LANES_GROUPS, /* output channels of several groups: src is a vector, permuted */
    LANES_OW,     /* output columns: wei is broadcast                            */
    LANES_IC,     /* input channels and taps that follow them: summed at the end */
};

/* Which loop is outermost. */
enum plan_order {
    ORDER_ROWS,    /* image, row, channel block: activations stay, weights stream past */
    ORDER_WEIGHTS, /* channel block, image, row: weights stay, activations stream past */
    ORDER_PIXELS,  /* image, row, column tile, channel block: all channels of a pixel at once */
};

/* How taps outside of the input are dealt with along the width. */
enum plan_border {
    BORDER_NONE,     /* there are none                                                    */
    BORDER_PEEL,     /* edge tiles have code of their own: what each tap reads is constant */
    BORDER_COMPUTED, /* every tile computes where its taps read                           */
};

/* How the taps along the width are run. */
enum plan_taps {
    TAPS_LOOP,
    TAPS_UNROLL, /* all in one block, which loads a source vector once for all its taps */
    TAPS_WINDOW, /* those along the height too: rows of a tile share what they read */
};

/* What a tile asks for ahead of its use. */
enum plan_prefetch {
    PREFETCH_NONE,
    PREFETCH_PIXELS,  /* those of the next column tile; with taps, of the next row tile */
    PREFETCH_WEIGHTS, /* a share of the next channel block's weights */
};

struct plan_direct {
    enum plan_lanes lanes;
    /* The register tile: output rows x columns x vectors. With LANES_OW columns are output channels
     * and vectors lie side by side along the row; with LANES_IC vectors are output channels. */
    int rows, cols, vecs;
    enum plan_order order;
    enum plan_border border;
    int64_t fold;  /* pointwise problems: the output is one row of pixels, folded to this width; 0:
                      as it is */
    int64_t chunk; /* column tiles in one work item; 0: the whole row */
    enum plan_taps taps;
    enum plan_prefetch prefetch;
    int split; /* partial sums of each output, which hide the latency of a multiply-add where a tile
                  is small; 0: one */
    bool strip; /* inputs of a work item go through a strip, channels side by side: see strip.h */
    bool rest;  /* channels beyond the last full vector of a group run with LANES_IC */
    bool half;  /* vectors are half a register: where more lanes would lie idle */
};

struct plan_winograd {
    int m[2];       /* a tile's outputs, height and width; 1 where the kernel is 1     */
    int rows, vecs; /* the register tile: tiles x vectors of output channels          */
    int64_t block;  /* tiles that are transformed together, at most; 0: all of an image */
    int64_t oc;     /* output channels of a work item, rounded up to vecs; 0: all      */
    enum plan_prefetch prefetch;
};

/* Vertical forms that are met at several columns are computed */
enum plan_columns {
    COLUMNS_AGAIN,  /* for every column that they are met at                              */
    COLUMNS_KEPT,   /* once a column, and kept in scratch memory for a row of tiles       */
    COLUMNS_ROLLED, /* once a column, and passed on in registers from tile to tile        */
};

struct plan_stencil {
    int rows, vecs; /* the register tile: output rows x vectors side by side along the row */
    int64_t strip;  /* output rows of a work item */
    enum plan_columns columns;
    /* Vectors at the border are computed row by row, apart from the tiles: their code is there once
     * and not for every row of a tile. */
    bool apart;
};

struct plan_fixed {
    int bits;      /* of the weights that a row is summed up with: 8 or 16 */
    int64_t strip; /* output rows of a work item */
};

struct plan {
    enum plan_algorithm algorithm;
    union {
        struct plan_direct direct;
        struct plan_winograd winograd;
        struct plan_stencil stencil;
        struct plan_fixed fixed;
    };
};

enum { PLAN_TEXT_MAX = 176 };

const char *plan_algorithm_name(enum plan_algorithm a);
void plan_print(const struct plan *plan, char text[PLAN_TEXT_MAX]);
enum convc_status plan_parse(const char *text, struct plan *plan, struct diag *d);

/* A word's value that is a whole number of at most 15 digits. */
bool plan_read_count(const char *value, int64_t *out);

/* Does the plan fit the problem on the target? Everything that plan_parse reads and this accepts is
 * emitted rightly. */
enum convc_status plan_check(const struct plan *plan, const struct problem *p,
                             const struct target *t, struct diag *d);

/* Where its packed weights lie. */
struct layout;
void plan_layout(const struct problem *p, const struct plan *plan, const struct target *t,
                 struct layout *l);

/* Plain weights, [oc][ic/groups][kd][kh][kw], into that layout; elements without a header. */
void plan_pack(const struct problem *p, const struct plan *plan, const struct target *t,
               const void *plain, void *packed);

/* Phases of a run, one parallel_for each; at most PLAN_PHASES_MAX. */
enum { PLAN_PHASES_MAX = 4 };
int plan_phases(const struct plan *plan);

/* Work items of one phase for a batch of n, as many for each image: kernels accept any range within
 * [0, items). */
int64_t plan_items(const struct problem *p, const struct plan *plan, const struct target *t,
                   int32_t phase, int64_t n);

/* Scratch memory of one call of the kernel, a multiple of 64. Calls that run at the same time need
 * one each. */
size_t plan_workspace_bytes(const struct problem *p, const struct plan *plan,
                            const struct target *t);

/* The plan as the loop nest that it stands for. */
void plan_explain(const struct problem *p, const struct plan *plan, const struct target *t,
                  struct text *text);

/* The worst error of the plan's results, relative to the largest sum of |src*wei|. */
double plan_error_bound(const struct plan *plan, const struct problem *p);

/* Are constant weights part of its code, which reads none? */
bool plan_in_code(const struct plan *plan);

/* How far off a result of whole numbers may be, in units of its own, before it is rounded; beside
 * that error, and whatever the sums are. */
double plan_unit_bound(const struct plan *plan, const struct problem *p);

/* Does it add the products up as the problem states them? Whole numbers then give exact results. */
bool plan_plain_sum(const struct plan *plan);

/* Are these errors within the problem's tolerance? Plain sums always are; where it admits any, a
 * result of whole numbers may be off by a quarter of a unit before it is rounded. */
bool plan_admitted(const struct plan *plan, const struct problem *p);

#endif
