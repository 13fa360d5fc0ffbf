#include "runtime/cli/result.h"

#include "runtime/cli/element.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum exit_code result_begin(const struct convc_problem *p, struct result *r, struct failure *f)
{
    char *text;
    *r = (struct result){ .compile_ms = NAN,
                          .time_ms = NAN,
                          .gflops = NAN,
                          .peak_gflops = NAN,
                          .peak_fraction = NAN,
                          .max_error = NAN };
    snprintf(r->name, sizeof r->name, "%s", p->name[0] ? p->name : "conv");
    enum convc_status st = convc_problem_text(p, &text);
    if (st)
        return fail_status(f, st);
    r->problem = strdup(text);
    convc_text_free(text);
    return r->problem ? EXIT_FINE : fail_memory(f);
}

enum exit_code result_kernel(const struct execution *x, struct result *r, struct failure *f)
{
    snprintf(r->algorithm, sizeof r->algorithm, "%s", x->info.algorithm);
    r->source = x->source;
    r->compile_ms = x->compile_ms;
    free(r->plan);
    r->plan = strdup(x->info.plan);
    return r->plan ? EXIT_FINE : fail_memory(f);
}

void result_free(struct result *r)
{
    free(r->problem);
    free(r->plan);
    r->problem = r->plan = NULL;
}

void result_members(const struct result *r, struct json *j)
{
    char checksum[17];
    snprintf(checksum, sizeof checksum, "%016" PRIx64, r->checksum);
    json_text(j, "name", r->name);
    json_text(j, "problem", r->problem);
    json_text(j, "plan", r->plan);
    json_text(j, "algorithm", r->algorithm);
    json_text(j, "source", source_name(r->source));
    json_real(j, "compile_ms", r->compile_ms);
    json_real(j, "time_ms", r->time_ms);
    json_real(j, "gflops", r->gflops);
    json_real(j, "peak_gflops", r->peak_gflops);
    json_real(j, "peak_fraction", r->peak_fraction);
    json_real(j, "max_error", r->max_error);
    json_text(j, "checksum", checksum);
}

void result_json(const struct result *r, FILE *out)
{
    struct json j, peers;
    json_begin(&j, out);
    result_members(r, &j);
    json_open(&j, "peers", &peers);
    json_close(&peers);
    json_end(&j);
}

uint64_t result_checksum(const double *value, int64_t count, enum convc_dtype dtype)
{
    uint64_t h = 0xcbf29ce484222325;
    int64_t bytes = element_bytes(dtype);
    for (int64_t i = 0; i < count; i++) {
        uint64_t bits = element_bits(dtype, value[i]);
        for (int b = 0; b < bytes; b++)
            h = (h ^ (bits >> (8 * b) & 0xff)) * 0x100000001b3;
    }
    return h;
}
