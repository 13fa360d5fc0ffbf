/* fuzz: what the fuzz targets share.
 *
 * A target is one function, fuzz_one, that may be given any bytes. libFuzzer calls it where clang
 * builds it (CONVC_FUZZ); elsewhere replay calls it with the files of corpus/. Findings end the
 * program: what a sanitizer sees, what FACT states, and more than FUZZ_SECONDS of the thread's own
 * time for one input. Stands on: spec, choose.
 */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include "gen/problem/problem.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) /* gcc's: a replay */
#define FUZZ_SECONDS 2.5
#else
#define FUZZ_SECONDS 1.2
#endif

/* The target. `bytes` ends where its memory ends. */
void fuzz_one(const uint8_t *bytes, size_t size);

/* What libFuzzer calls: fuzz_one, with a look at the clock. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* What must hold whatever the input is. */
#define FACT(fact, ...)                                                                            \
    do {                                                                                           \
        if (!(fact)) {                                                                             \
            fprintf(stderr, "%s:%d: not so: %s: ", __FILE__, __LINE__, #fact);                     \
            fprintf(stderr, __VA_ARGS__);                                                          \
            fprintf(stderr, "\n");                                                                 \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/* A text of its own, malloc'd, that ends with the input or at its first NUL. */
char *fuzz_text(const uint8_t *bytes, size_t size);

/* A sentence is one line, not empty, and nothing in it moves a terminal. */
void fuzz_sentence(const char *text);

/* What the compiler asks of any problem before it emits code: that its text says the same problem,
 * and that the first plan of a few targets, which is chosen in time, fits it and prints as itself.
 */
void fuzz_problem(const struct convc_problem *p);

/* The same, of one plan that somebody wrote. */
void fuzz_plan(const struct problem *p, const char *text);

#endif
