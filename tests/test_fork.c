/* A fork at any moment: what other threads were amid does not harm the child, which compiles and
 * runs.
 *
 * A thousand moments: CONVC_TEST_SCALE=10000 (SECURITY.md). */
#include "tests/support/layer.h"
#include "tests/support/support.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#if defined(__SANITIZE_THREAD__)
enum { FORKS_WITH_THREADS = 0 }; /* ThreadSanitizer allows no threads after such a fork */
#else
enum { FORKS_WITH_THREADS = 1 };
#endif

enum { CHILD_SECONDS = 120 }; /* what no child takes that is not stuck */

/* Did the child end with 0? */
static bool went_well(pid_t child)
{
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFSIGNALED(status))
        printf("a child ended by signal %d\n", WTERMSIG(status));
    else if (WEXITSTATUS(status))
        printf("a child ended with %d\n", WEXITSTATUS(status));
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* ---- load ----------------------------------------------------------------------------------- */

enum { THREADS = 6, LAYERS = 24 };

struct ground {
    struct test_dir dir;
    char cache[600], db[600];
    convc_context *cx; /* keeps a third of the layers */
    struct layer l[LAYERS];
    atomic_bool stop;
    atomic_int turns, wrong;
};

static convc_context *open_context(const struct ground *g)
{
    const struct convc_context_options opt = { .struct_bytes = sizeof opt,
                                               .threads = 1,
                                               .cache_dir = g->cache,
                                               .tuning_db = g->db,
                                               .flags = CONVC_NEW_TUNING_DB,
                                               .max_kernels = LAYERS / 3 };
    convc_context *cx = NULL;
    return convc_context_create(&opt, &cx) == CONVC_OK ? cx : NULL;
}

static bool compiles_and_runs(convc_context *cx, const struct layer *l)
{
    convc_kernel *k;
    struct convc_kernel_info info = { .struct_bytes = sizeof info };
    if (!cx || convc_compile(cx, &l->p, NULL, &k) != CONVC_OK)
        return false;
    bool good = convc_kernel_info(k, &info) == CONVC_OK && info.function && layer_computes(l, k);
    convc_kernel_release(k);
    return good;
}

static bool emits(const struct layer *l)
{
    struct convc_problem p = l->p;
    char *bytes;
    size_t count;
    snprintf(p.name, sizeof p.name, "kernel");
    if (convc_emit(&p, 1, NULL, &bytes, &count) != CONVC_OK)
        return false;
    convc_text_free(bytes);
    return true;
}

/* All that takes locks: those of the caches, of LLVM, of SQLite, of the allocator. */
static bool do_everything(struct ground *g, struct test_random *r)
{
    const struct layer *l = &g->l[test_random_in(r, 0, LAYERS - 1)];
    int64_t what = test_random_in(r, 0, 9);
    if (what > 2)
        return compiles_and_runs(g->cx, l);
    if (what > 1)
        return emits(l);
    if (what > 0)
        return convc_cache_clear(g->cx, NULL) == CONVC_OK;
    convc_context *own = open_context(g);
    bool good = compiles_and_runs(own, l);
    convc_context_destroy(own);
    return good;
}

static void *load(void *argument)
{
    struct ground *g = argument;
    struct test_random r = { (uint64_t)(uintptr_t)pthread_self() };
    while (!atomic_load(&g->stop)) {
        atomic_fetch_add(&g->wrong, !do_everything(g, &r));
        atomic_fetch_add(&g->turns, 1);
    }
    return NULL;
}

static void ground_init(struct ground *g)
{
    *g = (struct ground){ .stop = false };
    test_dir_create(&g->dir);
    test_dir_path(&g->dir, "cache", g->cache, sizeof g->cache);
    test_dir_path(&g->dir, "tuned.db", g->db, sizeof g->db);
    for (int i = 0; i < LAYERS; i++) {
        struct convc_problem p;
        layer_problem(&p, 1 + i, 5, 6, 7);
        p.tolerance = 0; /* plain sums, which are exact */
        layer_init(&g->l[i], &p, 1);
    }
    g->cx = open_context(g);
    assert_non_null(g->cx);
}

static void ground_free(struct ground *g)
{
    convc_context_destroy(g->cx);
    for (int i = 0; i < LAYERS; i++)
        layer_free(&g->l[i]);
    test_dir_remove(&g->dir);
}

/* What a host's child may do, with what the parent had and with what is its own. */
static int be_child(struct ground *g, const convc_kernel *k, int turn)
{
    alarm(CHILD_SECONDS);
    if (!layer_computes(&g->l[0], k))
        return 1;
    for (int i = 0; i < 3; i++) {
        if (!compiles_and_runs(g->cx, &g->l[(turn + i) % LAYERS]))
            return 2;
    }
    convc_context *own = open_context(g);
    if (!compiles_and_runs(own, &g->l[turn % LAYERS]))
        return 3;
    convc_context_destroy(own);
    if (!emits(&g->l[turn % LAYERS]))
        return 4;
    convc_context_destroy(g->cx);
    return 0;
}

static void a_child_of_any_moment_compiles_and_runs(void **state)
{
    (void)state;
    static struct ground g;
    struct test_random r = { test_seed("test_fork", 7) };
    const int64_t forks = test_count(10);
    pthread_t thread[THREADS];
    int64_t good = 0;
    if (!FORKS_WITH_THREADS)
        skip();
    ground_init(&g);
    convc_kernel *k = layer_compile(g.cx, &g.l[0], NULL);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, load, &g), 0);
    for (int i = 0; i < forks; i++) {
        usleep((useconds_t)test_random_in(&r, 0, 20000));
        pid_t child = fork();
        if (child == 0)
            _exit(be_child(&g, k, i));
        good += went_well(child);
    }
    atomic_store(&g.stop, true);
    for (int i = 0; i < THREADS; i++)
        pthread_join(thread[i], NULL);
    printf("%lld forks amid %d turns of %d threads\n", (long long)forks, g.turns, (int)THREADS);
    assert_int_equal(g.wrong, 0);
    assert_int_equal(good, forks);
    convc_kernel_release(k);
    ground_free(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_child_of_any_moment_compiles_and_runs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
