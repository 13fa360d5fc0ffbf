/* What goes into the tuning database, row by row, and what may not. */
#include "runtime/tune_db_inside.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

enum {
    PROBLEM_MAX = 1 << 20,
    TARGET_MAX = 1024,
    VERSION_MAX = 64,
    NOTE_MAX = 512,
    MACHINE_MAX = 256
};

/* ---- what may be ----------------------------------------------------------------------------- */

static bool printable(const char *text, size_t least, size_t most)
{
    size_t n = 0;
    for (; text && text[n] && n <= most; n++) {
        if (text[n] < ' ' || text[n] > '~')
            return false;
    }
    return text && n >= least && n <= most;
}

bool tune_key_sound(const struct tune_key *key)
{
    return printable(key->problem, 1, PROBLEM_MAX) && printable(key->target, 1, TARGET_MAX) &&
           printable(key->convc, 1, VERSION_MAX) && printable(key->llvm, 1, VERSION_MAX);
}

static enum convc_status check_texts(const struct tune_row *r, struct diag *d)
{
    const struct {
        const char *name, *text;
        size_t least, most;
    } all[] = { { "problem", r->problem, 1, PROBLEM_MAX },
                { "target", r->target, 1, TARGET_MAX },
                { "convc", r->convc, 1, VERSION_MAX },
                { "llvm", r->llvm, 1, VERSION_MAX },
                { "plan", r->plan, 1, PLAN_TEXT_MAX - 1 },
                { "base", r->base, 1, PLAN_TEXT_MAX - 1 },
                { "incumbent", r->incumbent, 0, PLAN_TEXT_MAX - 1 },
                { "note", r->note, 0, NOTE_MAX },
                { "machine", r->machine, 0, MACHINE_MAX } };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        if (!printable(all[i].text, all[i].least, all[i].most))
            return diag_fail(d, CONVC_ERR_ARGUMENT,
                             "%s of a measurement is not %zu to %zu characters of ASCII",
                             all[i].name, all[i].least, all[i].most);
    }
    return CONVC_OK;
}

static enum convc_status check_numbers(const struct tune_row *r, struct diag *d)
{
    const struct {
        const char *name;
        double value;
    } all[] = { { "seconds", r->seconds },
                { "base_seconds", r->base_seconds },
                { "ratio", r->ratio },
                { "low", r->low },
                { "high", r->high },
                { "incumbent_ratio", r->incumbent_ratio },
                { "incumbent_low", r->incumbent_low },
                { "incumbent_high", r->incumbent_high },
                { "predicted", r->predicted } };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        if (!isnan(all[i].value) && !(isfinite(all[i].value) && all[i].value > 0))
            return diag_fail(d, CONVC_ERR_ARGUMENT, "%s=%g of a measurement is not above 0",
                             all[i].name, all[i].value);
    }
    if (r->outcome == TUNE_MEASURED && !(r->low <= r->ratio && r->ratio <= r->high))
        return diag_fail(d, CONVC_ERR_ARGUMENT,
                         "ratio=%g of a measurement is not between low=%g and high=%g", r->ratio,
                         r->low, r->high);
    return CONVC_OK;
}

enum convc_status tune_row_check(const struct tune_row *r, struct diag *d)
{
    if (check_texts(r, d) != CONVC_OK)
        return d->status;
    if ((int)r->outcome < TUNE_MEASURED || r->outcome > TUNE_REFUSED)
        return diag_fail(d, CONVC_ERR_ARGUMENT, "outcome=%d of a measurement is not 0 to %d",
                         (int)r->outcome, TUNE_REFUSED);
    if (r->rung < 0 || r->rounds < 0 || r->at < 0)
        return diag_fail(d, CONVC_ERR_ARGUMENT,
                         "rung=%d, rounds=%d and at=%" PRId64
                         " of a measurement must not be negative",
                         (int)r->rung, (int)r->rounds, r->at);
    return check_numbers(r, d);
}

/* ---- what comes with being added ------------------------------------------------------------- */

static bool drawn(const struct tune_id *id)
{
    static const struct tune_id none;
    return memcmp(id, &none, sizeof none) != 0;
}

/* The time first, the most significant byte first: rows of one second are in order. */
static enum convc_status draw(struct tune_id *id, const struct timespec *now, struct diag *d)
{
    uint64_t ns = (uint64_t)now->tv_sec * 1000000000u + (uint64_t)now->tv_nsec;
    for (int i = 0; i < 8; i++)
        id->bytes[i] = (unsigned char)(ns >> (56 - 8 * i));
    if (getrandom(id->bytes + 8, 8, 0) != 8)
        return diag_fail(d, CONVC_ERR_IO, "the system has no random bytes: %s", strerror(errno));
    return CONVC_OK;
}

/* What people read may come from anywhere. */
static const char *in_ascii(const char *text, char *to, size_t most)
{
    size_t n = 0;
    for (; text && text[n] && n < most; n++)
        to[n] = text[n] < ' ' || text[n] > '~' ? '?' : text[n];
    to[n] = '\0';
    return to;
}

