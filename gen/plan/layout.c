#include "gen/plan/layout.h"

#include "gen/base/hash.h"
#include "gen/base/number.h"

static int64_t taps(const struct layout *l)
{
    return l->kernel[0] * l->kernel[1] * l->kernel[2];
}

static void common(const struct problem *p, struct layout *l)
{
    *l = (struct layout){ .oc = p->p.oc, .icg = p->icg, .ocg = p->ocg, .groups = p->p.groups };
    for (int a = 0; a < 3; a++)
        l->kernel[a] = p->p.kernel[a];
    l->flip = p->p.flip;
}

void layout_plain(const struct problem *p, struct layout *l)
{
    common(p, l);
    l->plain = true;
}

int layout_lanes(const struct problem *p, const struct plan_direct *plan, const struct target *t)
{
    return target_lanes(t, dtype_bytes(p->p.acc_dtype)) / (plan->half ? 2 : 1);
}

void layout_direct(const struct problem *p, const struct plan_direct *plan, const struct target *t,
                   struct layout *l)
{
    common(p, l);
    int lanes = layout_lanes(p, plan, t);
    l->unit = plan->lanes == LANES_OW ? 1 : lanes;
    l->block = plan->lanes == LANES_OW ? plan->cols : (int64_t)plan->vecs * lanes;
    l->group_block = 1;
    if (plan->lanes == LANES_IC || plan->rest)
        l->dots = plan->lanes == LANES_IC ? p->ocg : p->ocg % lanes;
    if (plan->lanes == LANES_GROUPS) {
        l->lanes = lanes;
        l->vector_groups = layout_vector_groups(p, lanes);
        l->group_block = plan->vecs * l->vector_groups;
    }
}

int64_t layout_vector_groups(const struct problem *p, int lanes)
{
    int64_t groups = lanes / p->ocg;
    if (p->p.src_stride[CONVC_STRIDE_C] == 1 && lanes / p->icg < groups)
        groups = lanes / p->icg;
    if (p->p.groups < groups)
        groups = p->p.groups;
    return p->p.groups > 1 ? groups : 0;
}

uint64_t layout_hash(const struct layout *l)
{
    int64_t field[16] = { l->plain,     l->flip,          l->oc,        l->icg,
                          l->ocg,       l->groups,        l->kernel[0], l->kernel[1],
                          l->kernel[2], l->block,         l->unit,      l->group_block,
                          l->lanes,     l->vector_groups, l->dots,      l->transformed };
    return hash64(field, sizeof field, 0);
}

/* Blocks within one group, or over all groups where a block holds several. */
static int64_t blocks_in(const struct layout *l)
{
    return l->vector_groups ? ceil_div(l->groups, l->group_block)
                            : ceil_div(l->ocg - l->dots, l->block);
}

/* Slots of the last of these blocks. */
static int64_t last_width(const struct layout *l)
{
    if (l->vector_groups) {
        int64_t groups = l->groups - (blocks_in(l) - 1) * l->group_block;
        return ceil_div(groups, l->vector_groups) * l->lanes;
    }
    int64_t channels = l->ocg - l->dots - (blocks_in(l) - 1) * l->block;
    return ceil_div(channels, l->unit) * l->unit;
}

int64_t layout_blocks(const struct layout *l)
{
    return l->vector_groups ? blocks_in(l) : blocks_in(l) * l->groups;
}

int64_t layout_width(const struct layout *l, int64_t b)
{
    return b % blocks_in(l) == blocks_in(l) - 1 ? last_width(l) : l->block;
}

int64_t layout_group_elements(const struct layout *l)
{
    if (!blocks_in(l))
        return 0;
    return ((blocks_in(l) - 1) * l->block + last_width(l)) * l->icg * taps(l);
}

int64_t layout_block_elements(const struct layout *l)
{
    return l->block * l->icg * taps(l);
}

int64_t layout_block_offset(const struct layout *l, int64_t b)
{
    int64_t n = blocks_in(l);
    return b / n * layout_group_elements(l) + b % n * layout_block_elements(l);
}

int64_t layout_dots_offset(const struct layout *l)
{
    return layout_group_elements(l) * (l->vector_groups ? 1 : l->groups);
}

