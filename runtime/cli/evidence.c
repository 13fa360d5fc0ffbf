#include "runtime/cli/evidence.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void forget(struct evidence *e)
{
    for (size_t i = 0; i < e->count; i++) {
        free(e->trial[i].plan);
        free(e->trial[i].note);
    }
    e->count = 0;
}

void evidence_free(struct evidence *e)
{
    forget(e);
    free(e->trial);
    free(e->known);
    free(e->best);
    convc_text_free(e->problem);
    convc_text_free(e->space);
}

/* ---- reading --------------------------------------------------------------------------------- */

/* Of several LLVMs, the one that comes last. */
struct reading {
    struct evidence *e;
    char llvm[64];
    size_t capacity;
    bool out_of_memory;
};

static bool grow(struct reading *r)
{
    struct evidence *e = r->e;
    if (e->count < r->capacity)
        return true;
    size_t capacity = 2 * r->capacity + 64;
    struct trial *more = realloc(e->trial, capacity * sizeof *more);
    if (!more)
        return false;
    e->trial = more;
    r->capacity = capacity;
    return true;
}

/* Is it the first plan of the space, against which others are measured? */
static bool is_base(const struct evidence *e, const char *plan)
{
    size_t length = strlen(plan);
    return !strncmp(e->base, plan, length) && e->base[length] == '\n';
}

static int keep(void *data, const struct convc_measurement *m)
{
    struct reading *r = data;
    struct evidence *e = r->e;
    if (strcmp(m->llvm, r->llvm)) {
        forget(e);
        snprintf(r->llvm, sizeof r->llvm, "%s", m->llvm);
    }
    if (!is_base(e, m->base))
        return 0;
    if (!grow(r))
        return r->out_of_memory = true;
    struct trial t = { .plan = strdup(m->plan),
                       .note = strdup(m->note),
                       .outcome = m->outcome,
                       .rung = m->rung,
                       .ratio = m->ratio,
                       .low = m->low,
                       .high = m->high,
                       .predicted = m->predicted,
                       .seconds = m->seconds,
                       .base_seconds = m->base_seconds };
    e->trial[e->count++] = t;
    return r->out_of_memory = !t.plan || !t.note;
}

/* ---- what follows from it -------------------------------------------------------------------- */

static struct trial *find(const struct evidence *e, const char *plan)
{
    for (size_t i = 0; i < e->known_count; i++)
        if (!strcmp(e->known[i].plan, plan))
            return &e->known[i];
    return NULL;
}

static const struct trial *best_of(const struct evidence *e)
{
    const struct trial *best = NULL;
    for (size_t i = 0; i < e->known_count; i++) {
        const struct trial *t = &e->known[i];
        if (t->outcome == CONVC_MEASURED &&
            (!best || t->rung > best->rung || (t->rung == best->rung && t->high < best->high)))
            best = t;
    }
    return best && best->high < 1 ? best : NULL;
}

/* A plan that failed once has failed; else the closest look counts, of two the later. */
static void take(struct evidence *e, const struct trial *t)
{
    struct trial *known = find(e, t->plan);
    if (!known)
        e->known[e->known_count++] = *t;
    else if (known->outcome == CONVC_MEASURED &&
             (t->outcome != CONVC_MEASURED || t->rung >= known->rung))
        *known = *t;
}

static void conclude(struct evidence *e)
{
    for (size_t i = 0; i < e->count; i++) {
        take(e, &e->trial[i]);
        e->winner = best_of(e);
        e->best[i] = e->winner ? e->winner->ratio : 1;
    }
    for (size_t i = 0; i < e->known_count; i++)
        e->failures += e->known[i].outcome != CONVC_MEASURED;
}

/* Lines of the space until the winner's. */
static void rank(struct evidence *e)
{
    const char *plan = e->winner ? e->winner->plan : NULL;
    e->rank = plan ? 0 : 1;
    for (const char *line = e->space; *line; line = strchr(line, '\n') + 1) {
        const char *text = strchr(line, ' ') + 1;
        size_t length = strcspn(text, "\n");
        e->plans++;
        if (plan && strlen(plan) == length && !strncmp(plan, text, length))
            e->rank = e->plans;
    }
}

enum convc_status evidence_read(struct evidence *e, convc_context *cx,
                                const struct convc_problem *p)
{
    struct convc_problem one = *p;
    struct reading r = { .e = e };
    char version[32];
    one.n = 1;
    snprintf(version, sizeof version, "%d.%d.%d", CONVC_VERSION_MAJOR, CONVC_VERSION_MINOR,
             CONVC_VERSION_PATCH);
    enum convc_status st = convc_problem_text(&one, &e->problem);
    if (st == CONVC_OK)
        st = convc_tune_space(cx, &one, 0, 1, &e->space);
    if (st != CONVC_OK)
        return st;
    e->base = strchr(e->space, ' ') + 1;
    const struct convc_tuning_filter filter = { .struct_bytes = sizeof filter,
                                                .problem = e->problem,
                                                .target = convc_context_target(cx),
                                                .convc = version };
    st = convc_tuning_visit(e->db, &filter, keep, &r);
    e->known = calloc(e->count + 1, sizeof *e->known);
    e->best = calloc(e->count + 1, sizeof *e->best);
    if (!e->known || !e->best || r.out_of_memory)
        return CONVC_ERR_MEMORY;
    conclude(e);
    rank(e);
    return st;
}

const char *evidence_word(const char **text, size_t *length)
{
    const char *word = *text + strspn(*text, " ");
    *length = strcspn(word, " \n");
    *text = word + *length;
    return *length ? word : NULL;
}
