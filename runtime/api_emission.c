#include "runtime/api_emission.h"

#include "gen/base/memory.h"
#include "gen/out/smallest.h"
#include "gen/plan/choose.h"
#include "runtime/api.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_MAX = 4096, PLAINEST = 64 };

/* ---- what is asked for ---------------------------------------------------------------------- */

enum convc_status emission_options(const struct convc_emit_options *opt,
                                   struct convc_emit_options *full, struct diag *d)
{
    if (api_read("convc_emit_options", opt, full, sizeof *full, d) != CONVC_OK)
        return d->status;
    if (full->optimize != CONVC_OPTIMIZE_SPEED && full->optimize != CONVC_OPTIMIZE_SIZE)
        return diag_fail(d, CONVC_ERR_ARGUMENT, "optimize=%d must be 0 or 1", (int)full->optimize);
    if (full->plan && full->plans)
        return diag_fail(d, CONVC_ERR_ARGUMENT, "plan and plans do not go together");
    return CONVC_OK;
}

static enum convc_status add_target(struct convc_emission *e, const char *text, struct diag *d)
{
    int n = e->targets;
    char whole[TARGET_FEATURES_MAX + 160];
    if (n == DISPATCH_TARGETS)
        return diag_fail(d, CONVC_ERR_ARGUMENT, "target lists more than %d CPUs", n);
    if (target_parse(text, &e->target[n], d) != CONVC_OK ||
        target_computes(&e->target[n], d) != CONVC_OK)
        return d->status;
    target_print(&e->target[n], whole, sizeof whole);
    snprintf(e->cpu[n], sizeof e->cpu[n], "%s", strchr(whole, ':') + 1);
    header_identifier("", e->cpu[n], e->tag[n]);
    for (int i = 0; i < n; i++) {
        if (strcmp(e->target[i].triple, e->target[n].triple) != 0)
            return diag_fail(d, CONVC_ERR_ARGUMENT,
                             "targets %s and %s are of two kinds: a library is for one",
                             e->target[i].triple, e->target[n].triple);
        if (!strcmp(e->tag[i], e->tag[n]))
            return diag_fail(d, CONVC_ERR_ARGUMENT, "target %s is listed twice", text);
    }
    e->targets++;
    return CONVC_OK;
}

/* The preferred first; and the plainest CPU of the architecture, for what picks among them. */
static enum convc_status order_targets(struct convc_emission *e, struct diag *d)
{
    char plainest[PLAINEST + 64];
    for (int n = 0; n < e->targets; n++) {
        int at = n;
        for (; at > 0 && probes_prefer(&e->target[n], &e->target[e->order[at - 1]]); at--)
            e->order[at] = e->order[at - 1];
        e->order[at] = n;
    }
    if (e->targets == 1)
        return CONVC_OK;
    for (int n = 0; n < e->targets; n++) {
        struct probes ignored;
        if (probes_of(&e->target[n], &ignored, d) != CONVC_OK)
            return d->status;
    }
    snprintf(plainest, sizeof plainest, "%s:%s", e->target[0].triple,
             probes_plainest(&e->target[0]));
    return target_parse(plainest, &e->plainest, d);
}

static enum convc_status read_targets(struct convc_emission *e, const char *text, struct diag *d)
{
    char list[TEXT_MAX], *next = list;
    text = text ? text : "native";
    if (strlen(text) >= sizeof list)
        return diag_fail(d, CONVC_ERR_ARGUMENT, "target has more than %d characters", TEXT_MAX - 1);
    strcpy(list, text);
    while (next) {
        const char *one = strsep(&next, ",");
        if (!one[0])
            return diag_fail(d, CONVC_ERR_ARGUMENT, "target=\"%s\" lists one without a name", text);
        if (add_target(e, one, d) != CONVC_OK)
            return d->status;
    }
    return order_targets(e, d);
}

/* ---- items ---------------------------------------------------------------------------------- */

void emission_symbols(const char *name, symbols symbol)
{
    for (int s = 0; s < ENTRY_SYMBOLS; s++)
        snprintf(symbol[s], ENTRY_NAME_MAX, "%s%s", name, entry_suffix[s]);
}

