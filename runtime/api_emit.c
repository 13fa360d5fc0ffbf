/* api_emit: kernels ahead of time: objects, a header, a library.
 * Stands on: api_emission, object, dispatch, archive, header.
 */
#include "gen/base/memory.h"
#include "gen/emit/dispatch.h"
#include "gen/out/archive.h"
#include "gen/plan/pack.h"
#include "runtime/api.h"
#include "runtime/api_emission.h"

#include <stdio.h>
#include <string.h>

/* ---- objects -------------------------------------------------------------------------------- */

static enum convc_status make_kernel(const struct convc_emission *e, const struct item *m,
                                     int target, enum object_form form, struct object *out,
                                     struct diag *d)
{
    const struct variant *v = &m->variant[target];
    const struct object_request r = { .problem = &m->problem,
                                      .plan = &v->plan,
                                      .target = &e->target[target],
                                      .symbol = v->symbol[ENTRY_KERNEL],
                                      .name = v->name,
                                      .hidden = e->hidden || e->targets > 1,
                                      .local = true,
                                      .small = e->small,
                                      .form = form };
    return object_emit(&r, out, d);
}

static enum convc_status make_dispatch(const struct convc_emission *e, const struct item *m,
                                       enum object_form form, struct object *out, struct diag *d)
{
    struct dispatch_kernel k = {
        .problem = &m->problem, .name = m->name, .variants = e->targets, .library = e->library
    };
    for (int t = 0; t < e->targets; t++)
        k.variant[t] = m->variant[t].name;
    return object_dispatch(
        &(struct object_dispatch){
            .kernel = &k, .target = &e->plainest, .form = form, .hidden = e->hidden },
        out, d);
}

static enum convc_status make_selector(const struct convc_emission *e, enum object_form form,
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
            .selector = &s, .target = &e->plainest, .form = form, .hidden = e->hidden },
        out, d);
}

/* Object `variant` of an item: a kernel, what picks among them, or what asks the CPU. */
static enum convc_status make_object(const struct convc_emission *e, const struct item *m,
                                     int variant, enum object_form form, struct object *out,
                                     struct diag *d)
{
    if (variant < e->targets)
        return make_kernel(e, m, variant, form, out, d);
    return variant == e->targets ? make_dispatch(e, m, form, out, d)
                                 : make_selector(e, form, out, d);
}

/* The object file, made at the first call. Threads that want the same one wait for each other. */
static const struct object *take_object(const struct convc_emission *e, size_t item, int variant,
                                        struct diag *d)
{
    bool selector = variant > e->targets;
    size_t at = selector ? e->made_count - 1 : item * (size_t)emission_objects(e) + (size_t)variant;
    struct made *m = &e->made[at];
    pthread_mutex_lock(&m->guard.mutex);
    if (!m->object.bytes)
        make_object(e, &e->item[item], variant, OBJECT_ELF, &m->object, d);
    pthread_mutex_unlock(&m->guard.mutex);
    return &m->object;
}

/* ---- the library ---------------------------------------------------------------------------- */

/* A member on its way, which owns what archive_member points at, but for the object. */
struct member {
    char file[ENTRY_NAME_MAX + TARGET_FEATURES_MAX + 80];
    const struct object *object;
    symbols symbol;
    const char *list[ENTRY_SYMBOLS];
    size_t symbols;
};

/* The symbols of an item's functions that there are. */
static void list_entries(const struct item *m, const char *name, struct member *to)
{
    emission_symbols(name, to->symbol);
    for (int s = 0; s < ENTRY_KERNEL; s++) {
        if (entry_exists(&m->problem, s))
            to->list[to->symbols++] = to->symbol[s];
    }
}

static void name_member(const struct convc_emission *e, const struct item *m, int variant,
                        struct member *to)
{
    if (variant < e->targets) {
        list_entries(m, m->variant[variant].name, to);
        snprintf(to->file, sizeof to->file, e->targets == 1 ? "%s.o" : "%s.%s.o", m->name,
                 e->cpu[variant]);
    } else {
        list_entries(m, m->name, to);
        snprintf(to->file, sizeof to->file, "%s.o", m->name);
    }
}

static void name_selector(const struct convc_emission *e, struct member *to)
{
    static const char *const suffix[] = { "_target", "_use" };
    for (int s = 0; s < 2; s++) {
        snprintf(to->symbol[s], ENTRY_NAME_MAX, "%s%s", e->library, suffix[s]);
        to->list[to->symbols++] = to->symbol[s];
    }
    snprintf(to->file, sizeof to->file, "%s_target.o", e->library);
}

static enum convc_status make_members(const struct convc_emission *e, struct member *member,
                                      size_t *count, struct diag *d)
{
    int each = emission_objects(e);
    for (size_t i = 0; i < e->count; i++) {
        for (int v = 0; v < each; v++) {
            struct member *one = &member[(*count)++];
            name_member(e, &e->item[i], v, one);
            one->object = take_object(e, i, v, d);
            if (d->status != CONVC_OK)
                return d->status;
        }
    }
    if (e->targets > 1) {
        struct member *one = &member[(*count)++];
        name_selector(e, one);
        one->object = take_object(e, 0, e->targets + 1, d);
    }
    return d->status;
}

