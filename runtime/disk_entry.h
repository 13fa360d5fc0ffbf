/* disk_entry: the bytes of one entry of the disk cache.
 *
 *     struct disk_header | texts of the key, each with its NUL | object bytes
 *
 * Little more than a header, because nothing in it is trusted before the checksum is right.
 * Stands on: cache_disk.h, hash.
 */
#ifndef RUNTIME_DISK_ENTRY_H
#define RUNTIME_DISK_ENTRY_H

#include "runtime/cache_disk.h"

#include <stddef.h>

/* The machine's own byte order and sizes: entries do not travel. */
struct disk_header {
    char magic[8];     /* "convcobj"                                           */
    uint64_t checksum; /* over the whole file, with this field zero            */
    uint32_t format;   /* of this header                                       */
    uint32_t abi;      /* CONVC_KERNEL_ABI                                     */
    uint32_t text_bytes[DISK_TEXTS], reserved;
    uint64_t object_bytes;
};

/* What an entry holds; pointers into the file's bytes. */
struct disk_entry {
    struct disk_key key; /* name and symbol made from the texts of the file */
    uint32_t abi;
    const char *object;
    size_t count;
};

/* False where the bytes are not exactly one whole, unharmed entry of this format. */
bool disk_entry_parse(const char *bytes, size_t count, struct disk_entry *out);

/* The bytes of an entry, for memory_free; NULL where memory is out. */
char *disk_entry_build(const struct disk_key *key, const char *object, size_t object_bytes,
                       size_t *count);

/* Writes the checksum of a header and the `rest_bytes` behind it. */
void disk_header_seal(struct disk_header *h, const char *rest, size_t rest_bytes);

/* Was it written by this very build? */
bool disk_entry_current(const struct disk_entry *e);

/* Fills in name and symbol. */
void disk_key_finish(struct disk_key *key);

#endif
