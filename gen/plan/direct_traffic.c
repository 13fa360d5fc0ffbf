/* The traffic of a direct nest: bytes into L1 and into L2, and what waits for them. */
#include "gen/plan/direct_cost.h"

#include "gen/base/number.h"
#include "gen/plan/cost.h"

/* What is left of the ceilings, and of L1 for weights that every tile reads again. */
static const double l2_share = 0.9, l3_share = 0.83, l1_for_weights = 1.1;

/* Shares of L2: beyond the first, weights that every row streams through fall out; what a run
 * leaves to the next; beyond the third, a block's weights fall out while rows stream past. */
static const double l2_for_weights = 0.4, l2_kept = 1.1, l2_for_block = 0.7;

/* Cycles a line that nothing hides: source from L2; from further out, one pixel after the other
 * without and with prefetching, and where taps share lines; weights in a stream and asked for
 * ahead; results, and each time that a pixel of them is come back to. */
static const double src_line = 0.3, far_pixel = 3.1, far_pixel_ahead = 1.5, far_taps = 0.3;
static const double far_weights = 0.45, far_weights_ahead = 0.5, far_dst = 0.1, far_dst_again = 1.5;

/* Zen 4 has less to do meanwhile than Zen 5: pixels that taps share from further out. */
static const double halves_far_taps = 6, halves_far_taps_ahead = 1;

/* The same on cores of 16 registers (Zen 3) for weights that are read a block at a time, with all
 * tiles of the block in between: their prefetchers begin anew each time. Beside a strip, which is
 * near, weights are the only stream. Steps of so many cycles as the last says hide there that a
 * line comes from L2. */
static const double narrow_far_weights = 10, strip_far_weights = 1.5, narrow_l2_latency = 12;
static const double narrow_memory_pixel = 18, narrow_memory_pixel_ahead = 4;

double direct_pixel_sets(const struct nest *n, const struct target *t)
{
    double all = (double)(t->l1_bytes / t->l1_ways / 64);
    return (double)direct_sets(t, n->src_stride[CONVC_STRIDE_W] * n->src_bytes) * 64 / all;
}

double direct_pixels_read(const struct nest *n)
{
    double pixels = 1;
    for (int a = 0; a < 3; a++) {
        double taps = (double)n->out[a] * (double)n->p->p.kernel[a], in = (double)n->in[a];
        pixels *= taps < in ? taps : in;
    }
    return pixels;
}

/* The share of the taps that reads inside for any output: small images leave outer ones alone. */
static double taps_used(const struct nest *n)
{
    const struct convc_problem *p = &n->p->p;
    double share = 1;
    if (p->padding_mode != CONVC_PAD_ZEROS)
        return 1;
    for (int a = 0; a < 3; a++) {
        int64_t first = p->pad_begin[a] - (n->out[a] - 1) * p->stride[a];
        int64_t begin = first > 0 ? ceil_div(first, p->dilation[a]) : 0;
        int64_t end = (n->in[a] - 1 + p->pad_begin[a]) / p->dilation[a] + 1;
        end = end < p->kernel[a] ? end : p->kernel[a];
        share *= larger(0, (double)(end - begin)) / (double)p->kernel[a];
    }
    return share;
}

/* Bytes of the tensors of one image, and of what this nest moves. */
struct tensors {
    double src, dst, wei; /* once                       */
    double panel;         /* weights of one channel block */
    double blocks;        /* of a group                 */
    double items, tiles;  /* of one channel block       */
};

