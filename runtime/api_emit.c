/* api_emit: kernels ahead of time: objects, a header, a library.
 * Stands on: choose, layout, object, dispatch, archive, header.
 */
#include "gen/emit/dispatch.h"
#include "gen/emit/entries.h"
#include "gen/out/archive.h"
#include "gen/out/header.h"
#include "gen/out/object.h"
#include "gen/plan/choose.h"
#include "gen/plan/pack.h"
#include "runtime/api.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_MAX = 4096, PLAINEST = 64 };

typedef char symbols[ENTRY_SYMBOLS][ENTRY_NAME_MAX];

/* A kernel for one of the targets. With one target its name is that of the item. */
struct variant {
    struct plan plan;
    char plan_text[PLAN_TEXT_MAX];
    char name[ENTRY_NAME_MAX];
    symbols symbol;
};

struct item {
    struct problem problem;
    char name[HEADER_NAME_MAX];
    symbols symbol;
    struct variant *variant; /* of each target */
};

struct emission {
    struct convc_emit_options o;
    char library[HEADER_NAME_MAX];
    struct target target[DISPATCH_TARGETS], plainest;
    char cpu[DISPATCH_TARGETS][TARGET_FEATURES_MAX + 64]; /* "x86-64-v3+avxvnni" */
    char tag[DISPATCH_TARGETS][HEADER_NAME_MAX];          /* the same as an identifier */
    int order[DISPATCH_TARGETS];                          /* the preferred first */
    int targets;
    struct item *item;
    struct variant *variant; /* of all items */
    size_t count;
};

/* ---- what is asked for ---------------------------------------------------------------------- */

static enum convc_status copy_options(const struct convc_emit_options *opt, struct emission *e,
                                      struct diag *d)
{
    e->o = (struct convc_emit_options){ .struct_bytes = sizeof e->o };
    if (opt && opt->struct_bytes < sizeof opt->struct_bytes)
        return diag_fail(d, CONVC_ERR_ARGUMENT, "convc_emit_options.struct_bytes=%zu must be %zu",
                         opt->struct_bytes, sizeof *opt);
    if (opt)
        memcpy(&e->o, opt, opt->struct_bytes < sizeof e->o ? opt->struct_bytes : sizeof e->o);
    header_identifier(e->o.prefix ? e->o.prefix : "", e->o.library ? e->o.library : "kernels",
                      e->library);
    return CONVC_OK;
}

static enum convc_status add_target(struct emission *e, const char *text, struct diag *d)
{
    int n = e->targets;
    char whole[TARGET_FEATURES_MAX + 160];
    if (n == DISPATCH_TARGETS)
        return diag_fail(d, CONVC_ERR_ARGUMENT, "target lists more than %d CPUs", n);
    if (target_parse(text, &e->target[n], d) != CONVC_OK)
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
static enum convc_status order_targets(struct emission *e, struct diag *d)
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
    snprintf(plainest, sizeof plainest, "%s:x86-64", e->target[0].triple);
    return target_parse(plainest, &e->plainest, d);
}

static enum convc_status read_targets(struct emission *e, struct diag *d)
{
    char list[TEXT_MAX], *save = NULL;
    const char *text = e->o.target ? e->o.target : "native";
    if (strlen(text) >= sizeof list)
        return diag_fail(d, CONVC_ERR_ARGUMENT, "target has more than %d characters", TEXT_MAX - 1);
    strcpy(list, text);
    for (char *one = strtok_r(list, ",", &save); one; one = strtok_r(NULL, ",", &save)) {
        if (add_target(e, one, d) != CONVC_OK)
            return d->status;
    }
    if (!e->targets)
        return diag_fail(d, CONVC_ERR_ARGUMENT, "target=\"%s\" names none", text);
    return order_targets(e, d);
}

static enum convc_status check_form(const struct emission *e, struct diag *d)
{
    const struct convc_emit_options *o = &e->o;
    int most = e->targets == 1 ? 0 : e->targets + 1;
    if (o->form < CONVC_FORM_OBJECT || o->form > CONVC_FORM_LIBRARY)
        return diag_fail(d, CONVC_ERR_ARGUMENT, "form=%d must be 0 to %d", (int)o->form,
                         CONVC_FORM_LIBRARY);
    if (o->form < CONVC_FORM_HEADER && e->count != 1)
        return diag_fail(d, CONVC_ERR_ARGUMENT,
                         "%zu problems: objects, assembly, IR and bitcode are of one each",
                         e->count);
    if (o->form < CONVC_FORM_HEADER && (o->variant < 0 || o->variant > most))
        return diag_fail(d, CONVC_ERR_ARGUMENT, "variant=%d must be 0 to %d", (int)o->variant,
                         most);
    return CONVC_OK;
}

