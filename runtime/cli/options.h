/* options: the command line, read by one table for all commands.
 *
 * Each row of the table says which commands take the option, how its value is read and what it is
 * for; --help is printed from the same rows.
 */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include "runtime/cli/failure.h"

#include <stdbool.h>

enum command {
    COMMAND_RUN = 1 << 0,
    COMMAND_CHECK = 1 << 1,
    COMMAND_EXPLAIN = 1 << 2,
    COMMAND_CACHE = 1 << 3,
    COMMAND_TUNE = 1 << 4,
    COMMAND_BENCH = 1 << 5,
    COMMAND_COMPILE = 1 << 6,
    COMMAND_DB = 1 << 7,
};

struct options {
    char **argv; /* all that was read, options before words */
    char **word; /* what is no option: specs, or what `cache` and `db` shall do */
    size_t word_count;
    const char **define; /* "NAME=VALUE"; owned, the texts are argv's */
    size_t define_count;
    const char **arg; /* "NAME=FILE", likewise */
    size_t arg_count;

    const char *input, *weights, *bias, *residual, *output; /* files; NULL: none */
    const char *report, *benchmark_out;                     /* files; NULL: none */
    const char *peers;                                      /* NULL: all */
    const char *directory;                                  /* NULL: none */
    const char *emit, *prefix, *optimize;                   /* NULL: the default */
    const char *library, *depfile;                          /* NULL: none */
    const char *db;                                         /* NULL: none */
    const char *plan;                                       /* NULL: the best that is known */
    const char *target;                                     /* NULL: this machine */
    const char *shard;                                      /* NULL: none */
    double tolerance;                                       /* NAN: what the spec says */
    int64_t threads;                                        /* 0: all */
    int64_t random, first;                                  /* problems to draw, from which on */
    int64_t trials;                                         /* 0: the default */
    double budget, patience;                                /* seconds; 0: the default */
    int64_t seed;
    int32_t show; /* CONVC_SHOW_* */
    bool all_plans, calibrate, dry_run, hidden, no_cache, no_timing, json, help, quiet;
};

/* Reads what follows the command's name. argv[0] is the command. Free with options_free, whatever
 * the outcome. */
enum exit_code options_read(enum command command, int argc, char **argv, struct options *o,
                            struct failure *f);
void options_free(struct options *o);

/* The options of a command, one a line, to standard output. */
void options_help(enum command command);

/* The number of threads that "all" stands for. */
int options_threads(const struct options *o);

#endif
