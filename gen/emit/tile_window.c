/* The multiply-adds of a whole window: kh and kw written down in one block.
 *
 * Rows of the input are taken one by one. What is loaded from a row serves all rows of the tile and
 * all taps that read there, so that most multiply-adds have no load of their own. A row that may
 * lie outside of the input is a branch; columns that do are known while emitting, as in every edge
 * tile. Tall windows run the rows that serve every row of the tile in a loop.
 */
#include "gen/base/number.h"
#include "gen/emit/border.h"
#include "gen/emit/tile_columns.h"

/* WEIGHTS_MAX: of one window, held in registers. SEEN_MAX: operands of one row. */
enum { WEIGHTS_MAX = 32, SEEN_MAX = 128 };

/* The window at one depth tap and one channel. */
struct window {
    struct tile *tile;
    LLVMValueRef src;   /* where row 0 of the window meets the tile's first column; maybe outside */
    LLVMValueRef wei;   /* tap (kd, 0, 0) of the channel  */
    LLVMValueRef at;    /* input row of row 0             */
    int64_t channel;    /* of the group, where it is known */
    LLVMValueRef lanes; /* else: the lane of the loaded vector that each lane wants */
    LLVMValueRef resident[WEIGHTS_MAX];
};

/* One row of the window: row r of the tile meets it with row tap[r] of the taps, from `wei`. */
struct window_row {
    bool constant; /* outside: padding_value */
    LLVMValueRef src, wei;
    bool used[TILE_ROWS];
    int64_t tap[TILE_ROWS];
    struct {
        int64_t column;
        int vec;
        LLVMValueRef value;
    } seen[SEEN_MAX];
    int seen_count;

    /* LANES_OW: what is loaded, and what each vector of the tile reads under this tap. */
    struct columns columns;
    LLVMValueRef read[TILE_VECS];
};

static bool lanes_are_columns(const struct tile *t)
{
    return t->nest->plan.lanes == LANES_OW;
}

/* Weights of one tap, and reads of one row under one tap: the tile is all pairs of them. */
static int weights_of(const struct tile *t)
{
    return lanes_are_columns(t) ? t->cols : t->vecs;
}

static int reads_of(const struct tile *t)
{
    return lanes_are_columns(t) ? t->vecs : t->cols;
}

static int64_t src_bytes(const struct tile *t, int axis)
{
    return t->nest->src_stride[axis] * t->nest->src_bytes;
}

/* ---- operands ------------------------------------------------------------------------------ */

/* Bytes from the tile's first column to the one `column` right of it; false: padding is read. */
static bool find_column(const struct tile *t, int64_t column, int64_t *bytes)
{
    const struct nest *n = t->nest;
    const struct convc_problem *p = &n->p->p;
    int64_t first =
        split_begin(&n->cols, t->segment->begin) * p->stride[CONVC_W] - p->pad_begin[CONVC_W];
    int64_t at = first + column;
    if (t->segment->edge)
        at = problem_border(p->padding_mode, at, n->in[CONVC_W]);
    *bytes = (at - first) * src_bytes(t, CONVC_STRIDE_W);
    return !t->segment->edge || at >= 0;
}

/* The channels that vector v wants, each in its lane. */
static LLVMValueRef load_groups(const struct window *w, LLVMValueRef p, int v)
{
    struct tile *t = w->tile;
    int64_t icg = t->nest->p->icg, ocg = t->nest->p->ocg;
    struct em_lanes on = tile_lanes(t, v);
    struct em_lanes span = em_lanes_first(t->nest->lanes, (int)(on.active / ocg * icg));
    LLVMValueRef x = tile_src_lanes(t, p, &span, NULL);
    int lane[EM_LANES_MAX] = { 0 };
    if (icg == 1 && ocg == 1)
        return x;
    if (w->lanes)
        return em_permute(t->em, x, w->lanes);
    for (int l = 0; l < on.active; l++)
        lane[l] = (int)(l / ocg * icg + w->channel);
    return em_shuffle(t->em, x, x, lane, t->nest->lanes);
}

