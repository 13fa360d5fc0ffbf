/* spec_file: reading the files of a spec, and nothing but them.
 *
 * Only regular files are read, and no more than SANDBOX_SOURCE bytes; opening never blocks.
 * Errors: CONVC_ERR_IO, CONVC_ERR_SPEC for a file that is too long or has a NUL in it,
 * CONVC_ERR_MEMORY. Stands on: base.
 */
#ifndef GEN_SPEC_SPEC_FILE_H
#define GEN_SPEC_SPEC_FILE_H

#include "gen/base/arena.h"
#include "gen/base/diag.h"
#include "gen/spec/spec.h"

/* The whole file, or standard input for "-", with a NUL behind it. `name` is for sentences. */
enum convc_status file_read(struct arena *a, const char *path, const char *name, char **text,
                            size_t *bytes, struct diag *d);

/* Notes at the end of *list, in the arena, that `path` was read. Standard input is no file. */
enum convc_status file_note(struct arena *a, const char *path, struct spec_file **list,
                            struct diag *d);

/* Where `require(module)` of this source finds its file: in its lib_dir; where there is none, in
 * lib/ beside the spec or beside the spec's directory (specs/lib where the spec is no file), else
 * in the installed library. False where it is nowhere. */
bool file_of_module(const struct spec_source *source, const char *module, char *path, size_t size);

/* Does the file lie in a directory named lib? Then it is a module, and no spec. */
bool file_is_module(const char *path);

/* "dir/stem.lua" is "stem"; what a name cannot hold becomes '_'. */
void file_stem(const char *path, char *stem, size_t size);

#endif
