#include "runtime/cli/job.h"

#include <string.h>

enum { OUTPUTS_COMPARED = 4096 };

static enum exit_code run_once(void *job, struct failure *f)
{
    const struct job *j = job;
    struct convc_args args;
    execution_args(&j->x, &j->tensors.args, j->dst.dst, &args);
    enum convc_status st = convc_run(j->x.kernel, &args);
    return st ? fail_status(f, st) : EXIT_FINE;
}

enum exit_code job_prepare(struct job *j, struct result *r, struct failure *f)
{
    const struct convc_problem *p = &j->layer->problem;
    enum exit_code code = result_begin(p, r, f);
    if (code == EXIT_FINE)
        code = inputs_operands(j->o, j->layer, &j->operands, &j->bits, f);
    if (code == EXIT_FINE)
        code = tensors_place(p, &j->operands, 0, false, &j->tensors, f);
    if (code == EXIT_FINE)
        code = guarded_create(p, 0, &j->dst, f);
    if (code == EXIT_FINE)
        code =
            layer_blame(j->o, j->layer, execution_compile(j->cx, p, j->o->plan, &j->x, NULL, f), f);
    if (code == EXIT_FINE)
        code = execution_pack(&j->x, &j->tensors.args, options_threads(j->o), f);
    if (code == EXIT_FINE)
        code = result_kernel(&j->x, r, f);
    if (code == EXIT_FINE)
        code = run_once(j, f);
    return code;
}

void job_free(struct job *j)
{
    operands_free(&j->operands);
    tensors_free(&j->tensors);
    guarded_free(&j->dst);
    execution_free(&j->x);
    array_free(&j->output);
    expectation_free(&j->e);
}

static enum exit_code read_back(struct job *j, struct result *r, struct failure *f)
{
    const struct convc_problem *p = &j->layer->problem;
    enum exit_code code = output_shape(p, &j->output, f);
    if (code == EXIT_FINE)
        code = array_allocate(&j->output, f);
    if (code == EXIT_FINE)
        code = guarded_take(p, &j->dst, j->output.value, f);
    if (code == EXIT_FINE)
        r->checksum = result_checksum(j->output.value, j->output.count, p->dst_dtype);
    return code;
}

enum exit_code job_judge(struct job *j, struct result *r, struct failure *f)
{
    const struct convc_problem *p = &j->layer->problem;
    struct verdict v;
    enum exit_code code = read_back(j, r, f);
    if (code == EXIT_FINE)
        code = expectation_create(p, &j->operands, &j->tensors, OUTPUTS_COMPARED,
                                  options_threads(j->o), &j->e, f);
    if (code)
        return code;
    judge(p, &j->e, j->output.value, &j->x.info, false, &v);
    r->max_error = v.max_error;
    return EXIT_FINE;
}

enum exit_code job_turn(void *job, double seconds, double *fastest, struct failure *f)
{
    return race_turn(run_once, job, seconds, fastest, f);
}

enum exit_code job_peak_turn(void *job, double seconds, double *fastest, struct failure *f)
{
    const struct job *j = job;
    double gflops;
    enum convc_status st = convc_measure_peak(j->cx, j->layer->problem.acc_dtype,
                                              options_threads(j->o), seconds, &gflops);
    if (st)
        return fail_status(f, st);
    *fastest = 1 / gflops;
    return EXIT_FINE;
}

void job_timed(const struct job *j, const struct racer *kernel, const struct racer *peak,
               int rounds, struct result *r)
{
    double peaks[RACE_ROUNDS];
    memcpy(peaks, peak->round, sizeof peaks);
    r->peak_gflops = 1 / race_median(peaks, rounds);
    r->time_ms = kernel->fastest * 1e3;
    r->gflops = problem_flops(&j->layer->problem) / kernel->fastest * 1e-9;
    r->peak_fraction = r->gflops / r->peak_gflops;
}
