/* verbose: what convc does, a line each on standard error, where CONVC_VERBOSE asks for it.
 *
 * A line is CSV (RFC 4180) and is written at once, so that threads do not mix:
 *
 *     convc_verbose,v1,STAGE,WHAT,ALGORITHM,PLAN,NUMBER,REASON,PROBLEM,MS
 *
 * Stands on: text, object (for the version of LLVM).
 */
#ifndef RUNTIME_VERBOSE_H
#define RUNTIME_VERBOSE_H

#include <stdbool.h>
#include <stdint.h>

enum verbose_stage {
    VERBOSE_CHECK = 1 << 0,    /* a call refused what it was given, or failed */
    VERBOSE_DISPATCH = 1 << 1, /* a plan was chosen                           */
    VERBOSE_COMPILE = 1 << 2,  /* a kernel was found or made                  */
    VERBOSE_EXEC = 1 << 3,     /* a kernel ran                                */
};

/* Is it asked for? One load where it is not. */
bool verbose_on(enum verbose_stage stage);

/* NULL, and numbers below 0, leave a field empty. */
struct verbose {
    enum verbose_stage stage;
    const char *what, *algorithm, *plan;
    int64_t number;
    const char *reason, *problem;
    double ms;
};
void verbose_line(const struct verbose *v);

/* "convc_verbose,v1,info," and the text, where anything is asked for. */
void verbose_info(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
