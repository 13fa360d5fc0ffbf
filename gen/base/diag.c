#include "gen/base/diag.h"

#include <stdarg.h>
#include <stdio.h>

enum convc_status diag_fail(struct diag *d, enum convc_status status, const char *format, ...)
{
    if (d->status != CONVC_OK)
        return d->status;
    va_list args;
    va_start(args, format);
    vsnprintf(d->text, sizeof d->text, format, args);
    va_end(args);
    d->status = status;
    return status;
}

enum convc_status diag_memory(struct diag *d)
{
    return diag_fail(d, CONVC_ERR_MEMORY, "out of memory");
}