static enum convc_status make_library(const struct convc_emission *e, struct text *out,
                                      struct diag *d)
{
    size_t count = 0;
    struct member *member = memory_zeroed(e->made_count, sizeof *member);
    struct archive_member *list = memory_zeroed(e->made_count, sizeof *list);
    if (!member || !list)
        diag_memory(d);
    else
        make_members(e, member, &count, d);
    for (size_t i = 0; i < count; i++)
        list[i] =
            (struct archive_member){ member[i].file, member[i].object->bytes,
                                     member[i].object->count, member[i].list, member[i].symbols };
    if (d->status == CONVC_OK)
        archive_write(list, count, out, d);
    memory_free(member);
    memory_free(list);
    return d->status;
}

/* ---- the header ----------------------------------------------------------------------------- */

/* The largest over the targets. */
static void size_kernel(const struct convc_emission *e, const struct item *m,
                        struct header_kernel *k)
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

static enum convc_status make_header(const struct convc_emission *e, struct text *out,
                                     struct diag *d)
{
    char target[DISPATCH_TARGETS][TARGET_FEATURES_MAX + 160];
    struct header_kernel *k = memory_zeroed(e->count, sizeof *k);
    uint64_t refused = memory_refused();
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
    memory_free(k);
    return out->failed || memory_refused() != refused ? diag_memory(d) : CONVC_OK;
}

/* ---- the calls ------------------------------------------------------------------------------ */

/* One file: of problem `item` where it is an object, assembly, IR or bitcode. */
static enum convc_status make(const struct convc_emission *e, enum convc_form form, size_t item,
                              int variant, struct text *out, struct diag *d)
{
    static const enum object_form code[] = { [CONVC_FORM_ASM] = OBJECT_ASM,
                                             [CONVC_FORM_IR] = OBJECT_IR,
                                             [CONVC_FORM_BITCODE] = OBJECT_BITCODE };
    struct object own = { 0 };
    const struct object *o = &own;
    if (form == CONVC_FORM_HEADER)
        return make_header(e, out, d);
    if (form == CONVC_FORM_LIBRARY)
        return make_library(e, out, d);
    if (form == CONVC_FORM_OBJECT)
        o = take_object(e, item, variant, d);
    else
        make_object(e, &e->item[item], variant, code[form], &own, d);
    if (d->status == CONVC_OK)
        text_append(out, o->bytes, o->count);
    object_free(&own);
    return out->failed ? diag_memory(d) : d->status;
}

static enum convc_status check_file(const struct convc_emission *e, enum convc_form form,
                                    size_t problem, int32_t variant, struct diag *d)
{
    int most = e->targets == 1 ? 0 : e->targets + 1;
    if (form < CONVC_FORM_OBJECT || form > CONVC_FORM_LIBRARY)
        return diag_fail(d, CONVC_ERR_ARGUMENT, "form=%d must be 0 to %d", (int)form,
                         CONVC_FORM_LIBRARY);
    if (form < CONVC_FORM_HEADER && problem >= e->count)
        return diag_fail(d, CONVC_ERR_ARGUMENT, "problem=%zu must be below %zu", problem, e->count);
    if (form < CONVC_FORM_HEADER && (variant < 0 || variant > most))
        return diag_fail(d, CONVC_ERR_ARGUMENT, "variant=%d must be 0 to %d", (int)variant, most);
    return CONVC_OK;
}

enum convc_status convc_emission_file(convc_emission *e, enum convc_form form, size_t problem,
                                      int32_t variant, char **bytes, size_t *size)
{
    struct diag d = { 0 };
    struct text out = { 0 };
    if (!e || !bytes || !size)
        return api_fail_with(CONVC_ERR_ARGUMENT,
                             "convc_emission_file: emission, bytes and size must be given");
    if (check_file(e, form, problem, variant, &d) == CONVC_OK)
        make(e, form, problem, variant, &out, &d);
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

enum convc_status convc_emission_create(const struct convc_problem *problems, size_t count,
                                        const struct convc_emit_options *opt, convc_emission **out)
{
    struct diag d = { 0 };
    if (!problems || !count || !out)
        return api_fail_with(CONVC_ERR_ARGUMENT,
                             "convc_emission_create: problems and out must be given");
    struct convc_emission *e = memory_zeroed(1, sizeof *e);
    if (!e)
        return api_fail_with(CONVC_ERR_MEMORY, "out of memory");
    if (emission_open(problems, count, opt, e, &d) == CONVC_OK)
        *out = e;
    else
        convc_emission_destroy(e);
    return api_fail(&d);
}

void convc_emission_destroy(convc_emission *e)
{
    if (e)
        emission_close(e);
    memory_free(e);
}

enum convc_status convc_emit(const struct convc_problem *problems, size_t count,
                             const struct convc_emit_options *opt, char **bytes, size_t *size)
{
    struct diag d = { 0 };
    struct convc_emit_options o;
    convc_emission *e;
    if (!problems || !count || !bytes || !size)
        return api_fail_with(CONVC_ERR_ARGUMENT,
                             "convc_emit: problems, bytes and size must be given");
    if (emission_options(opt, &o, &d) == CONVC_OK && o.form < CONVC_FORM_HEADER && count != 1)
        diag_fail(&d, CONVC_ERR_ARGUMENT,
                  "%zu problems: objects, assembly, IR and bitcode are of one each", count);
    if (d.status != CONVC_OK)
        return api_fail(&d);
    enum convc_status st = convc_emission_create(problems, count, opt, &e);
    if (st != CONVC_OK)
        return st;
    st = convc_emission_file(e, o.form, 0, o.variant, bytes, size);
    convc_emission_destroy(e);
    return st;
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