/* What the column `column` right of the tile's first holds for vector v; NULL: nothing. */
static LLVMValueRef operand(const struct window *w, struct window_row *row, int64_t column, int v)
{
    struct tile *t = w->tile;
    const struct nest *n = t->nest;
    bool broadcast = n->plan.lanes == LANES_OC;
    int64_t bytes, vector = n->layout.vector_groups * n->p->icg * n->src_bytes;
    if (broadcast)
        v = 0;
    for (int i = 0; i < row->seen_count; i++) {
        if (row->seen[i].column == column && row->seen[i].vec == v)
            return row->seen[i].value;
    }
    LLVMValueRef x;
    bool inside = find_column(t, column, &bytes);
    if (row->constant || !inside) {
        bool constant = n->p->p.padding_mode == CONVC_PAD_CONSTANT;
        x = constant ? em_real(t->vector, n->p->p.padding_value) : NULL;
    } else if (broadcast) {
        x = tile_src(t, em_at_const(t->em, row->src, bytes));
        x = em_splat(t->em, x, n->lanes);
    } else {
        x = load_groups(w, em_at_const(t->em, row->src, bytes + v * vector), v);
    }
    if (row->seen_count < SEEN_MAX) {
        row->seen[row->seen_count].column = column;
        row->seen[row->seen_count].vec = v;
        row->seen[row->seen_count++].value = x;
    }
    return x;
}

/* Bytes from one tap of a channel to the next. */
static int64_t tap_bytes(const struct tile *t)
{
    return t->nest->p->icg * t->channel->width * t->nest->bytes;
}

/* Weight `v` of a tap: a vector, or with LANES_OW one of them in all lanes. */
static LLVMValueRef load_weight(const struct tile *t, LLVMValueRef wei, int64_t tap, int v)
{
    if (lanes_are_columns(t)) {
        LLVMValueRef at = em_at_const(t->em, wei, tap * tap_bytes(t) + v * t->nest->bytes);
        LLVMValueRef one = em_load(t->em, t->element, at, (unsigned)t->nest->bytes);
        return em_splat(t->em, one, t->nest->lanes);
    }
    int64_t vector = (int64_t)t->nest->lanes * t->nest->bytes;
    LLVMValueRef p = em_at_const(t->em, wei, tap * tap_bytes(t) + v * vector);
    return em_load(t->em, t->vector, p, (unsigned)vector);
}

/* Weights stay in registers where the accumulators leave room. */
static void hold_weights(struct window *w)
{
    struct tile *t = w->tile;
    const int64_t *kernel = t->nest->p->p.kernel;
    int64_t taps = kernel[CONVC_H] * kernel[CONVC_W];
    int count = weights_of(t);
    int64_t room = t->em->target->vector_registers - t->rows * t->cols * t->vecs - 3;
    if (nest_window_tall(t->nest) || taps * count > room || taps * count > WEIGHTS_MAX)
        return;
    for (int i = 0; i < taps * count; i++)
        w->resident[i] = load_weight(t, w->wei, i / count, i % count);
}

static LLVMValueRef weight(const struct window *w, const struct window_row *row, int64_t tap, int v)
{
    if (w->resident[0])
        return w->resident[tap * weights_of(w->tile) + v];
    return load_weight(w->tile, row->wei, tap, v);
}

/* ---- rows ---------------------------------------------------------------------------------- */

/* Read i under tap kw, for weight j of it. */
static LLVMValueRef read_of(const struct window *w, struct window_row *row, int64_t kw, int i,
                            int j)
{
    struct tile *t = w->tile;
    const struct convc_problem *p = &t->nest->p->p;
    if (!lanes_are_columns(t))
        return operand(w, row, i * p->stride[CONVC_W] + kw * p->dilation[CONVC_W], j);
    if (row->constant)
        return em_real(t->vector, p->padding_value);
    return row->read[i];
}

/* Row r of the tile under tap kw, with weights [begin, end) of it. */
static void multiply_tap(const struct window *w, struct window_row *row, int r, int64_t kw,
                         int begin, int end)
{
    struct tile *t = w->tile;
    int64_t tap = row->tap[r] * t->nest->p->p.kernel[CONVC_W] + kw;
    for (int j = begin; j < end; j++) {
        LLVMValueRef wei = weight(w, row, tap, j);
        for (int i = 0; i < reads_of(t); i++) {
            LLVMValueRef x = read_of(w, row, kw, i, j);
            struct em_var acc =
                lanes_are_columns(t) ? tile_acc(t, 0, r, j, i) : tile_acc(t, 0, r, i, j);
            if (x)
                tile_accumulate(t, acc, x, wei);
        }
    }
}

