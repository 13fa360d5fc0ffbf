#include "runtime/cli/failure.h"

#include <stdarg.h>
#include <stdio.h>

/* As the library does: a sentence quotes names of files and words of the command line. */
static void make_plain(char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < 0x20 || *text == 0x7f)
            *text = *text == '\n' || *text == '\t' ? ' ' : '?';
}

enum exit_code fail(struct failure *f, enum exit_code code, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    vsnprintf(f->text, sizeof f->text, format, list);
    va_end(list);
    make_plain(f->text);
    return code;
}

enum exit_code exit_code_of(enum convc_status status)
{
    switch (status) {
    case CONVC_OK: return EXIT_FINE;
    case CONVC_ERR_ARGUMENT:
    case CONVC_ERR_SHAPE:
    case CONVC_ERR_SPEC:
    case CONVC_ERR_PLAN:
    case CONVC_ERR_UNSUPPORTED: return EXIT_USAGE;
    case CONVC_ERR_MEMORY:
    case CONVC_ERR_IO:
    case CONVC_ERR_COMPILER:
    case CONVC_ERR_INTERNAL:
    case CONVC_ERR_CANCELLED:
    case CONVC_ERR_TIMEOUT: break;
    }
    return EXIT_SYSTEM;
}

enum exit_code fail_status(struct failure *f, enum convc_status status)
{
    const char *sentence = convc_last_error();
    if (!sentence[0])
        sentence = convc_status_string(status);
    return fail(f, exit_code_of(status), "%s", sentence);
}

enum exit_code fail_memory(struct failure *f)
{
    return fail(f, EXIT_SYSTEM, "out of memory");
}
