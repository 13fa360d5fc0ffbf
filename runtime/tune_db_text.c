/* Rows as text that travels: JSON, one object a line. It is written by the table below and read by
 * SQLite's JSON functions.
 */
#include "gen/base/text.h"
#include "runtime/tune_db_inside.h"

#include <errno.h>
#include <inttypes.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const outcomes[] = { "measured", "wrong", "crashed", "hung", "refused" };
enum { OUTCOMES = sizeof outcomes / sizeof *outcomes };

/* The members of a line, behind "id" and before "at": texts, outcome and whole numbers, times. */
#define AT(member) offsetof(struct tune_row, member)
static const struct member {
    const char *name;
    size_t offset;
} texts
    [] = { { "problem", AT(problem) },     { "target", AT(target) }, { "convc", AT(convc) },
           { "llvm", AT(llvm) },           { "plan", AT(plan) },     { "base", AT(base) },
           { "incumbent", AT(incumbent) }, { "note", AT(note) },     { "machine", AT(machine) } },
    wholes[] = { { "rung", AT(rung) }, { "rounds", AT(rounds) } },
    reals[] = { { "seconds", AT(seconds) },
                { "base_seconds", AT(base_seconds) },
                { "ratio", AT(ratio) },
                { "low", AT(low) },
                { "high", AT(high) },
                { "incumbent_ratio", AT(incumbent_ratio) },
                { "incumbent_low", AT(incumbent_low) },
                { "incumbent_high", AT(incumbent_high) },
                { "predicted", AT(predicted) } };
enum {
    TEXTS = sizeof texts / sizeof *texts,
    WHOLES = sizeof wholes / sizeof *wholes,
    REALS = sizeof reals / sizeof *reals
};

/* ---- writing --------------------------------------------------------------------------------- */

/* The texts of a row are printable ASCII. */
static void add_text(struct text *t, const char *name, const char *value)
{
    text_add(t, ",\"%s\":\"", name);
    for (; *value; value++) {
        if (*value == '"' || *value == '\\')
            text_append(t, "\\", 1);
        text_append(t, value, 1);
    }
    text_append(t, "\"", 1);
}

static void add_real(struct text *t, const char *name, double value)
{
    text_add(t, ",\"%s\":", name);
    if (isnan(value))
        text_add(t, "null");
    else
        text_add_real(t, value);
}

static void add_row(struct text *t, const struct tune_row *r)
{
    const char *row = (const char *)r;
    text_add(t, "{\"id\":\"");
    for (size_t i = 0; i < sizeof r->id.bytes; i++)
        text_add(t, "%02x", r->id.bytes[i]);
    text_add(t, "\"");
    for (int i = 0; i < TEXTS; i++)
        add_text(t, texts[i].name, *(const char *const *)(row + texts[i].offset));
    add_text(t, "outcome", outcomes[r->outcome]);
    for (int i = 0; i < WHOLES; i++)
        text_add(t, ",\"%s\":%" PRId32, wholes[i].name, *(const int32_t *)(row + wholes[i].offset));
    for (int i = 0; i < REALS; i++)
        add_real(t, reals[i].name, *(const double *)(row + reals[i].offset));
    text_add(t, ",\"at\":%" PRId64 "}\n", r->at);
}

struct exporting {
    FILE *to;
    struct text line;
    bool failed;
};

static int export_row(void *data, const struct tune_row *r)
{
    struct exporting *e = data;
    e->line.size = 0;
    add_row(&e->line, r);
    e->failed = e->line.failed || fwrite(e->line.data, 1, e->line.size, e->to) != e->line.size;
    return e->failed;
}

enum convc_status tune_db_export(struct tune_db *db, const struct tune_key *key, FILE *to,
                                 struct diag *d)
{
    struct exporting e = { .to = to };
    tune_db_rows(db, key, export_row, &e, d);
    if (e.line.failed)
        diag_memory(d);
    else if (e.failed)
        diag_fail(d, CONVC_ERR_IO, "the measurements cannot be written: %s", strerror(errno));
    text_free(&e.line);
    return d->status;
}

/* ---- reading --------------------------------------------------------------------------------- */

/* One line on its way in. The columns of SQL_READ_LINE are: the type of the line, id, outcome, at,
 * then texts, whole numbers and reals in the order of the tables above. */
struct incoming {
    struct tune_db *db;
    const char *name;
    int64_t number; /* of the line */
    sqlite3_stmt *s;
    locale_t c; /* in which a number has a point, whatever the host program chose */
};

enum { COLUMN_TYPE, COLUMN_ID, COLUMN_OUTCOME, COLUMN_AT, COLUMN_TEXTS };
enum { COLUMN_WHOLES = COLUMN_TEXTS + TEXTS, COLUMN_REALS = COLUMN_WHOLES + WHOLES };

static const char *column(const struct incoming *in, int i)
{
    const char *text = (const char *)sqlite3_column_text(in->s, i);
    return text ? text : "";
}

static enum convc_status fail_member(const struct incoming *in, const char *name, int i,
                                     const char *rule, struct diag *d)
{
    return diag_fail(d, CONVC_ERR_ARGUMENT, "%s:%" PRId64 ": %s=%.60s is not %s", in->name,
                     in->number, name, column(in, i), rule);
}

static bool read_id(const char *hex, struct tune_id *id)
{
    static const char digits[] = "0123456789abcdef";
    if (strlen(hex) != 2 * sizeof id->bytes)
        return false;
    for (size_t i = 0; i < sizeof id->bytes; i++) {
        const char *high = strchr(digits, hex[2 * i]), *low = strchr(digits, hex[2 * i + 1]);
        if (!high || !low)
            return false;
        id->bytes[i] = (unsigned char)((high - digits) * 16 + (low - digits));
    }
    return true;
}

