#include "gen/out/archive.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { MAGIC_BYTES = 8, HEADER_BYTES = 60, SHORT_NAME = 15 };

/* Members begin at even places. */
static size_t even(size_t bytes)
{
    return (bytes + 1) / 2 * 2;
}

static void add_header(struct text *out, const char *name, size_t bytes)
{
    text_add(out, "%-16s%-12d%-6d%-6d%-8s%-10zu`\n", name, 0, 0, 0, "644", bytes);
}

static void add_padding(struct text *out, size_t bytes)
{
    if (bytes % 2)
        text_append(out, "\n", 1);
}

/* Numbers of the index are big-endian. */
static void add_number(struct text *out, uint64_t n)
{
    const char bytes[4] = { (char)(n >> 24), (char)(n >> 16), (char)(n >> 8), (char)n };
    text_append(out, bytes, sizeof bytes);
}

static bool is_long(const struct archive_member *m)
{
    return strlen(m->name) > SHORT_NAME;
}

/* What stands before the members. */
struct front {
    size_t symbols, index_bytes, names_bytes;
};

static struct front front_of(const struct archive_member *member, size_t members)
{
    struct front f = { .index_bytes = 4 };
    for (size_t i = 0; i < members; i++) {
        f.symbols += member[i].symbols;
        for (size_t s = 0; s < member[i].symbols; s++)
            f.index_bytes += 4 + strlen(member[i].symbol[s]) + 1;
        if (is_long(&member[i]))
            f.names_bytes += strlen(member[i].name) + 2;
    }
    return f;
}

static size_t first_member(const struct front *f)
{
    size_t names = f->names_bytes ? HEADER_BYTES + even(f->names_bytes) : 0;
    return MAGIC_BYTES + HEADER_BYTES + even(f->index_bytes) + names;
}

/* Where the member of each symbol begins, then the symbols. */
static void add_index(const struct archive_member *member, size_t members, const struct front *f,
                      struct text *out)
{
    size_t at = first_member(f);
    add_header(out, "/", f->index_bytes);
    add_number(out, f->symbols);
    for (size_t i = 0; i < members; i++) {
        for (size_t s = 0; s < member[i].symbols; s++)
            add_number(out, at);
        at += HEADER_BYTES + even(member[i].count);
    }
    for (size_t i = 0; i < members; i++) {
        for (size_t s = 0; s < member[i].symbols; s++)
            text_append(out, member[i].symbol[s], strlen(member[i].symbol[s]) + 1);
    }
    add_padding(out, f->index_bytes);
}

static void add_long_names(const struct archive_member *member, size_t members,
                           const struct front *f, struct text *out)
{
    if (!f->names_bytes)
        return;
    add_header(out, "//", f->names_bytes);
    for (size_t i = 0; i < members; i++) {
        if (is_long(&member[i]))
            text_add(out, "%s/\n", member[i].name);
    }
    add_padding(out, f->names_bytes);
}

enum convc_status archive_write(const struct archive_member *member, size_t members,
                                struct text *out, struct diag *d)
{
    struct front f = front_of(member, members);
    uint64_t bytes = first_member(&f);
    for (size_t i = 0; i < members; i++)
        bytes += HEADER_BYTES + even(member[i].count);
    if (bytes > UINT32_MAX)
        return diag_fail(d, CONVC_ERR_UNSUPPORTED, "a library of %llu bytes exceeds 4 GiB",
                         (unsigned long long)bytes);
    text_append(out, "!<arch>\n", MAGIC_BYTES);
    add_index(member, members, &f, out);
    add_long_names(member, members, &f, out);
    size_t long_at = 0;
    for (size_t i = 0; i < members; i++) {
        char name[SHORT_NAME + 2];
        if (is_long(&member[i])) {
            snprintf(name, sizeof name, "/%zu", long_at);
            long_at += strlen(member[i].name) + 2;
        } else {
            snprintf(name, sizeof name, "%s/", member[i].name);
        }
        add_header(out, name, member[i].count);
        text_append(out, member[i].bytes, member[i].count);
        add_padding(out, member[i].count);
    }
    return out->failed ? diag_memory(d) : CONVC_OK;
}
