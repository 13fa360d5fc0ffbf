/* What a direct plan should cost, by counting.
 *
 *     step    = max(multiply-adds / 2, loads / 2, shuffles, latency)      one tap of one channel
 *     tile    = taps x channels x step + entering, leaving, storing
 *     image   = max(all tiles with bytes from L2 / 40, bytes from further out / 10)
 *               + waiting for lines
 *
 * Rates are bytes per cycle of one core as measured on AVX-512 machines; only ratios matter. */
#include "gen/plan/direct_cost.h"

#include <math.h>

static const double l2_rate = 40, memory_rate = 10, fma_latency = 4;

static double larger(double a, double b)
{
    return a > b ? a : b;
}

/* What one body of tile does: shape, and how often it runs. */
struct shape {
    double rows, cols, vecs; /* accumulators */
    double times;
};

static int64_t gcd(int64_t a, int64_t b)
{
    return b ? gcd(b, a % b) : a;
}

/* Lines that a step's broadcasts keep alive in the fullest set of L1, per way. Strides that are
 * powers of two crowd a few sets. */
static double l1_crowding(const struct nest *n, const struct target *t, const struct shape *s)
{
    int64_t stride = n->p->p.stride[CONVC_W] * n->src_stride[CONVC_STRIDE_W] * n->bytes;
    int64_t sets = t->l1_bytes / t->l1_ways / 64;
    if (n->plan.lanes == LANES_OW || stride < 64 || stride % 64)
        return 0;
    double distinct = (double)(sets / gcd(stride / 64, sets));
    double lines = s->rows * s->cols * (n->plan.prefetch == PREFETCH_PIXELS ? 2 : 1);
    double per_set = lines <= distinct ? 1 : lines / distinct;
    return per_set / larger(1, t->l1_ways - 2);
}

static double step_cycles(const struct nest *n, const struct target *t, const struct shape *s,
                          struct cost *cost)
{
    double fma = s->rows * s->cols * s->vecs, loads, shuffles = 0, icg = (double)n->p->icg;
    if (n->plan.lanes == LANES_OC) {
        loads = s->rows * s->cols + s->vecs;
    } else if (n->plan.lanes == LANES_OW) {
        double unaligned = n->p->p.stride[CONVC_W] * n->src_stride[CONVC_STRIDE_W] > 1 ? 6 : 1.5;
        loads = s->rows * s->vecs * unaligned + s->cols;
    } else {
        bool identity = icg == 1 && n->p->ocg == 1;
        double reuse = n->plan.taps == TAPS_UNROLL ? (double)n->p->p.kernel[CONVC_W] : 1;
        bool gathered = n->src_stride[CONVC_STRIDE_C] != 1;
        loads = fma * (gathered ? n->lanes : larger(1 / reuse, 1 / s->cols)) / icg + s->vecs;
        shuffles = identity || gathered ? 0 : fma;
    }
    double mul = t->fma ? 1 : 2;
    double crowded = l1_crowding(n, t, s) > 1 ? s->rows * s->cols * 1.5 : 0;
    cost->fma += s->times * fma * mul / 2;
    cost->load += s->times * (loads / 2 + crowded);
    double step = larger(larger(fma * mul / 2, loads / 2 + crowded), larger(shuffles, fma_latency));
    return n->plan.border == BORDER_COMPUTED ? step + s->rows * s->cols / icg * 8 : step;
}