/* ---- items ---------------------------------------------------------------------------------- */

static void name_symbols(const char *name, symbols symbol)
{
    for (int s = 0; s < ENTRY_SYMBOLS; s++)
        snprintf(symbol[s], ENTRY_NAME_MAX, "%s%s", name, entry_suffix[s]);
}

static enum convc_status find_variant(const struct emission *e, struct item *m, int target,
                                      struct diag *d)
{
    struct variant *v = &m->variant[target];
    const struct target *t = &e->target[target];
    if (e->targets == 1)
        snprintf(v->name, sizeof v->name, "%s", m->name);
    else
        snprintf(v->name, sizeof v->name, "%.100s__%.60s", m->name, e->tag[target]);
    name_symbols(v->name, v->symbol);
    if (!e->o.plan)
        choose_plan(&m->problem, t, &v->plan, d);
    else if (plan_parse(e->o.plan, &v->plan, d) == CONVC_OK)
        plan_check(&v->plan, &m->problem, t, d);
    if (d->status == CONVC_OK)
        plan_print(&v->plan, v->plan_text);
    return d->status;
}

static enum convc_status find_item(const struct emission *e, const struct convc_problem *p,
                                   struct item *m, struct diag *d)
{
    if (!p->name[0])
        return diag_fail(d, CONVC_ERR_ARGUMENT, "a static kernel must have a name");
    header_identifier(e->o.prefix ? e->o.prefix : "", p->name, m->name);
    name_symbols(m->name, m->symbol);
    if (problem_resolve(p, &m->problem, d) != CONVC_OK)
        return d->status;
    for (int t = 0; t < e->targets; t++) {
        if (find_variant(e, m, t, d) != CONVC_OK)
            return d->status;
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

/* All symbols that one link will see, of a kernel or of the selector. */
static size_t list_symbols(const struct emission *e, struct owned *all, symbols *selector)
{
    size_t n = 0;
    for (size_t i = 0; i < e->count; i++) {
        const struct item *m = &e->item[i];
        for (int s = 0; s < ENTRY_SYMBOLS; s++)
            all[n++] = (struct owned){ m->symbol[s], m->problem.p.name };
        for (int t = 0; e->targets > 1 && t < e->targets; t++)
            for (int s = 0; s < ENTRY_SYMBOLS; s++)
                all[n++] = (struct owned){ m->variant[t].symbol[s], m->problem.p.name };
    }
    snprintf((*selector)[0], ENTRY_NAME_MAX, "%s_target", e->library);
    snprintf((*selector)[1], ENTRY_NAME_MAX, "%s_use", e->library);
    for (int s = 0; e->targets > 1 && s < 2; s++)
        all[n++] = (struct owned){ (*selector)[s], e->library };
    return n;
}

static enum convc_status find_clash(const struct emission *e, struct diag *d)
{
    symbols selector;
    size_t most = e->count * ENTRY_SYMBOLS * (size_t)(e->targets + 1) + 2;
    struct owned *all = malloc(most * sizeof *all);
    if (!all)
        return diag_memory(d);
    size_t n = list_symbols(e, all, &selector);
    qsort(all, n, sizeof *all, by_symbol);
    for (size_t i = 1; i < n && d->status == CONVC_OK; i++) {
        if (!strcmp(all[i].symbol, all[i - 1].symbol))
            diag_fail(d, CONVC_ERR_ARGUMENT, "the names \"%s\" and \"%s\" clash: both make %s",
                      all[i - 1].owner, all[i].owner, all[i].symbol);
    }
    free(all);
    return d->status;
}

/* ---- objects -------------------------------------------------------------------------------- */

static enum convc_status make_kernel(const struct emission *e, const struct item *m, int target,
                                     enum object_form form, struct object *out, struct diag *d)
{
    const struct variant *v = &m->variant[target];
    const struct object_request r = { .problem = &m->problem,
                                      .plan = &v->plan,
                                      .target = &e->target[target],
                                      .symbol = v->symbol[ENTRY_KERNEL],
                                      .name = v->name,
                                      .hidden = e->o.hidden || e->targets > 1,
                                      .form = form };
    return object_emit(&r, out, d);
}

static enum convc_status make_dispatch(const struct emission *e, const struct item *m,
                                       enum object_form form, struct object *out, struct diag *d)
{
    struct dispatch_kernel k = {
        .problem = &m->problem, .name = m->name, .variants = e->targets, .library = e->library
    };
    for (int t = 0; t < e->targets; t++)
        k.variant[t] = m->variant[t].name;
    return object_dispatch(
        &(struct object_dispatch){
            .kernel = &k, .target = &e->plainest, .form = form, .hidden = e->o.hidden },
        out, d);
}

static enum convc_status make_selector(const struct emission *e, enum object_form form,
                                       struct object *out, struct diag *d)
{
    struct probes probes[DISPATCH_TARGETS];
    for (int t = 0; t < e->targets; t++) {
        if (probes_of(&e->target[t], &probes[t], d) != CONVC_OK)
            return d->status;
    }
    const struct dispatch_selector s = { e->library, probes, e->order, e->targets };
    return object_dispatch(
        &(struct object_dispatch){
            .selector = &s, .target = &e->plainest, .form = form, .hidden = e->o.hidden },
        out, d);
}

/* Object `variant` of an item: a kernel, what picks among them, or what asks the CPU. */
static enum convc_status make_object(const struct emission *e, const struct item *m, int variant,
                                     enum object_form form, struct object *out, struct diag *d)
{
    if (variant < e->targets)
        return make_kernel(e, m, variant, form, out, d);
    return variant == e->targets ? make_dispatch(e, m, form, out, d)
                                 : make_selector(e, form, out, d);
}

/* ---- the library ---------------------------------------------------------------------------- */

/* A member on its way, which owns what archive_member points at. */
struct member {
    char file[ENTRY_NAME_MAX + TARGET_FEATURES_MAX + 80];
    struct object object;
    symbols symbol;
    const char *list[ENTRY_SYMBOLS];
    size_t symbols;
};

/* The symbols of an item's functions that there are, the kernel's own among them or not. */
static void list_entries(const struct item *m, const char *name, bool kernel, struct member *to)
{
    name_symbols(name, to->symbol);
    for (int s = 0; s < (kernel ? ENTRY_SYMBOLS : ENTRY_KERNEL); s++) {
        if (entry_exists(&m->problem, s))
            to->list[to->symbols++] = to->symbol[s];
    }
}

static void name_member(const struct emission *e, const struct item *m, int variant,
                        struct member *to)
{
    if (variant < e->targets) {
        list_entries(m, m->variant[variant].name, true, to);
        snprintf(to->file, sizeof to->file, e->targets == 1 ? "%s.o" : "%s.%s.o", m->name,
                 e->cpu[variant]);
    } else {
        list_entries(m, m->name, false, to);
        snprintf(to->file, sizeof to->file, "%s.o", m->name);
    }
}

static void name_selector(const struct emission *e, struct member *to)
{
    static const char *const suffix[] = { "_target", "_use" };
    for (int s = 0; s < 2; s++) {
        snprintf(to->symbol[s], ENTRY_NAME_MAX, "%s%s", e->library, suffix[s]);
        to->list[to->symbols++] = to->symbol[s];
    }
    snprintf(to->file, sizeof to->file, "%s_target.o", e->library);
}

static enum convc_status make_members(const struct emission *e, struct member *member,
                                      size_t *count, struct diag *d)
{
    int each = e->targets == 1 ? 1 : e->targets + 1;
    for (size_t i = 0; i < e->count; i++) {
        for (int v = 0; v < each; v++) {
            struct member *one = &member[*count];
            name_member(e, &e->item[i], v, one);
            if (make_object(e, &e->item[i], v, OBJECT_ELF, &one->object, d) != CONVC_OK)
                return d->status;
            ++*count;
        }
    }
    if (e->targets == 1)
        return CONVC_OK;
    name_selector(e, &member[*count]);
    return make_selector(e, OBJECT_ELF, &member[(*count)++].object, d);
}

static enum convc_status make_library(const struct emission *e, struct text *out, struct diag *d)
{
    size_t most = e->count * (size_t)(e->targets + 1) + 1, count = 0;
    struct member *member = calloc(most, sizeof *member);
    struct archive_member *list = calloc(most, sizeof *list);
    if (!member || !list)
        diag_memory(d);
    else
        make_members(e, member, &count, d);
    for (size_t i = 0; i < count; i++)
        list[i] =
            (struct archive_member){ member[i].file, member[i].object.bytes, member[i].object.count,
                                     member[i].list, member[i].symbols };
    if (d->status == CONVC_OK)
        archive_write(list, count, out, d);
    for (size_t i = 0; i < count; i++)
        object_free(&member[i].object);
    free(member);
    free(list);
    return d->status;
}

/* ---- the header ----------------------------------------------------------------------------- */

/* The largest over the targets. */
static void size_kernel(const struct emission *e, const struct item *m, struct header_kernel *k)
{
    for (int t = 0; t < e->targets; t++) {
        const struct plan *plan = &m->variant[t].plan;
        const struct target *target = &e->target[t];
        struct layout l;
        plan_layout(&m->problem, plan, target, &l);
        size_t packed = pack_header(&l, dtype_bytes(m->problem.p.wei_dtype)).bytes;
        size_t workspace = plan_workspace_bytes(&m->problem, plan, target);
        k->packed_bytes = packed > k->packed_bytes ? packed : k->packed_bytes;
        k->workspace_bytes = workspace > k->workspace_bytes ? workspace : k->workspace_bytes;
        k->phases = plan_phases(plan) > k->phases ? plan_phases(plan) : k->phases;
        k->plan[t] = m->variant[t].plan_text;
    }
}

static enum convc_status make_header(const struct emission *e, struct text *out, struct diag *d)
{
    char target[DISPATCH_TARGETS][TARGET_FEATURES_MAX + 160];
    struct header_kernel *k = calloc(e->count, sizeof *k);
    if (!k)
        return diag_memory(d);
    for (size_t i = 0; i < e->count; i++) {
        k[i].name = e->item[i].name;
        k[i].problem = &e->item[i].problem;
        size_kernel(e, &e->item[i], &k[i]);
    }
    struct header h = { .library = e->library, .targets = e->targets, .kernel = k };
    h.kernels = e->count;
    for (int t = 0; t < e->targets; t++) {
        target_print(&e->target[t], target[t], sizeof target[t]);
        h.target[t] = target[t];
        h.tag[t] = e->tag[t];
    }
    header_write(&h, out);
    free(k);
    return out->failed ? diag_memory(d) : CONVC_OK;
}

/* ---- the calls ------------------------------------------------------------------------------ */

static enum convc_status make(const struct emission *e, struct text *out, struct diag *d)
{
    static const enum object_form form[] = { [CONVC_FORM_OBJECT] = OBJECT_ELF,
                                             [CONVC_FORM_ASM] = OBJECT_ASM,
                                             [CONVC_FORM_IR] = OBJECT_IR,
                                             [CONVC_FORM_BITCODE] = OBJECT_BITCODE };
    struct object o = { 0 };
    if (e->o.form == CONVC_FORM_HEADER)
        return make_header(e, out, d);
    if (e->o.form == CONVC_FORM_LIBRARY)
        return make_library(e, out, d);
    if (make_object(e, e->item, e->o.variant, form[e->o.form], &o, d) == CONVC_OK)
        text_append(out, o.bytes, o.count);
    object_free(&o);
    return out->failed ? diag_memory(d) : d->status;
}

static enum convc_status emit(const struct convc_problem *problems, struct emission *e,
                              struct text *out, struct diag *d)
{
    e->item = calloc(e->count, sizeof *e->item);
    e->variant = calloc(e->count * (size_t)e->targets, sizeof *e->variant);
    if (!e->item || !e->variant)
        return diag_memory(d);
    for (size_t i = 0; i < e->count; i++) {
        e->item[i].variant = &e->variant[i * (size_t)e->targets];
        if (find_item(e, &problems[i], &e->item[i], d) != CONVC_OK)
            return d->status;
    }
    return find_clash(e, d) == CONVC_OK ? make(e, out, d) : d->status;
}

enum convc_status convc_emit(const struct convc_problem *problems, size_t count,
                             const struct convc_emit_options *opt, char **bytes, size_t *size)
{
    struct diag d = { 0 };
    struct text out = { 0 };
    struct emission e = { .count = count };
    if (!problems || !count || !bytes || !size)
        return api_fail_with(CONVC_ERR_ARGUMENT,
                             "convc_emit: problems, bytes and size must be given");
    if (copy_options(opt, &e, &d) == CONVC_OK && read_targets(&e, &d) == CONVC_OK &&
        check_form(&e, &d) == CONVC_OK)
        emit(problems, &e, &out, &d);
    free(e.item);
    free(e.variant);
    size_t made = out.size;
    char *text = d.status == CONVC_OK ? text_take(&out) : NULL;
    if (d.status == CONVC_OK && !text)
        diag_memory(&d);
    text_free(&out);
    if (d.status == CONVC_OK) {
        *bytes = text;
        *size = made;
    }
    return api_fail(&d);
}

enum convc_status convc_emit_name(const struct convc_problem *p, const char *prefix, char *to,
                                  size_t bytes)
{
    char name[HEADER_NAME_MAX];
    if (!p || !to)
        return api_fail_with(CONVC_ERR_ARGUMENT, "convc_emit_name: problem and room must be given");
    header_identifier(prefix ? prefix : "", p->name, name);
    if (strlen(name) >= bytes)
        return api_fail_with(CONVC_ERR_ARGUMENT, "convc_emit_name: there is no room for the name");
    strcpy(to, name);
    return CONVC_OK;
}
