/* spec_names: the names of a list of problems, each of its own.
 *
 * Lists have thousands of lines with the same name. A table finds what is taken, and each name
 * remembers which number behind it was the last. Stands on: base.
 */
#ifndef GEN_SPEC_SPEC_NAMES_H
#define GEN_SPEC_SPEC_NAMES_H

#include "gen/base/arena.h"

struct names {
    struct names_slot *slot;
    size_t capacity; /* a power of 2 */
};

/* Room for `most` names; false where memory is out. */
bool names_begin(struct names *n, size_t most, struct arena *a);

/* Writes to `name`, which has `size` bytes and stays where it is, `stem` if nobody has that name,
 * else the stem and the least number from 2 on that makes another one: "conv_2". */
void names_take(struct names *n, const char *stem, char *name, size_t size);

#endif
