#include "runtime/cli/depfile.h"

#include <stdbool.h>
#include <string.h>

/* As gcc -M writes paths: '\' before blanks (and once more for each '\' that stands there already),
 * before '#' and ':', and '$' twice. */
static void put_path(FILE *out, const char *path)
{
    size_t backslashes = 0;
    for (const char *c = path; *c; c++) {
        bool blank = *c == ' ' || *c == '\t';
        for (size_t i = 0; blank && i < backslashes; i++)
            putc('\\', out);
        if (blank || *c == '#' || *c == ':')
            putc('\\', out);
        if (*c == '$')
            putc('$', out);
        putc(*c, out);
        backslashes = *c == '\\' ? backslashes + 1 : 0;
    }
}

static enum exit_code check_path(const char *path, struct failure *f)
{
    return strpbrk(path, "\r\n")
               ? fail(f, EXIT_USAGE, "--depfile cannot name a path with a line break in it")
               : EXIT_FINE;
}

static enum exit_code check_made(const char *path, const struct products *made, struct failure *f)
{
    enum exit_code code = EXIT_FINE;
    for (size_t i = 0; code == EXIT_FINE && i < made->count; i++) {
        code = check_path(made->list[i].path, f);
        if (code == EXIT_FINE && stream_same(made->list[i].path, path))
            code = fail(f, EXIT_USAGE, "--depfile=%s is one of the files that are made", path);
    }
    return code;
}

/* Did spec `spec`, or one before it, read the path of its file `file` already? */
static bool is_known(const struct layers *from, size_t spec, size_t file, const char *path)
{
    for (size_t s = 0; s <= spec; s++) {
        const char *other;
        for (size_t i = 0; (s < spec || i < file) && (other = convc_spec_file(from->spec[s], i));
             i++)
            if (!strcmp(other, path))
                return true;
    }
    return false;
}

static enum exit_code put_file(FILE *out, const char *path, const char *before, const char *after,
                               struct failure *f)
{
    enum exit_code code = check_path(path, f);
    fputs(before, out);
    put_path(out, path);
    fputs(after, out);
    return code;
}

/* Every file that was read, once, between these two texts. */
static enum exit_code put_files(FILE *out, const struct layers *from, const char *also,
                                const char *before, const char *after, struct failure *f)
{
    enum exit_code code = also ? put_file(out, also, before, after, f) : EXIT_FINE;
    const char *path;
    for (size_t s = 0; s < from->spec_count; s++) {
        for (size_t i = 0; code == EXIT_FINE && (path = convc_spec_file(from->spec[s], i)); i++) {
            if (!is_known(from, s, i, path))
                code = put_file(out, path, before, after, f);
        }
    }
    return code;
}

enum exit_code depfile_stage(const char *path, const struct products *made,
                             const struct layers *from, const char *also, struct stream_out *out,
                             struct failure *f)
{
    enum exit_code code = check_made(path, made, f);
    if (code == EXIT_FINE)
        code = stream_create(path, out, f);
    if (code)
        return code;
    for (size_t i = 0; i < made->count; i++) {
        fputs(i ? " \\\n" : "", out->stream);
        put_path(out->stream, made->list[i].path);
    }
    putc(':', out->stream);
    code = put_files(out->stream, from, also, " \\\n  ", "", f);
    putc('\n', out->stream);
    if (code == EXIT_FINE)
        code = put_files(out->stream, from, also, "\n", ":\n", f);
    return code ? code : stream_close(out, f);
}
