/* What a plan with taps=window should cost: like direct_cost, but what is loaded from a row of the
 * input serves all rows of the tile and all taps that read there. */
#include "gen/plan/direct_cost.h"
#include "gen/plan/work.h"

#include "gen/base/number.h"
#include "gen/plan/cost.h"

#include <math.h>

/* Taps that are looked at one by one; of more, as many evenly apart tell enough. */
enum { LOOKED_AT_MAX = 256 };

double direct_inside_share(const struct nest *n, int axis)
{
    const struct convc_problem *p = &n->p->p;
    double inside = 0, all = 0;
    int64_t apart = 1 + p->kernel[axis] / LOOKED_AT_MAX;
    if (p->padding_mode != CONVC_PAD_ZEROS || !problem_axis_pads(n->p, axis))
        return 1;
    for (int64_t k = 0; k < p->kernel[axis]; k += apart) {
        int64_t at = k * p->dilation[axis] - p->pad_begin[axis], stride = p->stride[axis];
        int64_t begin = at < 0 ? ceil_div(-at, stride) : 0;
        int64_t end = at >= n->in[axis] ? 0 : (n->in[axis] - 1 - at) / stride + 1;
        end = end < n->out[axis] ? end : n->out[axis];
        inside += end > begin ? (double)(end - begin) : 0;
        all += (double)n->out[axis];
    }
    return inside / all;
}

/* What one body of tile does. */
struct body {
    double rows, cols, vecs;
    double times; /* over an image */
};

double direct_window_rows(const struct nest *n, double rows)
{
    double step = (double)nest_window_step(n), kernel = (double)n->p->p.kernel[CONVC_H];
    return step < kernel ? (rows - 1) * step + kernel : rows * kernel;
}

double direct_window_columns(const struct nest *n, double cols)
{
    const struct convc_problem *p = &n->p->p;
    double span = (cols - 1) * (double)p->stride[CONVC_W] +
                  (double)((p->kernel[CONVC_W] - 1) * p->dilation[CONVC_W]) + 1;
    double reads = cols * (double)p->kernel[CONVC_W];
    return span < reads ? span : reads;
}

/* LANES_OW: vectors loaded from one row of the window, counted twice as rows begin anywhere in a
 * line; under a stride of two neighbouring taps share some of theirs. */
static double column_loads(const struct nest *n, double vecs)
{
    double taps = (double)n->p->p.kernel[CONVC_W];
    int64_t step = n->p->p.stride[CONVC_W] * n->src_stride[CONVC_STRIDE_W];
    return vecs * taps * (step == 1 ? 2 : step == 2 ? 3 : n->lanes);
}

/* Do loads of vectors straddle lines? */
static bool straddles(const struct nest *n)
{
    int64_t pixel = n->src_stride[CONVC_STRIDE_W] * n->src_bytes;
    int64_t block = n->block_channels / n->p->ocg * n->p->icg * n->src_bytes;
    return n->plan.lanes == LANES_GROUPS && (pixel % 64 || block % 64);
}

/* Lines of the source in the fullest set of L1, by its ways: `lines` a pixel apart. */
static double crowding(const struct nest *n, const struct target *t, double lines)
{
    int64_t sets = direct_sets(t, n->src_stride[CONVC_STRIDE_W] * n->src_bytes);
    return lines / (double)(sets * t->l1_ways);
}

/* Wide vectors and an L1 of 8 ways, as of Zen 4 (what follows was fitted there) and Skylake; Zen 5
 * has 12. */
static bool few_ways(const struct target *t)
{
    return t->l1_ways <= 8 && !target_narrow(t);
}

/* Depthwise planes, fitted on a Zen 4: loads that a weight is worth which its multiply-adds
 * broadcast; registers that residents leave free; how much longer blocks of many taps take for each
 * sum beyond so many; cycles that a line is late where a row of every plane is read in turn. */
