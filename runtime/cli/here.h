/* here: where this executable lies. */
#ifndef CLI_HERE_H
#define CLI_HERE_H

#include <stdbool.h>
#include <stddef.h>

/* Its directory; false where the system does not tell. */
bool here_directory(char *path, size_t size);

/* A program of convc's own, such as "convc-bench": beside this executable, in the build tree's
 * bench/, or in libexec. False where it is in none of them. */
bool here_program(const char *name, char *path, size_t size);

#endif
