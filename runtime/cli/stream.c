#include "runtime/cli/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static enum exit_code read_all(FILE *stream, const char *name, size_t limit, unsigned char **bytes,
                               size_t *size, struct failure *f)
{
    size_t capacity = 0;
    *size = 0;
    for (size_t got = 1; got && *size <= limit; *size += got) {
        if (capacity - *size < 2) {
            capacity = capacity ? capacity * 2 : 1 << 16;
            unsigned char *more = realloc(*bytes, capacity);
            if (!more)
                return fail_memory(f);
            *bytes = more;
        }
        got = fread(*bytes + *size, 1, capacity - *size - 1, stream);
    }
    (*bytes)[*size] = 0;
    if (ferror(stream))
        return fail(f, EXIT_SYSTEM, "%s cannot be read: %s", name, strerror(errno));
    if (*size > limit)
        return fail(f, EXIT_USAGE, "%s is longer than %zu bytes", name, limit);
    return EXIT_FINE;
}

static enum exit_code open_file(const char *path, FILE **stream, struct failure *f)
{
    struct stat st;
    *stream = fopen(path, "rb");
    if (!*stream)
        return fail(f, EXIT_USAGE, "%s cannot be opened: %s", path, strerror(errno));
    if (!fstat(fileno(*stream), &st) && S_ISDIR(st.st_mode)) {
        fclose(*stream);
        return fail(f, EXIT_USAGE, "%s is a directory", path);
    }
    return EXIT_FINE;
}

enum exit_code stream_read(const char *path, size_t limit, unsigned char **bytes, size_t *size,
                           struct failure *f)
{
    bool standard = !strcmp(path, "-");
    FILE *stream = stdin;
    *bytes = NULL;
    enum exit_code code = standard ? EXIT_FINE : open_file(path, &stream, f);
    if (code)
        return code;
    code = read_all(stream, standard ? "standard input" : path, limit, bytes, size, f);
    if (!standard)
        fclose(stream);
    if (code) {
        free(*bytes);
        *bytes = NULL;
    }
    return code;
}

static enum exit_code cannot_write(const char *path, struct failure *f)
{
    return fail(f, EXIT_SYSTEM, "%s cannot be written: %s", path, strerror(errno));
}

/* A new file beside `path` with the permissions that a plain open would have given it. */
static int open_beside(const char *path, char **name)
{
    size_t size = strlen(path) + sizeof ".XXXXXX";
    *name = malloc(size);
    if (!*name)
        return -1;
    snprintf(*name, size, "%s.XXXXXX", path);
    int fd = mkostemp(*name, O_CLOEXEC);
    if (fd < 0) {
        free(*name);
        *name = NULL;
        return -1;
    }
    mode_t mask = umask(0);
    umask(mask);
    if (fchmod(fd, 0666 & ~mask))
        errno = 0; /* a private file is as good */
    return fd;
}

static const char *name_in(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static bool find_directory(const char *path, struct stat *st)
{
    size_t length = (size_t)(name_in(path) - path);
    char *directory = length ? strndup(path, length) : strdup(".");
    bool found = directory && !stat(directory, st);
    free(directory);
    return found;
}

bool stream_same(const char *a, const char *b)
{
    struct stat in_a, in_b;
    return !strcmp(name_in(a), name_in(b)) && find_directory(a, &in_a) &&
           find_directory(b, &in_b) && in_a.st_dev == in_b.st_dev && in_a.st_ino == in_b.st_ino;
}

/* The C library gives up a write that a signal interrupts. The cookie is the descriptor. */
static ssize_t write_through(void *cookie, const char *bytes, size_t count)
{
    size_t done = 0;
    while (done < count) {
        ssize_t n = write((int)(intptr_t)cookie, bytes + done, count - done);
        if (n > 0)
            done += (size_t)n;
        else if (n == 0 || errno != EINTR)
            return 0; /* an error, by the rules of cookies */
    }
    return (ssize_t)done;
}

static int close_through(void *cookie)
{
    return close((int)(intptr_t)cookie);
}

enum exit_code stream_create(const char *path, struct stream_out *out, struct failure *f)
{
    struct stat st;
    *out = (struct stream_out){ .path = path };
    if (!stat(path, &st) && !S_ISREG(st.st_mode)) {
        if (S_ISDIR(st.st_mode))
            return fail(f, EXIT_USAGE, "%s is a directory", path);
        out->stream = fopen(path, "wb");
        return out->stream ? EXIT_FINE : cannot_write(path, f);
    }
    int fd = open_beside(path, &out->temporary);
    if (fd < 0)
        return cannot_write(path, f);
    const cookie_io_functions_t through = { .write = write_through, .close = close_through };
    out->stream = fopencookie((void *)(intptr_t)fd, "wb", through);
    if (out->stream)
        return EXIT_FINE;
    enum exit_code code = cannot_write(path, f);
    close(fd);
    unlink(out->temporary);
    free(out->temporary);
    out->temporary = NULL;
    return code;
}

enum exit_code stream_close(struct stream_out *out, struct failure *f)
{
    bool written = !ferror(out->stream);
    if (fclose(out->stream))
        written = false;
    out->stream = NULL;
    return written ? EXIT_FINE : cannot_write(out->path, f);
}

enum exit_code stream_finish(struct stream_out *out, enum exit_code code, struct failure *f)
{
    struct failure unsaid; /* what failed first is said */
    if (out->stream) {
        enum exit_code closed = stream_close(out, code ? &unsaid : f);
        code = code ? code : closed;
    }
    if (out->temporary) {
        if (code == EXIT_FINE && rename(out->temporary, out->path))
            code = cannot_write(out->path, f);
        if (code)
            unlink(out->temporary);
        free(out->temporary);
    }
    *out = (struct stream_out){ 0 };
    return code;
}
