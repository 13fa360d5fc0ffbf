/* The multiply-adds of one row of taps: the loops over kw and ic, and the step inside them.
 *
 * A `read` says how one source operand is fetched; it is found once per tap, before the loop over
 * channels, and is then a load at a constant distance from a shared pointer. */
#include "gen/emit/border.h"
#include "gen/emit/tile.h"

enum read_kind {
    READ_NOTHING,  /* the tap is skipped                                   */
    READ_CONSTANT, /* padding_value                                        */
    READ_PLAIN,    /* at a constant stride from the tile's first column    */
    READ_LANES,    /* every lane at a place of its own, known              */
    READ_COMPUTED, /* at a place that the kernel computes                  */
};

struct read {
    enum read_kind kind;
    LLVMValueRef base; /* pointer at channel 0                             */
    LLVMValueRef here; /* the same at the channel of this turn             */
    int64_t distance;  /* bytes from there                                 */
    LLVMValueRef inside, offset;
    struct em_lanes on;
    int64_t lane[EM_LANES_MAX]; /* bytes from base                         */
};

/* Source vectors that several unrolled taps share. */
enum { SEEN_MAX = 256 };
struct seen {
    LLVMValueRef here, value;
    int64_t distance;
    int vec;
};

struct step {
    struct tile *tile;
    struct read read[TILE_ACCUMULATORS]; /* [row][col], or [row][vec] with LANES_OW */
    struct seen seen[SEEN_MAX];
    int seen_count;
};

/* A place along ic, in bytes from the pointers of this turn. */
struct place {
    LLVMValueRef wei;
    int64_t src_more, wei_more;
};

static int64_t src_bytes(const struct tile *t, int axis)
{
    return t->nest->src_stride[axis] * t->nest->bytes;
}

/* ---- reads -------------------------------------------------------------------------------------
 */

/* Tap kw as it is met in the loops: `known` where its number is. */
struct tap {
    LLVMValueRef kw;
    int64_t number;
    bool known, mixed;
};

static bool edge_tap(const struct tile *t, const struct tap *tap)
{
    return t->segment->edge && tap->known;
}

/* The tile's column `distance` bytes right of its first, under this tap. Taps with a constant
 * number share one base. */
static struct read plain_read(struct tile *t, const struct tile_row *row, const struct tap *tap,
                              int64_t distance)
{
    int64_t step = t->nest->p->p.dilation[CONVC_W] * src_bytes(t, CONVC_STRIDE_W), kw;
    struct read read = { .kind = READ_PLAIN, .base = row->origin, .distance = distance };
    if (em_is_const(tap->kw, &kw))
        read.distance += kw * step;
    else
        read.base = em_at(t->em, row->origin, em_mul(t->em, tap->kw, step));
    return read;
}

/* What a tap outside of the input is under a mode that does not fold. */
static enum read_kind outside_kind(const struct convc_problem *p)
{
    return p->padding_mode == CONVC_PAD_CONSTANT ? READ_CONSTANT : READ_NOTHING;
}