static const double plane_weight = 0.25, plane_free = 5, plane_taps = 9, plane_sums = 6,
                    plane_long = 0.15, plane_row = 1;

static bool planes(const struct nest *n, const struct target *t)
{
    return t->halves && n->plan.lanes == LANES_OW && n->p->icg == 1 && n->p->ocg == 1;
}

/* Cycles of one channel of the window. */
static double channel_cycles(const struct nest *n, const struct target *t, const struct body *b,
                             struct cost *cost)
{
    const int64_t *kernel = n->p->p.kernel;
    double taps = (double)(kernel[CONVC_H] * kernel[CONVC_W]), accs = b->rows * b->cols * b->vecs;
    bool groups = n->plan.lanes == LANES_GROUPS, ow = n->plan.lanes == LANES_OW;
    double share = direct_inside_share(n, CONVC_H) * (ow ? 1 : direct_inside_share(n, CONVC_W));
    bool permuted = groups && (n->p->icg > 1 || n->p->ocg > 1);
    double each = direct_vector_cost(n, t);
    if (planes(n, t) && accs > plane_sums && taps > plane_taps)
        each *= 1 + plane_long * (accs - plane_sums);
    double fma = accs * taps * share * work_term(n->p, t) * each;
    double per_row = ow ? column_loads(n, b->vecs) : direct_window_columns(n, b->cols);
    double reads = direct_window_rows(n, b->rows) * per_row * share * (groups ? b->vecs : 1);
    double across = ow ? b->cols : b->vecs;
    double room = t->vector_registers - 3 - (groups ? b->cols : 0);
    bool resident = accs + taps * across <= room;
    double weights = (resident ? 1 : b->rows * share) * taps * across;
    if (planes(n, t) && accs + taps > room - plane_free)
        weights = b->rows * share * taps * plane_weight;
    double loads = (reads * (straddles(n) ? 2 : 1) + weights) * each;
    double shuffles = permuted ? reads * (nest_window_channels_written(n) ? 1.5 : 1) : 0;
    double live = accs + (ow ? b->vecs : b->cols * b->vecs) + 2;
    /* Sums that are multiply-adds overwrite an operand: half of what is read waits for them. */
    if (ow && t->fma && !target_narrow(t) && functions_never_multiply(&n->p->f))
        live = accs + taps * across + direct_window_rows(n, b->rows) * per_row / 4 + 2;
    double spills = live > t->vector_registers ? (live - t->vector_registers) * taps : 0;
    double crowded = crowding(n, t, direct_window_rows(n, b->rows) * (ow ? b->vecs : per_row));
    double lost = few_ways(t) ? 3 : 6; /* cycles of a read whose line others displaced */
    double again = crowded > 1 && n->p->icg > 1 ? reads * lost * (1 - 1 / crowded) : 0;
    double latency = 4 * taps * share / ((groups || ow) && n->p->icg == 1 ? 3 : 1.5);
    /* Weights that are loaded again for every row serve only the columns; with more than three rows
     * at once they displace what the columns share. */
    double reloading = resident || !groups ? 1 : 1 + 0.35 / b->cols + (b->rows > 3 ? 0.1 : 0);
    if (few_ways(t) && groups && n->p->icg > 1 && b->rows > 3)
        reloading += 0.1;
    bool narrow = target_narrow(t);
    cost->fma += b->times * fma / 2;
    cost->load += b->times * (loads / 2 + again);
    if (ow && b->cols > 1) /* long blocks of broadcasts and misaligned vectors: 0.85 of the peak */
        fma *= 1.15;
    if (n->plan.lanes == LANES_OC && n->plan.half)
        fma *= 1.12; /* a broadcast for every other one */
    if (n->plan.lanes == LANES_OC && n->p->ocg > n->lanes)
        fma *= narrow ? 1.3 : 1.05; /* 0.95 of it: weights in as many streams as there are taps */
    return larger(larger((fma + 0.3 * shuffles * each) / 2 * reloading, loads / 2 + again),
                  latency) +
           spills;
}

