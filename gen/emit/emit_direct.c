#include "gen/emit/emit_direct.h"

#include "gen/emit/arguments.h"
#include "gen/emit/strip.h"
#include "gen/emit/tile.h"

#include <string.h>

struct args {
    struct arguments tensor;
    LLVMValueRef n, scratch;
};

/* One work item, decoded. */
struct item {
    LLVMValueRef image, block, od, phase, row, chunk;
    LLVMValueRef group, in_group; /* of the block: its group, and its number there */

    /* Pointers at the image and the first channel of the block. */
    LLVMValueRef src, wei, bias, residual, dst;
    LLVMValueRef user[FUNCTIONS_ARGS];
};

static struct item decode(struct em *em, const struct nest *n, const struct args *args,
                          LLVMValueRef index)
{
    struct item i;
    LLVMValueRef rest = index;
    if (n->plan.order == ORDER_ROWS)
        rest = em_divide(em, rest, em_int(em, n->blocks), &i.block);
    rest = em_divide(em, rest, em_int(em, n->chunks), &i.chunk);
    rest = em_divide(em, rest, em_int(em, n->rows.tiles), &i.row);
    rest = em_divide(em, rest, em_int(em, n->phases), &i.phase);
    rest = em_divide(em, rest, em_int(em, n->out[CONVC_D]), &i.od);
    i.image = rest;
    if (n->plan.order == ORDER_WEIGHTS)
        i.block = em_divide(em, rest, args->n, &i.image);
    if (n->plan.order == ORDER_PIXELS)
        i.block = em_int(em, 0);
    i.group = em_int(em, 0);
    i.in_group = i.block;
    if (n->blocks != n->blocks_per_group)
        i.group = em_divide(em, i.block, em_int(em, n->blocks_per_group), &i.in_group);
    return i;
}

/* Bytes from the first of the packed weights to the block's. */
static LLVMValueRef weights_of(struct em *em, const struct nest *n, LLVMValueRef in_group,
                               LLVMValueRef group)
{
    const struct layout *l = &n->layout;
    int64_t block = layout_block_elements(l), all = layout_group_elements(l), first = 0;
    if (n->plan.lanes == LANES_IC) {
        int64_t channel = l->icg * l->kernel[0] * l->kernel[1] * l->kernel[2];
        block = n->block_channels * channel;
        all = l->dots * channel;
        first = layout_dots_offset(l);
    }
    LLVMValueRef wei = em_mul_add(em, in_group, block * n->bytes, first * n->bytes);
    return em_add(em, wei, em_mul(em, group, all * n->bytes));
}

static void find_pointers(struct em *em, const struct nest *n, const struct args *args,
                          struct item *i)
{
    int64_t block_src = 0;
    if (n->plan.lanes == LANES_GROUPS)
        block_src = n->block_channels / n->p->ocg * n->p->icg;
    LLVMValueRef in_group = i->in_group, group = i->group;
    LLVMValueRef channel = em_mul(em, in_group, n->block_channels);
    LLVMValueRef src_channel = em_mul(em, in_group, block_src);
    if (n->plan.lanes != LANES_GROUPS) {
        channel = em_mul_add(em, channel, 1, n->first_channel);
        channel = em_add(em, channel, em_mul(em, group, n->p->ocg));
        src_channel = em_mul(em, group, n->p->icg);
    }
    LLVMValueRef image_src = em_mul(em, i->image, n->src_stride[CONVC_STRIDE_N] * n->src_bytes);
    LLVMValueRef image_dst = em_mul(em, i->image, n->dst_stride[CONVC_STRIDE_N] * n->dst_bytes);
    LLVMValueRef to =
        em_add(em, image_dst, em_mul(em, channel, n->dst_stride[CONVC_STRIDE_C] * n->dst_bytes));
    LLVMValueRef wei = weights_of(em, n, in_group, group);

