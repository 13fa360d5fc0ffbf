#include "gen/plan/plan_winograd.h"

#include "gen/plan/winograd.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Bytes of transformed weights, and of scratch memory, beyond which a plan makes no sense. */
enum { LANES_MOST = 16, WEIGHTS_GIB_MAX = 64, WORKSPACE_MIB_MAX = 1024 };

/* ---- text ---------------------------------------------------------------------------------- */

void plan_winograd_print(const struct plan *plan, struct text *t)
{
    const struct plan_winograd *p = &plan->winograd;
    text_add(t, " f=%dx%d", p->m[0], p->m[1]);
    if (p->block)
        text_add(t, " block=%lld", (long long)p->block);
    if (p->oc)
        text_add(t, " oc=%lld", (long long)p->oc);
    text_add(t, " tile=%dx%d", p->rows, p->vecs);
    if (p->prefetch == PREFETCH_WEIGHTS)
        text_add(t, " prefetch=weights");
}

static bool read_pair(const char *value, int *a, int *b)
{
    int used = 0;
    bool digits = strspn(value, "0123456789x") == strlen(value) && strlen(value) < 12;
    return digits && sscanf(value, "%9dx%9d%n", a, b, &used) == 2 && value[used] == '\0';
}

enum convc_status plan_winograd_parse(const char *key, const char *value, struct plan *plan,
                                      struct diag *d)
{
    struct plan_winograd *p = &plan->winograd;
    bool good = false;
    if (!strcmp(key, "f")) {
        good = read_pair(value, &p->m[0], &p->m[1]);
    } else if (!strcmp(key, "tile")) {
        good = read_pair(value, &p->rows, &p->vecs);
    } else if (!strcmp(key, "block")) {
        good = plan_read_count(value, &p->block);
    } else if (!strcmp(key, "oc")) {
        good = plan_read_count(value, &p->oc);
    } else if (!strcmp(key, "prefetch")) {
        bool weights = !strcmp(value, "weights");
        good = weights || !strcmp(value, "none");
        p->prefetch = weights ? PREFETCH_WEIGHTS : PREFETCH_NONE;
    } else {
        return diag_fail(d, CONVC_ERR_PLAN,
                         "plan word '%s' is unknown; winograd has f, block, oc, tile and prefetch",
                         key);
    }
    if (!good)
        return diag_fail(d, CONVC_ERR_PLAN, "plan word '%s=%s' has no such value", key, value);
    return CONVC_OK;
}

/* ---- fit ----------------------------------------------------------------------------------- */

static enum convc_status check_problem(const struct problem *p, struct diag *d)
{
    const struct convc_problem *c = &p->p;
    if (functions_any(&p->f))
        return diag_fail(d, CONVC_ERR_PLAN,
                         "winograd sums products and adds bias and residual: it has no functions "
                         "of the user");
    if (c->src_dtype != c->acc_dtype || c->dst_dtype != c->acc_dtype)
        return diag_fail(d, CONVC_ERR_PLAN, "winograd needs src and dst of acc's type, %s",
                         dtype_name(c->acc_dtype));
    for (int a = CONVC_H; a <= CONVC_W; a++) {
        if (c->stride[a] != 1 || c->dilation[a] != 1)
            return diag_fail(d, CONVC_ERR_PLAN,
                             "winograd needs stride=1 and dilation=1 along height and width");
    }
    if (c->kernel[CONVC_H] == 1 && c->kernel[CONVC_W] == 1)
        return diag_fail(d, CONVC_ERR_PLAN,
                         "winograd needs a kernel of more than one tap along "
                         "height or width");
    const int64_t *from = c->src_stride, *to = c->dst_stride;
    if ((from[CONVC_STRIDE_C] != 1 && from[CONVC_STRIDE_W] != 1) ||
        (to[CONVC_STRIDE_C] != 1 && to[CONVC_STRIDE_W] != 1))
        return diag_fail(d, CONVC_ERR_PLAN,
                         "winograd needs the channels or the pixels of a row side by side");
    return CONVC_OK;
}

