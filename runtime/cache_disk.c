#include "runtime/cache_disk.h"

#include "gen/base/memory.h"
#include "runtime/disk_dir.h"
#include "runtime/disk_entry.h"
#include "runtime/verbose.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char suffix[] = ".convc";

enum { NAME_BYTES = 48 }; /* 32 digits and the suffix */

struct cache_disk {
    int dir; /* -1: none */
    char path[4096];
    char why[sizeof((struct diag *)0)->text];
    atomic_bool swept, told;
};

/* ---- life ------------------------------------------------------------------------------------ */

enum convc_status cache_disk_open(const char *directory, struct cache_disk **out, struct diag *d)
{
    struct diag why = { 0 };
    struct cache_disk *c = memory_zeroed(1, sizeof *c);
    if (!c)
        return diag_memory(d);
    c->dir = -1;
    if (!directory)
        disk_dir_default(c->path, sizeof c->path, &why);
    else if (snprintf(c->path, sizeof c->path, "%s", directory) >= (int)sizeof c->path)
        diag_fail(&why, CONVC_ERR_IO, "the path of the cache directory has more than %zu bytes",
                  sizeof c->path - 1);
    if (why.status == CONVC_OK)
        disk_dir_open(c->path, &c->dir, &why);
    if (why.status != CONVC_OK)
        c->path[0] = '\0';
    snprintf(c->why, sizeof c->why, "%s", why.text);
    *out = c;
    return CONVC_OK;
}

void cache_disk_close(struct cache_disk *c)
{
    if (!c)
        return;
    if (c->dir >= 0)
        close(c->dir);
    memory_free(c);
}

const char *cache_disk_directory(const struct cache_disk *c, const char **why)
{
    if (why)
        *why = c->why;
    return c->path;
}

int cache_disk_descriptor(const struct cache_disk *c)
{
    return c->dir;
}

/* ---- one entry ------------------------------------------------------------------------------- */

static void file_name(const struct disk_key *key, char name[NAME_BYTES])
{
    snprintf(name, NAME_BYTES, "%s%s", key->name, suffix);
}

static bool same_key(const struct disk_entry *e, const struct disk_key *key)
{
    if (e->abi != CONVC_KERNEL_ABI)
        return false;
    for (int i = 0; i < DISK_TEXTS; i++) {
        if (strcmp(e->key.text[i], key->text[i]) != 0)
            return false;
    }
    return true;
}

/* Once: whoever plants one file can plant thousands. */
static void tell_refused(struct cache_disk *c, const char *name, const char *why)
{
    char reason[sizeof c->path + 200];
    if (!verbose_on(VERBOSE_CHECK) || atomic_exchange(&c->told, true))
        return;
    snprintf(reason, sizeof reason, "%s/%s: %s; it is compiled anew", c->path, name, why);
    verbose_line(&(struct verbose){ .stage = VERBOSE_CHECK,
                                    .what = "cache refused",
                                    .number = -1,
                                    .reason = reason,
                                    .ms = -1 });
}

bool cache_disk_load(struct cache_disk *c, const struct disk_key *key, struct disk_object *out)
{
    char name[NAME_BYTES];
    struct disk_file file;
    struct disk_entry e;
    if (c->dir < 0)
        return false;
    file_name(key, name);
    if (!disk_file_read(c->dir, name, &file) || !file.bytes) {
        if (file.refused)
            tell_refused(c, name, "is no file of this user alone");
        return false;
    }
    if (!disk_entry_parse(file.bytes, file.count, &e) || !same_key(&e, key)) {
        tell_refused(c, name, "is damaged, or of another kernel");
        memory_free(file.bytes);
        return false;
    }
    *out = (struct disk_object){ file.bytes, e.object, e.count };
    return true;
}

