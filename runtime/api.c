#include "runtime/api.h"

#include "gen/base/memory.h"
#include "runtime/verbose.h"

#include <stdio.h>
#include <string.h>

static _Thread_local char last_error[sizeof((struct diag *)0)->text];

/* What is merely not there yet is no failure. */
static void tell(enum convc_status status)
{
    if (status != CONVC_ERR_TIMEOUT && verbose_on(VERBOSE_CHECK))
        verbose_line(&(struct verbose){ .stage = VERBOSE_CHECK,
                                        .what = convc_status_string(status),
                                        .number = -1,
                                        .reason = last_error,
                                        .ms = -1 });
}

enum convc_status api_fail(const struct diag *d)
{
    if (d->status == CONVC_OK)
        return CONVC_OK;
    memcpy(last_error, d->text, sizeof last_error);
    tell(d->status);
    return d->status;
}

enum convc_status api_fail_with(enum convc_status status, const char *sentence)
{
    snprintf(last_error, sizeof last_error, "%s", sentence);
    tell(status);
    return status;
}

enum convc_status api_read(const char *name, const void *from, void *to, size_t bytes,
                           struct diag *d)
{
    size_t given = bytes;
    if (from)
        memcpy(&given, from, sizeof given);
    if (given < sizeof given)
        return diag_fail(d, CONVC_ERR_ARGUMENT, "%s.struct_bytes=%zu must be %zu", name, given,
                         bytes);
    memset(to, 0, bytes);
    if (from)
        memcpy(to, from, given < bytes ? given : bytes);
    memcpy(to, &bytes, sizeof bytes);
    return CONVC_OK;
}

const char *convc_last_error(void)
{
    return last_error;
}

const char *convc_status_string(enum convc_status status)
{
    switch (status) {
    case CONVC_OK: return "success";
    case CONVC_ERR_ARGUMENT: return "bad argument";
    case CONVC_ERR_SHAPE: return "bad shape";
    case CONVC_ERR_SPEC: return "bad spec";
    case CONVC_ERR_PLAN: return "bad plan";
    case CONVC_ERR_UNSUPPORTED: return "unsupported";
    case CONVC_ERR_MEMORY: return "out of memory";
    case CONVC_ERR_IO: return "input or output failed";
    case CONVC_ERR_COMPILER: return "compiler failed";
    case CONVC_ERR_INTERNAL: return "internal error";
    case CONVC_ERR_CANCELLED: return "cancelled";
    case CONVC_ERR_TIMEOUT: return "not there yet";
    }
    return "unknown status";
}

enum convc_status convc_set_allocator(const struct convc_allocator *allocator)
{
    struct diag d = { 0 };
    struct convc_allocator a = { 0 };
    if (api_read("convc_allocator", allocator, &a, sizeof a, &d) != CONVC_OK)
        return api_fail(&d);
    const struct memory_source source = { a.user, a.allocate, a.reallocate, a.release };
    if (allocator && (!a.allocate || !a.reallocate || !a.release))
        diag_fail(&d, CONVC_ERR_ARGUMENT,
                  "convc_allocator: allocate, reallocate and release must be given");
    else
        memory_set(allocator ? &source : NULL, &d);
    return api_fail(&d);
}

void convc_text_free(char *text)
{
    memory_free(text);
}
