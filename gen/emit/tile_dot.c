#include "gen/emit/tile_dot.h"

#include "gen/emit/em_math.h"

/* ---- multiply-adds ------------------------------------------------------------------------- */

/* Bytes from one output channel's weights to the next one's. */
static int64_t channel_bytes(const struct tile *t)
{
    const struct layout *l = &t->nest->layout;
    return l->icg * l->kernel[0] * l->kernel[1] * l->kernel[2] * t->nest->bytes;
}

/* Vector `i` of each operand. Lanes that are off hold 0 in both. */
static void step(struct reads *s, LLVMValueRef wei, int64_t i, const struct em_lanes *on)
{
    struct tile *t = s->tile;
    struct em *em = t->em;
    int64_t more = i * t->nest->lanes * t->nest->bytes;
    int64_t src_more = i * t->nest->lanes * t->nest->src_bytes;
    LLVMValueRef w[TILE_ACCUMULATORS];
    for (int v = 0; v < t->vecs; v++) {
        LLVMValueRef p = em_at_const(em, wei, v * channel_bytes(t) + more);
        w[v] = em_load_lanes(em, t->vector, p, on, NULL);
    }
    for (int at = 0; at < t->rows * t->cols; at++) {
        if (s->list[at].kind == READ_NOTHING)
            continue;
        LLVMValueRef x = reads_channels(s, at, src_more, on);
        for (int v = 0; v < t->vecs; v++) {
            struct em_var acc = tile_acc(t, (int)(i % t->sets), at / t->cols, at % t->cols, v);
            em_set(em, acc, em_fma(em, x, w[v], em_get(em, acc)));
        }
    }
}

/* `count` vectors from vector `first` on in one block, and `rest` elements behind them. */
static void steps(struct reads *s, LLVMValueRef wei, LLVMValueRef first, int64_t count,
                  int64_t rest)
{
    struct tile *t = s->tile;
    struct em *em = t->em;
    LLVMValueRef elements = em_mul(em, first, t->nest->lanes);
    LLVMValueRef here = em_opaque(em, em_at(em, wei, em_mul(em, elements, t->nest->bytes)));
    reads_advance(s, em_mul(em, elements, t->nest->src_bytes));
    for (int64_t i = 0; i < count + (rest > 0); i++) {
        struct em_lanes on = em_lanes_first(t->nest->lanes, i < count ? t->nest->lanes : (int)rest);
        step(s, here, i, &on);
    }
}

/* Vectors written down in one block; see tile_width for why no more. */
static int64_t unroll(const struct tile *t, int64_t vectors)
{
    int64_t u = 8;
    while (u > 1 && (u > vectors || u * t->rows * t->cols * t->vecs > 32))
        u /= 2;
    return u;
}

void tile_dot_line(struct reads *s, LLVMValueRef wei, int64_t elements)
{
    struct tile *t = s->tile;
    struct em *em = t->em;
    int64_t vectors = elements / t->nest->lanes, rest = elements % t->nest->lanes;
    int64_t u = unroll(t, vectors);
    EM_FOR (em, i, em_int(em, 0), em_int(em, vectors / u)) {
        steps(s, wei, em_mul(em, i, u), u, 0);
    }
    if (vectors % u || rest)
        steps(s, wei, em_int(em, vectors / u * u), vectors % u, rest);
}

/* ---- sums ---------------------------------------------------------------------------------- */

/* One halving of every block of `block` lanes: those of `a` become the even blocks of the result,
 * those of `b` the odd ones. */
static LLVMValueRef halve(struct tile *t, LLVMValueRef a, LLVMValueRef b, int block)
{
    int lanes = t->nest->lanes, half = block / 2, low[EM_LANES_MAX], high[EM_LANES_MAX];
    for (int l = 0; l < lanes; l++) {
        int from = l / half % 2 ? lanes : 0;
        low[l] = from + l / block * block + l % half;
        high[l] = low[l] + half;
    }
    LLVMValueRef x = em_shuffle(t->em, a, b, low, lanes), y = em_shuffle(t->em, a, b, high, lanes);
    return LLVMBuildFAdd(t->em->builder, x, y, "");
}

/* Lane l of the result is the sum of the lanes of v[l]; v[0..count), at most `lanes` of them. */
static LLVMValueRef sums(struct tile *t, LLVMValueRef v[EM_LANES_MAX], int count)
{
    for (int block = t->nest->lanes; block > 1; block /= 2) {
        int half = block / 2;
        for (int i = 0; i < half && i < count; i++)
            v[i] = halve(t, v[i], i + half < count ? v[i + half] : v[i], block);
        count = count < half ? count : half;
    }
    return v[0];
}

