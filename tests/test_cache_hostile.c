/* What lies in the cache directory is not believed: entries that are harmed, of another kernel or
 * somebody else's are as good as none, are compiled anew and written over. Whatever is there, the
 * kernel is right.
 */
#include "runtime/cache_disk.h"
#include "runtime/disk_entry.h"
#include "tests/support/layer.h"
#include "tests/support/support.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

/* ---- the ground ------------------------------------------------------------------------------ */

enum { STRANGER = 12345 };

/* One layer, its entry as convc wrote it, and one for the same key with another kernel's code. */
struct ground {
    struct test_dir dir;
    char cache[600], entry[800], aside[810];
    struct layer layer, other;
    char *bytes, *evil;
    size_t count, evil_count;
};

static convc_context *make_context(const char *dir)
{
    const struct convc_context_options opt = { .struct_bytes = sizeof opt,
                                               .threads = 1,
                                               .cache_dir = dir };
    convc_context *cx = NULL;
    if (convc_context_create(&opt, &cx) != CONVC_OK)
        fail_msg("%s", convc_last_error());
    return cx;
}

/* Compiles in a context of its own, demands the right result; where the kernel came from. */
static enum convc_source compile(const char *dir, struct layer *l)
{
    enum convc_source source;
    const struct convc_compile_options opt = { .struct_bytes = sizeof opt, .source = &source };
    convc_context *cx = make_context(dir);
    convc_kernel *k = layer_compile(cx, l, &opt);
    memset(l->dst, 0, (size_t)l->dst_elements * sizeof(float));
    layer_check(l, k);
    convc_kernel_release(k);
    convc_context_destroy(cx);
    return source;
}

static int note_name(void *data, const struct convc_cache_entry *e)
{
    snprintf(data, 100, "%s", e->file);
    return 1;
}

/* The path of the only entry. */
static void find_entry(const char *dir, char path[800])
{
    char name[100] = "";
    convc_context *cx = make_context(dir);
    assert_int_equal(convc_cache_visit(cx, note_name, name), CONVC_OK);
    convc_context_destroy(cx);
    assert_true(name[0] != '\0');
    snprintf(path, 800, "%s/%s", dir, name);
}

/* The other layer's code under this one's name: what it computes would be wrong. */
static void make_evil(struct ground *g)
{
    char dir[600], path[800];
    struct disk_entry good, other;
    size_t count;
    test_dir_path(&g->dir, "other", dir, sizeof dir);
    assert_int_equal(compile(dir, &g->other), CONVC_FROM_COMPILER);
    find_entry(dir, path);
    char *bytes = test_file_read(path, &count);
    assert_true(disk_entry_parse(g->bytes, g->count, &good));
    assert_true(disk_entry_parse(bytes, count, &other));
    g->evil = disk_entry_build(&good.key, other.object, other.count, &g->evil_count);
    assert_non_null(g->evil);
    free(bytes);
}

static void ground_init(struct ground *g)
{
    test_dir_create(&g->dir);
    test_dir_path(&g->dir, "cache", g->cache, sizeof g->cache);
    layer_make(&g->layer, 3, 5, 6, 7, 1);
    layer_make(&g->other, 5, 3, 7, 6, 1);
    assert_int_equal(compile(g->cache, &g->layer), CONVC_FROM_COMPILER);
    assert_int_equal(compile(g->cache, &g->layer), CONVC_FROM_DISK);
    find_entry(g->cache, g->entry);
    snprintf(g->aside, sizeof g->aside, "%s.aside", g->entry);
    g->bytes = test_file_read(g->entry, &g->count);
    make_evil(g);
}

static void ground_free(struct ground *g)
{
    layer_free(&g->layer);
    layer_free(&g->other);
    free(g->bytes);
    free(g->evil);
    test_dir_remove(&g->dir);
}

/* The next context compiles, and the one behind it finds the entry as it was. */
static void assert_mended(struct ground *g, const char *what, size_t which)
{
    struct stat s;
    if (compile(g->cache, &g->layer) != CONVC_FROM_COMPILER)
        fail_msg("%s %zu was believed", what, which);
    size_t count;
    char *bytes = test_file_read(g->entry, &count);
    if (count != g->count || memcmp(bytes, g->bytes, count) != 0 || lstat(g->entry, &s) != 0 ||
        !S_ISREG(s.st_mode) || (s.st_mode & 0777) != 0600)
        fail_msg("%s %zu was not mended", what, which);
    free(bytes);
}

/* ---- harm ------------------------------------------------------------------------------------ */

/* Evenly spread ones of so many, as many as the scale says. */
static size_t stride(size_t all, int64_t most)
{
    size_t some = (size_t)test_count(most);
    return some < all ? all / some : 1;
}

