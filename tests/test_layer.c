/* Layers: they answer at once and rightly, whatever becomes of the compile; no call waits for it
 * that does not ask to; whoever asks is told once.
 *
 * The linker puts a gate before code generation: it is under way for as long as a test wants. */
#include "gen/base/thread.h"
#include "gen/out/object.h"
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
#include <unistd.h>

#include <cmocka.h>

/* ---- the gate -------------------------------------------------------------------------------- */

static struct {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    bool shut;
    int inside;              /* compiles that are under way      */
    enum convc_status fails; /* what they come to; CONVC_OK: all */
} gate = { .mutex = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER };

enum convc_status __real_object_emit(const struct object_request *r, struct object *out,
                                     struct diag *d);

enum convc_status __wrap_object_emit(const struct object_request *r, struct object *out,
                                     struct diag *d)
{
    pthread_mutex_lock(&gate.mutex);
    gate.inside++;
    pthread_cond_broadcast(&gate.changed);
    while (gate.shut)
        pthread_cond_wait(&gate.changed, &gate.mutex);
    gate.inside--;
    enum convc_status fails = gate.fails;
    pthread_mutex_unlock(&gate.mutex);
    return fails ? diag_fail(d, fails, "planted") : __real_object_emit(r, out, d);
}

static void gate_set(bool shut, enum convc_status fails)
{
    pthread_mutex_lock(&gate.mutex);
    gate.shut = shut;
    gate.fails = fails;
    pthread_cond_broadcast(&gate.changed);
    pthread_mutex_unlock(&gate.mutex);
}

static void await_compiles(int count)
{
    pthread_mutex_lock(&gate.mutex);
    while (gate.inside < count)
        pthread_cond_wait(&gate.changed, &gate.mutex);
    pthread_mutex_unlock(&gate.mutex);
}

static atomic_bool no_threads;

bool __real_thread_start(void *(*run)(void *), void *argument, pthread_t *out);

bool __wrap_thread_start(void *(*run)(void *), void *argument, pthread_t *out)
{
    return !no_threads && __real_thread_start(run, argument, out);
}

/* ---- the ground ------------------------------------------------------------------------------ */

static int setup(void **state)
{
    (void)state;
    alarm(300); /* what waits for a compile that it should not wait for, waits for ever */
    gate_set(false, CONVC_OK);
    return 0;
}

static void make_tensors(struct layer *l, int64_t ic)
{
    struct convc_problem p;
    layer_problem(&p, ic, 20, 7, 5);
    p.tolerance = 0; /* any order of summation gives the same */
    layer_init(l, &p, 2);
}

/* How often `done` was called, and with what. */
struct told {
    atomic_int calls, failures;
    _Atomic enum convc_layer_state state;
    atomic_bool compiled, destroy;
    convc_layer *layer;
};

static bool is_compiled(const convc_layer *layer)
{
    struct convc_kernel_info info = { .struct_bytes = sizeof info };
    return convc_kernel_info(convc_layer_kernel(layer), &info) == CONVC_OK && info.function;
}

static void be_told(void *data, convc_layer *layer, enum convc_status status)
{
    struct told *t = data;
    t->compiled = is_compiled(layer);
    t->state = convc_layer_state(layer);
    if (status != CONVC_OK && strstr(convc_last_error(), "out of memory"))
        atomic_fetch_add(&t->failures, 1);
    if (t->destroy)
        convc_layer_destroy(layer);
    atomic_fetch_add(&t->calls, 1);
}

static convc_layer *make(convc_context *cx, const struct layer *l, struct told *told)
{
    convc_layer *layer = NULL;
    const struct convc_layer_options opt = { .struct_bytes = sizeof opt,
                                             .done = told ? be_told : NULL,
                                             .data = told };
    if (convc_layer_create(cx, &l->p, l->wei, &opt, &layer) != CONVC_OK)
        fail_msg("%s", convc_last_error());
    return layer;
}

/* Runs into a tensor of its own, as any thread may. */
static bool computes(convc_layer *layer, const struct layer *l)
{
    size_t bytes = (size_t)l->dst_elements * sizeof(float);
    size_t work = convc_layer_workspace_bytes(layer, l->n, 0);
    struct convc_args args = layer_args(l);
    void *workspace = work ? aligned_alloc(64, work) : NULL;
    args.dst = malloc(bytes);
    args.workspace = workspace;
    bool right = convc_layer_run(layer, &args) == CONVC_OK && !memcmp(args.dst, l->expected, bytes);
    free(args.dst);
    free(workspace);
    return right;
}

/* ---- facts ----------------------------------------------------------------------------------- */

