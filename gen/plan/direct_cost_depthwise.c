/* What depthwise windows should cost where L1 has 8 ways: on cores of 16 registers, and others.
 *
 *     compute = tiles: max(multiply-adds / 2, loads / 2, latency) + entering, rows, storing
 *     l2      = lines of the source that come to L1, again and again, and of the results
 *     far     = lines of either that come from beyond L2
 *
 * How often a line comes depends on what stays in L1 between two uses: pixels whose distance is a
 * multiple of a large power of two crowd few of its sets. Fitted to all plans of some 60 depthwise
 * problems on a Zen 3 and on a Zen 4. Stands on: nest, cost.
 */
#include "gen/plan/direct_cost.h"

#include "gen/plan/cost.h"

struct fitted {
    /* Cycles: the latency of a multiply-add; what one and a load take, and more where few columns
     * share a weight; of a vector spilled; of entering a tile, a row of its window, an accumulator
     * stored, a work item. */
    double latency, fma, load, reload, spill, tile, row, store, item;
    /* Of a line from L2: of the source, more where the window's own lines crowd sets; of the
     * results. From beyond L2; where blocks come first, a line at a time of each pixel. */
    double l2_line, crowded_line, dst_line, far_src, far_src_strided, far_dst;
    /* Of L1's ways: what a window may fill, and how far beyond that all is lost; what a strip of
     * rows may fill. Of L1: what all channels may. Of L2: what a strip may, and what the last run
     * leaves. */
    double window_room, window_lost, strip_room, l1_room, all_lost, l2_room, l2_kept;
    /* Blocks first, each comes by all pages of the tensors: beyond those that the second TLB holds,
     * a walk for each. */
    double tlb_room, tlb_lost, walk;
    double overlap; /* of all: 1 one after the other */
};
static const struct fitted zen3 = { 4,    0.97,  0.9,  0.29, 0.17, 1.3,  0.83, 1.2, 34,
                                    2,    0.092, 2.8,  2.6,  3.5,  5.6,  0.48, 3.3, 0.32,
                                    0.42, 3.2,   0.34, 0.4,  1000, 0.25, 12,   4.8 };
static const struct fitted zen4 = { 4.4,  0.83,  0.82,  0.36, 0.14, 0.01, 0.48, 0.17, 2.6,
                                    1.4,  0.044, 0.66,  1.84, 3.2,  3.8,  0.31, 0.92, 0.54,
                                    0.38, 2.3,   0.115, 7.2,  138,  0.29, 1.55, 4.3 };
static const double page_lines = 64;

static const struct fitted *fitted(const struct target *t)
{
    return target_narrow(t) ? &zen3 : &zen4;
}

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
    const struct fitted *f = fitted(t);
    const struct convc_problem *p = &n->p->p;
    struct window w = find_window(n, rows, cols);
    double share = direct_inside_share(n, CONVC_H) * direct_inside_share(n, CONVC_W);
    double taps = (double)(p->kernel[CONVC_H] * p->kernel[CONVC_W]), vecs = n->plan.vecs;
    double accs = rows * cols * vecs, fma = accs * taps * share / 2 * (t->fma ? 1 : 2);
    fma *= direct_vector_cost(n, t);
    bool straddles = n->src_stride[CONVC_STRIDE_W] * n->src_bytes % (n->lanes * n->src_bytes);
    double loads = w.rows * w.cols * (straddles ? 1.5 : 1) + rows * taps;
    double latency = f->latency * taps * share / 3,
           live = accs + cols + 1 + (p->stride[CONVC_W] > 1) - t->vector_registers;
    loads *= vecs * share / 2 * direct_vector_cost(n, t);
    cost->fma += times * fma;
    cost->load += times * loads;
    cost->overhead += times * (f->tile + f->row * w.rows + f->store * accs);
    return times * (larger(larger(fma * (f->fma + f->reload / cols), loads * f->load), latency) +
                    larger(0, live) * taps * f->spill);
}

