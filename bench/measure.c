/* convc-measure: the process in which plans are compiled, checked and timed, so that one which
 * crashes or hangs takes nothing else with it.
 *
 *     convc-measure [--target TRIPLE:CPU[+feature...]] [--threads N]       one thread by default
 *
 * Reads requests on standard input, a line each, of any length; answers on standard output, a line
 * each, at once. Ends with standard input, and with the process that started it.
 *
 *     version             ok 0.1.0
 *     problem TEXT        ok | failed WHY         forgets the problem of before, and its plans
 *     plan SLOT TEXT      ok | refused WHY | wrong WHY | failed WHY          SLOT is 0 to 15
 *     race ROUNDS MILLISECONDS SLOT...            "round SECONDS..." for each round, then "done";
 *                         | failed WHY
 *
 * TEXT is a problem in benchdnn's notation with convc's additions, and a plan as convc explain
 * prints it. A plan that is refused does not fit, or cannot be had; one that is wrong computes
 * something else than the reference, and WHY has the output. A round gives each slot a turn of so
 * many milliseconds, timed by Google Benchmark; SECONDS are the mean of its runs, 0.2 ms as
 * 200000000e-12, which reads the same in every locale.
 */
#include "bench/huge_pages.h"
#include "bench/measure_parent.h"
#include "bench/measure_plans.h"

#include <ctype.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { ROUNDS_MAX = 1000 * 1000, THREADS_MAX = 1024 };

/* ---- answers -------------------------------------------------------------------------------- */

/* A sentence stays one line whatever it quotes. */
static void answer(const char *word, const char *sentence)
{
    fputs(word, stdout);
    if (sentence[0])
        putchar(' ');
    for (const char *s = sentence; *s; s++)
        putchar(iscntrl((unsigned char)*s) ? ' ' : *s);
    putchar('\n');
    fflush(stdout);
}

static void answer_code(enum exit_code code, const struct failure *f)
{
    if (code)
        answer("failed", f->text);
    else
        answer("ok", "");
}

/* ---- words and numbers ---------------------------------------------------------------------- */

/* Cuts the first word off; what follows it begins behind one blank. */
static char *next_word(char **rest)
{
    char *word = *rest, *end = word + strcspn(word, " ");
    *rest = *end ? end + 1 : end;
    *end = '\0';
    return word;
}

static bool read_int(const char *text, int least, int most, int *value)
{
    char *end;
    long v = isdigit((unsigned char)text[0]) ? strtol(text, &end, 10) : LONG_MIN;
    if (v < least || v > most || *end)
        return false;
    *value = (int)v;
    return true;
}

static bool read_slot(const char *text, int *slot, struct failure *f)
{
    if (read_int(text, 0, MEASURE_SLOTS - 1, slot))
        return true;
    fail(f, EXIT_USAGE, "slot %.40s is not within 0 to %d", text, MEASURE_SLOTS - 1);
    return false;
}

/* ---- requests: each takes what follows its word --------------------------------------------- */

static void on_version(struct measure *m, char *rest)
{
    char text[40];
    snprintf(text, sizeof text, "%d.%d.%d", CONVC_VERSION_MAJOR, CONVC_VERSION_MINOR,
             CONVC_VERSION_PATCH);
    answer("ok", text);
}

static void on_problem(struct measure *m, char *rest)
{
    struct failure f = { 0 };
    enum exit_code code = measure_problem(m, rest, &f);
    answer_code(code, &f);
}

static void on_plan(struct measure *m, char *rest)
{
    static const char *const words[] = { "ok", "refused", "wrong", "failed" };
    struct failure f = { 0 };
    int slot;
    enum measure_outcome outcome = MEASURE_FAILED;
    if (read_slot(next_word(&rest), &slot, &f))
        outcome = measure_plan(m, slot, rest, &f);
    answer(words[outcome], f.text);
}

struct race {
    int rounds;
    double turn_seconds;
    int slot[MEASURE_SLOTS], count;
};

static enum exit_code read_race(const struct measure *m, char *rest, struct race *r,
                                struct failure *f)
{
    char *end, *word = next_word(&rest);
    *r = (struct race){ 0 };
    if (!read_int(word, 1, ROUNDS_MAX, &r->rounds))
        return fail(f, EXIT_USAGE, "%.40s rounds are not within 1 to %d", word, ROUNDS_MAX);
    word = next_word(&rest);
    r->turn_seconds = strtod(word, &end) * 1e-3;
    if (end == word || *end || !(r->turn_seconds > 0 && r->turn_seconds <= 1000))
        return fail(f, EXIT_USAGE, "%.40s milliseconds are not above 0 and at most 1e6", word);
    do {
        if (r->count == MEASURE_SLOTS)
            return fail(f, EXIT_USAGE, "a race has at most %d slots", MEASURE_SLOTS);
        if (!read_slot(next_word(&rest), &r->slot[r->count], f))
            return EXIT_USAGE;
        if (!m->slot[r->slot[r->count]].x.kernel)
            return fail(f, EXIT_USAGE, "slot %d has no plan", r->slot[r->count]);
        r->count++;
    } while (*rest);
    return EXIT_FINE;
}

