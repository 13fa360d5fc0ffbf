/* The measurer: what it answers, and that whatever happens to the child is a sentence here. */
#include "runtime/measurer.h"
#include "tests/support/measured.h"
#include "tests/support/support.h"

#include <convc/convc.h>

#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

/* A text that the next call replaces. */
static struct text why;

static void says(const char *words)
{
    if (!why.data || !strstr(why.data, words))
        fail_msg("\"%s\" does not say \"%s\"", why.data ? why.data : "", words);
}

static void says_nothing(void)
{
    assert_int_equal(why.size, 0);
}

/* ---- what it answers ------------------------------------------------------------------------ */

static void plans_are_checked_and_timed(void **state)
{
    static const int slots[] = { 0, 15, 0 };
    double seconds[4][3];
    struct measurer *m = measured_start();
    assert_int_equal(measurer_problem(m, measured_problem, &why), MEASURER_OK);
    assert_int_equal(measurer_plan(m, 0, measured_plan, &why), MEASURER_OK);
    assert_int_equal(measurer_plan(m, 15, measured_other, &why), MEASURER_OK);
    says_nothing();
    assert_int_equal(measurer_race(m, 4, 0.5, slots, 3, &seconds[0][0], &why), MEASURER_OK);
    says_nothing();
    for (int i = 0; i < 12; i++)
        assert_true(isfinite(seconds[i / 3][i % 3]) && seconds[i / 3][i % 3] > 0);
    assert_int_equal(measurer_race(m, 4, 0.5, slots, 3, &seconds[0][0], NULL), MEASURER_OK);
    measurer_stop(m);
    measurer_stop(NULL);
}

static bool at_third_look(void *looks)
{
    return ++*(int *)looks == 3;
}

static void who_watches_may_end_the_wait(void **state)
{
    int looks = 0;
    struct measurer *m = measured_start_planted("PLANT_HANG", measured_plan);
    measurer_watch(m, at_third_look, &looks);
    assert_int_equal(measurer_problem(m, measured_problem, &why), MEASURER_OK);
    looks = 0;
    assert_int_equal(measurer_plan(m, 0, measured_plan, &why), MEASURER_STOPPED);
    assert_int_equal(looks, 3);
    assert_int_equal(measured_child(), 0);
    measurer_watch(m, NULL, NULL);
    assert_int_equal(measurer_problem(m, measured_problem, &why), MEASURER_OK);
    assert_int_equal(measurer_plan(m, 0, measured_other, &why), MEASURER_OK);
    measurer_stop(m);
}

static void what_cannot_be_done_is_a_sentence(void **state)
{
    static const int slots[] = { 0, 1 };
    double seconds[2];
    struct measurer *m = measured_start();
    assert_int_equal(measurer_plan(m, 0, measured_plan, &why), MEASURER_FAILED);
    says("there is no problem");
    assert_int_equal(measurer_problem(m, "frobnicate", &why), MEASURER_FAILED);
    says("frobnicate is no problem");
    assert_int_equal(measurer_problem(m, "ic8ih9oc8kh3\nversion", &why), MEASURER_FAILED);
    says("more than one line");
    assert_int_equal(measurer_problem(m, measured_problem, &why), MEASURER_OK);
    assert_int_equal(measurer_plan(m, 0, "frobnicate", &why), MEASURER_REFUSED);
    says("plan 'frobnicate' does not begin with an algorithm");
    assert_int_equal(measurer_plan(m, 0, "direct\n", &why), MEASURER_FAILED);
    assert_int_equal(measurer_plan(m, 16, measured_plan, &why), MEASURER_FAILED);
    says("slot 16 is not within 0 to 15");
    assert_int_equal(measurer_plan(m, 0, measured_plan, NULL), MEASURER_OK);
    assert_int_equal(measurer_race(m, 1, 1, slots, 2, seconds, &why), MEASURER_FAILED);
    says("slot 1 has no plan");
    assert_int_equal(measurer_race(m, 0, 1, slots, 1, seconds, &why), MEASURER_FAILED);
    says("0 rounds");
    assert_int_equal(measurer_race(m, 1, NAN, slots, 1, seconds, &why), MEASURER_FAILED);
    assert_int_equal(measurer_race(m, 1, 1, slots, 1, seconds, &why), MEASURER_OK);
    measurer_stop(m);
}

