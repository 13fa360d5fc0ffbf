/* The counters of a context: every look-up is counted once, for what it came to. */
#include "tests/support/layer.h"
#include "tests/support/support.h"

#include <convc/layer.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static convc_context *make_context(const char *cache_dir, int32_t flags, size_t max_kernels)
{
    convc_context *cx = NULL;
    const struct convc_context_options opt = { .struct_bytes = sizeof opt,
                                               .threads = 1,
                                               .cache_dir = cache_dir,
                                               .flags = flags,
                                               .max_kernels = max_kernels };
    if (convc_context_create(&opt, &cx) != CONVC_OK)
        fail_msg("%s", convc_last_error());
    return cx;
}

static struct convc_context_stats stats(convc_context *cx)
{
    struct convc_context_stats s = { .struct_bytes = sizeof s };
    assert_int_equal(convc_context_stats(cx, &s), CONVC_OK);
    return s;
}

static void compile(convc_context *cx, int64_t ic)
{
    convc_kernel *k;
    struct convc_problem p;
    layer_problem(&p, ic, 4, 5, 5);
    assert_int_equal(convc_compile(cx, &p, NULL, &k), CONVC_OK);
    convc_kernel_release(k);
}

static void look_ups_are_counted_by_what_they_came_to(void **state)
{
    (void)state;
    struct test_dir dir;
    test_dir_create(&dir);
    convc_context *cx = make_context(dir.path, 0, 2);
    struct convc_context_stats s = stats(cx);
    assert_int_equal(s.memory_hits + s.memory_misses + s.compiles + s.kernels + s.code_bytes, 0);
    for (int i = 0; i < 3; i++)
        compile(cx, 3);
    compile(cx, 4);
    s = stats(cx);
    assert_int_equal(s.memory_hits, 2);
    assert_int_equal(s.memory_misses, 2);
    assert_int_equal(s.compiles, 2);
    assert_int_equal(s.kernels, 2);
    assert_true(s.code_bytes > 0 && s.compile_ms > 0);
    assert_int_equal(s.disk_hits + s.references + s.failures + s.evictions, 0);
    compile(cx, 5);
    compile(cx, 3); /* has left, but not the disk */
    s = stats(cx);
    assert_int_equal(s.evictions, 2);
    assert_int_equal(s.kernels, 2);
    assert_int_equal(s.disk_hits, 1);
    assert_true(s.disk_bytes > 0);
    assert_int_equal(s.memory_misses, s.compiles + s.disk_hits + s.references + s.failures);
    convc_context_destroy(cx);
    test_dir_remove(&dir);
}

static void references_are_counted(void **state)
{
    (void)state;
    convc_context *cx = make_context(NULL, CONVC_NO_JIT | CONVC_NO_DISK_CACHE, 0);
    compile(cx, 3);
    compile(cx, 3);
    struct convc_context_stats s = stats(cx);
    assert_int_equal(s.references, 1);
    assert_int_equal(s.compiles, 0);
    assert_int_equal(s.memory_hits, 1);
    assert_int_equal(s.compiler_lost, 0);
    convc_context_destroy(cx);
}

static void *compile_some(void *cx)
{
    for (int i = 0; i < 24; i++)
        compile(cx, 1 + i % 6);
    return NULL;
}

static void many_threads_lose_no_count(void **state)
{
    (void)state;
    pthread_t thread[8];
    convc_context *cx = make_context(NULL, CONVC_NO_DISK_CACHE, 0);
    for (int i = 0; i < 8; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, compile_some, cx), 0);
    for (int i = 0; i < 8; i++)
        pthread_join(thread[i], NULL);
    struct convc_context_stats s = stats(cx);
    assert_int_equal(s.memory_hits + s.memory_waits + s.memory_misses, 8 * 24);
    assert_int_equal(s.memory_misses, 6);
    assert_int_equal(s.compiles, 6);
    convc_context_destroy(cx);
}

static void layers_are_counted(void **state)
{
    (void)state;
    struct layer l;
    convc_layer *layer[4];
    convc_context *cx = make_context(NULL, CONVC_NO_DISK_CACHE, 0);
    for (int i = 0; i < 4; i++) {
        layer_make(&l, 1 + i, 4, 5, 5, 1);
        assert_int_equal(convc_layer_create(cx, &l.p, l.wei, NULL, &layer[i]), CONVC_OK);
        layer_free(&l);
    }
    struct convc_context_stats s = stats(cx);
    assert_true(s.layers_waiting >= 0 && s.layers_waiting + s.layers_compiling <= 4);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(convc_layer_wait(layer[i], -1), CONVC_OK);
        convc_layer_destroy(layer[i]);
    }
    s = stats(cx);
    assert_int_equal(s.layers_waiting, 0);
    assert_int_equal(s.memory_misses, 4);
    convc_context_destroy(cx);
}

static void older_structures_get_what_they_have_room_for(void **state)
{
    (void)state;
    struct convc_context_stats s;
    convc_context *cx = make_context(NULL, CONVC_NO_DISK_CACHE, 0);
    compile(cx, 3);
    compile(cx, 3);
    memset(&s, 0x55, sizeof s);
    s.struct_bytes = 16;
    assert_int_equal(convc_context_stats(cx, &s), CONVC_OK);
    assert_int_equal(s.struct_bytes, 16);
    assert_int_equal(s.memory_hits, 1);
    assert_int_equal(s.memory_waits, 0x5555555555555555);
    s.struct_bytes = 4;
    assert_int_equal(convc_context_stats(cx, &s), CONVC_ERR_ARGUMENT);
    assert_int_equal(convc_context_stats(cx, NULL), CONVC_ERR_ARGUMENT);
    assert_int_equal(convc_context_stats(NULL, &s), CONVC_ERR_ARGUMENT);
    convc_context_destroy(cx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(look_ups_are_counted_by_what_they_came_to),
        cmocka_unit_test(references_are_counted),
        cmocka_unit_test(many_threads_lose_no_count),
        cmocka_unit_test(layers_are_counted),
        cmocka_unit_test(older_structures_get_what_they_have_room_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
