/* here: where this executable lies. */
#ifndef CLI_HERE_H
#define CLI_HERE_H

#include <stdbool.h>
#include <stddef.h>

/* Its directory; false where the system does not tell. */
bool here_directory(char *path, size_t size);

#endif
