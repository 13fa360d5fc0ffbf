/* tune_report: a page that shows what a tuning database knows of some convolutions: how the search
 * went, what was found, and where the cost model was wrong.
 */
#ifndef CLI_TUNE_REPORT_H
#define CLI_TUNE_REPORT_H

#include "runtime/cli/evidence.h"
#include "runtime/cli/options.h"

/* evidence[0, count) has been read. */
enum exit_code tune_report_write(const struct options *o, const struct evidence *e, size_t count,
                                 FILE *out, struct failure *f);

#endif
