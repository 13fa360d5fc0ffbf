/* What is read from the tuning database: winners, rows, summaries. */
#include "gen/base/arena.h"
#include "runtime/tune_db_inside.h"

#include <math.h>
#include <string.h>

enum { PAGE = 64 }; /* rows that are read at once */

/* NAN where it is NULL. */
static double real_of(sqlite3_stmt *s, int column)
{
    return sqlite3_column_type(s, column) == SQLITE_NULL ? NAN : sqlite3_column_double(s, column);
}

static const char *text_of(sqlite3_stmt *s, int column)
{
    const char *text = (const char *)sqlite3_column_text(s, column);
    return text ? text : "";
}

/* ---- the winner ------------------------------------------------------------------------------ */

/* False where the text has no room, as no row of ours is. */
static bool take_plan(sqlite3_stmt *s, int column, char plan[PLAN_TEXT_MAX])
{
    const char *text = text_of(s, column);
    bool fits = text[0] && strlen(text) < PLAN_TEXT_MAX;
    snprintf(plan, PLAN_TEXT_MAX, "%s", fits ? text : "");
    return fits;
}

static void take_winner(sqlite3_stmt *s, struct tune_winner *w)
{
    struct tune_winner found = { .ratio = real_of(s, 2),
                                 .low = real_of(s, 3),
                                 .high = real_of(s, 4),
                                 .rung = sqlite3_column_int(s, 5),
                                 .rounds = sqlite3_column_int(s, 6) };
    bool whole = take_plan(s, 0, found.plan) && take_plan(s, 1, found.base);
    if (!whole || !(found.low > 0 && found.low <= found.ratio && found.ratio <= found.high))
        return;
    *w = found;
    if (found.high >= 1) {
        memcpy(w->plan, found.base, sizeof w->plan);
        w->ratio = w->low = w->high = 1;
    }
}

static enum convc_status find_winner(struct tune_db *db, const struct tune_key *key,
                                     struct tune_winner *w, struct diag *d)
{
    sqlite3_stmt *s = tune_db_statement(db, SQL_WINNER, d);
    *w = (struct tune_winner){ .ratio = NAN, .low = NAN, .high = NAN };
    if (s) {
        tune_db_bind_key(s, key);
        if (tune_db_step(db, s, d))
            take_winner(s, w);
    }
    tune_db_reset(s);
    return d->status;
}

enum convc_status tune_db_winner(struct tune_db *db, const struct tune_key *key,
                                 struct tune_winner *w, struct diag *d)
{
    pthread_mutex_lock(&db->guard.mutex);
    find_winner(db, key, w, d);
    pthread_mutex_unlock(&db->guard.mutex);
    return d->status;
}

enum convc_status tune_db_best(struct tune_db *db, const struct tune_key *key,
                               char plan[PLAN_TEXT_MAX], struct diag *d)
{
    struct tune_winner w;
    tune_db_winner(db, key, &w, d);
    memcpy(plan, w.plan, sizeof w.plan);
    return d->status;
}

/* ---- subjects -------------------------------------------------------------------------------- */

/* A walk over the subjects that a key names; the texts of the present one are the walk's. */
struct subjects {
    const struct tune_key *wanted;
    int64_t id;
    struct tune_key key;
    struct arena arena;
};

/* The next subject, sound or not; false behind the last one, and after a failure. */
static bool step_subject(struct tune_db *db, struct subjects *w, struct diag *d)
{
    enum tune_sql which = w->wanted->problem ? SQL_NEXT_SUBJECT_OF : SQL_NEXT_SUBJECT;
    const char *text[4] = { 0 };
    bool found = false;
    arena_free(&w->arena);
    pthread_mutex_lock(&db->guard.mutex);
    sqlite3_stmt *s = tune_db_statement(db, which, d);
    if (s) {
        tune_db_bind_key(s, w->wanted);
        sqlite3_bind_int64(s, 5, w->id);
        found = tune_db_step(db, s, d);
    }
    for (int i = 0; found && i < 4; i++)
        text[i] = arena_strdup(&w->arena, text_of(s, 1 + i));
    if (found)
        w->id = sqlite3_column_int64(s, 0);
    tune_db_reset(s);
    pthread_mutex_unlock(&db->guard.mutex);
    if (w->arena.failed)
        diag_memory(d);
    w->key = (struct tune_key){ text[0], text[1], text[2], text[3] };
    return found && d->status == CONVC_OK;
}

static bool next_subject(struct tune_db *db, struct subjects *w, struct diag *d)
{
    bool found;
    do
        found = step_subject(db, w, d);
    while (found && !tune_key_sound(&w->key));
    return found;
}

