/* command: one function for each command, called with its options read. */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include "runtime/cli/options.h"

enum exit_code cmd_run(const struct options *o, struct failure *f);
enum exit_code cmd_check(const struct options *o, struct failure *f);
enum exit_code cmd_compile(const struct options *o, struct failure *f);
enum exit_code cmd_explain(const struct options *o, struct failure *f);
enum exit_code cmd_bench(const struct options *o, struct failure *f);
enum exit_code cmd_cache(const struct options *o, struct failure *f);
enum exit_code cmd_db(const struct options *o, struct failure *f);
enum exit_code cmd_tune(const struct options *o, struct failure *f);

#endif
