#include "gen/emit/emit_direct.h"

#include "gen/emit/tile.h"

#include <convc/kernel.h>

#include <stddef.h>

/* The kernel's arguments. */
struct args {
    LLVMValueRef src, wei, bias, residual, dst, n;
};

/* One work item, decoded. */
struct item {
    LLVMValueRef image, block, od, row, chunk;
};

static LLVMValueRef argument(struct em *em, LLVMTypeRef type, size_t offset)
{
    LLVMValueRef args = LLVMGetParam(em->function, 0);
    return em_load(em, type, em_at_const(em, args, (int64_t)offset), 8);
}

static struct args load_args(struct em *em)
{
    return (struct args){
        .src = argument(em, em->ptr, offsetof(struct convc_args, src)),
        .wei = em_at_const(em, argument(em, em->ptr, offsetof(struct convc_args, wei)),
                           sizeof(struct convc_packed_header)),
        .bias = argument(em, em->ptr, offsetof(struct convc_args, bias)),
        .residual = argument(em, em->ptr, offsetof(struct convc_args, residual)),
        .dst = argument(em, em->ptr, offsetof(struct convc_args, dst)),
        .n = argument(em, em->i64, offsetof(struct convc_args, n)),
    };
}

/* Every work item lies apart from the next as far as LLVM's loop passes can see. */
static struct item decode(struct em *em, const struct nest *n, const struct args *args,
                          LLVMValueRef index)
{
    struct item i;
    LLVMValueRef rest = em_opaque(em, index);
    if (n->plan.order == ORDER_ROWS)
        rest = em_divide(em, rest, em_int(em, n->blocks), &i.block);
    rest = em_divide(em, rest, em_int(em, n->chunks), &i.chunk);
    rest = em_divide(em, rest, em_int(em, n->rows.tiles), &i.row);
    rest = em_divide(em, rest, em_int(em, n->out[CONVC_D]), &i.od);
    i.image = rest;
    if (n->plan.order == ORDER_WEIGHTS)
        i.block = em_divide(em, rest, args->n, &i.image);
    return i;
}

/* Points the tile at the image and the channel block of an item. */
static void place_tile(struct tile *t, const struct args *args, const struct item *i)
{
    const struct nest *n = t->nest;
    struct em *em = t->em;
    int64_t block_src = 0, bytes = n->bytes;
    if (n->plan.lanes == LANES_GROUPS)
        block_src = n->block_channels / n->p->ocg * n->p->icg;
    LLVMValueRef in_group,
        group = em_divide(em, i->block, em_int(em, n->blocks_per_group), &in_group);
    LLVMValueRef channel = em_mul(em, in_group, n->block_channels);
    LLVMValueRef src_channel = em_mul(em, in_group, block_src);
    if (n->plan.lanes != LANES_GROUPS) {
        channel = em_add(em, channel, em_mul(em, group, n->p->ocg));
        src_channel = em_mul(em, group, n->p->icg);
    }
    LLVMValueRef image_src = em_mul(em, i->image, n->src_stride[CONVC_STRIDE_N] * bytes);
    LLVMValueRef image_dst = em_mul(em, i->image, n->dst_stride[CONVC_STRIDE_N] * bytes);
    LLVMValueRef to =
        em_add(em, image_dst, em_mul(em, channel, n->dst_stride[CONVC_STRIDE_C] * bytes));
    LLVMValueRef wei = em_mul(em, in_group, layout_block_elements(&n->layout) * bytes);
    wei = em_add(em, wei, em_mul(em, group, layout_group_elements(&n->layout) * bytes));

    LLVMValueRef from = em_mul(em, src_channel, n->src_stride[CONVC_STRIDE_C] * bytes);
    t->src = em_opaque(em, em_at(em, args->src, em_add(em, image_src, from)));
    t->wei = em_opaque(em, em_at(em, args->wei, wei));
    t->dst = em_opaque(em, em_at(em, args->dst, to));
    t->residual = em_opaque(em, em_at(em, args->residual, to));
    t->bias = em_opaque(em, em_at(em, args->bias, em_mul(em, channel, bytes)));
    t->od = i->od;
}

/* The column tiles of one segment that lie in the item's chunk. */
static void emit_segment(struct tile *t, const struct item *i)
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
    LLVMValueRef row = em_add(em, em_mul(em, i->od, n->rows.tiles), i->row);
    EM_FOR (em, tile, begin, end) {
        int64_t ow = split_begin(&n->cols, s->begin);
        t->ow = em_mul_add(em, tile, s->width, ow - s->begin * s->width);
        if (n->merged) {
            LLVMValueRef past = em_sub(em, tile, em_int(em, n->cols.wide_tiles));
            t->ow = em_sub(em, t->ow, em_max(em, past, em_int(em, 0)));
            t->narrow = em_not(em, em_less(em, past, em_int(em, 0)));
        }
        if (s->edge)
            t->ow = em_int(em, ow);
        t->number = em_add(em, em_mul(em, row, n->cols.tiles), tile);
        tile_emit(t);
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
    for (int s = 0; s < count; s++) {
        struct tile t;
        tile_open(&t, em, n, channel, &segment[s], rows);
        place_tile(&t, args, i);
        t.oh = oh;
        emit_segment(&t, i);
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
    LLVMValueRef in_group, last = LLVMConstNull(em->i1);
    em_divide(em, i->block, em_int(em, n->blocks_per_group), &in_group);
    if (n->classes > 1)
        last = em_equal(em, in_group, em_int(em, n->blocks_per_group - 1));
    EM_IF (em, em_not(em, last)) {
        emit_rows(em, n, args, i, &n->channel[0]);
    }
    EM_IF (em, last) {
        emit_rows(em, n, args, i, &n->channel[1]);
    }
}

void emit_direct(struct em *em, const struct problem *p, const struct plan *plan)
{
    struct nest nest;
    nest_of(p, &plan->direct, em->target, &nest);
    struct args args = load_args(em);
    LLVMValueRef begin = LLVMGetParam(em->function, 2), end = LLVMGetParam(em->function, 3);
    EM_FOR (em, index, begin, end) {
        struct item item = decode(em, &nest, &args, index);
        emit_item(em, &nest, &args, &item);
    }
}