static void a_flipped_bit_is_a_miss_and_is_mended(void **state)
{
    struct ground g;
    (void)state;
    ground_init(&g);
    for (size_t bit = 0; bit < 8 * g.count; bit += stride(8 * g.count, 60)) {
        g.bytes[bit / 8] ^= (char)(1 << bit % 8);
        test_file_write(g.entry, g.bytes, g.count);
        g.bytes[bit / 8] ^= (char)(1 << bit % 8);
        assert_mended(&g, "the flip of bit", bit);
    }
    assert_int_equal(compile(g.cache, &g.layer), CONVC_FROM_DISK);
    ground_free(&g);
}

static void a_cut_entry_is_a_miss_and_is_mended(void **state)
{
    struct ground g;
    (void)state;
    ground_init(&g);
    for (size_t size = 0; size < g.count; size += stride(g.count, 30)) {
        test_file_write(g.entry, g.bytes, size);
        assert_mended(&g, "the cut at byte", size);
    }
    ground_free(&g);
}

static void entries_that_changed_places_are_misses(void **state)
{
    struct ground g;
    char name[800] = "", path[1500];
    (void)state;
    ground_init(&g);
    assert_int_equal(rename(g.entry, g.aside), 0);
    assert_int_equal(compile(g.cache, &g.other), CONVC_FROM_COMPILER);
    find_entry(g.cache, name);
    snprintf(path, sizeof path, "%s", name);
    assert_int_equal(rename(path, g.entry), 0);
    assert_int_equal(rename(g.aside, path), 0);
    assert_mended(&g, "swap", 0);
    assert_int_equal(compile(g.cache, &g.other), CONVC_FROM_COMPILER);
    assert_int_equal(compile(g.cache, &g.other), CONVC_FROM_DISK);
    ground_free(&g);
}

/* Whole entries, with checksums that are right, under the name that is looked for. */
static void an_entry_of_another_cpu_llvm_version_or_plan_is_a_miss(void **state)
{
    struct ground g;
    (void)state;
    ground_init(&g);
    for (int i = 0; i < DISK_TEXTS; i++) {
        struct disk_entry e;
        size_t count;
        assert_true(disk_entry_parse(g.bytes, g.count, &e));
        e.key.text[i] = i == DISK_TARGET ? "x86_64-pc-linux-gnu:znver9" : "another";
        char *bytes = disk_entry_build(&e.key, e.object, e.count, &count);
        test_file_write(g.entry, bytes, count);
        free(bytes);
        assert_mended(&g, "an entry with another text", (size_t)i);
    }
    ground_free(&g);
}

/* ---- poison ---------------------------------------------------------------------------------- */

static void plant_evil(const struct ground *g, const char *path, mode_t mode)
{
    unlink(path);
    test_file_write(path, g->evil, g->evil_count);
    assert_int_equal(chmod(path, mode), 0);
}

static void an_entry_that_others_may_have_written_is_never_run(void **state)
{
    static const mode_t modes[] = { 0620, 0602, 0660, 0606, 0666, 0640, 0604 };
    struct ground g;
    (void)state;
    ground_init(&g);
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        plant_evil(&g, g.entry, modes[i]);
        assert_mended(&g, "mode", i);
    }
    plant_evil(&g, g.aside, 0600);
    unlink(g.entry);
    assert_int_equal(symlink(g.aside, g.entry), 0);
    assert_mended(&g, "a link", 0);
    unlink(g.entry);
    assert_int_equal(link(g.aside, g.entry), 0);
    assert_mended(&g, "a second name", 0);
    unlink(g.entry);
    assert_int_equal(mkfifo(g.entry, 0600), 0);
    assert_mended(&g, "a pipe", 0);
    if (geteuid() == 0) {
        plant_evil(&g, g.entry, 0600);
        assert_int_equal(chown(g.entry, STRANGER, STRANGER), 0);
        assert_mended(&g, "a stranger's file", 0);
    }
    unlink(g.entry);
    assert_int_equal(mkdir(g.entry, 0700), 0); /* cannot be written over: memory alone */
    for (int i = 0; i < 2; i++)
        assert_int_equal(compile(g.cache, &g.layer), CONVC_FROM_COMPILER);
    ground_free(&g);
}

/* Nothing is run from it, nor written to it; the context says why. */
static void refuses_directory(struct ground *g, const char *dir)
{
    const char *why = "";
    convc_context *cx = make_context(dir);
    assert_string_equal(convc_cache_directory(cx, &why), "");
    assert_true(why[0] != '\0');
    convc_context_destroy(cx);
    for (int i = 0; i < 2; i++)
        assert_int_equal(compile(dir, &g->layer), CONVC_FROM_COMPILER);
}

