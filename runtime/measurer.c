#include "runtime/measurer.h"

#include "gen/base/memory.h"
#include "runtime/clock.h"
#include "runtime/measurer_child.h"

#include <convc/convc.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct measurer {
    char *program, *target;
    int threads;
    double patience;
    bool (*stop)(void *data);
    void *stop_data;
    struct child child;
};

/* ---- answers -------------------------------------------------------------------------------- */

static void clear(struct text *why)
{
    if (why && why->data)
        why->data[why->size = 0] = '\0';
}

static enum measurer_answer because(struct text *why, enum measurer_answer answer,
                                    const char *sentence)
{
    clear(why);
    if (why)
        text_append(why, sentence, strlen(sentence));
    return answer;
}

/* What came instead of an answer; ends the child. */
static enum measurer_answer no_answer(struct measurer *m, enum heard heard, struct text *why)
{
    clear(why);
    if (heard == ENDED) {
        child_end(&m->child, why);
        return MEASURER_CRASHED;
    }
    child_end(&m->child, NULL);
    if (heard == STOPPED)
        return MEASURER_STOPPED;
    if (heard == NO_MEMORY)
        return because(why, MEASURER_FAILED, "out of memory");
    if (why)
        text_add(why, "convc-measure did not answer within %g s", m->patience);
    return MEASURER_HUNG;
}

/* "refused WHY" and the like; MEASURER_OK where it is the word `fine`, which may be NULL. */
static enum measurer_answer read_answer(struct measurer *m, const char *line, const char *fine,
                                        struct text *why)
{
    static const struct {
        const char *word;
        enum measurer_answer answer;
    } words[] = { { "refused ", MEASURER_REFUSED },
                  { "wrong ", MEASURER_WRONG },
                  { "failed ", MEASURER_FAILED } };
    clear(why);
    if (fine && !strcmp(line, fine))
        return MEASURER_OK;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        size_t n = strlen(words[i].word);
        if (!strncmp(line, words[i].word, n))
            return because(why, words[i].answer, line + n);
    }
    if (why)
        text_add(why, "%.100s answered \"%.100s\"", m->program, line);
    child_end(&m->child, NULL);
    return MEASURER_FAILED;
}

/* ---- requests ------------------------------------------------------------------------------- */

/* Between two looks of whoever watches. */
static const double watch_seconds = 0.1;

/* The next line, unless patience or the watch ends before. */
static enum heard hear(struct measurer *m, char **line)
{
    double deadline = clock_seconds() + m->patience;
    for (;;) {
        double left = fmax(deadline - clock_seconds(), 0);
        double wait = m->stop ? fmin(left, watch_seconds) : left;
        enum heard heard = child_hear(&m->child, wait, line);
        if (heard != SILENT || wait >= left)
            return heard;
        if (m->stop(m->stop_data))
            return STOPPED;
    }
}

/* Sends a request and takes the first line that answers it. MEASURER_OK where there is one. */
static enum measurer_answer request(struct measurer *m, struct text *line, char **answer,
                                    struct text *why)
{
    text_append(line, "\n", 1);
    enum heard heard = NO_MEMORY;
    if (!line->failed)
        heard = child_tell(&m->child, line->data, line->size, m->patience);
    text_free(line);
    if (heard == HEARD)
        heard = hear(m, answer);
    return heard == HEARD ? MEASURER_OK : no_answer(m, heard, why);
}

/* Is there a child, with a problem? Texts that are more than one line would be more than one
 * request. */
static bool may_ask(struct measurer *m, const char *text, struct text *why)
{
    clear(why);
    if (m->child.pid && child_has_ended(&m->child))
        child_end(&m->child, why);
    else if (!m->child.pid)
        because(why, MEASURER_FAILED, "there is no problem");
    else if (strchr(text, '\n'))
        because(why, MEASURER_FAILED, "the text has more than one line");
    else
        return true;
    return false;
}

/* ---- starting ------------------------------------------------------------------------------- */

/* For a program to begin, on a machine that has much else to do. */
static const double start_patience = 60;

/* A child of another version would compile other plans. */
static enum convc_status check_version(struct measurer *m, struct diag *d)
{
    double patience = m->patience;
    struct text line = { 0 }, why = { 0 };
    char *answer, own[40];
    uint64_t refused = memory_refused();
    snprintf(own, sizeof own, "ok %d.%d.%d", CONVC_VERSION_MAJOR, CONVC_VERSION_MINOR,
             CONVC_VERSION_PATCH);
    text_add(&line, "version");
    m->patience = start_patience;
    bool answered = request(m, &line, &answer, &why) == MEASURER_OK;
    if (!answered && memory_refused() != refused)
        diag_memory(d);
    else if (!answered)
        diag_fail(d, CONVC_ERR_ARGUMENT, "%.100s: %s", m->program, why.data ? why.data : "");
    else if (strcmp(answer, own))
        diag_fail(d, CONVC_ERR_ARGUMENT, "%.100s is not of convc %s: it says \"%.40s\"", m->program,
                  own + 3, answer);
    m->patience = patience;
    text_free(&why);
    return d->status;
}