static enum convc_status read_whole(const struct incoming *in, const char *name, int i,
                                    int64_t most, int64_t *out, struct diag *d)
{
    const char *text = column(in, i);
    char *end;
    errno = 0;
    *out = strtoll(text, &end, 10);
    if (end == text || *end || errno || *out < 0 || *out > most)
        return fail_member(in, name, i, "a whole number from 0", d);
    return CONVC_OK;
}

static enum convc_status read_real(const struct incoming *in, const char *name, int i, double *out,
                                   struct diag *d)
{
    const char *text = column(in, i);
    char *end;
    *out = NAN;
    if (!text[0] || !strcmp(text, "null"))
        return CONVC_OK;
    *out = strtod_l(text, &end, in->c);
    if (end == text || *end || !isfinite(*out))
        return fail_member(in, name, i, "a number or null", d);
    return CONVC_OK;
}

static enum convc_status read_outcome(const struct incoming *in, enum tune_outcome *out,
                                      struct diag *d)
{
    int i = 0;
    while (i < OUTCOMES && strcmp(outcomes[i], column(in, COLUMN_OUTCOME)) != 0)
        i++;
    *out = (enum tune_outcome)i;
    return i < OUTCOMES ? CONVC_OK
                        : fail_member(in, "outcome", COLUMN_OUTCOME,
                                      "measured, wrong, crashed, hung or refused", d);
}

/* The row of the line that the statement has read; its texts live until that is reset. */
static enum convc_status read_row(const struct incoming *in, struct tune_row *r, struct diag *d)
{
    char *row = (char *)r;
    int64_t whole = 0;
    *r = (struct tune_row){ 0 };
    if (strcmp(column(in, COLUMN_TYPE), "object") != 0)
        return diag_fail(d, CONVC_ERR_ARGUMENT, "%s:%" PRId64 ": this is no JSON object", in->name,
                         in->number);
    if (!read_id(column(in, COLUMN_ID), &r->id))
        return fail_member(in, "id", COLUMN_ID, "32 hexadecimal digits", d);
    for (int i = 0; i < TEXTS; i++)
        *(const char **)(row + texts[i].offset) = column(in, COLUMN_TEXTS + i);
    for (int i = 0; i < WHOLES; i++) {
        if (read_whole(in, wholes[i].name, COLUMN_WHOLES + i, INT32_MAX, &whole, d) != CONVC_OK)
            return d->status;
        *(int32_t *)(row + wholes[i].offset) = (int32_t)whole;
    }
    for (int i = 0; i < REALS; i++) {
        if (read_real(in, reals[i].name, COLUMN_REALS + i, (double *)(row + reals[i].offset), d))
            return d->status;
    }
    if (read_whole(in, "at", COLUMN_AT, INT64_MAX, &r->at, d) != CONVC_OK)
        return d->status;
    return read_outcome(in, &r->outcome, d);
}

static enum convc_status import_line(struct incoming *in, const char *line, bool *added,
                                     struct diag *d)
{
    struct diag why = { 0 };
    struct tune_row r;
    *added = false;
    in->s = tune_db_statement(in->db, SQL_READ_LINE, d);
    if (in->s) {
        sqlite3_bind_text(in->s, 1, line, -1, SQLITE_STATIC);
        bool read = tune_db_step(in->db, in->s, &why);
        if (!read)
            diag_fail(d, CONVC_ERR_ARGUMENT, "%s:%" PRId64 ": this is no JSON object", in->name,
                      in->number);
        else if (read_row(in, &r, d) == CONVC_OK && tune_row_check(&r, &why) == CONVC_OK)
            tune_db_put(in->db, &r, added, &why);
        if (read && why.status != CONVC_OK)
            diag_fail(d, why.status, "%s:%" PRId64 ": %s", in->name, in->number, why.text);
    }
    tune_db_reset(in->s);
    return d->status;
}

/* The next line, its end included; false where there is none, or no memory for it. */
static bool read_line(FILE *from, struct text *line)
{
    char piece[1024];
    size_t n = 0;
    int c = 0;
    line->size = 0;
    while (c != '\n' && (c = getc(from)) != EOF) {
        piece[n++] = (char)c;
        if (n == sizeof piece || c == '\n') {
            text_append(line, piece, n);
            n = 0;
        }
    }
    text_append(line, piece, n);
    return line->size > 0 && !line->failed;
}

static enum convc_status import_lines(struct incoming *in, FILE *from, int64_t *added,
                                      struct diag *d)
{
    struct text line = { 0 };
    bool fresh;
    errno = 0;
    while (d->status == CONVC_OK && read_line(from, &line)) {
        in->number++;
        if (line.data[strspn(line.data, " \t\r\n")] == '\0')
            continue;
        pthread_mutex_lock(&in->db->guard.mutex);
        import_line(in, line.data, &fresh, d);
        pthread_mutex_unlock(&in->db->guard.mutex);
        *added += fresh;
    }
    if (d->status == CONVC_OK && line.failed)
        diag_memory(d);
    if (d->status == CONVC_OK && ferror(from))
        diag_fail(d, CONVC_ERR_IO, "%s: %s", in->name, strerror(errno));
    text_free(&line);
    return d->status;
}

enum convc_status tune_db_import(struct tune_db *db, FILE *from, const char *name, int64_t *added,
                                 struct diag *d)
{
    struct incoming in = { .db = db, .name = name };
    int64_t count = 0;
    *added = 0;
    in.c = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (!in.c)
        return diag_memory(d);
    if (tune_db_begin(db, d) == CONVC_OK) {
        import_lines(&in, from, &count, d);
        tune_db_finish(db, d);
    }
    freelocale(in.c);
    if (d->status == CONVC_OK)
        *added = count;
    return d->status;
}