static enum convc_status check_tile(const struct plan_winograd *w, struct diag *d)
{
    if (w->rows < 1 || w->rows > WINOGRAD_ROWS || w->vecs < 1 || w->vecs > TILE_VECS ||
        w->rows * w->vecs > TILE_ACCUMULATORS)
        return diag_fail(d, CONVC_ERR_PLAN,
                         "tile=%dx%d is not within %dx%d with at most %d accumulators", w->rows,
                         w->vecs, WINOGRAD_ROWS, TILE_VECS, TILE_ACCUMULATORS);
    return CONVC_OK;
}

/* In floating point, which does not overflow. */
static enum convc_status check_size(const struct plan_winograd *plan, const struct problem *p,
                                    struct diag *d)
{
    double n = 1, tiles = (double)p->out[CONVC_D], bytes = (double)dtype_bytes(p->p.acc_dtype);
    for (int a = 0; a < 2; a++) {
        n *= (double)(plan->m[a] + p->p.kernel[CONVC_H + a] - 1);
        tiles *= (double)(p->out[CONVC_H + a] / plan->m[a] + 1);
    }
    double icg = (double)p->icg + LANES_MOST, ocg = (double)p->ocg + LANES_MOST * plan->vecs;
    double depth = (double)p->p.kernel[CONVC_D] * icg;
    double block = plan->block && (double)plan->block < tiles ? (double)plan->block : tiles;
    if (n * depth * ocg * (double)p->p.groups * bytes > WEIGHTS_GIB_MAX * 0x1p30)
        return diag_fail(d, CONVC_ERR_PLAN, "winograd's weights would take more than %d GiB",
                         WEIGHTS_GIB_MAX);
    /* And the strips of a row of tiles, which only some layouts have. */
    double strip = depth * n * ((double)p->p.in[CONVC_W] + LANES_MOST);
    strip += n * LANES_MOST * ((double)p->out[CONVC_W] + LANES_MOST + n);
    if ((n * block * (depth + ocg) + strip) * bytes > WORKSPACE_MIB_MAX * 0x1p20)
        return diag_fail(d, CONVC_ERR_PLAN,
                         "winograd's scratch memory would take more than %d MiB; block=%lld",
                         WORKSPACE_MIB_MAX, (long long)plan->block);
    return CONVC_OK;
}

enum convc_status plan_winograd_check(const struct plan *plan, const struct problem *p,
                                      const struct target *t, struct diag *d)
{
    const struct plan_winograd *w = &plan->winograd;
    if (check_problem(p, d) != CONVC_OK || check_tile(w, d) != CONVC_OK)
        return d->status;
    for (int a = 0; a < 2; a++) {
        if (!winograd_axis_exists(w->m[a], p->p.kernel[CONVC_H + a]))
            return diag_fail(d, CONVC_ERR_PLAN,
                             "f=%dx%d has no transform for a kernel of %lld x %lld: 1 goes with 1, "
                             "else f + kernel - 1 must be 4, 6 or 8",
                             w->m[0], w->m[1], (long long)p->p.kernel[CONVC_H],
                             (long long)p->p.kernel[CONVC_W]);
    }
    return check_size(w, p, d);
}

/* ---- facts --------------------------------------------------------------------------------- */

/* The largest errors seen, in units of the rounding error: under a transform of one axis, and of
 * both axes by the same. One input channel is the worst case; from 64 on it is a third of this.
 * Transforms that differ err by the geometric mean and a little. The bound is four times as much,
 * which the tests hold. */
struct seen {
    int m, r;
    double alone, both;
};

