#include "runtime/context_tuning.h"

#include "gen/base/memory.h"
#include "gen/base/text.h"
#include "gen/out/object.h"
#include "runtime/machine.h"

#include <string.h>

/* Opens what is there; of two threads that do, one keeps what it opened. */
static enum convc_status open_database(struct tuning *t, struct diag *d)
{
    struct tune_db *fresh, *none = NULL;
    if (tune_db_open(t->path, false, &fresh, d) != CONVC_OK)
        return d->status;
    if (!atomic_compare_exchange_strong(&t->db, &none, fresh))
        tune_db_close(fresh);
    return CONVC_OK;
}

enum convc_status tuning_open(struct tuning *t, const char *path, bool absent, struct diag *d)
{
    if (!path)
        return CONVC_OK;
    t->path = memory_strdup(path);
    if (!t->path)
        return diag_memory(d);
    if (absent && tune_db_absent(path))
        return CONVC_OK;
    /* What a process left that was killed while it made the file shows when it is opened. */
    struct diag why = { 0 };
    if (open_database(t, &why) != CONVC_OK && !(absent && tune_db_absent(path)))
        return diag_fail(d, why.status, "%s", why.text);
    return CONVC_OK;
}

void tuning_close(struct tuning *t)
{
    tune_db_close(atomic_load(&t->db));
    memory_free(t->path);
}

enum convc_status tuning_renew(struct tuning *t, struct diag *d)
{
    if (t->path && !atomic_load(&t->db))
        open_database(t, d);
    atomic_fetch_add(&t->generation, 1);
    return d->status;
}

static bool find_as(struct tune_db *db, const char *problem, const char *target,
                    struct tune_winner *w)
{
    struct diag ignored = { 0 };
    const struct tune_key key = { problem, target, tune_db_convc(), object_llvm_version() };
    w->plan[0] = '\0';
    tune_db_winner(db, &key, w, &ignored);
    return w->plan[0] && ignored.status == CONVC_OK;
}

/* The same target by the other word that a triple of x86-64 has for who made the machine, which
 * says nothing of it: systems and build tools differ in it. */
static bool other_name(const char *target, char to[TARGET_TEXT_MAX])
{
    static const char *const vendor[] = { "x86_64-pc-", "x86_64-unknown-" };
    for (int i = 0; i < 2; i++) {
        size_t length = strlen(vendor[i]);
        if (strncmp(target, vendor[i], length) != 0)
            continue;
        int n = snprintf(to, TARGET_TEXT_MAX, "%s%s", vendor[1 - i], target + length);
        return n > 0 && n < TARGET_TEXT_MAX;
    }
    return false;
}

static bool find_winner(struct tune_db *db, const struct problem *p, const struct target *target,
                        struct tune_winner *w)
{
    struct text problem = { 0 };
    char whole[TARGET_TEXT_MAX], other[TARGET_TEXT_MAX];
    target_print(target, whole, sizeof whole);
    tune_db_problem(p, &problem);
    bool found = !problem.failed && problem.data &&
                 (find_as(db, problem.data, whole, w) ||
                  (other_name(whole, other) && find_as(db, problem.data, other, w)));
    text_free(&problem);
    return found;
}

bool tuning_plan(struct tuning *t, const struct problem *p, const struct target *target,
                 struct plan *plan, struct tune_winner *w)
{
    struct diag unfit = { 0 };
    struct tune_winner found;
    struct tune_db *db = atomic_load(&t->db);
    if (!db || !find_winner(db, p, target, &found))
        return false;
    if (plan_parse(found.plan, plan, &unfit) != CONVC_OK ||
        plan_check(plan, p, target, &unfit) != CONVC_OK || !plan_admitted(plan, p))
        return false;
    if (w)
        *w = found;
    return true;
}
