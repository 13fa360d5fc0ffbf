/* measurer_child: a program that is talked to line by line over a socket, its standard input and
 * output.
 *
 * What it writes to standard error is kept in memory, to be quoted where it ends. Stands on: text,
 * clock, POSIX.
 */
#ifndef RUNTIME_MEASURER_CHILD_H
#define RUNTIME_MEASURER_CHILD_H

#include "gen/base/text.h"

#include <stdbool.h>
#include <sys/types.h>

/* All zero: there is none. */
struct child {
    pid_t pid;
    int socket;
    int said;        /* a file in memory with its standard error */
    struct text in;  /* what came from it                        */
    size_t consumed; /* of `in`                                  */
};

/* Runs the program at the path argv[0] in a process group of its own. Returns an errno. */
int child_start(struct child *c, char *const argv[]);

/* Kills what is left of it, and adds to *why, which may be NULL, how it ended: "convc-measure
 * crashed with SIGSEGV" and what it said. Fine where there is none. */
void child_end(struct child *c, struct text *why);

/* Has it ended by itself? While nothing is expected from it. */
bool child_has_ended(const struct child *c);

/* STOPPED is the caller's. */
enum heard { HEARD, ENDED, SILENT, NO_MEMORY, STOPPED };

/* Sends bytes; SILENT where it does not take them for so many seconds. */
enum heard child_tell(const struct child *c, const char *bytes, size_t count, double patience);

/* Takes the next line, which lives until the next call; SILENT where there is none for so many
 * seconds, and may still come. */
enum heard child_hear(struct child *c, double patience, char **line);

#endif
