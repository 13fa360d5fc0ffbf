/* From accumulators to memory: bias, residual, activation, or the epilogue; store. */
#include "gen/emit/em_element.h"
#include "gen/emit/em_math.h"
#include "gen/emit/em_transpose.h"
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

/* How a vector lies in dst. */
struct lie {
    int64_t stride; /* elements from lane to lane */
    struct em_lanes on;
    LLVMValueRef where;  /* of the kernel, instead of `on`; or NULL */
    LLVMValueRef narrow; /* i1: what sets them apart is the last lane of `on`, which is off */
};

static void lane_offsets(const struct tile *t, const struct lie *lie, int64_t offset[EM_LANES_MAX])
{
    for (int l = 0; l < t->nest->lanes; l++)
        offset[l] = l * lie->stride * t->nest->dst_bytes;
}

/* The last lane apart from the others, where that takes less than a mask. */
static void store_narrow(struct tile *t, LLVMValueRef value, LLVMValueRef p, const struct lie *lie)
{
    struct em *em = t->em;
    int last = lie->on.active - 1;
    struct em_lanes fewer = em_lanes_first(lie->on.count, last);
    if (em->target->masks) {
        em_store_where(em, value, p, lie->where);
        return;
    }
    em_store_lanes(em, value, p, &fewer);
    EM_IF (em, em_not(em, lie->narrow)) {
        em_store(em, em_shuffle(em, value, value, &last, 1),
                 em_at_const(em, p, last * t->nest->dst_bytes), (unsigned)t->nest->dst_bytes);
    }
}

static LLVMValueRef load_like_dst(struct tile *t, LLVMValueRef p, const struct lie *lie)
{
    int64_t offset[EM_LANES_MAX];
    if (lie->where)
        return em_element_load_where(t->em, t->nest->p->p.dst_dtype, t->vector, p, lie->where);
    if (lie->stride == 1)
        return tile_dst_lanes(t, p, &lie->on);
    lane_offsets(t, lie, offset);
    return tile_dst_gather(t, p, offset, &lie->on);
}

static void store_to_dst(struct tile *t, LLVMValueRef value, LLVMValueRef p, const struct lie *lie)
{
    int64_t offset[EM_LANES_MAX];
    lane_offsets(t, lie, offset);
    value = tile_dst_round(t, value);
    if (lie->where)
        store_narrow(t, value, p, lie);
    else if (lie->stride == 1)
        em_store_lanes(t->em, value, p, &lie->on);
    else
        em_scatter(t->em, value, p, offset, &lie->on);
}

static LLVMValueRef load_bias(struct tile *t, int64_t channel, const struct em_lanes *on)
{
    LLVMValueRef p = em_at_const(t->em, t->bias, channel * t->nest->bytes);
    if (!lanes_are_columns(t))
        return em_load_lanes(t->em, t->vector, p, on, NULL);
    return tile_splat(t, p);
}

struct out_row tile_out_row(struct tile *t, int r)
{
    const int64_t *stride = t->nest->dst_stride;
    int64_t bytes = t->nest->dst_bytes;
    struct em *em = t->em;
    struct out_row row = { 0 };
    LLVMValueRef oh = em_add(em, t->oh, em_int(em, r * t->nest->row_step));
    LLVMValueRef offset = em_mul(em, t->od, stride[CONVC_STRIDE_D] * bytes);
    offset = em_add(em, offset, em_mul(em, oh, stride[CONVC_STRIDE_H] * bytes));
    offset = em_add(em, offset, em_mul(em, t->ow, stride[CONVC_STRIDE_W] * bytes));
    row.dst = em_opaque(em, em_at(em, t->dst, offset));
    if (t->nest->p->p.residual)
        row.residual = em_opaque(em, em_at(em, t->residual, offset));
    for (int a = 0; a < t->nest->p->f.arg_count; a++) {
        if (t->nest->p->f.arg[a].kind == ARG_TENSOR)
            row.user[a] = em_opaque(em, em_at(em, t->user[a], offset));
    }
    row.exists = em_true(em);
    if (r == t->rows - 1 && t->nest->out[CONVC_H] % t->nest->phases)
        row.exists = em_below(em, oh, em_int(em, t->nest->out[CONVC_H]));
    return row;
}

