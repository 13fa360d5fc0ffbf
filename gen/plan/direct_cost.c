/* What a direct plan should cost, by counting: see direct_cost.h. */
#include "gen/plan/direct_cost.h"
#include "gen/plan/strip.h"

#include "gen/base/number.h"
#include "gen/plan/cost.h"
#include "gen/plan/work.h"

#include <math.h>

/* Cycles, fitted: entering a tile, a row of its taps, and one where places are computed; storing an
 * accumulator, or adding its lanes up and storing one element, side by side or apart. */
static const double tile_entry = 24, tap_row = 1.5, computed_row = 6;
static const double store_vector = 0.15, store_sums = 0.2, store_sums_apart = 0.4;

/* Turns of a load unit that a broadcast takes where L1's sets are crowded, and the loads that a
 * prefetched line of weights is worth. */
static const double crowded_load = 1.5, prefetch_loads = 2;

/* How well two things overlap: 1 one after the other, more and more perfectly above. */
static const double overlap_l2 = 4, overlap_memory = 3.2;

/* Eight sums hide the latency of two multiply-adds a cycle where the two units share one scheduler;
 * cores of 16 registers (Zen 3) give each its own, and eight sums are not always spread evenly.
 * There a tile that does not fit into L1 beside the next one must not ask for that, and two
 * broadcasts a cycle are more than they keep up. */
static const double fma_latency = 4, narrow_fma_latency = 5, narrow_prefetching = 1.25,
                    narrow_broadcast = 1.25;

/* Turning to the next tap, of a single channel, on cores of 16 registers and on Zen 4. */
static const double tap_turn = 3;

/* ---- taps that read inside ------------------------------------------------------------------- */

/* How many taps of how many tiles are read inside by 0, 1, 2 ... rows or columns. */
struct inside {
    double times[TILE_COLS + 1];
    double apart; /* columns that take a tap one by one */
};

/* Outputs [begin, begin + count) that tap k of an axis reads inside. */
static int64_t outputs_inside(const struct nest *n, int axis, int64_t begin, int64_t count,
                              int64_t k)
{
    const struct convc_problem *p = &n->p->p;
    int64_t s = p->stride[axis], first = begin * s - p->pad_begin[axis] + k * p->dilation[axis];
    int64_t skip = first < 0 ? ceil_div(-first, s) : 0;
    int64_t stop = n->in[axis] - first > 0 ? ceil_div(n->in[axis] - first, s) : 0;
    stop = stop < count ? stop : count;
    return stop > skip ? stop - skip : 0;
}

/* Taps and tiles that are looked at; more are taken to be inside. */
enum { LOOKED_AT_MAX = 1 << 10 };

static void count_tile(const struct nest *n, int axis, int64_t begin, int64_t width, double times,
                       struct inside *in)
{
    int64_t taps = n->p->p.kernel[axis];
    bool skips = n->p->p.padding_mode == CONVC_PAD_ZEROS && n->plan.lanes != LANES_OW;
    for (int64_t k = 0; k < taps; k++) {
        int64_t inside = outputs_inside(n, axis, begin, width, k);
        if (axis == CONVC_W && n->plan.border == BORDER_COMPUTED && inside < width)
            in->apart += times * (double)(skips ? inside : width);
        else
            in->times[skips ? inside : width] += times;
    }
}

static struct inside count_inside(const struct nest *n, int axis, const struct split *s)
{
    struct inside in = { 0 };
    int64_t taps = n->p->p.kernel[axis], looked = 0;
    bool pads = problem_axis_pads(n->p, axis) && !n->scattered && !n->plan.fold;
    for (int64_t tile = 0; tile < s->tiles;) {
        int64_t width = split_width(s, tile), begin = split_begin(s, tile);
        int64_t same = (tile < s->wide_tiles ? s->wide_tiles : s->tiles) - tile;
        bool edge = pads && (outputs_inside(n, axis, begin, width, 0) < width ||
                             outputs_inside(n, axis, begin, width, taps - 1) < width);
        if (edge && taps <= LOOKED_AT_MAX && looked < LOOKED_AT_MAX) {
            count_tile(n, axis, begin, width, 1, &in);
            looked += taps;
            tile++;
        } else if (pads && same > 2 && looked < LOOKED_AT_MAX) {
            in.times[width] += (double)taps;
            looked++;
            tile++;
        } else {
            in.times[width] += (double)taps * (double)same;
            tile += same;
        }
    }
    return in;
}

