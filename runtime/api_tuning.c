/* api_tuning: the calls on tuning databases.
 * Stands on: tune_db, context.
 */
#include "runtime/api_tuning.h"

#include "gen/base/memory.h"
#include "runtime/api.h"
#include "runtime/context.h"

#include <string.h>

/* The public outcomes are those of the rows. */
_Static_assert((int)CONVC_MEASURED == (int)TUNE_MEASURED, "measured");
_Static_assert((int)CONVC_MEASURED_WRONG == (int)TUNE_WRONG, "wrong");
_Static_assert((int)CONVC_MEASURED_CRASHED == (int)TUNE_CRASHED, "crashed");
_Static_assert((int)CONVC_MEASURED_HUNG == (int)TUNE_HUNG, "hung");
_Static_assert((int)CONVC_MEASURED_REFUSED == (int)TUNE_REFUSED, "refused");

/* What the caller's version of the filter asks for. */
static enum convc_status read_filter(const struct convc_tuning_filter *filter, struct tune_key *key,
                                     struct diag *d)
{
    struct convc_tuning_filter full;
    if (api_read("convc_tuning_filter", filter, &full, sizeof full, d) != CONVC_OK)
        return d->status;
    *key = (struct tune_key){ full.problem, full.target, full.convc, full.llvm };
    return CONVC_OK;
}

/* Opens a database to read what a filter asks for. */
static enum convc_status open_for(const char *path, const struct convc_tuning_filter *filter,
                                  struct tune_key *key, struct tune_db **db, struct diag *d)
{
    if (read_filter(filter, key, d) == CONVC_OK)
        tune_db_open(path, false, db, d);
    return d->status;
}

/* ---- visits ---------------------------------------------------------------------------------- */

struct visiting {
    int (*measurement)(void *data, const struct convc_measurement *m);
    int (*summary)(void *data, const struct convc_tuning_summary *s);
    void *data;
};

void measurement_of(const struct tune_row *r, struct convc_measurement *m)
{
    *m = (struct convc_measurement){ .struct_bytes = sizeof *m,
                                     .problem = r->problem,
                                     .target = r->target,
                                     .convc = r->convc,
                                     .llvm = r->llvm,
                                     .plan = r->plan,
                                     .base = r->base,
                                     .outcome = (enum convc_outcome)r->outcome,
                                     .rung = r->rung,
                                     .rounds = r->rounds,
                                     .seconds = r->seconds,
                                     .base_seconds = r->base_seconds,
                                     .ratio = r->ratio,
                                     .low = r->low,
                                     .high = r->high,
                                     .incumbent = r->incumbent,
                                     .incumbent_ratio = r->incumbent_ratio,
                                     .incumbent_low = r->incumbent_low,
                                     .incumbent_high = r->incumbent_high,
                                     .predicted = r->predicted,
                                     .note = r->note,
                                     .machine = r->machine,
                                     .at = r->at };
    memcpy(m->id, r->id.bytes, sizeof m->id);
}

static int visit_row(void *data, const struct tune_row *r)
{
    const struct visiting *v = data;
    struct convc_measurement m;
    measurement_of(r, &m);
    return v->measurement(v->data, &m);
}

static int visit_summary(void *data, const struct tune_summary *t)
{
    const struct visiting *v = data;
    const struct convc_tuning_summary s = { .struct_bytes = sizeof s,
                                            .problem = t->key.problem,
                                            .target = t->key.target,
                                            .convc = t->key.convc,
                                            .llvm = t->key.llvm,
                                            .plan = t->winner.plan,
                                            .base = t->winner.base,
                                            .ratio = t->winner.ratio,
                                            .low = t->winner.low,
                                            .high = t->winner.high,
                                            .measurements = t->measurements,
                                            .failures = t->failures };
    return v->summary(v->data, &s);
}

enum convc_status convc_tuning_visit(const char *path, const struct convc_tuning_filter *filter,
                                     int (*visit)(void *data, const struct convc_measurement *m),
                                     void *data)
{
    struct diag d = { 0 };
    struct tune_key key;
    struct tune_db *db = NULL;
    struct visiting v = { .measurement = visit, .data = data };
    if (!path || !visit)
        return api_fail_with(CONVC_ERR_ARGUMENT,
                             "convc_tuning_visit: path and visit must be given");
    if (open_for(path, filter, &key, &db, &d) == CONVC_OK)
        tune_db_rows(db, &key, visit_row, &v, &d);
    tune_db_close(db);
    return api_fail(&d);
}

