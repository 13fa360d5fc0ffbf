/* The machine's ceilings: measured, kept, and believed only where they are this machine's. */
#include "runtime/ceilings.h"
#include "runtime/disk_dir.h"
#include "tests/support/support.h"

#include <convc/convc.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static const struct ceilings some = { 120.25, 60.5, 30, 9.75 };

static int open_in(const struct test_dir *dir, char *path, size_t size)
{
    struct diag d = { 0 };
    int fd = -1;
    test_dir_path(dir, "cache", path, size);
    assert_int_equal(disk_dir_open(path, &fd, &d), CONVC_OK);
    return fd;
}

static void what_is_stored_is_loaded_on_the_same_target_alone(void **state)
{
    (void)state;
    struct test_dir dir;
    struct ceilings c = { 0 };
    struct diag d = { 0 };
    char path[600];
    test_dir_create(&dir);
    int fd = open_in(&dir, path, sizeof path);
    assert_false(ceilings_load(fd, "here", &c));
    assert_int_equal(ceilings_store(fd, "here", &some, &d), CONVC_OK);
    assert_true(ceilings_load(fd, "here", &c));
    assert_memory_equal(&c, &some, sizeof c);
    assert_false(ceilings_load(fd, "elsewhere", &c));
    assert_false(ceilings_load(-1, "here", &c));
    close(fd);
    test_dir_remove(&dir);
}

static void a_file_that_is_damaged_or_implausible_counts_for_nothing(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "convc ceilings 1",
        "convc ceilings 2\ntarget here\nl1 1\nl2 1\nl3 1\nmemory 1\n",
        "convc ceilings 1\ntarget here\nl1 1\nl2 1\nl3 1\nmemory\n",
        "convc ceilings 1\ntarget here\nl1 1\nl2 1\nl3 1\nmemory 1\nmore",
        "convc ceilings 1\ntarget here\nl1 1\nl2 nan\nl3 1\nmemory 1\n",
        "convc ceilings 1\ntarget here\nl1 1\nl2 0\nl3 1\nmemory 1\n",
        "convc ceilings 1\ntarget here\nl1 1\nl2 1\nl3 1e300\nmemory 1\n",
    };
    static const char good[] = "convc ceilings 1\ntarget here\nl1 1\nl2 1\nl3 1\nmemory 1\n";
    struct test_dir dir;
    struct ceilings c = some;
    char path[600], file[700];
    test_dir_create(&dir);
    int fd = open_in(&dir, path, sizeof path);
    snprintf(file, sizeof file, "%s/ceilings", path);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        test_file_write(file, bad[i], strlen(bad[i]));
        chmod(file, 0600);
        assert_false(ceilings_load(fd, "here", &c));
        assert_memory_equal(&c, &some, sizeof c);
    }
    test_file_write(file, good, strlen(good));
    chmod(file, 0600);
    assert_true(ceilings_load(fd, "here", &c));
    chmod(file, 0666);
    assert_false(ceilings_load(fd, "here", &c));
    close(fd);
    test_dir_remove(&dir);
}

static void calibration_measures_every_level_and_leaves_the_cache_empty(void **state)
{
    (void)state;
    struct test_dir dir;
    struct convc_ceilings c = { .struct_bytes = sizeof c };
    struct ceilings loaded;
    char path[600];
    convc_context *cx = NULL;
    test_dir_create(&dir);
    int fd = open_in(&dir, path, sizeof path);
    const struct convc_context_options opt = { .struct_bytes = sizeof opt, .cache_dir = path };
    assert_int_equal(convc_context_create(&opt, &cx), CONVC_OK);
    assert_int_equal(convc_calibrate(cx, 0, &c), CONVC_OK);
    assert_true(c.gflops > 0 && c.l1 > 0 && c.l2 > 0 && c.l3 > 0 && c.memory > 0);
    assert_true(ceilings_load(fd, convc_context_target(cx), &loaded));
    int64_t removed = -1;
    assert_int_equal(convc_cache_clear(cx, &removed), CONVC_OK);
    assert_int_equal(removed, 0);
    assert_true(ceilings_load(fd, convc_context_target(cx), &loaded));
    c.struct_bytes = 1;
    assert_int_equal(convc_calibrate(cx, 0, &c), CONVC_ERR_ARGUMENT);
    convc_context_destroy(cx);
    close(fd);
    test_dir_remove(&dir);
}

static void without_a_directory_calibration_says_so(void **state)
{
    (void)state;
    const struct convc_context_options opt = { .struct_bytes = sizeof opt,
                                               .flags = CONVC_NO_DISK_CACHE };
    struct convc_ceilings c = { .struct_bytes = sizeof c };
    convc_context *cx = NULL;
    assert_int_equal(convc_context_create(&opt, &cx), CONVC_OK);
    assert_int_equal(convc_calibrate(cx, 0, &c), CONVC_ERR_IO);
    assert_non_null(strstr(convc_last_error(), "no disk cache"));
    assert_int_equal(convc_measure_ceilings(cx, 0, &c), CONVC_OK);
    convc_context_destroy(cx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_stored_is_loaded_on_the_same_target_alone),
        cmocka_unit_test(a_file_that_is_damaged_or_implausible_counts_for_nothing),
        cmocka_unit_test(calibration_measures_every_level_and_leaves_the_cache_empty),
        cmocka_unit_test(without_a_directory_calibration_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
