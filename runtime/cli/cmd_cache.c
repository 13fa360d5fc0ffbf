/* cache: looks after the disk cache of compiled kernels. */
#include "runtime/cli/command.h"
#include "runtime/cli/json.h"
#include "runtime/cli/layers.h"
#include "runtime/cli/table.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

/* A walk over the entries. */
struct listing {
    bool json, only_broken;
    struct table table;
    int64_t entries, broken;
};

static void print_json(const struct convc_cache_entry *e)
{
    struct json j;
    json_begin(&j, stdout);
    json_text(&j, "file", e->file);
    json_text(&j, "problem", e->problem);
    json_text(&j, "plan", e->plan);
    json_text(&j, "target", e->target);
    json_whole(&j, "bytes", e->bytes);
    json_whole(&j, "modified", e->modified);
    json_bool(&j, "intact", e->intact);
    json_end(&j);
}

static void add_row(struct table *t, const struct convc_cache_entry *e)
{
    char when[32] = "?";
    time_t seconds = (time_t)e->modified;
    struct tm parts;
    if (localtime_r(&seconds, &parts))
        strftime(when, sizeof when, "%Y-%m-%d %H:%M", &parts);
    table_cell(t, "%s", e->file);
    table_cell(t, "%s", e->intact ? "intact" : "broken");
    table_cell(t, "%" PRId64, e->bytes);
    table_cell(t, "%s", when);
    table_cell(t, "%s", e->target ? e->target : "?");
    table_cell(t, "%s", e->problem ? e->problem : "?");
    table_cell(t, "%s", e->plan ? e->plan : "?");
}

static int visit(void *data, const struct convc_cache_entry *e)
{
    struct listing *l = data;
    l->entries++;
    l->broken += !e->intact;
    if (l->only_broken && e->intact)
        return 0;
    if (l->json)
        print_json(e);
    else
        add_row(&l->table, e);
    return 0;
}

/* verify shows what is broken, list everything. */
static enum exit_code show(const struct options *o, convc_context *cx, bool verify,
                           struct failure *f)
{
    struct listing l = { .json = o->json, .only_broken = verify };
    table_begin(&l.table, "llrllll");
    enum convc_status st = convc_cache_visit(cx, visit, &l);
    bool printed = table_print(&l.table, stdout);
    if (st)
        return fail_status(f, st);
    if (!printed)
        return fail_memory(f);
    if (verify && !o->json)
        printf("%" PRId64 " intact, %" PRId64 " broken\n", l.entries - l.broken, l.broken);
    return verify && l.broken ? EXIT_CHECK : EXIT_FINE;
}

static enum exit_code remove_entries(const struct options *o, convc_context *cx,
                                     enum convc_status (*remove)(convc_context *, int64_t *),
                                     struct failure *f)
{
    int64_t removed = 0;
    struct json j;
    enum convc_status st = remove(cx, &removed);
    if (st)
        return fail_status(f, st);
    if (o->json) {
        json_begin(&j, stdout);
        json_whole(&j, "removed", removed);
        json_end(&j);
    } else {
        printf("%" PRId64 " removed\n", removed);
    }
    return EXIT_FINE;
}

static enum exit_code act(const struct options *o, const char *what, convc_context *cx,
                          struct failure *f)
{
    const char *why = "";
    const char *directory = convc_cache_directory(cx, &why);
    if (!directory[0])
        return fail(f, EXIT_SYSTEM, "there is no disk cache: %s", why ? why : "");
    if (!strcmp(what, "list"))
        return show(o, cx, false, f);
    if (!strcmp(what, "verify"))
        return show(o, cx, true, f);
    return remove_entries(o, cx, strcmp(what, "prune") ? convc_cache_clear : convc_cache_prune, f);
}

enum exit_code cmd_cache(const struct options *o, struct failure *f)
{
    static const char *const known[] = { "list", "verify", "prune", "clear" };
    convc_context *cx = NULL;
    bool found = false;
    if (o->word_count != 1)
        return fail(f, EXIT_USAGE, "cache needs one of list, verify, prune and clear");
    for (int i = 0; i < 4; i++)
        found |= !strcmp(o->word[0], known[i]);
    if (!found)
        return fail(f, EXIT_USAGE, "cache %s is none of list, verify, prune and clear", o->word[0]);
    enum exit_code code = context_open(o, NULL, 0, &cx, f);
    if (code == EXIT_FINE)
        code = act(o, o->word[0], cx, f);
    convc_context_destroy(cx);
    return code;
}
