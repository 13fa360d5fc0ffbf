#include "runtime/cli/options.h"

#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum kind { FLAG, TEXT, WHOLE, REAL, DEFINE, ARG, SHOW };

struct row {
    const char *name;
    char letter; /* or 0 */
    int commands;
    enum kind kind;
    size_t offset; /* of its member in struct options */
    const char *value, *help;
};

#define ALL_RUNS   (COMMAND_RUN | COMMAND_CHECK | COMMAND_EXPLAIN | COMMAND_BENCH)
#define ALL_SPECS  (ALL_RUNS | COMMAND_COMPILE)
#define ALL_TUNED  (ALL_SPECS | COMMAND_TUNE)
#define SOME_SPECS (ALL_TUNED | COMMAND_DB)
#define ALL_DATA   (COMMAND_RUN | COMMAND_CHECK | COMMAND_BENCH)
#define AT(member) offsetof(struct options, member)

static const struct row rows[] = {
    { "input", 0, COMMAND_RUN, TEXT, AT(input), "FILE",
      "the input: .npy, or .png (sets H, W and C)" },
    { "weights", 0, COMMAND_RUN, TEXT, AT(weights), "FILE", "the weights: .npy" },
    { "bias", 0, COMMAND_RUN, TEXT, AT(bias), "FILE", "the bias: .npy" },
    { "residual", 0, COMMAND_RUN, TEXT, AT(residual), "FILE", "the residual: .npy" },
    { "arg", 0, COMMAND_RUN, ARG, 0, "NAME=FILE", "an argument of the epilogue: .npy" },
    { "output", 0, COMMAND_RUN, TEXT, AT(output), "FILE", "writes the output: .npy or .png" },
    { "no-timing", 0, COMMAND_RUN, FLAG, AT(no_timing), NULL, "runs once and times nothing" },
    { "all-plans", 0, COMMAND_CHECK, FLAG, AT(all_plans), NULL, "every plan, not only the best" },
    { "random", 0, COMMAND_CHECK, WHOLE, AT(random), "N", "draws N problems more" },
    { "first", 0, COMMAND_CHECK, WHOLE, AT(first), "I",
      "begins with random problem I of the seed (default 0)" },
    { "seed", 0, ALL_DATA, WHOLE, AT(seed), "S", "seed of problems and data (default 1)" },
    { "show", 0, COMMAND_EXPLAIN, SHOW, AT(show), "LIST",
      "of problem,plan,ir,asm (default problem,plan)" },
    { "peers", 0, COMMAND_BENCH, TEXT, AT(peers), "LIST",
      "of onednn,xnnpack,openblas,onnxruntime,opencv; memcpy; or none" },
    { "report", 0, COMMAND_BENCH | COMMAND_TUNE, TEXT, AT(report), "FILE", "writes an HTML page" },
    { "benchmark-out", 0, COMMAND_BENCH, TEXT, AT(benchmark_out), "FILE",
      "writes Google Benchmark's JSON" },
    { "output-directory", 'o', COMMAND_COMPILE, TEXT, AT(directory), "DIR",
      "where the files go; made where it is missing" },
    { "emit", 0, COMMAND_COMPILE, TEXT, AT(emit), "LIST",
      "of obj,asm,ir,bc,header,lib (default header,lib)" },
    { "prefix", 0, COMMAND_COMPILE, TEXT, AT(prefix), "TEXT", "in front of every name in C" },
    { "library", 0, COMMAND_COMPILE, TEXT, AT(library), "NAME",
      "one header and one library NAME for all specs" },
    { "depfile", 0, COMMAND_COMPILE, TEXT, AT(depfile), "FILE",
      "writes what was read, for Make and Ninja" },
    { "optimize", 0, COMMAND_COMPILE, TEXT, AT(optimize), "WHAT", "speed (the default) or size" },
    { "quiet", 0, COMMAND_COMPILE, FLAG, AT(quiet), NULL, "does not list the files" },
    { "hidden", 0, COMMAND_COMPILE, FLAG, AT(hidden), NULL,
      "symbols are not exported from shared libraries" },
    { "calibrate", 0, COMMAND_TUNE, FLAG, AT(calibrate), NULL,
      "measures the machine's ceilings for the cost model" },
    { "trials", 0, COMMAND_TUNE, WHOLE, AT(trials), "N",
      "plans tried of a convolution, those in the database included (default 40)" },
    { "budget", 0, COMMAND_TUNE, REAL, AT(budget), "SECONDS", "for all convolutions together" },
    { "patience", 0, COMMAND_TUNE, REAL, AT(patience), "SECONDS",
      "for a plan to compile before it counts as hung (default 30)" },
    { "shard", 0, COMMAND_TUNE, TEXT, AT(shard), "I/N",
      "measures part I of N; auto: what Slurm, an MPI or GNU parallel says; auto/N" },
    { "dry-run", 0, COMMAND_TUNE, FLAG, AT(dry_run), NULL, "lists the plans, measures nothing" },
    { "define", 'D', SOME_SPECS, DEFINE, 0, "NAME=VALUE", "sets a parameter of the specs" },
    { "plan", 0, ALL_SPECS, TEXT, AT(plan), "TEXT", "forces this plan" },
    { "target", 0, ALL_TUNED, TEXT, AT(target), "TARGET", "TRIPLE:CPU[+feature...], or CPU" },
    { "tolerance", 0, SOME_SPECS, REAL, AT(tolerance), "X", "instead of the spec's own" },
    { "threads", 0, ALL_SPECS | COMMAND_CACHE, WHOLE, AT(threads), "N", "default: all" },
    { "db", 0, ALL_SPECS, TEXT, AT(db), "FILE", "a tuning database: takes the plans that won" },
    { "db", 0, COMMAND_TUNE, TEXT, AT(db), "FILE",
      "where measurements are kept; %r in it becomes the number of the shard" },
    { "no-cache", 0, ALL_RUNS, FLAG, AT(no_cache), NULL, "leaves the disk cache alone" },
    { "json", 0, ALL_RUNS | COMMAND_CACHE | COMMAND_TUNE | COMMAND_DB, FLAG, AT(json), NULL,
      "one JSON object a line" },
    { "help", 'h', SOME_SPECS | COMMAND_CACHE | COMMAND_TUNE, FLAG, AT(help), NULL, "prints this" },
};

