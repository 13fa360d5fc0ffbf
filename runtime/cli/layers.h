/* layers: the convolutions that a command line names, and the context that compiles them. */
#ifndef CLI_LAYERS_H
#define CLI_LAYERS_H

#include "runtime/cli/options.h"

struct layer {
    struct convc_problem problem;
    const double *weights; /* constant ones of the spec, or NULL */
    size_t spec;           /* the word of the command line that names it */
};

struct layers {
    struct layer *layer;
    size_t count;
    convc_spec **spec;
    size_t spec_count;
    char *standard_input; /* what it held: it can be read once only */
};

/* Loads every spec of the command line, with `define_count` defines more than the user gave; those
 * of the user win. `l` is zero, but may hold the standard input of an earlier load. Free with
 * layers_free, whatever the outcome. */
enum exit_code layers_load(const struct options *o, const char *const *define, size_t define_count,
                           struct layers *l, struct failure *f);
void layers_free(struct layers *l);

/* A failure of the library that is about this layer: the spec and the convolution's name stand in
 * front of the sentence. */
enum exit_code layer_fail(const struct options *o, const struct layer *l, enum convc_status status,
                          const char *sentence, struct failure *f);

/* The same of a failure that `f` has told; returns `code`, of which EXIT_FINE is none. */
enum exit_code layer_blame(const struct options *o, const struct layer *l, enum exit_code code,
                           struct failure *f);

/* A failure of the library to open the file that the user named: one that is not there, or is no
 * regular file, is the user's slip, not a failure of the system. */
enum exit_code fail_open(const char *path, enum convc_status status, struct failure *f);

/* target NULL: this machine. flags: CONVC_NO_*. With the tuning database of --db. */
enum exit_code context_open(const struct options *o, const char *target, int32_t flags,
                            convc_context **cx, struct failure *f);

/* The layer's problem of batch 1, as tuning databases name it. Free with convc_text_free. */
enum exit_code layer_text(const struct options *o, const struct layer *l, char **text,
                          struct failure *f);

#endif
