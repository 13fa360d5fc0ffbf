#include "gen/emit/tile_read.h"

#include "gen/emit/border.h"
#include "gen/emit/em_element.h"

int64_t reads_src_bytes(const struct tile *t, int axis)
{
    return t->nest->src_stride[axis] * t->nest->src_bytes;
}

/* ---- reads --------------------------------------------------------------------------------- */

/* Where the tile's first column reads under this tap: a pointer that all columns share, and a
 * distance from it. Taps with a constant number share one pointer. */
struct tap_place {
    LLVMValueRef origin;
    int64_t distance;
};

static struct tap_place find_tap(struct tile *t, const struct tile_row *row, const struct tap *tap)
{
    int64_t step = t->nest->p->p.dilation[CONVC_W] * reads_src_bytes(t, CONVC_STRIDE_W), kw;
    if (em_is_const(tap->kw, &kw))
        return (struct tap_place){ row->origin, kw * step };
    return (struct tap_place){ em_at(t->em, row->origin, em_mul(t->em, tap->kw, step)), 0 };
}

/* `distance` bytes right of there. */
static struct read plain_read(const struct tap_place *first, int64_t distance)
{
    return (struct read){ .kind = READ_PLAIN,
                          .base = first->origin,
                          .distance = first->distance + distance };
}

/* The last column of a tile that may be narrow: there it reads what the one before reads. */
static struct read last_column(struct tile *t, struct read plain, int64_t column)
{
    struct em *em = t->em;
    LLVMValueRef back =
        LLVMBuildSelect(em->builder, t->narrow, em_int(em, -column), em_int(em, 0), "");
    plain.base = em_opaque(em, em_at(em, plain.base, back));
    return plain;
}

/* What a tap outside of the input is under a mode that does not fold. */
static enum read_kind outside_kind(const struct convc_problem *p)
{
    return p->padding_mode == CONVC_PAD_CONSTANT ? READ_CONSTANT : READ_NOTHING;
}

static struct read computed_column(struct tile *t, const struct tile_row *row,
                                   const struct tap *tap, int c)
{
    const struct convc_problem *p = &t->nest->p->p;
    struct em *em = t->em;
    LLVMValueRef ow = em_add(em, t->ow, em_int(em, c));
    LLVMValueRef at = em_mul_add(em, ow, p->stride[CONVC_W], -p->pad_begin[CONVC_W]);
    at = em_add(em, at, em_mul(em, tap->kw, p->dilation[CONVC_W]));
    struct border b = border_emit(em, p->padding_mode, at, t->nest->in[CONVC_W]);
    LLVMValueRef pixel = em_mul(em, b.index, reads_src_bytes(t, CONVC_STRIDE_W));
    LLVMValueRef base = em_at(em, row->start, pixel);
    return (struct read){ .kind = READ_COMPUTED, .base = base, .inside = b.inside };
}

