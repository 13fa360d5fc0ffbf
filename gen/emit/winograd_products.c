/* The products: for each point and panel of output channels, a small matrix product of all tiles of
 * the block, in register tiles. The weights are one stream; the register tiles of a panel ask for
 * the next panel's, each for its share. */
#include "gen/base/number.h"
#include "gen/emit/winograd_stage.h"

/* One register tile. */
struct product {
    const struct winograd_stage *s;
    int rows, vecs;
    LLVMValueRef u, v, m;
    LLVMValueRef ahead; /* this tile's share of the next panel */
    struct em_var acc[TILE_ACCUMULATORS];
};

/* k-steps written down in one block: LLVM spills past some of them, sooner where three vectors of
 * weights are held. */
static int unrolled(const struct winograd *w, int rows, int vecs)
{
    int most = vecs <= 2 ? 4 : rows * vecs <= 24 ? 2 : 1;
    return w->lanes < most ? w->lanes : most;
}

static void step(struct product *t, LLVMValueRef u, LLVMValueRef v, int k)
{
    const struct winograd *w = t->s->w;
    struct em *em = t->s->em;
    LLVMValueRef wei[TILE_VECS];
    for (int i = 0; i < t->vecs; i++)
        wei[i] = em_load(em, t->s->vector, em_at_const(em, u, (k * t->vecs + i) * w->vector_bytes),
                         (unsigned)w->vector_bytes);
    for (int r = 0; r < t->rows; r++) {
        LLVMValueRef p = em_at_const(em, v, r * w->vector_bytes + k * w->bytes);
        LLVMValueRef x = em_load(em, t->s->element, p, (unsigned)w->bytes);
        LLVMValueRef src = em_splat(em, x, w->lanes);
        for (int i = 0; i < t->vecs; i++) {
            struct em_var acc = t->acc[r * t->vecs + i];
            em_set(em, acc, em_fma(em, src, wei[i], em_get(em, acc)));
        }
    }
}

/* Bytes of the next panel that one register tile asks for with `steps` steps. */
static int64_t share(const struct winograd *w, int64_t steps)
{
    int64_t bytes = steps * w->plan.vecs * w->vector_bytes;
    return ceil_div(bytes / 64, w->row_panels) * 64;
}

/* Asks for the lines of the next panel that are due with `steps` steps: a few at a time, for a core
 * keeps track of few at once, and as far as L2, for a panel may be more than L1 holds. */
static void ask(const struct product *t, LLVMValueRef ahead, int steps)
{
    const struct winograd *w = t->s->w;
    for (int64_t i = 0; w->plan.prefetch == PREFETCH_WEIGHTS && i < share(w, steps); i += 64)
        em_prefetch(t->s->em, em_at_const(t->s->em, ahead, i), EM_L2);
}

static void emit_product(struct product *t)
{
    const struct winograd *w = t->s->w;
    struct em *em = t->s->em;
    int u = unrolled(w, t->rows, t->vecs), count = t->rows * t->vecs;
    struct em_var wei = em_var(em, em->ptr, "u"), src = em_var(em, em->ptr, "v");
    struct em_var ahead = em_var(em, em->ptr, "ahead");
    for (int i = 0; i < count; i++) {
        t->acc[i] = em_var(em, t->s->vector, "acc");
        em_set(em, t->acc[i], LLVMConstNull(t->s->vector));
    }
    em_set(em, wei, t->u);
    em_set(em, src, t->v);
    em_set(em, ahead, t->ahead);
    EM_FOR (em, c, em_int(em, 0), em_int(em, w->k / w->lanes)) {
        EM_FOR (em, k, em_int(em, 0), em_int(em, w->lanes / u)) {
            LLVMValueRef from = em_get(em, src), weights = em_get(em, wei);
            LLVMValueRef next = em_get(em, ahead);
            ask(t, next, u);
            for (int i = 0; i < u; i++)
                step(t, weights, from, i);
            em_set(em, src, em_opaque(em, em_at_const(em, from, u * w->bytes)));
            em_set(em, wei, em_opaque(em, em_at_const(em, weights, u * t->vecs * w->vector_bytes)));
            em_set(em, ahead, em_opaque(em, em_at_const(em, next, share(w, u))));
        }
        em_set(em, src,
               em_opaque(em, em_at_const(em, em_get(em, src), (t->rows - 1) * w->vector_bytes)));
    }
    for (int i = 0; i < count; i++) {
        int64_t slot = (int64_t)(i / t->vecs) * w->plan.vecs + i % t->vecs;
        em_store(em, em_get(em, t->acc[i]), em_at_const(em, t->m, slot * w->vector_bytes),
                 (unsigned)w->vector_bytes);
    }
}

