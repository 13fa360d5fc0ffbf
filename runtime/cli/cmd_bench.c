/* bench: hands over to the program convc-bench, which alone links the libraries that convc is
 * measured against.
 */
#include "runtime/cli/command.h"
#include "runtime/cli/here.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

enum exit_code cmd_bench(const struct options *o, struct failure *f)
{
    char directory[4096], path[4096 + 64];
    if (!o->word_count)
        return fail(f, EXIT_USAGE, "bench needs a spec; see convc bench --help");
    if (!here_directory(directory, sizeof directory))
        return fail(f, EXIT_SYSTEM, "/proc/self/exe does not tell where convc is");
    if (here_program("convc-bench", path, sizeof path)) {
        execv(path, o->argv);
        return fail(f, EXIT_SYSTEM, "%s: %s", path, strerror(errno));
    }
    return fail(f, EXIT_SYSTEM,
                "convc-bench is not beside %s/convc: this build has no Google Benchmark library",
                directory);
}
