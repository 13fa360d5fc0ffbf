#include "gen/plan/strip.h"

#include "gen/base/number.h"

#include <math.h>

/* Bytes of a strip beyond which a plan makes no sense. */
static const double bytes_most = 256 << 20;

/* A pixel's channels in full vectors, an odd number of cache lines so that pixels lie in different
 * sets of L1; a few channels in a power of two. */
static int64_t pixel_elements(const struct problem *p, int lanes, int64_t bytes)
{
    int64_t ic = p->p.ic, line = 64 / bytes, few = 1;
    while (few < ic)
        few *= 2;
    if (ic < lanes)
        return few;
    int64_t all = ceil_div(ic, lanes) * lanes;
    return all <= line ? all : (ceil_div(all, line) | 1) * line;
}

/* Columns of the source that `count` column tiles read, at most. */
static int64_t columns_read(const struct problem *p, int64_t ow)
{
    const struct convc_problem *c = &p->p;
    int64_t taps = (c->kernel[CONVC_W] - 1) * c->dilation[CONVC_W];
    return (ow - 1) * c->stride[CONVC_W] + taps + 1;
}

static int64_t most_columns(const struct problem *p, const struct plan_direct *plan)
{
    int64_t ow = plan->fold ? plan->fold : p->out[CONVC_W];
    struct split cols = split_even(ow, plan->cols);
    int64_t tiles = plan->chunk && plan->chunk < cols.tiles ? plan->chunk : cols.tiles;
    int64_t most = tiles * cols.wide < ow ? tiles * cols.wide : ow;
    return problem_pointwise(p) ? most : columns_read(p, most);
}

const struct problem *strip_problem(const struct problem *p, const struct plan_direct *plan,
                                    const struct target *t, struct problem *room)
{
    if (!plan->strip)
        return p;
    int64_t bytes = dtype_bytes(p->p.src_dtype), *stride = room->p.src_stride;
    int lanes = target_lanes(t, bytes);
    *room = *p;
    stride[CONVC_STRIDE_N] = stride[CONVC_STRIDE_D] = 0;
    stride[CONVC_STRIDE_C] = 1;
    stride[CONVC_STRIDE_W] = pixel_elements(p, lanes, bytes);
    stride[CONVC_STRIDE_H] = (most_columns(p, plan) + 2 * lanes) * stride[CONVC_STRIDE_W];
    if (problem_pointwise(p)) {
        for (int a = 0; a < 3; a++) {
            room->p.in[a] = p->out[a];
            room->p.stride[a] = 1;
            room->p.pad_begin[a] = room->p.pad_end[a] = 0;
        }
        stride[CONVC_STRIDE_H] = p->out[CONVC_W] * stride[CONVC_STRIDE_W];
        stride[CONVC_STRIDE_D] = p->out[CONVC_H] * stride[CONVC_STRIDE_H];
    }
    return room;
}

enum convc_status strip_check(const struct problem *p, const struct plan_direct *plan,
                              const struct target *t, struct diag *d)
{
    const struct convc_problem *c = &p->p;
    int64_t total = p->out[0] * p->out[1] * p->out[2];
    bool plain = c->padding_mode == CONVC_PAD_ZEROS;
    bool tile = plan->lanes == LANES_OC && plan->order == ORDER_ROWS && plan->taps == TAPS_LOOP &&
                plan->border != BORDER_COMPUTED;
    if (c->src_dtype != c->acc_dtype)
        return diag_fail(d, CONVC_ERR_PLAN, "src=strip needs src of acc's type, %s",
                         dtype_name(c->acc_dtype));
    if (c->src_stride[CONVC_STRIDE_W] != 1 || c->ic == 1)
        return diag_fail(d, CONVC_ERR_PLAN,
                         "src=strip needs several channels, and the pixels of a row side by side");
    if (!tile || plan->rest || plan->prefetch == PREFETCH_PIXELS)
        return diag_fail(d, CONVC_ERR_PLAN,
                         "src=strip goes with lanes=oc, order=rows and taps=loop, and not with "
                         "border=computed, rest or prefetch=pixels");
    bool pads = false;
    for (int a = 0; a < 3; a++)
        pads = pads || problem_axis_pads(p, a);
    if (problem_pointwise(p) && (plan->fold != total || pads))
        return diag_fail(d, CONVC_ERR_PLAN,
                         "src=strip needs fold=%lld, all pixels, and no padding, where the kernel "
                         "is 1",
                         (long long)total);
    if (!problem_pointwise(p) &&
        (!plain || c->kernel[CONVC_D] != 1 || problem_axis_pads(p, CONVC_D)))
        return diag_fail(d, CONVC_ERR_PLAN,
                         "src=strip needs a kernel of depth 1 without padding there, and zeros "
                         "as padding");
    double rows = (double)(plan->rows * c->stride[CONVC_H]) +
                  (double)(c->kernel[CONVC_H] * c->dilation[CONVC_H]);
    double room = ((double)most_columns(p, plan) + 64) * ((double)c->ic + 64) * 8;
    if (room * rows > bytes_most)
        return diag_fail(d, CONVC_ERR_PLAN, "src=strip would take more than %d MiB",
                         (int)(bytes_most / (1 << 20)));
    return CONVC_OK;
}

void strip_of(const struct problem *p, const struct nest *n, struct strip *s)
{
    const struct convc_problem *c = &p->p;
    int64_t tall = (c->kernel[CONVC_H] - 1) * c->dilation[CONVC_H];
    bool folded = n->plan.fold, even = folded && nest_even_pixels(p);
    *s = (struct strip){ .pitch = n->src_stride[CONVC_STRIDE_W] * n->bytes, .lead = n->lanes };
    s->row = folded ? 0 : n->src_stride[CONVC_STRIDE_H] * n->bytes;
    s->rows = folded ? 1 : (n->rows.wide - 1) * c->stride[CONVC_H] + tall + 1;
    s->cols = most_columns(p, &n->plan);
    s->step = folded ? c->stride[CONVC_W] : 1;
    s->keep = s->step < n->lanes ? n->lanes / s->step : 1;
    s->width = !folded ? c->in[CONVC_W] : even ? n->out[CONVC_W] : p->out[CONVC_W];
    s->vectors = ceil_div(c->ic, n->lanes);
    s->tail = c->ic - (s->vectors - 1) * n->lanes;
    s->stored = c->ic < n->lanes ? s->pitch / n->bytes : n->lanes;
    s->bytes = s->rows * (s->cols + 2 * s->lead) * s->pitch;
    s->bytes = ceil_div(s->bytes, 64) * 64;
}

size_t strip_bytes(const struct problem *p, const struct plan_direct *plan, const struct target *t)
{
    struct problem room;
    struct nest n;
    struct strip s;
    if (!plan->strip)
        return 0;
    nest_of(strip_problem(p, plan, t, &room), plan, t, &n);
    strip_of(p, &n, &s);
    return (size_t)s.bytes;
}

/* Rows of row tiles that overlap are turned over again for each. */
double strip_cost(const struct problem *p, const struct nest *n)
{
    struct strip s;
    strip_of(p, n, &s);
    double items = (double)(n->out[CONVC_D] * n->row_tiles * n->chunks);
    double squares = ceil((double)s.cols / (double)s.keep) * (double)(s.rows * s.vectors);
    return items * (60 + 10 * (double)(s.rows * s.vectors) + squares * (2.5 * n->lanes));
}
