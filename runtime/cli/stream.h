/* stream: whole files in, whole files out.
 *
 * What is written appears under its name only once it is complete: it grows in a temporary file of
 * the same directory, which is then renamed.
 */
#ifndef CLI_STREAM_H
#define CLI_STREAM_H

#include "runtime/cli/failure.h"

#include <stdbool.h>
#include <stdio.h>

/* Reads all of a file, which is at most `limit` bytes long. A NUL stands behind the bytes; the
 * caller frees them. "-" is standard input. */
enum exit_code stream_read(const char *path, size_t limit, unsigned char **bytes, size_t *size,
                           struct failure *f);

/* Do both paths name the same file, be it there or not? Where they do, writing one replaces the
 * other. */
bool stream_same(const char *a, const char *b);

struct stream_out {
    FILE *stream;
    const char *path;
    char *temporary; /* NULL: the path is a device or a pipe and is written in place */
};

enum exit_code stream_create(const char *path, struct stream_out *out, struct failure *f);

/* Nothing more is to be written: sees to it that all of it has been. */
enum exit_code stream_close(struct stream_out *out, struct failure *f);

/* Ends the file in any case, closed or not. Keeps it where `code` is EXIT_FINE and all was written,
 * else leaves nothing behind. Returns `code`, or EXIT_SYSTEM. */
enum exit_code stream_finish(struct stream_out *out, enum exit_code code, struct failure *f);

#endif