enum { ROWS = sizeof rows / sizeof rows[0] };

void options_help(enum command command)
{
    for (int i = 0; i < ROWS; i++) {
        const struct row *r = &rows[i];
        if (!(r->commands & command))
            continue;
        char left[64];
        char letter[8] = "    ";
        if (r->letter)
            snprintf(letter, sizeof letter, "-%c, ", r->letter);
        snprintf(left, sizeof left, "%s--%s%s%s", letter, r->name, r->value ? " " : "",
                 r->value ? r->value : "");
        printf("  %-28s %s\n", left, r->help);
    }
}

static enum exit_code read_whole(const struct row *r, const char *text, int64_t *out,
                                 struct failure *f)
{
    char *end;
    errno = 0;
    long long v = strtoll(text, &end, 10);
    bool number = end != text && !*end;
    if (number && r->offset == AT(threads) && (v < 1 || v > 1024))
        return fail(f, EXIT_USAGE, "--threads=%s is not within 1 to 1024", text);
    if (number && r->offset == AT(trials) && v < 1)
        return fail(f, EXIT_USAGE, "--trials=%s is not at least 1", text);
    if (!number || errno || v < 0)
        return fail(f, EXIT_USAGE, "--%s=%s is not a whole number from 0 to 2^63-1", r->name, text);
    *out = v;
    return EXIT_FINE;
}

static enum exit_code read_real(const struct row *r, const char *text, double *out,
                                struct failure *f)
{
    char *end;
    double v = strtod(text, &end);
    if (end == text || *end || !isfinite(v) || v < 0)
        return fail(f, EXIT_USAGE, "--%s=%s is not a number from 0", r->name, text);
    if (v == 0 && (r->offset == AT(budget) || r->offset == AT(patience)))
        return fail(f, EXIT_USAGE, "--%s=%s is not above 0", r->name, text);
    *out = v;
    return EXIT_FINE;
}

