/* sweep: `convc tune SPEC...`: measures plans of every convolution and keeps what came out. */
#ifndef CLI_SWEEP_H
#define CLI_SWEEP_H

#include "runtime/cli/options.h"

enum exit_code sweep_run(const struct options *o, struct failure *f);

/* What a sweep would try, without measuring. */
enum exit_code sweep_dry(const struct options *o, struct failure *f);

#endif