static void wrong_outputs_are_told(void **state)
{
    static const char *const faults[] = { "PLANT_WRONG", "PLANT_OUTSIDE", "PLANT_FAIL" };
    static const char *const words[] = { "output (0, 0, 0, 0) is", "it writes outside of its",
                                         "it does not run: n=-1" };
    for (int i = 0; i < 3; i++) {
        struct measurer *m = measured_start_planted(faults[i], "tile=1x3x1");
        assert_int_equal(measurer_problem(m, measured_problem, &why), MEASURER_OK);
        assert_int_equal(measurer_plan(m, 0, measured_plan, &why), MEASURER_WRONG);
        says(words[i]);
        assert_int_equal(measurer_plan(m, 0, measured_other, &why), MEASURER_OK);
        measurer_stop(m);
    }
}

/* ---- what happens to the child -------------------------------------------------------------- */

static void a_crash_is_a_sentence(void **state)
{
    struct measurer *m = measured_start_planted("PLANT_CRASH", "tile=1x3x1");
    for (int i = 0; i < 2; i++) {
        assert_int_equal(measurer_problem(m, measured_problem, &why), MEASURER_OK);
        assert_int_equal(measurer_plan(m, 0, measured_plan, &why), MEASURER_CRASHED);
        says("crashed with SIGABRT: planted: this plan crashes");
        assert_int_equal(measured_child(), 0);
        assert_int_equal(measurer_plan(m, 0, measured_other, &why), MEASURER_FAILED);
        says("there is no problem");
        setenv("PLANT_CRASH", "tile=1x3x1", 1); /* for the child that comes */
    }
    unsetenv("PLANT_CRASH");
    assert_int_equal(measurer_problem(m, measured_problem, &why), MEASURER_OK);
    assert_int_equal(measurer_plan(m, 0, measured_plan, &why), MEASURER_OK);
    measurer_stop(m);
}

static void a_hang_is_a_sentence(void **state)
{
    struct measurer *m = measured_start_planted("PLANT_HANG", "tile=1x3x1");
    assert_int_equal(measurer_problem(m, measured_problem, &why), MEASURER_OK);
    measurer_patience(m, 0.2);
    assert_int_equal(measurer_plan(m, 0, measured_plan, &why), MEASURER_HUNG);
    says("did not answer within 0.2 s");
    assert_int_equal(measured_child(), 0);
    measurer_patience(m, measured_patience);
    assert_int_equal(measurer_problem(m, measured_problem, &why), MEASURER_OK);
    assert_int_equal(measurer_plan(m, 0, measured_plan, &why), MEASURER_OK);
    measurer_stop(m);
}

static void a_child_that_takes_nothing_hangs(void **state)
{
    struct measurer *m = measured_start();
    size_t size = 16 << 20; /* more than lies between the two */
    char *text = malloc(size + 1);
    memset(text, 'x', size);
    text[size] = '\0';
    assert_int_equal(measurer_problem(m, text, &why), MEASURER_FAILED);
    says("xxx");
    kill(measured_child(), SIGSTOP);
    measurer_patience(m, 0.2);
    assert_int_equal(measurer_problem(m, text, &why), MEASURER_HUNG);
    assert_int_equal(measured_child(), 0);
    free(text);
    measurer_stop(m);
}

static void a_child_that_is_killed_between_requests_is_no_fault_of_a_plan(void **state)
{
    static const int slots[] = { 0 };
    double seconds;
    struct measurer *m = measured_start();
    assert_int_equal(measurer_problem(m, measured_problem, &why), MEASURER_OK);
    measured_kill_child();
    assert_int_equal(measurer_plan(m, 0, measured_plan, &why), MEASURER_FAILED);
    says("crashed with SIGKILL");
    assert_int_equal(measurer_race(m, 1, 1, slots, 1, &seconds, &why), MEASURER_FAILED);
    assert_int_equal(measurer_problem(m, measured_problem, &why), MEASURER_OK);
    measured_kill_child();
    assert_int_equal(measurer_problem(m, measured_problem, &why), MEASURER_OK);
    assert_int_equal(measurer_plan(m, 0, measured_plan, &why), MEASURER_OK);
    measured_kill_child();
    measurer_stop(m);
    assert_int_equal(measured_child(), 0);
}

