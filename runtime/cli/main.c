/* convc: the command line.
 *
 * Data goes to standard output, talk to standard error. Exit codes: failure.h.
 */
#include "runtime/cli/command.h"

#include <stdio.h>
#include <string.h>

struct entry {
    const char *name;
    enum command command;
    enum exit_code (*run)(const struct options *o, struct failure *f);
    const char *usage, *help;
};

static const struct entry entries[] = {
    { "run", COMMAND_RUN, cmd_run, "SPEC... [OPTION...]",
      "compiles and executes; prints a table of layers" },
    { "check", COMMAND_CHECK, cmd_check, "[SPEC...] [OPTION...]",
      "every kernel against the reference" },
    { "explain", COMMAND_EXPLAIN, cmd_explain, "SPEC... [OPTION...]",
      "what would be done and why" },
    { "compile", COMMAND_COMPILE, cmd_compile, "SPEC... -o DIR [OPTION...]",
      "static kernels: a header and a library" },
    { "bench", COMMAND_BENCH, cmd_bench, "SPEC... [OPTION...]",
      "measures, turn by turn with other libraries" },
    { "cache", COMMAND_CACHE, cmd_cache, "list | verify | prune | clear [OPTION...]",
      "looks after the disk cache" },
    { "db", COMMAND_DB, cmd_db, "list | merge | export | import DB... [OPTION...]",
      "looks after tuning databases" },
    { "tune", COMMAND_TUNE, cmd_tune, "SPEC... --db FILE [OPTION...]",
      "measures plans and keeps what it finds" },
};

enum { ENTRIES = sizeof entries / sizeof entries[0] };

static void print_help(void)
{
    printf("convc compiles convolutions to machine code.\n\n");
    for (int i = 0; i < ENTRIES; i++)
        printf("  convc %-8s %-42s %s\n", entries[i].name, entries[i].usage, entries[i].help);
    printf("\nSPEC is a Lua file, - for standard input, or a problem in benchdnn's notation.\n"
           "convc COMMAND --help lists the options of a command.\n"
           "Exit: 0 fine, 1 a check failed, 2 usage or a bad spec, 3 the system failed.\n");
}

static void print_command_help(const struct entry *e)
{
    printf("convc %s %s\n%s\n\n", e->name, e->usage, e->help);
    options_help(e->command);
}

static enum exit_code run_entry(const struct entry *e, int argc, char **argv, struct failure *f)
{
    struct options o;
    enum exit_code code = options_read(e->command, argc, argv, &o, f);
    if (code == EXIT_FINE && o.help)
        print_command_help(e);
    else if (code == EXIT_FINE)
        code = e->run(&o, f);
    options_free(&o);
    return code;
}

static enum exit_code dispatch(int argc, char **argv, struct failure *f)
{
    const char *name = argc > 1 ? argv[1] : "";
    if (!strcmp(name, "--help") || !strcmp(name, "-h") || !strcmp(name, "help")) {
        print_help();
        return EXIT_FINE;
    }
    if (!strcmp(name, "--version")) {
        printf("convc %d.%d.%d\n", CONVC_VERSION_MAJOR, CONVC_VERSION_MINOR, CONVC_VERSION_PATCH);
        return EXIT_FINE;
    }
    for (int i = 0; i < ENTRIES; i++)
        if (!strcmp(name, entries[i].name))
            return run_entry(&entries[i], argc - 1, argv + 1, f);
    if (!name[0])
        return fail(f, EXIT_USAGE, "a command is missing; see convc --help");
    return fail(f, EXIT_USAGE, "%s is no command; see convc --help", name);
}

int main(int argc, char **argv)
{
    struct failure f = { 0 };
    enum exit_code code = dispatch(argc, argv, &f);
    if ((fflush(stdout) || ferror(stdout)) && code < EXIT_USAGE)
        code = fail(&f, EXIT_SYSTEM, "standard output cannot be written");
    if (f.text[0])
        fprintf(stderr, "convc: %s\n", f.text);
    return code;
}
