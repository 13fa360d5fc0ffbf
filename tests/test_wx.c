/* No test is given memory that is writable and executable: the guard under which they run bites. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { READ_WRITE = PROT_READ | PROT_WRITE, ALL = READ_WRITE | PROT_EXEC, PAGE = 4096 };

static void *map(int access)
{
    return mmap(NULL, PAGE, access, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void map_all(void)
{
    map(ALL);
}

static void allow_all(void)
{
    mprotect(map(READ_WRITE), PAGE, ALL);
}

static void allow_all_by_number(void)
{
    syscall(SYS_mprotect, map(READ_WRITE), (size_t)PAGE, ALL);
}

static void allow_all_by_key(void)
{
    pkey_mprotect(map(READ_WRITE), PAGE, ALL, -1);
}

static void one_after_the_other(void)
{
    char *page = map(READ_WRITE);
    page[0] = 1;
    if (mprotect(page, PAGE, PROT_READ | PROT_EXEC) != 0)
        _exit(1);
}

/* How a child ends that does it: by a signal, or 0. */
static int end_of(void (*what)(void))
{
    int status;
    pid_t child = fork();
    if (child == 0) {
        prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
        what();
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) || WEXITSTATUS(status) == 0);
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void both_at_once_is_the_end(void **state)
{
    (void)state;
    if (prctl(PR_GET_SECCOMP) == 0)
        skip(); /* the system has none, or the program was started by hand */
    assert_int_equal(end_of(map_all), SIGSYS);
    assert_int_equal(end_of(allow_all), SIGSYS);
    assert_int_equal(end_of(allow_all_by_number), SIGSYS);
    assert_int_equal(end_of(allow_all_by_key), SIGSYS);
    assert_int_equal(end_of(one_after_the_other), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_at_once_is_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