static enum convc_status find_plan(const struct convc_emission *e, const struct problem *p,
                                   const struct target *t, const char *forced, struct plan *plan,
                                   struct diag *d)
{
    const struct object_request small = {
        .problem = p, .target = t, .symbol = "k_kernel", .name = "k", .local = true, .small = true
    };
    if (!forced)
        return e->small ? smallest_plan(&small, plan, d) : choose_plan(p, t, plan, d);
    if (plan_parse(forced, plan, d) == CONVC_OK)
        plan_check(plan, p, t, d);
    return d->status;
}

static void name_variant(const struct convc_emission *e, struct item *m, int target)
{
    struct variant *v = &m->variant[target];
    if (e->targets == 1)
        snprintf(v->name, sizeof v->name, "%s", m->name);
    else
        snprintf(v->name, sizeof v->name, "%.100s__%.60s", m->name, e->tag[target]);
    emission_symbols(v->name, v->symbol);
}

/* A sentence about one of many problems says which one. */
static enum convc_status fail_of(const struct convc_problem *p, const struct diag *why,
                                 struct diag *d)
{
    return diag_fail(d, why->status, "%s: %s", p->name, why->text);
}

static enum convc_status name_item(const struct convc_emission *e, const struct convc_problem *p,
                                   const struct convc_emit_options *o, size_t i, struct diag *d)
{
    struct item *m = &e->item[i];
    struct diag why = { 0 };
    m->variant = &e->variant[i * (size_t)e->targets];
    if (!p->name[0])
        return diag_fail(d, CONVC_ERR_ARGUMENT, "a static kernel must have a name");
    if (problem_resolve(p, &m->problem, &why) != CONVC_OK)
        return fail_of(p, &why, d);
    header_identifier(o->prefix ? o->prefix : "", p->name, m->name);
    emission_symbols(m->name, m->symbol);
    for (int t = 0; t < e->targets; t++)
        name_variant(e, m, t);
    return CONVC_OK;
}

static enum convc_status plan_item(const struct convc_emission *e,
                                   const struct convc_emit_options *o, size_t i, struct diag *d)
{
    struct item *m = &e->item[i];
    struct diag why = { 0 };
    for (int t = 0; t < e->targets; t++) {
        struct variant *v = &m->variant[t];
        const char *own = o->plans ? o->plans[i * (size_t)e->targets + (size_t)t] : o->plan;
        if (find_plan(e, &m->problem, &e->target[t], own, &v->plan, &why) != CONVC_OK)
            return fail_of(&m->problem.p, &why, d);
        plan_print(&v->plan, v->plan_text);
    }
    return CONVC_OK;
}

/* ---- clashes -------------------------------------------------------------------------------- */

struct owned {
    const char *symbol, *owner; /* the owner's name as the caller wrote it */
};

static int by_symbol(const void *a, const void *b)
{
    return strcmp(((const struct owned *)a)->symbol, ((const struct owned *)b)->symbol);
}

/* Names that the header and the selector have beside those of kernels. */
enum { OWN_NAMES = 3 + DISPATCH_TARGETS };
typedef char own_names[OWN_NAMES][2 * ENTRY_NAME_MAX];

static size_t list_own(const struct convc_emission *e, own_names own)
{
    size_t n = 0;
    snprintf(own[n++], sizeof *own, "CONVC_STATIC_%s_H", e->library);
    for (int t = 0; e->targets > 1 && t < e->targets; t++)
        snprintf(own[n++], sizeof *own, "%s_TARGET_%.160s", e->library, e->tag[t]);
    if (e->targets > 1) {
        snprintf(own[n++], sizeof *own, "%s_target", e->library);
        snprintf(own[n++], sizeof *own, "%s_use", e->library);
    }
    return n;
}

/* All names that one link or one program will see, of a kernel or of the library. */
static size_t list_symbols(const struct convc_emission *e, struct owned *all, own_names own)
{
    size_t n = 0;
    for (size_t i = 0; i < e->count; i++) {
        const struct item *m = &e->item[i];
        for (int s = 0; s < ENTRY_KERNEL; s++)
            all[n++] = (struct owned){ m->symbol[s], m->problem.p.name };
        for (int t = 0; e->targets > 1 && t < e->targets; t++)
            for (int s = 0; s < ENTRY_KERNEL; s++)
                all[n++] = (struct owned){ m->variant[t].symbol[s], m->problem.p.name };
    }
    for (size_t i = 0, owns = list_own(e, own); i < owns; i++)
        all[n++] = (struct owned){ own[i], e->library };
    return n;
}