    LLVMValueRef from = em_mul(em, src_channel, n->src_stride[CONVC_STRIDE_C] * n->src_bytes);
    i->src = em_opaque(em, em_at(em, args->tensor.src, em_add(em, image_src, from)));
    i->wei = em_opaque(em, em_at(em, args->tensor.wei, wei));
    i->dst = em_opaque(em, em_at(em, args->tensor.dst, to));
    i->residual = em_opaque(em, em_at(em, args->tensor.residual, to));
    i->bias = em_opaque(em, em_at(em, args->tensor.bias, em_mul(em, channel, n->bytes)));
    for (int a = 0; a < n->p->f.arg_count; a++) {
        enum arg_kind kind = n->p->f.arg[a].kind;
        LLVMValueRef at = kind == ARG_CHANNEL  ? em_mul(em, channel, n->bytes)
                          : kind == ARG_TENSOR ? to
                                               : em_int(em, 0);
        i->user[a] = em_opaque(em, em_at(em, args->tensor.user[a], at));
    }
}

static void place_tile(struct tile *t, const struct item *i)
{
    t->src = i->src;
    t->wei = i->wei;
    t->bias = i->bias;
    t->residual = i->residual;
    t->dst = i->dst;
    memcpy(t->user, i->user, sizeof t->user);
}

/* One place of a tile: for the item's channel block, or for all those of the tile's class. */
static void emit_blocks(struct tile *t, const struct args *args, const struct item *i)
{
    const struct nest *n = t->nest;
    struct em *em = t->em;
    struct item one = *i;
    bool last = t->channel != n->channel;
    int64_t full = n->classes > 1 ? n->blocks - 1 : n->blocks;
    if (n->plan.order != ORDER_PIXELS) {
        place_tile(t, i);
        tile_emit(t);
        return;
    }
    EM_FOR (em, block, em_int(em, last ? full : 0), em_int(em, last ? n->blocks : full)) {
        one.block = one.in_group = block;
        find_pointers(em, n, args, &one);
        place_tile(t, &one);
        tile_emit(t);
    }
}

/* The column tiles of one segment that lie in the item's chunk. */
static void emit_segment(struct tile *t, const struct args *args, const struct item *i)
{
    const struct nest *n = t->nest;
    const struct segment *s = t->segment;
    struct em *em = t->em;
    LLVMValueRef begin = em_int(em, s->begin), end = em_int(em, s->end);
    if (n->chunks > 1) {
        LLVMValueRef first = em_mul(em, i->chunk, n->chunk);
        begin = em_max(em, begin, first);
        end = em_min(em, end, em_add(em, first, em_int(em, n->chunk)));
    }
    LLVMValueRef row = em_add(em, em_mul(em, i->od, n->phases), i->phase);
    row = em_add(em, em_mul(em, row, n->rows.tiles), i->row);
    EM_FOR (em, tile, begin, end) {
        int64_t ow = split_begin(&n->cols, s->begin);
        t->ow = em_mul_add(em, tile, s->width, ow - s->begin * s->width);
        if (n->merged) {
            LLVMValueRef past = em_opaque(em, em_sub(em, tile, em_int(em, n->cols.wide_tiles)));
            t->ow = em_sub(em, t->ow, em_max(em, past, em_int(em, 0)));
            t->narrow = em_not(em, em_less(em, past, em_int(em, 0)));
        }
        t->ow = em_opaque(em, t->ow);
        if (s->edge)
            t->ow = em_int(em, ow);
        t->number = em_add(em, em_mul(em, row, n->cols.tiles), tile);
        emit_blocks(t, args, i);
    }
}

static void emit_columns(struct em *em, const struct nest *n, const struct args *args,
                         const struct item *i, const struct channel_class *channel, int rows)
{
    struct segment segment[SEGMENTS_MAX];
    int count = nest_segments(n, segment);
    LLVMValueRef oh = em_mul(em, i->row, n->rows.wide);
    if (rows != n->rows.wide)
        oh = em_mul_add(em, i->row, n->rows.narrow,
                        n->rows.wide_tiles * (n->rows.wide - n->rows.narrow));
    oh = em_add(em, em_mul(em, oh, n->row_step), i->phase);
    for (int s = 0; s < count; s++) {
        struct tile t;
        tile_open(&t, em, n, channel, &segment[s], rows);
        t.od = i->od;
        t.oh = oh;
        emit_segment(&t, args, i);
    }
}

