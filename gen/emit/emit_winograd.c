#include "gen/emit/emit_winograd.h"

#include "gen/emit/arguments.h"
#include "gen/emit/winograd_stage.h"

/* Pointers are still those of the whole tensors. */
static void load_arguments(struct winograd_stage *s, const struct plan *plan)
{
    struct arguments all = arguments_tensors(s->em, s->w->p, plan);
    s->src = all.src;
    s->wei = all.wei;
    s->bias = all.bias;
    s->residual = all.residual;
    s->dst = all.dst;
    s->scratch = arguments_workspace(s->em);
}

/* What taps outside of the image read. */
static void fill_outside(const struct winograd_stage *s)
{
    struct em *em = s->em;
    double value = s->w->p->p.padding_mode == CONVC_PAD_CONSTANT ? s->w->p->p.padding_value : 0;
    EM_FOR (em, i, em_int(em, 0), em_int(em, s->w->channels)) {
        LLVMValueRef p = em_at(em, s->scratch, em_mul(em, i, s->w->vector_bytes));
        em_store(em, em_real(s->vector, value), p, (unsigned)s->w->vector_bytes);
    }
}

/* One work item, decoded. */
struct item {
    LLVMValueRef image, group, block, oc_block;
};

static struct item decode(const struct winograd_stage *s, LLVMValueRef index)
{
    struct em *em = s->em;
    struct item i;
    LLVMValueRef rest = em_divide(em, index, em_int(em, s->w->oc_blocks), &i.oc_block);
    rest = em_divide(em, rest, em_int(em, s->w->blocks.tiles), &i.block);
    i.image = em_divide(em, rest, em_int(em, s->w->p->p.groups), &i.group);
    return i;
}

static void find_tiles(struct winograd_stage *s, const struct item *i)
{
    struct em *em = s->em;
    const struct split *b = &s->w->blocks;
    LLVMValueRef wide = em_int(em, b->wide_tiles);
    s->tile = em_mul(em, i->block, b->wide);
    s->tiles = em_int(em, b->wide);
    if (b->wide != b->narrow) {
        LLVMValueRef is_wide = em_less(em, i->block, wide);
        LLVMValueRef past = em_max(em, em_sub(em, i->block, wide), em_int(em, 0));
        s->tile = em_opaque(em, em_sub(em, s->tile, past));
        s->tiles =
            LLVMBuildSelect(em->builder, is_wide, em_int(em, b->wide), em_int(em, b->narrow), "");
        s->tiles = em_opaque(em, s->tiles);
    }
    s->wide_panels = em_sub(em, s->tiles, em_int(em, s->w->row_panels * s->w->narrow));
}

/* From the whole tensors to the item's part of them. */
static void find_pointers(struct winograd_stage *s, const struct item *i)
{
    const struct winograd *w = s->w;
    const struct convc_problem *p = &w->p->p;
    struct em *em = s->em;
    int64_t block = w->block_panels * w->plan.vecs * w->lanes;
    LLVMValueRef channel = em_mul(em, i->group, w->p->ocg);
    channel = em_mul(em, em_add(em, channel, em_mul(em, i->oc_block, block)), w->bytes);
    LLVMValueRef to = em_mul(em, i->image, p->dst_stride[CONVC_STRIDE_N] * w->bytes);
    to = em_add(em, to, em_mul(em, channel, p->dst_stride[CONVC_STRIDE_C]));
    LLVMValueRef from = em_mul(em, i->image, p->src_stride[CONVC_STRIDE_N] * w->bytes);
    from = em_add(em, from,
                  em_mul(em, i->group, w->p->icg * p->src_stride[CONVC_STRIDE_C] * w->bytes));
    LLVMValueRef wei = em_mul(em, i->oc_block, block * w->k * w->points * w->bytes);
    int64_t group = w->vectors * w->lanes * w->k * w->points * w->bytes;
    wei = em_add(em, wei, em_mul(em, i->group, group));
    s->src = em_opaque(em, em_at(em, s->src, from));
    s->wei = em_opaque(em, em_at(em, s->wei, wei));
    s->bias = em_opaque(em, em_at(em, s->bias, channel));
    s->residual = em_opaque(em, em_at(em, s->residual, to));
    s->dst = em_opaque(em, em_at(em, s->dst, to));
}

void emit_winograd(struct em *em, const struct problem *p, const struct plan *plan)
{
    struct winograd w;
    winograd_of(p, &plan->winograd, em->target, &w);
    struct winograd_stage all = { .em = em, .w = &w, .element = w.bytes == 8 ? em->f64 : em->f32 };
    all.vector = em_vector(all.element, w.lanes);
    load_arguments(&all, plan);
    fill_outside(&all);
    if (w.src_strip)
        winograd_strip_begin(&all);
    LLVMValueRef begin = arguments_begin(em), end = arguments_end(em);
    EM_FOR (em, index, begin, end) {
        struct winograd_stage s = all;
        struct item item = decode(&s, index);
        find_tiles(&s, &item);
        find_pointers(&s, &item);
        s.last = em_equal(em, item.oc_block, em_int(em, w.oc_blocks - 1));
        LLVMValueRef fresh = em_true(em);
        if (w.oc_blocks > 1)
            fresh = LLVMBuildOr(em->builder, em_equal(em, item.oc_block, em_int(em, 0)),
                                em_equal(em, index, begin), "");
        EM_IF (em, fresh) {
            winograd_input(&s);
        }
        winograd_products(&s);
        winograd_output(&s);
    }
}
