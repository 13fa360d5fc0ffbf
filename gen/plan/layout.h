/* layout: where each weight lies among the packed ones. Stated once, here; packing, the reference
 * and the emitted addresses all follow it.
 *
 *     [group blocks][channel blocks][kd][kh][kw][ic in group][width of the block]
 *
 * A block is `block` channels of one group, or (vector_groups > 0) all channels of group_block
 * groups, of which each vector of `lanes` holds `vector_groups`. The last block of a group may be
 * narrower. The last `dots` channels of each group lie behind all blocks, as they are multiplied,
 *
 *     [group][channel][kd][kh][kw][ic in group]
 *
 * Slots that no channel fills hold 0. `plain` is [oc][ic/groups][kd][kh][kw]. Stands on:
 * problem, plan.
 */
#ifndef GEN_PLAN_LAYOUT_H
#define GEN_PLAN_LAYOUT_H

#include "gen/plan/plan.h"

struct layout {
    bool plain;
    bool transformed; /* elements are no plain weights: only layout_elements and layout_hash hold */
    bool flip;        /* packed mirrored, so that kernels never know  */
    int64_t oc, icg, ocg, groups;
    int64_t kernel[3];
    int64_t block;                /* slots of a full block, a multiple of `unit`  */
    int64_t unit;                 /* widths are multiples of this                 */
    int64_t group_block;          /* groups in a block  */
    int64_t vector_groups, lanes; /* where blocks hold groups                      */
    int64_t dots;                 /* channels of each group that lie behind the blocks */
};

void layout_plain(const struct problem *p, struct layout *l);
void layout_direct(const struct problem *p, const struct plan_direct *plan, const struct target *t,
                   struct layout *l);

/* Elements in a vector of the plan. */
int layout_lanes(const struct problem *p, const struct plan_direct *plan, const struct target *t);

/* Groups that one vector of LANES_GROUPS holds; 0: that does not fit. */
int64_t layout_vector_groups(const struct problem *p, int lanes);

/* Identifies the layout, for the header of packed weights. */
uint64_t layout_hash(const struct layout *l);

/* Elements, without the header. */
int64_t layout_elements(const struct layout *l);

/* Element index of the weight that plain[o][i][kd][kh][kw] holds. */
int64_t layout_index(const struct layout *l, int64_t o, int64_t i, const int64_t tap[3]);

/* Slots of channel block b (counted over all groups), and elements before it. */
int64_t layout_width(const struct layout *l, int64_t b);
int64_t layout_blocks(const struct layout *l);
int64_t layout_block_elements(const struct layout *l); /* of a full block */
int64_t
layout_group_elements(const struct layout *l); /* of one group, or of all blocks across groups */
int64_t layout_block_offset(const struct layout *l, int64_t b);

/* Channels whose places are evenly apart, in loops inside each other: with n[k] < loop[k].count,
 * channel first + sum of n[k]*loop[k].channels has its weight of input i and flat tap t (counted in
 * the packed order, flipped or not) at
 *
 *     element + sum of n[k]*loop[k].elements + (t*icg + i)*width
 */
enum { PIECE_LOOPS = 4, PIECES_MAX = 3 };
struct layout_piece {
    int64_t first, element, width;
    struct {
        int64_t count, channels, elements;
    } loop[PIECE_LOOPS];
};

/* The pieces that hold every channel once. Not of a plain layout. Returns how many. */
int layout_pieces(const struct layout *l, struct layout_piece list[PIECES_MAX]);

/* Elements before the dots. */
int64_t layout_dots_offset(const struct layout *l);

#endif
