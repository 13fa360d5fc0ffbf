#include "runtime/disk_dir.h"

#include "gen/base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* Kernels take kilobytes. A file past this is no entry. */
static const off_t file_bytes_max = (off_t)1 << 28;

static const char temporary_prefix[] = ".tmp-";

/* ---- the directory --------------------------------------------------------------------------- */

enum convc_status disk_dir_default(char *path, size_t size, struct diag *d)
{
    const char *cache = secure_getenv("XDG_CACHE_HOME"), *home = secure_getenv("HOME");
    int n;
    if (cache && cache[0] == '/')
        n = snprintf(path, size, "%s/convc", cache);
    else if (home && home[0] == '/')
        n = snprintf(path, size, "%s/.cache/convc", home);
    else
        return diag_fail(d, CONVC_ERR_IO, "neither XDG_CACHE_HOME nor HOME is an absolute path");
    if (n < 0 || (size_t)n >= size)
        return diag_fail(d, CONVC_ERR_IO, "the path of the cache directory has more than %zu bytes",
                         size - 1);
    return CONVC_OK;
}

/* Like mkdir -p -m 0700. What cannot be made shows when the directory is opened. */
static void make_directories(const char *path)
{
    char part[4096];
    size_t length = strlen(path);
    if (length >= sizeof part)
        return;
    for (size_t i = 1; i <= length; i++) {
        if (path[i] != '/' && path[i] != '\0')
            continue;
        memcpy(part, path, i);
        part[i] = '\0';
        mkdir(part, 0700);
    }
}

static enum convc_status check_directory(const char *path, const struct stat *s, struct diag *d)
{
    if (s->st_uid != geteuid())
        return diag_fail(d, CONVC_ERR_IO, "%s: belongs to user %ju, not to this one", path,
                         (uintmax_t)s->st_uid);
    if (s->st_mode & 077)
        return diag_fail(d, CONVC_ERR_IO, "%s: mode %04o lets others in; it must be 0700", path,
                         (unsigned)(s->st_mode & 07777));
    return CONVC_OK;
}

/* Who can rename entries of the directory that this one is in, such as $XDG_CACHE_HOME, cannot put
 * anything into this one, but decides which one it is. A group of the user's own is none. */
static enum convc_status check_parent(const char *path, int dir, struct diag *d)
{
    struct stat s;
    if (fstatat(dir, "..", &s, 0) != 0)
        return diag_fail(d, CONVC_ERR_IO, "%s/..: %s", path, strerror(errno));
    if (s.st_uid != geteuid() && s.st_uid != 0)
        return diag_fail(d, CONVC_ERR_IO, "%s: is in a directory of user %ju", path,
                         (uintmax_t)s.st_uid);
    bool others = (s.st_mode & S_IWOTH) || (s.st_mode & S_IWGRP && s.st_gid != getegid());
    if (others && !(s.st_mode & S_ISVTX))
        return diag_fail(d, CONVC_ERR_IO,
                         "%s: is in a directory of mode %04o, which others can write", path,
                         (unsigned)(s.st_mode & 07777));
    return CONVC_OK;
}

enum convc_status disk_dir_open(const char *path, int *fd, struct diag *d)
{
    struct stat s;
    make_directories(path);
    int dir = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (dir < 0 || fstat(dir, &s) != 0)
        diag_fail(d, CONVC_ERR_IO, "%s: %s", path, strerror(errno));
    else if (check_directory(path, &s, d) == CONVC_OK)
        check_parent(path, dir, d);
    if (d->status != CONVC_OK) {
        if (dir >= 0)
            close(dir);
        return d->status;
    }
    *fd = dir;
    return CONVC_OK;
}

/* ---- files ----------------------------------------------------------------------------------- */

/* One name, so that no other directory leads to it; none, where a writer has just replaced it. */
static bool trusted(const struct stat *s)
{
    return S_ISREG(s->st_mode) && s->st_nlink <= 1 && s->st_uid == geteuid() &&
           !(s->st_mode & 077) && s->st_size > 0 && s->st_size <= file_bytes_max;
}

/* Counts what read or write has said; false where there is nothing more to come of it. */
static bool goes_on(ssize_t n, size_t *done)
{
    if (n < 0)
        return errno == EINTR;
    *done += (size_t)n;
    return n > 0;
}

static bool read_all(int fd, char *bytes, size_t count)
{
    size_t done = 0;
    while (done < count && goes_on(read(fd, bytes + done, count - done), &done))
        ;
    return done == count;
}

static bool write_all(int fd, const char *bytes, size_t count)
{
    size_t done = 0;
    while (done < count && goes_on(write(fd, bytes + done, count - done), &done))
        ;
    return done == count;
}

bool disk_file_read(int dir, const char *name, struct disk_file *out)
{
    struct stat s;
    *out = (struct disk_file){ 0 };
    int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    out->refused = fd < 0 && errno != ENOENT;
    if (fd < 0) /* a link, or unreadable, is there but not to be trusted */
        return out->refused;
    if (fstat(fd, &s) == 0) {
        out->size = s.st_size;
        out->modified = s.st_mtime;
        out->refused = !trusted(&s);
        if (!out->refused)
            out->bytes = memory_take((size_t)s.st_size);
    }
    if (out->bytes && read_all(fd, out->bytes, (size_t)s.st_size)) {
        out->count = (size_t)s.st_size;
    } else {
        memory_free(out->bytes);
        out->bytes = NULL;
    }
    close(fd);
    return true;
}

/* The lock of the file's writer, which ends with the writer whatever ends that, is held until the
 * file has its name: by a second descriptor, for closing the first tells whether all was written.
 */
void disk_file_write(int dir, const char *name, const char *bytes, size_t count)
{
    static atomic_uint serial;
    char temporary[64];
    snprintf(temporary, sizeof temporary, "%s%jd-%u", temporary_prefix, (intmax_t)getpid(),
             atomic_fetch_add(&serial, 1));
    int fd = openat(dir, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return;
    (void)flock(fd, LOCK_EX | LOCK_NB); /* without locks leftovers go by age */
    int lock = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    bool written = write_all(fd, bytes, count);
    if (close(fd) != 0 || !written || renameat(dir, temporary, dir, name) != 0)
        unlinkat(dir, temporary, 0);
    if (lock >= 0)
        close(lock);
}

bool disk_file_is_temporary(const char *name)
{
    return strncmp(name, temporary_prefix, sizeof temporary_prefix - 1) == 0;
}

/* No writer takes that long. */
static bool is_old(int dir, const char *name)
{
    enum { SECONDS = 600 };
    struct stat s;
    return fstatat(dir, name, &s, AT_SYMLINK_NOFOLLOW) == 0 && s.st_mtime + SECONDS < time(NULL);
}

bool disk_file_sweep(int dir, const char *name)
{
    int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    bool abandoned = fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0;
    bool removed = (abandoned || is_old(dir, name)) && unlinkat(dir, name, 0) == 0;
    if (fd >= 0)
        close(fd);
    return removed;
}
