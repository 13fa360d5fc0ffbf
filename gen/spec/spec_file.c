#include "gen/spec/spec_file.h"

#include "gen/spec/spec_sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Where the installed library of specs lies. */
#ifndef CONVC_SPEC_LIB
#define CONVC_SPEC_LIB "/usr/local/share/convc/specs/lib"
#endif

static enum convc_status open_regular(const char *path, const char *name, int *fd, struct diag *d)
{
    struct stat st;
    *fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    if (*fd < 0)
        return diag_fail(d, CONVC_ERR_IO, "%s: %s", name, strerror(errno));
    if (fstat(*fd, &st) == 0 && S_ISREG(st.st_mode))
        return CONVC_OK;
    close(*fd);
    return diag_fail(d, CONVC_ERR_IO, "%s: is no regular file", name);
}

static enum convc_status read_all(int fd, const char *name, char *to, size_t *bytes, struct diag *d)
{
    for (*bytes = 0; *bytes <= SANDBOX_SOURCE;) {
        ssize_t n = read(fd, to + *bytes, SANDBOX_SOURCE + 1 - *bytes);
        if (n == 0)
            break;
        if (n > 0)
            *bytes += (size_t)n;
        else if (errno != EINTR)
            return diag_fail(d, CONVC_ERR_IO, "%s: %s", name, strerror(errno));
    }
    if (*bytes > SANDBOX_SOURCE)
        return diag_fail(d, CONVC_ERR_SPEC, "%s: is longer than %d bytes", name, SANDBOX_SOURCE);
    to[*bytes] = '\0';
    if (strlen(to) != *bytes)
        return diag_fail(d, CONVC_ERR_SPEC, "%s: byte %zu is 0, which no text has", name,
                         strlen(to) + 1);
    return CONVC_OK;
}

enum convc_status file_read(struct arena *a, const char *path, const char *name, char **text,
                            size_t *bytes, struct diag *d)
{
    bool standard = strcmp(path, "-") == 0;
    int fd = STDIN_FILENO;
    *text = arena_alloc(a, SANDBOX_SOURCE + 2);
    if (!*text)
        return diag_memory(d);
    if (!standard && open_regular(path, name, &fd, d) != CONVC_OK)
        return d->status;
    enum convc_status st = read_all(fd, name, *text, bytes, d);
    if (!standard)
        close(fd);
    return st;
}

enum convc_status file_note(struct arena *a, const char *path, struct spec_file **list,
                            struct diag *d)
{
    if (strcmp(path, "-") == 0)
        return CONVC_OK;
    while (*list && strcmp((*list)->path, path) != 0)
        list = &(*list)->next;
    if (*list)
        return CONVC_OK;
    struct spec_file *file = arena_alloc(a, sizeof *file);
    const char *copy = arena_strdup(a, path);
    if (!file || !copy)
        return diag_memory(d);
    file->path = copy;
    *list = file;
    return CONVC_OK;
}

/* The length of "dir/" in "dir/file". */
static int directory_length(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? (int)(slash + 1 - path) : 0;
}

static bool found(const char *path, int written, size_t size)
{
    return written > 0 && (size_t)written < size && access(path, F_OK) == 0;
}

bool file_of_module(const struct spec_source *source, const char *module, char *path, size_t size)
{
    if (source->lib_dir)
        return found(path, snprintf(path, size, "%s/%s.lua", source->lib_dir, module), size);

    bool file = source->path && strcmp(source->path, "-") != 0;
    const char *spec = file ? source->path : "specs/";
    int n = directory_length(spec);
    return found(path, snprintf(path, size, "%.*slib/%s.lua", n, spec, module), size) ||
           found(path, snprintf(path, size, "%.*s../lib/%s.lua", n, spec, module), size) ||
           found(path, snprintf(path, size, "%s/%s.lua", CONVC_SPEC_LIB, module), size);
}

bool file_is_module(const char *path)
{
    int n = directory_length(path);
    return (n == 4 || (n > 4 && path[n - 5] == '/')) && strncmp(path + n - 4, "lib/", 4) == 0;
}

static bool is_name_character(char c)
{
    return c && strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.:-", c);
}

void file_stem(const char *path, char *stem, size_t size)
{
    const char *file = path + directory_length(path);
    size_t n = strlen(file);
    if (n > 4 && strcmp(file + n - 4, ".lua") == 0)
        n -= 4;
    if (n > size - 1)
        n = size - 1;
    for (size_t i = 0; i < n; i++)
        stem[i] = is_name_character(file[i]) && !(i == 0 && file[i] == '.') ? file[i] : '_';
    stem[n] = '\0';
    if (n == 0 || strcmp(stem, "-") == 0)
        snprintf(stem, size, "spec");
}
