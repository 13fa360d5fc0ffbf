/* The disk cache: what it gives back is what was stored under that very key, or nothing. */
#include "runtime/cache_disk.h"
#include "runtime/disk_entry.h"
#include "tests/support/support.h"

#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* ---- the ground ------------------------------------------------------------------------------ */

static const char object_bytes[] = "\177ELF, as far as the cache is concerned";

struct ground {
    struct test_dir dir;
    struct cache_disk *cache;
    struct disk_key key;
    char path[700]; /* of the entry of `key` */
};

static struct cache_disk *open_cache(const char *path)
{
    struct diag d = { 0 };
    struct cache_disk *c;
    assert_int_equal(cache_disk_open(path, &c, &d), CONVC_OK);
    return c;
}

/* An empty cache in a new directory, and a key. */
static void ground_init(struct ground *g)
{
    char path[600], name[64];
    test_dir_create(&g->dir);
    g->cache = open_cache(test_dir_path(&g->dir, "a/b", path, sizeof path));
    disk_key_init(&g->key, "x86_64-pc-linux-gnu:znver5", "ic3oc8ih9", "direct tile=1x2x3");
    snprintf(name, sizeof name, "a/b/%s.convc", g->key.name);
    test_dir_path(&g->dir, name, g->path, sizeof g->path);
}

static void ground_free(struct ground *g)
{
    cache_disk_close(g->cache);
    test_dir_remove(&g->dir);
}

static void store(struct ground *g)
{
    cache_disk_store(g->cache, &g->key, object_bytes, sizeof object_bytes);
}

/* Is the key there, with the right bytes? Wrong bytes end the test. */
static bool there(struct cache_disk *c, const struct disk_key *key)
{
    struct disk_object o;
    if (!cache_disk_load(c, key, &o))
        return false;
    assert_int_equal(o.count, sizeof object_bytes);
    assert_memory_equal(o.object, object_bytes, sizeof object_bytes);
    free(o.file);
    return true;
}

/* What a visit saw. */
struct seen {
    int entries, intact;
    int64_t bytes;
    char problem[64], plan[64], target[64];
};

static int look(void *data, const struct convc_cache_entry *e)
{
    struct seen *s = data;
    s->entries++;
    s->intact += e->intact;
    s->bytes += e->bytes;
    snprintf(s->problem, sizeof s->problem, "%s", e->problem);
    snprintf(s->plan, sizeof s->plan, "%s", e->plan);
    snprintf(s->target, sizeof s->target, "%s", e->target);
    return 0;
}

static struct seen visit(struct cache_disk *c)
{
    struct diag d = { 0 };
    struct seen s = { 0 };
    assert_int_equal(cache_disk_visit(c, look, &s, &d), CONVC_OK);
    return s;
}

static int64_t remove_entries(struct cache_disk *c, bool everything)
{
    struct diag d = { 0 };
    int64_t removed = -1;
    assert_int_equal(cache_disk_remove(c, everything, &removed, &d), CONVC_OK);
    return removed;
}

/* ---- entries --------------------------------------------------------------------------------- */

static void what_is_stored_is_found(void **state)
{
    (void)state;
    struct ground g;
    struct stat s;
    ground_init(&g);
    assert_false(there(g.cache, &g.key));
    store(&g);
    assert_true(there(g.cache, &g.key));
    store(&g); /* again: written over */
    assert_true(there(g.cache, &g.key));
    assert_int_equal(stat(g.path, &s), 0);
    assert_int_equal(s.st_mode & 0777, 0600);

    struct cache_disk *other = open_cache(cache_disk_directory(g.cache, NULL));
    assert_true(there(other, &g.key));
    cache_disk_close(other);
    ground_free(&g);
}

static void every_part_of_the_key_counts(void **state)
{
    (void)state;
    struct ground g;
    ground_init(&g);
    store(&g);
    for (int i = 0; i < DISK_TEXTS; i++) {
        struct disk_key other = g.key;
        other.text[i] = "another";
        disk_key_finish(&other);
        assert_string_not_equal(other.name, g.key.name);
        assert_false(there(g.cache, &other));

        /* Nor does an entry count that only bears the right name. */
        memcpy(other.name, g.key.name, sizeof other.name);
        assert_false(there(g.cache, &other));
    }
    assert_true(there(g.cache, &g.key));
    ground_free(&g);
}

static void a_harmed_file_is_as_good_as_none(void **state)
{
    (void)state;
    struct ground g;
    size_t count;
    ground_init(&g);
    store(&g);
    char *bytes = test_file_read(g.path, &count);
    for (size_t i = 0; i < count; i += 1 + i / 4) {
        bytes[i] ^= 4;
        test_file_write(g.path, bytes, count);
        assert_false(there(g.cache, &g.key));
        bytes[i] ^= 4;
        test_file_write(g.path, bytes, i);
        assert_false(there(g.cache, &g.key));
    }
    store(&g);
    assert_true(there(g.cache, &g.key));
    free(bytes);
    ground_free(&g);
}

