/* file: whole files in, whole files out.
 *
 * What is written appears under its name only once it is complete: it grows in a temporary file of
 * the same directory, which is then renamed.
 */
#ifndef CLI_FILE_H
#define CLI_FILE_H

#include "runtime/cli/failure.h"

#include <stdio.h>

/* Reads all of a file; the caller frees *bytes. "-" is standard input. */
enum exit_code file_read(const char *path, unsigned char **bytes, size_t *size, struct failure *f);

struct file_out {
    FILE *stream;
    const char *path;
    char *temporary; /* NULL: the path is a device or a pipe and is written in place */
};

enum exit_code file_create(const char *path, struct file_out *out, struct failure *f);

/* Ends the file in any case. Keeps it where `code` is EXIT_FINE and all was written, else leaves
 * nothing behind. Returns `code`, or EXIT_SYSTEM. */
enum exit_code file_finish(struct file_out *out, enum exit_code code, struct failure *f);

#endif
