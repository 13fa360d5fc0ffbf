#include "gen/emit/tile_columns.h"

/* Elements from the row's `src` that the lanes of one vector read. */
struct spread {
    struct em_lanes on;
    int64_t at[EM_LANES_MAX];
    int64_t low, high; /* the least and the greatest of those that are on */
    bool side_by_side; /* lane l reads l elements right of `lane_0`       */
    int64_t lane_0;
    bool all; /* no active lane of the tile reads padding        */
};

static struct spread find_spread(const struct tile *t, int64_t kw, int v)
{
    const struct nest *n = t->nest;
    const struct convc_problem *p = &n->p->p;
    int64_t ow = split_begin(&n->cols, t->segment->begin), step = p->stride[CONVC_W];
    int64_t first = ow * step - p->pad_begin[CONVC_W], anchor = -1;
    struct spread s = { .on = tile_lanes(t, v), .side_by_side = true, .all = true };
    for (int l = 0; l < n->lanes; l++) {
        int64_t at = first + ((int64_t)v * n->lanes + l) * step + kw * p->dilation[CONVC_W];
        if (s.on.on[l] && t->segment->edge)
            at = problem_border(p->padding_mode, at, n->in[CONVC_W]);
        bool inside = at >= 0 || !t->segment->edge;
        s.all = s.all && (inside || !s.on.on[l]);
        s.on.active -= s.on.on[l] && !inside;
        s.on.on[l] = s.on.on[l] && inside;
        if (!s.on.on[l])
            continue;
        s.at[l] = (at - first) * n->src_stride[CONVC_STRIDE_W];
        s.low = anchor < 0 || s.at[l] < s.low ? s.at[l] : s.low;
        s.high = anchor < 0 || s.at[l] > s.high ? s.at[l] : s.high;
        anchor = anchor < 0 ? l : anchor;
        s.side_by_side = s.side_by_side && s.at[l] - s.at[anchor] == l - anchor;
    }
    s.lane_0 = s.at[anchor > 0 ? anchor : 0] - (anchor > 0 ? anchor : 0);
    return s;
}

/* Elements [at, at + active). */
static LLVMValueRef load_run(struct tile *t, struct columns *row, int64_t at, int active)
{
    for (int i = 0; i < row->seen_count; i++) {
        if (row->seen[i].distance == at && row->seen[i].active == active)
            return row->seen[i].value;
    }
    struct em_lanes on = em_lanes_first(t->nest->lanes, active);
    LLVMValueRef p = em_at_const(t->em, row->src, at * t->nest->src_bytes);
    LLVMValueRef x = tile_src_lanes(t, p, &on, NULL);
    if (row->seen_count < COLUMNS_SEEN) {
        row->seen[row->seen_count].distance = at;
        row->seen[row->seen_count].active = active;
        row->seen[row->seen_count++].value = x;
    }
    return x;
}

/* Two taps side by side under a stride of two read every element of two vectors between them. May
 * both be loaded whole? Where the tile's place is known, so is what lies inside. */
static bool shared_pair(const struct tile *t, const struct spread *s, int64_t kw)
{
    const struct nest *n = t->nest;
    const struct convc_problem *p = &n->p->p;
    int64_t first = split_begin(&n->cols, t->segment->begin) * 2 - p->pad_begin[CONVC_W];
    int64_t begin = first + s->low - kw % 2;
    if (s->on.active < n->lanes || p->stride[CONVC_W] != 2 || p->dilation[CONVC_W] != 1 ||
        n->src_stride[CONVC_STRIDE_W] != 1 || s->high - s->low != 2 * (n->lanes - 1))
        return false;
    if (!t->segment->edge)
        return kw / 2 * 2 + 1 < p->kernel[CONVC_W];
    return begin >= 0 && begin + 2 * n->lanes <= n->in[CONVC_W];
}

/* Lanes picked from one vector, or from two that reach from the first element to the last. */
static LLVMValueRef pick(struct tile *t, struct columns *row, const struct spread *s, int64_t kw)
{
    int lanes = t->nest->lanes, lane[EM_LANES_MAX] = { 0 };
    int64_t span = s->high - s->low + 1, low = s->low, second = s->high - lanes + 1;
    if (shared_pair(t, s, kw)) {
        low -= kw % 2;
        second = low + lanes;
    }
    for (int l = 0; l < lanes; l++) {
        bool near = s->at[l] < low + lanes;
        if (s->on.on[l])
            lane[l] = (int)(near ? s->at[l] - low : lanes + s->at[l] - second);
    }
    LLVMValueRef a = load_run(t, row, low, span < lanes ? (int)span : lanes);
    LLVMValueRef b = span > lanes ? load_run(t, row, second, lanes) : a;
    return em_shuffle(t->em, a, b, lane, lanes);
}

static LLVMValueRef gathered(struct tile *t, const struct columns *row, const struct spread *s)
{
    int64_t offset[EM_LANES_MAX];
    for (int l = 0; l < t->nest->lanes; l++)
        offset[l] = s->at[l] * t->nest->src_bytes;
    return tile_src_gather(t, row->src, offset, &s->on, NULL);
}

/* `x` where lanes are on, padding elsewhere. */
static LLVMValueRef or_padding(struct tile *t, LLVMValueRef x, const struct spread *s)
{
    LLVMValueRef padding = em_real(t->vector, t->nest->p->p.padding_value);
    return LLVMBuildSelect(t->em->builder, em_lane_mask(t->em, &s->on), x, padding, "");
}

LLVMValueRef tile_columns(struct tile *t, struct columns *row, int64_t kw, int v)
{
    const struct convc_problem *p = &t->nest->p->p;
    bool constant = p->padding_mode == CONVC_PAD_CONSTANT;
    int lanes = t->nest->lanes;
    struct spread s = find_spread(t, kw, v);
    if (!s.on.active)
        return constant ? em_real(t->vector, p->padding_value) : NULL;
    if (s.side_by_side && (s.all || p->padding_value == 0)) {
        struct em_lanes active = tile_lanes(t, v);
        if (s.all)
            return load_run(t, row, s.low, active.active);
        LLVMValueRef from = em_at_const(t->em, row->src, s.lane_0 * t->nest->src_bytes);
        return tile_src_lanes(t, from, &s.on, NULL);
    }
    bool near = s.high - s.low < 2 * lanes;
    LLVMValueRef x = near ? pick(t, row, &s, kw) : gathered(t, row, &s);
    return s.all ? x : or_padding(t, x, &s);
}
