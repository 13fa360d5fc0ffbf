#include "runtime/tune_model.h"

#include "gen/base/hash.h"
#include "gen/base/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Chosen by replaying searches over 84 spaces of which every plan was measured; twice or half of
 * any does as well. What plans have in common and what they differ by, as logarithms of time; how
 * much of a prediction is believed, and up to where; the factor between numbers, in octaves, that
 * counts as much as a word that differs; what a first look may be off by. */
static const double common = 0.05, spread = 0.1, trust = 0.2, trust_most = 0.6, alike_octaves = 1.2,
                    look_error = 0.01, base_error = 0.001;

/* How slow or fast the slowest and the fastest plan are taken to be. */
static const double slowest = 0.4, fastest = -1;

/* Plans that the process knows, the fastest; and words of a plan, numbers of a word. */
enum { KNOWN_MOST = 64, WORDS_MOST = 16, NUMBERS_MOST = 3 };

/* ---- how alike plans are --------------------------------------------------------------------- */

/* "tile=1x6x4": the key's hash, the value's, and the logarithms of its numbers, if it is such. */
struct word {
    uint64_t key, value;
    int numbers;
    double number[NUMBERS_MOST];
};

struct words {
    int count;
    struct word word[WORDS_MOST];
};

static int read_numbers(const char *text, const char *end, double number[NUMBERS_MOST])
{
    int count = 0;
    while (text < end && count < NUMBERS_MOST) {
        char *past;
        long v = strtol(text, &past, 10);
        if (past == text || past > end || (past < end && *past != 'x') || v < 1)
            return 0;
        number[count++] = log2((double)v);
        text = past + (past < end);
    }
    return text < end ? 0 : count;
}

static struct words read_words(const char *text)
{
    struct words w = { 0 };
    while (*(text += strspn(text, " ")) && w.count < WORDS_MOST) {
        size_t length = strcspn(text, " ");
        const char *equals = memchr(text, '=', length), *end = text + length;
        struct word *to = &w.word[w.count++];
        if (equals)
            to->key = hash64(text, (size_t)(equals - text), 1);
        to->value = hash64(text, length, 0);
        to->numbers = equals ? read_numbers(equals + 1, end, to->number) : 0;
        text = end;
    }
    return w;
}

static const struct word *find_word(const struct words *w, uint64_t key)
{
    for (int i = 0; i < w->count; i++)
        if (w->word[i].key == key)
            return &w->word[i];
    return NULL;
}

/* The square of how far apart two values of one key are. */
static double apart(const struct word *a, const struct word *b)
{
    double sum = 0;
    if (!a->numbers || a->numbers != b->numbers)
        return a->value != b->value;
    for (int i = 0; i < a->numbers; i++) {
        double octaves = (a->number[i] - b->number[i]) / alike_octaves;
        sum += octaves * octaves;
    }
    return sum;
}

/* How two plans vary together. */
static double covariance(const struct words *a, const struct words *b)
{
    double distance = 0;
    int shared = 0;
    for (int i = 0; i < a->count; i++) {
        const struct word *other = find_word(b, a->word[i].key);
        distance += other ? apart(&a->word[i], other) : 1;
        shared += other != NULL;
    }
    return common * common + spread * spread * exp(-0.5 * (distance + b->count - shared));
}

/* ---- what is known --------------------------------------------------------------------------- */

struct process {
    const struct words *words;             /* of all plans */
    int count;                             /* plans that are known */
    size_t plan[KNOWN_MOST];               /* which */
    double factor[KNOWN_MOST][KNOWN_MOST]; /* Cholesky's, of their covariance and errors */
    double weight[KNOWN_MOST];             /* of each in what is expected */
    double best;                           /* what is expected of the best of them */
};

static double expected_before(const struct tune_plan *p)
{
    return trust * fmin(log(p->predicted), trust_most);
}

static double logarithm(const struct tune_plan *p)
{
    return p->base ? 0 : fmin(fmax(log(p->ratio), fastest), slowest);
}

static double error_of(const struct tune_plan *p)
{
    return p->base ? base_error : look_error * sqrt((double)tune_rounds(0) / tune_rounds(p->rung));
}

