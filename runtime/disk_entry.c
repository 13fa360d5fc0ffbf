#include "runtime/disk_entry.h"

#include "gen/base/hash.h"
#include "gen/base/memory.h"
#include "gen/out/object.h"
#include "runtime/build_id.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char disk_magic[8] = { 'c', 'o', 'n', 'v', 'c', 'o', 'b', 'j' };
enum { DISK_FORMAT = 1 };

/* Each text is hashed with its NUL, so that no two keys run into each other. */
static uint64_t key_hash(const struct disk_key *key, uint64_t seed)
{
    uint64_t h = seed ^ CONVC_KERNEL_ABI;
    for (int i = 0; i < DISK_TEXTS; i++)
        h = hash64(key->text[i], strlen(key->text[i]) + 1, h);
    return h;
}

void disk_key_finish(struct disk_key *key)
{
    uint64_t high = key_hash(key, 0x9ae16a3b2f90404f), low = key_hash(key, 0xc3a5c85c97cb3127);
    snprintf(key->name, sizeof key->name, "%016" PRIx64 "%016" PRIx64, high, low);
    snprintf(key->symbol, sizeof key->symbol, "convc_%s", key->name);
}

void disk_key_init(struct disk_key *key, const char *target, const char *problem, const char *plan)
{
    *key = (struct disk_key){ .text = { [DISK_BUILD] = CONVC_BUILD_ID,
                                        [DISK_LLVM] = object_llvm_version(),
                                        [DISK_TARGET] = target,
                                        [DISK_PROBLEM] = problem,
                                        [DISK_PLAN] = plan } };
    disk_key_finish(key);
}

static uint64_t checksum(const struct disk_header *h, const char *rest, size_t rest_bytes)
{
    struct disk_header blank = *h;
    blank.checksum = 0;
    return hash64(rest, rest_bytes, hash64(&blank, sizeof blank, 0));
}

void disk_header_seal(struct disk_header *h, const char *rest, size_t rest_bytes)
{
    h->checksum = checksum(h, rest, rest_bytes);
}

/* The bytes that the header announces; 0 where they do not add up to a file that can exist. */
static size_t announced_bytes(const struct disk_header *h)
{
    uint64_t total = sizeof *h;
    for (int i = 0; i < DISK_TEXTS; i++)
        total += h->text_bytes[i];
    return h->object_bytes > PTRDIFF_MAX - total ? 0 : (size_t)(total + h->object_bytes);
}

bool disk_entry_parse(const char *bytes, size_t count, struct disk_entry *out)
{
    struct disk_header h;
    if (count < sizeof h)
        return false;
    memcpy(&h, bytes, sizeof h);
    const char *at = bytes + sizeof h;
    if (memcmp(h.magic, disk_magic, sizeof h.magic) != 0 || h.format != DISK_FORMAT ||
        announced_bytes(&h) != count || h.checksum != checksum(&h, at, count - sizeof h))
        return false;
    *out = (struct disk_entry){ .abi = h.abi, .count = h.object_bytes };
    for (int i = 0; i < DISK_TEXTS; i++) {
        uint32_t size = h.text_bytes[i];
        if (memchr(at, '\0', size) != at + size - 1)
            return false;
        out->key.text[i] = at;
        at += size;
    }
    out->object = at;
    disk_key_finish(&out->key);
    return true;
}

char *disk_entry_build(const struct disk_key *key, const char *object, size_t object_bytes,
                       size_t *count)
{
    struct disk_header h = { .format = DISK_FORMAT,
                             .abi = CONVC_KERNEL_ABI,
                             .object_bytes = object_bytes };
    memcpy(h.magic, disk_magic, sizeof h.magic);
    for (int i = 0; i < DISK_TEXTS; i++)
        h.text_bytes[i] = (uint32_t)strlen(key->text[i]) + 1;
    *count = announced_bytes(&h);
    char *bytes = memory_take(*count);
    if (!bytes)
        return NULL;
    char *at = bytes + sizeof h;
    for (int i = 0; i < DISK_TEXTS; i++) {
        memcpy(at, key->text[i], h.text_bytes[i]);
        at += h.text_bytes[i];
    }
    memcpy(at, object, object_bytes);
    disk_header_seal(&h, bytes + sizeof h, *count - sizeof h);
    memcpy(bytes, &h, sizeof h);
    return bytes;
}

bool disk_entry_current(const struct disk_entry *e)
{
    return e->abi == CONVC_KERNEL_ABI && strcmp(e->key.text[DISK_BUILD], CONVC_BUILD_ID) == 0 &&
           strcmp(e->key.text[DISK_LLVM], object_llvm_version()) == 0;
}
