#include "gen/plan/plan_direct.h"

#include "gen/plan/nest.h"
#include "gen/plan/pack.h"
#include "gen/plan/strip.h"

#include <stdio.h>
#include <string.h>

/* Multiply-adds written down in one kernel that LLVM compiles in bearable time. */
enum { EMITTED_MAX = 6000 };

/* ---- text ---------------------------------------------------------------------------------- */

static const char *const lanes_word[] = { "oc", "groups", "ow", "ic" };
static const char *const order_word[] = { "rows", "weights", "pixels" };
static const char *const border_word[] = { "none", "peel", "computed" };
static const char *const prefetch_word[] = { "none", "pixels", "weights" };
static const char *const rest_word[] = { "oc", "ic" };
static const char *const src_word[] = { "tensor", "strip" };
static const char *const vector_word[] = { "full", "half" };
static const char *const taps_word[] = { "loop", "unroll", "window" };

void plan_direct_print(const struct plan *plan, struct text *t)
{
    const struct plan_direct *d = &plan->direct;
    text_add(t, " lanes=%s tile=%dx%dx%d", lanes_word[d->lanes], d->rows, d->cols, d->vecs);
    text_add(t, " order=%s border=%s", order_word[d->order], border_word[d->border]);
    if (d->taps)
        text_add(t, " taps=%s", taps_word[d->taps]);
    if (d->prefetch)
        text_add(t, " prefetch=%s", prefetch_word[d->prefetch]);
    if (d->strip)
        text_add(t, " src=%s", src_word[d->strip]);
    if (d->half)
        text_add(t, " vector=%s", vector_word[d->half]);
    if (d->split)
        text_add(t, " split=%d", d->split);
    if (d->rest)
        text_add(t, " rest=%s", rest_word[d->rest]);
    if (d->fold)
        text_add(t, " fold=%lld", (long long)d->fold);
    if (d->chunk)
        text_add(t, " chunk=%lld", (long long)d->chunk);
}

static int find(const char *value, const char *const *words, int count)
{
    for (int i = 0; i < count; i++) {
        if (!strcmp(value, words[i]))
            return i;
    }
    return -1;
}

static bool read_tile(const char *value, struct plan_direct *d)
{
    int used = 0;
    bool digits = strspn(value, "0123456789x") == strlen(value) && strlen(value) < 16;
    return digits && sscanf(value, "%9dx%9dx%9d%n", &d->rows, &d->cols, &d->vecs, &used) == 3 &&
           value[used] == '\0';
}

enum convc_status plan_direct_parse(const char *key, const char *value, struct plan *plan,
                                    struct diag *d)
{
    struct plan_direct *p = &plan->direct;
    bool good = false;
    int word = -1;
    int64_t count = 0;
    if (!strcmp(key, "lanes")) {
        good = (word = find(value, lanes_word, 4)) >= 0;
        p->lanes = (enum plan_lanes)word;
    } else if (!strcmp(key, "order")) {
        good = (word = find(value, order_word, 3)) >= 0;
        p->order = (enum plan_order)word;
    } else if (!strcmp(key, "border")) {
        good = (word = find(value, border_word, 3)) >= 0;
        p->border = (enum plan_border)word;
    } else if (!strcmp(key, "taps")) {
        good = (word = find(value, taps_word, 3)) >= 0;
        p->taps = (enum plan_taps)word;
    } else if (!strcmp(key, "prefetch")) {
        good = (word = find(value, prefetch_word, 3)) >= 0;
        p->prefetch = (enum plan_prefetch)word;
    } else if (!strcmp(key, "tile")) {
        good = read_tile(value, p);
    } else if (!strcmp(key, "rest")) {
        good = (word = find(value, rest_word, 2)) >= 0;
        p->rest = word == 1;
    } else if (!strcmp(key, "src")) {
        good = (word = find(value, src_word, 2)) >= 0;
        p->strip = word == 1;
    } else if (!strcmp(key, "vector")) {
        good = (word = find(value, vector_word, 2)) >= 0;
        p->half = word == 1;
    } else if (!strcmp(key, "split")) {
        good = plan_read_count(value, &count) && count <= TILE_SPLIT;
        p->split = (int)count;
    } else if (!strcmp(key, "fold")) {
        good = plan_read_count(value, &p->fold);
    } else if (!strcmp(key, "chunk")) {
        good = plan_read_count(value, &p->chunk);
    } else {
        return diag_fail(d, CONVC_ERR_PLAN,
                         "plan word '%s' is unknown; direct has lanes, tile, order, border, taps, "
                         "prefetch, src, vector, split, rest, fold and chunk",
                         key);
    }
    if (!good)
        return diag_fail(d, CONVC_ERR_PLAN, "plan word '%s=%s' has no such value", key, value);
    return CONVC_OK;
}