/* Runs over the bodies of the nest. */
static double all_bodies(const struct nest *n, const struct target *t, struct cost *cost)
{
    const struct convc_problem *p = &n->p->p;
    double total = 0, depth = (double)(n->out[CONVC_D] * n->phases);
    double steps = (double)n->p->icg * (double)p->kernel[CONVC_D] * direct_inside_share(n, CONVC_D);
    double items = (double)nest_items(n, 1);
    double tiles = depth * (double)n->rows.tiles * (double)n->cols.tiles * (double)n->blocks;
    bool ow = n->plan.lanes == LANES_OW;
    bool dense = n->dst_stride[ow ? CONVC_STRIDE_W : CONVC_STRIDE_C] == 1;
    double store = dense ? (ow ? 2 : 0.3) : 1.3 * n->lanes;
    double accs = (double)(n->plan.rows * n->plan.cols * n->plan.vecs);
    if (nest_turned(n, n->plan.cols))
        store = 4.5 * n->lanes * ceil((double)n->plan.cols / n->lanes) / n->plan.cols;
    store += work_last(n->p);
    for (int wide = 0; wide < 4; wide++) {
        const struct split *r = &n->rows, *c = &n->cols;
        double rows = (double)(wide & 1 ? r->wide_tiles : r->tiles - r->wide_tiles);
        double cols = (double)(wide & 2 ? c->wide_tiles : c->tiles - c->wide_tiles);
        struct body b = { .times = rows * cols * depth * (double)n->blocks * steps };
        b.rows = (double)(wide & 1 ? r->wide : r->narrow);
        b.cols = (double)(wide & 2 ? c->wide : c->narrow);
        b.vecs = n->plan.vecs;
        if (ow) {
            b.vecs = ceil(b.cols / n->lanes);
            b.cols = n->plan.cols;
        }
        if (b.times > 0)
            total += b.times * (channel_cycles(n, t, &b, cost) + (n->p->icg > 1 ? 2 : 0));
    }
    cost->overhead = tiles * (3 + accs * store) + items * 8;
    return total;
}

/* Cycles that a line of a plane is late on cores of 16 registers, fitted. */
static const double narrow_plane_line = 4;

/* Cycles in which the source moves from L2 to L1. What the next tiles read again stays there where
 * it fits. Rows and weights first, pixels of one block follow one another: where those crowd few
 * sets of L1, each line is late. Pixels first, lines of a pixel follow one another instead, but
 * less of them is read again. */
static double source_lines(const struct nest *n, const struct target *t, double src, double block)
{
    const struct convc_problem *p = &n->p->p;
    double rows = direct_window_rows(n, n->plan.rows),
           fresh = n->plan.rows * (double)nest_window_step(n);
    double cols = direct_window_columns(n, n->plan.cols), l1 = t->l1_bytes * 0.6;
    double pixel = (double)(p->ic * n->src_bytes), columns = (double)n->in[CONVC_W];
    double down = larger(1, rows / fresh);
    double across = larger(1, cols / (double)(n->plan.cols * p->stride[CONVC_W]));
    double sets = direct_pixel_sets(n, t);
    double own = (double)(n->plan.rows * n->plan.cols);
    double full = (rows * cols + own) * pixel / t->l1_bytes;
    if (n->plan.order == ORDER_PIXELS) {
        /* Columns that the next tile reads again are lost the sooner the more of L1 all channels of
         * the tile's pixels fill; crowded sets lose what has only just come, too. */
        double lost = full < 0.5 ? 0 : full < 1 ? 2 * full - 1 : 1;
        double again = down * (1 + (across - 1) * lost);
        if (sets <= 8 && full > 1)
            again *= 1 + 0.6 * (full - 1);
        return src * again / 64 * (n->plan.vecs > 1 ? 1.7 : 2.1);
    }
    bool weights_first = n->plan.order == ORDER_WEIGHTS;
    double kept = rows * columns * (weights_first ? block : pixel) / l1;
    if (weights_first)
        kept = larger(kept, crowding(n, t, rows * columns) * 1.4);
    double again = kept > 1 ? down : 1, late = 0;
    if (sets <= 8 && n->plan.lanes == LANES_GROUPS)
        late = src * down * across / 64 * (weights_first ? 3 : 1.6) * larger(1, full);
    /* Rows of one plane after the other come ahead of their use; a row of every plane does not. */
    bool narrow = target_narrow(t);
    if (narrow && n->plan.lanes == LANES_OW && !weights_first && n->p->icg == 1)
        late = src * down / 64 * narrow_plane_line;
    if (planes(n, t) && !weights_first)
        late = src * down / 64 * plane_row;
    double repeats = n->plan.lanes == LANES_OC ? (double)n->blocks_per_group : 1;
    return src * again * repeats / 45 + late;
}