/* ---- stores -------------------------------------------------------------------------------- */

/* Outputs of one row, `on` of them, in the order of the accumulators: columns, then channels. */
struct outputs {
    struct em_lanes on;
    int64_t place[EM_LANES_MAX];   /* bytes from the row's first output */
    int64_t channel[EM_LANES_MAX]; /* bytes into the bias               */
    bool dense;                    /* places follow one another         */
};

static struct outputs find_outputs(const struct tile *t, int first)
{
    const struct nest *n = t->nest;
    int left = t->cols * t->vecs - first;
    struct outputs o = { .on = em_lanes_first(n->lanes, left < n->lanes ? left : n->lanes),
                         .dense = true };
    for (int l = 0; l < n->lanes; l++) {
        int64_t column = (first + l) / t->vecs, channel = (first + l) % t->vecs;
        o.place[l] =
            (column * n->dst_stride[CONVC_STRIDE_W] + channel * n->dst_stride[CONVC_STRIDE_C]) *
            n->dst_bytes;
        o.channel[l] = channel * n->bytes;
        if (l < o.on.active)
            o.dense = o.dense && o.place[l] == o.place[0] + l * n->dst_bytes;
    }
    return o;
}

static LLVMValueRef load_outputs(struct tile *t, const struct outputs *o, LLVMValueRef p)
{
    if (o->dense)
        return tile_dst_lanes(t, em_at_const(t->em, p, o->place[0]), &o->on);
    return tile_dst_gather(t, p, o->place, &o->on);
}

/* One by one is faster than a scatter. */
static void store_outputs(struct tile *t, const struct outputs *o, LLVMValueRef value,
                          LLVMValueRef p)
{
    struct em *em = t->em;
    value = tile_dst_round(t, value);
    if (o->dense) {
        em_store_lanes(em, value, em_at_const(em, p, o->place[0]), &o->on);
        return;
    }
    for (int l = 0; l < o->on.active; l++) {
        LLVMValueRef one = LLVMBuildExtractElement(em->builder, value, em_int(em, l), "");
        em_store(em, one, em_at_const(em, p, o->place[l]), (unsigned)t->nest->dst_bytes);
    }
}

static LLVMValueRef load_arg(struct tile *t, int a, const struct outputs *o,
                             const struct out_row *row)
{
    struct em *em = t->em;
    switch (t->nest->p->f.arg[a].kind) {
    case ARG_CHANNEL: return em_gather(em, t->vector, t->user[a], o->channel, &o->on, NULL);
    case ARG_TENSOR: return load_outputs(t, o, row->user[a]);
    case ARG_SCALAR: break;
    }
    return tile_splat(t, t->user[a]);
}

static LLVMValueRef epilogue(struct tile *t, const struct outputs *o, const struct out_row *row,
                             LLVMValueRef acc)
{
    LLVMValueRef arg[FUNCTIONS_ARGS];
    for (int a = 0; a < t->nest->p->f.arg_count; a++)
        arg[a] = load_arg(t, a, o, row);
    return tile_epilogue(t, acc, arg);
}

static LLVMValueRef finish(struct tile *t, const struct outputs *o, const struct out_row *row,
                           LLVMValueRef acc)
{
    const struct convc_problem *p = &t->nest->p->p;
    struct em *em = t->em;
    if (t->nest->p->f.epilogue)
        return epilogue(t, o, row, acc);
    if (p->bias) {
        LLVMValueRef bias = em_gather(em, t->vector, t->bias, o->channel, &o->on, NULL);
        acc = LLVMBuildFAdd(em->builder, acc, bias, "");
    }
    if (p->residual)
        acc = LLVMBuildFAdd(em->builder, acc, load_outputs(t, o, row->residual), "");
    return em_activation(em, p->activation, p->activation_args, acc);
}

void tile_dot_store(struct tile *t)
{
    int lanes = t->nest->lanes, all = t->cols * t->vecs;
    for (int r = 0; r < t->rows; r++) {
        struct out_row row = tile_out_row(t, r);
        for (int first = 0; first < all; first += lanes) {
            LLVMValueRef v[EM_LANES_MAX];
            struct outputs o = find_outputs(t, first);
            for (int l = 0; l < o.on.active; l++)
                v[l] = tile_sum(t, r, (first + l) / t->vecs, (first + l) % t->vecs);
            LLVMValueRef value = finish(t, &o, &row, sums(t, v, o.on.active));
            store_outputs(t, &o, value, row.dst);
        }
    }
}
