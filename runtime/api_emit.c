/* api_emit: kernels ahead of time: objects, a header, a library.
 * Stands on: choose, layout, object, archive, header.
 */
#include "gen/base/number.h"
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

enum { SYMBOL_MAX = HEADER_NAME_MAX + 8, TARGET_MAX = 672 };

/* One kernel to be made. */
struct item {
    struct problem problem;
    struct plan plan;
    char plan_text[PLAN_TEXT_MAX];
    char name[HEADER_NAME_MAX], symbol[ENTRY_SYMBOLS][SYMBOL_MAX];
    struct object object;
};

struct emission {
    struct convc_emit_options o;
    struct target target;
    struct item *item;
    size_t count;
};

/* ---- what is asked for ---------------------------------------------------------------------- */

static enum convc_status read_options(const struct convc_emit_options *opt, struct emission *e,
                                      struct diag *d)
{
    e->o = (struct convc_emit_options){ .struct_bytes = sizeof e->o };
    if (opt && opt->struct_bytes < sizeof opt->struct_bytes)
        return diag_fail(d, CONVC_ERR_ARGUMENT, "convc_emit_options.struct_bytes=%zu must be %zu",
                         opt->struct_bytes, sizeof *opt);
    if (opt)
        memcpy(&e->o, opt, opt->struct_bytes < sizeof e->o ? opt->struct_bytes : sizeof e->o);
    if (e->o.form < CONVC_FORM_OBJECT || e->o.form > CONVC_FORM_LIBRARY)
        return diag_fail(d, CONVC_ERR_ARGUMENT, "form=%d must be 0 to %d", (int)e->o.form,
                         CONVC_FORM_LIBRARY);
    if (e->o.form < CONVC_FORM_HEADER && e->count != 1)
        return diag_fail(d, CONVC_ERR_ARGUMENT,
                         "%zu problems: objects, assembly, IR and bitcode are of one each",
                         e->count);
    return target_parse(e->o.target ? e->o.target : "native", &e->target, d);
}

static enum convc_status find_plan(const struct emission *e, struct item *m, struct diag *d)
{
    if (!e->o.plan) {
        choose_plan(&m->problem, &e->target, &m->plan, d);
    } else if (plan_parse(e->o.plan, &m->plan, d) == CONVC_OK) {
        plan_check(&m->plan, &m->problem, &e->target, d);
    }
    if (d->status == CONVC_OK)
        plan_print(&m->plan, m->plan_text);
    return d->status;
}

static enum convc_status find_item(const struct emission *e, const struct convc_problem *p,
                                   struct item *m, struct diag *d)
{
    if (!p->name[0])
        return diag_fail(d, CONVC_ERR_ARGUMENT, "a static kernel must have a name");
    header_identifier(e->o.prefix ? e->o.prefix : "", p->name, m->name);
    for (int s = 0; s < ENTRY_SYMBOLS; s++)
        snprintf(m->symbol[s], SYMBOL_MAX, "%s%s", m->name, entry_suffix[s]);
    if (problem_resolve(p, &m->problem, d) != CONVC_OK)
        return d->status;
    return find_plan(e, m, d);
}

/* ---- clashes -------------------------------------------------------------------------------- */

struct owned {
    const char *symbol;
    const char *problem; /* its name, as the caller wrote it */
};

static int by_symbol(const void *a, const void *b)
{
    return strcmp(((const struct owned *)a)->symbol, ((const struct owned *)b)->symbol);
}

static enum convc_status find_clash(const struct emission *e, struct diag *d)
{
    size_t n = e->count * ENTRY_SYMBOLS;
    struct owned *all = malloc((n + 1) * sizeof *all);
    if (!all)
        return diag_memory(d);
    for (size_t i = 0; i < n; i++) {
        const struct item *m = &e->item[i / ENTRY_SYMBOLS];
        all[i] = (struct owned){ m->symbol[i % ENTRY_SYMBOLS], m->problem.p.name };
    }
    qsort(all, n, sizeof *all, by_symbol);
    for (size_t i = 1; i < n && d->status == CONVC_OK; i++) {
        if (!strcmp(all[i].symbol, all[i - 1].symbol))
            diag_fail(d, CONVC_ERR_ARGUMENT, "the names \"%s\" and \"%s\" clash: both make %s",
                      all[i - 1].problem, all[i].problem, all[i].symbol);
    }
    free(all);
    return d->status;
}

/* ---- what is made --------------------------------------------------------------------------- */