/* Where column c of a row reads: LANES_OC and LANES_GROUPS. */
static struct read column_read(struct tile *t, const struct tile_row *row, const struct tap *tap,
                               int c)
{
    const struct nest *n = t->nest;
    const struct convc_problem *p = &n->p->p;
    int64_t pixel = src_bytes(t, CONVC_STRIDE_W);
    struct em *em = t->em;
    if (n->plan.border == BORDER_COMPUTED) {
        LLVMValueRef ow = em_add(em, t->ow, em_int(em, c));
        LLVMValueRef at = em_mul_add(em, ow, p->stride[CONVC_W], -p->pad_begin[CONVC_W]);
        at = em_add(em, at, em_mul(em, tap->kw, p->dilation[CONVC_W]));
        struct border b = border_emit(em, p->padding_mode, at, n->in[CONVC_W]);
        LLVMValueRef base = em_at(em, row->start, em_mul(em, b.index, pixel));
        return (struct read){ .kind = READ_COMPUTED, .base = base, .inside = b.inside };
    }
    struct read plain = plain_read(t, row, tap, c * p->stride[CONVC_W] * pixel);
    if (n->scattered) {
        int64_t i = split_begin(&n->cols, t->segment->begin) + c;
        return (struct read){ .kind = READ_PLAIN,
                              .base = row->start,
                              .distance = nest_pixel(n, i) * n->bytes };
    }
    if (!edge_tap(t, tap))
        return plain;
    int64_t ow = split_begin(&n->cols, t->segment->begin) + c;
    int64_t at =
        ow * p->stride[CONVC_W] - p->pad_begin[CONVC_W] + tap->number * p->dilation[CONVC_W];
    int64_t column = nest_column(n, ow, tap->number);
    if (column >= 0 && column == at)
        return plain;
    if (column < 0)
        return (struct read){ .kind = outside_kind(p) };
    return (struct read){ .kind = READ_PLAIN, .base = row->start, .distance = column * pixel };
}

static struct read computed_lanes(struct tile *t, const struct tile_row *row, const struct tap *tap,
                                  int v)
{
    const struct convc_problem *p = &t->nest->p->p;
    struct em *em = t->em;
    int lanes = t->nest->lanes;
    struct em_lanes active = tile_lanes(t, v);
    LLVMValueRef at = em_mul_add(em, t->ow, p->stride[CONVC_W], -p->pad_begin[CONVC_W]);
    at = em_splat(em, em_add(em, at, em_mul(em, tap->kw, p->dilation[CONVC_W])), lanes);
    LLVMValueRef lane[EM_LANES_MAX], on[EM_LANES_MAX], pixel[EM_LANES_MAX];
    for (int l = 0; l < lanes; l++) {
        lane[l] = em_int(em, ((int64_t)v * lanes + l) * p->stride[CONVC_W]);
        on[l] = LLVMConstInt(em->i1, active.on[l], 0);
        pixel[l] = em_int(em, src_bytes(t, CONVC_STRIDE_W));
    }
    at = LLVMBuildAdd(em->builder, at, LLVMConstVector(lane, (unsigned)lanes), "");
    struct border b = border_emit(em, p->padding_mode, at, t->nest->in[CONVC_W]);
    LLVMValueRef stride = LLVMConstVector(pixel, (unsigned)lanes);
    LLVMValueRef inside =
        LLVMBuildAnd(em->builder, b.inside, LLVMConstVector(on, (unsigned)lanes), "");
    return (struct read){ .kind = READ_COMPUTED,
                          .base = row->start,
                          .inside = inside,
                          .offset = LLVMBuildMul(em->builder, b.index, stride, "") };
}

/* Where vector v of a row reads: LANES_OW. */
static struct read vector_read(struct tile *t, const struct tile_row *row, const struct tap *tap,
                               int v)
{
    const struct nest *n = t->nest;
    const struct convc_problem *p = &n->p->p;
    int64_t pixel = src_bytes(t, CONVC_STRIDE_W), first = (int64_t)v * n->lanes;
    if (n->plan.border == BORDER_COMPUTED)
        return computed_lanes(t, row, tap, v);
    struct read plain = plain_read(t, row, tap, first * p->stride[CONVC_W] * pixel);
    plain.on = tile_lanes(t, v);
    if (!edge_tap(t, tap))
        return plain;
    struct read mixed = { .kind = READ_LANES, .base = row->start, .on = plain.on };
    bool inside = true;
    for (int l = 0; l < plain.on.active; l++) {
        int64_t ow = split_begin(&n->cols, t->segment->begin) + first + l;
        int64_t at = ow * p->stride[CONVC_W] - p->pad_begin[CONVC_W];
        int64_t column = nest_column(n, ow, tap->number);
        inside = inside && column >= 0 && column == at + tap->number * p->dilation[CONVC_W];
        mixed.lane[l] = column < 0 ? 0 : column * pixel;
        mixed.on.active -= column < 0;
        mixed.on.on[l] = column >= 0;
    }
    if (inside)
        return plain;
    if (!mixed.on.active)
        mixed.kind = outside_kind(p);
    return mixed;
}

