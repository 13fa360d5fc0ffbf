/* From accumulators to memory: bias, residual, activation, store. */
#include "gen/emit/em_math.h"
#include "gen/emit/tile_dot.h"

static bool lanes_are_columns(const struct tile *t)
{
    return t->nest->plan.lanes == LANES_OW;
}

/* Channel of lane 0 of an accumulator, and its column, both from the tile's first. */
static void place(const struct tile *t, int c, int v, int64_t *channel, int64_t *column)
{
    const struct nest *n = t->nest;
    int64_t per_vector = n->lanes;
    if (n->plan.lanes == LANES_GROUPS)
        per_vector = n->layout.vector_groups * n->p->ocg;
    *channel = lanes_are_columns(t) ? c : v * per_vector;
    *column = lanes_are_columns(t) ? (int64_t)v * n->lanes : c;
}

static int64_t lane_stride(const struct tile *t)
{
    return t->nest->dst_stride[lanes_are_columns(t) ? CONVC_STRIDE_W : CONVC_STRIDE_C];
}

static void lane_offsets(const struct tile *t, int64_t offset[EM_LANES_MAX])
{
    for (int l = 0; l < t->nest->lanes; l++)
        offset[l] = l * lane_stride(t) * t->nest->bytes;
}

static LLVMValueRef load_like_dst(struct tile *t, LLVMValueRef p, const struct em_lanes *on)
{
    int64_t offset[EM_LANES_MAX];
    if (lane_stride(t) == 1)
        return em_load_lanes(t->em, t->vector, p, on, NULL);
    lane_offsets(t, offset);
    return em_gather(t->em, t->vector, p, offset, on, NULL);
}

static void store_to_dst(struct tile *t, LLVMValueRef value, LLVMValueRef p,
                         const struct em_lanes *on)
{
    int64_t offset[EM_LANES_MAX];
    lane_offsets(t, offset);
    if (lane_stride(t) == 1)
        em_store_lanes(t->em, value, p, on);
    else
        em_scatter(t->em, value, p, offset, on);
}

static LLVMValueRef load_bias(struct tile *t, int64_t channel, const struct em_lanes *on)
{
    LLVMValueRef p = em_at_const(t->em, t->bias, channel * t->nest->bytes);
    if (!lanes_are_columns(t))
        return em_load_lanes(t->em, t->vector, p, on, NULL);
    return em_splat(t->em, em_load(t->em, t->element, p, (unsigned)t->nest->bytes), t->nest->lanes);
}

struct out_row tile_out_row(struct tile *t, int r)
{
    const int64_t *stride = t->nest->dst_stride;
    int64_t bytes = t->nest->bytes;
    struct em *em = t->em;
    struct out_row row = { 0 };
    LLVMValueRef oh = em_add(em, t->oh, em_int(em, r));
    LLVMValueRef offset = em_mul(em, t->od, stride[CONVC_STRIDE_D] * bytes);
    offset = em_add(em, offset, em_mul(em, oh, stride[CONVC_STRIDE_H] * bytes));
    offset = em_add(em, offset, em_mul(em, t->ow, stride[CONVC_STRIDE_W] * bytes));
    row.dst = em_opaque(em, em_at(em, t->dst, offset));
    if (t->nest->p->p.residual)
        row.residual = em_opaque(em, em_at(em, t->residual, offset));
    return row;
}

static void store_one(struct tile *t, LLVMValueRef acc, LLVMValueRef bias,
                      const struct out_row *row, int64_t distance, const struct em_lanes *on)
{
    const struct convc_problem *p = &t->nest->p->p;
    struct em *em = t->em;
    if (p->bias)
        acc = LLVMBuildFAdd(em->builder, acc, bias, "");
    if (p->residual) {
        LLVMValueRef from = em_at_const(em, row->residual, distance);
        acc = LLVMBuildFAdd(em->builder, acc, load_like_dst(t, from, on), "");
    }
    acc = em_activation(em, p->activation, p->activation_args, acc);
    store_to_dst(t, acc, em_at_const(em, row->dst, distance), on);
}

LLVMValueRef tile_sum(struct tile *t, int r, int c, int v)
{
    LLVMValueRef part[TILE_SPLIT];
    for (int i = 0; i < t->sets; i++)
        part[i] = em_get(t->em, tile_acc(t, i, r, c, v));
    for (int step = 1; step < t->sets; step *= 2) {
        for (int i = 0; i + step < t->sets; i += 2 * step)
            part[i] = LLVMBuildFAdd(t->em->builder, part[i], part[i + step], "");
    }
    return part[0];
}

/* Column c of every row; bias[v] holds the bias of vector v, or with LANES_OW bias[0] that of
 * column c. */
static void store_column(struct tile *t, const struct out_row row[TILE_ROWS], int c,
                         LLVMValueRef *bias)
{
    const struct nest *n = t->nest;
    for (int v = 0; v < t->vecs; v++) {
        struct em_lanes on = tile_lanes(t, v);
        int64_t channel, column;
        place(t, c, v, &channel, &column);
        int64_t distance =
            (channel * n->dst_stride[CONVC_STRIDE_C] + column * n->dst_stride[CONVC_STRIDE_W]) *
            n->bytes;
        for (int r = 0; r < t->rows; r++) {
            LLVMValueRef acc = tile_sum(t, r, c, v);
            store_one(t, acc, bias[lanes_are_columns(t) ? 0 : v], &row[r], distance, &on);
        }
    }
}

/* The bias that column c adds: of every vector, or of the channel that the column is. */
static void find_bias(struct tile *t, int c, LLVMValueRef bias[TILE_ACCUMULATORS])
{
    for (int v = 0; t->nest->p->p.bias && v < (lanes_are_columns(t) ? 1 : t->vecs); v++) {
        struct em_lanes on = tile_lanes(t, v);
        int64_t channel, column;
        place(t, c, v, &channel, &column);
        bias[v] = load_bias(t, channel, &on);
    }
}

void tile_store(struct tile *t)
{
    if (t->nest->plan.lanes == LANES_IC) {
        tile_dot_store(t);
        return;
    }
    struct em *em = t->em;
    struct out_row row[TILE_ROWS];
    LLVMValueRef bias[TILE_ACCUMULATORS] = { 0 };
    for (int r = 0; r < t->rows; r++)
        row[r] = tile_out_row(t, r);
    for (int c = 0; c < t->cols; c++) {
        LLVMValueRef wanted = t->narrow && c == t->cols - 1 ? em_not(em, t->narrow) : em_true(em);
        if (c == 0 || lanes_are_columns(t))
            find_bias(t, c, bias);
        EM_IF (em, wanted) {
            store_column(t, row, c, bias);
        }
    }
}
