/* cache_disk: object bytes on disk, one file per key.
 *
 * A file says in full what it is: its key, who wrote it and a checksum over everything. It counts
 * only where all of that is as expected; its name merely finds it. Files appear whole, by rename.
 * The directory and the files must be this user's alone, or the cache does without them.
 * Nothing here is an error to the caller of convc_compile: what fails is compiled anew.
 * Stands on: hash, object (for the version of LLVM).
 */
#ifndef RUNTIME_CACHE_DISK_H
#define RUNTIME_CACHE_DISK_H

#include "gen/base/diag.h"

#include <convc/convc.h>
#include <stdbool.h>

struct cache_disk;

/* Who wrote an entry, and what it is. An object with another build, LLVM or kernel ABI is another
 * key. */
enum { DISK_BUILD, DISK_LLVM, DISK_TARGET, DISK_PROBLEM, DISK_PLAN, DISK_TEXTS };

struct disk_key {
    const char *text[DISK_TEXTS];
    char name[33];   /* 128 bits of hash over the above, in hex */
    char symbol[48]; /* of the kernel: "convc_" and the name    */
};

/* The key of a kernel of this very build. The texts must outlive the key. */
void disk_key_init(struct disk_key *key, const char *target, const char *problem, const char *plan);

/* `directory` NULL: the user's own. Never fails but for memory: without a directory that can be
 * trusted the cache is empty and cache_disk_directory tells why. */
enum convc_status cache_disk_open(const char *directory, struct cache_disk **out, struct diag *d);
void cache_disk_close(struct cache_disk *c); /* NULL is fine */

/* The directory in use; "" where there is none, and then *why is a sentence. why may be NULL. */
const char *cache_disk_directory(const struct cache_disk *c, const char **why);

/* The directory's descriptor, for other files of convc there; -1: none. */
int cache_disk_descriptor(const struct cache_disk *c);

/* An object that was found; `file`, for memory_free, holds `object`. */
struct disk_object {
    char *file;
    const char *object;
    size_t count;
};

bool cache_disk_load(struct cache_disk *c, const struct disk_key *key, struct disk_object *out);
void cache_disk_store(struct cache_disk *c, const struct disk_key *key, const char *object,
                      size_t count);

/* See convc_cache_visit, convc_cache_prune, convc_cache_clear. */
enum convc_status cache_disk_visit(struct cache_disk *c,
                                   int (*visit)(void *data, const struct convc_cache_entry *e),
                                   void *data, struct diag *d);
enum convc_status cache_disk_remove(struct cache_disk *c, bool everything, int64_t *removed,
                                    struct diag *d);

#endif
