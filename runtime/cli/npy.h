/* npy: NumPy's array files, https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
 *
 * Reads versions 1 to 3, C and Fortran order, both byte orders, of f2 f4 f8, signed and unsigned
 * integers of 1 to 8 bytes and bool; writes f4 f8 u1 i2 u2, version 1.0, C order, little endian.
 * The header is a Python dict; anything in it that is not one of its three keys with a value of the
 * right type is refused, and so is a file with a byte too few or too many.
 */
#ifndef CLI_NPY_H
#define CLI_NPY_H

#include "runtime/cli/array.h"

#include <stdio.h>

/* `name` is for messages. Allocates a->value; touches nothing of `a` on failure. */
enum exit_code npy_parse(const unsigned char *bytes, size_t size, const char *name, struct array *a,
                         struct failure *f);
enum exit_code npy_read(const char *path, struct array *a, struct failure *f);

/* Of `dtype`, to which the values are rounded. */
enum exit_code npy_write(const char *path, const struct array *a, enum convc_dtype dtype,
                         struct failure *f);

#endif
