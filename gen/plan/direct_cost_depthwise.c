/* What depthwise windows should cost on cores of 16 registers.
 *
 *     compute = tiles: max(multiply-adds / 2, loads / 2, latency) + entering, rows, storing
 *     l2      = lines of the source that come to L1, again and again, and of the results
 *     far     = lines of either that come from beyond L2
 *
 * How often a line comes depends on what stays in L1 between two uses: pixels whose distance is a
 * multiple of a large power of two crowd few of its sets. Fitted to all plans of some 60 depthwise
 * problems on a Zen 3. Stands on: nest, cost.
 */
#include "gen/plan/direct_cost.h"

#include "gen/plan/cost.h"

/* Cycles: what a multiply-add and a load take, and more where few columns share a weight; of a
 * vector spilled; of entering a tile, a row of its window, an accumulator stored, a work item. */
static const double fma_cycles = 0.97, load_cycles = 0.9, reload = 0.29, spill_cycles = 0.17;
static const double tile_cycles = 1.3, row_cycles = 0.83, store_cycles = 1.2, item_cycles = 34;

/* Of a line from L2: of the source, more where the window's own lines crowd sets; of the results.
 * From beyond L2; where blocks come first, a line at a time of each pixel. */
static const double l2_line = 2, crowded_line = 0.092, dst_line = 2.8;
static const double far_src = 2.6, far_src_strided = 3.5, far_dst = 5.6;

/* Of L1's ways: what a window may fill, and how far beyond that all is lost; what a strip of rows
 * may fill. Of L1: what all channels may. Of L2: what a strip may, and what the last run leaves. */
static const double window_room = 0.48, window_lost = 3.3, strip_room = 0.32, l1_room = 0.42;
static const double all_lost = 3.2, l2_room = 0.34, l2_kept = 0.4;

/* Blocks first, each comes by all pages of the tensors: beyond those that the second TLB holds
 * (2048 of 4 KiB), a walk for each. */
static const double page_lines = 64, tlb_room = 1000, tlb_lost = 0.25, walk_cycles = 12;

/* How well they overlap: 1 one after the other. */
static const double overlap = 4.8;

/* The tile's window: rows and columns of the source, and how often row tiles and column tiles read
 * each of them. */
struct window {
    double rows, cols;
    double down, across;
};

static struct window find_window(const struct nest *n, double rows, double cols)
{
    const struct convc_problem *p = &n->p->p;
    struct window w = { direct_window_rows(n, rows), direct_window_columns(n, cols), 0, 0 };
    w.down = larger(1, w.rows / (rows * (double)nest_window_step(n)));
    w.across = larger(1, w.cols / (cols * (double)p->stride[CONVC_W]));
    return w;
}

/* `times` tiles whose operands are in L1. */
static double tiles(const struct nest *n, const struct target *t, double rows, double cols,
                    double times, struct cost *cost)
{
    const struct convc_problem *p = &n->p->p;
    struct window w = find_window(n, rows, cols);
    double share = direct_inside_share(n, CONVC_H) * direct_inside_share(n, CONVC_W);
    double taps = (double)(p->kernel[CONVC_H] * p->kernel[CONVC_W]), vecs = n->plan.vecs;
    double accs = rows * cols * vecs, fma = accs * taps * share / 2 * (t->fma ? 1 : 2);
    bool straddles =
        n->src_stride[CONVC_STRIDE_W] * n->src_bytes % (t->vector_bytes * n->src_bytes / n->bytes);
    double loads = w.rows * w.cols * (straddles ? 1.5 : 1) + rows * taps;
    double latency = 4 * taps * share / 3,
           live = accs + cols + 1 + (p->stride[CONVC_W] > 1) - t->vector_registers;
    loads *= vecs * share / 2;
    cost->fma += times * fma;
    cost->load += times * loads;
    cost->overhead += times * (tile_cycles + row_cycles * w.rows + store_cycles * accs);
    return times *
           (larger(larger(fma * (fma_cycles + reload / cols), loads * load_cycles), latency) +
            larger(0, live) * taps * spill_cycles);
}

