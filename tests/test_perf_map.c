/* The perf map: it names kernels where it is asked for, and nothing that lies in its place is
 * followed, overwritten or trusted. Each fact in a child, whose number is the file's. */
#include "tests/support/layer.h"
#include "tests/support/support.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define CHECK(fact)                                                                                \
    do {                                                                                           \
        if (!(fact)) {                                                                             \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #fact);                             \
            _exit(1);                                                                              \
        }                                                                                          \
    } while (0)

static char map[64];
static struct test_dir dir;

static void in_child(const char *wanted, void (*body)(void))
{
    int status;
    test_dir_create(&dir);
    pid_t child = fork();
    if (child == 0) {
        alarm(120);
        snprintf(map, sizeof map, "/tmp/perf-%d.map", (int)getpid());
        unlink(map);
        setenv("CONVC_PERF_MAP", wanted, 1);
        body();
        unlink(map);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    test_dir_remove(&dir);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* Compiles a convolution of so many channels; its code. */
static convc_kernel_fn compile(int64_t ic)
{
    static convc_context *cx;
    const struct convc_context_options opt = { .struct_bytes = sizeof opt,
                                               .threads = 1,
                                               .flags = CONVC_NO_DISK_CACHE };
    struct convc_problem p;
    struct convc_kernel_info info = { .struct_bytes = sizeof info };
    convc_kernel *k;
    layer_problem(&p, ic, 4, 5, 5);
    CHECK(cx || convc_context_create(&opt, &cx) == CONVC_OK);
    CHECK(convc_compile(cx, &p, NULL, &k) == CONVC_OK);
    CHECK(convc_kernel_info(k, &info) == CONVC_OK && info.function);
    return info.function;
}

static const char *target(char *buffer, size_t size)
{
    return test_dir_path(&dir, "target", buffer, size);
}

/* ---- facts ----------------------------------------------------------------------------------- */

static void names_kernels(void)
{
    unsigned long long at[2], bytes[2];
    char name[2][256];
    struct stat s;
    convc_kernel_fn one = compile(3), two = compile(5);
    char *text = test_file_read(map, NULL);
    CHECK(text && stat(map, &s) == 0 && (s.st_mode & 07777) == 0600);
    CHECK(sscanf(text, "%llx %llx %255s\n%llx %llx %255s\n", &at[0], &bytes[0], name[0], &at[1],
                 &bytes[1], name[1]) == 6);
    CHECK(at[0] == (uintptr_t)one && at[1] == (uintptr_t)two);
    CHECK(bytes[0] > 32 && bytes[0] < 65536);
    CHECK(!strncmp(name[0], "convc:g1mb1ic3", 14) && strstr(name[0], "_direct_"));
    CHECK(!strncmp(name[1], "convc:g1mb1ic5", 14));
    free(text);
}

static void is_silent(void)
{
    compile(3);
    CHECK(access(map, F_OK) != 0);
}

static void leaves_links(void)
{
    char path[600];
    struct stat s;
    test_file_write(target(path, sizeof path), "mine\n", 5);
    CHECK(symlink(path, map) == 0);
    compile(3);
    CHECK(lstat(map, &s) == 0 && S_ISLNK(s.st_mode));
    CHECK(stat(path, &s) == 0 && s.st_size == 5);
    unlink(map);
    CHECK(symlink("/tmp/there-is-no-such-file-of-convc", map) == 0);
    compile(4);
    CHECK(access("/tmp/there-is-no-such-file-of-convc", F_OK) != 0);
    unlink(map);
    CHECK(link(path, map) == 0); /* a file with another name */
    compile(5);
    CHECK(stat(path, &s) == 0 && s.st_size == 5);
}

static void leaves_what_others_may_write(void)
{
    struct stat s;
    test_file_write(map, "other\n", 6);
    CHECK(chmod(map, 0666) == 0);
    compile(3);
    CHECK(stat(map, &s) == 0 && s.st_size == 6);
    unlink(map);
    CHECK(mkfifo(map, 0600) == 0);
    compile(4); /* and does not wait for a reader */
    unlink(map);
    CHECK(mkdir(map, 0700) == 0);
    compile(5);
    CHECK(rmdir(map) == 0);
    if (geteuid() != 0)
        return;
    test_file_write(map, "other\n", 6);
    CHECK(chown(map, 65534, 65534) == 0 && chmod(map, 0644) == 0);
    compile(6);
    CHECK(stat(map, &s) == 0 && s.st_size == 6);
}

static void begins_anew(void)
{
    const struct timespec old[2] = { { 1000000000, 0 }, { 1000000000, 0 } };
    test_file_write(map, "1000 10 of_a_process_before\n", 28);
    CHECK(chmod(map, 0600) == 0 && utimensat(AT_FDCWD, map, old, 0) == 0);
    compile(3);
    char *text = test_file_read(map, NULL);
    CHECK(text && !strstr(text, "before") && strstr(text, "convc:"));
    free(text);
    unlink(map);
    test_file_write(map, "1000 10 of_another_compiler\n", 28); /* of this very process */
    CHECK(chmod(map, 0600) == 0);
    compile(4);
    text = test_file_read(map, NULL);
    CHECK(text && strstr(text, "of_another_compiler\n") && strstr(text, "convc:"));
    free(text);
}

static void kernels_are_named_where_that_is_asked_for(void **state)
{
    (void)state;
    in_child("1", names_kernels);
}

static void nothing_is_written_unasked(void **state)
{
    (void)state;
    in_child("0", is_silent);
    in_child("", is_silent);
}

static void links_are_not_followed(void **state)
{
    (void)state;
    in_child("1", leaves_links);
}

static void what_others_may_write_is_left_alone(void **state)
{
    (void)state;
    in_child("1", leaves_what_others_may_write);
}

static void what_a_process_of_the_same_number_left_is_gone(void **state)
{
    (void)state;
    in_child("1", begins_anew);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kernels_are_named_where_that_is_asked_for),
        cmocka_unit_test(nothing_is_written_unasked),
        cmocka_unit_test(links_are_not_followed),
        cmocka_unit_test(what_others_may_write_is_left_alone),
        cmocka_unit_test(what_a_process_of_the_same_number_left_is_gone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
