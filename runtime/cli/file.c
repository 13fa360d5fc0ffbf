#include "runtime/cli/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static enum exit_code read_stream(FILE *stream, const char *path, unsigned char **bytes,
                                  size_t *size, struct failure *f)
{
    size_t capacity = 0;
    *bytes = NULL;
    *size = 0;
    for (;;) {
        if (*size == capacity) {
            capacity = capacity ? capacity * 2 : 1 << 16;
            unsigned char *more = realloc(*bytes, capacity);
            if (!more)
                return fail_memory(f);
            *bytes = more;
        }
        size_t got = fread(*bytes + *size, 1, capacity - *size, stream);
        *size += got;
        if (got == 0)
            break;
    }
    if (ferror(stream))
        return fail(f, EXIT_SYSTEM, "%s cannot be read: %s", path, strerror(errno));
    return EXIT_FINE;
}

enum exit_code file_read(const char *path, unsigned char **bytes, size_t *size, struct failure *f)
{
    struct stat st;
    *bytes = NULL;
    if (!strcmp(path, "-"))
        return read_stream(stdin, "standard input", bytes, size, f);
    FILE *stream = fopen(path, "rb");
    if (!stream)
        return fail(f, EXIT_USAGE, "%s cannot be opened: %s", path, strerror(errno));
    enum exit_code code = EXIT_FINE;
    if (!fstat(fileno(stream), &st) && S_ISDIR(st.st_mode))
        code = fail(f, EXIT_USAGE, "%s is a directory", path);
    if (code == EXIT_FINE)
        code = read_stream(stream, path, bytes, size, f);
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

enum exit_code file_create(const char *path, struct file_out *out, struct failure *f)
{
    struct stat st;
    *out = (struct file_out){ .path = path };
    if (!stat(path, &st) && !S_ISREG(st.st_mode)) {
        if (S_ISDIR(st.st_mode))
            return fail(f, EXIT_USAGE, "%s is a directory", path);
        out->stream = fopen(path, "wb");
        return out->stream ? EXIT_FINE : cannot_write(path, f);
    }
    int fd = open_beside(path, &out->temporary);
    if (fd < 0)
        return cannot_write(path, f);
    out->stream = fdopen(fd, "wb");
    if (out->stream)
        return EXIT_FINE;
    close(fd);
    unlink(out->temporary);
    free(out->temporary);
    return cannot_write(path, f);
}

enum exit_code file_finish(struct file_out *out, enum exit_code code, struct failure *f)
{
    if (!out->stream)
        return code;
    int written = !ferror(out->stream);
    if (fclose(out->stream))
        written = 0;
    if (code == EXIT_FINE && !written)
        code = cannot_write(out->path, f);
    if (out->temporary) {
        if (code == EXIT_FINE && rename(out->temporary, out->path))
            code = cannot_write(out->path, f);
        if (code)
            unlink(out->temporary);
        free(out->temporary);
    }
    *out = (struct file_out){ 0 };
    return code;
}
