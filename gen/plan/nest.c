#include "gen/plan/nest.h"

#include "gen/base/number.h"
#include "gen/plan/work.h"

/* ---- splits -------------------------------------------------------------------------------- */

struct split split_even(int64_t extent, int64_t most)
{
    int64_t tiles = ceil_div(extent, most);
    int64_t narrow = extent / tiles, wide_tiles = extent % tiles;
    if (!wide_tiles)
        return (struct split){ extent, tiles, narrow, narrow, tiles };
    return (struct split){ extent, tiles, narrow + 1, narrow, wide_tiles };
}

struct split split_full(int64_t extent, int64_t width)
{
    int64_t full = extent / width, rest = extent % width;
    if (!rest)
        return (struct split){ extent, full, width, width, full };
    return (struct split){ extent, full + 1, width, rest, full };
}

int64_t split_width(const struct split *s, int64_t tile)
{
    return tile < s->wide_tiles ? s->wide : s->narrow;
}

int64_t split_begin(const struct split *s, int64_t tile)
{
    int64_t wide = tile < s->wide_tiles ? tile : s->wide_tiles;
    return wide * s->wide + (tile - wide) * s->narrow;
}

/* ---- the nest ------------------------------------------------------------------------------ */

/* Do rows follow each other `step` pixels apart, and planes likewise? */
static bool in_one_row(const int64_t s[5], const int64_t extent[3])
{
    int64_t plane = extent[CONVC_W] * s[CONVC_STRIDE_W];
    bool rows = extent[CONVC_H] == 1 || s[CONVC_STRIDE_H] == plane;
    return rows && (extent[CONVC_D] == 1 || s[CONVC_STRIDE_D] == extent[CONVC_H] * plane);
}

bool nest_even_pixels(const struct problem *p)
{
    for (int a = 0; a < 3; a++) {
        if (p->p.stride[a] != 1 || p->p.in[a] != p->out[a])
            return false;
    }
    return in_one_row(p->p.src_stride, p->p.in);
}

bool nest_foldable(const struct problem *p)
{
    const struct convc_problem *c = &p->p;
    for (int a = 0; a < 3; a++) {
        if (c->kernel[a] != 1 || problem_axis_pads(p, a))
            return false;
    }
    return in_one_row(c->dst_stride, p->out) &&
           (nest_even_pixels(p) || p->out[0] * p->out[1] * p->out[2] <= SCATTERED_MAX);
}

int64_t nest_pixel(const struct nest *n, int64_t i)
{
    const struct convc_problem *p = &n->p->p;
    int64_t offset = 0;
    for (int a = CONVC_W; a >= CONVC_D; a--) {
        int64_t at = i % n->p->out[a] * p->stride[a] - p->pad_begin[a];
        offset += at * p->src_stride[CONVC_STRIDE_D + a];
        i /= n->p->out[a];
    }
    return offset;
}

static void fold(struct nest *n, int64_t width)
{
    int64_t total = n->out[0] * n->out[1] * n->out[2];
    n->scattered = !nest_even_pixels(n->p);
    n->out[CONVC_D] = n->in[CONVC_D] = 1;
    n->out[CONVC_H] = n->in[CONVC_H] = total / width;
    n->out[CONVC_W] = n->in[CONVC_W] = width;
    n->src_stride[CONVC_STRIDE_H] = width * n->src_stride[CONVC_STRIDE_W];
    n->dst_stride[CONVC_STRIDE_H] = width * n->dst_stride[CONVC_STRIDE_W];
}