static int reads_in_row(const struct tile *t)
{
    return t->nest->plan.lanes == LANES_OW ? t->vecs : t->cols;
}

static void find_reads(struct step *s, const struct tile_row *row, const struct tap *tap)
{
    struct tile *t = s->tile;
    int count = reads_in_row(t);
    for (int r = 0; r < t->rows; r++) {
        for (int i = 0; i < count; i++) {
            struct read *read = &s->read[r * count + i];
            if (!row[r].used)
                *read = (struct read){ .kind = READ_NOTHING };
            else if (row[r].constant)
                *read = (struct read){ .kind = READ_CONSTANT };
            else if (t->nest->plan.lanes == LANES_OW)
                *read = vector_read(t, &row[r], tap, i);
            else
                *read = column_read(t, &row[r], tap, i);
        }
    }
}

/* Moves every read `bytes` along the channels. Reads of one base share one pointer. */
static void advance(struct step *s, LLVMValueRef bytes)
{
    struct em *em = s->tile->em;
    int count = s->tile->rows * reads_in_row(s->tile);
    int64_t known;
    for (int i = 0; i < count; i++) {
        struct read *read = &s->read[i];
        read->here = read->base;
        if (!read->base || (em_is_const(bytes, &known) && !known))
            continue;
        int same = 0;
        while (s->read[same].base != read->base)
            same++;
        read->here = same < i ? s->read[same].here : em_opaque(em, em_at(em, read->base, bytes));
    }
}

/* ---- operands ----------------------------------------------------------------------------------
 */

static LLVMValueRef padding(struct tile *t)
{
    return em_real(t->vector, t->nest->p->p.padding_value);
}

static LLVMValueRef read_at(struct tile *t, const struct read *read, const struct place *at)
{
    return em_at_const(t->em, read->here, read->distance + at->src_more);
}

static LLVMValueRef if_inside(struct tile *t, const struct read *read, LLVMValueRef value)
{
    int64_t known;
    if (read->kind != READ_COMPUTED || (em_is_const(read->inside, &known) && known))
        return value;
    LLVMValueRef other = em_real(LLVMTypeOf(value), t->nest->p->p.padding_value);
    return LLVMBuildSelect(t->em->builder, read->inside, value, other, "");
}

/* One source element in all lanes. */
static LLVMValueRef src_broadcast(struct tile *t, const struct read *read, const struct place *at)
{
    if (read->kind == READ_CONSTANT)
        return padding(t);
    LLVMValueRef x = em_load(t->em, t->element, read_at(t, read, at), (unsigned)t->nest->bytes);
    return em_splat(t->em, if_inside(t, read, x), t->nest->lanes);
}

/* Source channels of the groups in vector v, each lane's own: one load and a permutation where
 * channels lie side by side, else a gather. */
