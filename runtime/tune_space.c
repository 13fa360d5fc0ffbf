/* The plans of a problem, and what is known of them. */
#include "gen/base/hash.h"
#include "gen/out/object.h"
#include "gen/plan/space.h"
#include "runtime/machine.h"
#include "runtime/tune.h"

#include <string.h>

static const char *print_problem(struct tune_space *s, const struct problem *p, struct diag *d)
{
    struct text t = { 0 };
    tune_db_problem(p, &t);
    const char *text = t.failed || !t.data ? NULL : arena_strdup(&s->arena, t.data);
    text_free(&t);
    if (!text)
        diag_memory(d);
    return text;
}

static const char *print_plan(struct tune_space *s, const struct plan *plan)
{
    char text[PLAN_TEXT_MAX];
    plan_print(plan, text);
    return arena_strdup(&s->arena, text);
}

static enum convc_status list_plans(struct tune_space *s, const struct problem *p,
                                    const struct target *t, int shard, int shards, struct diag *d)
{
    struct candidates all;
    if (space_plans(&s->arena, p, t, &all, d) != CONVC_OK)
        return d->status;
    s->plan = arena_array(&s->arena, all.count, sizeof *s->plan);
    for (size_t i = 0; s->plan && i < all.count; i++) {
        s->plan[i] = (struct tune_plan){
            .text = print_plan(s, &all.list[i].plan),
            .predicted = all.list[i].cost.cycles / all.list[0].cost.cycles,
            .base = i == 0,
            .rung = -1,
            .own = i && tune_deal(i - 1, shard, shards),
        };
        s->own += s->plan[i].own;
    }
    s->count = all.count;
    return s->arena.failed ? diag_memory(d) : CONVC_OK;
}

/* This machine's caches, or what was calibrated, may make it choose another plan than the base. */
static enum convc_status mark_chosen(struct tune_space *s, const struct problem *p,
                                     const struct target *target, struct diag *d)
{
    struct plan chosen;
    char text[PLAN_TEXT_MAX];
    if (choose_plan(p, target, &chosen, d) != CONVC_OK)
        return d->status;
    plan_print(&chosen, text);
    for (size_t i = 0; i < s->count; i++)
        s->plan[i].first = !strcmp(s->plan[i].text, text);
    return CONVC_OK;
}

enum convc_status tune_space_create(const struct problem *p, const struct target *target, int shard,
                                    int shards, struct tune_space *s, struct diag *d)
{
    char name[TARGET_TEXT_MAX];
    struct target named;
    *s = (struct tune_space){ 0 };
    target_print(target, name, sizeof name);
    s->target = arena_strdup(&s->arena, name);
    s->problem = print_problem(s, p, d);
    if (!s->target || !s->problem)
        return diag_memory(d);
    s->seed = hash64(s->problem, strlen(s->problem), 0);
    if (target_parse(name, &named, d) != CONVC_OK ||
        list_plans(s, p, &named, shard, shards, d) != CONVC_OK)
        return d->status;
    return mark_chosen(s, p, target, d);
}

void tune_space_free(struct tune_space *s)
{
    arena_free(&s->arena);
}

/* ---- what the database knows ----------------------------------------------------------------- */

static struct tune_plan *find(struct tune_space *s, const char *plan)
{
    for (size_t i = 0; i < s->count; i++) {
        if (!strcmp(s->plan[i].text, plan))
            return &s->plan[i];
    }
    return NULL;
}

void tune_space_take(struct tune_space *s, const struct tune_row *row)
{
    struct tune_plan *p = find(s, row->plan);
    if (!p || strcmp(row->base, s->plan[s->base].text) || row->rung < 0 || row->rung >= TUNE_RUNGS)
        return;
    if (row->outcome != TUNE_MEASURED)
        p->failed = true;
    if (row->rung < p->rung)
        return;
    p->rung = row->rung;
    if (row->outcome == TUNE_MEASURED)
        p->ratio = row->ratio, p->low = row->low, p->high = row->high;
}

static int take_row(void *space, const struct tune_row *row)
{
    tune_space_take(space, row);
    return 0;
}

enum convc_status tune_space_read(struct tune_space *s, struct tune_db *db, struct diag *d)
{
    const struct tune_key key = { s->problem, s->target, tune_db_convc(), object_llvm_version() };
    return tune_db_rows(db, &key, take_row, s, d);
}

int64_t tune_measured(const struct tune_space *s)
{
    int64_t measured = 0;
    for (size_t i = 0; i < s->count; i++)
        measured += s->plan[i].own ? s->plan[i].rung + 1 : 0;
    return measured;
}