/* Channel blocks within one group of LANES_OC and LANES_OW, or over all groups of LANES_GROUPS. */
static void channel_blocks(struct nest *n)
{
    const struct problem *p = n->p;
    const struct plan_direct *d = &n->plan;
    bool across = d->lanes == LANES_GROUPS, dots = d->lanes == LANES_IC;
    int64_t extent = across ? p->p.oc : n->channels;
    int64_t per_vector = across ? n->layout.vector_groups * p->ocg : dots ? 1 : n->lanes;
    n->block_channels = d->lanes == LANES_OW ? d->cols : d->vecs * per_vector;
    n->blocks_per_group = ceil_div(extent, n->block_channels);
    n->blocks = across ? n->blocks_per_group : n->blocks_per_group * p->p.groups;
    int64_t rest = extent % n->block_channels;
    bool full = extent >= n->block_channels;
    n->classes = 0;
    for (int i = 0; i < 2; i++) {
        int64_t channels = i ? rest : n->block_channels;
        if (i ? !rest : !full)
            continue;
        struct channel_class *c = &n->channel[n->classes++];
        c->cols = channels;
        c->vecs = d->lanes == LANES_OW ? d->vecs : (int)ceil_div(channels, per_vector);
        c->last_lanes = (int)(channels - (c->vecs - 1) * per_vector);
        c->width = d->lanes == LANES_OW ? channels : (int64_t)c->vecs * n->lanes;
        if (dots)
            c->width = 1;
    }
}

/* Code for narrow tiles costs a third of the compile time; where they are few, running them as wide
 * ones costs a fiftieth of the run time at most. */
static bool mergeable(const struct nest *n)
{
    const struct split *s = &n->cols;
    int64_t wasted = s->tiles * s->wide - s->extent;
    bool columns = n->plan.lanes == LANES_OC || n->plan.lanes == LANES_GROUPS;
    return columns && n->plan.border == BORDER_NONE && !n->scattered &&
           n->plan.taps != TAPS_WINDOW && s->wide != s->narrow && s->narrow >= 1 &&
           wasted * 50 <= s->extent;
}

/* The nest of channels [first, first + channels) of each group. */
static void nest_channels(const struct problem *p, const struct plan_direct *plan,
                          const struct target *t, int64_t first, int64_t channels, struct nest *n)
{
    *n = (struct nest){ .p = p, .plan = *plan };
    n->bytes = dtype_bytes(p->p.acc_dtype);
    n->src_bytes = dtype_bytes(p->p.src_dtype);
    n->dst_bytes = dtype_bytes(p->p.dst_dtype);
    n->lanes = layout_lanes(p, plan, t);
    for (int a = 0; a < 3; a++) {
        n->in[a] = p->p.in[a];
        n->out[a] = p->out[a];
    }
    for (int a = 0; a < 5; a++) {
        n->src_stride[a] = p->p.src_stride[a];
        n->dst_stride[a] = p->p.dst_stride[a];
    }
    if (plan->fold)
        fold(n, plan->fold);
    layout_direct(p, plan, t, &n->layout);
    n->first_channel = first;
    n->channels = channels;
    nest_rows(n);
    n->permutes = t->permutes && (!plan->half || n->bytes == 4);
    n->cols = plan->lanes == LANES_OW ? split_full(n->out[CONVC_W], (int64_t)plan->vecs * n->lanes)
                                      : split_even(n->out[CONVC_W], plan->cols);
    n->chunk = plan->chunk ? plan->chunk : n->cols.tiles;
    n->chunks = ceil_div(n->cols.tiles, n->chunk);
    n->merged = mergeable(n);
    channel_blocks(n);
}

static int64_t rest_channels(const struct problem *p, const struct plan_direct *plan,
                             const struct target *t)
{
    return plan->rest ? p->ocg % layout_lanes(p, plan, t) : 0;
}

void nest_of(const struct problem *p, const struct plan_direct *plan, const struct target *t,
             struct nest *n)
{
    nest_channels(p, plan, t, 0, p->ocg - rest_channels(p, plan, t), n);
}

int nest_parts(const struct problem *p, const struct plan_direct *plan, const struct target *t,
               struct nest part[PARTS_MAX])
{
    nest_of(p, plan, t, &part[0]);
    int64_t rest = rest_channels(p, plan, t), ow = part[0].out[CONVC_W];
    if (!rest)
        return 1;
    struct plan_direct dots = { .lanes = LANES_IC,
                                .rows = 1,
                                .vecs = (int)split_even(rest, TILE_DOTS).wide,
                                .order = plan->order,
                                .border = plan->border,
                                .fold = plan->fold,
                                .half = plan->half };
    int64_t most = t->vector_registers * 3 / 4 / dots.vecs;
    dots.cols = (int)split_even(ow, most < target_lanes(t, 4) ? most : target_lanes(t, 4)).wide;
    dots.chunk = nest_chunk(split_even(ow, dots.cols).tiles);
    nest_channels(p, &dots, t, p->ocg - rest, rest, &part[1]);
    part[1].layout = part[0].layout;
    return 2;
}