static void nothing_is_run_from_a_directory_that_is_not_trusted(void **state)
{
    struct ground g;
    char linked[600];
    (void)state;
    ground_init(&g);
    plant_evil(&g, g.entry, 0600);
    static const mode_t modes[] = { 0720, 0702, 0777, 01777 };
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        assert_int_equal(chmod(g.cache, modes[i]), 0);
        refuses_directory(&g, g.cache);
    }
    assert_int_equal(chmod(g.cache, 0700), 0);
    test_dir_path(&g.dir, "linked", linked, sizeof linked);
    assert_int_equal(symlink(g.cache, linked), 0);
    refuses_directory(&g, linked);
    if (geteuid() == 0) {
        assert_int_equal(chown(g.cache, STRANGER, STRANGER), 0);
        refuses_directory(&g, g.cache);
        assert_int_equal(chown(g.cache, 0, 0), 0);
    }
    assert_int_equal(chmod(g.dir.path, 0777), 0);
    refuses_directory(&g, g.cache);
    assert_int_equal(chmod(g.dir.path, 0700), 0);
    ground_free(&g);
}

static void an_untrusted_xdg_cache_home_is_not_run_from(void **state)
{
    struct ground g;
    char xdg[600], dir[600];
    const char *kept = getenv("XDG_CACHE_HOME");
    char *before = kept ? strdup(kept) : NULL;
    (void)state;
    ground_init(&g);
    test_dir_path(&g.dir, "xdg", xdg, sizeof xdg);
    test_dir_path(&g.dir, "xdg/convc", dir, sizeof dir);
    assert_int_equal(mkdir(xdg, 0700), 0);
    assert_int_equal(rename(g.cache, dir), 0);
    snprintf(g.entry, sizeof g.entry, "%s", strrchr(g.entry, '/'));
    char *path = malloc(2000);
    snprintf(path, 2000, "%s%s", dir, g.entry);
    plant_evil(&g, path, 0600);
    setenv("XDG_CACHE_HOME", xdg, 1);
    assert_int_equal(chmod(xdg, 0777), 0);
    refuses_directory(&g, NULL);
    if (geteuid() == 0) {
        assert_int_equal(chmod(xdg, 0700), 0);
        assert_int_equal(chown(xdg, STRANGER, STRANGER), 0);
        refuses_directory(&g, NULL);
    }
    if (before)
        setenv("XDG_CACHE_HOME", before, 1);
    else
        unsetenv("XDG_CACHE_HOME");
    free(path);
    free(before);
    ground_free(&g);
}

/* ---- between check and use ------------------------------------------------------------------- */

struct swapper {
    const struct ground *g;
    atomic_bool stop;
};

/* Puts the good entry, a link to the evil one and, where it may, a stranger's evil one there, one
 * after the other. */
static void *swap(void *argument)
{
    struct swapper *s = argument;
    const struct ground *g = s->g;
    char next[900], evil[900];
    snprintf(next, sizeof next, "%s.next", g->entry);
    snprintf(evil, sizeof evil, "%s.evil", g->entry);
    for (int i = 0; !atomic_load(&s->stop); i++) {
        plant_evil(g, evil, 0600);
        unlink(next);
        if (i % 3 == 0) {
            test_file_write(next, g->bytes, g->count);
            chmod(next, 0600);
        } else if (i % 3 == 1 || geteuid() != 0) {
            (void)!symlink(evil, next);
        } else {
            (void)!chown(evil, STRANGER, STRANGER);
            rename(evil, next);
        }
        rename(next, g->entry);
    }
    return NULL;
}

static void what_is_swapped_between_check_and_use_is_not_believed(void **state)
{
    struct ground g;
    struct diag d = { 0 };
    struct disk_entry good;
    struct cache_disk *c;
    pthread_t thread;
    (void)state;
    ground_init(&g);
    struct swapper s = { &g, false };
    assert_true(disk_entry_parse(g.bytes, g.count, &good));
    assert_int_equal(cache_disk_open(g.cache, &c, &d), CONVC_OK);
    assert_int_equal(pthread_create(&thread, NULL, swap, &s), 0);
    int64_t found = 0;
    for (int64_t i = 0; i < test_count(4000); i++) {
        struct disk_object o;
        if (!cache_disk_load(c, &good.key, &o))
            continue;
        found++;
        assert_int_equal(o.count, good.count);
        assert_memory_equal(o.object, good.object, good.count);
        free(o.file);
    }
    atomic_store(&s.stop, true);
    pthread_join(thread, NULL);
    print_message("%lld loads found the good entry\n", (long long)found);
    cache_disk_close(c);
    ground_free(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_flipped_bit_is_a_miss_and_is_mended),
        cmocka_unit_test(a_cut_entry_is_a_miss_and_is_mended),
        cmocka_unit_test(entries_that_changed_places_are_misses),
        cmocka_unit_test(an_entry_of_another_cpu_llvm_version_or_plan_is_a_miss),
        cmocka_unit_test(an_entry_that_others_may_have_written_is_never_run),
        cmocka_unit_test(nothing_is_run_from_a_directory_that_is_not_trusted),
        cmocka_unit_test(an_untrusted_xdg_cache_home_is_not_run_from),
        cmocka_unit_test(what_is_swapped_between_check_and_use_is_not_believed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