static const struct seen seen[] = {
    { 2, 3, 5, 5 },    { 3, 2, 5, 6 },    { 2, 5, 18, 26 },  { 3, 4, 20, 24 },
    { 4, 3, 14, 30 },  { 5, 2, 24, 48 },  { 2, 7, 30, 70 },  { 3, 6, 36, 96 },
    { 4, 5, 38, 140 }, { 5, 4, 40, 180 }, { 6, 3, 48, 250 }, { 7, 2, 60, 440 },
};

static void find_seen(int64_t m, int64_t r, struct seen *out)
{
    for (size_t i = 0; i < sizeof seen / sizeof *seen; i++) {
        if (seen[i].m == m && seen[i].r == r)
            *out = seen[i];
    }
}

double plan_winograd_error_bound(const struct plan *plan, const struct problem *p)
{
    const struct plan_winograd *w = &plan->winograd;
    double u = p->p.acc_dtype == CONVC_F64 ? 0x1p-53 : 0x1p-24, most = 0;
    struct seen h = { 0 }, v = { 0 };
    find_seen(w->m[0], p->p.kernel[CONVC_H], &h);
    find_seen(w->m[1], p->p.kernel[CONVC_W], &v);
    if (!h.m || !v.m)
        most = h.m ? h.alone : v.alone;
    else if (h.m == v.m && h.r == v.r)
        most = h.both;
    else
        most = 1.2 * sqrt(h.both * v.both);
    return 4 * most * u;
}

void plan_winograd_layout(const struct problem *p, const struct plan *plan, const struct target *t,
                          struct layout *l)
{
    struct winograd w;
    winograd_of(p, &plan->winograd, t, &w);
    *l = (struct layout){ .transformed = true,
                          .flip = p->p.flip,
                          .oc = p->p.oc,
                          .icg = w.channels * w.lanes,
                          .ocg = p->ocg,
                          .groups = p->p.groups,
                          .kernel = { w.slabs, w.h.n, w.w.n },
                          .block = w.block_panels * w.plan.vecs * w.lanes,
                          .unit = w.lanes,
                          .group_block = 1,
                          .lanes = w.plan.vecs };
}

size_t plan_winograd_workspace_bytes(const struct problem *p, const struct plan *plan,
                                     const struct target *t)
{
    struct winograd w;
    winograd_of(p, &plan->winograd, t, &w);
    return (size_t)w.workspace;
}

int64_t plan_winograd_items(const struct problem *p, const struct plan *plan,
                            const struct target *t, int32_t phase, int64_t n)
{
    struct winograd w;
    winograd_of(p, &plan->winograd, t, &w);
    return n * p->p.groups * w.blocks.tiles * w.oc_blocks;
}

void plan_winograd_explain(const struct problem *p, const struct plan *plan, const struct target *t,
                           struct text *text)
{
    struct winograd w;
    winograd_of(p, &plan->winograd, t, &w);
    text_add(text, "  for image < n, group < %lld\n", (long long)p->p.groups);
    text_add(text, "    for block < %lld    # of %lld tiles of %d x %d outputs\n",
             (long long)w.blocks.tiles, (long long)w.blocks.wide, w.h.m, w.w.m);
    if (w.src_strip)
        text_add(text, "      turn the inputs of each row of tiles, channels last, into a strip\n");
    text_add(text, "      transform %d x %d inputs a tile; %lld channels\n", w.h.n, w.w.n,
             (long long)p->icg);
    text_add(text, "      for oc block < %lld\n", (long long)w.oc_blocks);
    text_add(text, "        for point < %d, panel < %lld, row panel < %lld, k < %lld\n", w.points,
             (long long)w.block_panels, (long long)w.row_panels, (long long)w.k);
    text_add(text, "          register tile %d x %d vectors of %d output channels\n", w.wide,
             w.plan.vecs, w.lanes);
    text_add(text, "        transform back, %d x %d outputs a tile\n", w.h.m, w.w.m);
    if (w.dst_strip)
        text_add(text, "        turn the outputs of each row of tiles back\n");
    text_add(text, "  scratch memory %lld KiB\n", (long long)w.workspace / 1024);
}