int64_t nest_chunk(int64_t tiles)
{
    int64_t chunks = ceil_div(tiles, 16);
    return chunks > 1 ? ceil_div(tiles, chunks) : 0;
}

/* Turning over a square pays from this many columns on. */
enum { TURNED_MIN = 3 };

bool nest_turned(const struct nest *n, int64_t cols)
{
    const int64_t *stride = n->dst_stride;
    bool channels = n->plan.lanes == LANES_OC || n->plan.lanes == LANES_GROUPS;
    return channels && cols >= TURNED_MIN && stride[CONVC_STRIDE_W] == 1 &&
           stride[CONVC_STRIDE_C] != 1;
}

int64_t nest_items(const struct nest *n, int64_t batch)
{
    int64_t blocks = n->plan.order == ORDER_PIXELS ? 1 : n->blocks;
    return batch * blocks * n->out[CONVC_D] * n->row_tiles * n->chunks;
}

/* ---- borders along the height -------------------------------------------------------------- */

/* Row tiles times taps that are looked at one by one. */
enum { LOOKED_AT_MAX = 1 << 12 };

/* Rows of the tile at `oh` that tap kh reads inside. They lie side by side. */
static struct row_set rows_inside(const struct nest *n, int64_t oh, int rows, int64_t kh)
{
    const struct convc_problem *p = &n->p->p;
    struct row_set set = { rows, rows };
    for (int r = rows - 1; r >= 0; r--) {
        int64_t at = (oh + r) * p->stride[CONVC_H] - p->pad_begin[CONVC_H];
        at += kh * p->dilation[CONVC_H];
        if (at >= n->in[CONVC_H])
            set.end = r;
        if (at >= 0)
            set.begin = r;
    }
    if (set.begin > set.end)
        set.begin = set.end;
    return set;
}

/* Adds `set` where it is new; false where there is no room. */
static bool add_row_set(struct row_set *list, int *count, struct row_set set)
{
    for (int i = 0; i < *count; i++) {
        if (list[i].begin == set.begin && list[i].end == set.end)
            return true;
    }
    if (*count == ROW_SETS_MAX)
        return false;
    list[(*count)++] = set;
    return true;
}

int nest_row_sets(const struct nest *n, int rows, struct row_set list[ROW_SETS_MAX])
{
    int64_t kernel = n->p->p.kernel[CONVC_H];
    int count = 0;
    if (n->rows.tiles > LOOKED_AT_MAX || kernel > LOOKED_AT_MAX / n->rows.tiles)
        return -1;
    for (int64_t tile = 0; tile < n->rows.tiles; tile++) {
        if (split_width(&n->rows, tile) != rows)
            continue;
        for (int64_t kh = 0; kh < kernel; kh++) {
            struct row_set set = rows_inside(n, split_begin(&n->rows, tile), rows, kh);
            bool full = set.end - set.begin == rows, empty = set.end == set.begin;
            if (!full && !empty && !add_row_set(list, &count, set))
                return -1;
        }
    }
    return count;
}

/* ---- borders along the width --------------------------------------------------------------- */

static int64_t position(const struct nest *n, int64_t ow, int64_t kw)
{
    const struct convc_problem *p = &n->p->p;
    return ow * p->stride[CONVC_W] - p->pad_begin[CONVC_W] + kw * p->dilation[CONVC_W];
}

int64_t nest_column(const struct nest *n, int64_t ow, int64_t kw)
{
    return problem_border(n->p->p.padding_mode, position(n, ow, kw), n->in[CONVC_W]);
}