static void a_layer_answers_at_once_and_better_later(void **state)
{
    (void)state;
    struct layer l;
    struct told told = { 0 };
    convc_context *cx = layer_context(2, 1);
    make_tensors(&l, 6);
    gate_set(true, CONVC_OK);
    convc_layer *layer = make(cx, &l, &told);
    await_compiles(1);
    assert_true(computes(layer, &l));
    assert_false(is_compiled(layer));
    assert_int_equal(convc_layer_state(layer), CONVC_LAYER_COMPILING);
    assert_int_equal(convc_layer_wait(layer, 0), CONVC_ERR_TIMEOUT);
    assert_int_equal(convc_layer_wait(layer, 0.02), CONVC_ERR_TIMEOUT);
    gate_set(false, CONVC_OK);
    assert_int_equal(convc_layer_wait(layer, -1), CONVC_OK);
    assert_int_equal(told.calls, 1); /* before the wait returned, and after ... */
    assert_true(told.compiled);      /* ... the kernel came into force */
    assert_int_equal(told.state, CONVC_LAYER_READY);
    assert_true(is_compiled(layer) && computes(layer, &l));
    assert_int_equal(convc_layer_wait(layer, 0), CONVC_OK);
    assert_int_equal(convc_layer_cancel(layer), 0);
    convc_layer_destroy(layer);
    convc_context_destroy(cx);
    layer_free(&l);
}

static void what_is_in_memory_is_in_force_at_once(void **state)
{
    (void)state;
    struct layer l;
    struct told told = { 0 };
    convc_context *cx = layer_context(2, 1);
    make_tensors(&l, 6);
    convc_kernel *k = layer_compile(cx, &l, NULL);
    gate_set(true, CONVC_OK);
    convc_layer *quiet = make(cx, &l, NULL), *telling = make(cx, &l, &told);
    assert_ptr_equal(convc_layer_kernel(quiet), k);
    assert_ptr_equal(convc_layer_kernel(telling), k);
    assert_true(computes(quiet, &l));
    assert_int_equal(convc_layer_wait(telling, -1), CONVC_OK);
    assert_int_equal(told.calls, 1);
    convc_layer_destroy(quiet);
    convc_layer_destroy(telling);
    convc_kernel_release(k);
    convc_context_destroy(cx);
    layer_free(&l);
}

struct order {
    int count, ids[8];
};

struct place {
    struct order *order;
    int id;
};

static void take_place(void *data, convc_layer *layer, enum convc_status status)
{
    struct place *p = data;
    (void)layer;
    (void)status;
    p->order->ids[p->order->count++] = p->id; /* one thread: no lock */
}

static void one_thread_compiles_in_the_order_of_creation(void **state)
{
    (void)state;
    struct layer l[8];
    convc_layer *layer[8];
    struct order order = { 0 };
    struct place place[8];
    convc_context *cx = layer_context(2, 1);
    gate_set(true, CONVC_OK);
    for (int i = 0; i < 8; i++) {
        place[i] = (struct place){ &order, i };
        const struct convc_layer_options opt = { .struct_bytes = sizeof opt,
                                                 .done = take_place,
                                                 .data = &place[i] };
        make_tensors(&l[i], 1 + i);
        assert_int_equal(convc_layer_create(cx, &l[i].p, l[i].wei, &opt, &layer[i]), CONVC_OK);
    }
    assert_int_equal(convc_layer_cancel(layer[5]), 1);
    gate_set(false, CONVC_OK);
    for (int i = 0; i < 8; i++) {
        assert_int_equal(convc_layer_wait(layer[i], -1), i == 5 ? CONVC_ERR_CANCELLED : CONVC_OK);
        assert_true(computes(layer[i], &l[i]));
    }
    assert_int_equal(order.count, 7);
    for (int i = 0; i < 7; i++)
        assert_int_equal(order.ids[i], i < 5 ? i : i + 1);
    for (int i = 0; i < 8; i++) {
        convc_layer_destroy(layer[i]);
        layer_free(&l[i]);
    }
    convc_context_destroy(cx);
}

static void nothing_waits_for_a_compile_that_does_not_ask_to(void **state)
{
    (void)state;
    struct layer l[3];
    struct told told[3] = { { 0 } };
    convc_layer *layer[3];
    convc_context *cx = layer_context(2, 1);
    gate_set(true, CONVC_OK);
    for (int i = 0; i < 3; i++) {
        make_tensors(&l[i], 1 + i);
        layer[i] = make(cx, &l[i], &told[i]);
    }
    await_compiles(1);
    assert_true(computes(layer[0], &l[0]));
    assert_int_equal(convc_layer_cancel(layer[0]), 1); /* under way */
    assert_int_equal(convc_layer_cancel(layer[0]), 0);
    assert_int_equal(convc_layer_state(layer[0]), CONVC_LAYER_CANCELLED);
    assert_int_equal(convc_layer_wait(layer[0], -1), CONVC_ERR_CANCELLED);
    convc_layer_destroy(layer[0]);
    convc_layer_destroy(layer[1]); /* not begun */
    convc_context_destroy(cx);     /* while one is under way and another waits */
    assert_int_equal(convc_layer_wait(layer[2], -1), CONVC_ERR_CANCELLED);
    assert_true(computes(layer[2], &l[2]));
    convc_layer_destroy(layer[2]);
    gate_set(false, CONVC_OK);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(told[i].calls, 0);
        layer_free(&l[i]);
    }
}

