#include "tests/support/scarce_ground.h"

#include <convc/tuning.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const char fake[] = CONVC_BINARY_DIR "/tests/convc-measure-fake";

/* ---- contexts -------------------------------------------------------------------------------- */

static enum convc_status create(struct ground *g, int32_t flags, const char *db)
{
    const struct convc_context_options opt = { .struct_bytes = sizeof opt,
                                               .threads = 1,
                                               .flags = flags,
                                               .cache_dir = g->cache,
                                               .tuning_db = db };
    return convc_context_create(&opt, &g->cx);
}

void ground_create(struct ground *g, int32_t flags, const char *db)
{
    if (create(g, flags, db) != CONVC_OK)
        fail_msg("%s", convc_last_error());
}

void ground_destroy(void *ground, const struct walk *w)
{
    struct ground *g = ground;
    (void)w;
    convc_context_destroy(g->cx);
    g->cx = NULL;
}

enum convc_status ground_make_context(void *ground, const struct walk *w)
{
    struct ground *g = ground;
    return create(g, 0, g->db);
}

void ground_check_context(void *ground, const struct walk *w)
{
    struct ground *g = ground;
    assert_non_null(strchr(convc_context_target(g->cx), ':'));
    assert_string_equal(convc_cache_directory(g->cx, NULL), g->cache);
    ground_destroy(g, w);
}

void ground_with_context(void *ground, const struct walk *w)
{
    (void)w;
    ground_create(ground, CONVC_NO_DISK_CACHE, NULL);
}

void ground_with_database(void *ground, const struct walk *w)
{
    struct ground *g = ground;
    (void)w;
    ground_create(g, CONVC_NO_DISK_CACHE, g->db);
}

void ground_with_empty_cache(void *ground, const struct walk *w)
{
    struct ground *g = ground;
    (void)w;
    ground_create(g, 0, NULL);
    assert_int_equal(convc_cache_clear(g->cx, NULL), CONVC_OK);
}

/* ---- tuning ---------------------------------------------------------------------------------- */

static int listen(void *data, const struct convc_tune_progress *p)
{
    struct ground *g = data;
    if (p->event == CONVC_TUNE_FAILED)
        snprintf(g->trouble, 512, "%s", p->trouble);
    return 0;
}

/* A problem that could not be measured for want of memory is the same as a call that could not. */
enum convc_status ground_tune(void *ground, const struct walk *w)
{
    struct ground *g = ground;
    char trouble[512] = "";
    const struct convc_tune_options opt = {
        .struct_bytes = sizeof opt, .trials = 2, .measure = fake, .progress = listen, .data = g
    };
    g->trouble = trouble;
    enum convc_status st = convc_tune(g->cx, g->answer.p, 1, &opt);
    if (st == CONVC_OK && trouble[0] && !strstr(trouble, "out of memory"))
        fail_msg("%s", trouble);
    return st;
}

void ground_with_new_database(void *ground, const struct walk *w)
{
    struct ground *g = ground;
    (void)w;
    unlink(g->other_db);
    ground_create(g, CONVC_NO_DISK_CACHE | CONVC_NEW_TUNING_DB, g->other_db);
}

static int count_measurement(void *data, const struct convc_measurement *m)
{
    (void)m;
    ++*(int64_t *)data;
    return 0;
}

static int count_summary(void *data, const struct convc_tuning_summary *s)
{
    (void)s;
    ++*(int64_t *)data;
    return 0;
}

void ground_without_other_database(void *ground, const struct walk *w)
{
    struct ground *g = ground;
    (void)w;
    unlink(g->other_db);
    g->file = tmpfile();
    assert_non_null(g->file);
}

enum convc_status ground_read_database(void *ground, const struct walk *w)
{
    struct ground *g = ground;
    const char *const from[] = { g->db };
    int64_t added;
    g->count = 0;
    enum convc_status st = convc_tuning_visit(g->db, NULL, count_measurement, &g->count);
    if (st == CONVC_OK)
        st = convc_tuning_summaries(g->db, NULL, count_summary, &g->count);
    if (st == CONVC_OK)
        st = convc_tuning_merge(g->other_db, from, 1, &added);
    rewind(g->file);
    if (st == CONVC_OK)
        st = convc_tuning_export(g->db, NULL, g->file);
    rewind(g->file);
    return st == CONVC_OK ? convc_tuning_import(g->other_db, g->file, "it", &added) : st;
}

/* Whatever failed before, nothing is lost and nothing is there twice. */
void ground_check_database(void *ground, const struct walk *w)
{
    struct ground *g = ground;
    int64_t here = 0, there = 0;
    (void)w;
    assert_int_equal(convc_tuning_visit(g->db, NULL, count_measurement, &here), CONVC_OK);
    assert_int_equal(convc_tuning_visit(g->other_db, NULL, count_measurement, &there), CONVC_OK);
    assert_true(here > 0 && here == there && g->count == here + 1);
}

void ground_close_text(void *ground, const struct walk *w)
{
    struct ground *g = ground;
    (void)w;
    fclose(g->file);
}

/* ---- all of them ----------------------------------------------------------------------------- */