static bool inside(const struct nest *n, int64_t ow, int64_t kw)
{
    int64_t at = position(n, ow, kw);
    return at >= 0 && at < n->in[CONVC_W];
}

static bool is_edge(const struct nest *n, int64_t begin, int64_t width)
{
    if (n->scattered)
        return true;
    return !inside(n, begin, 0) || !inside(n, begin + width - 1, n->p->p.kernel[CONVC_W] - 1);
}

/* Tiles from `tile` on that are inside and equally wide. */
static int64_t interior_end(const struct nest *n, int64_t tile)
{
    int64_t width = split_width(&n->cols, tile);
    int64_t end = width == n->cols.wide ? n->cols.wide_tiles : n->cols.tiles;
    if (n->cols.wide == n->cols.narrow)
        end = n->cols.tiles;
    int64_t low = tile, high = end;
    while (low < high) {
        int64_t mid = low + (high - low) / 2;
        if (is_edge(n, split_begin(&n->cols, mid), width))
            high = mid;
        else
            low = mid + 1;
    }
    return low;
}

int nest_segments(const struct nest *n, struct segment list[SEGMENTS_MAX])
{
    bool peel = n->plan.border == BORDER_PEEL || n->scattered;
    int count = 0;
    for (int64_t tile = 0; tile < n->cols.tiles; count++) {
        if (count == SEGMENTS_MAX)
            return -1;
        int64_t width = split_width(&n->cols, tile);
        struct segment *s = &list[count];
        *s = (struct segment){ .begin = tile, .width = width };
        s->edge = peel && is_edge(n, split_begin(&n->cols, tile), width);
        if (s->edge)
            s->end = tile + 1;
        else if (peel)
            s->end = interior_end(n, tile);
        else if (n->merged)
            s->end = n->cols.tiles;
        else
            s->end = tile < n->cols.wide_tiles ? n->cols.wide_tiles : n->cols.tiles;
        tile = s->end;
    }
    return count;
}

enum { READS_INSIDE, READS_NOTHING, READS_MIXED };

/* How outputs [begin, end) read tap kw. */
static int reads(const struct nest *n, int64_t begin, int64_t end, int64_t kw)
{
    int64_t in = 0, nothing = 0;
    bool zeros = n->p->p.padding_mode == CONVC_PAD_ZEROS;
    for (int64_t ow = begin; ow < end; ow++) {
        in += inside(n, ow, kw);
        nothing += zeros && !inside(n, ow, kw);
    }
    if (in == end - begin)
        return READS_INSIDE;
    return nothing == end - begin ? READS_NOTHING : READS_MIXED;
}

/* Columns that stand or fall together: one output column, or the lanes of one vector. */
static int64_t column_unit(const struct nest *n)
{
    return n->plan.lanes == LANES_OW ? n->lanes : 1;
}

static bool same_reads(const struct nest *n, const struct segment *s, int64_t kw, bool *mixed)
{
    int64_t unit = column_unit(n), begin = split_begin(&n->cols, s->begin), end = begin + s->width;
    bool same = kw > 0;
    *mixed = false;
    for (int64_t at = begin; at < end; at += unit) {
        int64_t stop = at + unit < end ? at + unit : end;
        int now = reads(n, at, stop, kw);
        *mixed = *mixed || now == READS_MIXED;
        same = same && now == reads(n, at, stop, kw - 1);
    }
    return same && !*mixed;
}

/* The first tap of output `ow` that reads at input column `column` or right of it. */
static int64_t first_tap(const struct nest *n, int64_t ow, int64_t column)
{
    int64_t from = column - position(n, ow, 0);
    return from > 0 ? ceil_div(from, n->p->p.dilation[CONVC_W]) : 0;
}

/* The next tap at which a column of the segment enters or leaves the input: kernels may be longer
 * than anything that could be tried tap by tap. */
static int64_t next_change(const struct nest *n, const struct segment *s, int64_t kw)
{
    int64_t next = n->p->p.kernel[CONVC_W], begin = split_begin(&n->cols, s->begin);
    for (int64_t ow = begin; ow < begin + s->width; ow++) {
        int64_t enter = first_tap(n, ow, 0), leave = first_tap(n, ow, n->in[CONVC_W]);
        if (enter > kw && enter < next)
            next = enter;
        if (leave > kw && leave < next)
            next = leave;
    }
    return next;
}

