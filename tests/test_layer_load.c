/* Layers under load: many threads run them while their kernels come into force, and they are
 * cancelled, destroyed, forked and left behind at exit at every moment of a compile. */
#include "tests/support/layer.h"
#include "tests/support/support.h"

#include <convc/layer.h>
#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#if defined(__SANITIZE_THREAD__)
enum { FORKS_WITH_THREADS = 0 }; /* ThreadSanitizer allows no threads after such a fork */
#else
enum { FORKS_WITH_THREADS = 1 };
#endif

enum { THREADS = 8 };

/* A problem that computes exactly, whoever computes it. */
static void make_tensors(struct layer *l, int64_t ic)
{
    struct convc_problem p;
    layer_problem(&p, ic, 12, 6, 5);
    p.tolerance = 0;
    layer_init(l, &p, 1);
}

static bool is_compiled(const convc_layer *layer)
{
    struct convc_kernel_info info = { .struct_bytes = sizeof info };
    return convc_kernel_info(convc_layer_kernel(layer), &info) == CONVC_OK && info.function;
}

/* One thread's part of the load. */
struct runner {
    convc_layer *const *layer;
    const struct layer *l;
    int layers;
    atomic_bool *stop;
    int64_t runs, by_kernel, wrong;
};

static void run_one(struct runner *r, int i, float *dst)
{
    size_t bytes = (size_t)r->l[i].dst_elements * sizeof(float);
    struct convc_args args = layer_args(&r->l[i]);
    args.dst = dst;
    r->by_kernel += is_compiled(r->layer[i]);
    bool right = convc_layer_run(r->layer[i], &args) == CONVC_OK;
    r->wrong += !right || memcmp(dst, r->l[i].expected, bytes) != 0;
    r->runs++;
}

static void *run_all(void *argument)
{
    struct runner *r = argument;
    float *dst = malloc((size_t)r->l[0].dst_elements * sizeof(float));
    for (bool last = false; !last;) {
        last = atomic_load(r->stop); /* once more when all are compiled */
        for (int i = 0; i < r->layers; i++)
            run_one(r, i, dst);
    }
    free(dst);
    return NULL;
}

static void kernels_come_into_force_under_the_load_of_many_threads(void **state)
{
    (void)state;
    enum { LAYERS = 24 };
    struct layer l[LAYERS];
    convc_layer *layer[LAYERS];
    struct runner r[THREADS];
    pthread_t thread[THREADS];
    atomic_bool stop = false;
    convc_context *cx = layer_context(1, 2);
    for (int i = 0; i < LAYERS; i++) {
        make_tensors(&l[i], 1 + i);
        assert_int_equal(convc_layer_create(cx, &l[i].p, l[i].wei, NULL, &layer[i]), CONVC_OK);
    }
    for (int i = 0; i < THREADS; i++) {
        r[i] = (struct runner){ layer, l, LAYERS, &stop, 0, 0, 0 };
        assert_int_equal(pthread_create(&thread[i], NULL, run_all, &r[i]), 0);
    }
    for (int i = 0; i < LAYERS; i++)
        assert_int_equal(convc_layer_wait(layer[i], -1), CONVC_OK);
    stop = true;
    for (int i = 0; i < THREADS; i++) {
        pthread_join(thread[i], NULL);
        assert_int_equal(r[i].wrong, 0);
        assert_true(r[i].by_kernel >= LAYERS);
    }
    for (int i = 0; i < LAYERS; i++) {
        convc_layer_destroy(layer[i]);
        layer_free(&l[i]);
    }
    convc_context_destroy(cx);
}

/* Runs and demands what the reference gave, within the bound of the kernel in force. */
static void check_close(convc_layer *layer, const struct layer *l)
{
    struct convc_kernel_info info = { .struct_bytes = sizeof info };
    const struct convc_problem *p = &l->p;
    double scale = 16.0 * (double)(p->ic / p->groups * p->kernel[CONVC_H] * p->kernel[CONVC_W]);
    size_t work = convc_layer_workspace_bytes(layer, l->n, 0);
    struct convc_args args = layer_args(l);
    void *workspace = work ? aligned_alloc(64, work) : NULL;
    args.workspace = workspace;
    if (convc_layer_run(layer, &args) != CONVC_OK)
        fail_msg("%s", convc_last_error());
    assert_int_equal(convc_kernel_info(convc_layer_kernel(layer), &info), CONVC_OK);
    double slack = info.plain_sum ? 0 : info.error_bound * scale;
    for (int64_t i = 0; i < l->dst_elements; i++)
        assert_true(fabs((double)l->dst[i] - (double)l->expected[i]) <= slack);
    free(workspace);
}

