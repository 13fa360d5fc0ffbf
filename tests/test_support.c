/* The tests' own ground: scale, randomness and directories do what they say. */
#include "tests/support/support.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

static void scale_reduces_counts_but_never_to_none(void **state)
{
    (void)state;
    const char *was = getenv("CONVC_TEST_SCALE");
    char *kept = was == NULL ? NULL : strdup(was);

    unsetenv("CONVC_TEST_SCALE");
    assert_int_equal(test_count(2000), 2000);
    setenv("CONVC_TEST_SCALE", "5", 1);
    assert_int_equal(test_count(2000), 100);
    assert_int_equal(test_count(3), 1);

    if (kept == NULL)
        unsetenv("CONVC_TEST_SCALE");
    else
        setenv("CONVC_TEST_SCALE", kept, 1);
    free(kept);
}

static void random_numbers_stay_in_range_and_repeat(void **state)
{
    (void)state;
    struct test_random a = { 7 }, b = { 7 };
    int seen[7] = { 0 };
    for (int i = 0; i < 1000; i++) {
        int64_t x = test_random_in(&a, -3, 3);
        assert_true(x >= -3 && x <= 3);
        assert_int_equal(x, test_random_in(&b, -3, 3));
        seen[x + 3]++;
    }
    for (int i = 0; i < 7; i++)
        assert_true(seen[i] > 0);
    test_random_in(&a, INT64_MIN, INT64_MAX);
}

static void directory_comes_empty_and_goes_with_its_files(void **state)
{
    (void)state;
    struct test_dir dir;
    char path[600], below[600];
    test_dir_create(&dir);
    test_dir_path(&dir, "below", below, sizeof below);
    assert_int_equal(mkdir(below, 0700), 0);
    test_dir_path(&dir, "below/file", path, sizeof path);
    assert_null(test_file_read(path, NULL));
    test_file_write(path, "abc", 3);

    size_t count;
    char *bytes = test_file_read(path, &count);
    assert_int_equal(count, 3);
    assert_string_equal(bytes, "abc");
    free(bytes);

    struct test_dir gone = dir;
    test_dir_remove(&dir);
    struct stat info;
    assert_int_not_equal(stat(gone.path, &info), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scale_reduces_counts_but_never_to_none),
        cmocka_unit_test(random_numbers_stay_in_range_and_repeat),
        cmocka_unit_test(directory_comes_empty_and_goes_with_its_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
