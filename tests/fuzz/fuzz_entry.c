/* An entry of the disk cache: as it is, and with its checksum put right, as whoever may write it
 * could. */
#include "runtime/disk_entry.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

static void parse(const char *bytes, size_t size)
{
    struct disk_entry e;
    if (!disk_entry_parse(bytes, size, &e))
        return;
    size_t total = e.count + sizeof(struct disk_header);
    for (int i = 0; i < DISK_TEXTS; i++)
        total += strlen(e.key.text[i]) + 1;
    FACT(total == size && e.object + e.count == bytes + size, "its parts make %zu bytes", total);
    FACT(strlen(e.key.name) == 32, "%s", e.key.name);
    (void)disk_entry_current(&e);

    size_t count;
    char *again = disk_entry_build(&e.key, e.object, e.count, &count);
    FACT(again && count == size, "it is built of %zu bytes", count);
    free(again);
}

void fuzz_one(const uint8_t *bytes, size_t size)
{
    parse((const char *)bytes, size);
    struct disk_header h;
    if (size < sizeof h)
        return;
    char *sealed = malloc(size);
    FACT(sealed, "out of memory");
    memcpy(sealed, bytes, size);
    memcpy(&h, bytes, sizeof h);
    disk_header_seal(&h, sealed + sizeof h, size - sizeof h);
    memcpy(sealed, &h, sizeof h);
    parse(sealed, size);
    free(sealed);
}