enum convc_status
convc_tuning_summaries(const char *path, const struct convc_tuning_filter *filter,
                       int (*visit)(void *data, const struct convc_tuning_summary *s), void *data)
{
    struct diag d = { 0 };
    struct tune_key key;
    struct tune_db *db = NULL;
    struct visiting v = { .summary = visit, .data = data };
    if (!path || !visit)
        return api_fail_with(CONVC_ERR_ARGUMENT,
                             "convc_tuning_summaries: path and visit must be given");
    if (open_for(path, filter, &key, &db, &d) == CONVC_OK)
        tune_db_summaries(db, &key, visit_summary, &v, &d);
    tune_db_close(db);
    return api_fail(&d);
}

/* ---- travel ---------------------------------------------------------------------------------- */

/* Opens all before it makes anything of `into`. */
static enum convc_status merge(const char *into, const char *const *from, size_t count,
                               struct tune_db **open, int64_t *added, struct diag *d)
{
    struct tune_db *db = NULL;
    int64_t more;
    for (size_t i = 0; i < count && d->status == CONVC_OK; i++)
        tune_db_open(from[i], false, &open[i], d);
    if (d->status == CONVC_OK)
        tune_db_open(into, true, &db, d);
    for (size_t i = 0; i < count && d->status == CONVC_OK; i++) {
        tune_db_merge(db, open[i], &more, d);
        *added += more;
    }
    tune_db_close(db);
    return d->status;
}

enum convc_status convc_tuning_merge(const char *into, const char *const *from, size_t count,
                                     int64_t *added)
{
    struct diag d = { 0 };
    int64_t sum = 0;
    if (!into || (!from && count))
        return api_fail_with(CONVC_ERR_ARGUMENT, "convc_tuning_merge: into and from must be given");
    struct tune_db **open = memory_zeroed(count + 1, sizeof(struct tune_db *));
    if (!open)
        return api_fail_with(CONVC_ERR_MEMORY, "out of memory");
    merge(into, from, count, open, &sum, &d);
    for (size_t i = 0; i < count; i++)
        tune_db_close(open[i]);
    memory_free(open);
    if (added)
        *added = sum;
    return api_fail(&d);
}

enum convc_status convc_tuning_export(const char *path, const struct convc_tuning_filter *filter,
                                      FILE *to)
{
    struct diag d = { 0 };
    struct tune_key key;
    struct tune_db *db = NULL;
    if (!path || !to)
        return api_fail_with(CONVC_ERR_ARGUMENT, "convc_tuning_export: path and to must be given");
    if (open_for(path, filter, &key, &db, &d) == CONVC_OK)
        tune_db_export(db, &key, to, &d);
    tune_db_close(db);
    return api_fail(&d);
}

enum convc_status convc_tuning_import(const char *path, FILE *from, const char *name,
                                      int64_t *added)
{
    struct diag d = { 0 };
    struct tune_db *db = NULL;
    int64_t count = 0;
    if (!path || !from)
        return api_fail_with(CONVC_ERR_ARGUMENT,
                             "convc_tuning_import: path and from must be given");
    if (tune_db_open(path, true, &db, &d) == CONVC_OK)
        tune_db_import(db, from, name ? name : "text", &count, &d);
    tune_db_close(db);
    if (added)
        *added = count;
    return api_fail(&d);
}

/* ---- look-up --------------------------------------------------------------------------------- */

enum convc_status convc_tuning_best(convc_context *cx, const struct convc_problem *p, char **plan)
{
    struct diag d = { 0 };
    struct problem problem;
    struct plan best;
    char text[PLAN_TEXT_MAX];
    if (!cx || !p || !plan)
        return api_fail_with(CONVC_ERR_ARGUMENT,
                             "convc_tuning_best: context, problem and plan must be given");
    if (problem_resolve(p, &problem, &d) != CONVC_OK)
        return api_fail(&d);
    *plan = NULL;
    if (!tuning_plan(&cx->tuning, &problem, &cx->machine->target, &best, NULL))
        return CONVC_OK;
    plan_print(&best, text);
    *plan = memory_strdup(text);
    return *plan ? CONVC_OK : api_fail_with(CONVC_ERR_MEMORY, "out of memory");
}
