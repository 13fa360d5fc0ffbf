#include "runtime/cli/blame.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PLANS_LEAST = 3 };

struct tally {
    struct blame *words;
    size_t count;
    int64_t plans;
    bool out_of_memory;
};

static void add_word(struct tally *t, const char *word, size_t problem, double error)
{
    size_t i = 0;
    while (i < t->count && strcmp(t->words[i].word, word))
        i++;
    if (i == t->count) {
        struct blame *more = realloc(t->words, (i + 1) * sizeof *more);
        if (!more) {
            t->out_of_memory = true;
            return;
        }
        t->words = more;
        t->words[t->count++] = (struct blame){ .error = 1 };
        snprintf(t->words[i].word, sizeof t->words[i].word, "%s", word);
    }
    struct blame *b = &t->words[i];
    b->plans++;
    b->log_sum += error;
    b->problems += b->seen != problem;
    b->seen = problem;
}

/* "1x14x2": its rows, columns and vectors apart; others have two numbers. */
static void add_tile(struct tally *t, const char *tile, size_t length, size_t problem, double error)
{
    static const char *const three[] = { "tile rows", "tile columns", "tile vectors" };
    static const char *const two[] = { "tile columns", "tile vectors" };
    char word[48];
    int crosses = 0, part = 0;
    for (size_t i = 0; i < length; i++)
        crosses += tile[i] == 'x';
    const char *const *name = crosses == 2 ? three : two;
    for (size_t i = 0; i < length && part <= crosses && crosses <= 2; part++) {
        size_t digits = strcspn(tile + i, "x ");
        snprintf(word, sizeof word, "%s=%.*s", name[crosses ? part : 0],
                 (int)(digits < 8 ? digits : 8), tile + i);
        add_word(t, word, problem, error);
        i += digits + 1;
    }
}

static void add_plan(struct tally *t, const char *plan, size_t problem, double error)
{
    size_t length;
    for (const char *word; (word = evidence_word(&plan, &length));) {
        char text[48];
        snprintf(text, sizeof text, "%.*s", (int)(length < 47 ? length : 47), word);
        if (!strncmp(text, "tile=", 5))
            add_tile(t, word + 5, length - 5, problem, error);
        else
            add_word(t, text, problem, error);
    }
    t->plans++;
}

static bool counts(const struct trial *k)
{
    return k->outcome == CONVC_MEASURED && k->ratio > 0 && k->predicted > 0;
}

static void add_problem(struct tally *t, const struct evidence *e, size_t problem)
{
    double mean = 0;
    int64_t plans = 0;
    for (size_t i = 0; i < e->known_count; i++)
        if (counts(&e->known[i]))
            mean += log(e->known[i].ratio / e->known[i].predicted), plans++;
    for (size_t i = 0; i < e->known_count; i++)
        if (counts(&e->known[i]))
            add_plan(t, e->known[i].plan, problem,
                     log(e->known[i].ratio / e->known[i].predicted) - mean / (double)plans);
}

/* How far off, the more believed the more plans there are. */
static double gravity(const struct blame *b)
{
    return fabs(log(b->error)) * sqrt((double)b->plans);
}

static int gravest_first(const void *a, const void *b)
{
    double x = gravity(a), y = gravity(b);
    return (x < y) - (x > y);
}

enum convc_status blame_words(const struct evidence *e, size_t count, struct blame **words,
                              size_t *word_count)
{
    struct tally t = { 0 };
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        add_problem(&t, &e[i], i + 1);
    for (size_t i = 0; i < t.count; i++) {
        t.words[i].error = exp(t.words[i].log_sum / (double)t.words[i].plans);
        if (t.words[i].plans >= PLANS_LEAST && t.words[i].plans < t.plans)
            t.words[kept++] = t.words[i];
    }
    if (kept)
        qsort(t.words, kept, sizeof *t.words, gravest_first);
    *words = t.words;
    *word_count = kept;
    return t.out_of_memory ? CONVC_ERR_MEMORY : CONVC_OK;
}