/* ---- steps ----------------------------------------------------------------------------------- */

int64_t direct_sets(const struct target *t, int64_t stride)
{
    int64_t sets = t->l1_bytes / t->l1_ways / 64;
    return stride % 64 ? sets : sets / gcd(stride / 64, sets);
}

/* Lines that a step's broadcasts keep alive in the fullest set of L1, per way. */
static double l1_crowding(const struct nest *n, const struct target *t, double pixels)
{
    int64_t stride = n->p->p.stride[CONVC_W] * n->src_stride[CONVC_STRIDE_W] * n->src_bytes;
    if (n->plan.lanes == LANES_OW || stride < 64 || stride % 64)
        return 0;
    double distinct = (double)direct_sets(t, stride);
    double lines = pixels * (n->plan.prefetch == PREFETCH_PIXELS ? 2 : 1);
    double per_set = lines <= distinct ? 1 : lines / distinct;
    return per_set / larger(1, t->l1_ways - 2);
}

/* More of them are decoded. Two broadcasts a cycle are more than a core keeps up. */
static const double half_vector = 0.51, half_broadcast = 1.1;

double direct_vector_cost(const struct nest *n, const struct target *t)
{
    return n->plan.half && t->halves ? half_vector : 1;
}

/* What one body of tile does: shape, and how often it runs. */
struct shape {
    double rows, cols, vecs; /* accumulators */
    double times;
};

/* Loads of 64 bytes that begin anywhere take two turns. */
static double vector_load(const struct nest *n, int64_t elements)
{
    return elements % n->lanes ? 2 : 1;
}

static double step_loads(const struct nest *n, const struct shape *s)
{
    double fma = s->rows * s->cols * s->vecs, icg = (double)n->p->icg;
    double loads;
    if (n->plan.lanes == LANES_OC) {
        loads = s->rows * s->cols + s->vecs;
        if (n->plan.prefetch == PREFETCH_WEIGHTS) {
            double tiles = (double)(n->out[CONVC_D] * n->row_tiles * n->cols.tiles);
            loads += ceil(s->vecs * n->lanes * (double)n->bytes / tiles / 64) * prefetch_loads;
        }
    } else if (n->plan.lanes == LANES_IC) {
        loads = s->rows * s->cols * vector_load(n, n->p->icg) + s->vecs * vector_load(n, n->p->icg);
    } else if (n->plan.lanes == LANES_OW) {
        double unaligned = n->p->p.stride[CONVC_W] * n->src_stride[CONVC_STRIDE_W] > 1 ? 6 : 1.5;
        loads = s->rows * s->vecs * unaligned + s->cols;
    } else {
        double reuse = n->plan.taps == TAPS_UNROLL ? (double)n->p->p.kernel[CONVC_W] : 1;
        bool gathered = n->src_stride[CONVC_STRIDE_C] != 1;
        loads = fma * (gathered ? n->lanes : larger(1 / reuse, 1 / s->cols)) / icg + s->vecs;
    }
    return loads;
}

static double step_cycles(const struct nest *n, const struct target *t, const struct shape *s,
                          struct cost *cost)
{
    double fma = s->rows * s->cols * s->vecs * work_term(n->p, t) / 2, shuffles = 0;
    double loads = step_loads(n, s) / 2, icg = (double)n->p->icg;
    double latency = target_narrow(t) ? narrow_fma_latency : t->halves ? 2 : fma_latency;
    latency /= n->plan.split ? n->plan.split : 1;
    if (target_narrow(t) && n->plan.lanes == LANES_OC)
        loads *= narrow_broadcast;
    if (n->plan.half && n->plan.lanes == LANES_OC)
        loads *= half_broadcast;
    if (n->plan.lanes == LANES_GROUPS) {
        bool identity = icg == 1 && n->p->ocg == 1;
        bool gathered = n->src_stride[CONVC_STRIDE_C] != 1;
        shuffles = identity || gathered ? 0 : s->rows * s->cols * s->vecs;
    }
    if (l1_crowding(n, t, s->rows * s->cols) > 1)
        loads += s->rows * s->cols * crowded_load;
    double each = direct_vector_cost(n, t);
    fma *= each;
    loads *= each;
    shuffles *= each;
    cost->fma += s->times * fma;
    cost->load += s->times * loads;
    double step = larger(larger(fma, loads), larger(shuffles, latency));
    if (n->plan.lanes == LANES_OW && n->p->icg == 1 && (target_narrow(t) || t->halves))
        step += tap_turn;
    bool computed =
        n->plan.border == BORDER_COMPUTED && n->plan.lanes != LANES_OC && n->plan.lanes != LANES_IC;
    return computed ? step + s->rows * s->cols / icg * 8 : step;
}

