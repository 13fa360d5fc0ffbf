/* spec: from a Lua spec, or a problem in benchdnn's notation, to problems.
 *
 * A spec is run once, in a sandbox with bounds on time, memory and instructions; what it returns is
 * read into plain problems and nothing of Lua is left. Callable from any thread.
 *
 * Errors: CONVC_ERR_SPEC with "file:line: field=value rule" (without the line where there is none);
 * CONVC_ERR_SHAPE and others from problem_resolve with the place in front; CONVC_ERR_UNSUPPORTED;
 * CONVC_ERR_IO; CONVC_ERR_ARGUMENT for a malformed define; CONVC_ERR_MEMORY.
 * Stands on: base, problem, lua.
 */
#ifndef GEN_SPEC_SPEC_H
#define GEN_SPEC_SPEC_H

#include "gen/base/arena.h"
#include "gen/problem/problem.h"

/* What to read; see struct convc_spec_source. Either `path`, or `text` with `name`. */
struct spec_source {
    const char *path, *text, *name;
    const char *const *defines;
    size_t define_count;
    const char *lib_dir;
};

/* One convolution: its problem as written (not resolved), whose texts and constants are the spec's,
 * and its weights, [oc][ic/groups][kd][kh][kw] before `flip`, or NULL. Those are the problem's too
 * where they are few enough. */
struct spec_conv {
    struct convc_problem problem;
    const double *weights;
};

/* A file that was read: the spec's own, or a module's. */
struct spec_file {
    const char *path;
    struct spec_file *next;
};

struct spec {
    struct arena memory; /* owns everything below */
    struct spec_conv *convs;
    size_t count;
    struct spec_file *files; /* in the order of reading, each once */
};

/* A module of a lib directory is run too, and holds no convolution. On failure *out is empty and
 * needs no spec_free. */
enum convc_status spec_load(const struct spec_source *source, struct spec *out, struct diag *d);
void spec_free(struct spec *s);

/* One problem in benchdnn's notation, with what problem_print adds to it. The texts of its
 * functions are copied to `memory`. */
enum convc_status spec_benchdnn(const char *line, struct arena *memory, struct convc_problem *p,
                                struct diag *d);

/* Is this meant to be a problem in benchdnn's notation, rightly written or not? */
bool spec_benchdnn_looks(const char *text);

#endif