/* Entering and leaving a tile: address arithmetic, loops, stores, the epilogue. */
static double tile_overhead(const struct nest *n, const struct shape *s)
{
    const struct convc_problem *p = &n->p->p;
    bool ow = n->plan.lanes == LANES_OW;
    double accumulators = s->rows * s->cols * s->vecs;
    bool dense = n->dst_stride[ow ? CONVC_STRIDE_W : CONVC_STRIDE_C] == 1;
    double store = dense ? 1.5 : 1.3 * n->lanes;
    if (nest_turned(n, (int64_t)s->cols)) /* each square costs the same, full or not */
        store = 4.5 * n->lanes * ceil(s->cols / n->lanes) / s->cols;
    double rows = (double)(p->kernel[CONVC_D] * p->kernel[CONVC_H]);
    double turns = n->plan.taps == TAPS_UNROLL ? 1 : (double)p->kernel[CONVC_W];
    if (p->residual)
        store *= 2;
    if (p->activation > CONVC_ACT_LEAKY_RELU && p->activation != CONVC_ACT_HARDSWISH)
        store += 20;
    return 20 + rows * (8 + 2 * turns) + accumulators * store;
}

/* Runs f over the bodies of the nest; channel classes times row heights times column widths. */
static double all_tiles(const struct nest *n, const struct target *t, struct cost *cost)
{
    const struct convc_problem *p = &n->p->p;
    double k = (double)(n->p->icg * p->kernel[0] * p->kernel[1] * p->kernel[2]);
    double total = 0, groups = (double)n->blocks / (double)n->blocks_per_group;
    for (int i = 0; i < n->classes; i++) {
        const struct channel_class *c = &n->channel[i];
        double blocks =
            groups * (i || n->blocks_per_group == 1 ? 1 : (double)n->blocks_per_group - 1);
        if (n->classes == 1)
            blocks = (double)n->blocks;
        for (int wide = 0; wide < 4; wide++) {
            const struct split *r = &n->rows, *w = &n->cols;
            double rows = (double)(wide & 1 ? r->wide_tiles : r->tiles - r->wide_tiles);
            double cols = (double)(wide & 2 ? w->wide_tiles : w->tiles - w->wide_tiles);
            double width = (double)(wide & 2 ? w->wide : w->narrow);
            struct shape s = { .rows = (double)(wide & 1 ? r->wide : r->narrow), .cols = width };
            s.vecs = c->vecs;
            if (n->plan.lanes == LANES_OW) {
                s.cols = (double)c->cols;
                s.vecs = (double)(((int64_t)width + n->lanes - 1) / n->lanes);
            }
            double times = blocks * rows * cols * (double)n->out[CONVC_D];
            if (times == 0)
                continue;
            s.times = times * k;
            total += times * k * step_cycles(n, t, &s, cost);
            cost->overhead += times * tile_overhead(n, &s);
        }
    }
    return total;
}

static bool pointwise(const struct problem *p)
{
    return p->p.kernel[0] * p->p.kernel[1] * p->p.kernel[2] == 1;
}

/* Cycles that a line of source from beyond L2 costs on top of what overlaps: pixels are read in
 * lines a pixel apart, which no hardware prefetcher follows. With taps a line serves several of
 * them. */
static double far_line(const struct nest *n)
{
    if (!pointwise(n->p))
        return 2;
    return n->plan.prefetch == PREFETCH_PIXELS ? 2.5 : 6;
}

/* Weights from beyond L2: cycles a line that nothing hides, and the wait of a tile that wants them
 * faster than they come. Later tiles find them in L2. Spread over the tiles before, a line costs
 * little. */
static double weights_late(const struct nest *n, double far)
{
    const struct plan_direct *d = &n->plan;
    double step = d->rows * d->cols * d->vecs / 2.0;
    double wanted = (double)(n->channel[0].width * n->bytes) / larger(step, fma_latency);
    double late = wanted > memory_rate ? far / memory_rate * (1 - memory_rate / wanted) : 0;
    return d->prefetch == PREFETCH_WEIGHTS ? far / 64 : far / 64 * 4 + late;
}

/* Strides may skip some of the input. */
static double pixels_read(const struct nest *n)
{
    double pixels = 1;
    for (int a = 0; a < 3; a++) {
        double taps = (double)n->out[a] * (double)n->p->p.kernel[a], in = (double)n->in[a];
        pixels *= taps < in ? taps : in;
    }
    return pixels;
}