/* ---- fit ----------------------------------------------------------------------------------- */

static enum convc_status check_split(const struct plan_direct *p, struct diag *d)
{
    bool fits = (int64_t)p->rows * p->cols * p->vecs * p->split <= TILE_ACCUMULATORS;
    bool sums = p->lanes == LANES_OC || p->lanes == LANES_IC;
    if (p->split && (!sums || p->split < 2 || !fits))
        return diag_fail(d, CONVC_ERR_PLAN,
                         "split=%d needs lanes=oc or ic, at least 2 and at most %d accumulators",
                         p->split, TILE_ACCUMULATORS);
    return CONVC_OK;
}

/* Dot products along the input channels. */
static enum convc_status check_dots(const struct plan_direct *p, const struct problem *problem,
                                    int lanes, struct diag *d)
{
    bool dots = p->lanes == LANES_IC || p->rest;
    bool side_by_side = problem->icg == 1 || problem->p.src_stride[CONVC_STRIDE_C] == 1;
    if (dots && (!side_by_side || p->taps != TAPS_LOOP))
        return diag_fail(
            d, CONVC_ERR_PLAN,
            "lanes=ic and rest=ic need channels of the source side by side and taps=loop");
    bool some = problem->ocg > lanes && problem->ocg % lanes;
    if (p->rest && (p->lanes != LANES_OC || !some))
        return diag_fail(d, CONVC_ERR_PLAN,
                         "rest=ic needs lanes=oc and channels beyond the last full vector of %d",
                         lanes);
    return CONVC_OK;
}

static enum convc_status check_tile(const struct plan_direct *p, struct diag *d)
{
    bool each = p->rows >= 1 && p->rows <= TILE_ROWS && p->cols >= 1 && p->cols <= TILE_COLS &&
                p->vecs >= 1 && p->vecs <= TILE_VECS;
    if (!each || p->rows * p->cols * p->vecs > TILE_ACCUMULATORS)
        return diag_fail(
            d, CONVC_ERR_PLAN, "tile=%dx%dx%d is not within %dx%dx%d with at most %d accumulators",
            p->rows, p->cols, p->vecs, TILE_ROWS, TILE_COLS, TILE_VECS, TILE_ACCUMULATORS);
    return CONVC_OK;
}

static enum convc_status check_fold(const struct plan_direct *p, const struct problem *problem,
                                    struct diag *d)
{
    int64_t total = problem->out[0] * problem->out[1] * problem->out[2];
    if (p->fold && !nest_foldable(problem))
        return diag_fail(d, CONVC_ERR_PLAN,
                         "fold=%lld needs a pointwise problem whose pixels follow each other",
                         (long long)p->fold);
    if (p->fold && total % p->fold)
        return diag_fail(d, CONVC_ERR_PLAN, "fold=%lld does not divide the %lld output pixels",
                         (long long)p->fold, (long long)total);
    if (p->fold && p->border != BORDER_NONE)
        return diag_fail(d, CONVC_ERR_PLAN, "fold=%lld goes with border=none alone",
                         (long long)p->fold);
    bool even = !p->fold || nest_even_pixels(problem);
    if (!even && (p->fold != total || p->lanes == LANES_OW))
        return diag_fail(d, CONVC_ERR_PLAN,
                         "fold=%lld must be all %lld output pixels, and not along the lanes, where "
                         "the source pixels are strided",
                         (long long)p->fold, (long long)total);
    bool beside = problem->p.src_stride[CONVC_STRIDE_C] == 1;
    if (p->prefetch == PREFETCH_PIXELS && (!beside || !even || p->lanes != LANES_OC))
        return diag_fail(
            d, CONVC_ERR_PLAN,
            "prefetch=pixels needs lanes=oc, channels side by side and pixels evenly apart");
    if (p->prefetch == PREFETCH_WEIGHTS && p->lanes != LANES_OC)
        return diag_fail(d, CONVC_ERR_PLAN, "prefetch=weights needs lanes=oc");
    return CONVC_OK;
}