static void a_compile_that_has_begun_outlives_its_context(void **state)
{
    (void)state;
    struct layer l;
    struct told told = { 0 };
    convc_context *cx = layer_context(2, 1);
    gate_set(true, CONVC_OK);
    make_tensors(&l, 6);
    convc_layer *layer = make(cx, &l, &told);
    await_compiles(1);
    convc_context_destroy(cx);
    gate_set(false, CONVC_OK);
    assert_int_equal(convc_layer_wait(layer, -1), CONVC_OK);
    assert_true(is_compiled(layer) && computes(layer, &l));
    assert_int_equal(told.calls, 1);
    convc_layer_destroy(layer);
    layer_free(&l);
}

static void done_may_destroy_its_layer(void **state)
{
    (void)state;
    struct layer l;
    struct told told = { .destroy = true };
    convc_context *cx = layer_context(2, 1);
    make_tensors(&l, 6);
    make(cx, &l, &told);
    while (!told.calls)
        usleep(1000);
    assert_true(told.compiled);
    convc_context_destroy(cx);
    layer_free(&l);
}

/* ---- failures -------------------------------------------------------------------------------- */

static void *wait_in_thread(void *layer)
{
    bool told = convc_layer_wait(layer, -1) == CONVC_ERR_MEMORY &&
                strstr(convc_last_error(), "out of memory");
    return told ? layer : NULL;
}

static void a_failure_wakes_all_who_wait_with_its_sentence(void **state)
{
    (void)state;
    struct layer l;
    struct told told = { 0 };
    pthread_t thread[8];
    void *fine;
    convc_context *cx = layer_context(2, 1);
    make_tensors(&l, 6);
    gate_set(true, CONVC_OK);
    convc_layer *layer = make(cx, &l, &told);
    await_compiles(1);
    for (int i = 0; i < 8; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, wait_in_thread, layer), 0);
    usleep(20000);
    gate_set(false, CONVC_ERR_MEMORY);
    for (int i = 0; i < 8; i++) {
        assert_int_equal(pthread_join(thread[i], &fine), 0);
        assert_ptr_equal(fine, layer);
    }
    assert_int_equal(told.calls, 1);
    assert_int_equal(told.failures, 1);
    assert_int_equal(told.state, CONVC_LAYER_FAILED);
    assert_true(computes(layer, &l)); /* the reference goes on */
    gate_set(false, CONVC_OK);
    convc_layer *again = make(cx, &l, NULL); /* a failure is not kept */
    assert_int_equal(convc_layer_wait(again, -1), CONVC_OK);
    convc_layer_destroy(again);
    convc_layer_destroy(layer);
    convc_context_destroy(cx);
    layer_free(&l);
}

static void what_llvm_refuses_is_ready_as_the_reference(void **state)
{
    (void)state;
    struct layer l;
    struct convc_kernel_info info = { .struct_bytes = sizeof info };
    convc_context *cx = layer_context(2, 1);
    make_tensors(&l, 6);
    gate_set(false, CONVC_ERR_COMPILER);
    convc_layer *layer = make(cx, &l, NULL);
    assert_int_equal(convc_layer_wait(layer, -1), CONVC_OK);
    assert_int_equal(convc_kernel_info(convc_layer_kernel(layer), &info), CONVC_OK);
    assert_int_equal(info.source, CONVC_FROM_REFERENCE);
    assert_string_equal(info.reason, "planted");
    assert_true(computes(layer, &l));
    convc_layer_destroy(layer);
    convc_context_destroy(cx);
    layer_free(&l);
}

