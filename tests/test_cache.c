/* The memory cache: one making per key, a bound that holds, and nothing freed that is held.
 *
 * Kernels here are references whose code size is set by hand. */
#include "gen/plan/choose.h"
#include "runtime/cache.h"
#include "tests/support/support.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* ---- the ground ------------------------------------------------------------------------------ */

static struct machine *machine;

static int setup(void **state)
{
    (void)state;
    struct diag d = { 0 };
    const struct convc_context_options opt = { .struct_bytes = sizeof opt,
                                               .threads = 1,
                                               .flags = CONVC_NO_JIT };
    return machine_create(&opt, &machine, &d);
}

static int teardown(void **state)
{
    (void)state;
    machine_release(machine);
    return 0;
}

static struct cache *make_cache(size_t code_bytes, size_t kernels)
{
    struct diag d = { 0 };
    struct cache *c;
    assert_int_equal(cache_create(code_bytes, kernels, &c, &d), CONVC_OK);
    return c;
}

/* One thing to ask a cache for, and how often it was made. */
struct wish {
    struct cache *cache;
    struct problem problem;
    struct cache_key key;
    size_t object_bytes;
    unsigned delay_us;
    bool fails;
    atomic_int makings, failures;
};

/* Problem `id`: that many channels. */
static void wish_init(struct wish *w, struct cache *c, int64_t id)
{
    struct diag d = { 0 };
    struct convc_problem p;
    convc_problem_init(&p);
    p.ic = id;
    *w = (struct wish){ .cache = c, .object_bytes = 100 };
    assert_int_equal(problem_resolve(&p, &w->problem, &d), CONVC_OK);
    problem_key(&w->problem, &w->key.problem);
}

static enum convc_status make(void *argument, struct convc_kernel **out, struct diag *d)
{
    struct wish *w = argument;
    struct plan plan;
    atomic_fetch_add(&w->makings, 1);
    usleep(w->delay_us);
    if (w->fails)
        return diag_fail(d, CONVC_ERR_COMPILER, "it does not like %d", 13);
    if (choose_plan(&w->problem, &machine->target, &plan, d) != CONVC_OK ||
        kernel_create(machine, &w->problem, &plan, out, d) != CONVC_OK)
        return d->status;
    (*out)->object_bytes = w->object_bytes;
    return CONVC_OK;
}

/* Asks and keeps; NULL where that failed. */
static struct convc_kernel *ask(struct wish *w)
{
    struct diag d = { 0 };
    struct convc_kernel *k = NULL;
    bool made;
    if (cache_get(w->cache, &w->key, make, w, &k, &made, &d) != CONVC_OK) {
        bool told = d.status == CONVC_ERR_COMPILER && !strcmp(d.text, "it does not like 13");
        atomic_fetch_add(&w->failures, told ? 1 : 1000);
        return NULL;
    }
    return k;
}

static void ask_and_release(struct wish *w)
{
    convc_kernel_release(ask(w));
}

/* ---- facts ----------------------------------------------------------------------------------- */

static void a_kernel_is_made_once_and_found_again(void **state)
{
    (void)state;
    struct wish w;
    struct cache *c = make_cache(1 << 20, 100);
    wish_init(&w, c, 5);
    struct convc_kernel *first = ask(&w), *second = ask(&w);
    assert_non_null(first);
    assert_ptr_equal(first, second);
    assert_int_equal(w.makings, 1);
    convc_kernel_release(first);
    convc_kernel_release(second);
    assert_int_equal(cache_stats(c).kernels, 1);
    ask_and_release(&w); /* released kernels stay */
    assert_int_equal(w.makings, 1);
    cache_destroy(c);
}

static void another_problem_or_plan_is_another_kernel(void **state)
{
    (void)state;
    enum { N = 300 }; /* more than the table begins with */
    static struct wish w[N];
    struct cache *c = make_cache(1 << 20, 2 * N);
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < N; i++) {
            if (round == 0)
                wish_init(&w[i], c, 1 + i / 2);
            if (i % 2)
                strcpy(w[i].key.plan, "another plan");
            ask_and_release(&w[i]);
            assert_int_equal(w[i].makings, 1);
        }
    }
    assert_int_equal(cache_stats(c).kernels, N);
    assert_int_equal(cache_stats(c).code_bytes, N * 100);
    cache_destroy(c);
}

enum { THREADS = 256 };

static void *ask_in_thread(void *w)
{
    return ask(w);
}

static void threads_that_ask_for_one_key_share_one_making(void **state)
{
    (void)state;
    struct wish w;
    pthread_t thread[THREADS];
    void *k[THREADS];
    struct cache *c = make_cache(1 << 20, 100);
    wish_init(&w, c, 5);
    w.delay_us = 50000;
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, ask_in_thread, &w), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(thread[i], &k[i]);
    for (int i = 0; i < THREADS; i++) {
        assert_non_null(k[i]);
        assert_ptr_equal(k[i], k[0]);
        convc_kernel_release(k[i]);
    }
    assert_int_equal(w.makings, 1);
    cache_destroy(c);
}

static void waiters_share_a_failure_and_the_next_call_tries_again(void **state)
{
    (void)state;
    struct wish w;
    pthread_t thread[THREADS];
    void *k;
    struct cache *c = make_cache(1 << 20, 100);
    wish_init(&w, c, 5);
    w.delay_us = 200000;
    w.fails = true;
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, ask_in_thread, &w), 0);
    for (int i = 0; i < THREADS; i++) {
        pthread_join(thread[i], &k);
        assert_null(k);
    }
    assert_int_equal(w.failures, THREADS); /* each with the very sentence */
    assert_true(w.makings < THREADS);
    assert_int_equal(cache_stats(c).kernels, 0);
    w.fails = false;
    w.delay_us = 0;
    k = ask(&w);
    assert_non_null(k);
    convc_kernel_release(k);
    cache_destroy(c);
}

