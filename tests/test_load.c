/* Everything at once: hundreds of threads on the same contexts, dozens of processes on the same
 * directory. Every result is checked, and made once where it is asked for at the same time.
 *
 * 10 000 calls of each of 256 threads, and 10 000 look-ups of each of 64 processes:
 * CONVC_TEST_SCALE=50000 (SECURITY.md). */
#include "tests/support/layer.h"
#include "tests/support/support.h"

#include <convc/tuning.h>

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static const char fake[] = CONVC_BINARY_DIR "/tests/convc-measure-fake";

enum { THREADS = 256, LAYERS = 32, CONTEXTS = 2, PROCESSES = 64 };

/* ---- the ground ----------------------------------------------------------------------------- */

struct ground {
    struct test_dir dir;
    char cache[600], db[600];
    struct layer l[LAYERS];
    convc_context *cx[CONTEXTS]; /* the first keeps half of the layers in memory, the second one */
};

static convc_context *open_context(const struct ground *g, size_t max_kernels, int32_t flags)
{
    const struct convc_context_options opt = { .struct_bytes = sizeof opt,
                                               .threads = 1,
                                               .cache_dir = g->cache,
                                               .tuning_db = g->db,
                                               .flags = flags | CONVC_NEW_TUNING_DB,
                                               .max_kernels = max_kernels };
    convc_context *cx = NULL;
    return convc_context_create(&opt, &cx) == CONVC_OK ? cx : NULL;
}

static int ground_init(void **state)
{
    static struct ground g;
    test_dir_create(&g.dir);
    test_dir_path(&g.dir, "cache", g.cache, sizeof g.cache);
    test_dir_path(&g.dir, "tuned.db", g.db, sizeof g.db);
    for (int i = 0; i < LAYERS; i++) {
        struct convc_problem p;
        layer_problem(&p, 1 + i, 5, 6, 7);
        p.tolerance = 0; /* plain sums, which are exact */
        layer_init(&g.l[i], &p, 1);
    }
    *state = &g;
    return 0;
}

static int ground_free(void **state)
{
    struct ground *g = *state;
    for (int i = 0; i < LAYERS; i++)
        layer_free(&g->l[i]);
    test_dir_remove(&g->dir);
    return 0;
}

/* ---- calls ---------------------------------------------------------------------------------- */

static bool is_code(const convc_kernel *k)
{
    struct convc_kernel_info info = { .struct_bytes = sizeof info };
    return convc_kernel_info(k, &info) == CONVC_OK && info.function;
}

static bool compiles_and_runs(convc_context *cx, const struct layer *l)
{
    convc_kernel *k;
    if (!cx || convc_compile(cx, &l->p, NULL, &k) != CONVC_OK)
        return false;
    bool good = is_code(k) && layer_computes(l, k);
    convc_kernel_release(k);
    return good;
}

/* A context of its own that ends before its kernel does. */
static bool outlives_its_context(const struct ground *g, const struct layer *l)
{
    convc_kernel *k;
    convc_context *cx = open_context(g, 1, 0);
    if (!cx || convc_compile(cx, &l->p, NULL, &k) != CONVC_OK)
        return false;
    convc_context_destroy(cx);
    bool good = is_code(k) && layer_computes(l, k);
    convc_kernel_release(k);
    return good;
}

static bool is_refused(convc_context *cx, const struct layer *l)
{
    const struct convc_compile_options opt = { .struct_bytes = sizeof opt, .plan = "no plan" };
    convc_kernel *k;
    return convc_compile(cx, &l->p, &opt, &k) == CONVC_ERR_PLAN &&
           strstr(convc_last_error(), "no plan");
}

static bool is_explained(convc_context *cx, const struct layer *l)
{
    char *text, *plan;
    if (convc_explain(cx, &l->p, NULL, CONVC_SHOW_PLAN, &text) != CONVC_OK)
        return false;
    bool good = strlen(text) > 0 && convc_tuning_best(cx, &l->p, &plan) == CONVC_OK;
    if (good && plan)
        convc_text_free(plan);
    convc_text_free(text);
    return good;
}

static bool is_tuned(convc_context *cx, const struct layer *l)
{
    const struct convc_tune_options opt = { .struct_bytes = sizeof opt,
                                            .trials = 1,
                                            .measure = fake };
    return convc_tune(cx, &l->p, 1, &opt) == CONVC_OK;
}

struct caller {
    struct ground *g;
    int64_t calls;
    struct test_random random;
    int wrong[8];
};