/* Where column c of a row reads: LANES_OC and LANES_GROUPS. */
static struct read column_read(struct tile *t, const struct tile_row *row, const struct tap *tap,
                               const struct tap_place *first, int c)
{
    const struct nest *n = t->nest;
    const struct convc_problem *p = &n->p->p;
    int64_t pixel = reads_src_bytes(t, CONVC_STRIDE_W);
    if (n->plan.border == BORDER_COMPUTED && !tap->inside)
        return computed_column(t, row, tap, c);
    if (n->scattered) {
        int64_t i = split_begin(&n->cols, t->segment->begin) + c;
        return (struct read){ .kind = READ_PLAIN,
                              .base = row->start,
                              .distance = nest_pixel(n, i) * n->src_bytes };
    }
    struct read plain = plain_read(first, c * p->stride[CONVC_W] * pixel);
    if (t->narrow && c == t->cols - 1)
        return last_column(t, plain, pixel * p->stride[CONVC_W]);
    if (!t->segment->edge)
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
        pixel[l] = em_int(em, reads_src_bytes(t, CONVC_STRIDE_W));
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
                               const struct tap_place *place, int v)
{
    const struct nest *n = t->nest;
    const struct convc_problem *p = &n->p->p;
    int64_t pixel = reads_src_bytes(t, CONVC_STRIDE_W), first = (int64_t)v * n->lanes;
    if (n->plan.border == BORDER_COMPUTED)
        return computed_lanes(t, row, tap, v);
    struct read plain = plain_read(place, first * p->stride[CONVC_W] * pixel);
    plain.on = tile_lanes(t, v);
    if (!t->segment->edge)
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

void reads_find(struct reads *s, const struct tile_row *row, const struct tap *tap)
{
    struct tile *t = s->tile;
    int count = reads_in_row(t);
    for (int r = 0; r < t->rows; r++) {
        struct tap_place first = { 0 };
        if (row[r].used && !row[r].constant)
            first = find_tap(t, &row[r], tap);
        for (int i = 0; i < count; i++) {
            struct read *read = &s->list[r * count + i];
            if (!row[r].used)
                *read = (struct read){ .kind = READ_NOTHING };
            else if (row[r].constant)
                *read = (struct read){ .kind = READ_CONSTANT };
            else if (t->nest->plan.lanes == LANES_OW)
                *read = vector_read(t, &row[r], tap, &first, i);
            else
                *read = column_read(t, &row[r], tap, &first, i);
        }
    }
}

static void skip_all(struct reads *s)
{
    int count = s->tile->rows * reads_in_row(s->tile);
    for (int i = 0; i < count; i++)
        s->list[i] = (struct read){ .kind = READ_NOTHING };
}

LLVMValueRef reads_find_column(struct reads *s, const struct tile_row *row, const struct tap *tap,
                               int c)
{
    struct tile *t = s->tile;
    LLVMValueRef inside = em_true(t->em);
    skip_all(s);
    for (int r = 0; r < t->rows; r++) {
        struct read *read = &s->list[r * t->cols + c];
        if (!row[r].used)
            continue;
        if (row[r].constant) {
            read->kind = READ_CONSTANT;
            continue;
        }
        *read = computed_column(t, &row[r], tap, c);
        read->kind = READ_PLAIN;
        inside = read->inside;
    }
    return inside;
}

void reads_pad_column(struct reads *s, const struct tile_row *row, int c)
{
    struct tile *t = s->tile;
    skip_all(s);
    for (int r = 0; r < t->rows; r++) {
        if (row[r].used)
            s->list[r * t->cols + c].kind = READ_CONSTANT;
    }
}

void reads_advance(struct reads *s, LLVMValueRef bytes)
{
    struct em *em = s->tile->em;
    int count = s->tile->rows * reads_in_row(s->tile);
    int64_t known;
    for (int i = 0; i < count; i++) {
        struct read *read = &s->list[i];
        read->here = read->base;
        if (!read->base || (em_is_const(bytes, &known) && !known))
            continue;
        int same = 0;
        while (s->list[same].base != read->base)
            same++;
        read->here = same < i ? s->list[same].here : em_opaque(em, em_at(em, read->base, bytes));
    }
}

/* ---- operands ------------------------------------------------------------------------------ */

static LLVMValueRef padding(struct tile *t)
{
    return em_real(t->vector, t->nest->p->p.padding_value);
}

static LLVMValueRef read_at(struct tile *t, const struct read *read, int64_t more)
{
    return em_at_const(t->em, read->here, read->distance + more);
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
LLVMValueRef reads_broadcast(struct reads *s, int i, int64_t more)
{
    struct tile *t = s->tile;
    const struct read *read = &s->list[i];
    if (read->kind == READ_CONSTANT)
        return padding(t);
    LLVMValueRef x = tile_src(t, read_at(t, read, more));
    return em_splat(t->em, if_inside(t, read, x), t->nest->lanes);
}

LLVMValueRef reads_channels(struct reads *s, int i, int64_t more, const struct em_lanes *on)
{
    struct tile *t = s->tile;
    const struct read *read = &s->list[i];
    if (read->kind != READ_CONSTANT)
        return tile_src_lanes(t, read_at(t, read, more), on, NULL);
    LLVMValueRef lane[EM_LANES_MAX];
    for (int l = 0; l < on->count; l++)
        lane[l] = em_real(t->element, on->on[l] ? t->nest->p->p.padding_value : 0);
    return LLVMConstVector(lane, (unsigned)on->count);
}

/* A vector of consecutive channels, loaded once for all taps and channels that want it. */
static LLVMValueRef shared_vector(struct reads *s, const struct read *read, int64_t distance,
                                  const struct em_lanes *span)
{
    struct tile *t = s->tile;
    distance += read->distance;
    for (int i = 0; i < s->seen_count; i++) {
        const struct seen *seen = &s->seen[i];
        if (seen->here == read->here && seen->inside == read->inside &&
            seen->distance == distance && seen->active == span->active)
            return seen->value;
    }
    LLVMValueRef p = em_at_const(t->em, read->here, distance);
    LLVMValueRef x = if_inside(t, read, tile_src_lanes(t, p, span, NULL));
    if (s->seen_count < SEEN_MAX)
        s->seen[s->seen_count++] =
            (struct seen){ read->here, read->inside, x, distance, span->active };
    return x;
}

LLVMValueRef reads_groups(struct reads *s, int i, int v, int ic)
{
    struct tile *t = s->tile;
    const struct nest *n = t->nest;
    const struct read *read = &s->list[i];
    int64_t icg = n->p->icg, ocg = n->p->ocg, channel = reads_src_bytes(t, CONVC_STRIDE_C);
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
    if (n->src_stride[CONVC_STRIDE_C] != 1) {
        LLVMValueRef p = read_at(t, read, distance);
        return if_inside(t, read, tile_src_gather(t, p, offset, &on, NULL));
    }
    struct em_lanes span = em_lanes_first(n->lanes, (int)(on.active / ocg * icg));
    LLVMValueRef x = shared_vector(s, read, distance, &span);
    return icg == 1 && ocg == 1 ? x : em_shuffle(t->em, x, x, permute, n->lanes);
}

/* Every second element of 2*lanes - 1, without reading past the last. */
static LLVMValueRef deinterleave(struct tile *t, LLVMValueRef p)
{
    int lanes = t->nest->lanes, pick[EM_LANES_MAX];
    struct em *em = t->em;
    struct em_lanes all = em_lanes_first(lanes, lanes);
    LLVMValueRef low = tile_src_lanes(t, p, &all, NULL);
    p = em_at_const(em, p, (lanes - 1) * t->nest->src_bytes);
    LLVMValueRef high = tile_src_lanes(t, p, &all, NULL);
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

LLVMValueRef reads_columns(struct reads *s, int i, int64_t more)
{
    struct tile *t = s->tile;
    const struct read *read = &s->list[i];
    struct em *em = t->em;
    int64_t bytes = t->nest->src_bytes, first;
    if (read->kind == READ_CONSTANT)
        return padding(t);
    LLVMValueRef p = read_at(t, read, more);
    if (read->kind == READ_COMPUTED)
        return em_element_gather_at(em, t->nest->p->p.src_dtype, t->vector, p, read->offset,
                                    read->inside, padding(t));
    if (read->kind == READ_LANES && side_by_side(read, bytes, &first))
        return tile_src_lanes(t, em_at_const(em, p, first), &read->on, padding(t));
    if (read->kind == READ_LANES)
        return tile_src_gather(t, p, read->lane, &read->on, padding(t));

    int64_t step = t->nest->p->p.stride[CONVC_W] * reads_src_bytes(t, CONVC_STRIDE_W);
    int64_t offset[EM_LANES_MAX];
    if (step == bytes)
        return tile_src_lanes(t, p, &read->on, NULL);
    if (step == 2 * bytes && read->on.active == read->on.count)
        return deinterleave(t, p);
    for (int l = 0; l < read->on.count; l++)
        offset[l] = l * step;
    return tile_src_gather(t, p, offset, &read->on, NULL);
}
