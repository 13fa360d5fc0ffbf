/* The bytes of an entry of the disk cache: any harm to them is noticed, whatever they claim. */
#include "runtime/disk_entry.h"
#include "tests/support/support.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char object_bytes[] = "\177ELF, as far as an entry is concerned";

static char *build(struct disk_key *key, size_t *count)
{
    disk_key_init(key, "x86_64-pc-linux-gnu:znver5", "ic3oc8ih9", "direct tile=1x2x3");
    char *bytes = disk_entry_build(key, object_bytes, sizeof object_bytes, count);
    assert_non_null(bytes);
    return bytes;
}

static void an_entry_says_in_full_what_it_is(void **state)
{
    (void)state;
    struct disk_key key;
    struct disk_entry e;
    size_t count;
    char *bytes = build(&key, &count);
    assert_true(disk_entry_parse(bytes, count, &e));
    for (int i = 0; i < DISK_TEXTS; i++)
        assert_string_equal(e.key.text[i], key.text[i]);
    assert_string_equal(e.key.name, key.name);
    assert_string_equal(e.key.symbol, key.symbol);
    assert_int_equal(e.abi, CONVC_KERNEL_ABI);
    assert_true(disk_entry_current(&e));
    assert_int_equal(e.count, sizeof object_bytes);
    assert_memory_equal(e.object, object_bytes, sizeof object_bytes);
    free(bytes);
}

static void texts_that_run_into_each_other_are_different_keys(void **state)
{
    (void)state;
    struct disk_key a, b;
    disk_key_init(&a, "target", "ab", "c");
    disk_key_init(&b, "target", "a", "bc");
    assert_string_not_equal(a.name, b.name);
}

static void any_flipped_bit_is_noticed(void **state)
{
    (void)state;
    struct disk_key key;
    struct disk_entry e;
    size_t count;
    char *bytes = build(&key, &count);
    for (size_t bit = 0; bit < 8 * count; bit++) {
        const char mask = (char)(1 << bit % 8);
        bytes[bit / 8] ^= mask;
        if (disk_entry_parse(bytes, count, &e))
            fail_msg("bit %zu of byte %zu", bit % 8, bit / 8);
        bytes[bit / 8] ^= mask;
    }
    free(bytes);
}

static void any_truncation_or_extension_is_noticed(void **state)
{
    (void)state;
    struct disk_key key;
    struct disk_entry e;
    size_t count;
    char *bytes = build(&key, &count);
    for (size_t n = 0; n < count; n++) {
        char *part = malloc(n + 1); /* of exactly that size, for the sanitizer */
        memcpy(part, bytes, n);
        assert_false(disk_entry_parse(part, n, &e));
        part[n] = bytes[n];
        assert_int_equal(disk_entry_parse(part, n + 1, &e), n + 1 == count);
        free(part);
    }
    bytes = realloc(bytes, count + 1);
    bytes[count] = 0;
    assert_false(disk_entry_parse(bytes, count + 1, &e));
    free(bytes);
}

/* Lengths that lie about the file, with a checksum that does not. */
static void a_header_that_lies_is_refused(void **state)
{
    (void)state;
    struct disk_key key;
    struct disk_entry e;
    size_t count;
    char *bytes = build(&key, &count);
    struct disk_header h;
    memcpy(&h, bytes, sizeof h);
    const struct {
        uint32_t text;
        uint64_t object;
    } lies[] = { { UINT32_MAX, h.object_bytes },
                 { h.text_bytes[0], UINT64_MAX },
                 { h.text_bytes[0], (uint64_t)PTRDIFF_MAX },
                 { h.text_bytes[0] - 1, h.object_bytes + 1 },
                 { h.text_bytes[0] + 1, h.object_bytes - 1 },
                 { 0, h.object_bytes + h.text_bytes[0] } };
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
        struct disk_header lie = h;
        lie.text_bytes[0] = lies[i].text;
        lie.object_bytes = lies[i].object;
        disk_header_seal(&lie, bytes + sizeof lie, count - sizeof lie);
        memcpy(bytes, &lie, sizeof lie);
        assert_false(disk_entry_parse(bytes, count, &e));
    }
    free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_entry_says_in_full_what_it_is),
        cmocka_unit_test(texts_that_run_into_each_other_are_different_keys),
        cmocka_unit_test(any_flipped_bit_is_noticed),
        cmocka_unit_test(any_truncation_or_extension_is_noticed),
        cmocka_unit_test(a_header_that_lies_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