/* Steps of one tap: channels, or the vectors that they fill. */
static double tap_steps(const struct nest *n)
{
    int64_t icg = n->p->icg, kw = n->p->p.kernel[CONVC_W], lanes = n->lanes;
    bool in_line = n->p->p.dilation[CONVC_W] * n->src_stride[CONVC_STRIDE_W] == icg;
    if (n->plan.lanes != LANES_IC)
        return (double)icg;
    if (in_line && n->plan.border != BORDER_COMPUTED)
        return (double)ceil_div(icg * kw, lanes) / (double)kw;
    return (double)ceil_div(icg, lanes);
}

/* ---- tiles ----------------------------------------------------------------------------------- */

static double store_cycles(const struct nest *n, const struct shape *s)
{
    const struct convc_problem *p = &n->p->p;
    bool ow = n->plan.lanes == LANES_OW;
    bool dense = n->dst_stride[ow ? CONVC_STRIDE_W : CONVC_STRIDE_C] == 1;
    double store = dense ? store_vector : 1.3 * n->lanes;
    if (nest_turned(n, (int64_t)s->cols)) /* each square costs the same, full or not */
        store = 4.5 * n->lanes * ceil(s->cols / n->lanes) / s->cols;
    if (n->plan.lanes == LANES_IC)
        store = dense && s->vecs == (double)n->p->p.oc ? store_sums : store_sums_apart;
    if (p->residual)
        store *= 2;
    return store + work_last(n->p);
}

/* Entering and leaving a tile: address arithmetic, loops, stores, the epilogue. */
static double tile_overhead(const struct nest *n, const struct shape *s)
{
    const struct convc_problem *p = &n->p->p;
    double rows = (double)(p->kernel[CONVC_D] * p->kernel[CONVC_H]);
    double computed = n->plan.border == BORDER_COMPUTED ? computed_row * rows : 0;
    return tile_entry + rows * tap_row + computed +
           s->rows * s->cols * s->vecs * store_cycles(n, s);
}

/* Entering the tiles of a channel class, by height and width. */
static void add_overhead(const struct nest *n, double blocks, double vecs, struct cost *cost)
{
    for (int wide = 0; wide < 4; wide++) {
        const struct split *r = &n->rows, *w = &n->cols;
        double rows = (double)(wide & 1 ? r->wide_tiles : r->tiles - r->wide_tiles);
        double cols = (double)(wide & 2 ? w->wide_tiles : w->tiles - w->wide_tiles);
        struct shape s = { .rows = (double)(wide & 1 ? r->wide : r->narrow),
                           .cols = (double)(wide & 2 ? w->wide : w->narrow),
                           .vecs = vecs };
        if (n->plan.lanes == LANES_OW) {
            s.vecs = ceil(s.cols / n->lanes);
            s.cols = vecs;
        }
        cost->overhead += blocks * rows * cols * (double)n->out[CONVC_D] * tile_overhead(n, &s);
    }
}

/* Steps of one channel class. `vecs`: with LANES_OW, its columns. */
static double class_cycles(const struct nest *n, const struct target *t, const struct inside *rows,
                           const struct inside *cols, double vecs, double times, struct cost *cost)
{
    double total = 0;
    for (int r = 1; r <= TILE_ROWS; r++) {
        for (int c = 1; c <= TILE_COLS && rows->times[r] > 0; c++) {
            struct shape s = { r, c, vecs, times * rows->times[r] * cols->times[c] };
            if (cols->times[c] == 0)
                continue;
            total += s.times * step_cycles(n, t, &s, cost);
        }
        struct shape one = { r, 1, vecs, times * rows->times[r] * cols->apart };
        if (one.times > 0)
            total += one.times * step_cycles(n, t, &one, cost);
    }
    return total;
}