/* The fastest of those that were measured, and of the base, whose time is known best. */
static void gather(struct process *g, const struct tune_plan *plan, size_t count)
{
    g->count = 0;
    for (size_t i = 0; i < count; i++) {
        if (!plan[i].base && (plan[i].failed || plan[i].rung < 0))
            continue;
        int at = g->count < KNOWN_MOST ? g->count++ : KNOWN_MOST;
        for (; at > 0 && logarithm(&plan[i]) < logarithm(&plan[g->plan[at - 1]]); at--)
            if (at < KNOWN_MOST)
                g->plan[at] = g->plan[at - 1];
        if (at < KNOWN_MOST)
            g->plan[at] = i;
    }
}

/* Solves factor * x = b in place. */
static void solve_down(const struct process *g, double x[KNOWN_MOST])
{
    for (int i = 0; i < g->count; i++) {
        for (int j = 0; j < i; j++)
            x[i] -= g->factor[i][j] * x[j];
        x[i] /= g->factor[i][i];
    }
}

static void solve_up(const struct process *g, double x[KNOWN_MOST])
{
    for (int i = g->count; i-- > 0;) {
        for (int j = i + 1; j < g->count; j++)
            x[i] -= g->factor[j][i] * x[j];
        x[i] /= g->factor[i][i];
    }
}

/* A word that only one of two plans has makes likeness no true covariance: pivots have a floor. */
static void factorise(struct process *g, const struct tune_plan *plan)
{
    for (int i = 0; i < g->count; i++) {
        for (int j = 0; j <= i; j++) {
            double v = covariance(&g->words[g->plan[i]], &g->words[g->plan[j]]);
            if (i == j)
                v += error_of(&plan[g->plan[i]]) * error_of(&plan[g->plan[i]]);
            for (int k = 0; k < j; k++)
                v -= g->factor[i][k] * g->factor[j][k];
            g->factor[i][j] = i == j ? sqrt(fmax(v, base_error * base_error)) : v / g->factor[j][j];
        }
    }
}

static double expected(const struct process *g, const struct tune_plan *p,
                       const double likeness[KNOWN_MOST])
{
    double sum = expected_before(p);
    for (int i = 0; i < g->count; i++)
        sum += likeness[i] * g->weight[i];
    return sum;
}

static void liken(const struct process *g, size_t plan, double likeness[KNOWN_MOST])
{
    for (int i = 0; i < g->count; i++)
        likeness[i] = covariance(&g->words[plan], &g->words[g->plan[i]]);
}

static void learn(struct process *g, const struct tune_plan *plan, size_t count)
{
    double likeness[KNOWN_MOST];
    gather(g, plan, count);
    factorise(g, plan);
    for (int i = 0; i < g->count; i++)
        g->weight[i] = logarithm(&plan[g->plan[i]]) - expected_before(&plan[g->plan[i]]);
    solve_down(g, g->weight);
    solve_up(g, g->weight);
    g->best = INFINITY;
    for (int i = 0; i < g->count; i++) {
        liken(g, g->plan[i], likeness);
        g->best = fmin(g->best, expected(g, &plan[g->plan[i]], likeness));
    }
}

/* ---- what is worth a look -------------------------------------------------------------------- */

static double improvement(const struct process *g, const struct tune_plan *plan, size_t i)
{
    double likeness[KNOWN_MOST], variance = common * common + spread * spread;
    liken(g, i, likeness);
    double gain = g->best - expected(g, &plan[i], likeness);
    solve_down(g, likeness);
    for (int k = 0; k < g->count; k++)
        variance -= likeness[k] * likeness[k];
    double deviation = sqrt(fmax(variance, base_error * base_error)), z = gain / deviation;
    return gain * 0.5 * erfc(-z / sqrt(2)) + deviation * exp(-0.5 * z * z) / sqrt(2 * acos(-1));
}

size_t tune_model_next(const struct tune_plan *plan, size_t count)
{
    struct process *g = memory_take(sizeof *g);
    struct words *words = memory_take((count + 1) * sizeof *words);
    size_t best = count;
    double most = -INFINITY;
    for (size_t i = 0; words && i < count; i++)
        words[i] = read_words(plan[i].text);
    if (g && words) {
        g->words = words;
        learn(g, plan, count);
        for (size_t i = 0; i < count; i++) {
            if (!plan[i].own || plan[i].base || plan[i].rung >= 0)
                continue;
            double gain = improvement(g, plan, i);
            if (best == count || gain > most) {
                best = i;
                most = gain;
            }
        }
    }
    memory_free(words);
    memory_free(g);
    return best;
}