static bool few_registers(const struct tile *t)
{
    return target_narrow(t->em->target);
}

/* A row is done with before the next one begins. LLVM sinks what rows of the tile take from it to
 * where they are next needed, behind a row that may lie outside, and keeps all that was read till
 * then: with few registers, in memory. */
static void finish_row(const struct window *w)
{
    struct tile *t = w->tile;
    if (!few_registers(t))
        return;
    for (int i = 0; i < t->rows * t->cols * t->vecs; i++)
        em_set(t->em, t->acc[i], em_pinned(t->em, em_get(t->em, t->acc[i])));
}

/* Column kw of the taps, with weights [begin, end) of each. */
static void multiply_column(const struct window *w, struct window_row *row, int64_t kw, int begin,
                            int end)
{
    struct tile *t = w->tile;
    for (int v = 0; lanes_are_columns(t) && !row->constant && v < t->vecs; v++)
        row->read[v] = tile_columns(t, &row->columns, kw, v);
    for (int r = 0; r < t->rows; r++) {
        if (row->used[r])
            multiply_tap(w, row, r, kw, begin, end);
    }
}

/* All that one row of the input takes part in. Few registers are for few operands at a time:
 * vectors of channels, which have none in common, one after the other, and taps that share columns
 * of the input right after one another, unless the taps have an order. */
static void multiply_row(const struct window *w, struct window_row *row)
{
    struct tile *t = w->tile;
    const struct convc_problem *p = &t->nest->p->p;
    bool apart = t->nest->plan.lanes == LANES_GROUPS && few_registers(t);
    int count = weights_of(t), at_once = apart ? 1 : count;
    int64_t stride = p->stride[CONVC_W], sharing = stride / gcd(stride, p->dilation[CONVC_W]);
    bool ordered = t->nest->p->f.terms && t->nest->p->f.reduce == REDUCE_FOLD;
    int64_t next = apart && !ordered ? sharing : 1;
    row->seen_count = row->columns.seen_count = 0;
    row->columns.src = row->src;
    for (int i = 0; i < count; i += at_once) {
        for (int64_t first = 0; first < next; first++) {
            for (int64_t kw = first; kw < p->kernel[CONVC_W]; kw += next)
                multiply_column(w, row, kw, i, i + at_once);
        }
    }
    finish_row(w);
}

/* Does a place outside read one inside? */
static bool folds(enum convc_padding_mode mode)
{
    return mode != CONVC_PAD_ZEROS && mode != CONVC_PAD_CONSTANT && mode != CONVC_PAD_IDENTITY;
}

/* Row `y` of the window, which may lie outside, under the taps that `row` names. */
static void window_row(const struct window *w, LLVMValueRef y, bool outside, struct window_row *row)
{
    struct tile *t = w->tile;
    struct em *em = t->em;
    const struct convc_problem *p = &t->nest->p->p;
    LLVMValueRef inside = em_true(em);
    LLVMValueRef down = em_mul(em, y, p->dilation[CONVC_H]);
    if (outside && folds(p->padding_mode)) {
        LLVMValueRef at = em_add(em, w->at, down);
        at = border_emit(em, p->padding_mode, at, t->nest->in[CONVC_H]).index;
        down = em_sub(em, at, w->at);
    } else if (outside) {
        inside = em_below(em, em_add(em, w->at, down), em_int(em, t->nest->in[CONVC_H]));
    }
    row->src = em_at(em, w->src, em_mul(em, down, src_bytes(t, CONVC_STRIDE_H)));
    row->constant = false;
    EM_IF (em, inside) {
        multiply_row(w, row);
    }
    if (p->padding_mode == CONVC_PAD_CONSTANT) {
        EM_IF (em, em_not(em, inside)) {
            row->constant = true;
            multiply_row(w, row);
        }
    }
}

/* Rows [begin, end) of the window, each written down. */
static void known_rows(const struct window *w, int64_t begin, int64_t end)
{
    struct tile *t = w->tile;
    const struct nest *n = t->nest;
    for (int64_t y = begin; y < end; y++) {
        struct window_row row = { .wei = w->wei };
        bool any = false;
        for (int r = 0; r < t->rows; r++) {
            row.tap[r] = y - r * nest_window_step(n);
            row.used[r] = row.tap[r] >= 0 && row.tap[r] < n->p->p.kernel[CONVC_H];
            any = any || row.used[r];
        }
        if (any)
            window_row(w, em_int(t->em, y), nest_window_outside(n, t->rows, y, y + 1), &row);
    }
}

