/* Facts of taps=window: how the rows of a window lie, and how much code they make. */
#include "gen/plan/nest.h"
#include "gen/plan/work.h"

#include "gen/base/number.h"

/* Taps of a window that is written down whole; rows and columns of one that code could name at all,
 * so few that each can be looked at. */
enum { WHOLE_MAX = 27, NAMED_MAX = 1 << 12 };

void nest_rows(struct nest *n)
{
    const struct convc_problem *p = &n->p->p;
    int64_t oh = n->out[CONVC_H], dilation = p->dilation[CONVC_H];
    n->row_step = 1;
    if (n->plan.taps == TAPS_WINDOW)
        n->row_step = dilation / gcd(dilation, p->stride[CONVC_H]);
    n->phases = n->row_step < oh ? n->row_step : oh;
    n->rows = split_even(ceil_div(oh, n->phases), n->plan.rows);
    n->row_tiles = n->phases * n->rows.tiles;
}

int64_t nest_window_step(const struct nest *n)
{
    const struct convc_problem *p = &n->p->p;
    return n->row_step * p->stride[CONVC_H] / p->dilation[CONVC_H];
}

bool nest_window_tall(const struct nest *n)
{
    const int64_t *kernel = n->p->p.kernel;
    return kernel[CONVC_H] > WHOLE_MAX || kernel[CONVC_H] * kernel[CONVC_W] > WHOLE_MAX;
}

bool nest_window_channels_written(const struct nest *n)
{
    return n->plan.lanes == LANES_GROUPS && n->p->icg > 1 && !n->permutes;
}

/* Output row that row r of a row tile computes, the first and last over all tiles of a height. */
static void row_range(const struct nest *n, int rows, int64_t *first, int64_t *last)
{
    const struct split *s = &n->rows;
    bool wide = rows == s->wide;
    int64_t begin = wide ? 0 : s->wide_tiles, end = wide ? s->wide_tiles : s->tiles;
    *first = split_begin(s, begin) * n->row_step;
    *last = split_begin(s, end - 1) * n->row_step + n->phases - 1;
}

bool nest_window_outside(const struct nest *n, int rows, int64_t begin, int64_t end)
{
    const struct convc_problem *p = &n->p->p;
    int64_t first, last;
    row_range(n, rows, &first, &last);
    int64_t low = first * p->stride[CONVC_H] - p->pad_begin[CONVC_H];
    int64_t high = last * p->stride[CONVC_H] - p->pad_begin[CONVC_H];
    return low + begin * p->dilation[CONVC_H] < 0 ||
           high + (end - 1) * p->dilation[CONVC_H] >= n->in[CONVC_H];
}

/* Rows of taps times rows of the tile that the code for one height names; -1: far too many. */
static int64_t rows_written(const struct nest *n, int64_t rows)
{
    int64_t kernel = n->p->p.kernel[CONVC_H], last = (rows - 1) * nest_window_step(n), count = 0;
    bool tall = nest_window_tall(n) && kernel > last + 1;
    if (last > NAMED_MAX || (!tall && kernel > NAMED_MAX))
        return -1;
    for (int64_t y = 0; y < kernel + last; y = tall && y == last ? kernel : y + 1) {
        int64_t used = 0;
        for (int64_t r = 0; r < rows; r++) {
            int64_t tap = y - r * nest_window_step(n);
            used += tap >= 0 && tap < kernel;
        }
        bool twice = n->p->p.padding_mode == CONVC_PAD_CONSTANT &&
                     nest_window_outside(n, (int)rows, y, y + 1);
        count += twice ? 2 * used : used;
    }
    return count;
}

int64_t nest_window_emitted(const struct nest *n)
{
    struct segment list[SEGMENTS_MAX];
    int segments = nest_segments(n, list);
    bool ow = n->plan.lanes == LANES_OW;
    int64_t columns = 0, vecs = 0, rows = rows_written(n, n->rows.wide), narrow = 0;
    if (n->rows.wide > n->rows.narrow)
        narrow = rows_written(n, n->rows.narrow);
    if (segments < 0 || rows < 0 || narrow < 0 || n->p->p.kernel[CONVC_W] > NAMED_MAX)
        return -1;
    for (int i = 0; i < segments; i++)
        columns += ow ? ceil_div(list[i].width, n->lanes) : list[i].width;
    for (int i = 0; i < n->classes; i++)
        vecs += ow ? n->channel[i].cols : n->channel[i].vecs;
    int64_t steps = nest_window_channels_written(n) ? n->p->icg : 1;
    return (rows + narrow) * columns * n->p->p.kernel[CONVC_W] * vecs * steps * work_written(n->p);
}