/* Packed, transformed, depthwise, without weights to pack, and with a function. */
static void layers_of_every_kind_compute(void **state)
{
    (void)state;
    static const double edges[9] = { 0, -1, 0, -1, 4, -1, 0, -1, 0 };
    double constants[16 * 9];
    struct layer l[5];
    struct convc_problem p[5];
    convc_layer *layer[5];
    convc_context *cx = layer_context(1, 1);
    for (int i = 0; i < 5; i++)
        layer_problem(&p[i], i == 1 ? 32 : 16, i == 1 ? 32 : 16, 14, 14);
    p[2].groups = p[3].groups = 16;
    for (int i = 0; i < 16 * 9; i++)
        constants[i] = edges[i % 9];
    p[3].weights = constants;
    p[4].combine = "abs(sub(x,w))";
    for (int i = 0; i < 5; i++) {
        layer_init(&l[i], &p[i], 2);
        const void *weights = p[i].weights ? NULL : l[i].wei;
        if (convc_layer_create(cx, &p[i], weights, NULL, &layer[i]) != CONVC_OK)
            fail_msg("%s", convc_last_error());
        check_close(layer[i], &l[i]);
        memset(l[i].dst, 0, (size_t)l[i].dst_elements * sizeof(float));
        assert_int_equal(convc_layer_wait(layer[i], -1), CONVC_OK);
        check_close(layer[i], &l[i]);
        assert_true(is_compiled(layer[i]));
        convc_layer_destroy(layer[i]);
        layer_free(&l[i]);
    }
    convc_context_destroy(cx);
}

static void a_layer_and_convc_compile_share_one_kernel(void **state)
{
    (void)state;
    struct layer l;
    convc_context *cx = layer_context(1, 2);
    make_tensors(&l, 6);
    convc_layer *one, *two;
    assert_int_equal(convc_layer_create(cx, &l.p, l.wei, NULL, &one), CONVC_OK);
    assert_int_equal(convc_layer_create(cx, &l.p, l.wei, NULL, &two), CONVC_OK);
    convc_kernel *k = layer_compile(cx, &l, NULL);
    assert_int_equal(convc_layer_wait(one, -1), CONVC_OK);
    assert_int_equal(convc_layer_wait(two, -1), CONVC_OK);
    assert_ptr_equal(convc_layer_kernel(one), k);
    assert_ptr_equal(convc_layer_kernel(two), k);
    convc_kernel_release(k);
    convc_context_destroy(cx);
    check_close(one, &l); /* they outlive the context */
    check_close(two, &l);
    convc_layer_destroy(one);
    convc_layer_destroy(two);
    layer_free(&l);
}

/* A layer that takes its context with it. */
struct last {
    convc_context *cx;
    atomic_bool created; /* no other call on the context is under way */
    atomic_int done;
};

static void destroy_all(void *data, convc_layer *layer, enum convc_status status)
{
    struct last *last = data;
    while (!atomic_load(&last->created))
        usleep(1000);
    convc_context_destroy(last->cx);
    convc_layer_destroy(layer);
    atomic_store(&last->done, status == CONVC_OK ? 1 : 2);
}

static void done_may_destroy_the_context(void **state)
{
    (void)state;
    struct layer l;
    convc_layer *layer[2];
    struct last last = { .cx = layer_context(1, 1) };
    const struct convc_layer_options opt = { .struct_bytes = sizeof opt,
                                             .done = destroy_all,
                                             .data = &last };
    make_tensors(&l, 3);
    assert_int_equal(convc_layer_create(last.cx, &l.p, l.wei, NULL, &layer[0]), CONVC_OK);
    assert_int_equal(convc_layer_create(last.cx, &l.p, l.wei, &opt, &layer[1]), CONVC_OK);
    atomic_store(&last.created, true);
    while (!atomic_load(&last.done))
        usleep(1000);
    assert_int_equal(atomic_load(&last.done), 1);
    assert_int_equal(convc_layer_wait(layer[0], -1), CONVC_OK);
    check_close(layer[0], &l);
    convc_layer_destroy(layer[0]);
    layer_free(&l);
}

/* ---- every moment ---------------------------------------------------------------------------- */

static void count_calls(void *data, convc_layer *layer, enum convc_status status)
{
    (void)layer;
    (void)status;
    atomic_fetch_add((atomic_int *)data, 1);
}

enum { MOMENT_US = 4000 }; /* a compile and what is around it */

static convc_layer *create(convc_context *cx, struct layer *l, atomic_int *calls)
{
    convc_layer *layer = NULL;
    const struct convc_layer_options opt = { .struct_bytes = sizeof opt,
                                             .done = count_calls,
                                             .data = calls };
    assert_int_equal(convc_layer_create(cx, &l->p, l->wei, &opt, &layer), CONVC_OK);
    return layer;
}

static void check_cancelled(convc_layer *layer, atomic_int *calls)
{
    bool in_time = convc_layer_cancel(layer) == 1;
    int before = atomic_load(calls);
    enum convc_status st = convc_layer_wait(layer, -1);
    assert_int_equal(st, in_time ? CONVC_ERR_CANCELLED : CONVC_OK);
    assert_int_equal(is_compiled(layer), !in_time);
    assert_true(!in_time || before == 0);
    assert_int_equal(atomic_load(calls), !in_time);
}

