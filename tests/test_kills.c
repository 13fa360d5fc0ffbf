/* Eight processes fill one cache directory and one tuning database, and are killed at random
 * moments, again and again. No kernel is ever wrong, nothing piles up, and the database is whole.
 */
#include "runtime/cache_disk.h"
#include "tests/support/layer.h"
#include "tests/support/support.h"
#include "tests/support/tuned.h"

#include <convc/tuning.h>
#include <dirent.h>
#include <setjmp.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

enum { PROCESSES = 8, LAYERS = 24, LARGE = 1 << 19, WRONG = 99 };

struct ground {
    struct test_dir dir;
    char cache[600], db[600];
    struct layer layer[LAYERS];
    pid_t process[PROCESSES];
    struct test_random random;
    atomic_llong *made; /* kernels and rows, by all processes */
};

static convc_context *make_context(const struct ground *g)
{
    const struct convc_context_options opt = { .struct_bytes = sizeof opt,
                                               .threads = 1,
                                               .max_kernels = 1, /* the disk is asked each time */
                                               .cache_dir = g->cache };
    convc_context *cx = NULL;
    if (convc_context_create(&opt, &cx) != CONVC_OK)
        fail_msg("%s", convc_last_error());
    return cx;
}

/* Ends the process where the kernel is wrong. */
static void compile_one(convc_context *cx, struct layer *l)
{
    convc_kernel *k = layer_compile(cx, l, NULL);
    memset(l->dst, 0, (size_t)l->dst_elements * sizeof(float));
    layer_check(l, k);
    convc_kernel_release(k);
}

/* A measurement, in a transaction as a sweep makes them. */
static void add_row(struct tune_db *db, int64_t number)
{
    struct diag d = { 0 };
    char plan[40];
    snprintf(plan, sizeof plan, "plan %d", (int)(number % 50));
    struct tune_row row = tuned_row(plan, 0, 0.8, 0.9);
    if (tune_db_add(db, &row, &d) != CONVC_OK)
        _exit(WRONG);
}

/* What is there is taken away too, so that it is written again and again. */
static void work(struct ground *g, uint64_t seed)
{
    struct test_random r = { seed };
    struct tune_db *db = tuned_open(g->db, true);
    convc_context *cx = make_context(g);
    for (;;) {
        compile_one(cx, &g->layer[test_random_in(&r, 0, LAYERS - 1)]);
        add_row(db, test_random_in(&r, 0, 1000));
        atomic_fetch_add(g->made, 1);
        if (test_random_in(&r, 0, 7) == 0)
            convc_cache_clear(cx, NULL);
    }
}

/* The key of a kernel that is all one byte, and takes long to write. */
static struct disk_key large_key(int64_t i, char name[20])
{
    struct disk_key key;
    snprintf(name, 20, "large %d", (int)i);
    disk_key_init(&key, "target", name, "plan");
    return key;
}

static bool is_whole(struct cache_disk *c, const struct disk_key *key)
{
    struct disk_object o;
    if (!cache_disk_load(c, key, &o))
        return true;
    bool whole = o.count == LARGE && memcmp(o.object, o.object + 1, LARGE - 1) == 0;
    free(o.file);
    return whole;
}

/* Does nothing but write to the cache directory. */
static void write_only(const struct ground *g, uint64_t seed)
{
    struct test_random r = { seed };
    struct diag d = { 0 };
    struct cache_disk *c;
    char *bytes = malloc(LARGE), name[20];
    if (!bytes || cache_disk_open(g->cache, &c, &d) != CONVC_OK)
        _exit(WRONG);
    memset(bytes, (int)(seed & 0x7f), LARGE);
    for (;;) {
        struct disk_key key = large_key(test_random_in(&r, 0, LAYERS - 1), name);
        cache_disk_store(c, &key, bytes, LARGE);
        if (!is_whole(c, &key))
            _exit(WRONG);
        atomic_fetch_add(g->made, 1);
    }
}

