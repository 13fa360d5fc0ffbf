/* The public calls that need no context: problems, errors and the reference. */
#include "tests/support/layer.h"
#include "tests/support/support.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>

#include <cmocka.h>

static void statuses_have_names(void **state)
{
    (void)state;
    for (int a = CONVC_OK; a <= CONVC_ERR_TIMEOUT; a++) {
        for (int b = CONVC_OK; b < a; b++)
            assert_string_not_equal(convc_status_string(a), convc_status_string(b));
    }
    assert_string_equal(convc_status_string((enum convc_status)999), "unknown status");
}

/* Sets *good where this thread begins without an error and then has its own. */
static void *own_error(void *good)
{
    struct convc_problem p;
    bool none = convc_last_error()[0] == '\0';
    convc_problem_init(&p);
    p.groups = 0;
    bool failed =
        convc_problem_check(&p) == CONVC_ERR_SHAPE && strstr(convc_last_error(), "groups");
    *(bool *)good = none && failed;
    return NULL;
}

static void each_thread_has_its_own_last_error(void **state)
{
    (void)state;
    struct convc_problem p;
    pthread_t thread;
    bool good = false;
    convc_problem_init(&p);
    p.ic = 0;
    assert_int_equal(convc_problem_check(&p), CONVC_ERR_SHAPE);
    assert_non_null(strstr(convc_last_error(), "in_channels=0"));
    assert_int_equal(pthread_create(&thread, NULL, own_error, &good), 0);
    pthread_join(thread, NULL);
    assert_true(good);
    assert_non_null(strstr(convc_last_error(), "in_channels=0"));
}

static void a_problem_tells_its_shapes(void **state)
{
    (void)state;
    struct convc_problem p;
    int64_t out[3], stride[5], elements;
    char *text;
    layer_problem(&p, 3, 5, 8, 9);
    p.stride[CONVC_W] = 2;
    assert_int_equal(convc_problem_check(&p), CONVC_OK);
    assert_int_equal(convc_problem_output(&p, out), CONVC_OK);
    assert_int_equal(out[CONVC_D], 1);
    assert_int_equal(out[CONVC_H], 8);
    assert_int_equal(out[CONVC_W], 5);
    assert_int_equal(convc_problem_src(&p, 4, stride, &elements), CONVC_OK);
    assert_int_equal(elements, 4 * 8 * 9 * 3);
    assert_int_equal(stride[CONVC_STRIDE_W], 3);
    assert_int_equal(convc_problem_dst(&p, 4, stride, &elements), CONVC_OK);
    assert_int_equal(elements, 4 * 8 * 5 * 5);
    assert_int_equal(stride[CONVC_STRIDE_N], 8 * 5 * 5);
    assert_int_equal(convc_problem_dst(&p, 0, NULL, &elements), CONVC_OK);
    assert_int_equal(elements, 0);
    assert_int_equal(convc_problem_src(&p, -1, NULL, NULL), CONVC_ERR_ARGUMENT);
    assert_int_equal(convc_problem_src(&p, INT64_MAX, NULL, NULL), CONVC_ERR_SHAPE);
    assert_int_equal(convc_problem_wei(&p, &elements), CONVC_OK);
    assert_int_equal(elements, 5 * 3 * 3 * 3);
    assert_int_equal(convc_problem_text(&p, &text), CONVC_OK);
    assert_non_null(strstr(text, "ic3"));
    convc_text_free(text);
    assert_int_equal(convc_problem_output(&p, NULL), CONVC_OK);
    assert_int_equal(convc_problem_wei(&p, NULL), CONVC_OK);
    assert_int_equal(convc_problem_text(&p, NULL), CONVC_ERR_ARGUMENT);
    p.groups = 2;
    assert_int_equal(convc_problem_output(&p, out), CONVC_ERR_SHAPE);
    assert_int_equal(convc_problem_text(&p, &text), CONVC_ERR_SHAPE);
    assert_int_equal(convc_problem_check(NULL), CONVC_ERR_ARGUMENT);
}

static void the_reference_checks_its_arguments(void **state)
{
    (void)state;
    struct convc_problem p;
    struct layer l;
    double out[2];
    layer_problem(&p, 2, 3, 4, 5);
    layer_init(&l, &p, 2);
    struct convc_args good = layer_args(&l), bad;
    good.wei = l.wei;
    const int64_t index[2] = { 0, 2 * 3 * 4 * 5 - 1 }, outside[1] = { 2 * 3 * 4 * 5 };
    assert_int_equal(convc_reference_at(&l.p, &good, index, 2, out), CONVC_OK);
    assert_true(out[0] == (double)l.expected[0]);
    assert_true(out[1] == (double)l.expected[2 * 3 * 4 * 5 - 1]);
    assert_int_equal(convc_reference_at(&l.p, &good, outside, 1, out), CONVC_ERR_ARGUMENT);
    bad = good;
    bad.wei = NULL;
    assert_int_equal(convc_reference(&l.p, &bad), CONVC_ERR_ARGUMENT);
    assert_string_equal(convc_last_error(), "wei is missing");
    bad = good;
    bad.n = -1;
    assert_int_equal(convc_reference(&l.p, &bad), CONVC_ERR_ARGUMENT);
    bad.n = INT64_MAX / 3;
    assert_int_equal(convc_reference(&l.p, &bad), CONVC_ERR_ARGUMENT);
    assert_string_equal(convc_last_error(),
                        "n=3074457345618258602 images exceed the address space");
    assert_int_equal(convc_reference_at(&l.p, &bad, index, 2, out), CONVC_ERR_ARGUMENT);
    assert_int_equal(convc_reference_at(&l.p, &good, NULL, 2, out), CONVC_ERR_ARGUMENT);
    assert_int_equal(convc_reference_at(&l.p, &good, index, 2, NULL), CONVC_ERR_ARGUMENT);
    layer_free(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(statuses_have_names),
        cmocka_unit_test(each_thread_has_its_own_last_error),
        cmocka_unit_test(a_problem_tells_its_shapes),
        cmocka_unit_test(the_reference_checks_its_arguments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
