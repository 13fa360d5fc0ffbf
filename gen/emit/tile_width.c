/* The multiply-adds of one row of taps: the loops over kw and ic, and the step inside them. */
#include "gen/base/number.h"
#include "gen/emit/border.h"
#include "gen/emit/tile_dot.h"
#include "gen/emit/tile_prefetch.h"
#include "gen/plan/work.h"

/* A place along ic: weights of this turn, and bytes from there and from the reads. */
struct place {
    LLVMValueRef wei;
    int64_t src_more, wei_more;
    int set; /* of accumulators */
};

static LLVMValueRef wei_vector(struct tile *t, const struct place *at, int v)
{
    unsigned vector_bytes = (unsigned)(t->nest->lanes * t->nest->bytes);
    LLVMValueRef p = em_at_const(t->em, at->wei, at->wei_more + (int64_t)v * vector_bytes);
    return em_load(t->em, t->vector, p, vector_bytes);
}

static void multiply_add(struct tile *t, const struct place *at, int r, int c, int v,
                         LLVMValueRef src, LLVMValueRef wei)
{
    tile_accumulate(t, tile_acc(t, at->set, r, c, v), src, wei);
}

/* ---- steps: one input channel of one tap, or one tap of all channels with LANES_GROUPS ---- */

/* Columns [begin, end). */
static void step_oc(struct reads *s, const struct place *at, int begin, int end)
{
    struct tile *t = s->tile;
    LLVMValueRef wei[TILE_ACCUMULATORS];
    for (int v = 0; v < t->vecs; v++)
        wei[v] = wei_vector(t, at, v);
    for (int i = 0; i < t->rows * t->cols; i++) {
        int r = i / t->cols, c = i % t->cols;
        if (s->list[i].kind == READ_NOTHING || c < begin || c >= end)
            continue;
        LLVMValueRef src = reads_broadcast(s, i, at->src_more);
        for (int v = 0; v < t->vecs; v++)
            multiply_add(t, at, r, c, v, src, wei[v]);
    }
}

static void step_ow(struct reads *s, const struct place *at)
{
    struct tile *t = s->tile;
    int vectors = t->rows * t->vecs;
    LLVMValueRef src[TILE_ACCUMULATORS];
    for (int i = 0; i < vectors; i++)
        src[i] = s->list[i].kind == READ_NOTHING ? NULL : reads_columns(s, i, at->src_more);
    for (int c = 0; c < t->cols; c++) {
        LLVMValueRef p = em_at_const(t->em, at->wei, at->wei_more + c * t->nest->bytes);
        LLVMValueRef one = em_load(t->em, t->element, p, (unsigned)t->nest->bytes);
        LLVMValueRef wei = em_splat(t->em, one, t->nest->lanes);
        for (int i = 0; i < vectors; i++) {
            if (src[i])
                multiply_add(t, at, i / t->vecs, c, i % t->vecs, src[i], wei);
        }
    }
}

static void step_groups(struct reads *s, LLVMValueRef panel)
{
    struct tile *t = s->tile;
    reads_advance(s, em_int(t->em, 0));
    int64_t width = t->channel->width * t->nest->bytes;
    for (int ic = 0; ic < t->nest->p->icg; ic++) {
        struct place at = { .wei = panel, .wei_more = ic * width };
        for (int v = 0; v < t->vecs; v++) {
            LLVMValueRef wei = wei_vector(t, &at, v);
            for (int i = 0; i < t->rows * t->cols; i++) {
                if (s->list[i].kind == READ_NOTHING)
                    continue;
                LLVMValueRef src = reads_groups(s, i, v, ic);
                multiply_add(t, &at, i / t->cols, i % t->cols, v, src, wei);
            }
        }
    }
}

/* ---- loops --------------------------------------------------------------------------------- */

/* Bytes from one turn of a loop to the next that the hardware's prefetchers follow. From twice as
 * many on, weights stream from L2 and beyond a third slower. */
enum { STRIDE_MAX = 1024 };

