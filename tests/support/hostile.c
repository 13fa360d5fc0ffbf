#include "tests/support/hostile.h"

#include "gen/spec/spec.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
static const double seconds_max = 1.5;
const long hostile_growth_max_kb = 4 << 20; /* shadow memory, quarantine */
#else
static const double seconds_max = 1.2;
const long hostile_growth_max_kb = 128 << 10;
#endif

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* Whoever eats memory in a loop meets the limit of time first where the machine is slow. */
static bool says(const char *text, const char *begins)
{
    return !strncmp(text, begins, strlen(begins)) ||
           (strstr(begins, "needs more than 64 MB of memory") &&
            strstr(text, "runs for longer than 1000 ms"));
}

/* One line, and nothing in it that a terminal would obey. */
static bool is_sentence(const char *text, const char *name, const char *begins)
{
    size_t n = strlen(name);
    return !strncmp(text, name, n) && says(text + n, begins) && !strchr(text, '\n') &&
           !strchr(text, '\x1b');
}

static bool about_specs(enum convc_status status)
{
    return status == CONVC_ERR_SPEC || status == CONVC_ERR_SHAPE || status == CONVC_ERR_ARGUMENT ||
           status == CONVC_ERR_UNSUPPORTED;
}

bool hostile_refused(const char *text, enum convc_status status, const char *sentence)
{
    struct spec_source source = { .text = text, .name = "evil.lua" };
    struct spec spec;
    struct diag d = { 0 };
    double begin = seconds();
    enum convc_status got = spec_load(&source, &spec, &d);
    if (got == CONVC_OK)
        spec_free(&spec);
    double took = seconds() - begin;
    bool right = status == CONVC_OK ? about_specs(got) : got == status;
    if (right && is_sentence(d.text, source.name, sentence) && took < seconds_max)
        return true;
    print_error("%.200s\n    after %.2f s gives %d: %s\n    not   %s%s\n", text, took, got, d.text,
                source.name, sentence);
    return false;
}

void assert_all_refused(const struct hostile *list, size_t count, enum convc_status status)
{
    int wrong = 0;
    for (size_t i = 0; i < count; i++)
        wrong += !hostile_refused(list[i].text, status, list[i].sentence);
    print_message("%zu hostile specs\n", count);
    assert_int_equal(wrong, 0);
}
