#include "runtime/cli/product.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Without the slashes at its end: build systems compare paths by their letters. */
static int directory_length(const char *directory)
{
    size_t length = strlen(directory);
    while (length > 0 && directory[length - 1] == '/')
        length--;
    return (int)length;
}

enum exit_code products_add(struct products *p, const char *file, char *bytes, size_t size,
                            struct failure *f)
{
    size_t length = strlen(p->directory) + strlen(file) + 2;
    int directory = directory_length(p->directory);
    if (p->count == p->capacity) {
        size_t capacity = 2 * p->capacity + 16;
        struct product *more = realloc(p->list, capacity * sizeof *more);
        if (!more) {
            convc_text_free(bytes);
            return fail_memory(f);
        }
        p->list = more;
        p->capacity = capacity;
    }
    struct product *made = &p->list[p->count++];
    *made = (struct product){ .path = malloc(length), .bytes = bytes, .size = size };
    if (!made->path)
        return fail_memory(f);
    snprintf(made->path, length, "%.*s/%s", directory, p->directory, file);
    for (size_t i = 0; i + 1 < p->count; i++)
        if (!strcmp(p->list[i].path, made->path))
            return fail(f, EXIT_USAGE, "two specs or convolutions make %s", made->path);
    return EXIT_FINE;
}

/* Makes the directory, and those above it. */
static enum exit_code make_directory(const char *directory, struct failure *f)
{
    char *path = strdup(directory);
    if (!path)
        return fail_memory(f);
    int failed = 0;
    for (char *p = path + 1; !failed; p++) {
        if (*p != '/' && *p)
            continue;
        char end = *p;
        *p = '\0';
        failed = mkdir(path, 0777) && errno != EEXIST ? errno : 0;
        *p = end;
        if (!end)
            break;
    }
    free(path);
    return failed ? fail(f, EXIT_SYSTEM, "%s cannot be made: %s", directory, strerror(failed))
                  : EXIT_FINE;
}

/* Complete, but for its name. */
static enum exit_code write_one(struct product *p, struct failure *f)
{
    enum exit_code code = stream_create(p->path, &p->out, f);
    if (code)
        return code;
    fwrite(p->bytes, 1, p->size, p->out.stream);
    return stream_close(&p->out, f);
}

enum exit_code products_stage(struct products *p, struct failure *f)
{
    enum exit_code code = make_directory(p->directory, f);
    for (size_t i = 0; code == EXIT_FINE && i < p->count; i++)
        code = write_one(&p->list[i], f);
    return code;
}

enum exit_code products_finish(struct products *p, enum exit_code code, struct failure *f)
{
    for (size_t i = 0; i < p->count; i++)
        code = stream_finish(&p->list[i].out, code, f);
    return code;
}

void products_free(struct products *p)
{
    for (size_t i = 0; i < p->count; i++) {
        free(p->list[i].path);
        convc_text_free(p->list[i].bytes);
    }
    free(p->list);
    p->list = NULL;
    p->count = p->capacity = 0;
}
