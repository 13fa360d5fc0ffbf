#include "gen/plan/winograd.h"

#include "gen/base/number.h"

#include <math.h>

/* ---- transforms ---------------------------------------------------------------------------- */

/* The pairs of points for n = 4, 6 and 8. Those of 6 err several times less than {1, 2} and cost no
 * more; the scale makes two rows of A^T plain sums. */
static const double point_sets[3][WINOGRAD_PAIRS] = {
    { 1 },
    { 0.70710678118654752440, 1.41421356237309504880 },
    { 1, 2, 0.5 },
};

static const double scale_sets[3][WINOGRAD_PAIRS] = {
    { 1 },
    { 1.41421356237309504880, 0.70710678118654752440 },
    { 1, 1, 1 },
};

bool winograd_axis_exists(int64_t m, int64_t r)
{
    if (r == 1)
        return m == 1;
    if (m < 2 || r < 2 || r > WINOGRAD_KERNEL || m > WINOGRAD_POINTS)
        return false;
    int64_t n = m + r - 1;
    return n % 2 == 0 && n >= 4 && n <= WINOGRAD_POINTS;
}

/* Coefficients of prod (x - root[i]), constant first; the leading one is 1. */
static void polynomial(const double *root, int count, double *c)
{
    c[0] = 1;
    for (int i = 0; i < count; i++) {
        c[i + 1] = 1;
        for (int j = i; j > 0; j--)
            c[j] = c[j - 1] - root[i] * c[j];
        c[0] *= -root[i];
    }
}

void winograd_axis_of(int m, int r, struct winograd_axis *a)
{
    *a = (struct winograd_axis){ .m = m, .r = r, .n = m + r - 1 };
    if (a->n == 1)
        return;
    double square[WINOGRAD_PAIRS];
    a->pairs = (a->n - 2) / 2;
    for (int k = 0; k < a->pairs; k++) {
        a->point[k] = point_sets[a->pairs - 1][k];
        a->scale[k] = scale_sets[a->pairs - 1][k];
        /* Products of the irrational points are whole numbers and halves. */
        square[k] = nearbyint(a->point[k] * a->point[k] * 1024) / 1024;
    }
    polynomial(square, a->pairs, a->all);
    for (int k = 0; k < a->pairs; k++) {
        double rest[WINOGRAD_PAIRS];
        int count = 0;
        for (int i = 0; i < a->pairs; i++) {
            if (i != k)
                rest[count++] = square[i];
        }
        polynomial(rest, count, a->others[k]);
    }
}

/* G's row of a finite point x is 1, x, x^2... over the product of its distances to the others. */
void winograd_weights_row(const struct winograd_axis *a, int point, double row[WINOGRAD_KERNEL])
{
    double x = 0, distance = a->all[0];
    for (int i = 0; i < a->r; i++)
        row[i] = 0;
    if (point == a->n - 1) { /* infinity; or no transform */
        row[a->r - 1] = 1;
        return;
    }
    if (point > 0) {
        int k = (point - 1) / 2;
        x = (point - 1) % 2 ? -a->point[k] : a->point[k];
        double square = nearbyint(x * x * 1024) / 1024, q = 0;
        for (int i = a->pairs - 1; i >= 0; i--)
            q = q * square + a->others[k][i];
        distance = 2 * square * q * a->scale[k];
    }
    row[0] = 1 / distance;
    for (int i = 1; i < a->r; i++)
        row[i] = row[i - 1] * x;
}

/* ---- the plan in numbers ------------------------------------------------------------------- */

/* From point to point: an odd number of cache lines, so that the points of a tile lie in different
 * sets of L1. */
static int64_t odd_lines(int64_t bytes)
{
    return (ceil_div(bytes, 64) | 1) * 64;
}

static void split_tiles(const struct problem *p, struct winograd *w)
{
    w->tiles_h = ceil_div(p->out[CONVC_H], w->h.m);
    w->tiles_w = ceil_div(p->out[CONVC_W], w->w.m);
    w->tiles = p->out[CONVC_D] * w->tiles_h * w->tiles_w;
    int64_t most = w->plan.block ? w->plan.block : w->tiles;
    w->blocks = split_even(w->tiles, most < w->tiles ? most : w->tiles);
    w->row_panels = ceil_div(w->blocks.wide, w->plan.rows);
    w->wide = (int)ceil_div(w->blocks.wide, w->row_panels);
    w->narrow = w->wide - 1;
}