/* The register tiles of one point and panel: u, v and m are those of the panel's first row. */
struct panel {
    LLVMValueRef u, v, m, ahead;
};

static void emit_rows(const struct winograd_stage *s, const struct panel *p, LLVMValueRef begin,
                      LLVMValueRef end, int rows, int vecs)
{
    const struct winograd *w = s->w;
    struct em *em = s->em;
    int u = unrolled(w, rows, vecs);
    int64_t part = share(w, u) * (w->k / u);
    EM_FOR (em, panel, begin, end) {
        LLVMValueRef first = em_mul(em, panel, rows);
        if (rows != w->wide)
            first = em_add(em, first, s->wide_panels);
        first = em_opaque(em, first);
        LLVMValueRef v = em_at(em, p->v, em_mul(em, first, w->k * w->bytes));
        LLVMValueRef m = em_at(em, p->m, em_mul(em, first, w->plan.vecs * w->vector_bytes));
        LLVMValueRef ahead = em_at(em, p->ahead, em_mul(em, panel, part));
        struct product t = { .s = s,
                             .rows = rows,
                             .vecs = vecs,
                             .u = p->u,
                             .v = em_opaque(em, v),
                             .m = em_opaque(em, m),
                             .ahead = em_opaque(em, ahead) };
        emit_product(&t);
    }
}

/* Is there a block with narrow panels? */
static bool has_narrow(const struct winograd *w)
{
    return w->narrow > 0 && w->blocks.narrow < w->row_panels * w->wide;
}

static void emit_panel(const struct winograd_stage *s, LLVMValueRef point, LLVMValueRef panel,
                       LLVMValueRef weights, int vecs)
{
    const struct winograd *w = s->w;
    struct em *em = s->em;
    int64_t full = w->plan.vecs * w->lanes * w->k * w->bytes;
    struct panel p;
    p.u = em_opaque(em, em_at(em, weights, em_mul(em, panel, full)));
    p.v = em_at(em, winograd_scratch(s, w->v_at), em_mul(em, point, w->v_stride));
    p.v = em_opaque(em, p.v);
    LLVMValueRef m = em_mul(em, panel, w->blocks.wide * w->plan.vecs * w->vector_bytes);
    m = em_add(em, m, em_mul(em, point, w->m_stride));
    p.m = em_opaque(em, em_at(em, winograd_scratch(s, w->m_at), m));
    p.ahead = em_opaque(em, em_at_const(em, p.u, vecs * w->lanes * w->k * w->bytes));
    emit_rows(s, &p, em_int(em, 0), s->wide_panels, w->wide, vecs);
    if (has_narrow(w))
        emit_rows(s, &p, s->wide_panels, em_int(em, w->row_panels), w->narrow, vecs);
}

void winograd_products(const struct winograd_stage *s)
{
    const struct winograd *w = s->w;
    struct em *em = s->em;
    int64_t last_panels = w->panels - (w->oc_blocks - 1) * w->block_panels;
    bool odd = w->last_vecs != w->plan.vecs;
    LLVMValueRef full = em_int(em, w->block_panels), stride;
    LLVMValueRef last_full = em_int(em, last_panels - (odd ? 1 : 0));
    stride = em_int(em, winograd_block_elements(w, 0) * w->bytes);
    LLVMValueRef last_stride = em_int(em, winograd_block_elements(w, w->oc_blocks - 1) * w->bytes);
    full = LLVMBuildSelect(em->builder, s->last, last_full, full, "");
    stride = LLVMBuildSelect(em->builder, s->last, last_stride, stride, "");
    EM_FOR (em, point, em_int(em, 0), em_int(em, w->points)) {
        LLVMValueRef weights = em_at(em, s->wei, LLVMBuildMul(em->builder, point, stride, ""));
        weights = em_opaque(em, weights);
        EM_FOR (em, panel, em_int(em, 0), full) {
            emit_panel(s, point, panel, weights, w->plan.vecs);
        }
        if (odd) {
            EM_IF (em, s->last) {
                emit_panel(s, point, last_full, weights, w->last_vecs);
            }
        }
    }
}
