#include "tests/fuzz/fuzz.h"

#include <string.h>
#include <time.h>

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    double begin = seconds();
    fuzz_one(bytes, size);
    double took = seconds() - begin;
    FACT(took <= FUZZ_SECONDS, "one input takes %.2f s", took);
    return 0;
}

char *fuzz_text(const uint8_t *bytes, size_t size)
{
    size_t length = strnlen((const char *)bytes, size);
    char *text = malloc(length + 1);
    FACT(text, "out of memory");
    memcpy(text, bytes, length);
    text[length] = '\0';
    return text;
}

void fuzz_sentence(const char *text)
{
    FACT(text[0], "a failure without a sentence");
    for (const char *s = text; *s; s++)
        FACT((unsigned char)*s >= 0x20 && *s != 0x7f, "byte %d of a sentence: %s", (int)(s - text),
             text);
}
