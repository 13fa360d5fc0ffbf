/* Weights into the transformed domain, U = G w G^T in double, operation by operation as
 * plan_winograd_pack does it, so that the bits are the same. */
#include "gen/emit/pack_code.h"
#include "gen/plan/winograd.h"

struct packing {
    const struct winograd *w;
    int64_t stride; /* bytes from point to point of the panel at hand */
    double gh[WINOGRAD_POINTS][WINOGRAD_KERNEL], gw[WINOGRAD_POINTS][WINOGRAD_KERNEL];
    LLVMTypeRef element;
};

static LLVMValueRef scaled(struct em *em, double factor, LLVMValueRef value)
{
    return LLVMBuildFMul(em->builder, LLVMConstReal(em->f64, factor), value, "");
}

/* Sum of g[i]*value[i], from 0 on. */
static LLVMValueRef sum(struct em *em, const double *g, const LLVMValueRef *value, int count)
{
    LLVMValueRef total = LLVMConstReal(em->f64, 0);
    for (int i = 0; i < count; i++)
        total = LLVMBuildFAdd(em->builder, total, scaled(em, g[i], value[i]), "");
    return total;
}

/* Tap (a, b) of the kernel at `from`, in double. */
static LLVMValueRef load_tap(struct em *em, const struct packing *k, LLVMValueRef from, int a,
                             int b)
{
    const struct winograd *w = k->w;
    bool flip = w->p->p.flip;
    int64_t at = flip ? (w->h.r - 1 - a) * w->w.r + w->w.r - 1 - b : a * w->w.r + b;
    LLVMValueRef p = em_at_const(em, from, at * w->bytes);
    LLVMValueRef v = em_load(em, k->element, p, (unsigned)w->bytes);
    return w->bytes == 8 ? v : LLVMBuildFPExt(em->builder, v, em->f64, "");
}

/* Transforms the kernel at `from`; its point 0 goes to `to`. */
static void transform(struct em *em, const void *argument, LLVMValueRef from, LLVMValueRef to)
{
    const struct packing *k = argument;
    const struct winograd *w = k->w;
    LLVMValueRef tap[WINOGRAD_KERNEL][WINOGRAD_KERNEL];
    for (int b = 0; b < w->w.r; b++) {
        for (int a = 0; a < w->h.r; a++)
            tap[b][a] = load_tap(em, k, from, a, b);
    }
    for (int y = 0; y < w->h.n; y++) {
        LLVMValueRef half[WINOGRAD_KERNEL];
        for (int b = 0; b < w->w.r; b++)
            half[b] = sum(em, k->gh[y], tap[b], w->h.r);
        for (int x = 0; x < w->w.n; x++) {
            LLVMValueRef u = sum(em, k->gw[x], half, w->w.r);
            if (w->bytes == 4)
                u = LLVMBuildFPTrunc(em->builder, u, em->f32, "");
            em_store(em, u, em_at_const(em, to, (y * w->w.n + x) * k->stride), (unsigned)w->bytes);
        }
    }
}

/* The channels [0, channels) of `blocks` x `panels` panels that are alike, from panel `first` of
 * each group on. */
static void pack_panels(struct em *em, struct packing *k, int64_t first, int64_t blocks,
                        int64_t panels, int64_t channels, LLVMValueRef plain, LLVMValueRef packed)
{
    const struct winograd *w = k->w;
    const int64_t full = (int64_t)w->plan.vecs * w->lanes, bytes = w->bytes;
    const int64_t slots = first == w->panels - 1 ? (int64_t)w->last_vecs * w->lanes : full;
    const int64_t slab = w->h.r * w->w.r * bytes, kernel = w->slabs * slab;
    const int64_t channel = w->p->icg * kernel, panel = full * w->k * bytes;
    const int64_t block = w->block_panels * panel * w->points;
    bool flip = w->p->p.flip;
    k->stride = winograd_block_elements(w, first / w->block_panels) * bytes;
    const struct pack_loops loops = {
        .from = first * full * channel + (flip ? kernel - slab : 0),
        .to = first / w->block_panels * block + first % w->block_panels * panel,
        .loop = { { w->p->p.groups, w->p->ocg * channel,
                    w->vectors * w->lanes * w->k * w->points * bytes },
                  { blocks, w->block_panels * full * channel, block },
                  { panels, full * channel, panel },
                  { channels, channel, bytes },
                  { w->p->icg, kernel, slots * bytes },
                  { w->slabs, flip ? -slab : slab, w->channels * w->lanes * slots * bytes } },
        .leaf = transform,
        .argument = k,
    };
    pack_loops(em, &loops, plain, packed);
}

void pack_code_winograd(struct em *em, const struct problem *p, const struct plan *plan,
                        LLVMValueRef plain, LLVMValueRef packed)
{
    struct winograd w;
    winograd_of(p, &plan->winograd, em->target, &w);
    struct packing k = { .w = &w, .element = w.bytes == 8 ? em->f64 : em->f32 };
    for (int y = 0; y < w.h.n; y++)
        winograd_weights_row(&w.h, y, k.gh[y]);
    for (int x = 0; x < w.w.n; x++)
        winograd_weights_row(&w.w, x, k.gw[x]);
    int64_t full = (int64_t)w.plan.vecs * w.lanes, last = w.panels - 1;
    int64_t last_block = (w.oc_blocks - 1) * w.block_panels;
    pack_panels(em, &k, 0, w.oc_blocks - 1, w.block_panels, full, plain, packed);
    pack_panels(em, &k, last_block, 1, last - last_block, full, plain, packed);
    pack_panels(em, &k, last, 1, 1, p->ocg - last * full, plain, packed);
}