/* With LANES_OW tiles are vectors wide. */
static struct inside whole_columns(const struct nest *n)
{
    struct inside in = { 0 };
    double taps = (double)n->p->p.kernel[CONVC_W];
    int64_t wide = ceil_div(n->cols.wide, n->lanes);
    int64_t narrow = ceil_div(n->cols.narrow, n->lanes);
    in.times[wide] += taps * (double)n->cols.wide_tiles;
    in.times[narrow] += taps * (double)(n->cols.tiles - n->cols.wide_tiles);
    return in;
}

double direct_tiles_cost(const struct nest *n, const struct target *t, struct cost *cost)
{
    bool ow = n->plan.lanes == LANES_OW;
    struct inside rows = count_inside(n, CONVC_H, &n->rows);
    struct inside cols = ow ? whole_columns(n) : count_inside(n, CONVC_W, &n->cols);
    double times = tap_steps(n) * (double)(n->p->p.kernel[CONVC_D] * n->out[CONVC_D]) *
                   direct_inside_share(n, CONVC_D);
    double total = 0, groups = (double)n->blocks / (double)n->blocks_per_group;
    for (int i = 0; i < n->classes; i++) {
        const struct channel_class *c = &n->channel[i];
        bool all = n->classes == 1, last = i == 1;
        double blocks = all ? (double)n->blocks : last ? groups : (double)n->blocks - groups;
        double across = ow ? (double)c->cols : c->vecs;
        add_overhead(n, blocks, across, cost);
        total += class_cycles(n, t, &rows, &cols, across, blocks * times, cost);
    }
    return total;
}

/* ---- all together ---------------------------------------------------------------------------- */

/* A tile that does not fit beside the next one is worse off. */
static double prefetching(const struct nest *n, const struct target *t)
{
    double tile = (double)(n->plan.rows * n->plan.cols * n->p->icg * n->src_bytes);
    if (n->plan.prefetch != PREFETCH_PIXELS)
        return 1;
    if (tile <= t->l1_bytes * 0.4 || !problem_pointwise(n->p))
        return 1.01;
    return target_narrow(t) ? narrow_prefetching : 1.05;
}

/* Like together, with an exponent of its own. */
static double overlapped(double a, double b, double e)
{
    return a + b > 0 ? pow(pow(a, e) + pow(b, e), 1 / e) : 0;
}

void plan_direct_cost(const struct problem *p, const struct plan *plan, const struct target *t,
                      struct cost *cost)
{
    struct problem room;
    const struct problem *seen = strip_problem(p, &plan->direct, t, &room);
    struct nest part[PARTS_MAX];
    *cost = (struct cost){ .limit = "fma" };
    int parts = nest_parts(seen, &plan->direct, t, part);
    if (plan->direct.taps == TAPS_WINDOW) {
        direct_cost_window(&part[0], t, cost);
        return;
    }
    for (int i = 0; i < parts; i++) {
        struct cost one = { 0 };
        double compute = direct_tiles_cost(&part[i], t, &one) * prefetching(&part[i], t);
        double waiting = direct_traffic_cost(&part[i], t, &one);
        if (plan->direct.strip)
            one.overhead += strip_cost(p, &part[i]);
        cost->cycles +=
            overlapped(overlapped(compute, one.l2, overlap_l2), one.memory, overlap_memory) +
            waiting + one.overhead;
        cost->fma += one.fma;
        cost->load += one.load;
        cost->l2 += one.l2;
        cost->memory += one.memory;
        cost->overhead += one.overhead;
    }
    cost->compile_ms = 0.6 + 0.018 * (double)nest_emitted(seen, &plan->direct, t);
    double most = larger(cost->fma, cost->load);
    if (cost->load > cost->fma)
        cost->limit = "load";
    if (cost->l2 > most)
        cost->limit = "l2";
    if (cost->memory > larger(most, cost->l2))
        cost->limit = "memory";
}