static enum convc_status check_window(const struct plan_direct *p, const struct problem *problem,
                                      struct diag *d)
{
    if (p->lanes == LANES_IC || p->fold || p->prefetch || p->split || p->rest)
        return diag_fail(d, CONVC_ERR_PLAN,
                         "taps=window goes with lanes=oc, groups or ow, and not with fold, "
                         "prefetch, split or rest");
    if (p->lanes == LANES_GROUPS && problem->p.src_stride[CONVC_STRIDE_C] != 1)
        return diag_fail(d, CONVC_ERR_PLAN,
                         "taps=window with lanes=groups needs channels side by side");
    if (problem->p.padding_mode == CONVC_PAD_CONSTANT && problem_axis_pads(problem, CONVC_D))
        return diag_fail(d, CONVC_ERR_PLAN,
                         "taps=window does not go with constant padding in depth");
    return CONVC_OK;
}

static enum convc_status check_border(const struct problem *p, const struct plan_direct *plan,
                                      const struct target *t, struct diag *d)
{
    if (plan->border == BORDER_NONE && problem_axis_pads(p, CONVC_W))
        return diag_fail(d, CONVC_ERR_PLAN, "border=none, but taps fall outside along the width");
    int64_t emitted = nest_emitted(p, plan, t);
    if (emitted < 0 || emitted > EMITTED_MAX)
        return diag_fail(d, CONVC_ERR_PLAN,
                         "the plan would make code of more than %d multiply-adds", EMITTED_MAX);
    return CONVC_OK;
}

/* Half of the shortest vectors would hold one or two elements. Where the machine decides how long
 * vectors are, the whole of one is what they are made for. */
static enum convc_status check_half(const struct plan_direct *p, const struct target *t,
                                    struct diag *d)
{
    if (p->half && (t->vector_bytes < 32 || target_vscale(t)))
        return diag_fail(d, CONVC_ERR_PLAN,
                         "vector=half needs vectors of 32 bytes or more, whatever the machine");
    if (p->half && p->strip)
        return diag_fail(d, CONVC_ERR_PLAN, "vector=half does not go with src=strip");
    return CONVC_OK;
}

/* What goes with functions of the user. */
static enum convc_status check_functions(const struct plan_direct *p, const struct problem *problem,
                                         struct diag *d)
{
    const struct functions *f = &problem->f;
    if (!f->terms)
        return CONVC_OK;
    if (p->lanes == LANES_IC || p->rest)
        return diag_fail(d, CONVC_ERR_PLAN,
                         "lanes=ic and rest=ic sum products, which this problem does not");
    if (f->reduce == REDUCE_FOLD && p->split)
        return diag_fail(d, CONVC_ERR_PLAN,
                         "split=%d needs a reduction with a name: sum, max, min or prod", p->split);
    if (f->reduce == REDUCE_FOLD && p->taps == TAPS_WINDOW && problem->icg > 1)
        return diag_fail(d, CONVC_ERR_PLAN,
                         "taps=window takes all taps of a channel at once, which is not the order "
                         "that a function of acc and t asks for");
    bool fills = p->lanes == LANES_OW || (p->lanes == LANES_GROUPS && p->border == BORDER_COMPUTED);
    if (fills && !f->neutral && problem_axis_pads(problem, CONVC_W))
        return diag_fail(d, CONVC_ERR_PLAN,
                         "lanes=%s would fill lanes whose taps are left out, and no value of x "
                         "leaves this reduction alone",
                         lanes_word[p->lanes]);
    return CONVC_OK;
}

