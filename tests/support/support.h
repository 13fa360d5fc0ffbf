/* support: what every test program needs: a seed, a scale, a directory to write in.
 *
 * A test that draws random problems takes its seed from test_seed, which prints it, and its count
 * from test_count, so that instrumented builds can run the same tests on fewer problems.
 * Failures of the system end the program with a sentence. Stands on: the C library.
 */
#ifndef TESTS_SUPPORT_SUPPORT_H
#define TESTS_SUPPORT_SUPPORT_H

#include <stddef.h>
#include <stdint.h>

/* The seed of a run: CONVC_TEST_SEED where it is set, else `otherwise`. Prints how to repeat. */
uint64_t test_seed(const char *test, uint64_t otherwise);

/* `count` times CONVC_TEST_SCALE percent, at least 1. Unset is 100. */
int64_t test_count(int64_t count);

/* A stream of pseudo-random numbers: the same for the same seed on every machine. */
struct test_random {
    uint64_t state;
};

uint64_t test_random_bits(struct test_random *r);

/* Uniform in [low, high]. */
int64_t test_random_in(struct test_random *r, int64_t low, int64_t high);

/* A new directory that only this user may enter, below $TMPDIR or /tmp. */
struct test_dir {
    char path[512];
};

void test_dir_create(struct test_dir *dir);

/* Removes the directory and all that is in it. */
void test_dir_remove(struct test_dir *dir);

/* "DIR/NAME", in the caller's buffer; returns the buffer. */
char *test_dir_path(const struct test_dir *dir, const char *name, char *buffer, size_t size);

/* All of a file, NUL-terminated and malloc'd; *count without the NUL, may be NULL. NULL where there
 * is no such file. */
char *test_file_read(const char *path, size_t *count);
void test_file_write(const char *path, const void *bytes, size_t count);

#endif