int64_t layout_elements(const struct layout *l)
{
    if (l->plain)
        return l->oc * l->icg * taps(l);
    return layout_dots_offset(l) + l->groups * l->dots * l->icg * taps(l);
}

/* Block of a channel, and its slot there. */
static int64_t block_of(const struct layout *l, int64_t o, int64_t *slot)
{
    int64_t group = o / l->ocg, within = o % l->ocg;
    if (l->vector_groups) {
        int64_t in_block = group % l->group_block;
        *slot =
            in_block / l->vector_groups * l->lanes + in_block % l->vector_groups * l->ocg + within;
        return group / l->group_block;
    }
    *slot = within % l->block;
    return group * blocks_in(l) + within / l->block;
}

int64_t layout_index(const struct layout *l, int64_t o, int64_t i, const int64_t tap[3])
{
    int64_t at[3];
    for (int a = 0; a < 3; a++)
        at[a] = l->flip && !l->plain ? l->kernel[a] - 1 - tap[a] : tap[a];
    int64_t flat = (at[0] * l->kernel[1] + at[1]) * l->kernel[2] + at[2];
    if (l->plain)
        return (o * l->icg + i) * taps(l) + flat;
    int64_t dot = o % l->ocg - (l->ocg - l->dots);
    if (dot >= 0)
        return layout_dots_offset(l) + ((o / l->ocg * l->dots + dot) * taps(l) + flat) * l->icg + i;
    int64_t slot, b = block_of(l, o, &slot);
    return layout_block_offset(l, b) + (flat * l->icg + i) * layout_width(l, b) + slot;
}

/* ---- pieces --------------------------------------------------------------------------------- */

/* Appends the piece of these loops, unless it is empty. */
static int add_piece(const struct layout *l, struct layout_piece *list, int n, int64_t first,
                     const int64_t count[PIECE_LOOPS], const int64_t channels[PIECE_LOOPS])
{
    static const int64_t origin[3] = { 0 };
    struct layout_piece *piece = &list[n];
    for (int k = 0; k < PIECE_LOOPS; k++) {
        if (count[k] <= 0)
            return n;
    }
    struct layout forward = *l;
    forward.flip = false;
    *piece = (struct layout_piece){ .first = first };
    piece->element = layout_index(&forward, first, 0, origin);
    for (int k = 0; k < PIECE_LOOPS; k++) {
        piece->loop[k].count = count[k];
        piece->loop[k].channels = channels[k];
        if (count[k] > 1)
            piece->loop[k].elements =
                layout_index(&forward, first + channels[k], 0, origin) - piece->element;
    }
    int64_t slot;
    bool dot = first % l->ocg >= l->ocg - l->dots;
    piece->width = dot ? 1 : layout_width(l, block_of(l, first, &slot));
    return n + 1;
}

int layout_pieces(const struct layout *l, struct layout_piece list[PIECES_MAX])
{
    int64_t blocks = blocks_in(l);
    if (l->vector_groups) {
        int64_t vectors = l->group_block / l->vector_groups, last = (blocks - 1) * l->group_block;
        int64_t full = (l->groups - last) / l->vector_groups;
        int64_t rest = last + full * l->vector_groups;
        const int64_t step[] = { l->group_block * l->ocg, l->vector_groups * l->ocg, l->ocg, 1 };
        int n = add_piece(l, list, 0, 0,
                          (int64_t[]){ blocks - 1, vectors, l->vector_groups, l->ocg }, step);
        n = add_piece(l, list, n, last * l->ocg, (int64_t[]){ 1, full, l->vector_groups, l->ocg },
                      step);
        return add_piece(l, list, n, rest * l->ocg, (int64_t[]){ 1, 1, l->groups - rest, l->ocg },
                         step);
    }
    int64_t dots = l->ocg - l->dots, last = (blocks - 1) * l->block;
    const int64_t step[] = { l->ocg, l->block, 1, 0 };
    int n = 0;
    if (blocks > 0) {
        n = add_piece(l, list, n, 0, (int64_t[]){ l->groups, blocks - 1, l->block, 1 }, step);
        n = add_piece(l, list, n, last, (int64_t[]){ l->groups, 1, dots - last, 1 }, step);
    }
    return add_piece(l, list, n, dots, (int64_t[]){ l->groups, 1, l->dots, 1 }, step);
}
