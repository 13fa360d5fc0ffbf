/* The directory of the disk cache: created private, and refused where others could have been in it.
 */
#include "runtime/disk_dir.h"
#include "tests/support/support.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static void missing_directories_are_created_private(void **state)
{
    (void)state;
    struct test_dir dir;
    struct diag d = { 0 };
    struct stat s;
    char path[600], parent[600];
    int fd;
    test_dir_create(&dir);
    test_dir_path(&dir, "a", parent, sizeof parent);
    test_dir_path(&dir, "a/b/c/", path, sizeof path);
    for (int again = 0; again < 2; again++) {
        assert_int_equal(disk_dir_open(path, &fd, &d), CONVC_OK);
        close(fd);
    }
    assert_int_equal(stat(parent, &s), 0);
    assert_int_equal(s.st_mode & 0777, 0700);
    assert_int_equal(stat(path, &s), 0);
    assert_int_equal(s.st_mode & 0777, 0700);
    test_dir_remove(&dir);
}

static void refuses(const char *path, const char *says)
{
    struct diag d = { 0 };
    int fd = -1;
    assert_int_equal(disk_dir_open(path, &fd, &d), CONVC_ERR_IO);
    assert_int_equal(fd, -1);
    if (!strstr(d.text, path) || !strstr(d.text, says))
        fail_msg("\"%s\" does not say \"%s\"", d.text, says);
}

static void a_directory_that_others_can_enter_is_not_used(void **state)
{
    (void)state;
    struct test_dir dir;
    char open_dir[600], linked[600], file[600], below[700];
    test_dir_create(&dir);
    test_dir_path(&dir, "open", open_dir, sizeof open_dir);
    test_dir_path(&dir, "link", linked, sizeof linked);
    test_dir_path(&dir, "file", file, sizeof file);
    snprintf(below, sizeof below, "%s/below", file);
    assert_int_equal(mkdir(open_dir, 0700), 0);
    assert_int_equal(symlink(open_dir, linked), 0);
    test_file_write(file, "x", 1);

    refuses(linked, linked);
    refuses(file, file);
    refuses(below, below);
    assert_int_equal(chmod(open_dir, 0770), 0);
    refuses(open_dir, "mode 0770 lets others in; it must be 0700");
    assert_int_equal(chmod(open_dir, 0707), 0);
    refuses(open_dir, "mode 0707");
    if (geteuid() != 0)
        refuses("/", "belongs to user 0");
    else if (chown(open_dir, 12345, 12345) == 0)
        refuses(open_dir, "belongs to user 12345");
    test_dir_remove(&dir);
}

/* Such as $XDG_CACHE_HOME; /tmp, in which nobody renames what others own, is fine. */
static void a_directory_that_others_can_rename_is_not_used(void **state)
{
    (void)state;
    struct test_dir dir;
    struct diag d = { 0 };
    char parent[600], path[700];
    int fd;
    test_dir_create(&dir);
    test_dir_path(&dir, "xdg", parent, sizeof parent);
    snprintf(path, sizeof path, "%s/convc", parent);
    assert_int_equal(mkdir(parent, 0700), 0);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(chmod(parent, 0707), 0);
    refuses(path, "is in a directory of mode 0707, which others can write");
    assert_int_equal(chmod(parent, 01777), 0);
    assert_int_equal(disk_dir_open(path, &fd, &d), CONVC_OK);
    close(fd);
    assert_int_equal(chmod(parent, 0770), 0); /* a group of one's own */
    assert_int_equal(disk_dir_open(path, &fd, &d), CONVC_OK);
    close(fd);
    if (geteuid() == 0 && chown(parent, 0, 12345) == 0) {
        refuses(path, "is in a directory of mode 0770, which others can write");
        assert_int_equal(chmod(parent, 0700), 0);
        assert_int_equal(chown(parent, 12345, 0), 0);
        refuses(path, "is in a directory of user 12345");
    }
    test_dir_remove(&dir);
}

static void the_environment_names_the_directory(void **state)
{
    (void)state;
    struct test_dir dir;
    char path[600], expected[700], found[800];
    struct diag d = { 0 };
    const char *kept = getenv("HOME");
    char *home = kept ? strdup(kept) : NULL;
    test_dir_create(&dir);
    test_dir_path(&dir, "xdg", path, sizeof path);

    setenv("HOME", dir.path, 1);
    setenv("XDG_CACHE_HOME", path, 1);
    assert_int_equal(disk_dir_default(found, sizeof found, &d), CONVC_OK);
    snprintf(expected, sizeof expected, "%s/convc", path);
    assert_string_equal(found, expected);

    setenv("XDG_CACHE_HOME", "relative/paths/do/not/count", 1);
    assert_int_equal(disk_dir_default(found, sizeof found, &d), CONVC_OK);
    snprintf(expected, sizeof expected, "%s/.cache/convc", dir.path);
    assert_string_equal(found, expected);

    unsetenv("HOME");
    unsetenv("XDG_CACHE_HOME");
    assert_int_equal(disk_dir_default(found, sizeof found, &d), CONVC_ERR_IO);
    assert_string_equal(d.text, "neither XDG_CACHE_HOME nor HOME is an absolute path");
    if (home)
        setenv("HOME", home, 1);
    free(home);
    test_dir_remove(&dir);
}

static void a_name_that_is_too_long_is_an_error(void **state)
{
    (void)state;
    struct diag d = { 0 };
    char small[4];
    setenv("XDG_CACHE_HOME", "/somewhere", 1);
    assert_int_equal(disk_dir_default(small, sizeof small, &d), CONVC_ERR_IO);
    assert_non_null(strstr(d.text, "more than 3 bytes"));
    unsetenv("XDG_CACHE_HOME");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(missing_directories_are_created_private),
        cmocka_unit_test(a_directory_that_others_can_enter_is_not_used),
        cmocka_unit_test(a_directory_that_others_can_rename_is_not_used),
        cmocka_unit_test(the_environment_names_the_directory),
        cmocka_unit_test(a_name_that_is_too_long_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