/* k-steps written down in one block: few accumulators want more, the scheduler spills past about
 * 32; sooner where each multiply-add has a broadcast of its own, which it begins with. With `rest`,
 * what does not divide may be left over. Where code is to be small, one for each partial sum. */
static int64_t unroll(const struct tile *t, int64_t turns, bool rest)
{
    int64_t u = t->em->small ? t->sets : 8,
            most = t->vecs > 1 ? 32 : t->em->target->vector_registers;
    most /= work_written(t->nest->p);
    int64_t width = t->channel->width * t->nest->bytes;
    while (u > 1 && ((turns % u && !rest) || u * t->rows * t->cols * t->vecs > most ||
                     u * width > STRIDE_MAX))
        u /= 2;
    return u < turns ? u : turns;
}

/* Step `first` of a loop over channels, and one step on. */
static struct place step_at(struct reads *s, LLVMValueRef wei, LLVMValueRef first)
{
    struct tile *t = s->tile;
    struct em *em = t->em;
    int64_t width = t->channel->width * t->nest->bytes;
    struct place at = { .wei = em_opaque(em, em_at(em, wei, em_mul(em, first, width))) };
    reads_advance(s, em_mul(em, first, reads_src_bytes(t, CONVC_STRIDE_C)));
    return at;
}

static void step_on(const struct tile *t, struct place *at)
{
    at->src_more += reads_src_bytes(t, CONVC_STRIDE_C);
    at->wei_more += t->channel->width * t->nest->bytes;
}

/* `count` steps from step `first` on, in one block. */
static void steps(struct reads *s, const struct tile_ahead *ahead, LLVMValueRef wei,
                  LLVMValueRef first, int64_t count)
{
    struct tile *t = s->tile;
    struct place at = step_at(s, wei, first);
    for (int i = 0; i < count; i++) {
        tile_prefetch(t, ahead, em_add(t->em, first, em_int(t->em, i)), i, count);
        at.set = i % t->sets;
        if (t->nest->plan.lanes == LANES_OW)
            step_ow(s, &at);
        else
            step_oc(s, &at, 0, t->cols);
        step_on(t, &at);
    }
}

/* The last steps of a tile, one column after the other, each of which is stored at once. Twelve
 * vectors stored one after the other cost a Zen 3 some 20 cycles of multiply-adds, three at a time
 * next to nothing; by then weights come from memory, which tiles of fewer vectors across have no
 * loads to spare for. */
enum { LAST_STEPS = 4, LAST_VECS = 3 };

static bool ends_by_column(const struct tile *t, int64_t turns)
{
    const struct nest *n = t->nest;
    const struct target *target = t->em->target;
    for (int a = 0; a < 3; a++) {
        if (problem_axis_pads(n->p, a))
            return false;
    }
    return target_narrow(target) && target->fma && problem_pointwise(n->p) &&
           n->plan.lanes == LANES_OC && t->vecs >= LAST_VECS && t->sets == 1 &&
           turns >= 2 * LAST_STEPS && !nest_turned(n, t->cols);
}

static void last_steps(struct reads *s, const struct tile_ahead *ahead, LLVMValueRef wei,
                       LLVMValueRef first)
{
    struct tile *t = s->tile;
    const struct place begin = step_at(s, wei, first);
    for (int c = 0; c < t->cols; c++) {
        struct place at = begin;
        for (int i = 0; i < LAST_STEPS; i++) {
            if (c == 0)
                tile_prefetch(t, ahead, em_add(t->em, first, em_int(t->em, i)), i, LAST_STEPS);
            step_oc(s, &at, c, c + 1);
            step_on(t, &at);
        }
        tile_store_columns(t, c + 1);
    }
}

/* `times` times `turns` steps, each one channel of the source and one width of the weights further.
 * LANES_IC: once. */
