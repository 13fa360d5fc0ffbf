#include "runtime/verbose.h"

#include "gen/base/text.h"
#include "gen/out/object.h"

#include <convc/convc.h>
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const struct {
    const char *word;
    int stages;
} words[] = {
    { "none", 0 },
    { "check", VERBOSE_CHECK },
    { "dispatch", VERBOSE_DISPATCH },
    { "compile", VERBOSE_COMPILE },
    { "exec", VERBOSE_EXEC },
    { "all", VERBOSE_CHECK | VERBOSE_DISPATCH | VERBOSE_COMPILE | VERBOSE_EXEC },
    { "0", 0 },
    { "1", VERBOSE_EXEC },
    { "2", VERBOSE_COMPILE | VERBOSE_EXEC },
};

enum { WORDS = sizeof words / sizeof *words };

static const char *const stage_name[] = { "check", "dispatch", "compile", "exec" };

static atomic_int stages; /* that are asked for */
static bool timestamps;

/* ---- lines ----------------------------------------------------------------------------------- */

static void begin(struct text *t, const char *stage)
{
    struct timespec now;
    text_add(t, "convc_verbose,v1,");
    clock_gettime(CLOCK_REALTIME, &now);
    if (timestamps)
        text_add(t, "%.3f,", (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6);
    text_add(t, "%s,", stage);
}

/* A field with what CSV gives a meaning to is quoted. */
static void add_field(struct text *t, const char *field)
{
    if (!field)
        field = "";
    bool quoted = strpbrk(field, ",\"\r\n") != NULL;
    if (quoted)
        text_append(t, "\"", 1);
    for (const char *c = field; *c; c++)
        text_append(t, *c == '"' ? "\"\"" : c, *c == '"' ? 2 : 1);
    text_append(t, quoted ? "\"," : ",", quoted ? 2 : 1);
}

/* Whole, with one write unless that is interrupted. */
static void end(struct text *t)
{
    size_t done = 0;
    text_append(t, "\n", 1);
    while (!t->failed && done < t->size) {
        ssize_t n = write(STDERR_FILENO, t->data + done, t->size - done);
        if (n < 0 && errno != EINTR)
            break;
        done += n > 0 ? (size_t)n : 0;
    }
    text_free(t);
}

void verbose_line(const struct verbose *v)
{
    struct text t = { 0 };
    int stage = 0;
    while (v->stage >> (stage + 1))
        stage++;
    begin(&t, stage_name[stage]);
    add_field(&t, v->what);
    add_field(&t, v->algorithm);
    add_field(&t, v->plan);
    if (v->number >= 0)
        text_add(&t, "%" PRId64, v->number);
    text_append(&t, ",", 1);
    add_field(&t, v->reason);
    add_field(&t, v->problem);
    if (v->ms >= 0)
        text_add(&t, "%.6g", v->ms);
    end(&t);
}

/* ---- the environment ------------------------------------------------------------------------- */

static bool read_word(const char *word, size_t length, int *found)
{
    for (int i = 0; i < WORDS; i++) {
        if (strlen(words[i].word) == length && !strncmp(words[i].word, word, length)) {
            *found |= words[i].stages;
            return true;
        }
    }
    return false;
}

static void tell(const char *text)
{
    struct text t = { 0 };
    begin(&t, "info");
    text_add(&t, "%s", text);
    end(&t);
}

static void read_environment(void)
{
    char line[256];
    int found = 0;
    const char *list = secure_getenv("CONVC_VERBOSE"), *time = secure_getenv("CONVC_VERBOSE_TIME");
    timestamps = time && strcmp(time, "0") != 0;
    for (const char *word = list; word && *word;) {
        size_t length = strcspn(word, ",");
        if (!read_word(word, length, &found)) {
            snprintf(line, sizeof line, "CONVC_VERBOSE: \"%.*s\" is no word that it knows",
                     (int)(length < 64 ? length : 64), word);
            tell(line);
        }
        word += length + (word[length] == ',');
    }
    atomic_store(&stages, found);
    if (!found)
        return;
    snprintf(line, sizeof line, "convc:%d.%d.%d,llvm:%s", CONVC_VERSION_MAJOR, CONVC_VERSION_MINOR,
             CONVC_VERSION_PATCH, object_llvm_version());
    tell(line);
    tell("template:stage,what,algorithm,plan,number,reason,problem,ms");
}

bool verbose_on(enum verbose_stage stage)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, read_environment);
    return (atomic_load_explicit(&stages, memory_order_relaxed) & (int)stage) != 0;
}

void verbose_info(const char *format, ...)
{
    char line[8192];
    va_list list;
    if (!verbose_on(VERBOSE_CHECK | VERBOSE_DISPATCH | VERBOSE_COMPILE | VERBOSE_EXEC))
        return;
    va_start(list, format);
    vsnprintf(line, sizeof line, format, list);
    va_end(list);
    tell(line);
}