static void layers_are_cancelled_and_destroyed_at_every_moment(void **state)
{
    (void)state;
    struct layer l;
    struct test_random r = { test_seed("test_layer_load", 1) };
    convc_context *cx = layer_context(1, 1);
    for (int64_t i = 0, n = test_count(60); i < n; i++) {
        atomic_int calls = 0;
        make_tensors(&l, 1 + i);
        convc_layer *layer = create(cx, &l, &calls);
        usleep((useconds_t)test_random_in(&r, 0, MOMENT_US));
        if (i % 2)
            check_cancelled(layer, &calls);
        convc_layer_destroy(layer);
        int told = atomic_load(&calls);
        if (i % 8 == 0) { /* the context too, at once */
            convc_context_destroy(cx);
            cx = layer_context(1, 1 + (int32_t)(i % 3));
        }
        layer_free(&l);
        assert_int_equal(atomic_load(&calls), told); /* none after destroy has returned */
    }
    convc_context_destroy(cx);
}

/* ---- processes ------------------------------------------------------------------------------- */

static bool goes_on(convc_layer *const *layer, const struct layer *l, int layers)
{
    atomic_bool stop = true;
    struct runner r = { layer, l, layers, &stop, 0, 0, 0 };
    for (int i = 0; i < layers; i++) {
        if (convc_layer_wait(layer[i], -1) != CONVC_OK)
            return false;
    }
    run_all(&r);
    return r.wrong == 0 && r.by_kernel == layers;
}

static void a_child_compiles_what_its_parent_was_compiling(void **state)
{
    (void)state;
    enum { LAYERS = 4 };
    struct layer l[LAYERS];
    convc_layer *layer[LAYERS];
    struct test_random r = { test_seed("test_layer_load", 2) };
    int status;
    if (!FORKS_WITH_THREADS)
        skip();
    for (int64_t round = 0, n = test_count(8); round < n; round++) {
        convc_context *cx = layer_context(1, 2);
        for (int i = 0; i < LAYERS; i++) {
            make_tensors(&l[i], 1 + i);
            assert_int_equal(convc_layer_create(cx, &l[i].p, l[i].wei, NULL, &layer[i]), CONVC_OK);
        }
        usleep((useconds_t)test_random_in(&r, 0, MOMENT_US));
        pid_t child = fork();
        if (child == 0) {
            alarm(60);
            _exit(goes_on(layer, l, LAYERS) ? 0 : 1);
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
        assert_true(goes_on(layer, l, LAYERS));
        for (int i = 0; i < LAYERS; i++) {
            convc_layer_destroy(layer[i]);
            layer_free(&l[i]);
        }
        convc_context_destroy(cx);
    }
}

/* A layer without a compiler, for which LLVM need not be set up. */
static void have_a_reference(void)
{
    struct layer l;
    convc_layer *layer;
    convc_context *cx;
    const struct convc_context_options opt = { .struct_bytes = sizeof opt,
                                               .threads = 1,
                                               .flags = CONVC_NO_DISK_CACHE | CONVC_NO_JIT };
    make_tensors(&l, 1);
    if (convc_context_create(&opt, &cx) != CONVC_OK ||
        convc_layer_create(cx, &l.p, l.wei, NULL, &layer) != CONVC_OK)
        _exit(1);
}

static convc_layer *awaited;

static void wait_at_exit(void)
{
    convc_layer_wait(awaited, -1);
}

/* Leaves from the midst of compiles, one of which is waited for by what exit calls. */
static void leave(useconds_t after, bool destroy, bool reference_first)
{
    struct layer l[3];
    convc_layer *layer[3];
    atexit(wait_at_exit);
    if (reference_first)
        have_a_reference();
    convc_context *cx = layer_context(1, reference_first ? 0 : 2);
    for (int i = 0; i < 3; i++) {
        make_tensors(&l[i], 1 + i);
        if (convc_layer_create(cx, &l[i].p, l[i].wei, NULL, &layer[i]) != CONVC_OK)
            _exit(1);
    }
    awaited = layer[2];
    usleep(after);
    if (destroy)
        convc_context_destroy(cx);
    exit(0);
}

static void a_process_may_end_in_the_midst_of_a_compile(void **state)
{
    (void)state;
    struct test_random r = { test_seed("test_layer_load", 3) };
    int status;
    for (int64_t i = 0, n = test_count(12); i < n; i++) {
        useconds_t after = (useconds_t)test_random_in(&r, 0, MOMENT_US);
        pid_t child = fork();
        if (child == 0) {
            alarm(60);
            leave(after, i % 2 != 0, i % 3 == 0);
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
            fail_msg("a process that left after %u us ended with status %x", after, status);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        /* first, while LLVM has not been used in this process */
        cmocka_unit_test(a_process_may_end_in_the_midst_of_a_compile),
        cmocka_unit_test(kernels_come_into_force_under_the_load_of_many_threads),
        cmocka_unit_test(layers_of_every_kind_compute),
        cmocka_unit_test(a_layer_and_convc_compile_share_one_kernel),
        cmocka_unit_test(done_may_destroy_the_context),
        cmocka_unit_test(layers_are_cancelled_and_destroyed_at_every_moment),
        cmocka_unit_test(a_child_compiles_what_its_parent_was_compiling),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