static LLVMValueRef add_bias(struct tile *t, LLVMValueRef acc, LLVMValueRef bias)
{
    return t->nest->p->p.bias ? LLVMBuildFAdd(t->em->builder, acc, bias, "") : acc;
}

/* A vector of outputs: `distance` bytes from the row's first, beginning with channel `channel` of
 * the block; of that channel alone where `one_channel`. */
struct outputs {
    int64_t distance, channel;
    bool one_channel;
    struct lie lie;
};

static LLVMValueRef load_arg(struct tile *t, int a, const struct out_row *row,
                             const struct outputs *o)
{
    struct em *em = t->em;
    enum arg_kind kind = t->nest->p->f.arg[a].kind;
    if (kind == ARG_TENSOR)
        return load_like_dst(t, em_at_const(em, row->user[a], o->distance), &o->lie);
    int64_t channel = kind == ARG_CHANNEL ? o->channel : 0;
    LLVMValueRef p = em_at_const(em, t->user[a], channel * t->nest->bytes);
    if (kind == ARG_CHANNEL && !o->one_channel)
        return em_load_lanes(em, t->vector, p, &o->lie.on, NULL);
    return tile_splat(t, p);
}

static LLVMValueRef epilogue(struct tile *t, LLVMValueRef acc, const struct out_row *row,
                             const struct outputs *o)
{
    LLVMValueRef arg[FUNCTIONS_ARGS];
    for (int a = 0; a < t->nest->p->f.arg_count; a++)
        arg[a] = load_arg(t, a, row, o);
    return tile_epilogue(t, acc, arg);
}

/* Bias is in `sum` already. */
static void store_one(struct tile *t, LLVMValueRef sum, const struct out_row *row,
                      const struct outputs *o)
{
    const struct convc_problem *p = &t->nest->p->p;
    struct em *em = t->em;
    if (p->residual) {
        LLVMValueRef from = em_at_const(em, row->residual, o->distance);
        sum = LLVMBuildFAdd(em->builder, sum, load_like_dst(t, from, &o->lie), "");
    }
    if (t->nest->p->f.epilogue)
        sum = epilogue(t, sum, row, o);
    else
        sum = em_activation(em, p->activation, p->activation_args, sum);
    store_to_dst(t, sum, em_at_const(em, row->dst, o->distance), &o->lie);
}

/* Elements from the tile's first output in its row. */
static int64_t distance_of(const struct tile *t, int64_t channel, int64_t column)
{
    const int64_t *stride = t->nest->dst_stride;
    return channel * stride[CONVC_STRIDE_C] + column * stride[CONVC_STRIDE_W];
}

/* Column c of every row; bias[v] holds the bias of vector v, or with LANES_OW bias[0] that of
 * column c. */