enum convc_status tune_db_add(struct tune_db *db, const struct tune_row *row, struct diag *d)
{
    struct tune_row r = *row;
    struct timespec now;
    bool added;
    char note[NOTE_MAX + 1], machine[MACHINE_MAX + 1];
    clock_gettime(CLOCK_REALTIME, &now);
    r.note = in_ascii(row->note, note, NOTE_MAX);
    r.machine = in_ascii(row->machine, machine, MACHINE_MAX);
    if (!r.at)
        r.at = now.tv_sec;
    if (!drawn(&r.id) && draw(&r.id, &now, d) != CONVC_OK)
        return d->status;
    if (tune_row_check(&r, d) != CONVC_OK)
        return d->status;
    pthread_mutex_lock(&db->guard.mutex);
    if (tune_db_start(db, d) == CONVC_OK) {
        tune_db_put(db, &r, &added, d);
        tune_db_end(db, d);
    }
    pthread_mutex_unlock(&db->guard.mutex);
    return d->status;
}

/* ---- SQL ------------------------------------------------------------------------------------- */

static bool find_subject(struct tune_db *db, const struct tune_key *key, int64_t *id,
                         struct diag *d)
{
    sqlite3_stmt *s = tune_db_statement(db, SQL_FIND_SUBJECT, d);
    bool found = false;
    if (s) {
        tune_db_bind_key(s, key);
        found = tune_db_step(db, s, d);
        *id = found ? sqlite3_column_int64(s, 0) : 0;
    }
    tune_db_reset(s);
    return found;
}

static enum convc_status take_subject(struct tune_db *db, const struct tune_key *key, int64_t *id,
                                      struct diag *d)
{
    if (find_subject(db, key, id, d) || d->status != CONVC_OK)
        return d->status;
    sqlite3_stmt *s = tune_db_statement(db, SQL_ADD_SUBJECT, d);
    if (s) {
        tune_db_bind_key(s, key);
        tune_db_step(db, s, d);
        *id = sqlite3_last_insert_rowid(db->sql);
    }
    tune_db_reset(s);
    return d->status;
}

/* ?1 to ?19, in the order of COLUMNS, and the subject. NAN is NULL to SQLite. */
static void bind_row(sqlite3_stmt *s, int64_t subject, const struct tune_row *r)
{
    const double times[] = { r->seconds, r->base_seconds, r->ratio, r->low, r->high };
    const double more[] = { r->incumbent_ratio, r->incumbent_low, r->incumbent_high, r->predicted };
    sqlite3_bind_int64(s, 1, r->at);
    sqlite3_bind_blob(s, 2, r->id.bytes, sizeof r->id.bytes, SQLITE_STATIC);
    sqlite3_bind_text(s, 3, r->plan, -1, SQLITE_STATIC);
    sqlite3_bind_text(s, 4, r->base, -1, SQLITE_STATIC);
    sqlite3_bind_int(s, 5, (int)r->outcome);
    sqlite3_bind_int(s, 6, r->rung);
    sqlite3_bind_int(s, 7, r->rounds);
    for (int i = 0; i < 5; i++)
        sqlite3_bind_double(s, 8 + i, times[i]);
    sqlite3_bind_text(s, 13, r->incumbent, -1, SQLITE_STATIC);
    for (int i = 0; i < 4; i++)
        sqlite3_bind_double(s, 14 + i, more[i]);
    sqlite3_bind_text(s, 18, r->note, -1, SQLITE_STATIC);
    sqlite3_bind_text(s, 19, r->machine, -1, SQLITE_STATIC);
    sqlite3_bind_int64(s, 20, subject);
}

/* The row is there by its id: does it say the same? */
static enum convc_status compare_row(struct tune_db *db, int64_t subject, const struct tune_row *r,
                                     struct diag *d)
{
    sqlite3_stmt *s = tune_db_statement(db, SQL_SAME_ROW, d);
    bool same = true;
    if (s) {
        bind_row(s, subject, r);
        same = tune_db_step(db, s, d) && sqlite3_column_int(s, 0) == 1;
    }
    tune_db_reset(s);
    if (d->status == CONVC_OK && !same)
        diag_fail(d, CONVC_ERR_ARGUMENT,
                  "a measurement of %.200s by %s is in %s with other values: one of the two was "
                  "changed",
                  r->problem, r->plan, db->path);
    return d->status;
}

enum convc_status tune_db_put(struct tune_db *db, const struct tune_row *r, bool *added,
                              struct diag *d)
{
    const struct tune_key key = { r->problem, r->target, r->convc, r->llvm };
    int64_t subject;
    *added = false;
    if (take_subject(db, &key, &subject, d) != CONVC_OK)
        return d->status;
    sqlite3_stmt *s = tune_db_statement(db, SQL_ADD_ROW, d);
    if (s) {
        bind_row(s, subject, r);
        tune_db_step(db, s, d);
        *added = d->status == CONVC_OK && sqlite3_changes(db->sql) == 1;
    }
    tune_db_reset(s);
    if (d->status == CONVC_OK && !*added)
        compare_row(db, subject, r, d);
    return d->status;
}