static void split_channels(const struct problem *p, struct winograd *w)
{
    w->channels = ceil_div(p->icg, w->lanes);
    w->tail = p->icg - (w->channels - 1) * w->lanes;
    w->slabs = p->p.kernel[CONVC_D];
    w->k = w->slabs * w->channels * w->lanes;
    w->vectors = ceil_div(p->ocg, w->lanes);
    w->out_tail = p->ocg - (w->vectors - 1) * w->lanes;
    w->panels = ceil_div(w->vectors, w->plan.vecs);
    w->last_vecs = (int)(w->vectors - (w->panels - 1) * w->plan.vecs);
    int64_t slots = (int64_t)w->plan.vecs * w->lanes;
    int64_t wanted = w->plan.oc ? ceil_div(w->plan.oc, slots) : w->panels;
    w->oc_blocks = ceil_div(w->panels, wanted < w->panels ? wanted : w->panels);
    w->block_panels = ceil_div(w->panels, w->oc_blocks);
    w->oc_blocks = ceil_div(w->panels, w->block_panels);
}

/* Columns past the image's take what the last square of vectors writes; rows that are an odd number
 * of cache lines apart lie in different sets of L1. */
static void size_strips(const struct problem *p, struct winograd *w)
{
    w->src_strip = p->p.src_stride[CONVC_STRIDE_C] != 1;
    w->dst_strip = p->p.dst_stride[CONVC_STRIDE_C] != 1;
    w->src_row = odd_lines((p->p.in[CONVC_W] + w->lanes) * w->vector_bytes);
    w->src_channel = w->h.n * w->src_row;
    w->dst_row = odd_lines((w->tiles_w * w->w.m + w->lanes) * w->vector_bytes);
}

static void place_scratch(struct winograd *w)
{
    int64_t slots = w->block_panels * w->plan.vecs * w->lanes;
    w->shared = w->oc_blocks == 1;
    w->v_stride = odd_lines(w->blocks.wide * w->k * w->bytes);
    w->m_stride = odd_lines(w->blocks.wide * slots * w->bytes);
    if (w->shared && w->m_stride > w->v_stride)
        w->v_stride = w->m_stride;
    if (w->shared)
        w->m_stride = w->v_stride;
    w->patch_at = odd_lines(w->channels * w->vector_bytes);
    w->table_at = w->patch_at + odd_lines(w->points * w->vector_bytes);
    w->src_at = w->table_at + odd_lines(w->points * 8);
    w->dst_at = w->src_at + (w->src_strip ? w->slabs * w->channels * w->src_channel : 0);
    w->m_at = w->dst_at + (w->dst_strip ? w->h.m * w->dst_row : 0);
    w->v_at = w->m_at + (w->shared ? w->m_stride : w->points * w->m_stride);
    w->workspace = w->v_at + w->points * w->v_stride;
}

void winograd_of(const struct problem *p, const struct plan_winograd *plan, const struct target *t,
                 struct winograd *w)
{
    *w = (struct winograd){ .p = p, .plan = *plan, .bytes = dtype_bytes(p->p.acc_dtype) };
    w->lanes = target_lanes(t, w->bytes);
    w->vector_bytes = w->lanes * w->bytes;
    winograd_axis_of(plan->m[0], (int)p->p.kernel[CONVC_H], &w->h);
    winograd_axis_of(plan->m[1], (int)p->p.kernel[CONVC_W], &w->w);
    w->points = w->h.n * w->w.n;
    split_tiles(p, w);
    split_channels(p, w);
    size_strips(p, w);
    place_scratch(w);
}

int64_t winograd_block_elements(const struct winograd *w, int64_t block)
{
    int64_t before = block * w->block_panels * w->plan.vecs;
    int64_t all = w->block_panels * w->plan.vecs, left = w->vectors - before;
    return (left < all ? left : all) * w->lanes * w->k;
}

int64_t winograd_wide_panels(const struct winograd *w, int64_t tiles)
{
    return tiles - w->row_panels * w->narrow;
}
