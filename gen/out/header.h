/* header: the C header of a library of static kernels, for C99 and C++.
 *
 * Says of every kernel what it computes, where its tensors lie and what it needs, and declares the
 * functions of gen/emit/entries.h. Stands on: entries, plan, text.
 */
#ifndef GEN_OUT_HEADER_H
#define GEN_OUT_HEADER_H

#include "gen/base/text.h"
#include "gen/plan/plan.h"

enum { HEADER_TARGETS = 16 };

struct header_kernel {
    const char *name;
    const struct problem *problem;
    const char *plan[HEADER_TARGETS];     /* as people shall read it, of each target */
    size_t packed_bytes, workspace_bytes; /* the most over the targets               */
    int phases;
};

struct header {
    const char *library; /* "resnet50": an identifier */
    int targets;
    const char *target[HEADER_TARGETS]; /* as people shall read it */
    const char *tag[HEADER_TARGETS];    /* as an identifier        */
    const struct header_kernel *kernel;
    size_t kernels;
};

void header_write(const struct header *h, struct text *out);

/* Is NAME_word a constant that the header may define for a kernel NAME? */
bool header_constant(const char *word);

/* The identifier that stands for `name` in C: what C forbids becomes '_', a digit in front, a
 * word of C or C++ and a function of C's library get one more. Returns `to`. */
enum { HEADER_NAME_MAX = 160 };
char *header_identifier(const char *prefix, const char *name, char to[HEADER_NAME_MAX]);

#endif
