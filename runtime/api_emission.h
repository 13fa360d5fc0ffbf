/* api_emission: static kernels on their way: problems, targets, plans and names, checked; and the
 * objects, each made once.
 * Stands on: choose, entries, header, object, smallest.
 */
#ifndef RUNTIME_API_EMISSION_H
#define RUNTIME_API_EMISSION_H

#include "gen/emit/dispatch.h"
#include "gen/emit/entries.h"
#include "gen/out/header.h"
#include "gen/out/object.h"
#include "runtime/guard.h"

#include <convc/convc.h>

typedef char symbols[ENTRY_SYMBOLS][ENTRY_NAME_MAX];

/* A kernel for one of the targets. With one target its name is that of the item. */
struct variant {
    struct plan plan;
    char plan_text[PLAN_TEXT_MAX];
    char name[ENTRY_NAME_MAX];
    symbols symbol;
};

struct item {
    struct problem problem;
    char name[HEADER_NAME_MAX];
    symbols symbol;
    struct variant *variant; /* of each target */
};

/* An object file that several threads may ask for: the first makes it. */
struct made {
    struct guard guard;
    struct object object; /* bytes NULL: not yet */
};

/* Nothing in it is the caller's. Constant once it is open, but for `made`. */
struct convc_emission {
    bool hidden, small;
    char library[HEADER_NAME_MAX];
    struct target target[DISPATCH_TARGETS], plainest;
    char cpu[DISPATCH_TARGETS][TARGET_FEATURES_MAX + 64]; /* "x86-64-v3+avxvnni" */
    char tag[DISPATCH_TARGETS][HEADER_NAME_MAX];          /* the same as an identifier */
    int order[DISPATCH_TARGETS];                          /* the preferred first */
    int targets;
    struct item *item;
    struct variant *variant; /* of all items */
    size_t count;
    struct made *made; /* emission_objects of each item, then what asks the CPU */
    size_t made_count;
};

/* Objects of an item: one, or one of each target and what picks among them. */
int emission_objects(const struct convc_emission *e);

/* NAME with what its symbols end in. */
void emission_symbols(const char *name, symbols symbol);

/* In full whatever version of the structure they come in. */
enum convc_status emission_options(const struct convc_emit_options *opt,
                                   struct convc_emit_options *full, struct diag *d);

/* Fills an emission that is zero. Whatever the outcome, emission_close frees what is in it. */
enum convc_status emission_open(const struct convc_problem *problems, size_t count,
                                const struct convc_emit_options *opt, struct convc_emission *e,
                                struct diag *d);
void emission_close(struct convc_emission *e);

#endif