static void bad_arguments_are_refused_at_once(void **state)
{
    (void)state;
    struct layer l;
    convc_layer *layer = NULL;
    convc_context *cx = layer_context(2, 1);
    make_tensors(&l, 6);
    const struct convc_layer_options bad = { .struct_bytes = sizeof bad, .plan = "direct x=y" };
    const struct convc_layer_options none = { .struct_bytes = 1 };
    struct convc_problem p = l.p;
    assert_int_equal(convc_layer_create(cx, &p, NULL, NULL, &layer), CONVC_ERR_ARGUMENT);
    assert_string_equal(convc_last_error(), "convc_layer_create: weights must be given");
    assert_int_equal(convc_layer_create(cx, &p, (char *)l.wei + 1, NULL, &layer),
                     CONVC_ERR_ARGUMENT);
    assert_int_equal(convc_layer_create(cx, &p, l.wei, &bad, &layer), CONVC_ERR_PLAN);
    assert_int_equal(convc_layer_create(cx, &p, l.wei, &none, &layer), CONVC_ERR_ARGUMENT);
    assert_int_equal(convc_layer_create(NULL, &p, l.wei, NULL, &layer), CONVC_ERR_ARGUMENT);
    p.groups = 5;
    assert_int_equal(convc_layer_create(cx, &p, l.wei, NULL, &layer), CONVC_ERR_SHAPE);
    assert_null(layer);
    assert_int_equal(convc_layer_wait(NULL, 0), CONVC_ERR_ARGUMENT);
    assert_int_equal(convc_layer_cancel(NULL), 0);
    convc_layer_destroy(NULL);
    layer = make(cx, &l, NULL);
    assert_int_equal(convc_layer_wait(layer, (double)NAN), CONVC_ERR_ARGUMENT);
    assert_int_equal(convc_layer_run(layer, NULL), CONVC_ERR_ARGUMENT);
    convc_layer_destroy(layer);
    convc_context_destroy(cx);
    layer_free(&l);
}

static void without_a_thread_there_is_no_layer_but_there_are_kernels(void **state)
{
    (void)state;
    struct layer l;
    convc_layer *layer = NULL;
    convc_context *cx = layer_context(2, 1);
    make_tensors(&l, 6);
    no_threads = true;
    assert_int_equal(convc_layer_create(cx, &l.p, l.wei, NULL, &layer), CONVC_ERR_MEMORY);
    assert_string_equal(convc_last_error(), "the system allows no thread to compile on");
    assert_null(layer);
    convc_kernel *k = layer_compile(cx, &l, NULL); /* on this thread */
    layer_check(&l, k);
    no_threads = false;
    layer = make(cx, &l, NULL);
    assert_ptr_equal(convc_layer_kernel(layer), k);
    convc_layer_destroy(layer);
    convc_kernel_release(k);
    convc_context_destroy(cx);
    layer_free(&l);
}

static void what_a_run_refuses_does_not_depend_on_the_kernel(void **state)
{
    (void)state;
    struct layer l;
    convc_layer *layer = NULL;
    convc_context *cx = layer_context(2, 1);
    layer_make(&l, 64, 64, 28, 28, 1);
    gate_set(true, CONVC_OK);
    const struct convc_layer_options opt = { .struct_bytes = sizeof opt,
                                             .plan = "winograd f=4x4 tile=6x2" };
    if (convc_layer_create(cx, &l.p, l.wei, &opt, &layer) != CONVC_OK)
        fail_msg("%s", convc_last_error());
    assert_true(convc_layer_workspace_bytes(layer, 1, 1) > 0);
    for (int compiled = 0; compiled < 2; compiled++) {
        struct convc_args args = layer_args(&l);
        assert_int_equal(convc_layer_run(layer, &args), CONVC_ERR_ARGUMENT);
        assert_string_equal(convc_last_error(), "workspace is missing");
        args.workspace = args.dst;
        assert_int_equal(convc_layer_run(layer, &args), CONVC_ERR_ARGUMENT);
        args.struct_bytes = 8;
        assert_int_equal(convc_layer_run(layer, &args), CONVC_ERR_ARGUMENT);
        gate_set(false, CONVC_OK);
        assert_int_equal(convc_layer_wait(layer, -1), CONVC_OK);
    }
    assert_true(is_compiled(layer));
    convc_layer_destroy(layer);
    convc_context_destroy(cx);
    layer_free(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_layer_answers_at_once_and_better_later, setup),
        cmocka_unit_test_setup(what_is_in_memory_is_in_force_at_once, setup),
        cmocka_unit_test_setup(one_thread_compiles_in_the_order_of_creation, setup),
        cmocka_unit_test_setup(nothing_waits_for_a_compile_that_does_not_ask_to, setup),
        cmocka_unit_test_setup(a_compile_that_has_begun_outlives_its_context, setup),
        cmocka_unit_test_setup(done_may_destroy_its_layer, setup),
        cmocka_unit_test_setup(a_failure_wakes_all_who_wait_with_its_sentence, setup),
        cmocka_unit_test_setup(what_llvm_refuses_is_ready_as_the_reference, setup),
        cmocka_unit_test_setup(bad_arguments_are_refused_at_once, setup),
        cmocka_unit_test_setup(without_a_thread_there_is_no_layer_but_there_are_kernels, setup),
        cmocka_unit_test_setup(what_a_run_refuses_does_not_depend_on_the_kernel, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