static enum convc_status make_object(const struct emission *e, struct item *m,
                                     enum object_form form, struct diag *d)
{
    const struct object_request r = { .problem = &m->problem,
                                      .plan = &m->plan,
                                      .target = &e->target,
                                      .symbol = m->symbol[ENTRY_KERNEL],
                                      .name = m->name,
                                      .hidden = e->o.hidden,
                                      .form = form };
    return object_emit(&r, &m->object, d);
}

static enum convc_status make_library(const struct emission *e, struct text *out, struct diag *d)
{
    struct archive_member *member = calloc(e->count + 1, sizeof *member);
    char(*file)[SYMBOL_MAX] = calloc(e->count + 1, sizeof *file);
    const char *(*symbol)[ENTRY_SYMBOLS] = calloc(e->count + 1, sizeof *symbol);
    if (!member || !file || !symbol)
        diag_memory(d);
    for (size_t i = 0; i < e->count && d->status == CONVC_OK; i++) {
        struct item *m = &e->item[i];
        snprintf(file[i], SYMBOL_MAX, "%s.o", m->name);
        for (int s = 0; s < ENTRY_SYMBOLS; s++)
            symbol[i][s] = m->symbol[s];
        if (make_object(e, m, OBJECT_ELF, d) == CONVC_OK)
            member[i] = (struct archive_member){ file[i], m->object.bytes, m->object.count,
                                                 symbol[i], ENTRY_SYMBOLS };
    }
    if (d->status == CONVC_OK)
        archive_write(member, e->count, out, d);
    free(member);
    free(file);
    free(symbol);
    return d->status;
}

static size_t packed_bytes(const struct emission *e, const struct item *m)
{
    struct layout l;
    if (m->problem.c.period)
        return 0;
    plan_layout(&m->problem, &m->plan, &e->target, &l);
    return (size_t)pack_header(&l, dtype_bytes(m->problem.p.wei_dtype)).bytes;
}

static enum convc_status make_header(const struct emission *e, struct text *out, struct diag *d)
{
    char target[TARGET_MAX], library[HEADER_NAME_MAX];
    struct header_kernel *k = calloc(e->count + 1, sizeof *k);
    if (!k)
        return diag_memory(d);
    for (size_t i = 0; i < e->count; i++) {
        const struct item *m = &e->item[i];
        k[i] = (struct header_kernel){
            .name = m->name,
            .problem = &m->problem,
            .plan = m->plan_text,
            .packed_bytes = packed_bytes(e, m),
            .workspace_bytes = plan_workspace_bytes(&m->problem, &m->plan, &e->target),
            .phases = plan_phases(&m->plan),
        };
    }
    target_print(&e->target, target, sizeof target);
    header_identifier(e->o.prefix ? e->o.prefix : "", e->o.library ? e->o.library : "kernels",
                      library);
    header_write(&(struct header){ library, target, k, e->count }, out);
    free(k);
    return out->failed ? diag_memory(d) : CONVC_OK;
}

static enum convc_status make(struct emission *e, struct text *out, struct diag *d)
{
    static const enum object_form form[] = { [CONVC_FORM_OBJECT] = OBJECT_ELF,
                                             [CONVC_FORM_ASM] = OBJECT_ASM,
                                             [CONVC_FORM_IR] = OBJECT_IR,
                                             [CONVC_FORM_BITCODE] = OBJECT_BITCODE };
    if (e->o.form == CONVC_FORM_HEADER)
        return make_header(e, out, d);
    if (e->o.form == CONVC_FORM_LIBRARY)
        return make_library(e, out, d);
    struct item *m = &e->item[0];
    if (make_object(e, m, form[e->o.form], d) == CONVC_OK)
        text_append(out, m->object.bytes, m->object.count);
    return out->failed ? diag_memory(d) : d->status;
}

/* ---- the calls ------------------------------------------------------------------------------ */

static enum convc_status emit(const struct convc_problem *problems, struct emission *e,
                              struct text *out, struct diag *d)
{
    for (size_t i = 0; i < e->count; i++) {
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
    if (read_options(opt, &e, &d) != CONVC_OK)
        return api_fail(&d);
    e.item = calloc(count, sizeof *e.item);
    if (!e.item)
        diag_memory(&d);
    else
        emit(problems, &e, &out, &d);
    for (size_t i = 0; e.item && i < count; i++)
        object_free(&e.item[i].object);
    free(e.item);
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
