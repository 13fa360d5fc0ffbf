/* The pool: every item once, whoever's threads they are, from anywhere, after a fork too. */
#include "runtime/pool.h"
#include "tests/support/support.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#if defined(__SANITIZE_THREAD__)
enum { FORKS_WITH_THREADS = 0 }; /* ThreadSanitizer allows no threads after such a fork */
#else
enum { FORKS_WITH_THREADS = 1 };
#endif

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
enum { ADDRESS_SPACE_CAN_BE_LIMITED = 0 }; /* sanitizers take terabytes of it */
#else
enum { ADDRESS_SPACE_CAN_BE_LIMITED = 1 };
#endif

/* How often each item was computed. Plain counters: a race is for the sanitizer to find. */
struct tally {
    int64_t items;
    unsigned char *times;
    atomic_int calls;
};

static void count(void *argument, int64_t begin, int64_t end)
{
    struct tally *t = argument;
    atomic_fetch_add(&t->calls, 1);
    for (int64_t i = begin; i < end; i++)
        t->times[i]++;
}

static int count_items(struct pool *pool, int64_t items)
{
    struct tally t = { .items = items, .times = calloc((size_t)items + 1, 1) };
    pool_run(pool, count, &t, items);
    bool once = true;
    for (int64_t i = 0; i < items; i++)
        once = once && t.times[i] == 1;
    free(t.times);
    return once ? atomic_load(&t.calls) : -1;
}

static struct pool *make(int threads, convc_parallel_for host, void *host_pool)
{
    struct diag d = { 0 };
    struct pool *pool;
    assert_int_equal(pool_create(threads, host, host_pool, &pool, &d), CONVC_OK);
    return pool;
}

static void every_item_is_computed_once(void **state)
{
    (void)state;
    static const int64_t items[] = { 0, 1, 2, 3, 7, 8, 23, 24, 25, 1000, 1001 };
    for (int threads = 1; threads <= 4; threads++) {
        struct pool *pool = make(threads, NULL, NULL);
        for (size_t i = 0; i < sizeof items / sizeof *items; i++)
            assert_true(count_items(pool, items[i]) >= 0);
        pool_destroy(pool);
    }
}

static void one_thread_or_one_item_stays_with_the_caller(void **state)
{
    (void)state;
    struct pool *one = make(1, NULL, NULL), *two = make(2, NULL, NULL);
    assert_int_equal(count_items(one, 1000), 1);
    assert_int_equal(count_items(two, 1), 1);
    assert_true(count_items(two, 1000) > 1);
    pool_destroy(one);
    pool_destroy(two);
}

static void zero_threads_means_what_the_process_may_use(void **state)
{
    (void)state;
    struct diag d = { 0 };
    struct pool *pool = make(0, NULL, NULL);
    assert_true(pool_threads(pool) >= 1);
    pool_destroy(pool);
    assert_int_equal(pool_create(-1, NULL, NULL, &pool, &d), CONVC_ERR_ARGUMENT);
    assert_string_equal(d.text, "threads=-1 is not within 0 to 1024");
}

/* A host's pool: one new thread per task, last task first. */
struct host_task {
    void (*task)(void *argument, size_t i);
    void *argument;
    size_t i;
};

static void *host_thread(void *t)
{
    struct host_task *task = t;
    task->task(task->argument, task->i);
    return NULL;
}

static void host_parallel_for(void *pool, void (*task)(void *argument, size_t i), void *argument,
                              size_t count)
{
    pthread_t thread[64];
    struct host_task tasks[64];
    assert_true(count <= 64);
    *(size_t *)pool += count;
    for (size_t i = count; i-- > 0;) {
        tasks[i] = (struct host_task){ task, argument, i };
        assert_int_equal(pthread_create(&thread[i], NULL, host_thread, &tasks[i]), 0);
    }
    for (size_t i = 0; i < count; i++)
        pthread_join(thread[i], NULL);
}