/* Bytes that move into L1 and into L2, and the waiting for them that nothing hides. */
static double traffic(const struct nest *n, const struct target *t, struct cost *cost)
{
    const struct convc_problem *p = &n->p->p;
    double bytes = (double)n->bytes, l2 = t->l2_bytes * 0.6, l1 = t->l1_bytes * 0.5;
    double in = pixels_read(n);
    double out = (double)n->out[0] * (double)n->out[1] * (double)n->out[2];
    double src = in * (double)p->ic * bytes, dst = out * (double)p->oc * bytes;
    double wei = (double)layout_elements(&n->layout) * bytes, blocks = (double)n->blocks;
    double items = (double)(n->out[CONVC_D] * n->row_tiles * n->chunks);
    double tiles = (double)(n->out[CONVC_D] * n->row_tiles * n->cols.tiles);
    double panel = wei / blocks, groups = (double)p->groups;
    double src_times = n->plan.lanes == LANES_GROUPS ? 1 : blocks / groups;
    double kernel = (double)(p->kernel[CONVC_D] * p->kernel[CONVC_H]);

    double per_tile = panel > l1 ? panel : 0;
    double halo = larger(1, kernel / (double)n->plan.rows / 3);
    double src_l2 = src * src_times * halo;
    cost->l2 = (per_tile * blocks * tiles + src_l2 + dst) / l2_rate;

    /* What of the tensors the last run has left in L2. */
    double away = larger(0, 1 - t->l2_bytes * 0.9 / (src + dst + wei));
    double src_far = src * away, wei_far = wei * away, dst_far = dst * away;
    if (n->plan.order == ORDER_ROWS && wei > l2)
        wei_far += wei * (items - 1);
    if (n->plan.order == ORDER_WEIGHTS && src / groups > l2 - panel)
        src_far += src * (src_times - 1);
    /* Beside the rows that stream past, a block's weights stay in L2 up to some two fifths of it.
     */
    double over = panel / (t->l2_bytes * 0.4) - 1;
    if (n->plan.order == ORDER_WEIGHTS && over > 0)
        wei_far += wei * (items - 1) * (over < 1 ? over : 1);
    cost->memory = (src_far + wei_far + dst_far) / memory_rate;
    return src_l2 / 64 * 0.5 + src_far / 64 * far_line(n) + weights_late(n, wei_far) + dst_far / 64;
}

/* One more load and some arithmetic per step; a tile that does not fit beside the next one is worse
 * off. */
static double prefetching(const struct nest *n, const struct target *t)
{
    double tile = (double)(n->plan.rows * n->plan.cols * n->p->icg * n->bytes);
    if (n->plan.prefetch == PREFETCH_NONE)
        return 1;
    return n->plan.prefetch == PREFETCH_PIXELS && tile > t->l1_bytes * 0.4 ? 1.05 : 1.01;
}

/* Two things that overlap, less and less well the closer they come. */
static double together(double a, double b)
{
    return sqrt(sqrt(a * a * a * a + b * b * b * b));
}

void plan_direct_cost(const struct problem *p, const struct plan *plan, const struct target *t,
                      struct cost *cost)
{
    struct nest n;
    *cost = (struct cost){ .limit = "fma" };
    nest_of(p, &plan->direct, t, &n);
    if (plan->direct.taps == TAPS_WINDOW) {
        direct_cost_window(&n, t, cost);
        return;
    }
    double compute = all_tiles(&n, t, cost) * prefetching(&n, t);
    double waiting = traffic(&n, t, cost);
    cost->compile_ms = 0.6 + 0.018 * (double)nest_emitted(p, &plan->direct, t);
    double most = larger(together(compute, cost->l2), cost->memory);
    if (cost->load > cost->fma)
        cost->limit = "load";
    if (cost->l2 > compute)
        cost->limit = "l2";
    if (cost->memory == most)
        cost->limit = "memory";
    cost->cycles = most + waiting + cost->overhead;
}
