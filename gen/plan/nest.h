/* nest: the loop nest that a direct plan stands for, as plain numbers.
 *
 *     items           image x channel block x depth x row tile x chunk, in the plan's order
 *     column tiles    those of the chunk, wide ones first, then narrow ones
 *     kd, kh, kw, ic  around one register tile of rows x cols x vecs
 *
 * What the emitter emits, the cost model counts and the runtime splits is all read from here.
 * Stands on: plan, layout.
 */
#ifndef GEN_PLAN_NEST_H
#define GEN_PLAN_NEST_H

#include "gen/plan/layout.h"

/* The largest register tile: what a plan may ask for and the emitter holds. */
enum {
    TILE_ROWS = 8,
    TILE_COLS = 32,
    TILE_VECS = 8,
    TILE_ACCUMULATORS = 64,
    TILE_SPLIT = 8,
    TILE_DOTS = 4
};

/* An extent split into tiles of two widths that differ by at most one, the wide ones first. */
struct split {
    int64_t extent, tiles, wide, narrow, wide_tiles;
};
struct split split_even(int64_t extent, int64_t most);
struct split split_full(int64_t extent, int64_t width); /* all full but for the last */
int64_t split_width(const struct split *s, int64_t tile);
int64_t split_begin(const struct split *s, int64_t tile);

/* What the lanes of a channel block hold: a full one, or the last of a group. */
struct channel_class {
    int64_t cols;   /* LANES_OW: channels                           */
    int vecs;       /* else: vectors; LANES_IC: channels            */
    int last_lanes; /* active lanes of the last vector              */
    int64_t width;  /* slots of one k-step in the packed weights    */
};

struct nest {
    const struct problem *p;
    struct plan_direct plan;
    struct layout layout;
    int lanes;         /* elements in a vector  */
    int64_t bytes;     /* of one element of what is computed, of weights, and of bias */
    int64_t src_bytes; /* of the source                                               */
    int64_t dst_bytes; /* of the results, residual and tensor args                    */

    /* The problem as the nest sees it: folded where the plan says so. */
    int64_t in[3], out[3];
    int64_t src_stride[5], dst_stride[5];
    bool scattered; /* folded pixels are not evenly apart: every tile has code of its own */

    /* Row tiles: rows of one phase lie row_step apart, so that with dilation, too, they share what
     * they read. Phases may lack a last row. */
    int64_t row_step, phases, row_tiles;
    bool permutes;           /* the target moves lanes to places that the kernel computes */
    struct split rows, cols; /* rows: of one phase */
    bool merged; /* narrow column tiles run the code of wide ones, whose last column they repeat */
    int64_t chunk, chunks; /* column tiles in an item, items across */

    /* Of each group: the channels that this nest computes. */
    int64_t first_channel, channels;
    int64_t blocks, blocks_per_group; /* the same with LANES_GROUPS */
    int64_t block_channels;
    int classes; /* 1, or 2 where the last block of a group is narrower */
    struct channel_class channel[2];
};

/* The first, or only, nest of a plan. `plan` must have passed plan_check, or be about to: nothing
 * here depends on its fitting. */
void nest_of(const struct problem *p, const struct plan_direct *plan, const struct target *t,
             struct nest *n);

/* The nests of a plan, whose items follow one another: one, or with `rest` two. Returns how many.
 */
enum { PARTS_MAX = 2 };
int nest_parts(const struct problem *p, const struct plan_direct *plan, const struct target *t,
               struct nest part[PARTS_MAX]);

/* Column tiles of a work item where rows are long, some 16; 0: all of the row. */
int64_t nest_chunk(int64_t tiles);

/* May the output be treated as one row of pixels, and are those of the source evenly apart too? */
bool nest_foldable(const struct problem *p);
bool nest_even_pixels(const struct problem *p);

/* Are tiles of `cols` columns, whose lanes hold channels that lie apart in dst, stored by columns,
 * which lie side by side there? Their vectors are turned over in registers. */
bool nest_turned(const struct nest *n, int64_t cols);

int64_t nest_items(const struct nest *n, int64_t batch);

/* ---- borders along the height -------------------------------------------------------------- */

/* Rows [begin, end) of a row tile: those that one of its taps reads inside. */
struct row_set {
    int begin, end;
};

enum { ROW_SETS_MAX = 8 };

/* The sets, neither empty nor full, that taps of row tiles of `rows` rows meet; -1 where there are
 * more than ROW_SETS_MAX or too many tiles to look at. */
int nest_row_sets(const struct nest *n, int rows, struct row_set list[ROW_SETS_MAX]);

/* ---- borders along the width --------------------------------------------------------------- */

/* Column tiles [begin, end) of one width that read their taps in one way. An edge segment is a
 * single tile, whose position is a constant. */
struct segment {
    int64_t begin, end;
    int64_t width;
    bool edge;
};

/* Taps [begin, end) along the width that can run in one loop: each column reads inside, or is
 * skipped, for all of them. A tap for which one reads folded or constant values is a run alone. */
struct tap_run {
    int64_t begin, end;
};

enum { SEGMENTS_MAX = 40, RUNS_MAX = 64, SCATTERED_MAX = 64 };

/* The segments of a row; -1 where there are more than SEGMENTS_MAX. */
int nest_segments(const struct nest *n, struct segment list[SEGMENTS_MAX]);

/* The runs of an edge tile; -1 where there are more than RUNS_MAX. */
int nest_runs(const struct nest *n, const struct segment *s, struct tap_run list[RUNS_MAX]);

/* Column of the input that tap kw of output column ow reads; -1: outside. */
int64_t nest_column(const struct nest *n, int64_t ow, int64_t kw);

/* Scattered: elements from the image's first pixel to the one that output pixel `i` reads. */
int64_t nest_pixel(const struct nest *n, int64_t i);

/* ---- taps=window ----------------------------------------------------------------------------
 *
 * Row y of a tile's window lies y*dilation rows below its first. Row r of the tile meets it with
 * row y - r*step of the taps. */
int64_t nest_window_step(const struct nest *n);

/* Splits the output rows, of which those of a window lie so far apart that their taps read the same
 * rows of the input. For nest_of. */
void nest_rows(struct nest *n);

/* Are the rows that serve all rows of the tile a loop? */
bool nest_window_tall(const struct nest *n);

/* Are the channels of a group written down, for want of a loop that could permute? */
bool nest_window_channels_written(const struct nest *n);

/* May a row in [begin, end) of the window lie outside of the input, in a tile of `rows` rows? */
bool nest_window_outside(const struct nest *n, int rows, int64_t begin, int64_t end);

int64_t nest_window_emitted(const struct nest *n);

/* Multiply-adds that the emitter would write down for all parts of a plan; grows with the code. -1:
 * too many to say. */
int64_t nest_emitted(const struct problem *p, const struct plan_direct *plan,
                     const struct target *t);

#endif
