#include "gen/base/diag.h"

#include <stdarg.h>
#include <stdio.h>

/* A sentence quotes what strangers wrote. It stays one line, and moves no terminal. */
static void make_plain(char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < 0x20 || *text == 0x7f)
            *text = *text == '\n' || *text == '\t' ? ' ' : '?';
}

enum convc_status diag_fail(struct diag *d, enum convc_status status, const char *format, ...)
{
    if (d->status != CONVC_OK)
        return d->status;
    va_list args;
    va_start(args, format);
    vsnprintf(d->text, sizeof d->text, format, args);
    va_end(args);
    make_plain(d->text);
    d->status = status;
    return status;
}

enum convc_status diag_memory(struct diag *d)
{
    return diag_fail(d, CONVC_ERR_MEMORY, "out of memory");
}