static enum convc_status launch(struct measurer *m, struct diag *d)
{
    char threads[16];
    char *argv[] = { m->program, "--threads", threads, m->target ? "--target" : NULL,
                     m->target,  NULL };
    snprintf(threads, sizeof threads, "%d", m->threads);
    int error = child_start(&m->child, argv);
    if (error)
        return diag_fail(d, CONVC_ERR_IO, "%.200s: %s", m->program, strerror(error));
    if (check_version(m, d) != CONVC_OK)
        child_end(&m->child, NULL);
    return d->status;
}

enum convc_status measurer_start(const struct measurer_options *o, struct measurer **out,
                                 struct diag *d)
{
    struct measurer *m = memory_zeroed(1, sizeof *m);
    if (!m)
        return diag_memory(d);
    m->program = memory_strdup(o->program);
    m->target = o->target ? memory_strdup(o->target) : NULL;
    m->threads = o->threads;
    m->patience = o->patience;
    if (!m->program || (o->target && !m->target))
        diag_memory(d);
    else
        launch(m, d);
    if (d->status == CONVC_OK)
        *out = m;
    else
        measurer_stop(m);
    return d->status;
}

void measurer_stop(struct measurer *m)
{
    if (!m)
        return;
    child_end(&m->child, NULL);
    memory_free(m->program);
    memory_free(m->target);
    memory_free(m);
}

void measurer_patience(struct measurer *m, double seconds)
{
    m->patience = seconds;
}

void measurer_watch(struct measurer *m, bool (*stop)(void *data), void *data)
{
    m->stop = stop;
    m->stop_data = data;
}

/* ---- what is asked -------------------------------------------------------------------------- */

enum measurer_answer measurer_problem(struct measurer *m, const char *problem, struct text *why)
{
    struct diag d = { 0 };
    struct text line = { 0 };
    char *answer;
    if (m->child.pid && child_has_ended(&m->child))
        child_end(&m->child, NULL);
    if (!m->child.pid && launch(m, &d) != CONVC_OK)
        return because(why, MEASURER_FAILED, d.text);
    if (!may_ask(m, problem, why))
        return MEASURER_FAILED;
    text_add(&line, "problem %s", problem);
    enum measurer_answer got = request(m, &line, &answer, why);
    return got ? got : read_answer(m, answer, "ok", why);
}

enum measurer_answer measurer_plan(struct measurer *m, int slot, const char *plan, struct text *why)
{
    struct text line = { 0 };
    char *answer;
    if (!may_ask(m, plan, why))
        return MEASURER_FAILED;
    text_add(&line, "plan %d %s", slot, plan);
    enum measurer_answer got = request(m, &line, &answer, why);
    return got ? got : read_answer(m, answer, "ok", why);
}

/* "round SECONDS SECONDS...", whose numbers have no point, so that the locale does not matter. */
static bool read_round(const char *line, int count, double *seconds)
{
    if (strncmp(line, "round", 5))
        return false;
    line += 5;
    for (int i = 0; i < count; i++) {
        char *end;
        seconds[i] = strtod(line, &end);
        if (*line != ' ' || end == line || !(seconds[i] > 0))
            return false;
        line = end;
    }
    return *line == '\0';
}

enum measurer_answer measurer_race(struct measurer *m, int rounds, double milliseconds,
                                   const int *slots, int count, double *seconds, struct text *why)
{
    struct text line = { 0 };
    char *answer;
    if (!may_ask(m, "", why))
        return MEASURER_FAILED;
    text_add(&line, "race %d ", rounds);
    text_add_real(&line, milliseconds);
    for (int i = 0; i < count; i++)
        text_add(&line, " %d", slots[i]);
    enum measurer_answer got = request(m, &line, &answer, why);
    for (int round = 0; got == MEASURER_OK && round < rounds; round++) {
        if (!read_round(answer, count, seconds + (size_t)round * (size_t)count))
            return read_answer(m, answer, NULL, why);
        enum heard heard = hear(m, &answer);
        if (heard)
            got = no_answer(m, heard, why);
    }
    return got ? got : read_answer(m, answer, "done", why);
}
