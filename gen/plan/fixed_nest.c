#include "gen/plan/fixed_nest.h"

#include "gen/base/memory.h"
#include "gen/base/number.h"
#include "gen/plan/picture.h"

#include <string.h>

/* ---- blocks --------------------------------------------------------------------------------- */

/* The element of a row of the source at `element`, which may be outside; -1: padding. */
static int64_t bordered(const struct fixed_nest *n, int64_t element)
{
    int64_t channel = element % n->unit < 0 ? element % n->unit + n->unit : element % n->unit;
    int64_t col = (element - channel) / n->unit;
    int64_t at = problem_border(n->p->p.padding_mode, col, n->p->p.in[CONVC_W]);
    return at < 0 ? -1 : at * n->unit + channel;
}

bool fixed_nest_edge(const struct fixed_nest *n, int64_t from, int64_t k, struct fixed_edge *e)
{
    int64_t lane[2 * FIXED_LANES], least = n->from_row, most = 0;
    int64_t far = from + 2 * k - n->p->p.pad_begin[CONVC_W] * n->unit;
    *e = (struct fixed_edge){ .padding = false };
    for (int64_t l = 0; l < n->block; l++) {
        lane[l] = bordered(n, far + l);
        e->padding = e->padding || lane[l] < 0;
        least = lane[l] >= 0 && lane[l] < least ? lane[l] : least;
        most = lane[l] > most ? lane[l] : most;
    }
    int64_t last = n->from_row - n->block, behind = most - n->block + 1;
    e->load[0] = least < last ? least : last;
    e->load[1] = behind > 0 ? behind : 0;
    e->both = most - e->load[0] >= n->block;
    for (int64_t l = 0; l < n->block; l++) {
        int64_t first = lane[l] - e->load[0], second = lane[l] - e->load[1];
        if (lane[l] < 0)
            e->pick[l] = (int)n->block;
        else if (first < n->block)
            e->pick[l] = (int)first;
        else if (second >= 0)
            e->pick[l] = (int)(second + n->block);
        else
            return false;
    }
    return !(e->padding && e->both);
}

static bool inside(const struct fixed_nest *n, int64_t from)
{
    int64_t begin = from - n->p->p.pad_begin[CONVC_W] * n->unit;
    return begin >= 0 && begin + 2 * (n->pairs - 1) + n->block <= n->from_row &&
           from + n->block <= n->to_row;
}

static bool add_edge(struct fixed_nest *n, int64_t from)
{
    struct fixed_edge e;
    bool good = n->edges < FIXED_EDGES;
    for (int64_t k = 0; good && k < n->pairs; k++)
        good = fixed_nest_edge(n, from, k, &e);
    if (good)
        n->edge[n->edges++] = from;
    return good;
}

/* False where too many blocks are not inside. */
static bool find_blocks(struct fixed_nest *n)
{
    int64_t whole = n->to_row / n->block;
    bool good = true;
    while (n->begin < whole && good && !inside(n, n->begin * n->block))
        good = add_edge(n, n->begin++ * n->block);
    n->end = whole;
    while (n->end > n->begin && good && !inside(n, (n->end - 1) * n->block))
        good = add_edge(n, --n->end * n->block);
    return good && (n->to_row % n->block == 0 || add_edge(n, n->to_row - n->block));
}

/* ---- rows ----------------------------------------------------------------------------------- */

/* Rows that are passed on take registers. */
static bool find_rows(struct fixed_nest *n)
{
    int64_t all = 0;
    for (int f = 0; f < n->f.forms; f++) {
        n->first[f] = INT64_MAX;
        for (int i = 0; i < n->f.sum.parts; i++) {
            const struct fixed_part *part = &n->f.sum.part[i];
            for (int r = 0; n->f.of[i] == f && r < part->count; r++) {
                n->first[f] = part->at[r] < n->first[f] ? part->at[r] : n->first[f];
                n->last[f] = part->at[r] > n->last[f] ? part->at[r] : n->last[f];
            }
        }
        int64_t passed = n->last[f] - n->first[f];
        n->passed = passed > n->passed ? passed : n->passed;
        all += passed;
    }
    return 2 * all <= FIXED_PASSED;
}

/* ---- the whole ------------------------------------------------------------------------------ */

/* As wide as the target's vectors, where rows are. */
static int lanes_of(const struct fixed_nest *n, const struct target *t)
{
    int64_t row = n->from_row < n->to_row ? n->from_row : n->to_row;
    int lanes = target_lanes(t, 2);
    lanes = lanes < FIXED_LANES ? lanes : FIXED_LANES;
    while (lanes > 8 && 2 * lanes > row)
        lanes /= 2;
    return 2 * lanes <= row ? lanes : 0;
}

static const char *fill(struct fixed_nest *n, const struct problem *p,
                        const struct plan_fixed *plan, const struct target *t)
{
    const char *why = fixed_unfit(p, plan->bits, &n->f);
    const struct target known = target_of_known_length(t);
    n->p = p;
    n->plan = *plan;
    n->unit = picture_unit(p);
    if (why)
        return why;
    if (!n->unit)
        return "needs the pixels of a row side by side, or all channels of a pixel treated alike";
    n->channels = picture_channels(p);
    n->strips = ceil_div(p->out[CONVC_H], plan->strip);
    n->from_row = p->p.in[CONVC_W] * n->unit;
    n->to_row = p->out[CONVC_W] * n->unit;
    n->lanes = lanes_of(n, &known);
    n->block = 2 * n->lanes;
    int64_t reach = (p->p.kernel[CONVC_W] - 1) * p->p.dilation[CONVC_W] * n->unit;
    n->pairs = (reach + 1) / 2 + 1;
    if (n->lanes < 8)
        return "needs rows of 16 bytes or more, and vectors as long";
    if (!find_rows(n))
        return "would pass on more rows than there are registers for";
    return n->pairs <= FIXED_PAIRS && find_blocks(n) ? NULL : "has too wide a border";
}

enum convc_status fixed_nest_check(const struct problem *p, const struct plan_fixed *plan,
                                   const struct target *t, struct diag *d)
{
    if (plan->bits != 8 && plan->bits != 16)
        return diag_fail(d, CONVC_ERR_PLAN, "weights=%d is neither 8 nor 16", plan->bits);
    if (plan->strip < 1)
        return diag_fail(d, CONVC_ERR_PLAN, "strip=%lld must be at least 1",
                         (long long)plan->strip);
    struct fixed_nest *n = memory_zeroed(1, sizeof *n);
    if (!n)
        return diag_memory(d);
    const char *why = fill(n, p, plan, t);
    memory_free(n);
    return why ? diag_fail(d, CONVC_ERR_PLAN, "fixed %s", why) : CONVC_OK;
}

struct fixed_nest *fixed_nest_of(const struct problem *p, const struct plan_fixed *plan,
                                 const struct target *t)
{
    struct fixed_nest *n = memory_zeroed(1, sizeof *n);
    if (n && !fill(n, p, plan, t))
        return n;
    memory_free(n);
    return NULL;
}