static struct tensors find_tensors(const struct nest *n)
{
    const struct convc_problem *p = &n->p->p;
    double bytes = (double)n->bytes, groups = (double)p->groups;
    struct tensors x = { .items = (double)(n->out[CONVC_D] * n->row_tiles * n->chunks) };
    double kernel = (double)(p->kernel[0] * p->kernel[1] * p->kernel[2]) * taps_used(n);
    double width = (double)n->channel[0].width;
    if (n->plan.lanes == LANES_IC)
        width = (double)n->block_channels;
    x.tiles = (double)(n->out[CONVC_D] * n->row_tiles * n->cols.tiles);
    x.src = direct_pixels_read(n) * (double)p->ic * (double)n->src_bytes;
    x.dst = (double)(n->out[0] * n->out[1] * n->out[2]) * groups * (double)n->channels;
    x.dst *= (double)n->dst_bytes;
    x.panel = width * (double)n->p->icg * kernel * bytes;
    if (n->plan.lanes == LANES_GROUPS)
        x.panel = (double)layout_elements(&n->layout) * bytes / (double)n->blocks;
    x.wei = x.panel * (double)n->blocks;
    x.blocks = n->plan.lanes == LANES_GROUPS ? 1 : (double)n->blocks / groups;
    return x;
}

/* Cycles that a line of source from beyond L2 costs on top of what overlaps: pixels are read in
 * lines a pixel apart. With taps a line serves several of them. */
static double far_line(const struct nest *n, const struct target *t, bool from_memory)
{
    if (t->halves && !problem_pointwise(n->p) && n->plan.lanes == LANES_OC)
        return n->plan.prefetch == PREFETCH_PIXELS ? halves_far_taps_ahead : halves_far_taps;
    if (!problem_pointwise(n->p) || n->plan.strip)
        return far_taps;
    if (target_narrow(t) && !from_memory)
        return far_pixel;
    if (target_narrow(t))
        return n->plan.prefetch == PREFETCH_PIXELS ? narrow_memory_pixel_ahead
                                                   : narrow_memory_pixel;
    return n->plan.prefetch == PREFETCH_PIXELS ? far_pixel_ahead : far_pixel;
}

/* Bytes that come from beyond L2, by operand, and those of them that come from beyond L3. */
struct far {
    double src, wei, dst;
    double memory;
};

static void come_again(struct far *far, double *operand, double bytes, bool from_memory)
{
    *operand += bytes;
    if (from_memory)
        far->memory += bytes;
}

static struct far find_far(const struct nest *n, const struct target *t, const struct tensors *x)
{
    double l2 = t->l2_bytes * l2_for_weights, l3 = target_l3_of_core(t) * 0.5;
    double all = x->src + x->dst + x->wei;
    /* What of the tensors the last run has left in L2. */
    double away = larger(0, 1 - t->l2_bytes * l2_kept / all);
    struct far far = { x->src * away, x->wei * away, x->dst * away, all > l3 ? all * away : 0 };
    if (n->plan.order == ORDER_ROWS && x->wei > l2)
        come_again(&far, &far.wei, x->wei * (x->items - 1), x->wei > l3);
    /* A row tile's pixels that overflow L2, as measured on cores of 16 registers. */
    double row = x->src / (double)n->p->p.groups / x->items;
    if (n->plan.order == ORDER_ROWS && target_narrow(t) && row > l2 - x->panel)
        come_again(&far, &far.src, x->src * (x->blocks - 1), x->src > l3);
    if (n->plan.order == ORDER_WEIGHTS && x->src / (double)n->p->p.groups > l2 - x->panel)
        come_again(&far, &far.src, x->src * (x->blocks - 1), x->src > l3);
    double over = x->panel / (t->l2_bytes * l2_for_block) - 1;
    if (n->plan.order == ORDER_WEIGHTS && over > 0)
        come_again(&far, &far.wei, x->wei * (x->items - 1) * (over < 1 ? over : 1), x->panel > l3);
    return far;
}

/* LANES_OC on planes of columns: every channel of a tap is a line of its own for each row of the
 * tile. Those of one tap that overflow L1 are fetched for every tap again, in steps that no
 * prefetcher follows: a cycle each beyond what overlaps. Those of all taps that do are fetched
 * again for every channel block, which cores of 16 registers have no time to hide. */