/* One call of many kinds; each says which it is, for wrong[]. */
static bool call_something(struct caller *c, int *kind)
{
    struct ground *g = c->g;
    const struct layer *l = &g->l[test_random_in(&c->random, 0, LAYERS - 1)];
    convc_context *cx = g->cx[test_random_in(&c->random, 0, CONTEXTS - 1)];
    int64_t at = test_random_in(&c->random, 0, 999);
    static const int until[] = { 800, 850, 900, 950, 998 };
    for (*kind = 0; *kind < 5 && at >= until[*kind]; ++*kind)
        continue;
    switch (*kind) {
    case 0: return compiles_and_runs(cx, l);
    case 1: return outlives_its_context(g, l);
    case 2: return is_refused(cx, l);
    case 3: return is_explained(cx, l);
    case 4: return convc_cache_prune(cx, NULL) == CONVC_OK;
    default: return is_tuned(cx, l);
    }
}

static void *call_everything(void *argument)
{
    struct caller *c = argument;
    for (int64_t i = 0; i < c->calls; i++) {
        int kind;
        if (!call_something(c, &kind))
            c->wrong[kind]++;
    }
    return NULL;
}

/* Runs `body` in every thread, on the caller of that number. */
static void run_threads(void *(*body)(void *), struct caller *caller)
{
    static pthread_t thread[THREADS];
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, body, &caller[i]), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(thread[i], NULL);
}

static void threads_that_do_everything_at_once_do_it_right(void **state)
{
    struct ground *g = *state;
    static struct caller caller[THREADS];
    uint64_t seed = test_seed("test_load", 11);
    int64_t calls = test_count(20);
    g->cx[0] = open_context(g, LAYERS / 2, 0);
    g->cx[1] = open_context(g, 1, 0);
    for (int i = 0; i < THREADS; i++)
        caller[i] = (struct caller){ g, calls, { seed + (uint64_t)i }, { 0 } };
    run_threads(call_everything, caller);
    printf("%lld calls of %d threads\n", (long long)calls * THREADS, (int)THREADS);
    for (int i = 0; i < THREADS; i++)
        for (int kind = 0; kind < 6; kind++)
            if (caller[i].wrong[kind])
                fail_msg("thread %d: %d calls of kind %d went wrong", i, caller[i].wrong[kind],
                         kind);
    for (int i = 0; i < CONTEXTS; i++)
        convc_context_destroy(g->cx[i]);
}

/* ---- one making ----------------------------------------------------------------------------- */

static atomic_int compiled;

static void *ask_for_all(void *argument)
{
    struct caller *c = argument;
    for (int i = 0; i < LAYERS; i++) {
        enum convc_source source;
        const struct convc_compile_options opt = { .struct_bytes = sizeof opt, .source = &source };
        convc_kernel *k;
        if (convc_compile(c->g->cx[0], &c->g->l[i].p, &opt, &k) != CONVC_OK) {
            c->wrong[0]++;
            continue;
        }
        atomic_fetch_add(&compiled, source == CONVC_FROM_COMPILER);
        c->wrong[0] += !is_code(k);
        convc_kernel_release(k);
    }
    return NULL;
}

static void what_all_ask_for_at_once_is_compiled_once(void **state)
{
    struct ground *g = *state;
    static struct caller caller[THREADS];
    g->cx[0] = open_context(g, LAYERS, CONVC_NO_DISK_CACHE);
    atomic_store(&compiled, 0);
    for (int i = 0; i < THREADS; i++)
        caller[i] = (struct caller){ .g = g };
    run_threads(ask_for_all, caller);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(caller[i].wrong[0], 0);
    assert_int_equal(atomic_load(&compiled), LAYERS);
    convc_context_destroy(g->cx[0]);
}

/* ---- processes ------------------------------------------------------------------------------ */

/* Of two kernels in turn, of which a context keeps one in memory; now and then some others. */
static int look_up(const struct ground *g, int64_t count, uint64_t seed)
{
    struct test_random r = { seed };
    int wrong = 0;
    convc_context *cx = open_context(g, 1, 0);
    for (int64_t i = 0; i < count; i++) {
        int64_t other = test_random_in(&r, 0, LAYERS - 1);
        wrong += !compiles_and_runs(cx, &g->l[i % 8 ? i % 2 : other]);
    }
    convc_context_destroy(cx);
    return wrong;
}

static void processes_share_a_directory(void **state)
{
    const struct ground *g = *state;
    const int64_t count = test_count(20);
    pid_t child[PROCESSES];
    for (int i = 0; i < PROCESSES; i++) {
        child[i] = fork();
        assert_true(child[i] >= 0);
        if (child[i] == 0)
            _exit(look_up(g, count, (uint64_t)i) != 0);
    }
    for (int i = 0; i < PROCESSES; i++) {
        int status;
        assert_int_equal(waitpid(child[i], &status, 0), child[i]);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
    printf("%lld look-ups of %d processes\n", (long long)count * PROCESSES, (int)PROCESSES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(processes_share_a_directory), /* first: no thread has been begun */
        cmocka_unit_test(what_all_ask_for_at_once_is_compiled_once),
        cmocka_unit_test(threads_that_do_everything_at_once_do_it_right),
    };
    return cmocka_run_group_tests(tests, ground_init, ground_free);
}
