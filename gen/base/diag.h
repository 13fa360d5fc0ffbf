/* diag: a status and one sentence about it.
 *
 * The first failure wins; later ones are ignored, so that the sentence names the cause.
 * Stands on: convc/types.h.
 */
#ifndef GEN_BASE_DIAG_H
#define GEN_BASE_DIAG_H

#include <convc/types.h>

struct diag {
    enum convc_status status;
    char text[512];
};

/* Records the failure and returns the diag's status, for `return diag_fail(...)`. The text is one
 * line: control characters become blanks and question marks. */
enum convc_status diag_fail(struct diag *d, enum convc_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

enum convc_status diag_memory(struct diag *d);

#endif