/* Rows [begin, end), which serve every row of the tile, as a loop. */
static void looped_rows(const struct window *w, int64_t begin, int64_t end)
{
    struct tile *t = w->tile;
    struct em *em = t->em;
    int64_t width = t->nest->p->p.kernel[CONVC_W] * tap_bytes(t);
    EM_FOR (em, y, em_int(em, begin), em_int(em, end)) {
        struct window_row row = { .wei = em_at(em, w->wei, em_mul(em, y, width)) };
        row.wei = em_opaque(em, row.wei);
        for (int r = 0; r < t->rows; r++) {
            row.tap[r] = -r * nest_window_step(t->nest);
            row.used[r] = true;
        }
        window_row(w, y, nest_window_outside(t->nest, t->rows, begin, end), &row);
    }
}

static void all_rows(const struct window *w)
{
    const struct nest *n = w->tile->nest;
    int64_t kernel = n->p->p.kernel[CONVC_H], last = (w->tile->rows - 1) * nest_window_step(n);
    if (nest_window_tall(n) && kernel > last + 1) {
        known_rows(w, 0, last);
        looped_rows(w, last, kernel);
        known_rows(w, kernel, kernel + last);
    } else {
        known_rows(w, 0, kernel + last);
    }
}

/* ---- channels ------------------------------------------------------------------------------ */

/* Lane l wants channel `ic` of its group. */
static LLVMValueRef lanes_of(const struct tile *t, LLVMValueRef ic)
{
    const struct nest *n = t->nest;
    LLVMTypeRef type = n->bytes == 8 ? t->em->i64 : t->em->i32;
    LLVMValueRef lane[EM_LANES_MAX];
    int64_t held = n->layout.vector_groups * n->p->ocg;
    for (int l = 0; l < n->lanes; l++)
        lane[l] =
            LLVMConstInt(type, l < held ? (unsigned long long)(l / n->p->ocg * n->p->icg) : 0, 0);
    LLVMValueRef one = LLVMBuildIntCast2(t->em->builder, ic, type, 0, "");
    return LLVMBuildAdd(t->em->builder, LLVMConstVector(lane, (unsigned)n->lanes),
                        em_splat(t->em, one, n->lanes), "");
}

static void one_channel(struct window *w, LLVMValueRef src, LLVMValueRef wei, LLVMValueRef ic)
{
    struct tile *t = w->tile;
    struct em *em = t->em;
    const struct nest *n = t->nest;
    w->src = src;
    if (n->plan.lanes != LANES_GROUPS)
        w->src = em_at(em, src, em_mul(em, ic, src_bytes(t, CONVC_STRIDE_C)));
    w->wei = em_at(em, wei, em_mul(em, ic, t->channel->width * n->bytes));
    w->src = em_opaque(em, w->src);
    w->wei = em_opaque(em, w->wei);
    w->lanes = NULL;
    if (!em_is_const(ic, &w->channel) && n->plan.lanes == LANES_GROUPS)
        w->lanes = lanes_of(t, ic);
    hold_weights(w);
    all_rows(w);
}

void tile_window(struct tile *t, LLVMValueRef plane, LLVMValueRef wei)
{
    struct em *em = t->em;
    const struct nest *n = t->nest;
    const struct convc_problem *p = &n->p->p;
    struct window w = { .tile = t };
    w.at = em_mul_add(em, t->oh, p->stride[CONVC_H], -p->pad_begin[CONVC_H]);
    LLVMValueRef column = em_mul_add(em, t->ow, p->stride[CONVC_W], -p->pad_begin[CONVC_W]);
    LLVMValueRef src = em_at(em, plane, em_mul(em, w.at, src_bytes(t, CONVC_STRIDE_H)));
    src = em_at(em, src, em_mul(em, column, src_bytes(t, CONVC_STRIDE_W)));
    if (nest_window_channels_written(n)) {
        for (int64_t ic = 0; ic < n->p->icg; ic++)
            one_channel(&w, src, wei, em_int(em, ic));
    } else {
        EM_FOR (em, ic, em_int(em, 0), em_int(em, n->p->icg)) {
            one_channel(&w, src, wei, ic);
        }
    }
}
