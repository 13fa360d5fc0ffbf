#include "runtime/cli/here.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

bool here_directory(char *path, size_t size)
{
    ssize_t length = readlink("/proc/self/exe", path, size - 1);
    if (length <= 0)
        return false;
    path[length] = 0;
    char *slash = strrchr(path, '/');
    if (slash)
        *slash = 0;
    return slash != NULL;
}

bool here_program(const char *name, char *path, size_t size)
{
    static const char *const places[] = { "", "bench/", CONVC_LIBEXEC_FROM_BIN "/convc/" };
    char directory[4096];
    if (!here_directory(directory, sizeof directory))
        return false;
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        snprintf(path, size, "%s/%s%s", directory, places[i], name);
        if (!access(path, X_OK))
            return true;
    }
    return false;
}