static void the_least_recently_asked_for_leaves_first(void **state)
{
    (void)state;
    struct wish w[4];
    struct cache *c = make_cache(1 << 20, 3);
    for (int i = 0; i < 4; i++)
        wish_init(&w[i], c, 1 + i);
    for (int i = 0; i < 3; i++)
        ask_and_release(&w[i]);
    ask_and_release(&w[0]); /* now 1 is the oldest */
    ask_and_release(&w[3]);
    assert_int_equal(cache_stats(c).kernels, 3);
    ask_and_release(&w[0]);
    ask_and_release(&w[2]);
    ask_and_release(&w[3]);
    assert_int_equal(w[0].makings + w[2].makings + w[3].makings, 3);
    ask_and_release(&w[1]);
    assert_int_equal(w[1].makings, 2);
    cache_destroy(c);
}

static void code_bytes_are_bounded(void **state)
{
    (void)state;
    struct wish w[4];
    struct cache *c = make_cache(1000, 100);
    for (int i = 0; i < 4; i++) {
        wish_init(&w[i], c, 1 + i);
        w[i].object_bytes = 400;
        ask_and_release(&w[i]);
        assert_true(cache_stats(c).code_bytes <= 1000);
    }
    assert_int_equal(cache_stats(c).kernels, 2);

    struct wish huge;
    wish_init(&huge, c, 9);
    huge.object_bytes = 5000; /* alone it may stay: someone wants it now */
    ask_and_release(&huge);
    ask_and_release(&huge);
    assert_int_equal(huge.makings, 1);
    assert_int_equal(cache_stats(c).kernels, 1);
    ask_and_release(&w[0]);
    assert_int_equal(cache_stats(c).code_bytes, 400);
    cache_destroy(c);
}

static void an_evicted_kernel_lives_while_it_is_held(void **state)
{
    (void)state;
    struct wish w[2];
    struct cache *c = make_cache(1 << 20, 1);
    wish_init(&w[0], c, 1);
    wish_init(&w[1], c, 2);
    struct convc_kernel *held = ask(&w[0]);
    ask_and_release(&w[1]);
    assert_int_equal(cache_stats(c).kernels, 1);
    cache_destroy(c);
    assert_int_equal(held->problem.p.ic, 1);
    assert_true(convc_packed_bytes(held) > 0);
    convc_kernel_release(held);
}

/* ---- under load ------------------------------------------------------------------------------ */

enum { KEYS = 12, ASKERS = 4 };

struct load {
    struct wish *wishes;
    uint64_t seed;
    int64_t rounds;
    int bad;
};

static void *ask_at_random(void *argument)
{
    struct load *l = argument;
    struct test_random r = { l->seed };
    for (int64_t i = 0; i < l->rounds; i++) {
        int64_t id = test_random_in(&r, 0, KEYS - 1);
        struct wish *w = &l->wishes[id];
        struct convc_kernel *k = ask(w);
        if (!k ? !w->fails : k->problem.p.ic != id + 1)
            l->bad++;
        convc_kernel_release(k);
    }
    return NULL;
}

static void threads_that_evict_each_others_kernels_get_the_right_ones(void **state)
{
    (void)state;
    struct wish w[KEYS];
    struct load l[ASKERS];
    pthread_t thread[ASKERS];
    uint64_t seed = test_seed("test_cache", 1);
    struct cache *c = make_cache(1 << 20, 3);
    for (int i = 0; i < KEYS; i++) {
        wish_init(&w[i], c, 1 + i);
        w[i].fails = i == 7;
    }
    for (int i = 0; i < ASKERS; i++) {
        l[i] = (struct load){ w, seed + (uint64_t)i, test_count(5000), 0 };
        assert_int_equal(pthread_create(&thread[i], NULL, ask_at_random, &l[i]), 0);
    }
    for (int i = 0; i < ASKERS; i++) {
        pthread_join(thread[i], NULL);
        assert_int_equal(l[i].bad, 0);
    }
    assert_true(cache_stats(c).kernels <= 3);
    cache_destroy(c);
}

static void a_child_makes_what_its_parent_was_making(void **state)
{
    (void)state;
    struct wish w;
    pthread_t thread;
    void *k;
    int status;
    struct cache *c = make_cache(1 << 20, 100);
    wish_init(&w, c, 5);
    w.delay_us = 300000;
    assert_int_equal(pthread_create(&thread, NULL, ask_in_thread, &w), 0);
    while (atomic_load(&w.makings) == 0)
        usleep(1000);
    pid_t child = fork();
    if (child == 0) {
        alarm(20);
        w.delay_us = 0;
        _exit(ask(&w) && atomic_load(&w.makings) == 2 ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    pthread_join(thread, &k);
    assert_non_null(k);
    convc_kernel_release(k);
    cache_destroy(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_kernel_is_made_once_and_found_again),
        cmocka_unit_test(another_problem_or_plan_is_another_kernel),
        cmocka_unit_test(threads_that_ask_for_one_key_share_one_making),
        cmocka_unit_test(waiters_share_a_failure_and_the_next_call_tries_again),
        cmocka_unit_test(the_least_recently_asked_for_leaves_first),
        cmocka_unit_test(code_bytes_are_bounded),
        cmocka_unit_test(an_evicted_kernel_lives_while_it_is_held),
        cmocka_unit_test(threads_that_evict_each_others_kernels_get_the_right_ones),
        cmocka_unit_test(a_child_makes_what_its_parent_was_making),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
