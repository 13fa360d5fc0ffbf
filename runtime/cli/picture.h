/* picture: PNG files as arrays of shape (1, channels, height, width).
 *
 * Grey, grey with alpha, RGB and RGBA are 1 to 4 channels, of values 0..255 or, with 16 bits,
 * 0..65535; palettes and fewer bits are widened. On the way out values are rounded to nearest (ties
 * to even) and clamped; a NaN becomes 0.
 * Stands on: libpng.
 */
#ifndef CLI_PICTURE_H
#define CLI_PICTURE_H

#include "runtime/cli/array.h"

#include <stdbool.h>

/* Does the name end in .png? */
bool picture_named(const char *path);

/* *bits: 8 or 16. */
enum exit_code picture_read(const char *path, struct array *a, int *bits, struct failure *f);

/* Rank and extents alone. */
enum exit_code picture_shape(const char *path, struct array *a, struct failure *f);

enum exit_code picture_write(const char *path, const struct array *a, int bits, struct failure *f);

#endif