/* ---- programs that are none ----------------------------------------------------------------- */

static void refused(const char *path, const char *target, enum convc_status status,
                    const char *words)
{
    const struct measurer_options o = {
        .program = path, .target = target, .threads = 1, .patience = measured_patience
    };
    struct measurer *m = NULL;
    struct diag d = { 0 };
    assert_int_equal(measurer_start(&o, &m, &d), status);
    assert_null(m);
    if (!strstr(d.text, words) || strchr(d.text, '\n'))
        fail_msg("%s", d.text);
    assert_int_equal(measured_child(), 0);
}

static void a_program_that_will_not_do_is_one_sentence(void **state)
{
    refused("/nowhere/convc-measure", NULL, CONVC_ERR_IO,
            "/nowhere/convc-measure: No such file or directory");
    refused("/", NULL, CONVC_ERR_IO, "/: Permission denied");
    refused("/bin/true", NULL, CONVC_ERR_ARGUMENT, "ended with exit code 0");
    refused("/bin/cat", NULL, CONVC_ERR_ARGUMENT, "ended with exit code 1: ");
    refused(measured_program, "frobnicate", CONVC_ERR_ARGUMENT, "\"frobnicate\"");
    refused(measured_program, "aarch64-unknown-linux-gnu:generic", CONVC_ERR_ARGUMENT,
            "is not for this machine");
}

/* Answers as a script does. */
static struct measurer *start_script(const char *text, char path[64])
{
    struct diag d = { 0 };
    struct measurer *m = NULL;
    strcpy(path, "/tmp/convc-measurer-XXXXXX");
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    dprintf(fd, "#!/bin/sh\nread line\n%s", text);
    fchmod(fd, 0700);
    close(fd);
    const struct measurer_options o = { .program = path,
                                        .threads = 1,
                                        .patience = measured_patience };
    (void)measurer_start(&o, &m, &d);
    unlink(path);
    if (!m)
        assert_non_null(strstr(d.text, "is not of convc"));
    return m;
}

static void answers_that_are_none_are_failures(void **state)
{
    static const int slots[] = { 0 };
    char path[64], script[200];
    double seconds[3];
    assert_null(start_script("echo ok 99.0.0\n", path));
    snprintf(script, sizeof script,
             "echo ok %d.%d.%d\nread line; echo ok\nread line; echo round 5e-12\necho %%s\n"
             "read line\n",
             CONVC_VERSION_MAJOR, CONVC_VERSION_MINOR, CONVC_VERSION_PATCH);
    static const char *const ends[] = { "ok",       "round", "round 1 2", "round x",
                                        "round -1", "done",  "done soon", "refused" };
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        char whole[300];
        snprintf(whole, sizeof whole, script, ends[i]);
        struct measurer *m = start_script(whole, path);
        assert_non_null(m);
        assert_int_equal(measurer_problem(m, measured_problem, &why), MEASURER_OK);
        assert_int_equal(measurer_race(m, 3, 1, slots, 1, seconds, &why), MEASURER_FAILED);
        says(ends[i]);
        assert_int_equal(measured_child(), 0);
        measurer_stop(m);
    }
}

static int free_text(void **state)
{
    text_free(&why);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plans_are_checked_and_timed),
        cmocka_unit_test(who_watches_may_end_the_wait),
        cmocka_unit_test(what_cannot_be_done_is_a_sentence),
        cmocka_unit_test(wrong_outputs_are_told),
        cmocka_unit_test(a_crash_is_a_sentence),
        cmocka_unit_test(a_hang_is_a_sentence),
        cmocka_unit_test(a_child_that_takes_nothing_hangs),
        cmocka_unit_test(a_child_that_is_killed_between_requests_is_no_fault_of_a_plan),
        cmocka_unit_test(a_program_that_will_not_do_is_one_sentence),
        cmocka_unit_test(answers_that_are_none_are_failures),
    };
    return cmocka_run_group_tests(tests, NULL, free_text);
}
