/* What a Winograd plan should cost, by counting.
 *
 *     products   = max(multiply-adds / 2, loads / 2, latency) with the stream of weights
 *     transforms = additions / 2, loads and stores; strips of channels-first tensors
 *     traffic    = images that lie beyond L2, V and M that do not stay there
 *
 * Rates are bytes per cycle of one core as measured on Zen 5, and on Zen 3 for machines of 16
 * registers ("narrow"). A cycle is the time of two multiply-adds: where they take two (Zen 4), what
 * is not vectors comes to half as much. */
#include "gen/plan/cost.h"
#include "gen/plan/plan_winograd.h"
#include "gen/plan/winograd.h"
#include "gen/plan/work.h"

#include <math.h>

/* Weights are asked for ahead: from L2, from L3, and from memory where they are more than their
 * share of L3. Images come in shorter pieces; where they are large, L3 keeps little of them. */
static const double l2_rate = 40, l3_rate = 17, far_rate = 9, image_rate = 30, large_rate = 8;
static const double narrow_far_rate = 5;

/* Cycles of work around the vectors, fitted: a tile; the latency of a multiply-add; a product and
 * each of its sums; a vector read, by the arithmetic of its transform and, at a border, a point; a
 * vector made, by the arithmetic of its transform, and itself. And by what the stream of weights
 * differs: any, one that stays in L2.
 */
struct around {
    double tile, latency, leave, leave_sum, in, border, out, made, stream, resident;
};
static const struct around usual = { 60, 4, 30, 1.5, 1, 2.5, 1, 8, 1, 1 };
static const struct around halves = { 40, 2, 10, 0.5, 1.2, 0, 0.3, 9, 0.7, 0.3 };

static const struct around *around(const struct target *t)
{
    return t->halves ? &halves : &usual;
}

/* Shares of L3: that of weights, and that of images. */
static const double weights_share = 0.8345, narrow_weights_share = 0.5365, images_share = 0.2385;

/* Products of one block of `tiles` tiles over all points and output channels of a group. */
static double products(const struct winograd *w, const struct target *t, double tiles,
                       struct cost *cost)
{
    double cycles = 0, mul = t->fma ? 1 : 2, panels = (double)w->row_panels;
    for (int tail = 0; tail < 2; tail++) {
        double vecs = tail ? w->last_vecs : w->plan.vecs, rows = tiles / panels;
        double times = tail ? 1 : (double)w->panels - 1;
        double fma = rows * vecs * mul / 2, load = (rows + vecs) / 2;
        double step = larger(larger(fma, load), around(t)->latency) * (vecs > 2 ? 1.05 : 1.02);
        double k = (double)w->k, leave = around(t)->leave;
        leave += around(t)->leave_sum * rows * vecs;
        times *= w->points * panels;
        cost->fma += times * k * fma;
        cost->load += times * k * load;
        cycles += times * (k * step + leave);
    }
    return cycles;
}

/* Additions and multiply-adds of one axis of a transform, for one vector. */
static double input_work(const struct winograd_axis *a)
{
    return 2.0 * a->pairs * (a->pairs + 1);
}

static double output_work(const struct winograd_axis *a)
{
    return a->n == 1 ? 0 : 2.0 * a->pairs + (double)a->m * a->pairs;
}

static double transforms(const struct winograd *w, const struct target *t)
{
    const struct convc_problem *p = &w->p->p;
    double in = w->w.n * input_work(&w->h) + w->h.n * input_work(&w->w);
    double out = w->w.n * output_work(&w->h) + w->h.m * output_work(&w->w);
    double outputs = (double)w->h.m * w->w.m, points = w->points;
    double store = (p->residual ? 2 : 1) + work_last(w->p);
    double spill = target_narrow(t) ? 1.5 : 1;
    in = (in / 2 + points) * spill;
    out = (out / 2 + outputs * store) * spill;

    double inside = larger(0, (double)w->tiles_h - 2) * larger(0, (double)w->tiles_w - 2);
    double border = 1 - inside / ((double)w->tiles_h * (double)w->tiles_w);
    const struct around *a = around(t);
    border *= a->border * points;
    double vectors = (double)(w->slabs * w->channels);
    return a->tile + vectors * (a->in * in + border) + 6 * border +
           (double)w->vectors * (a->out * out + a->made);
}