static double lines_again(const struct nest *n, const struct target *t, const struct tensors *x)
{
    const struct convc_problem *p = &n->p->p;
    const int64_t *stride = n->src_stride;
    bool planes = stride[CONVC_STRIDE_W] == 1 && stride[CONVC_STRIDE_C] > 1;
    if (n->plan.lanes != LANES_OC || !planes)
        return 0;
    double taps = (double)(p->kernel[0] * p->kernel[1] * p->kernel[2]);
    double span = (double)((n->cols.wide - 1) * p->stride[CONVC_W] * n->src_bytes);
    double lines = (double)(n->rows.wide * n->p->icg) * (1 + span / 64);
    double step = (double)(n->rows.wide * n->cols.wide * n->plan.vecs) / (t->fma ? 2 : 1);
    double times = x->tiles * (double)n->blocks;
    if (taps > 1 && lines * 64 > t->l1_bytes)
        return lines * taps * times;
    if (!target_narrow(t))
        return 0;
    lines *= (double)(p->kernel[CONVC_D] * p->kernel[CONVC_H]);
    return lines * 64 > t->l1_bytes ? larger(0, narrow_l2_latency - step) / 4 * lines * times : 0;
}

/* Vectors of channels are read pixel by pixel: where pixels crowd few sets of L1 nothing read for
 * one row or column of taps is there for the next, and the lines are late. Fitted like that of
 * windows. */
static double crowded_lines(const struct nest *n, const struct target *t, const struct tensors *x)
{
    const struct convc_problem *p = &n->p->p;
    if (n->plan.lanes != LANES_GROUPS || direct_pixel_sets(n, t) > 8)
        return 0;
    double rows = n->plan.rows, cols = n->plan.cols, step = (double)p->stride[CONVC_W];
    double tall = (rows - 1) * (double)p->stride[CONVC_H] + (double)p->kernel[CONVC_H];
    double down = larger(1, tall / (rows * (double)p->stride[CONVC_H]));
    double across = larger(1, direct_window_columns(n, cols) / (cols * step));
    return x->src * down * across / 64 * (n->plan.order == ORDER_WEIGHTS ? 3 : 1.6);
}

double direct_traffic_cost(const struct nest *n, const struct target *t, struct cost *cost)
{
    const struct convc_problem *p = &n->p->p;
    struct tensors x = find_tensors(n);
    struct far far = find_far(n, t, &x);
    double l1 = t->l1_bytes * l1_for_weights;
    double wei = n->plan.order == ORDER_ROWS ? x.wei * x.items : x.wei;
    if (x.panel > l1)
        wei = x.wei * x.tiles;
    else if (x.wei < l1)
        wei = 0;
    double kernel = (double)(p->kernel[CONVC_D] * p->kernel[CONVC_H]);
    double halo = larger(1, kernel / (double)n->plan.rows / 3);
    double src_l2 = x.src * x.blocks * halo;
    cost->l2 += (wei + src_l2 + x.dst) / (t->ceilings.l2 * l2_share);

    double near = far.src + far.wei + far.dst - far.memory;
    cost->memory += near / (t->ceilings.l3 * l3_share) + far.memory / t->ceilings.memory;
    double weights = far_weights;
    if (target_narrow(t) && x.tiles > 1)
        weights = narrow_far_weights;
    if (n->plan.strip)
        weights = strip_far_weights;
    if (n->plan.prefetch == PREFETCH_WEIGHTS)
        weights = far_weights_ahead;
    double run = (double)(n->channel[0].width * n->bytes), again = 0;
    if (x.blocks > 1)
        again = far.dst / run * far_dst_again;
    return src_l2 / 64 * src_line + far.src / 64 * far_line(n, t, far.memory > 0) +
           far.wei / 64 * weights + far.dst / 64 * far_dst + again + lines_again(n, t, &x) +
           crowded_lines(n, t, &x);
}
