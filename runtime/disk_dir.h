/* disk_dir: a directory that only this user can write to, and the files in it.
 *
 * All access goes through the one descriptor whose owner and mode were checked.
 * Stands on: diag, POSIX.
 */
#ifndef RUNTIME_DISK_DIR_H
#define RUNTIME_DISK_DIR_H

#include "gen/base/diag.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The user's own cache directory: $XDG_CACHE_HOME/convc, else $HOME/.cache/convc. */
enum convc_status disk_dir_default(char *path, size_t size, struct diag *d);

/* Creates what is missing of `path` and opens it; the descriptor goes to *fd. CONVC_ERR_IO where it
 * is a link, someone else's, open to others, or in a directory in which others may rename it. */
enum convc_status disk_dir_open(const char *path, int *fd, struct diag *d);

/* What a file is besides its bytes. */
struct disk_file {
    char *bytes; /* for memory_free; NULL where the file cannot be trusted or read */
    size_t count;
    int64_t size, modified;
    bool refused; /* it is there, and not this user's alone */
};

/* Reads a regular file of this user with one name, which no one else may read or write; any other
 * leaves `bytes` NULL. False where there is no such file. */
bool disk_file_read(int dir, const char *name, struct disk_file *out);

/* Writes a file and gives it its name once it is whole. Leaves nothing behind where it fails. */
void disk_file_write(int dir, const char *name, const char *bytes, size_t count);

/* Is this the name of a file that is being written, or that a crashed writer left? */
bool disk_file_is_temporary(const char *name);

/* Removes such a file that no process is writing any more; true where it did. */
bool disk_file_sweep(int dir, const char *name);

#endif
