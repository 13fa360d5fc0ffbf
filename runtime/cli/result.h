/* result: what is known about one convolution after it ran; the object that --json prints. */
#ifndef CLI_RESULT_H
#define CLI_RESULT_H

#include "runtime/cli/execution.h"
#include "runtime/cli/json.h"

struct result {
    char name[CONVC_NAME_MAX + 1];
    char *problem, *plan; /* owned; NULL: not known */
    char algorithm[32];
    enum convc_source source;
    double compile_ms, time_ms, gflops, peak_gflops, peak_fraction; /* NAN: not measured */
    double max_error;
    uint64_t checksum;
};

/* Everything that is not measured: names, the problem's text. */
enum exit_code result_begin(const struct convc_problem *p, struct result *r, struct failure *f);

/* What the kernel knows about itself. */
enum exit_code result_kernel(const struct execution *x, struct result *r, struct failure *f);

void result_free(struct result *r);

/* Everything but the peers, and all of it, as a line, where there are none. */
void result_members(const struct result *r, struct json *j);
void result_json(const struct result *r, FILE *out);

/* FNV-1a of 64 bits over the values in the type of the output, little endian, in N, C, spatial
 * order. */
uint64_t result_checksum(const double *value, int64_t count, enum convc_dtype dtype);

#endif