static void store_column(struct tile *t, int c, LLVMValueRef *bias)
{
    const struct nest *n = t->nest;
    for (int v = 0; v < t->vecs; v++) {
        int axis = lanes_are_columns(t) ? CONVC_STRIDE_W : CONVC_STRIDE_C;
        int64_t channel, column;
        place(t, c, v, &channel, &column);
        struct outputs o = { .distance = distance_of(t, channel, column) * n->dst_bytes,
                             .channel = channel,
                             .one_channel = lanes_are_columns(t),
                             .lie = { .stride = n->dst_stride[axis], .on = tile_lanes(t, v) } };
        for (int r = 0; r < t->rows; r++) {
            EM_IF (t->em, t->out[r].exists) {
                LLVMValueRef sum =
                    add_bias(t, tile_sum(t, r, c, v), bias[lanes_are_columns(t) ? 0 : v]);
                store_one(t, sum, &t->out[r], &o);
            }
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

/* ---- columns side by side: vectors of channels become vectors of columns ------------------- */

/* How columns [c, c + lanes) of a channel lie. */
static struct lie columns_lie(struct tile *t, int c)
{
    int lanes = t->nest->lanes, active = t->cols - c < lanes ? t->cols - c : lanes;
    struct lie lie = { .stride = 1, .on = em_lanes_first(lanes, active) };
    if (t->narrow && c + active == t->cols) {
        struct em_lanes fewer = em_lanes_first(lanes, active - 1);
        lie.narrow = t->narrow;
        lie.where = LLVMBuildSelect(t->em->builder, t->narrow, em_lane_mask(t->em, &fewer),
                                    em_lane_mask(t->em, &lie.on), "");
    }
    return lie;
}

/* Vector v of one row from column c on. */
static void store_square(struct tile *t, const struct out_row *row, int r, int c, int v,
                         LLVMValueRef bias)
{
    struct outputs o = { .one_channel = true, .lie = columns_lie(t, c) };
    LLVMValueRef square[EM_LANES_MAX] = { 0 };
    for (int i = 0; i < o.lie.on.active; i++)
        square[i] = add_bias(t, tile_sum(t, r, c + i, v), bias);
    em_transpose(t->em, t->vector, square);
    struct em_lanes channels = tile_lanes(t, v);
    int64_t channel, column;
    place(t, c, v, &channel, &column);
    for (int l = 0; l < channels.active; l++) {
        o.channel = channel + l;
        o.distance = distance_of(t, channel + l, column) * t->nest->dst_bytes;
        store_one(t, square[l], row, &o);
    }
}

static void store_row(struct tile *t, const struct out_row *row, int r, LLVMValueRef *bias)
{
    for (int v = 0; v < t->vecs; v++) {
        for (int c = 0; c < t->cols; c += t->nest->lanes)
            store_square(t, row, r, c, v, bias[v]);
    }
}

static void store_turned(struct tile *t, const struct out_row row[TILE_ROWS])
{
    LLVMValueRef bias[TILE_ACCUMULATORS] = { 0 };
    find_bias(t, 0, bias);
    for (int r = 0; r < t->rows; r++) {
        EM_IF (t->em, row[r].exists) {
            store_row(t, &row[r], r, bias);
        }
    }
}

/* ---- all of it ----------------------------------------------------------------------------- */

static void find_rows(struct tile *t)
{
    for (int r = 0; r < t->rows; r++)
        t->out[r] = tile_out_row(t, r);
}

void tile_ask_residual(struct tile *t)
{
    const struct nest *n = t->nest;
    if (!n->p->p.residual || n->plan.lanes != LANES_OC || n->dst_stride[CONVC_STRIDE_C] != 1)
        return;
    for (int r = 0; r < t->rows; r++) {
        LLVMValueRef residual = tile_out_row(t, r).residual;
        for (int c = 0; c < t->cols; c++) {
            for (int64_t at = 0; at < (int64_t)t->vecs * n->lanes * n->dst_bytes; at += 64) {
                int64_t from = distance_of(t, 0, c) * n->dst_bytes + at;
                em_prefetch(t->em, em_at_const(t->em, residual, from), EM_L1);
            }
        }
    }
}

void tile_store_columns(struct tile *t, int end)
{
    struct em *em = t->em;
    LLVMValueRef bias[TILE_ACCUMULATORS] = { 0 };
    if (t->stored == 0)
        find_rows(t);
    for (int c = t->stored; c < end; c++) {
        LLVMValueRef wanted = t->narrow && c == t->cols - 1 ? em_not(em, t->narrow) : em_true(em);
        if (c == t->stored || lanes_are_columns(t))
            find_bias(t, c, bias);
        EM_IF (em, wanted) {
            store_column(t, c, bias);
        }
    }
    t->stored = end;
}

void tile_store(struct tile *t)
{
    if (t->nest->plan.lanes == LANES_IC) {
        tile_dot_store(t);
    } else if (nest_turned(t->nest, t->cols)) {
        find_rows(t);
        store_turned(t, t->out);
    } else if (t->stored < t->cols) {
        tile_store_columns(t, t->cols);
    }
}