static void without_a_directory_the_cache_is_empty(void **state)
{
    (void)state;
    struct test_dir dir;
    struct disk_key key;
    char file[600];
    const char *why;
    test_dir_create(&dir);
    test_dir_path(&dir, "file", file, sizeof file);
    test_file_write(file, "x", 1);
    struct cache_disk *c = open_cache(file);
    assert_string_equal(cache_disk_directory(c, &why), "");
    assert_non_null(strstr(why, file));
    disk_key_init(&key, "t", "p", "q");
    cache_disk_store(c, &key, object_bytes, sizeof object_bytes);
    assert_false(there(c, &key));
    assert_int_equal(visit(c).entries, 0);
    assert_int_equal(remove_entries(c, true), 0);
    cache_disk_close(c);
    test_dir_remove(&dir);
}

/* ---- who may write --------------------------------------------------------------------------- */

static void a_file_that_others_could_have_written_is_not_read(void **state)
{
    (void)state;
    struct ground g;
    char other[800];
    ground_init(&g);
    store(&g);
    static const mode_t modes[] = { 0620, 0602, 0640, 0604 };
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        assert_int_equal(chmod(g.path, modes[i]), 0);
        assert_false(there(g.cache, &g.key));
    }
    assert_int_equal(chmod(g.path, 0600), 0);
    assert_true(there(g.cache, &g.key));

    snprintf(other, sizeof other, "%s.other", g.path);
    assert_int_equal(link(g.path, other), 0); /* a second name */
    assert_false(there(g.cache, &g.key));
    assert_int_equal(unlink(g.path), 0);
    assert_int_equal(symlink(other, g.path), 0);
    assert_false(there(g.cache, &g.key));
    assert_int_equal(unlink(g.path), 0);
    assert_int_equal(mkfifo(g.path, 0600), 0); /* must not wait for a writer */
    assert_false(there(g.cache, &g.key));
    assert_int_equal(unlink(g.path), 0);
    assert_int_equal(mkdir(g.path, 0700), 0);
    assert_false(there(g.cache, &g.key));
    store(&g); /* cannot take the name, and leaves nothing */
    assert_int_equal(rmdir(g.path), 0);
    assert_int_equal(rename(other, g.path), 0);
    assert_true(there(g.cache, &g.key));
    assert_int_equal(visit(g.cache).entries, 1);
    assert_int_equal(remove_entries(g.cache, true), 1);
    ground_free(&g);
}

/* ---- writers --------------------------------------------------------------------------------- */

enum { LARGE = 200000 };

struct writer {
    struct cache_disk *cache;
    const struct disk_key *key;
    int value;
    int64_t rounds;
    int bad;
};

/* Stores objects of one value each, and loads what then is there: it must be of one value too. */
static void *store_and_load(void *argument)
{
    struct writer *w = argument;
    char *bytes = malloc(LARGE);
    memset(bytes, w->value, LARGE);
    for (int64_t i = 0; i < w->rounds; i++) {
        struct disk_object o;
        cache_disk_store(w->cache, w->key, bytes, LARGE);
        if (!cache_disk_load(w->cache, w->key, &o)) {
            w->bad++;
            continue;
        }
        w->bad += o.count != LARGE || memcmp(o.object, o.object + 1, LARGE - 1) != 0;
        free(o.file);
    }
    free(bytes);
    return NULL;
}

static void concurrent_writers_leave_one_whole_entry(void **state)
{
    (void)state;
    struct ground g;
    struct writer w[4];
    pthread_t thread[4];
    ground_init(&g);
    for (int i = 0; i < 4; i++) {
        w[i] = (struct writer){ g.cache, &g.key, 'a' + i, test_count(100), 0 };
        assert_int_equal(pthread_create(&thread[i], NULL, store_and_load, &w[i]), 0);
    }
    for (int i = 0; i < 4; i++) {
        pthread_join(thread[i], NULL);
        assert_int_equal(w[i].bad, 0);
    }
    assert_int_equal(visit(g.cache).entries, 1);
    assert_int_equal(remove_entries(g.cache, true), 1); /* no temporary file is left */
    ground_free(&g);
}

static void a_killed_writer_leaves_nothing_that_counts(void **state)
{
    (void)state;
    struct ground g;
    int status;
    ground_init(&g);
    for (int i = 0; i < 10; i++) {
        struct writer w = { g.cache, &g.key, 'a', INT64_MAX, 0 };
        pid_t child = fork();
        if (child == 0) {
            store_and_load(&w);
            _exit(0);
        }
        usleep(3000);
        kill(child, SIGKILL);
        assert_int_equal(waitpid(child, &status, 0), child);
        struct disk_object o;
        if (cache_disk_load(g.cache, &g.key, &o)) {
            assert_int_equal(o.count, LARGE);
            assert_memory_equal(o.object, o.object + 1, LARGE - 1);
            free(o.file);
        }
    }
    ground_free(&g);
}