static void answer_round(const double *seconds, int count)
{
    fputs("round", stdout);
    for (int i = 0; i < count; i++)
        printf(" %.0fe-12", seconds[i] * 1e12);
    putchar('\n');
    fflush(stdout);
}

static void on_race(struct measure *m, char *rest)
{
    struct race r;
    struct failure f = { 0 };
    double seconds[MEASURE_SLOTS];
    enum exit_code code = read_race(m, rest, &r, &f);
    if (code) {
        answer("failed", f.text);
        return;
    }
    for (int round = 0; code == EXIT_FINE && round < r.rounds; round++) {
        code = measure_round(m, r.slot, r.count, round, r.turn_seconds, seconds, &f);
        if (code == EXIT_FINE)
            answer_round(seconds, r.count);
    }
    if (code == EXIT_FINE)
        code = measure_rounds_end(m, &f);
    answer(code ? "failed" : "done", f.text);
}

static void on_line(struct measure *m, char *line)
{
    static const struct {
        const char *word;
        void (*on)(struct measure *m, char *rest);
    } requests[] = { { "version", on_version },
                     { "problem", on_problem },
                     { "plan", on_plan },
                     { "race", on_race } };
    char *rest = line, *word = next_word(&rest);
    struct failure f;
    for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++) {
        if (!strcmp(word, requests[i].word)) {
            requests[i].on(m, rest);
            return;
        }
    }
    fail(&f, EXIT_USAGE, "%.40s is no request, which are version, problem, plan and race", word);
    answer("failed", f.text);
}

/* False where memory ran out. */
static bool serve(struct measure *m)
{
    char *line = NULL;
    size_t room = 0;
    for (ssize_t n; (n = getline(&line, &room, stdin)) > 0;) {
        n -= line[n - 1] == '\n';
        line[n] = '\0';
        if (strlen(line) == (size_t)n)
            on_line(m, line);
        else
            answer("failed", "a byte of the request is 0, which no text has");
    }
    free(line);
    return feof(stdin);
}

/* ---- the program ---------------------------------------------------------------------------- */

static enum exit_code read_options(int argc, char **argv, const char **target, int *threads,
                                   struct failure *f)
{
    static const struct option longs[] = { { "target", required_argument, NULL, 't' },
                                           { "threads", required_argument, NULL, 'n' },
                                           { 0 } };
    static const char usage[] = "usage: convc-measure [--target T] [--threads N]";
    opterr = 0;
    for (int c; (c = getopt_long(argc, argv, "", longs, NULL)) != -1;) {
        if (c == 't')
            *target = optarg;
        else if (c != 'n')
            return fail(f, EXIT_USAGE, usage);
        else if (!read_int(optarg, 1, THREADS_MAX, threads))
            return fail(f, EXIT_USAGE, "--threads=%.40s is not within 1 to %d", optarg,
                        THREADS_MAX);
    }
    return optind < argc ? fail(f, EXIT_USAGE, usage) : EXIT_FINE;
}

/* Crashes are to be expected: they leave no file behind, wherever this was called. And no file can
 * be meant where a problem is. */
static enum exit_code settle_down(struct failure *f)
{
    const struct rlimit none = { 0, 0 };
    setrlimit(RLIMIT_CORE, &none);
    measure_end_with_parent();
    return chdir("/") ? fail(f, EXIT_SYSTEM, "/ cannot be entered") : EXIT_FINE;
}

int main(int argc, char **argv)
{
    struct measure m = { 0 };
    struct failure f = { 0 };
    const char *target = NULL;
    int threads = 1;
    huge_pages_begin(argv);
    enum exit_code code = read_options(argc, argv, &target, &threads, &f);
    if (code == EXIT_FINE)
        code = settle_down(&f);
    if (code == EXIT_FINE)
        code = measure_open(target, threads, &m, &f);
    if (code == EXIT_FINE && !serve(&m))
        code = fail(&f, EXIT_SYSTEM, "standard input cannot be read");
    measure_close(&m);
    if (f.text[0])
        fprintf(stderr, "convc-measure: %s\n", f.text);
    return code;
}