static void the_hosts_own_parallel_for_does_the_work(void **state)
{
    (void)state;
    size_t used = 0;
    struct pool *pool = make(3, host_parallel_for, &used);
    int calls = count_items(pool, 1001);
    assert_true(calls > 1);
    assert_int_equal(used, calls);
    pool_destroy(pool);
}

struct outer {
    struct pool *pool;
    atomic_int bad;
};

static void run_inner(void *argument, int64_t begin, int64_t end)
{
    struct outer *o = argument;
    for (int64_t i = begin; i < end; i++) {
        if (count_items(o->pool, 100) < 0)
            atomic_fetch_add(&o->bad, 1);
    }
}

static void a_task_may_use_the_pool_it_runs_on(void **state)
{
    (void)state;
    struct outer o = { .pool = make(3, NULL, NULL) };
    pool_run(o.pool, run_inner, &o, 50);
    assert_int_equal(atomic_load(&o.bad), 0);
    pool_destroy(o.pool);
}

static void *use_pool(void *argument)
{
    struct outer *o = argument;
    run_inner(o, 0, 200);
    return NULL;
}

static void many_threads_may_share_a_pool(void **state)
{
    (void)state;
    pthread_t thread[4];
    struct outer o = { .pool = make(2, NULL, NULL) };
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, use_pool, &o), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(thread[i], NULL);
    assert_int_equal(atomic_load(&o.bad), 0);
    pool_destroy(o.pool);
}

static void a_forked_child_gets_workers_of_its_own(void **state)
{
    (void)state;
    if (!FORKS_WITH_THREADS)
        skip();
    int status;
    struct pool *pool = make(3, NULL, NULL);
    assert_true(count_items(pool, 1000) > 1);
    pid_t child = fork();
    if (child == 0) {
        alarm(20); /* rather than wait for workers that are not there */
        _exit(count_items(pool, 1000) > 1 ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    assert_true(count_items(pool, 1000) > 1);
    pool_destroy(pool);
}

/* Leaves this process room for the stacks of a few threads. */
static bool limit_address_space(void)
{
    unsigned long pages = 0;
    FILE *statm = fopen("/proc/self/statm", "r");
    bool known = statm && fscanf(statm, "%lu", &pages) == 1;
    if (statm)
        fclose(statm);
    rlim_t bytes = (rlim_t)pages * (rlim_t)sysconf(_SC_PAGESIZE) + ((rlim_t)64 << 20);
    return known && setrlimit(RLIMIT_AS, &(struct rlimit){ bytes, bytes }) == 0;
}

static void threads_that_the_system_denies_are_done_without(void **state)
{
    (void)state;
    if (!ADDRESS_SPACE_CAN_BE_LIMITED)
        skip();
    int status;
    struct pool *pool = make(500, NULL, NULL);
    pid_t child = fork();
    if (child == 0) {
        alarm(20); /* rather than wait for workers that never start */
        _exit(limit_address_space() && count_items(pool, 10000) > 1 ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    pool_destroy(pool);
}

static void more_threads_than_1024_are_refused(void **state)
{
    (void)state;
    struct diag d = { 0 };
    struct pool *pool;
    assert_int_equal(pool_create(1025, NULL, NULL, &pool, &d), CONVC_ERR_ARGUMENT);
    assert_string_equal(d.text, "threads=1025 is not within 0 to 1024");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_item_is_computed_once),
        cmocka_unit_test(one_thread_or_one_item_stays_with_the_caller),
        cmocka_unit_test(zero_threads_means_what_the_process_may_use),
        cmocka_unit_test(the_hosts_own_parallel_for_does_the_work),
        cmocka_unit_test(a_task_may_use_the_pool_it_runs_on),
        cmocka_unit_test(many_threads_may_share_a_pool),
        cmocka_unit_test(a_forked_child_gets_workers_of_its_own),
        cmocka_unit_test(threads_that_the_system_denies_are_done_without),
        cmocka_unit_test(more_threads_than_1024_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
