/* element: numbers of a problem's types, as doubles, which hold all of them exactly, and in memory.
 *
 * Stands on: convc/types.h.
 */
#ifndef CLI_ELEMENT_H
#define CLI_ELEMENT_H

#include <convc/types.h>

#include <stdbool.h>

/* 1 to 8 */
int64_t element_bytes(enum convc_dtype t);

/* "f32" */
const char *element_name(enum convc_dtype t);

/* What NumPy calls it: "<f4" */
const char *element_descr(enum convc_dtype t);

bool element_whole(enum convc_dtype t);

/* The ends of a whole number's type. */
double element_least(enum convc_dtype t);
double element_most(enum convc_dtype t);

/* As dst has it: rounded to nearest, ties to even; whole numbers end at the ends of their type, and
 * are 0 for NaN. */
double element_round(enum convc_dtype t, double v);

/* The bits of that, in the low bytes. */
uint64_t element_bits(enum convc_dtype t, double v);

/* Element `at`, rounded so. */
void element_store(enum convc_dtype t, void *data, int64_t at, double v);
double element_load(enum convc_dtype t, const void *data, int64_t at);

#endif