/* An own descriptor: the position of a directory is shared by all who use one. */
static DIR *open_listing(struct cache_disk *c)
{
    int fd = openat(c->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *listing = fd < 0 ? NULL : fdopendir(fd);
    if (fd >= 0 && !listing)
        close(fd);
    return listing;
}

static void sweep_leftovers(struct cache_disk *c)
{
    DIR *listing = open_listing(c);
    if (!listing)
        return;
    for (struct dirent *f; (f = readdir(listing));) {
        if (disk_file_is_temporary(f->d_name))
            disk_file_sweep(c->dir, f->d_name);
    }
    closedir(listing);
}

void cache_disk_store(struct cache_disk *c, const struct disk_key *key, const char *object,
                      size_t object_bytes)
{
    char name[NAME_BYTES];
    size_t count;
    if (c->dir < 0)
        return;
    if (!atomic_exchange(&c->swept, true))
        sweep_leftovers(c);
    char *bytes = disk_entry_build(key, object, object_bytes, &count);
    if (!bytes)
        return;
    file_name(key, name);
    disk_file_write(c->dir, name, bytes, count);
    memory_free(bytes);
}

/* ---- all entries ----------------------------------------------------------------------------- */

static bool is_entry_name(const char *name)
{
    size_t n = strlen(name), s = sizeof suffix - 1;
    return n > s && name[0] != '.' && strcmp(name + n - s, suffix) == 0;
}

/* One file of the directory, as far as it can be read. */
struct inspected {
    struct disk_file file;
    struct disk_entry entry;
    bool intact; /* whole, and under the name that its key asks for */
};

static void inspect(struct cache_disk *c, const char *name, struct inspected *in)
{
    char expected[NAME_BYTES];
    *in = (struct inspected){ 0 };
    disk_file_read(c->dir, name, &in->file);
    if (!in->file.bytes || !disk_entry_parse(in->file.bytes, in->file.count, &in->entry))
        return;
    file_name(&in->entry.key, expected);
    in->intact = in->entry.abi == CONVC_KERNEL_ABI ? strcmp(expected, name) == 0 : true;
}

static int show(struct cache_disk *c, const char *name,
                int (*visit)(void *data, const struct convc_cache_entry *e), void *data)
{
    struct inspected in;
    inspect(c, name, &in);
    const char *const *text = in.entry.key.text;
    const struct convc_cache_entry e = {
        .file = name,
        .problem = in.intact ? text[DISK_PROBLEM] : "",
        .plan = in.intact ? text[DISK_PLAN] : "",
        .target = in.intact ? text[DISK_TARGET] : "",
        .bytes = in.file.size,
        .modified = in.file.modified,
        .intact = in.intact,
    };
    int stop = visit(data, &e);
    memory_free(in.file.bytes);
    return stop;
}

enum convc_status cache_disk_visit(struct cache_disk *c,
                                   int (*visit)(void *data, const struct convc_cache_entry *e),
                                   void *data, struct diag *d)
{
    if (c->dir < 0)
        return CONVC_OK;
    DIR *listing = open_listing(c);
    if (!listing)
        return diag_fail(d, CONVC_ERR_IO, "%s: %s", c->path, strerror(errno));
    int stop = 0;
    for (struct dirent *f; !stop && (f = readdir(listing));) {
        if (is_entry_name(f->d_name))
            stop = show(c, f->d_name, visit, data);
    }
    closedir(listing);
    return CONVC_OK;
}

static bool useless(struct cache_disk *c, const char *name)
{
    struct inspected in;
    inspect(c, name, &in);
    bool useful = in.intact && disk_entry_current(&in.entry);
    memory_free(in.file.bytes);
    return !useful;
}

enum convc_status cache_disk_remove(struct cache_disk *c, bool everything, int64_t *removed,
                                    struct diag *d)
{
    *removed = 0;
    if (c->dir < 0)
        return CONVC_OK;
    DIR *listing = open_listing(c);
    if (!listing)
        return diag_fail(d, CONVC_ERR_IO, "%s: %s", c->path, strerror(errno));
    for (struct dirent *f; (f = readdir(listing));) {
        const char *name = f->d_name;
        bool entry = is_entry_name(name), temporary = disk_file_is_temporary(name);
        if (temporary && !everything) {
            *removed += disk_file_sweep(c->dir, name);
        } else if (temporary || (entry && (everything || useless(c, name)))) {
            if (unlinkat(c->dir, name, 0) == 0)
                ++*removed;
            else if (errno != ENOENT)
                diag_fail(d, CONVC_ERR_IO, "%s/%s: %s", c->path, name, strerror(errno));
        }
    }
    closedir(listing);
    return d->status;
}