static LLVMValueRef src_groups(struct step *s, const struct read *read, const struct place *at,
                               int v, int ic)
{
    struct tile *t = s->tile;
    const struct nest *n = t->nest;
    int64_t icg = n->p->icg, ocg = n->p->ocg, channel = src_bytes(t, CONVC_STRIDE_C);
    int64_t distance = v * n->layout.vector_groups * icg * channel;
    struct em_lanes on = tile_lanes(t, v);
    int permute[EM_LANES_MAX] = { 0 };
    int64_t offset[EM_LANES_MAX] = { 0 };
    if (read->kind == READ_CONSTANT)
        return padding(t);
    for (int l = 0; l < on.active; l++) {
        permute[l] = (int)(l / ocg * icg + ic);
        offset[l] = permute[l] * channel;
    }
    LLVMValueRef p = em_at_const(t->em, read_at(t, read, at), distance);
    if (n->src_stride[CONVC_STRIDE_C] != 1)
        return if_inside(t, read, em_gather(t->em, t->vector, p, offset, &on, NULL));

    LLVMValueRef x = NULL;
    distance += read->distance + at->src_more;
    for (int i = 0; i < s->seen_count && !x; i++) {
        const struct seen *seen = &s->seen[i];
        if (seen->here == read->here && seen->distance == distance && seen->vec == v)
            x = seen->value;
    }
    if (!x) {
        struct em_lanes span = em_lanes_first(n->lanes, (int)(on.active / ocg * icg));
        x = if_inside(t, read, em_load_lanes(t->em, t->vector, p, &span, NULL));
        if (s->seen_count < SEEN_MAX)
            s->seen[s->seen_count++] = (struct seen){ read->here, x, distance, v };
    }
    return icg == 1 && ocg == 1 ? x : em_shuffle(t->em, x, x, permute, n->lanes);
}

/* Every second element of 2*lanes - 1, without reading past the last. */
static LLVMValueRef deinterleave(struct tile *t, LLVMValueRef p)
{
    int lanes = t->nest->lanes, pick[EM_LANES_MAX];
    struct em *em = t->em;
    LLVMValueRef low = em_load(em, t->vector, p, (unsigned)t->nest->bytes);
    LLVMValueRef high = em_load(em, t->vector, em_at_const(em, p, (lanes - 1) * t->nest->bytes),
                                (unsigned)t->nest->bytes);
    for (int l = 0; l < lanes; l++)
        pick[l] = 2 * l < lanes ? 2 * l : lanes + 2 * l - (lanes - 1);
    return em_shuffle(em, low, high, pick, lanes);
}

static bool side_by_side(const struct read *read, int64_t bytes, int64_t *first)
{
    int anchor = -1;
    for (int l = 0; l < read->on.count; l++) {
        if (!read->on.on[l])
            continue;
        if (anchor < 0)
            anchor = l;
        if (read->lane[l] - read->lane[anchor] != (l - anchor) * bytes)
            return false;
    }
    *first = read->lane[anchor] - anchor * bytes;
    return true;
}

static LLVMValueRef src_columns(struct tile *t, const struct read *read, const struct place *at)
{
    struct em *em = t->em;
    int64_t bytes = t->nest->bytes, first;
    if (read->kind == READ_CONSTANT)
        return padding(t);
    LLVMValueRef p = read_at(t, read, at);
    if (read->kind == READ_COMPUTED)
        return em_gather_at(em, t->vector, p, read->offset, read->inside, padding(t));
    if (read->kind == READ_LANES && side_by_side(read, bytes, &first))
        return em_load_lanes(em, t->vector, em_at_const(em, p, first), &read->on, padding(t));
    if (read->kind == READ_LANES)
        return em_gather(em, t->vector, p, read->lane, &read->on, padding(t));

    int64_t step = t->nest->p->p.stride[CONVC_W] * src_bytes(t, CONVC_STRIDE_W);
    int64_t offset[EM_LANES_MAX];
    if (step == bytes)
        return em_load_lanes(em, t->vector, p, &read->on, NULL);
    if (step == 2 * bytes && read->on.active == read->on.count)
        return deinterleave(t, p);
    for (int l = 0; l < read->on.count; l++)
        offset[l] = l * step;
    return em_gather(em, t->vector, p, offset, &read->on, NULL);
}

static LLVMValueRef wei_vector(struct tile *t, const struct place *at, int v)
{
    unsigned vector_bytes = (unsigned)(t->nest->lanes * t->nest->bytes);
    LLVMValueRef p = em_at_const(t->em, at->wei, at->wei_more + (int64_t)v * vector_bytes);
    return em_load(t->em, t->vector, p, vector_bytes);
}

