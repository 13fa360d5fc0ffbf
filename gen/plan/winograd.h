/* winograd: the numbers behind a Winograd plan, from which everything else is read.
 *
 * The output is cut into tiles of m[H] x m[W]. A tile is computed from n[H] x n[W] inputs, n = m +
 * kernel - 1, by n[H]*n[W] products instead of m*kernel per axis:
 *
 *     V = B^T d B,   M[point] = sum over channels of U[point] * V[point],   output = A^T M A
 *
 * Axes with a kernel of 1 are left as they are (m = n = 1). Tiles of one image are cut into blocks
 * whose V and M stay in cache; the products of a block are, for each point, one small matrix
 * product in register tiles of `rows` tiles x `vecs` vectors of output channels:
 *
 *     V[point][row panel][slab, channel vector][row][lane]     U[oc block][point][panel][k][slot]
 *     M[point][panel][row][slot]
 *
 * Slabs are the taps along the depth; k counts slab and padded channel.
 *
 * Tensors whose pixels of a row lie side by side, rather than their channels, go through strips in
 * scratch memory: the inputs, and the outputs of one vector of channels, of one row of tiles, with
 * the channels of a vector side by side:
 *
 *     src strip[slab][channel vector][row][column][lane]     dst strip[row][column][lane]
 *
 * Stands on: plan, nest.
 */
#ifndef GEN_PLAN_WINOGRAD_H
#define GEN_PLAN_WINOGRAD_H

#include "gen/plan/nest.h"

enum { WINOGRAD_POINTS = 8, WINOGRAD_PAIRS = 3, WINOGRAD_KERNEL = 7, WINOGRAD_ROWS = 30 };

/* The transforms of one axis. Points are 0, the pairs +-point[k], and infinity; in this order they
 * number rows and columns of the transformed tile. n = 1: no transform. */
struct winograd_axis {
    int m, r, n, pairs;
    double point[WINOGRAD_PAIRS];
    double scale[WINOGRAD_PAIRS];   /* of the pair's rows of A^T; their inverse is in G's */
    double all[WINOGRAD_PAIRS + 1]; /* coefficients of prod (x - point[k]^2), constant first */
    double others[WINOGRAD_PAIRS][WINOGRAD_PAIRS]; /* the same without point[k] */
};

/* Is there a transform for tiles of m under a kernel of r? */
bool winograd_axis_exists(int64_t m, int64_t r);
void winograd_axis_of(int m, int r, struct winograd_axis *a);

/* Row `point` of G: what a kernel's taps are multiplied by. */
void winograd_weights_row(const struct winograd_axis *a, int point, double row[WINOGRAD_KERNEL]);

struct winograd {
    const struct problem *p;
    struct plan_winograd plan;
    int lanes;
    int64_t bytes, vector_bytes;
    struct winograd_axis h, w;
    int points;

    int64_t tiles_h, tiles_w, tiles; /* in a plane's column and row; in an image */
    struct split blocks;             /* of an image's tiles */
    int64_t row_panels;              /* of a block, whichever its size */
    int wide, narrow;                /* rows of a panel; the wide ones come first */

    int64_t channels; /* vectors of input channels of a group */
    int64_t tail;     /* active lanes of the last one         */
    int64_t slabs, k; /* products in one sum                  */
    int64_t vectors;  /* of output channels of a group        */
    int64_t out_tail; /* active lanes of the last one         */
    int64_t panels;   /* of output channels of a group        */
    int last_vecs;    /* vectors of the last one              */
    int64_t oc_blocks, block_panels;

    /* Strips, where there are any: bytes from row to row, and from one vector of channels to the
     * next. The last pixel of a row holds what lies outside of the image. */
    bool src_strip, dst_strip;
    int64_t src_row, src_channel, dst_row;

    /* Bytes. M of a point lies in the dead V of the one before, unless V serves several channel
     * blocks. */
    bool shared;
    int64_t v_stride, m_stride; /* from point to point */
    int64_t patch_at, table_at, src_at, dst_at, v_at, m_at, workspace;
};

/* `plan` must have passed plan_check, or its tile sizes exist: nothing else is asked for. */
void winograd_of(const struct problem *p, const struct plan_winograd *plan, const struct target *t,
                 struct winograd *w);

/* Elements of one point's weights in oc block `block` of a group. */
int64_t winograd_block_elements(const struct winograd *w, int64_t block);

/* Rows of all panels of a block of `tiles` tiles: this many of them are wide. */
int64_t winograd_wide_panels(const struct winograd *w, int64_t tiles);

#endif