int nest_runs(const struct nest *n, const struct segment *s, struct tap_run list[RUNS_MAX])
{
    int64_t taps = n->p->p.kernel[CONVC_W], end;
    int count = 0;
    if (n->scattered) {
        list[0] = (struct tap_run){ 0, 1 };
        return 1;
    }
    for (int64_t kw = 0; kw < taps; kw = end) {
        bool mixed, same = same_reads(n, s, kw, &mixed);
        end = mixed ? kw + 1 : next_change(n, s, kw);
        if (same)
            list[count - 1].end = end;
        else if (count == RUNS_MAX)
            return -1;
        else
            list[count++] = (struct tap_run){ kw, end };
    }
    return count;
}

/* Blocks of code for the taps of one tile. */
static int64_t tile_bodies(const struct nest *n, const struct segment *s)
{
    struct tap_run runs[RUNS_MAX];
    if (n->plan.taps == TAPS_UNROLL)
        return n->p->p.kernel[CONVC_W];
    if (n->plan.border == BORDER_COMPUTED)
        return n->plan.lanes == LANES_OC || n->plan.lanes == LANES_IC
                   ? 2
                   : 1; /* once for all columns, once for each alone */
    return s->edge ? nest_runs(n, s, runs) : 1;
}

/* Rows of all the code for a row tile: rows that fall outside leave the others to code of their
 * own. */
static int64_t written_rows(const struct nest *n, int rows)
{
    struct row_set sets[ROW_SETS_MAX];
    if (rows <= 1 || !problem_axis_pads(n->p, CONVC_H))
        return rows;
    int count = n->p->p.padding_mode == CONVC_PAD_ZEROS ? nest_row_sets(n, rows, sets) : -1;
    int64_t written = count < 0 ? 2 * rows : rows;
    for (int i = 0; i < count; i++)
        written += sets[i].end - sets[i].begin;
    return written;
}

/* Taps or channels that could be written down one by one; with more, the product might overflow. */
enum { WRITTEN_MAX = 1 << 16 };

static int64_t emitted(const struct nest *n)
{
    if (n->plan.taps == TAPS_WINDOW)
        return nest_window_emitted(n);
    struct segment list[SEGMENTS_MAX];
    int count = nest_segments(n, list);
    int64_t bodies = 0, steps = n->plan.lanes == LANES_GROUPS ? n->p->icg : 1;
    if (n->plan.lanes == LANES_IC)
        steps = 2; /* full vectors, and what is left of a line */
    if (count < 0 || steps > WRITTEN_MAX)
        return -1;
    for (int i = 0; i < count; i++) {
        int64_t b = tile_bodies(n, &list[i]);
        if (b < 0 || b > WRITTEN_MAX)
            return -1;
        int64_t wide =
            n->plan.lanes == LANES_OW ? ceil_div(list[i].width, n->lanes) : list[i].width;
        bodies += b * wide;
    }
    int64_t channels = 0;
    for (int i = 0; i < n->classes; i++)
        channels += n->plan.lanes == LANES_OW ? n->channel[i].cols : n->channel[i].vecs;
    int64_t rows = written_rows(n, (int)n->rows.wide);
    if (n->rows.wide > n->rows.narrow)
        rows += written_rows(n, (int)n->rows.narrow);
    if (n->p->p.padding_mode == CONVC_PAD_CONSTANT)
        rows *= 2;
    return bodies * channels * rows * steps * work_written(n->p);
}

int64_t nest_emitted(const struct problem *p, const struct plan_direct *plan,
                     const struct target *t)
{
    struct nest part[PARTS_MAX];
    int64_t total = 0;
    for (int i = nest_parts(p, plan, t, part) - 1; i >= 0; i--) {
        int64_t e = emitted(&part[i]);
        if (e < 0)
            return -1;
        total += e;
    }
    return total;
}
