/* api: what every public call ends with: a status, and its sentence kept per thread.
 * Stands on: diag, verbose.
 */
#ifndef RUNTIME_API_H
#define RUNTIME_API_H

#include "gen/base/diag.h"

#include <convc/convc.h>

/* Keeps the sentence for convc_last_error() where `d` holds a failure; returns its status. */
enum convc_status api_fail(const struct diag *d);

/* Likewise for a sentence that is known beforehand. */
enum convc_status api_fail_with(enum convc_status status, const char *sentence);

/* The caller's structure, which begins with its size, in full whatever version it is of: what
 * `from` has no room for, or all where that is NULL, is zero in the `bytes` of `to`.
 * CONVC_ERR_ARGUMENT where its size cannot be. */
enum convc_status api_read(const char *name, const void *from, void *to, size_t bytes,
                           struct diag *d);

#endif
