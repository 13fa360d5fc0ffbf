/* A command line, word by word, one a line: its options are read, and commands that write no file
 * that they are told to are run, in an empty directory. Words that name other places are none. */
#include "runtime/cli/command.h"
#include "tests/fuzz/fuzz.h"
#include "tests/support/support.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum { WORDS = 24 };

static const struct command_line {
    const char *name;
    enum command command;
    enum exit_code (*run)(const struct options *o, struct failure *f); /* NULL: options alone */
} commands[] = {
    { "run", COMMAND_RUN, NULL },
    { "check", COMMAND_CHECK, NULL },
    { "explain", COMMAND_EXPLAIN, cmd_explain },
    { "cache", COMMAND_CACHE, cmd_cache },
    { "tune", COMMAND_TUNE, NULL },
    { "bench", COMMAND_BENCH, NULL },
    { "compile", COMMAND_COMPILE, NULL },
    { "db", COMMAND_DB, cmd_db },
};
enum { COMMANDS = sizeof commands / sizeof *commands };

/* Nothing on standard input, no standard output, and a cache in a directory that is not there. */
static void settle(void)
{
    static bool settled;
    int nowhere = settled ? -1 : open("/dev/null", O_RDWR);
    if (settled)
        return;
    FACT(nowhere >= 0 && dup2(nowhere, STDIN_FILENO) == STDIN_FILENO, "/dev/null");
    FACT(dup2(nowhere, STDOUT_FILENO) == STDOUT_FILENO, "/dev/null");
    FACT(!setenv("XDG_CACHE_HOME", "/nowhere", 1), "no memory");
    settled = true;
}

/* Enters a new directory, and leaves it behind in the descriptor's, without it. */
static int enter(struct test_dir *dir)
{
    int back = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    test_dir_create(dir);
    FACT(back >= 0 && !chdir(dir->path), "%s", dir->path);
    return back;
}

static void leave(int back, struct test_dir *dir)
{
    FACT(!fchdir(back), "the way back");
    close(back);
    test_dir_remove(dir);
}

static void run(const struct command_line *c, int argc, char **argv)
{
    struct options o;
    struct failure f = { 0 };
    enum exit_code code = options_read(c->command, argc, argv, &o, &f);
    /* Code is not emitted: that takes LLVM its time, and is no matter of the command line. */
    bool fast = !(o.show & (CONVC_SHOW_IR | CONVC_SHOW_ASM));
    if (code == EXIT_FINE && o.help)
        options_help(c->command);
    else if (code == EXIT_FINE && c->run && fast)
        code = c->run(&o, &f);
    FACT(code == EXIT_FINE || code == EXIT_CHECK || f.text[0], "a failure without a sentence");
    options_free(&o);
}

void fuzz_one(const uint8_t *bytes, size_t size)
{
    char *text = fuzz_text(bytes, size), *rest = NULL, *argv[WORDS + 1] = { NULL };
    int argc = 0;
    struct test_dir dir;
    settle();
    int back = enter(&dir);
    if (!strchr(text, '/') && !strstr(text, "..")) {
        for (char *word = strtok_r(text, "\n", &rest); word && argc < WORDS;
             word = strtok_r(NULL, "\n", &rest))
            argv[argc++] = word;
    }
    for (int i = 0; argc && i < COMMANDS; i++)
        if (!strcmp(argv[0], commands[i].name))
            run(&commands[i], argc, argv);
    fflush(stdout);
    leave(back, &dir);
    free(text);
}