static void multiply_add(struct tile *t, int r, int c, int v, LLVMValueRef src, LLVMValueRef wei)
{
    struct em_var acc = tile_acc(t, r, c, v);
    em_set(t->em, acc, em_fma(t->em, src, wei, em_get(t->em, acc)));
}

/* ---- steps: one input channel of one tap, or one tap of all channels with LANES_GROUPS ----------
 */

static void step_oc(struct step *s, const struct place *at)
{
    struct tile *t = s->tile;
    LLVMValueRef wei[TILE_ACCUMULATORS];
    for (int v = 0; v < t->vecs; v++)
        wei[v] = wei_vector(t, at, v);
    for (int i = 0; i < t->rows * t->cols; i++) {
        if (s->read[i].kind == READ_NOTHING)
            continue;
        LLVMValueRef src = src_broadcast(t, &s->read[i], at);
        for (int v = 0; v < t->vecs; v++)
            multiply_add(t, i / t->cols, i % t->cols, v, src, wei[v]);
    }
}

static void step_ow(struct step *s, const struct place *at)
{
    struct tile *t = s->tile;
    int vectors = t->rows * t->vecs;
    LLVMValueRef src[TILE_ACCUMULATORS];
    for (int i = 0; i < vectors; i++)
        src[i] = s->read[i].kind == READ_NOTHING ? NULL : src_columns(t, &s->read[i], at);
    for (int c = 0; c < t->cols; c++) {
        LLVMValueRef p = em_at_const(t->em, at->wei, at->wei_more + c * t->nest->bytes);
        LLVMValueRef one = em_load(t->em, t->element, p, (unsigned)t->nest->bytes);
        LLVMValueRef wei = em_splat(t->em, one, t->nest->lanes);
        for (int i = 0; i < vectors; i++) {
            if (src[i])
                multiply_add(t, i / t->vecs, c, i % t->vecs, src[i], wei);
        }
    }
}

static void step_groups(struct step *s, LLVMValueRef panel)
{
    struct tile *t = s->tile;
    advance(s, em_int(t->em, 0));
    int64_t width = t->channel->width * t->nest->bytes;
    for (int ic = 0; ic < t->nest->p->icg; ic++) {
        struct place at = { .wei = panel, .wei_more = ic * width };
        for (int v = 0; v < t->vecs; v++) {
            LLVMValueRef wei = wei_vector(t, &at, v);
            for (int i = 0; i < t->rows * t->cols; i++) {
                if (s->read[i].kind == READ_NOTHING)
                    continue;
                LLVMValueRef src = src_groups(s, &s->read[i], &at, v, ic);
                multiply_add(t, i / t->cols, i % t->cols, v, src, wei);
            }
        }
    }
}

/* ---- loops -------------------------------------------------------------------------------------
 */

/* k-steps written down in one block: few accumulators want more, the scheduler spills past
 * about 32. */
static int64_t unroll(const struct tile *t, int64_t turns)
{
    int64_t u = 8;
    while (u > 1 && (turns % u || u * t->rows * t->cols * t->vecs > 32))
        u /= 2;
    return u;
}

/* One line of the next tile's pixels: channel ic fetches for pixel ic mod 16 the line that channel
 * ic lies in, so that each line is asked for once, spread over the loop. */
static void prefetch_next(struct tile *t, const struct tile_row *row, LLVMValueRef ic)
{
    const struct nest *n = t->nest;
    struct em *em = t->em;
    int64_t per_line = 64 / n->bytes;
    int64_t pixel = n->p->p.stride[CONVC_W] * src_bytes(t, CONVC_STRIDE_W);
    LLVMValueRef which = LLVMBuildAnd(em->builder, ic, em_int(em, per_line - 1), "");
    LLVMValueRef first = LLVMBuildSub(em->builder, ic, which, "");
    LLVMValueRef p = em_at(em, row->origin, em_mul(em, which, pixel));
    p = em_at(em, p, em_mul(em, first, n->bytes));
    em_prefetch(em, em_at_const(em, p, t->cols * pixel), false);
}

