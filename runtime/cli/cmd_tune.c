/* tune: measures: plans of convolutions, or the machine's ceilings. */
#include "runtime/cli/command.h"
#include "runtime/cli/json.h"
#include "runtime/cli/layers.h"
#include "runtime/cli/sweep.h"

#include <stdio.h>

/* Long enough that some of each measurement falls between disturbances. */
static const double calibration_seconds = 2;

static void print_ceilings(const struct options *o, const struct convc_ceilings *c)
{
    if (o->json) {
        struct json j;
        json_begin(&j, stdout);
        json_real(&j, "gflops", c->gflops);
        json_real(&j, "l1_gbps", c->l1);
        json_real(&j, "l2_gbps", c->l2);
        json_real(&j, "l3_gbps", c->l3);
        json_real(&j, "memory_gbps", c->memory);
        json_end(&j);
        return;
    }
    printf("multiply-adds  %7.1f GFLOP/s\n", c->gflops);
    printf("L1 reads       %7.1f GB/s\n", c->l1);
    printf("L2 reads       %7.1f GB/s\n", c->l2);
    printf("L3 reads       %7.1f GB/s\n", c->l3);
    printf("memory reads   %7.1f GB/s\n", c->memory);
}

static enum exit_code calibrate(const struct options *o, struct failure *f)
{
    convc_context *cx = NULL;
    struct convc_ceilings c = { .struct_bytes = sizeof c };
    enum exit_code code = context_open(o, NULL, 0, &cx, f);
    enum convc_status st = code ? CONVC_OK : convc_calibrate(cx, calibration_seconds, &c);
    if (st)
        code = fail_status(f, st);
    if (code == EXIT_FINE)
        print_ceilings(o, &c);
    convc_context_destroy(cx);
    return code;
}

enum exit_code cmd_tune(const struct options *o, struct failure *f)
{
    if (o->calibrate && o->word_count)
        return fail(f, EXIT_USAGE, "--calibrate measures the machine and takes no SPEC");
    if (o->calibrate)
        return calibrate(o, f);
    if (!o->word_count)
        return fail(f, EXIT_USAGE, "tune needs a spec, or --calibrate; see convc tune --help");
    if (o->dry_run && o->report)
        return fail(f, EXIT_USAGE, "--dry-run measures nothing, and writes no --report");
    if (o->dry_run)
        return sweep_dry(o, f);
    if (!o->db)
        return fail(f, EXIT_USAGE, "tune needs --db FILE, where measurements are kept");
    return sweep_run(o, f);
}