/* Turning the inputs and outputs of an image over through strips: a square of vectors takes about
 * four cycles a vector, for loads, shuffles and stores. Rows of tiles overlap, and so do the parts
 * of one that lie in two blocks. */
static double strips(const struct winograd *w)
{
    double parts = (double)w->tiles / (double)w->tiles_w + (double)w->blocks.tiles - 1;
    double per_part = (double)w->tiles / parts, lanes = w->lanes, cycles = 0;
    double in = per_part * w->w.m + w->w.n - w->w.m, out = per_part * w->w.m;
    if (w->src_strip)
        cycles += w->h.n * ceil(in / lanes) * (double)(w->slabs * w->channels);
    if (w->dst_strip)
        cycles += w->h.m * ceil(out / lanes) * (double)w->vectors;
    return cycles * parts * lanes * 4;
}

/* Waiting for images that the last run has not left in L2. */
static double images(const struct winograd *w, const struct target *t, double weights)
{
    const struct convc_problem *p = &w->p->p;
    double in = 1, halo = (double)w->h.n / w->h.m;
    for (int a = 0; a < 3; a++)
        in *= (double)p->in[a];
    double out = (double)(w->p->out[0] * w->p->out[1] * w->p->out[2]);
    double src = in * (double)p->ic * (double)w->bytes, dst = out * (double)p->oc;
    dst *= (double)w->bytes * (p->residual ? 2 : 1);
    double away = larger(0, 1 - t->l2_bytes * 0.9 / (src + dst + weights));
    bool large = src + dst + weights > target_l3_of_core(t) * images_share;
    return (src * halo + dst) * away / (large ? large_rate : image_rate);
}

void plan_winograd_cost(const struct problem *p, const struct plan *plan, const struct target *t,
                        struct cost *cost)
{
    struct winograd w;
    winograd_of(p, &plan->winograd, t, &w);
    *cost = (struct cost){ .limit = "fma" };
    double blocks = (double)w.blocks.tiles, groups = (double)p->p.groups;
    double tiles = (double)w.tiles / blocks;
    double compute = products(&w, t, tiles, cost) * blocks * groups;
    double weights = (double)(w.vectors * w.lanes * w.k * w.points * w.bytes);
    double scratch = (double)w.workspace, l2 = t->l2_bytes;

    /* Every block reads all weights of its group: from L2 where they stay beside V and M. */
    double near = weights + 0.5 * scratch < 0.8 * l2 ? weights * (blocks - 1) : 0;
    double far = weights * groups * blocks - near * groups;
    bool narrow = target_narrow(t);
    double rate = narrow ? narrow_far_rate : far_rate;
    if (weights <= target_l3_of_core(t) * (narrow ? narrow_weights_share : weights_share))
        rate = l3_rate;
    cost->l2 = near * groups / l2_rate;
    cost->memory = far / rate * around(t)->stream;
    if (weights * groups < 0.7 * l2)
        cost->memory *= around(t)->resident;
    double streams = together(compute, cost->memory + cost->l2);

    /* V and M leave L1 in any case; beyond L2 they are written, read and read again. */
    double room = 1 + 0.1 * (scratch < l2 ? scratch / l2 : 1);
    cost->overhead = transforms(&w, t) * room * (double)w.tiles * groups;
    cost->overhead += strips(&w) * groups;
    cost->overhead += images(&w, t, weights * groups);
    cost->overhead += larger(0, scratch - 0.9 * l2) / l3_rate * blocks * groups;
    cost->fma *= blocks * groups;
    cost->load *= blocks * groups;
    cost->cycles = streams + cost->overhead;
    if (cost->load > cost->fma)
        cost->limit = "load";
    if (cost->memory > compute)
        cost->limit = "memory";
    double steps = (double)(w.wide + w.narrow) * w.plan.vecs * (w.lanes < 4 ? w.lanes : 4);
    cost->compile_ms = (w.src_strip ? 4 : 0) + (w.dst_strip ? 4 : 0);
    cost->compile_ms += 2 + 0.018 * steps + 0.02 * w.points * (2 + w.h.pairs);
}
