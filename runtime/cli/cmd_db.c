/* db: looks into tuning databases, and takes measurements from one to another. */
#include "runtime/cli/command.h"
#include "runtime/cli/json.h"
#include "runtime/cli/layers.h"
#include "runtime/cli/table.h"

#include <convc/tuning.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* ---- list ------------------------------------------------------------------------------------ */

static int add_summary(void *data, const struct convc_tuning_summary *s)
{
    struct table *t = data;
    char interval[64] = "-";
    if (s->high != 1 && s->plan[0])
        snprintf(interval, sizeof interval, "%.3f-%.3f", s->low, s->high);
    table_cell(t, "%s", s->problem);
    table_cell(t, "%s", s->target);
    table_cell(t, "%s/%s", s->convc, s->llvm);
    table_cell(t, "%" PRId64, s->measurements);
    table_cell(t, "%" PRId64, s->failures);
    table_real(t, "%.3f", s->ratio);
    table_cell(t, "%s", interval);
    table_cell(t, "%s", s->plan[0] ? s->plan : "-");
    return t->failed;
}

/* Lists what there is of one problem, or of all; as lines of JSON it is what export writes. */
static enum exit_code list_problem(const struct options *o, const char *problem, struct table *t,
                                   struct failure *f)
{
    const char *path = o->word[1];
    const struct convc_tuning_filter filter = { .struct_bytes = sizeof filter, .problem = problem };
    enum convc_status st = o->json ? convc_tuning_export(path, &filter, stdout)
                                   : convc_tuning_summaries(path, &filter, add_summary, t);
    return st ? fail_open(path, st, f) : EXIT_FINE;
}

/* The problem of a layer as the database names it; NULL where an earlier one has it too. */
static enum exit_code name_problem(const struct options *o, const struct layer *l, char **names,
                                   size_t count, struct failure *f)
{
    enum exit_code code = layer_text(o, l, &names[count], f);
    for (size_t i = 0; names[count] && i < count; i++) {
        if (names[i] && !strcmp(names[i], names[count])) {
            convc_text_free(names[count]);
            names[count] = NULL;
        }
    }
    return code;
}

static enum exit_code list_specs(const struct options *o, struct table *t, struct failure *f)
{
    struct layers l = { 0 };
    struct options specs = *o;
    specs.word += 2;
    specs.word_count -= 2;
    enum exit_code code = layers_load(&specs, NULL, 0, &l, f);
    char **names = calloc(l.count + 1, sizeof *names);
    if (code == EXIT_FINE && !names)
        code = fail_memory(f);
    for (size_t i = 0; code == EXIT_FINE && i < l.count; i++) {
        code = name_problem(&specs, &l.layer[i], names, i, f);
        if (code == EXIT_FINE && names[i])
            code = list_problem(o, names[i], t, f);
    }
    for (size_t i = 0; names && i < l.count; i++)
        convc_text_free(names[i]);
    free(names);
    layers_free(&l);
    return code;
}

static enum exit_code list(const struct options *o, struct failure *f)
{
    static const char *const heads[] = { "problem",  "target", "convc/llvm", "rows",
                                         "failures", "ratio",  "interval",   "plan" };
    struct table t;
    table_begin(&t, "lllrrrll");
    for (size_t i = 0; i < sizeof heads / sizeof *heads && !o->json; i++)
        table_cell(&t, "%s", heads[i]);
    enum exit_code code = o->word_count > 2 ? list_specs(o, &t, f) : list_problem(o, NULL, &t, f);
    if (code == EXIT_FINE)
        return table_print(&t, stdout) ? EXIT_FINE : fail_memory(f);
    table_free(&t);
    return code;
}

/* ---- travel ---------------------------------------------------------------------------------- */

static void print_added(const struct options *o, int64_t added)
{
    struct json j;
    if (o->json) {
        json_begin(&j, stdout);
        json_whole(&j, "added", added);
        json_end(&j);
    } else {
        printf("%" PRId64 " added\n", added);
    }
}

static enum exit_code merge(const struct options *o, struct failure *f)
{
    int64_t added = 0;
    const char *const *from = (const char *const *)&o->word[2];
    size_t count = o->word_count - 2;
    enum convc_status st = convc_tuning_merge(o->word[1], from, count, &added);
    for (size_t i = 0; st == CONVC_ERR_IO && i < count; i++) {
        enum exit_code code = fail_open(from[i], st, f);
        if (code != EXIT_SYSTEM)
            return code;
    }
    if (st)
        return fail_status(f, st);
    print_added(o, added);
    return EXIT_FINE;
}

static enum exit_code write_out(const struct options *o, struct failure *f)
{
    enum convc_status st = convc_tuning_export(o->word[1], NULL, stdout);
    return st ? fail_open(o->word[1], st, f) : EXIT_FINE;
}

static enum exit_code read_in(const struct options *o, struct failure *f)
{
    int64_t added = 0;
    const char *path = o->word[2];
    bool standard = !strcmp(path, "-");
    FILE *from = standard ? stdin : fopen(path, "r");
    if (!from)
        return fail(f, EXIT_USAGE, "%s cannot be opened: %s", path, strerror(errno));
    enum convc_status st = convc_tuning_import(o->word[1], from, standard ? "stdin" : path, &added);
    if (!standard)
        fclose(from);
    if (st)
        return fail_status(f, st);
    print_added(o, added);
    return EXIT_FINE;
}

/* ---- the command ----------------------------------------------------------------------------- */

static const struct action {
    const char *name;
    enum exit_code (*run)(const struct options *o, struct failure *f);
    size_t least, most; /* words behind the name; most 0: any number */
    const char *usage;
} actions[] = {
    { "list", list, 1, 0, "db list DB [SPEC...]" },
    { "merge", merge, 2, 0, "db merge INTO FROM..." },
    { "export", write_out, 1, 1, "db export DB" },
    { "import", read_in, 2, 2, "db import DB FILE" },
};

enum exit_code cmd_db(const struct options *o, struct failure *f)
{
    if (!o->word_count)
        return fail(f, EXIT_USAGE, "db needs one of list, merge, export and import");
    for (size_t i = 0; i < sizeof actions / sizeof *actions; i++) {
        const struct action *a = &actions[i];
        size_t words = o->word_count - 1;
        if (strcmp(a->name, o->word[0]) != 0)
            continue;
        if (words < a->least || (a->most && words > a->most))
            return fail(f, EXIT_USAGE, "convc %s: there are %zu words behind %s", a->usage, words,
                        a->name);
        return a->run(o, f);
    }
    return fail(f, EXIT_USAGE, "db %s is none of list, merge, export and import", o->word[0]);
}