/* One more "NAME=...". */
static enum exit_code read_pair(const char *option, const char *what, const char *text,
                                const char ***list, size_t *count, struct failure *f)
{
    const char *equals = strchr(text, '=');
    if (!equals || equals == text)
        return fail(f, EXIT_USAGE, "%s %s is not %s", option, text, what);
    const char **more = realloc(*list, (*count + 1) * sizeof *more);
    if (!more)
        return fail_memory(f);
    *list = more;
    (*list)[(*count)++] = text;
    return EXIT_FINE;
}

static enum exit_code read_show(const char *text, int32_t *out, struct failure *f)
{
    static const char *const names[] = { "problem", "plan", "ir", "asm" };
    static const int32_t bits[] = { CONVC_SHOW_PROBLEM, CONVC_SHOW_PLAN, CONVC_SHOW_IR,
                                    CONVC_SHOW_ASM };
    *out = 0;
    for (const char *p = text;;) {
        size_t length = strcspn(p, ",");
        int i = 0;
        while (i < 4 && !(strlen(names[i]) == length && !strncmp(p, names[i], length)))
            i++;
        if (i == 4)
            return fail(f, EXIT_USAGE, "--show=%s is not a list of problem, plan, ir and asm",
                        text);
        *out |= bits[i];
        if (!p[length])
            return EXIT_FINE;
        p += length + 1;
    }
}

static enum exit_code read_value(const struct row *r, const char *text, struct options *o,
                                 struct failure *f)
{
    char *member = (char *)o + r->offset;
    switch (r->kind) {
    case FLAG: *(bool *)member = true; return EXIT_FINE;
    case TEXT: *(const char **)member = text; return EXIT_FINE;
    case WHOLE: return read_whole(r, text, (int64_t *)member, f);
    case REAL: return read_real(r, text, (double *)member, f);
    case DEFINE: return read_pair("-D", r->value, text, &o->define, &o->define_count, f);
    case ARG: return read_pair("--arg", r->value, text, &o->arg, &o->arg_count, f);
    case SHOW: return read_show(text, (int32_t *)member, f);
    }
    return EXIT_FINE;
}

/* The rows of one command in getopt's terms; val is the row's index behind all letters. */
static void getopt_table(enum command command, struct option *longs, char *letters)
{
    *letters++ = ':'; /* getopt shall tell a missing value from an unknown option */
    for (int i = 0; i < ROWS; i++) {
        const struct row *r = &rows[i];
        if (!(r->commands & command))
            continue;
        *longs++ = (struct option){ r->name, r->kind == FLAG ? no_argument : required_argument,
                                    NULL, 256 + i };
        if (r->letter) {
            *letters++ = r->letter;
            if (r->kind != FLAG)
                *letters++ = ':';
        }
    }
    *longs = (struct option){ 0 };
    *letters = 0;
}

static const struct row *row_of(int c)
{
    for (int i = 0; i < ROWS; i++)
        if (c == 256 + i || (c == rows[i].letter && c))
            return &rows[i];
    return NULL;
}

enum exit_code options_read(enum command command, int argc, char **argv, struct options *o,
                            struct failure *f)
{
    struct option longs[ROWS + 1];
    char letters[3 * ROWS];
    *o = (struct options){ .tolerance = NAN,
                           .seed = 1,
                           .show = CONVC_SHOW_PROBLEM | CONVC_SHOW_PLAN };
    getopt_table(command, longs, letters);

    opterr = 0;
    optind = 0; /* glibc: start anew */
    for (int c; (c = getopt_long(argc, argv, letters, longs, NULL)) != -1;) {
        const char *word = argv[optind - 1];
        if (c == '?')
            return fail(f, EXIT_USAGE, "%s knows no option %s; see convc %s --help", argv[0], word,
                        argv[0]);
        if (c == ':')
            return fail(f, EXIT_USAGE, "%s needs a value; see convc %s --help", word, argv[0]);
        enum exit_code code = read_value(row_of(c), optarg, o, f);
        if (code)
            return code;
    }
    o->argv = argv;
    o->word = argv + optind;
    o->word_count = (size_t)(argc - optind);
    return EXIT_FINE;
}

void options_free(struct options *o)
{
    free(o->define);
    free(o->arg);
    o->define = o->arg = NULL;
}

int options_threads(const struct options *o)
{
    cpu_set_t set;
    if (o->threads)
        return (int)o->threads;
    if (sched_getaffinity(0, sizeof set, &set))
        return 1;
    return CPU_COUNT(&set);
}