/* What a writer has not finished is locked by it; nobody holds what was left by one that is gone.
 */
static void leftovers_go_and_what_is_being_written_stays(void **state)
{
    (void)state;
    struct ground g;
    char left[700], writing[700];
    ground_init(&g);
    test_dir_path(&g.dir, "a/b/.tmp-1-0", left, sizeof left);
    test_dir_path(&g.dir, "a/b/.tmp-2-0", writing, sizeof writing);
    test_file_write(writing, "x", 1);
    int fd = open(writing, O_RDONLY);
    assert_int_equal(flock(fd, LOCK_EX), 0);
    for (int by_store = 0; by_store < 2; by_store++) {
        test_file_write(left, "x", 1);
        if (by_store)
            store(&g);
        else
            assert_int_equal(remove_entries(g.cache, false), 1);
        assert_int_equal(access(left, F_OK), -1);
        assert_int_equal(access(writing, F_OK), 0);
    }
    close(fd);
    assert_int_equal(remove_entries(g.cache, false), 1);
    assert_int_equal(access(writing, F_OK), -1);
    ground_free(&g);
}

/* ---- the whole directory --------------------------------------------------------------------- */

static void a_visit_tells_what_is_there_and_whether_it_is_intact(void **state)
{
    (void)state;
    struct ground g;
    struct stat s;
    char stranger[700];
    ground_init(&g);
    store(&g);
    test_dir_path(&g.dir, "a/b/README", stranger, sizeof stranger);
    test_file_write(stranger, "not ours", 8);
    assert_int_equal(stat(g.path, &s), 0);
    struct seen seen = visit(g.cache);
    assert_int_equal(seen.entries, 1);
    assert_int_equal(seen.intact, 1);
    assert_int_equal(seen.bytes, s.st_size);
    assert_string_equal(seen.problem, "ic3oc8ih9");
    assert_string_equal(seen.plan, "direct tile=1x2x3");
    assert_string_equal(seen.target, "x86_64-pc-linux-gnu:znver5");

    assert_int_equal(truncate(g.path, s.st_size - 1), 0);
    seen = visit(g.cache);
    assert_int_equal(seen.entries, 1);
    assert_int_equal(seen.intact, 0);
    assert_int_equal(remove_entries(g.cache, true), 1);
    assert_int_equal(access(stranger, F_OK), 0);
    ground_free(&g);
}

static void an_entry_under_a_wrong_name_is_not_intact(void **state)
{
    (void)state;
    struct ground g;
    char wrong[700];
    ground_init(&g);
    store(&g);
    test_dir_path(&g.dir, "a/b/00000000000000000000000000000000.convc", wrong, sizeof wrong);
    assert_int_equal(rename(g.path, wrong), 0);
    assert_int_equal(visit(g.cache).intact, 0);
    ground_free(&g);
}

static void prune_keeps_what_this_build_can_use(void **state)
{
    (void)state;
    struct ground g;
    struct disk_key older, other_llvm;
    char broken[700];
    ground_init(&g);
    store(&g);
    older = other_llvm = g.key;
    older.text[DISK_BUILD] = "0.0.9-0123";
    disk_key_finish(&older);
    cache_disk_store(g.cache, &older, object_bytes, sizeof object_bytes);
    other_llvm.text[DISK_LLVM] = "18.1.0";
    disk_key_finish(&other_llvm);
    cache_disk_store(g.cache, &other_llvm, object_bytes, sizeof object_bytes);
    test_dir_path(&g.dir, "a/b/11111111111111111111111111111111.convc", broken, sizeof broken);
    test_file_write(broken, "x", 1);

    assert_int_equal(visit(g.cache).entries, 4);
    assert_int_equal(visit(g.cache).intact, 3);
    assert_int_equal(remove_entries(g.cache, false), 3);
    assert_true(there(g.cache, &g.key));
    assert_int_equal(visit(g.cache).entries, 1);
    assert_int_equal(remove_entries(g.cache, false), 0);
    assert_int_equal(remove_entries(g.cache, true), 1);
    assert_int_equal(visit(g.cache).entries, 0);
    ground_free(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_stored_is_found),
        cmocka_unit_test(every_part_of_the_key_counts),
        cmocka_unit_test(a_harmed_file_is_as_good_as_none),
        cmocka_unit_test(without_a_directory_the_cache_is_empty),
        cmocka_unit_test(a_file_that_others_could_have_written_is_not_read),
        cmocka_unit_test(concurrent_writers_leave_one_whole_entry),
        cmocka_unit_test(a_killed_writer_leaves_nothing_that_counts),
        cmocka_unit_test(leftovers_go_and_what_is_being_written_stays),
        cmocka_unit_test(a_visit_tells_what_is_there_and_whether_it_is_intact),
        cmocka_unit_test(an_entry_under_a_wrong_name_is_not_intact),
        cmocka_unit_test(prune_keeps_what_this_build_can_use),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
