#include "tests/support/support.h"

#include <errno.h>
#include <ftw.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Noreturn static void give_up(const char *what, const char *path)
{
    fprintf(stderr, "tests/support: cannot %s %s: %s\n", what, path, strerror(errno));
    exit(3);
}

/* The unsigned number in an environment variable; a value that is none is no reason to guess. */
static uint64_t environment_number(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    if (text == NULL || *text == '\0')
        return otherwise;
    char *end;
    errno = 0;
    uint64_t value = strtoull(text, &end, 10);
    if (errno != 0 || *end != '\0') {
        fprintf(stderr, "tests/support: %s=%s is no number\n", name, text);
        exit(2);
    }
    return value;
}

uint64_t test_seed(const char *test, uint64_t otherwise)
{
    uint64_t seed = environment_number("CONVC_TEST_SEED", otherwise);
    printf("%s: CONVC_TEST_SEED=%" PRIu64 "\n", test, seed);
    fflush(stdout);
    return seed;
}

int64_t test_count(int64_t count)
{
    uint64_t percent = environment_number("CONVC_TEST_SCALE", 100);
    int64_t scaled = (int64_t)((double)count * (double)percent / 100);
    return scaled < 1 ? 1 : scaled;
}

/* SplitMix64 (Steele, Lea, Flood, 2014). */
uint64_t test_random_bits(struct test_random *r)
{
    uint64_t z = r->state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

int64_t test_random_in(struct test_random *r, int64_t low, int64_t high)
{
    uint64_t range = (uint64_t)high - (uint64_t)low + 1;
    uint64_t bits = test_random_bits(r);
    return (int64_t)((uint64_t)low + (range == 0 ? bits : bits % range));
}

void test_dir_create(struct test_dir *dir)
{
    const char *base = getenv("TMPDIR");
    if (base == NULL || *base == '\0')
        base = "/tmp";
    int count = snprintf(dir->path, sizeof dir->path, "%s/convc-test-XXXXXX", base);
    if (count < 0 || (size_t)count >= sizeof dir->path) {
        errno = ENAMETOOLONG;
        give_up("make a directory below", base);
    }
    if (mkdtemp(dir->path) == NULL)
        give_up("make", dir->path);
}

static int remove_entry(const char *path, const struct stat *info, int type, struct FTW *walk)
{
    (void)info, (void)type, (void)walk;
    return remove(path);
}

void test_dir_remove(struct test_dir *dir)
{
    if (nftw(dir->path, remove_entry, 16, FTW_DEPTH | FTW_PHYS) != 0)
        give_up("remove", dir->path);
    dir->path[0] = '\0';
}

char *test_dir_path(const struct test_dir *dir, const char *name, char *buffer, size_t size)
{
    int count = snprintf(buffer, size, "%s/%s", dir->path, name);
    if (count < 0 || (size_t)count >= size) {
        errno = ENAMETOOLONG;
        give_up("name", name);
    }
    return buffer;
}

char *test_file_read(const char *path, size_t *count)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return NULL;
    char *bytes = NULL;
    size_t size = 0, got = 0;
    do {
        size += 65536;
        char *more = realloc(bytes, size + 1);
        if (more == NULL)
            give_up("read", path);
        bytes = more;
        got += fread(bytes + got, 1, size - got, file);
    } while (got == size);
    if (ferror(file))
        give_up("read", path);
    fclose(file);
    bytes[got] = '\0';
    if (count != NULL)
        *count = got;
    return bytes;
}

void test_file_write(const char *path, const void *bytes, size_t count)
{
    FILE *file = fopen(path, "wb");
    if (file == NULL || fwrite(bytes, 1, count, file) != count || fclose(file) != 0)
        give_up("write", path);
}