static void channels(struct reads *s, const struct tile_row *row, LLVMValueRef wei,
                     LLVMValueRef times, int64_t turns)
{
    struct tile *t = s->tile;
    struct em *em = t->em;
    if (t->nest->plan.lanes == LANES_IC) {
        tile_dot_line(s, wei, turns);
        return;
    }
    int64_t known = 0;
    bool all_known = em_is_const(times, &known);
    struct tile_ahead ahead = tile_ahead(t, row, wei);
    if (all_known) {
        times = em_int(em, known > 0);
        turns *= known > 0 ? known : 1;
    }
    bool by_column = all_known && ends_by_column(t, turns);
    turns -= by_column ? LAST_STEPS : 0;
    int64_t u = unroll(t, turns, all_known && t->sets > 1);
    EM_FOR (em, i, em_int(em, 0), em_mul(em, times, turns / u)) {
        steps(s, &ahead, wei, em_mul(em, i, u), u);
    }
    if (all_known && known > 0 && turns % u)
        steps(s, &ahead, wei, em_int(em, turns / u * u), turns % u);
    if (by_column)
        last_steps(s, &ahead, wei, em_int(em, turns));
}

static void one_tap(struct reads *s, const struct tile_row *row, const struct tap *tap,
                    LLVMValueRef wei)
{
    struct tile *t = s->tile;
    struct em *em = t->em;
    int64_t icg = t->nest->p->icg, width = t->channel->width * t->nest->bytes;
    LLVMValueRef here = em_at(em, wei, em_mul(em, tap->kw, icg * width));
    reads_find(s, row, tap);
    if (t->nest->plan.lanes == LANES_GROUPS)
        step_groups(s, here);
    else
        channels(s, row, here, em_int(em, 1), icg);
}

/* Do taps and channels lie in one line, so that one loop runs over both? Dot products want its
 * elements side by side, which those of groups of one channel may not be. */
static bool in_line(const struct tile *t)
{
    const struct nest *n = t->nest;
    int64_t channel = n->src_stride[CONVC_STRIDE_C];
    bool loads = n->plan.lanes != LANES_IC || channel == 1;
    return loads && n->plan.lanes != LANES_GROUPS &&
           n->p->p.dilation[CONVC_W] * n->src_stride[CONVC_STRIDE_W] == n->p->icg * channel;
}

static struct tap known_tap(struct tile *t, int64_t kw)
{
    return (struct tap){ .kw = em_int(t->em, kw), .number = kw };
}

static void run(struct reads *s, const struct tile_row *row, const struct tap_run *run,
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
    } else if (in_line(t) && t->nest->plan.border != BORDER_COMPUTED) {
        reads_find(s, row, &first);
        channels(s, row, em_at_const(em, wei, run->begin * icg * width), em_int(em, 1),
                 (run->end - run->begin) * icg);
    } else {
        /* All taps of a run read alike: found for the first, used at a distance. */
        EM_FOR (em, kw, em_int(em, run->begin), em_int(em, run->end)) {
            struct tap tap = { .kw = kw, .number = run->begin };
            s->seen_count = 0;
            one_tap(s, row, &tap, wei);
        }
    }
}

/* ---- taps that some columns read outside, found while running ------------------------------- */

/* Taps [begin, end) read inside for every column, and those before `first` and from `last` on for
 * none that counts. */
struct inner_taps {
    LLVMValueRef first, begin, end, last;
};

static struct inner_taps inner_taps(struct tile *t)
{
    const struct problem *p = t->nest->p;
    struct em *em = t->em;
    LLVMValueRef right = em_add(em, t->ow, em_int(em, t->cols - 1)), first, last, begin, end;
    LLVMValueRef taps = em_int(em, p->p.kernel[CONVC_W]);
    border_bounds(em, &p->p, CONVC_W, t->ow, &begin, &last);
    border_bounds(em, &p->p, CONVC_W, right, &first, &end);
    struct inner_taps in = { .first = em_int(em, 0), .last = taps };
    in.begin = em_min(em, begin, taps);
    in.end = em_max(em, in.begin, end);
    if (p->p.padding_mode == CONVC_PAD_ZEROS) {
        in.first = em_min(em, first, in.begin);
        in.last = em_max(em, in.end, last);
    }
    return in;
}