/* The plan's nest, whose tile is within bounds, over a source in the tensor or in the strip. */
static enum convc_status check_nest(const struct plan_direct *direct, const struct problem *p,
                                    const struct target *t, struct diag *d)
{
    struct nest n;
    if (check_fold(direct, p, d) != CONVC_OK)
        return d->status;
    int lanes = layout_lanes(p, direct, t);
    if (check_dots(direct, p, lanes, d) != CONVC_OK || check_functions(direct, p, d) != CONVC_OK)
        return d->status;
    if (direct->lanes == LANES_GROUPS && !layout_vector_groups(p, lanes))
        return diag_fail(
            d, CONVC_ERR_PLAN,
            "lanes=groups needs more than one group, each within the %d lanes of a vector", lanes);
    if (direct->order == ORDER_PIXELS && direct->lanes != LANES_GROUPS)
        return diag_fail(d, CONVC_ERR_PLAN, "order=pixels needs lanes=groups");
    if (direct->taps != TAPS_LOOP && direct->border == BORDER_COMPUTED)
        return diag_fail(d, CONVC_ERR_PLAN, "taps=%s does not go with border=computed",
                         taps_word[direct->taps]);
    if (direct->taps == TAPS_WINDOW && check_window(direct, p, d) != CONVC_OK)
        return d->status;
    nest_of(p, direct, t, &n);
    if (direct->chunk > n.cols.tiles)
        return diag_fail(d, CONVC_ERR_PLAN, "chunk=%lld is more than the %lld column tiles",
                         (long long)direct->chunk, (long long)n.cols.tiles);
    return check_border(p, direct, t, d);
}

enum convc_status plan_direct_check(const struct plan *plan, const struct problem *p,
                                    const struct target *t, struct diag *d)
{
    const struct plan_direct *direct = &plan->direct;
    struct problem room;
    if (p->f.windowed)
        return diag_fail(d, CONVC_ERR_PLAN, "direct takes one tap at a time, and no whole windows");
    if (check_tile(direct, d) != CONVC_OK || check_split(direct, d) != CONVC_OK ||
        check_half(direct, t, d) != CONVC_OK)
        return d->status;
    if (direct->strip && strip_check(p, direct, t, d) != CONVC_OK)
        return d->status;
    return check_nest(direct, strip_problem(p, direct, t, &room), t, d);
}

/* ---- facts --------------------------------------------------------------------------------- */

double plan_direct_error_bound(const struct plan *plan, const struct problem *p)
{
    /* Recursive summation of `terms` products: gamma(terms) = terms*u / (1 - terms*u), Higham,
     * Accuracy and Stability of Numerical Algorithms, 3.1. The largest is taken over all outputs.
     */
    double u = p->p.acc_dtype == CONVC_F64 ? 0x1p-53 : 0x1p-24;
    double terms =
        (double)p->icg * (double)p->p.kernel[0] * (double)p->p.kernel[1] * (double)p->p.kernel[2] +
        2;
    return terms * u < 0.5 ? terms * u / (1 - terms * u) : 1;
}

void plan_direct_layout(const struct problem *p, const struct plan *plan, const struct target *t,
                        struct layout *l)
{
    layout_direct(p, &plan->direct, t, l);
}

void plan_direct_pack(const struct problem *p, const struct plan *plan, const struct target *t,
                      const void *plain, void *packed)
{
    struct layout l;
    layout_direct(p, &plan->direct, t, &l);
    pack_by_layout(&l, dtype_bytes(p->p.wei_dtype), plain, packed);
}

size_t plan_direct_workspace_bytes(const struct problem *p, const struct plan *plan,
                                   const struct target *t)
{
    return strip_bytes(p, &plan->direct, t);
}

int64_t plan_direct_items(const struct problem *p, const struct plan *plan, const struct target *t,
                          int32_t phase, int64_t n)
{
    struct problem room;
    struct nest part[PARTS_MAX];
    int64_t items = 0;
    p = strip_problem(p, &plan->direct, t, &room);
    for (int i = nest_parts(p, &plan->direct, t, part) - 1; i >= 0; i--)
        items += nest_items(&part[i], n);
    return items;
}
