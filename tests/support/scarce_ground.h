/* scarce_ground: what the calls of test_scarce.c work on: contexts, a disk cache, databases.
 *
 * The functions are for the rows of a walk; `ground` is a struct ground.
 * Stands on: walk, answer, cmocka.
 */
#ifndef TESTS_SUPPORT_SCARCE_GROUND_H
#define TESTS_SUPPORT_SCARCE_GROUND_H

#include "tests/support/answer.h"
#include "tests/support/support.h"
#include "tests/support/walk.h"

#include <convc/layer.h>
#include <stdio.h>

/* What calls work on, and what they made. */
struct ground {
    struct test_dir dir;
    char cache[600], db[600], other_db[600];
    struct answer answer;
    convc_context *cx;
    convc_kernel *k;
    convc_spec *spec;
    convc_emission *emission;
    convc_layer *layer;
    char *text, *trouble;
    size_t size;
    int64_t count;
    double number;
    FILE *file;
};

void ground_create(struct ground *g, int32_t flags, const char *db);
void ground_destroy(void *ground, const struct walk *w);
enum convc_status ground_make_context(void *ground, const struct walk *w);
void ground_check_context(void *ground, const struct walk *w);
void ground_with_context(void *ground, const struct walk *w);
void ground_with_database(void *ground, const struct walk *w);
void ground_with_empty_cache(void *ground, const struct walk *w);
enum convc_status ground_tune(void *ground, const struct walk *w);
void ground_with_new_database(void *ground, const struct walk *w);
void ground_without_other_database(void *ground, const struct walk *w);
enum convc_status ground_read_database(void *ground, const struct walk *w);
void ground_check_database(void *ground, const struct walk *w);
void ground_close_text(void *ground, const struct walk *w);

#endif