static double compute(const struct nest *n, const struct target *t, struct cost *cost)
{
    const struct fitted *f = fitted(t);
    const struct split *r = &n->rows, *c = &n->cols;
    double total = 0, times = (double)(n->out[CONVC_D] * n->phases * n->blocks);
    double steps = (double)n->p->p.kernel[CONVC_D] * direct_inside_share(n, CONVC_D);
    cost->overhead = (double)nest_items(n, 1) * f->item;
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
    const struct fitted *f = fitted(t);
    double ways =
        (double)(direct_sets(t, n->src_stride[CONVC_STRIDE_W] * n->src_bytes) * t->l1_ways);
    double own = (double)(n->plan.rows * n->plan.cols), width = (double)n->in[CONVC_W];
    double pixel = (double)(n->p->p.ic * n->src_bytes), l1 = t->l1_bytes * f->l1_room;
    bool half =
        n->plan.vecs * n->lanes * n->bytes < 64; /* of a line: the next block reads the other */
    double window = lost(w->rows * w->cols + own, ways * f->window_room, f->window_lost);
    double strip = lost(w->rows * width, ways * f->strip_room, f->all_lost);
    double down = lost(w->rows * width * pixel, l1, f->all_lost), across = window, other = strip;
    if (n->plan.order == ORDER_PIXELS) {
        across = lost((w->rows * w->cols + own) * pixel, l1, f->all_lost);
        other = window;
    } else if (n->plan.order == ORDER_WEIGHTS) {
        down = strip;
        other = lost((double)n->in[CONVC_H] * width, ways * f->strip_room, f->all_lost);
    }
    *late = window;
    return (1 + (w->down - 1) * down) * (1 + (w->across - 1) * across) * (1 + half * other);
}

/* How often it comes to L2. */
static double times_far(const struct nest *n, const struct target *t, const struct window *w)
{
    const struct fitted *f = fitted(t);
    double width = (double)n->in[CONVC_W], l2 = t->l2_bytes * f->l2_room;
    bool half = n->plan.vecs * n->lanes * n->bytes < 64;
    if (n->plan.order == ORDER_WEIGHTS)
        return 1 + half * lost((double)n->in[CONVC_H] * width * 64, l2, 1);
    return 1 + (w->down - 1) * lost(w->rows * width * (double)(n->p->p.ic * n->src_bytes), l2, 1);
}

static void traffic(const struct nest *n, const struct target *t, struct cost *cost)
{
    const struct fitted *f = fitted(t);
    const struct convc_problem *p = &n->p->p;
    struct window w = find_window(n, n->plan.rows, n->plan.cols);
    double out = (double)(n->out[0] * n->out[1] * n->out[2]), late;
    double src = direct_pixels_read(n) * (double)(p->ic * n->src_bytes) / 64;
    double dst = out * (double)(p->oc * n->dst_bytes) / 64;
    double near = times_near(n, t, &w, &late), far = times_far(n, t, &w);
    double away = larger(0, 1 - t->l2_bytes * f->l2_kept / ((src + dst) * 64));
    double from = n->plan.order == ORDER_WEIGHTS ? f->far_src_strided : f->far_src;
    cost->l2 = src * near * f->l2_line * (1 + f->crowded_line * late) +
               dst * f->dst_line * (1 + f->crowded_line * late);
    cost->memory = away * (src * far * from + dst * f->far_dst);
    double pages = (src + dst) / page_lines;
    if (n->plan.order == ORDER_WEIGHTS)
        cost->memory += pages * (double)n->blocks * lost(pages, f->tlb_room, f->tlb_lost) * f->walk;
}

void direct_cost_depthwise(const struct nest *n, const struct target *t, struct cost *cost)
{
    const struct fitted *f = fitted(t);
    double busy = compute(n, t, cost) + cost->overhead;
    traffic(n, t, cost);
    double all = pow(busy, f->overlap) + pow(cost->l2, f->overlap) + pow(cost->memory, f->overlap);
    cost->cycles = pow(all, 1 / f->overlap);
    if (cost->load > cost->fma)
        cost->limit = "load";
    if (cost->l2 > busy)
        cost->limit = "l2";
    if (cost->memory > larger(busy, cost->l2))
        cost->limit = "memory";
}
