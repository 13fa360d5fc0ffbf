/* depfile: what files were made of, for build systems.
 *
 * A rule in the syntax that Make, Ninja and CMake read alike: the files that are made, and each
 * file that was read for them. A rule without a recipe follows for each of those, so that Make goes
 * on where one is gone.
 */
#ifndef CLI_DEPFILE_H
#define CLI_DEPFILE_H

#include "runtime/cli/layers.h"
#include "runtime/cli/product.h"

/* Writes it, but for its name, which stream_finish gives it. `also` was read beside the specs and
 * their modules; NULL: nothing. */
enum exit_code depfile_stage(const char *path, const struct products *made,
                             const struct layers *from, const char *also, struct stream_out *out,
                             struct failure *f);

#endif