static enum convc_status summarise(struct tune_db *db, const struct subjects *w,
                                   struct tune_summary *out, struct diag *d)
{
    *out = (struct tune_summary){ .key = w->key };
    pthread_mutex_lock(&db->guard.mutex);
    find_winner(db, &w->key, &out->winner, d);
    sqlite3_stmt *s = tune_db_statement(db, SQL_COUNTS, d);
    if (s) {
        sqlite3_bind_int64(s, 1, w->id);
        if (tune_db_step(db, s, d)) {
            out->measurements = sqlite3_column_int64(s, 0);
            out->failures = sqlite3_column_int64(s, 1);
        }
    }
    tune_db_reset(s);
    pthread_mutex_unlock(&db->guard.mutex);
    return d->status;
}

enum convc_status tune_db_summaries(struct tune_db *db, const struct tune_key *key,
                                    int (*visit)(void *data, const struct tune_summary *s),
                                    void *data, struct diag *d)
{
    struct subjects walk = { .wanted = key };
    struct tune_summary s;
    while (next_subject(db, &walk, d)) {
        if (summarise(db, &walk, &s, d) != CONVC_OK || visit(data, &s))
            break;
    }
    arena_free(&walk.arena);
    return d->status;
}

/* ---- rows ------------------------------------------------------------------------------------ */

/* Some rows of one subject, and the place behind which the next ones are. */
struct page {
    int64_t at;
    struct tune_id id;
    int count; /* that were there, be they sound or not */
    int sound;
    struct tune_row row[PAGE];
    struct arena arena; /* owns their texts */
};

static void take_row(sqlite3_stmt *s, const struct tune_key *key, struct page *p)
{
    struct diag unsound = { 0 };
    struct arena *a = &p->arena;
    struct tune_row r = { .problem = key->problem,
                          .target = key->target,
                          .convc = key->convc,
                          .llvm = key->llvm,
                          .at = sqlite3_column_int64(s, 0),
                          .plan = arena_strdup(a, text_of(s, 2)),
                          .base = arena_strdup(a, text_of(s, 3)),
                          .outcome = (enum tune_outcome)sqlite3_column_int(s, 4),
                          .rung = sqlite3_column_int(s, 5),
                          .rounds = sqlite3_column_int(s, 6),
                          .seconds = real_of(s, 7),
                          .base_seconds = real_of(s, 8),
                          .ratio = real_of(s, 9),
                          .low = real_of(s, 10),
                          .high = real_of(s, 11),
                          .incumbent = arena_strdup(a, text_of(s, 12)),
                          .incumbent_ratio = real_of(s, 13),
                          .incumbent_low = real_of(s, 14),
                          .incumbent_high = real_of(s, 15),
                          .predicted = real_of(s, 16),
                          .note = arena_strdup(a, text_of(s, 17)),
                          .machine = arena_strdup(a, text_of(s, 18)) };
    const void *id = sqlite3_column_blob(s, 1);
    if (id)
        memcpy(r.id.bytes, id, sizeof r.id.bytes); /* its length is asked for in SQL */
    p->at = r.at;
    p->id = r.id;
    p->count++;
    if (!a->failed && tune_row_check(&r, &unsound) == CONVC_OK)
        p->row[p->sound++] = r;
}

static enum convc_status read_page(struct tune_db *db, const struct subjects *w, struct page *p,
                                   struct diag *d)
{
    arena_free(&p->arena);
    p->count = p->sound = 0;
    pthread_mutex_lock(&db->guard.mutex);
    sqlite3_stmt *s = tune_db_statement(db, SQL_PAGE, d);
    if (s) {
        sqlite3_bind_int64(s, 1, w->id);
        sqlite3_bind_int64(s, 2, p->at);
        sqlite3_bind_blob(s, 3, p->id.bytes, sizeof p->id.bytes, SQLITE_TRANSIENT);
        sqlite3_bind_int(s, 4, PAGE);
        while (p->count < PAGE && tune_db_step(db, s, d))
            take_row(s, &w->key, p);
    }
    tune_db_reset(s);
    pthread_mutex_unlock(&db->guard.mutex);
    return p->arena.failed ? diag_memory(d) : d->status;
}

/* False where the visit wants no more. */
static bool visit_subject(struct tune_db *db, const struct subjects *w,
                          int (*visit)(void *data, const struct tune_row *row), void *data,
                          struct diag *d)
{
    struct page p = { .at = INT64_MIN };
    bool more = true;
    do {
        if (read_page(db, w, &p, d) != CONVC_OK)
            break;
        for (int i = 0; more && i < p.sound; i++)
            more = !visit(data, &p.row[i]);
    } while (more && p.count == PAGE);
    arena_free(&p.arena);
    return more;
}

enum convc_status tune_db_rows(struct tune_db *db, const struct tune_key *key,
                               int (*visit)(void *data, const struct tune_row *row), void *data,
                               struct diag *d)
{
    struct subjects walk = { .wanted = key };
    while (next_subject(db, &walk, d)) {
        if (!visit_subject(db, &walk, visit, data, d) || d->status != CONVC_OK)
            break;
    }
    arena_free(&walk.arena);
    return d->status;
}
