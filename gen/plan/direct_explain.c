/* A direct plan as the loop nest that it stands for, in the order of its loops. */
#include "gen/plan/nest.h"
#include "gen/plan/plan_direct.h"
#include "gen/plan/strip.h"

struct printer {
    struct text *text;
    int depth;
};

static void line(struct printer *pr, const char *what, int64_t turns, const char *note)
{
    if (turns == 1)
        return;
    text_add(pr->text, "%*sfor %s < %lld%s%s\n", 2 * pr->depth++, "", what, (long long)turns,
             *note ? "    # " : "", note);
}

static void row_loops(struct printer *pr, const struct nest *n)
{
    line(pr, "od", n->out[CONVC_D], "");
    line(pr, "row tile", n->row_tiles, "");
    line(pr, "chunk", n->chunks, "");
}

static void split_text(const struct split *s, struct text *t)
{
    int64_t narrow = s->tiles - s->wide_tiles;
    text_add(t, "%lld x %lld", (long long)s->wide_tiles, (long long)s->wide);
    if (narrow)
        text_add(t, " + %lld x %lld", (long long)narrow, (long long)s->narrow);
}

static void tile_line(struct printer *pr, const struct nest *n)
{
    const struct plan_direct *d = &n->plan;
    static const char *const lanes[] = { "output channels", "output channels of several groups",
                                         "output columns", "input channels" };
    static const char *const src[] = { "broadcast", "vector, permuted", "vector", "vector" };
    static const char *const wei[] = { "vector", "vector", "broadcast", "vector" };
    text_add(pr->text, "%*sregister tile %d x %d x %d vectors of %d %s; src %s, wei %s\n",
             2 * pr->depth, "", d->rows, d->cols, d->vecs, n->lanes, lanes[d->lanes], src[d->lanes],
             wei[d->lanes]);
}

void plan_direct_explain(const struct problem *p, const struct plan *plan, const struct target *t,
                         struct text *text)
{
    struct nest n;
    struct problem room;
    struct printer pr = { .text = text, .depth = 1 };
    nest_of(strip_problem(p, &plan->direct, t, &room), &plan->direct, t, &n);
    bool weights_first = plan->direct.order == ORDER_WEIGHTS;
    if (weights_first)
        line(&pr, "channel block", n.blocks, "its weights stay in cache");
    text_add(text, "%*sfor image < n\n", 2 * pr.depth++, "");
    row_loops(&pr, &n);
    if (plan->direct.strip)
        text_add(text, "%*sturn its inputs over into a strip of %lld KiB, channels last\n",
                 2 * pr.depth, "", (long long)strip_bytes(p, &plan->direct, t) / 1024);
    if (plan->direct.order == ORDER_ROWS)
        line(&pr, "channel block", n.blocks, "the rows stay in cache");
    text_add(text, "%*sfor column tile    # ", 2 * pr.depth++, "");
    split_text(&n.cols, text);
    text_add(text, "\n");
    if (plan->direct.order == ORDER_PIXELS)
        line(&pr, "channel block", n.blocks, "all of a pixel");
    line(&pr, "kd", p->p.kernel[CONVC_D], "");
    line(&pr, "kh", p->p.kernel[CONVC_H], "");
    line(&pr, "kw", p->p.kernel[CONVC_W], plan->direct.taps == TAPS_UNROLL ? "unrolled" : "");
    line(&pr, "ic", p->icg, "");
    tile_line(&pr, &n);
}
