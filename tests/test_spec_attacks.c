/* Hundreds of specs that somebody wrote to break out, to crash, to run on or to eat memory: each is
 * refused soon, in one sentence, and all of them together take no more memory than one may. */
#include "tests/support/hostile.h"
#include "tests/support/support.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

enum { LEAST = 300 };

/* Turns \\, \n and \x1b in a line of the list into what they stand for, in its place. */
static void unescape(char *line)
{
    char *to = line;
    for (const char *s = line; *s; s++) {
        unsigned byte = (unsigned char)*s;
        if (*s == '\\') {
            s++;
            byte = *s == 'n' ? '\n' : '\\';
            if (*s == 'x') {
                assert_int_equal(sscanf(s + 1, "%2x", &byte), 1);
                s += 2;
            }
        }
        *to++ = (char)byte;
    }
    *to = '\0';
}

/* Hands the specs and sentences of the list over, one after another. */
static int for_each(void (*look)(void *data, const char *spec, const char *sentence), void *data)
{
    int count = 0;
    char *text = test_file_read(CONVC_SOURCE_DIR "/tests/attacks.txt", NULL), *rest = NULL;
    char *spec = NULL;
    assert_non_null(text);
    for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        if (strncmp(line, "    ", 4) != 0) {
            spec = strncmp(line, "# ", 2) ? line : NULL;
            continue;
        }
        assert_non_null(spec);
        unescape(spec);
        unescape(line + 4);
        look(data, spec, line + 4);
        spec = NULL;
        count++;
    }
    free(text);
    return count;
}

static void refuse(void *data, const char *spec, const char *sentence)
{
    int *wrong = data;
    *wrong += !hostile_refused(spec, CONVC_OK, sentence);
}

static void every_attack_is_refused(void **state)
{
    (void)state;
    int wrong = 0;
    struct rusage before, after;
    getrusage(RUSAGE_SELF, &before);
    int count = for_each(refuse, &wrong);
    getrusage(RUSAGE_SELF, &after);
    print_message("%d attacks\n", count);
    assert_int_equal(wrong, 0);
    assert_true(count >= LEAST);
    assert_true(after.ru_maxrss - before.ru_maxrss < hostile_growth_max_kb);
}

/* They are as many as they seem to be. */
struct seen {
    char *spec[1000];
    int count;
};

static void remember(void *data, const char *spec, const char *sentence)
{
    (void)sentence;
    struct seen *s = data;
    for (int i = 0; i < s->count; i++)
        if (!strcmp(s->spec[i], spec))
            fail_msg("twice: %s", spec);
    assert_true(s->count < 1000);
    s->spec[s->count++] = strdup(spec);
}

static void no_attack_is_there_twice(void **state)
{
    (void)state;
    struct seen s = { .count = 0 };
    for_each(remember, &s);
    for (int i = 0; i < s.count; i++)
        free(s.spec[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_attack_is_refused),
        cmocka_unit_test(no_attack_is_there_twice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
