/* failure: how a command ends, and the one sentence that says why.
 *
 * Functions of the command line return an exit code and, unless it is EXIT_FINE, have written a
 * sentence without prefix and without newline; main prints it to standard error.
 */
#ifndef CLI_FAILURE_H
#define CLI_FAILURE_H

#include <convc/convc.h>

enum exit_code {
    EXIT_FINE = 0,
    EXIT_CHECK = 1,  /* a check failed: the lines are on standard output already */
    EXIT_USAGE = 2,  /* the command line, a spec or a file that it names          */
    EXIT_SYSTEM = 3, /* the machine or the system failed                          */
};

struct failure {
    char text[640];
};

/* Records the sentence and returns `code`, for `return fail(...)`. */
enum exit_code fail(struct failure *f, enum exit_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* What a status of the library stands for. */
enum exit_code exit_code_of(enum convc_status status);

/* The last failure of the library in this thread, with the exit code that its status stands for. */
enum exit_code fail_status(struct failure *f, enum convc_status status);

enum exit_code fail_memory(struct failure *f);

#endif
