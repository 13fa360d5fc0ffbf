/* Weights into the transformed domain: U = G w G^T for every pair of channels, in double. */
#include "gen/plan/plan_winograd.h"
#include "gen/plan/winograd.h"

#include <stdlib.h>
#include <string.h>

struct packing {
    const struct winograd *w;
    double gh[WINOGRAD_POINTS][WINOGRAD_KERNEL], gw[WINOGRAD_POINTS][WINOGRAD_KERNEL];
};

static double weight(const struct problem *p, const void *plain, int64_t o, int64_t i,
                     const int64_t tap[3])
{
    int64_t at = o * p->icg + i;
    for (int a = 0; a < 3; a++) {
        int64_t kernel = p->p.kernel[a];
        at = at * kernel + (p->p.flip ? kernel - 1 - tap[a] : tap[a]);
    }
    return dtype_bytes(p->p.wei_dtype) == 8 ? ((const double *)plain)[at]
                                            : (double)((const float *)plain)[at];
}

/* The transformed taps of one pair of channels and slab. */
static void transform(const struct packing *k, const void *plain, int64_t o, int64_t i,
                      int64_t slab, double u[WINOGRAD_POINTS][WINOGRAD_POINTS])
{
    const struct winograd *w = k->w;
    double half[WINOGRAD_POINTS][WINOGRAD_KERNEL] = { { 0 } };
    for (int a = 0; a < w->h.r; a++) {
        for (int b = 0; b < w->w.r; b++) {
            double g = weight(w->p, plain, o, i, (int64_t[]){ slab, a, b });
            for (int y = 0; y < w->h.n; y++)
                half[y][b] += k->gh[y][a] * g;
        }
    }
    for (int y = 0; y < w->h.n; y++) {
        for (int x = 0; x < w->w.n; x++) {
            u[y][x] = 0;
            for (int b = 0; b < w->w.r; b++)
                u[y][x] += half[y][b] * k->gw[x][b];
        }
    }
}

/* All points of one pair of channels; `to` is that of point 0. */
static void place(const struct winograd *w, double u[WINOGRAD_POINTS][WINOGRAD_POINTS],
                  int64_t stride, int64_t at, void *packed)
{
    for (int y = 0; y < w->h.n; y++) {
        for (int x = 0; x < w->w.n; x++, at += stride) {
            if (w->bytes == 8)
                ((double *)packed)[at] = u[y][x];
            else
                ((float *)packed)[at] = (float)u[y][x];
        }
    }
}

/* The slots of panel `panel` of a group. */
static void pack_panel(const struct packing *k, const void *plain, int64_t group, int64_t panel,
                       void *packed)
{
    const struct winograd *w = k->w;
    int64_t block = panel / w->block_panels, full = (int64_t)w->plan.vecs * w->lanes;
    int64_t slots = panel == w->panels - 1 ? (int64_t)w->last_vecs * w->lanes : full;
    int64_t stride = winograd_block_elements(w, block);
    int64_t base = (group * w->vectors * w->lanes + block * w->block_panels * full) * w->k;
    base = base * w->points + panel % w->block_panels * full * w->k;
    double u[WINOGRAD_POINTS][WINOGRAD_POINTS];
    for (int64_t row = 0; row < w->k; row++) {
        int64_t i = row % (w->channels * w->lanes), slab = row / (w->channels * w->lanes);
        for (int64_t slot = 0; slot < slots; slot++) {
            int64_t o = panel * full + slot;
            if (i < w->p->icg && o < w->p->ocg)
                transform(k, plain, group * w->p->ocg + o, i, slab, u);
            else
                memset(u, 0, sizeof u);
            place(w, u, stride, base + row * slots + slot, packed);
        }
    }
}

void plan_winograd_pack(const struct problem *p, const struct plan *plan, const struct target *t,
                        const void *plain, void *packed)
{
    struct winograd w;
    winograd_of(p, &plan->winograd, t, &w);
    struct packing k = { .w = &w };
    for (int y = 0; y < w.h.n; y++)
        winograd_weights_row(&w.h, y, k.gh[y]);
    for (int x = 0; x < w.w.n; x++)
        winograd_weights_row(&w.w, x, k.gw[x]);
    for (int64_t group = 0; group < p->p.groups; group++) {
        for (int64_t panel = 0; panel < w.panels; panel++)
            pack_panel(&k, plain, group, panel, packed);
    }
}
