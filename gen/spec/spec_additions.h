/* spec_additions: what convc adds to a problem in benchdnn's notation, ";mode=reflect;layout=nchw".
 *
 * The grammar is problem_print's, in gen/problem/problem.h. Errors: CONVC_ERR_SPEC with the
 * addition in the sentence; CONVC_ERR_MEMORY. Stands on: base, problem.
 */
#ifndef GEN_SPEC_SPEC_ADDITIONS_H
#define GEN_SPEC_SPEC_ADDITIONS_H

#include "gen/base/arena.h"
#include "gen/problem/problem.h"

/* Reads them all, up to the end of the text; texts and constants go to `memory`. */
enum convc_status spec_additions(const char *s, struct arena *memory, struct convc_problem *p,
                                 struct diag *d);

/* A whole number, which only padding may have negative; returns what is behind it, NULL: none. */
const char *additions_number(const char *s, bool negative, int64_t *value);

#endif
