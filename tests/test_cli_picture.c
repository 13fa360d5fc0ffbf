/* PNG files in and out. */
#include "runtime/cli/picture.h"
#include "tests/support/support.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void write_and_read(int64_t channels, int bits, double *value, struct array *back)
{
    struct test_dir dir;
    char path[600];
    struct failure f = { 0 };
    struct array a = {
        .rank = 4, .extent = { 1, channels, 3, 5 }, .count = channels * 15, .value = value
    };
    int bits_read = 0;
    test_dir_create(&dir);
    test_dir_path(&dir, "a.png", path, sizeof path);
    if (picture_write(path, &a, bits, &f) || picture_read(path, back, &bits_read, &f))
        fail_msg("%s", f.text);
    test_dir_remove(&dir);
    assert_int_equal(bits_read, bits);
    assert_int_equal(back->rank, 4);
    assert_memory_equal(back->extent, a.extent, 4 * sizeof a.extent[0]);
}

static void every_depth_and_number_of_channels_survives(void **state)
{
    for (int64_t channels = 1; channels <= 4; channels++) {
        for (int bits = 8; bits <= 16; bits += 8) {
            double value[60];
            struct array back;
            for (int i = 0; i < 60; i++)
                value[i] = bits == 8 ? i * 4 : i * 1000 + 7;
            write_and_read(channels, bits, value, &back);
            for (int64_t i = 0; i < back.count; i++)
                assert_true(back.value[i] == value[i]);
            array_free(&back);
        }
    }
}

static void values_are_rounded_and_clamped(void **state)
{
    static const double in[15] = { -1,  -INFINITY, NAN,      0.5,  1.5, 2.4,  254.6, 255.4,
                                   256, 1e30,      INFINITY, 0.49, 100, 99.5, 98.5 };
    static const double out[15] = { 0, 0, 0, 0, 2, 2, 255, 255, 255, 255, 255, 0, 100, 100, 98 };
    double value[15];
    struct array back;
    memcpy(value, in, sizeof value);
    write_and_read(1, 8, value, &back);
    for (int i = 0; i < 15; i++)
        if (back.value[i] != out[i])
            fail_msg("%g became %g, not %g", in[i], back.value[i], out[i]);
    array_free(&back);
}

static void only_pictures_are_written(void **state)
{
    double value[30] = { 0 };
    struct failure f = { 0 };
    struct array five = { .rank = 4, .extent = { 1, 5, 2, 3 }, .count = 30, .value = value };
    struct array two = { .rank = 4, .extent = { 2, 1, 3, 5 }, .count = 30, .value = value };
    assert_int_equal(picture_write("/nowhere/a.png", &five, 8, &f), EXIT_USAGE);
    assert_non_null(strstr(f.text, "(1, 5, 2, 3) is no picture"));
    assert_int_equal(picture_write("/nowhere/a.png", &two, 8, &f), EXIT_USAGE);
}

/* Every file cut short and every flipped byte ends in a picture or in a sentence. */
static void damaged_files_never_crash(void **state)
{
    struct test_dir dir;
    char path[600];
    size_t size;
    double value[45];
    struct failure f = { 0 };
    struct array a = { .rank = 4, .extent = { 1, 3, 3, 5 }, .count = 45, .value = value };
    struct test_random r = { test_seed("test_cli_picture", 1) };
    for (int i = 0; i < 45; i++)
        value[i] = i;
    test_dir_create(&dir);
    test_dir_path(&dir, "a.png", path, sizeof path);
    assert_int_equal(picture_write(path, &a, 8, &f), EXIT_FINE);
    char *bytes = test_file_read(path, &size);
    for (size_t cut = 0; cut < size; cut++) {
        struct array back = { 0 };
        int bits;
        test_file_write(path, bytes, cut);
        f.text[0] = 0;
        if (cut + 12 < size) /* without its last chunk a picture may pass */
            assert_int_equal(picture_read(path, &back, &bits, &f), EXIT_USAGE);
        array_free(&back);
    }
    for (int64_t round = 0; round < test_count(2000); round++) {
        struct array back = { 0 };
        int bits;
        size_t at = (size_t)test_random_in(&r, 0, (int64_t)size - 1);
        char was = bytes[at];
        bytes[at] = (char)test_random_bits(&r);
        test_file_write(path, bytes, size);
        f.text[0] = 0;
        if (picture_read(path, &back, &bits, &f))
            assert_true(f.text[0]);
        array_free(&back);
        bytes[at] = was;
    }
    free(bytes);
    test_dir_remove(&dir);
}

static void other_files_are_no_pictures(void **state)
{
    struct array a;
    int bits;
    struct failure f = { 0 };
    struct test_dir dir;
    char path[600];
    test_dir_create(&dir);
    test_dir_path(&dir, "a.png", path, sizeof path);
    assert_int_equal(picture_read(path, &a, &bits, &f), EXIT_USAGE);
    assert_non_null(strstr(f.text, "cannot be opened"));
    test_file_write(path, "BM is another format", 20);
    assert_int_equal(picture_read(path, &a, &bits, &f), EXIT_USAGE);
    assert_non_null(strstr(f.text, "is no PNG file"));
    assert_int_equal(picture_read(dir.path, &a, &bits, &f), EXIT_USAGE);
    assert_non_null(strstr(f.text, "is a directory"));
    test_dir_remove(&dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_depth_and_number_of_channels_survives),
        cmocka_unit_test(values_are_rounded_and_clamped),
        cmocka_unit_test(only_pictures_are_written),
        cmocka_unit_test(damaged_files_never_crash),
        cmocka_unit_test(other_files_are_no_pictures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