/* The kernel that has a constant of this name in the header, or NULL. */
static const char *constant_owner(const struct convc_emission *e, const char *symbol)
{
    for (size_t i = 0; i < e->count; i++) {
        size_t length = strlen(e->item[i].symbol[0]);
        if (!strncmp(symbol, e->item[i].symbol[0], length) && symbol[length] == '_' &&
            header_constant(symbol + length + 1))
            return e->item[i].problem.p.name;
    }
    return NULL;
}

/* Could this be the name of one? They are in capitals behind the kernel's. */
static bool like_constant(const char *symbol)
{
    const char *end = strrchr(symbol, '_');
    return end && end[1] >= 'A' && end[1] <= 'Z';
}

static enum convc_status find_clash(const struct convc_emission *e, struct diag *d)
{
    own_names own;
    size_t most = e->count * ENTRY_SYMBOLS * (size_t)(e->targets + 1) + OWN_NAMES;
    struct owned *all = memory_take(most * sizeof *all);
    if (!all)
        return diag_memory(d);
    size_t n = list_symbols(e, all, own);
    qsort(all, n, sizeof *all, by_symbol);
    for (size_t i = 1; i < n && d->status == CONVC_OK; i++) {
        if (!strcmp(all[i].symbol, all[i - 1].symbol))
            diag_fail(d, CONVC_ERR_ARGUMENT, "the names \"%s\" and \"%s\" clash: both make %s",
                      all[i - 1].owner, all[i].owner, all[i].symbol);
    }
    for (size_t i = 0; i < n && d->status == CONVC_OK; i++) {
        const char *owner = like_constant(all[i].symbol) ? constant_owner(e, all[i].symbol) : NULL;
        if (owner)
            diag_fail(d, CONVC_ERR_ARGUMENT, "the names \"%s\" and \"%s\" clash: both make %s",
                      owner, all[i].owner, all[i].symbol);
    }
    memory_free(all);
    return d->status;
}

/* ---- the whole ------------------------------------------------------------------------------ */

int emission_objects(const struct convc_emission *e)
{
    return e->targets == 1 ? 1 : e->targets + 1;
}

static enum convc_status make_room(struct convc_emission *e, struct diag *d)
{
    size_t objects = e->count * (size_t)emission_objects(e) + 1;
    e->item = memory_zeroed(e->count, sizeof *e->item);
    e->variant = memory_zeroed(e->count * (size_t)e->targets, sizeof *e->variant);
    e->made = memory_zeroed(objects, sizeof *e->made);
    if (!e->item || !e->variant || !e->made)
        return diag_memory(d);
    for (; e->made_count < objects && d->status == CONVC_OK; e->made_count++)
        guard_init(&e->made[e->made_count].guard, NULL, d);
    if (d->status != CONVC_OK)
        e->made_count--;
    return d->status;
}

enum convc_status emission_open(const struct convc_problem *problems, size_t count,
                                const struct convc_emit_options *opt, struct convc_emission *e,
                                struct diag *d)
{
    struct convc_emit_options o;
    if (emission_options(opt, &o, d) != CONVC_OK || read_targets(e, o.target, d) != CONVC_OK)
        return d->status;
    e->count = count;
    e->hidden = o.hidden;
    e->small = o.optimize == CONVC_OPTIMIZE_SIZE;
    header_identifier(o.prefix ? o.prefix : "", o.library ? o.library : "kernels", e->library);
    if (make_room(e, d) != CONVC_OK)
        return d->status;
    for (size_t i = 0; i < count && d->status == CONVC_OK; i++)
        name_item(e, &problems[i], &o, i, d);
    if (d->status == CONVC_OK)
        find_clash(e, d);
    for (size_t i = 0; i < count && d->status == CONVC_OK; i++)
        plan_item(e, &o, i, d);
    return d->status;
}

void emission_close(struct convc_emission *e)
{
    for (size_t i = 0; i < e->made_count; i++) {
        guard_destroy(&e->made[i].guard);
        object_free(&e->made[i].object);
    }
    memory_free(e->made);
    memory_free(e->item);
    memory_free(e->variant);
}