/* Row tiles of both heights. */
static void emit_rows(struct em *em, const struct nest *n, const struct args *args,
                      const struct item *i, const struct channel_class *channel)
{
    LLVMValueRef wide = em_true(em);
    if (n->rows.wide != n->rows.narrow)
        wide = em_below(em, i->row, em_int(em, n->rows.wide_tiles));
    EM_IF (em, wide) {
        emit_columns(em, n, args, i, channel, (int)n->rows.wide);
    }
    EM_IF (em, em_not(em, wide)) {
        emit_columns(em, n, args, i, channel, (int)n->rows.narrow);
    }
}

/* Full channel blocks, and the narrower last one of a group. */
static void emit_item(struct em *em, const struct nest *n, const struct args *args,
                      const struct item *i)
{
    LLVMValueRef last = LLVMConstNull(em->i1);
    if (n->plan.order == ORDER_PIXELS) {
        for (int c = 0; c < n->classes; c++)
            emit_rows(em, n, args, i, &n->channel[c]);
        return;
    }
    if (n->classes > 1)
        last = em_equal(em, i->in_group, em_int(em, n->blocks_per_group - 1));
    EM_IF (em, em_not(em, last)) {
        emit_rows(em, n, args, i, &n->channel[0]);
    }
    EM_IF (em, last) {
        emit_rows(em, n, args, i, &n->channel[1]);
    }
}

/* The item's inputs in the strip, which serves all channel blocks that follow in the same call. */
static LLVMValueRef strip_of_item(struct em *em, const struct problem *p, const struct nest *n,
                                  const struct args *args, const struct item *i, LLVMValueRef first)
{
    LLVMValueRef image = em_mul(em, i->image, p->p.src_stride[CONVC_STRIDE_N] * n->bytes);
    struct strip_item item = { .src = em_opaque(em, em_at(em, args->tensor.src, image)),
                               .scratch = args->scratch,
                               .od = i->od,
                               .row = i->row,
                               .chunk = i->chunk };
    item.fresh = LLVMBuildOr(em->builder, first, em_equal(em, i->block, em_int(em, 0)), "fresh");
    return strip_fill(em, p, n, &item);
}

/* Items [begin, end) of one nest of the problem. */
static void emit_nest(struct em *em, const struct problem *p, const struct nest *n,
                      const struct args *all, LLVMValueRef begin, LLVMValueRef end)
{
    EM_FOR (em, index, begin, end) {
        struct args args = *all;
        struct item item = decode(em, n, &args, index);
        if (n->plan.strip)
            args.tensor.src = strip_of_item(em, p, n, &args, &item, em_equal(em, index, begin));
        if (n->plan.order != ORDER_PIXELS)
            find_pointers(em, n, &args, &item);
        emit_item(em, n, &args, &item);
    }
}

void emit_direct(struct em *em, const struct problem *p, const struct plan *plan)
{
    struct nest part[PARTS_MAX];
    struct problem room;
    const struct problem *seen = strip_problem(p, &plan->direct, em->target, &room);
    int parts = nest_parts(seen, &plan->direct, em->target, part);
    struct args args = { .tensor = arguments_tensors(em, p, plan) };
    args.n = arguments_n(em);
    if (plan->direct.strip)
        args.scratch = arguments_workspace(em);
    LLVMValueRef begin = arguments_begin(em), end = arguments_end(em);
    for (int i = 0; i < parts; i++) {
        if (parts == 1) {
            emit_nest(em, p, &part[i], &args, begin, end);
            break;
        }
        LLVMValueRef items = em_mul(em, args.n, nest_items(&part[i], 1));
        emit_nest(em, p, &part[i], &args, em_max(em, begin, em_int(em, 0)), em_min(em, end, items));
        begin = em_sub(em, begin, items);
        end = em_sub(em, end, items);
    }
}
