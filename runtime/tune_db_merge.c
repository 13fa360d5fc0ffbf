/* Rows of one tuning database into another. */
#include "runtime/tune_db_inside.h"

#include <sys/stat.h>

struct merging {
    struct tune_db *into;
    int64_t added;
    struct diag *d;
};

static int merge_row(void *data, const struct tune_row *row)
{
    struct merging *m = data;
    bool added;
    pthread_mutex_lock(&m->into->guard.mutex);
    tune_db_put(m->into, row, &added, m->d);
    pthread_mutex_unlock(&m->into->guard.mutex);
    m->added += added;
    return m->d->status != CONVC_OK;
}

/* Its writer would wait for its reader. */
static bool same_file(const struct tune_db *a, const struct tune_db *b)
{
    struct stat s, t;
    return !stat(a->path, &s) && !stat(b->path, &t) && s.st_dev == t.st_dev && s.st_ino == t.st_ino;
}

enum convc_status tune_db_merge(struct tune_db *into, struct tune_db *from, int64_t *added,
                                struct diag *d)
{
    static const struct tune_key all;
    struct merging m = { .into = into, .d = d };
    struct diag reading = { 0 };
    *added = 0;
    if (same_file(into, from))
        return CONVC_OK;
    if (tune_db_begin(into, d) != CONVC_OK)
        return d->status;
    tune_db_rows(from, &all, merge_row, &m, &reading);
    if (reading.status != CONVC_OK)
        diag_fail(d, reading.status, "%s", reading.text);
    tune_db_finish(into, d);
    if (d->status == CONVC_OK)
        *added = m.added;
    return d->status;
}