static double compute(const struct nest *n, const struct target *t, struct cost *cost)
{
    const struct split *r = &n->rows, *c = &n->cols;
    double total = 0, times = (double)(n->out[CONVC_D] * n->phases * n->blocks);
    double steps = (double)n->p->p.kernel[CONVC_D] * direct_inside_share(n, CONVC_D);
    cost->overhead = (double)nest_items(n, 1) * item_cycles;
    for (int wide = 0; wide < 4; wide++) {
        int64_t rows = wide & 1 ? r->wide_tiles : r->tiles - r->wide_tiles;
        int64_t cols = wide & 2 ? c->wide_tiles : c->tiles - c->wide_tiles;
        if (rows && cols)
            total += tiles(n, t, (double)(wide & 1 ? r->wide : r->narrow),
                           (double)(wide & 2 ? c->wide : c->narrow),
                           times * steps * (double)(rows * cols), cost);
    }
    return total;
}

/* The share that is lost of what should stay in a room: none where it fits, all where it is too
 * large by far. */
static double lost(double need, double room, double too_large)
{
    double share = (need / room - 1) / too_large;
    return share < 0 ? 0 : share < 1 ? share : 1;
}

/* How often the average line of the source comes to L1; *late: the share of lines that others of
 * the same window push out. */
static double times_near(const struct nest *n, const struct target *t, const struct window *w,
                         double *late)
{
    double ways =
        (double)(direct_sets(t, n->src_stride[CONVC_STRIDE_W] * n->src_bytes) * t->l1_ways);
    double own = (double)(n->plan.rows * n->plan.cols), width = (double)n->in[CONVC_W];
    double pixel = (double)(n->p->p.ic * n->src_bytes), l1 = t->l1_bytes * l1_room;
    bool half = n->plan.vecs * t->vector_bytes < 64; /* of a line: the next block reads the other */
    double window = lost(w->rows * w->cols + own, ways * window_room, window_lost);
    double strip = lost(w->rows * width, ways * strip_room, all_lost);
    double down = lost(w->rows * width * pixel, l1, all_lost), across = window, other = strip;
    if (n->plan.order == ORDER_PIXELS) {
        across = lost((w->rows * w->cols + own) * pixel, l1, all_lost);
        other = window;
    } else if (n->plan.order == ORDER_WEIGHTS) {
        down = strip;
        other = lost((double)n->in[CONVC_H] * width, ways * strip_room, all_lost);
    }
    *late = window;
    return (1 + (w->down - 1) * down) * (1 + (w->across - 1) * across) * (1 + half * other);
}

/* How often it comes to L2. */
static double times_far(const struct nest *n, const struct target *t, const struct window *w)
{
    double width = (double)n->in[CONVC_W], l2 = t->l2_bytes * l2_room;
    bool half = n->plan.vecs * t->vector_bytes < 64;
    if (n->plan.order == ORDER_WEIGHTS)
        return 1 + half * lost((double)n->in[CONVC_H] * width * 64, l2, 1);
    return 1 + (w->down - 1) * lost(w->rows * width * (double)(n->p->p.ic * n->src_bytes), l2, 1);
}

static void traffic(const struct nest *n, const struct target *t, struct cost *cost)
{
    const struct convc_problem *p = &n->p->p;
    struct window w = find_window(n, n->plan.rows, n->plan.cols);
    double out = (double)(n->out[0] * n->out[1] * n->out[2]), late;
    double src = direct_pixels_read(n) * (double)(p->ic * n->src_bytes) / 64;
    double dst = out * (double)(p->oc * n->dst_bytes) / 64;
    double near = times_near(n, t, &w, &late), far = times_far(n, t, &w);
    double away = larger(0, 1 - t->l2_bytes * l2_kept / ((src + dst) * 64));
    double from = n->plan.order == ORDER_WEIGHTS ? far_src_strided : far_src;
    cost->l2 = src * near * l2_line * (1 + crowded_line * late) +
               dst * dst_line * (1 + crowded_line * late);
    cost->memory = away * (src * far * from + dst * far_dst);
    double pages = (src + dst) / page_lines;
    if (n->plan.order == ORDER_WEIGHTS)
        cost->memory += pages * (double)n->blocks * lost(pages, tlb_room, tlb_lost) * walk_cycles;
}

void direct_cost_depthwise(const struct nest *n, const struct target *t, struct cost *cost)
{
    double busy = compute(n, t, cost) + cost->overhead;
    traffic(n, t, cost);
    double all = pow(busy, overlap) + pow(cost->l2, overlap) + pow(cost->memory, overlap);
    cost->cycles = pow(all, 1 / overlap);
    if (cost->load > cost->fma)
        cost->limit = "load";
    if (cost->l2 > busy)
        cost->limit = "l2";
    if (cost->memory > larger(busy, cost->l2))
        cost->limit = "memory";
}
