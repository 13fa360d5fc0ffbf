/* element: one element of a tensor of any type, read and written as it is.
 *
 * Stands on: convc/types.h.
 */
#ifndef TESTS_SUPPORT_ELEMENT_H
#define TESTS_SUPPORT_ELEMENT_H

#include <convc/types.h>

double element_get(enum convc_dtype t, const void *tensor, int64_t i);

/* `value` is one that the type holds. */
void element_set(enum convc_dtype t, void *tensor, int64_t i, double value);

#endif