/* One tap for each column by itself. */
static void columns_apart(struct reads *s, const struct tile_row *row, LLVMValueRef kw,
                          LLVMValueRef wei)
{
    struct tile *t = s->tile;
    struct em *em = t->em;
    const struct convc_problem *p = &t->nest->p->p;
    struct tap tap = { .kw = kw };
    int64_t icg = t->nest->p->icg;
    LLVMValueRef here =
        em_opaque(em, em_at(em, wei, em_mul(em, kw, icg * t->channel->width * t->nest->bytes)));
    for (int c = 0; c < t->cols; c++) {
        LLVMValueRef inside = reads_find_column(s, row, &tap, c);
        EM_IF (em, inside) {
            channels(s, row, here, em_int(em, 1), icg);
        }
        if (p->padding_mode != CONVC_PAD_CONSTANT)
            continue;
        EM_IF (em, em_not(em, inside)) {
            reads_pad_column(s, row, c);
            channels(s, row, here, em_int(em, 1), icg);
        }
    }
}

/* Taps between two ends, of which each column reads inside or is left alone. */
static void end_taps(struct reads *s, const struct tile_row *row, LLVMValueRef wei,
                     LLVMValueRef begin, LLVMValueRef end)
{
    EM_FOR (s->tile->em, kw, begin, end) {
        columns_apart(s, row, kw, wei);
    }
}

/* The taps between the ends, then both ends in one loop; in their order where that counts. */
static void computed_taps(struct reads *s, const struct tile_row *row, LLVMValueRef wei)
{
    struct tile *t = s->tile;
    struct em *em = t->em;
    struct inner_taps in = inner_taps(t);
    int64_t icg = t->nest->p->icg, width = t->channel->width * t->nest->bytes;
    LLVMValueRef zero = em_int(em, 0), inner = em_sub(em, in.end, in.begin);
    bool ordered = t->nest->p->f.terms && t->nest->p->f.reduce == REDUCE_FOLD;
    if (ordered)
        end_taps(s, row, wei, in.first, in.begin);
    if (in_line(t) && t->nest->plan.lanes == LANES_OC) {
        struct tap tap = { .kw = in.begin, .inside = true };
        reads_find(s, row, &tap);
        LLVMValueRef here = em_at(em, wei, em_mul(em, in.begin, icg * width));
        channels(s, row, here, inner, icg);
    } else {
        EM_FOR (em, kw, in.begin, in.end) {
            struct tap tap = { .kw = kw, .inside = true };
            one_tap(s, row, &tap, wei);
        }
    }
    if (ordered) {
        end_taps(s, row, wei, in.end, in.last);
        return;
    }
    LLVMValueRef left = em_sub(em, in.begin, in.first);
    EM_FOR (em, i, zero, em_add(em, left, em_sub(em, in.last, in.end))) {
        LLVMValueRef past = em_less(em, i, left);
        LLVMValueRef skipped = LLVMBuildSelect(em->builder, past, zero, inner, "");
        columns_apart(s, row, em_add(em, em_add(em, in.first, i), skipped), wei);
    }
}

void tile_width(struct tile *t, const struct tile_row row[TILE_ROWS], LLVMValueRef wei)
{
    struct reads s = { .tile = t };
    struct tap_run runs[RUNS_MAX] = { { 0, t->nest->p->p.kernel[CONVC_W] } };
    bool apart = t->segment->edge && t->nest->plan.taps == TAPS_LOOP;
    int count = apart ? nest_runs(t->nest, t->segment, runs) : 1;
    bool channels_in_line = t->nest->plan.lanes == LANES_OC || t->nest->plan.lanes == LANES_IC;
    if (t->nest->plan.border == BORDER_COMPUTED && channels_in_line) {
        computed_taps(&s, row, wei);
        return;
    }
    for (int i = 0; i < count; i++)
        run(&s, row, &runs[i], wei);
}