static void start(struct ground *g, int i)
{
    uint64_t seed = test_random_bits(&g->random);
    fflush(NULL);
    g->process[i] = fork();
    assert_true(g->process[i] >= 0);
    if (g->process[i] == 0 && i % 2)
        write_only(g, seed);
    if (g->process[i] == 0)
        work(g, seed);
}

static void kill_one(struct ground *g, int i)
{
    int status;
    const struct timespec nap = { 0, (long)test_random_in(&g->random, 0, 30000000) };
    nanosleep(&nap, NULL);
    kill(g->process[i], SIGKILL);
    assert_int_equal(waitpid(g->process[i], &status, 0), g->process[i]);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL); /* not by a wrong kernel */
}

static int count_leftovers(const struct ground *g)
{
    int count = 0;
    DIR *listing = opendir(g->cache);
    for (struct dirent *f; listing && (f = readdir(listing));)
        count += strncmp(f->d_name, ".tmp-", 5) == 0;
    closedir(listing);
    return count;
}

static int check_entry(void *data, const struct convc_cache_entry *e)
{
    ++*(int *)data;
    assert_true(e->intact);
    return 0;
}

static void check_cache(struct ground *g)
{
    int entries = 0;
    int64_t removed = -1;
    convc_context *cx = make_context(g);
    for (int i = 0; i < LAYERS; i++)
        compile_one(cx, &g->layer[i]);
    assert_int_equal(convc_cache_visit(cx, check_entry, &entries), CONVC_OK);
    assert_in_range(entries, LAYERS, 2 * LAYERS);
    assert_int_equal(convc_cache_prune(cx, &removed), CONVC_OK);
    assert_int_equal(count_leftovers(g), 0);
    convc_context_destroy(cx);
}

static int first_word(void *data, int columns, char **value, char **name)
{
    (void)columns;
    (void)name;
    snprintf(data, 40, "%s", value[0]);
    return 0;
}

static void check_database(const struct ground *g)
{
    char said[40] = "";
    sqlite3 *sql;
    assert_int_equal(sqlite3_open(g->db, &sql), SQLITE_OK);
    assert_int_equal(sqlite3_exec(sql, "PRAGMA integrity_check", first_word, said, NULL),
                     SQLITE_OK);
    assert_string_equal(said, "ok");
    sqlite3_close(sql);
    tune_db_close(tuned_open(g->db, true));
}

static void nothing_is_wrong_or_left_however_writers_are_killed(void **state)
{
    static struct ground g;
    int most = 0;
    const int64_t kills = test_count(100);
    (void)state;
    g.random.state = test_seed("test_kills", 7);
    g.made = mmap(NULL, sizeof *g.made, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(g.made, MAP_FAILED);
    test_dir_create(&g.dir);
    test_dir_path(&g.dir, "cache", g.cache, sizeof g.cache);
    test_dir_path(&g.dir, "db", g.db, sizeof g.db);
    for (int i = 0; i < LAYERS; i++)
        layer_make(&g.layer[i], 1 + i % 3, 1 + i % 5, 3 + i / 2, 4, 1);
    for (int i = 0; i < PROCESSES; i++)
        start(&g, i);
    for (int64_t n = 0; n < kills; n++) {
        int i = (int)test_random_in(&g.random, 0, PROCESSES - 1);
        kill_one(&g, i);
        int left = count_leftovers(&g);
        most = left > most ? left : most;
        start(&g, i);
    }
    for (int i = 0; i < PROCESSES; i++)
        kill_one(&g, i);
    print_message("%lld kills, %lld kernels and rows; at most %d files unfinished at once\n",
                  (long long)kills, (long long)*g.made, most);
    assert_true(*g.made > 0);
    /* What was left is swept away by whoever begins to write. */
    assert_in_range(most, 0, 2 * PROCESSES);
    check_cache(&g);
    check_database(&g);
    for (int i = 0; i < LAYERS; i++)
        layer_free(&g.layer[i]);
    munmap(g.made, sizeof *g.made);
    test_dir_remove(&g.dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_wrong_or_left_however_writers_are_killed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