/* Cycles lost where the lines of a window crowd few sets of L1: 8 ways lose what was asked for
 * ahead, the more the more rows there are, each a stream of its own. Fitted. */
static double tall_window(const struct nest *n, const struct target *t)
{
    double rows = direct_window_rows(n, n->plan.rows);
    double lines = rows * direct_window_columns(n, n->plan.cols) * n->plan.vecs;
    double tiles = (double)(n->out[CONVC_D] * n->phases * n->blocks);
    tiles *= (double)(n->rows.tiles * n->cols.tiles);
    bool crowded = n->plan.lanes == LANES_GROUPS && direct_pixel_sets(n, t) <= 8;
    return crowded && few_ways(t) && n->p->icg > 1 ? tiles * lines * 0.3 * larger(0, rows - 4) : 0;
}

/* Bytes that move into L1 and into L2. */
static void traffic(const struct nest *n, const struct target *t, struct cost *cost)
{
    const struct convc_problem *p = &n->p->p;
    double src_bytes = (double)n->src_bytes, dst_bytes = (double)n->dst_bytes;
    double out = (double)n->out[0] * (double)n->out[1] * (double)n->out[2];
    double src = direct_pixels_read(n) * (double)p->ic * src_bytes;
    double dst = out * (double)p->oc * dst_bytes;
    double wei = (double)layout_elements(&n->layout) * (double)n->bytes;
    bool weights_first = n->plan.order == ORDER_WEIGHTS;

    double block = larger(64, (double)n->block_channels / n->p->ocg * n->p->icg * src_bytes);
    if (planes(n, t))
        block = src_bytes;
    cost->l2 = source_lines(n, t, src, block) + 1.5 * dst / 45;

    double away = larger(0, 1 - t->l2_bytes * 0.9 / (src + dst + wei));
    double far = (src + dst) * away + wei * away;
    bool parts =
        straddles(n) || block > (double)(n->block_channels / n->p->ocg * n->p->icg) * src_bytes;
    if (weights_first && parts && !planes(n, t))
        far += src * away; /* lines that two blocks share come twice */
    cost->memory = far / 20;
}

void direct_cost_window(const struct nest *n, const struct target *t, struct cost *cost)
{
    bool depthwise = n->plan.lanes == LANES_GROUPS && n->p->icg == 1 && n->p->ocg == 1;
    double written = (double)nest_window_emitted(n);
    cost->compile_ms = 0.6 + 0.018 * written;
    if (depthwise && (target_narrow(t) || few_ways(t))) {
        direct_cost_depthwise(n, t, cost);
        return;
    }
    double compute = all_bodies(n, t, cost) + tall_window(n, t);
    traffic(n, t, cost);
    double busy = together(compute + cost->overhead, cost->l2);
    if (cost->load > cost->fma)
        cost->limit = "load";
    if (cost->l2 > compute)
        cost->limit = "l2";
    if (cost->memory > busy)
        cost->limit = "memory";
    cost->cycles = together(busy, cost->memory) * (1 + written * 5e-6);
}