/* `turns` steps, each one channel of the source and one width of the weights further. */
static void channels(struct step *s, const struct tile_row *row, LLVMValueRef wei, int64_t turns)
{
    struct tile *t = s->tile;
    struct em *em = t->em;
    int64_t channel = src_bytes(t, CONVC_STRIDE_C), width = t->channel->width * t->nest->bytes;
    int64_t u = unroll(t, turns);
    EM_FOR (em, ic, em_int(em, 0), em_int(em, turns / u)) {
        LLVMValueRef panel = em_at(em, wei, em_mul(em, ic, u * width));
        struct place at = { .wei = em_opaque(em, panel) };
        advance(s, em_mul(em, ic, u * channel));
        for (int i = 0; i < u; i++) {
            for (int r = 0; t->nest->plan.prefetch && r < t->rows; r++)
                prefetch_next(t, &row[r], em_mul_add(em, ic, u, i));
            if (t->nest->plan.lanes == LANES_OW)
                step_ow(s, &at);
            else
                step_oc(s, &at);
            at.src_more += channel;
            at.wei_more += width;
        }
    }
}

static void one_tap(struct step *s, const struct tile_row *row, const struct tap *tap,
                    LLVMValueRef wei)
{
    struct tile *t = s->tile;
    struct em *em = t->em;
    int64_t icg = t->nest->p->icg, width = t->channel->width * t->nest->bytes;
    LLVMValueRef here = em_at(em, wei, em_mul(em, tap->kw, icg * width));
    find_reads(s, row, tap);
    if (t->nest->plan.lanes == LANES_GROUPS)
        step_groups(s, here);
    else
        channels(s, row, here, icg);
}

/* Do taps and channels lie in one line, so that one loop runs over both? */
static bool in_line(const struct tile *t)
{
    const struct nest *n = t->nest;
    return n->plan.border != BORDER_COMPUTED && n->plan.lanes != LANES_GROUPS &&
           n->p->p.dilation[CONVC_W] * n->src_stride[CONVC_STRIDE_W] ==
               n->p->icg * n->src_stride[CONVC_STRIDE_C];
}

static struct tap known_tap(struct tile *t, int64_t kw)
{
    return (struct tap){ .kw = em_int(t->em, kw), .number = kw, .known = true };
}

static void run(struct step *s, const struct tile_row *row, const struct tap_run *run,
                LLVMValueRef wei)
{
    struct tile *t = s->tile;
    struct em *em = t->em;
    int64_t icg = t->nest->p->icg, width = t->channel->width * t->nest->bytes;
    struct tap first = known_tap(t, run->begin);
    if (t->nest->plan.taps == TAPS_UNROLL || run->end - run->begin == 1) {
        for (int64_t kw = run->begin; kw < run->end; kw++) {
            struct tap tap = known_tap(t, kw);
            one_tap(s, row, &tap, wei);
        }
    } else if (in_line(t)) {
        find_reads(s, row, &first);
        channels(s, row, em_at_const(em, wei, run->begin * icg * width),
                 (run->end - run->begin) * icg);
    } else {
        /* All taps of a run read alike: found for the first, used at a distance. */
        EM_FOR (em, kw, em_int(em, run->begin), em_int(em, run->end)) {
            struct tap tap = { .kw = kw, .number = run->begin, .known = true };
            s->seen_count = 0;
            one_tap(s, row, &tap, wei);
        }
    }
}

void tile_width(struct tile *t, const struct tile_row row[TILE_ROWS], LLVMValueRef wei)
{
    struct step s = { .tile = t };
    struct tap_run runs[RUNS_MAX];
    runs[0] = (struct tap_run){ 0, t->nest->p->p.kernel[CONVC_W], false };
    int count = t->segment->edge ? nest_runs(t->nest, t->segment, runs) : 1;
    for (int i = 0; i < count; i++)
        run(&s, row, &runs[i], wei);
}
