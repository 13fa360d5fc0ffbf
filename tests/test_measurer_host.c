/* The measurer's host: its streams, its signals, its threads and its other children know nothing of
 * the child, and nothing is left of it. */
#include "runtime/measurer.h"
#include "tests/support/measured.h"
#include "tests/support/support.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <locale.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static struct text why; /* which the next call replaces */

static int open_files(void)
{
    int count = 0;
    DIR *all = opendir("/proc/self/fd");
    while (readdir(all))
        count++;
    closedir(all);
    return count;
}

/* ---- the host ------------------------------------------------------------------------------- */

static void measures_fine(void)
{
    static const int slots[] = { 0 };
    double seconds;
    struct measurer *m = measured_start();
    if (measurer_problem(m, measured_problem, &why) || measurer_plan(m, 0, measured_plan, &why) ||
        measurer_race(m, 1, 0.1, slots, 1, &seconds, &why) || !(seconds > 0))
        fail_msg("%s", why.data ? why.data : "");
    measurer_stop(m);
}

/* All combinations of closed standard streams. */
static void streams_of_the_host_may_be_closed(void **state)
{
    int kept[3], before = open_files();
    for (int fd = 0; fd < 3; fd++)
        kept[fd] = fcntl(fd, F_DUPFD_CLOEXEC, 10);
    for (int closed = 1; closed < 8; closed++) {
        for (int fd = 0; fd < 3; fd++)
            if (closed & 1 << fd)
                close(fd);
        measures_fine();
        for (int fd = 0; fd < 3; fd++)
            dup2(kept[fd], fd);
    }
    for (int fd = 0; fd < 3; fd++)
        close(kept[fd]);
    assert_int_equal(open_files(), before);
}

static void nothing_is_left_of_many_children(void **state)
{
    struct measurer *m = measured_start();
    int before = open_files();
    for (int i = 0; i < 100; i++) {
        measured_kill_child();
        assert_int_equal(measurer_problem(m, measured_problem, &why), MEASURER_OK);
        assert_int_equal(open_files(), before);
    }
    measurer_stop(m);
    assert_int_equal(measured_child(), 0);
    assert_int_equal(open_files(), before - 2);
}

static void other_children_inherit_nothing(void **state)
{
    int count[2];
    struct measurer *m = NULL;
    for (int i = 0; i < 2; i++) {
        FILE *list = popen("ls /proc/self/fd | wc -l", "r");
        assert_int_equal(fscanf(list, "%d", &count[i]), 1);
        pclose(list);
        m = i ? m : measured_start();
    }
    assert_int_equal(count[0], count[1]);
    measurer_stop(m);
}

/* What the host does with signals is no affair of the child's, nor the other way round. */
static void signals_are_the_hosts(void **state)
{
    struct sigaction ignore = { .sa_handler = SIG_IGN }, before[2], after;
    sigset_t term, mask;
    sigemptyset(&term);
    sigaddset(&term, SIGTERM);
    sigaction(SIGPIPE, &ignore, &before[0]);
    sigaction(SIGUSR1, &ignore, &before[1]);
    pthread_sigmask(SIG_BLOCK, &term, &mask);
    struct measurer *m = measured_start();
    pid_t child = measured_child();
    char path[64], line[200];
    uint64_t blocked = 1, ignored = 1;
    snprintf(path, sizeof path, "/proc/%d/status", child);
    FILE *f = fopen(path, "r");
    while (fgets(line, sizeof line, f)) {
        sscanf(line, "SigBlk: %" SCNx64, &blocked);
        sscanf(line, "SigIgn: %" SCNx64, &ignored);
    }
    fclose(f);
    assert_true(blocked == 0 && (ignored & 0x7fffffff) == 0); /* 32 and 33 are the C library's */
    assert_int_equal(getpgid(child), child);
    measurer_stop(m);
    sigaction(SIGPIPE, NULL, &after);
    assert_true(after.sa_handler == SIG_IGN);
    pthread_sigmask(SIG_SETMASK, &mask, NULL);
    sigaction(SIGPIPE, &before[0], NULL);
    sigaction(SIGUSR1, &before[1], NULL);
}

static void a_host_that_waits_for_no_child_measures(void **state)
{
    struct sigaction ignore = { .sa_handler = SIG_IGN }, before;
    sigaction(SIGCHLD, &ignore, &before);
    measures_fine();
    struct measurer *m = measured_start_planted("PLANT_CRASH", "direct");
    assert_int_equal(measurer_problem(m, measured_problem, &why), MEASURER_OK);
    assert_int_equal(measurer_plan(m, 0, measured_plan, &why), MEASURER_CRASHED);
    assert_string_equal(why.data, "convc-measure ended: planted: this plan crashes");
    measurer_stop(m);
    sigaction(SIGCHLD, &before, NULL);
}

static void the_locale_does_not_matter(void **state)
{
    static const char *const names[] = { "de_DE.UTF-8", "fr_FR.UTF-8", "de_DE.utf8" };
    const char *set = NULL;
    for (int i = 0; i < 3 && !set; i++)
        set = setlocale(LC_NUMERIC, names[i]);
    if (!set)
        skip();
    measures_fine();
    setlocale(LC_NUMERIC, "C");
}

/* ---- threads -------------------------------------------------------------------------------- */

static void *measure_in_thread(void *argument)
{
    static const int slots[] = { 2, 3 };
    double seconds[6];
    struct text own = { 0 };
    struct measurer *m = argument;
    bool fine = measurer_problem(m, measured_problem, &own) == MEASURER_OK &&
                measurer_plan(m, 2, measured_plan, &own) == MEASURER_OK &&
                measurer_plan(m, 3, measured_other, &own) == MEASURER_OK &&
                measurer_race(m, 3, 0.1, slots, 2, seconds, &own) == MEASURER_OK;
    text_free(&own);
    return fine ? m : NULL;
}

static void *start_in_thread(void *argument)
{
    return measured_start();
}

static void threads_measure_at_once(void **state)
{
    enum { THREADS = 4 };
    pthread_t thread[THREADS];
    struct measurer *m[THREADS];
    for (int i = 0; i < THREADS; i++)
        m[i] = measured_start();
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, measure_in_thread, m[i]), 0);
    for (int i = 0; i < THREADS; i++) {
        void *fine;
        pthread_join(thread[i], &fine);
        assert_non_null(fine);
        measurer_stop(m[i]);
    }
    assert_int_equal(measured_child(), 0);
}

static void a_child_outlives_the_thread_that_started_it(void **state)
{
    const struct timespec while_ended = { 0, 50 * 1000 * 1000 };
    pthread_t thread;
    void *m;
    assert_int_equal(pthread_create(&thread, NULL, start_in_thread, NULL), 0);
    pthread_join(thread, &m);
    nanosleep(&while_ended, NULL);
    pid_t child = measured_child();
    assert_int_equal(measurer_problem(m, measured_problem, &why), MEASURER_OK);
    assert_int_equal(measured_child(), child);
    measurer_stop(m);
}

static int free_text(void **state)
{
    text_free(&why);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(streams_of_the_host_may_be_closed),
        cmocka_unit_test(nothing_is_left_of_many_children),
        cmocka_unit_test(other_children_inherit_nothing),
        cmocka_unit_test(signals_are_the_hosts),
        cmocka_unit_test(a_host_that_waits_for_no_child_measures),
        cmocka_unit_test(the_locale_does_not_matter),
        cmocka_unit_test(threads_measure_at_once),
        cmocka_unit_test(a_child_outlives_the_thread_that_started_it),
    };
    return cmocka_run_group_tests(tests, NULL, free_text);
}
