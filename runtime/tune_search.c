#include "runtime/tune_search.h"

#include "gen/base/hash.h"
#include "gen/base/number.h"
#include "runtime/tune_model.h"

#include <math.h>
#include <stdlib.h>

/* One of HALVING plans goes on to the next rung. The first looks go to the plans that the cost
 * model ranks first, and every so many to one that is drawn at random. */
enum { HALVING = 2, RANKED = 3, RANDOM_EVERY = 8 };

/* ---- how many -------------------------------------------------------------------------------- */

/* Plans that get to each rung. */
static void share_out(int64_t own, int64_t trials, int64_t quota[TUNE_RUNGS])
{
    quota[0] = own < trials ? own : trials;
    for (int r = 1; r < TUNE_RUNGS; r++)
        quota[r] = ceil_div(quota[r - 1], HALVING);
}

int64_t tune_planned(int64_t own, int64_t trials)
{
    int64_t quota[TUNE_RUNGS], all = 0;
    share_out(own, trials, quota);
    for (int r = 0; r < TUNE_RUNGS; r++)
        all += quota[r];
    return all;
}

int64_t tune_trials(int64_t own, int64_t measurements)
{
    int64_t low = 0, high = own < measurements ? own : measurements;
    while (low < high) {
        int64_t middle = high - (high - low) / 2;
        if (tune_planned(own, middle) <= measurements)
            low = middle;
        else
            high = middle - 1;
    }
    return low;
}

/* ---- who is best ----------------------------------------------------------------------------- */

size_t tune_incumbent(const struct tune_plan *plan, size_t count)
{
    size_t best = count, base = 0;
    for (size_t i = 0; i < count; i++) {
        const struct tune_plan *p = &plan[i];
        if (p->base)
            base = i;
        if (p->base || p->failed || p->rung < 0)
            continue;
        if (best == count || p->rung > plan[best].rung ||
            (p->rung == plan[best].rung && p->high < plan[best].high))
            best = i;
    }
    return best < count && plan[best].high < 1 ? best : base;
}

/* ---- first looks ----------------------------------------------------------------------------- */

static bool unseen(const struct tune_plan *p)
{
    return p->own && !p->base && p->rung < 0;
}

static size_t at_random(const struct tune_plan *plan, size_t count, uint64_t seed, int64_t looks)
{
    size_t left = 0;
    for (size_t i = 0; i < count; i++)
        left += unseen(&plan[i]);
    size_t skip = left ? hash64(&looks, sizeof looks, seed) % left : 0;
    for (size_t i = 0; i < count; i++) {
        if (unseen(&plan[i]) && !skip--)
            return i;
    }
    return count;
}

static size_t best_ranked(const struct tune_plan *plan, size_t count)
{
    size_t best = count;
    for (size_t i = count; i-- > 0;) {
        if (unseen(&plan[i]) && (best == count || !plan[best].first))
            best = i;
    }
    return best;
}

/* The plan of look number `looks` of `quota`, which are as many as there are `own`, or fewer. */
static size_t look(const struct tune_plan *plan, size_t count, int64_t looks, int64_t quota,
                   int64_t own, uint64_t seed)
{
    size_t next = count;
    if (looks % RANDOM_EVERY == RANDOM_EVERY - 1)
        return at_random(plan, count, seed, looks);
    if (looks >= RANKED && quota < own)
        next = tune_model_next(plan, count);
    return next < count ? next : best_ranked(plan, count);
}

/* ---- later rungs ----------------------------------------------------------------------------- */

/* Of those that have only been through the rung before, the one with the lowest median; `count`
 * where that is slower than the best so far beyond doubt. */
static size_t promoted(const struct tune_plan *plan, size_t count, int rung)
{
    size_t next = count, best = tune_incumbent(plan, count);
    double highest = plan[best].base ? 1 : plan[best].high;
    for (size_t i = 0; i < count; i++) {
        const struct tune_plan *p = &plan[i];
        if (p->own && !p->failed && !p->base && p->rung == rung - 1 && p->low <= highest &&
            (next == count || p->ratio < plan[next].ratio))
            next = i;
    }
    return next;
}

bool tune_next(const struct tune_plan *plan, size_t count, int64_t trials, uint64_t seed,
               struct tune_step *out)
{
    int64_t own = 0, quota[TUNE_RUNGS], seen[TUNE_RUNGS] = { 0 };
    for (size_t i = 0; i < count; i++) {
        if (!plan[i].own || plan[i].base)
            continue;
        own++;
        for (int r = 0; r <= plan[i].rung; r++)
            seen[r]++;
    }
    share_out(own, trials, quota);
    for (int r = 0; r < TUNE_RUNGS; r++) {
        if (seen[r] >= quota[r])
            continue;
        size_t next =
            r ? promoted(plan, count, r) : look(plan, count, seen[0], quota[0], own, seed);
        *out = (struct tune_step){ next, r };
        if (next < count)
            return true;
    }
    return false;
}

bool tune_deal(size_t i, int shard, int shards)
{
    size_t round = i / (size_t)shards, place = i % (size_t)shards;
    return (int)(round & 1 ? (size_t)shards - 1 - place : place) == shard;
}

/* ---- the statistic --------------------------------------------------------------------------- */

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The largest k for which fewer than k of n values lie below the median once in 40 times at most:
 * then the k-th from either end are the bounds. */
static int order_of_bounds(int n)
{
    double chance = pow(0.5, n), below = 0;
    int k = 0;
    while (k < n && (below += chance) <= 0.025) {
        chance *= (double)(n - k) / (k + 1);
        k++;
    }
    return k;
}

void tune_median(double *ratio, int count, double *median, double *low, double *high)
{
    int k = order_of_bounds(count);
    qsort(ratio, (size_t)count, sizeof *ratio, ascending);
    *median = (ratio[(count - 1) / 2] + ratio[count / 2]) / 2;
    *low = ratio[k ? k - 1 : 0];
    *high = ratio[k ? count - k : count - 1];
}
