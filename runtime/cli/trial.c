#include "runtime/cli/trial.h"

#include "runtime/cli/judge.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- data ----------------------------------------------------------------------------------- */

struct data {
    const char *name;
    bool exact;
    struct operands operands;
    struct tensors tensors;
    struct expectation expectation;
};

enum { DATA_SPARSE, DATA_REAL, DATA_SETS };

/* What all plans of a problem share. */
struct bench {
    struct trial *t;
    const struct convc_problem *p;
    int64_t skew; /* of the tensors, in elements from a 64-byte boundary */
    struct data data[DATA_SETS];
    struct guarded dst;
    struct array output;
};

static enum exit_code fill(const struct bench *b, int set, struct data *d, struct failure *f)
{
    uint64_t seed = (uint64_t)b->t->o->seed;
    int64_t most = judge_exact(b->p, 3) ? 3 : 1;
    enum exit_code code = EXIT_FINE;
    d->name = set == DATA_SPARSE ? "whole numbers" : "reals";
    d->exact = set == DATA_SPARSE && judge_exact(b->p, most);
    for (int which = 0; code == EXIT_FINE && which < OPERANDS; which++) {
        struct array *a = &d->operands.array[which];
        if (!operand_wanted(b->p, which))
            continue;
        code = set == DATA_SPARSE ? operand_fill_sparse(b->p, which, seed, most, a, f)
                                  : operand_fill_real(b->p, which, seed, a, f);
    }
    return code;
}

static enum exit_code bench_create(struct bench *b, struct failure *f)
{
    enum exit_code code = output_shape(b->p, &b->output, f);
    if (code == EXIT_FINE)
        code = array_allocate(&b->output, f);
    if (code == EXIT_FINE)
        code = guarded_create(b->p, b->skew, &b->dst, f);
    for (int set = 0; code == EXIT_FINE && set < DATA_SETS; set++) {
        struct data *d = &b->data[set];
        code = fill(b, set, d, f);
        if (code == EXIT_FINE)
            code = tensors_place(b->p, &d->operands, b->skew, false, &d->tensors, f);
        if (code == EXIT_FINE)
            code = expectation_create(b->p, &d->operands, &d->tensors, 0, b->t->threads,
                                      &d->expectation, f);
    }
    return code;
}

static void bench_free(struct bench *b)
{
    for (int set = 0; set < DATA_SETS; set++) {
        operands_free(&b->data[set].operands);
        tensors_free(&b->data[set].tensors);
        expectation_free(&b->data[set].expectation);
    }
    guarded_free(&b->dst);
    array_free(&b->output);
}

/* ---- lines that repeat a failure ------------------------------------------------------------ */

/* The command; what it shows follows as a shell comment. */
static void begin_line(const struct bench *b, convc_context *cx, const char *plan)
{
    struct trial *t = b->t;
    t->failed = true;
    fprintf(t->lines, "convc check '%s'", t->result.problem);
    if (plan)
        fprintf(t->lines, " --plan '%s'", plan);
    fprintf(t->lines, " --target '%s'", convc_context_target(cx));
    if (!isnan(t->o->tolerance))
        fprintf(t->lines, " --tolerance %.17g", t->o->tolerance);
    fprintf(t->lines, " --seed %" PRId64 "  # ", t->o->seed);
}

static void report_wrong(const struct bench *b, convc_context *cx, const char *plan,
                         const struct data *d, const struct verdict *v)
{
    char text[VERDICT_TEXT];
    verdict_text(v, &b->output, text);
    begin_line(b, cx, plan);
    fprintf(b->t->lines, "%s: %s\n", d->name, text);
}

static void report(const struct bench *b, convc_context *cx, const char *plan, const char *what,
                   const char *why)
{
    begin_line(b, cx, plan);
    fprintf(b->t->lines, "%s: %s\n", what, why);
}

/* ---- one plan ------------------------------------------------------------------------------- */

/* Runs a kernel on one data set and judges it. */
static enum exit_code try_data(struct bench *b, convc_context *cx, const struct execution *x,
                               const struct data *d, bool *wrong, struct failure *f)
{
    struct convc_args args;
    struct verdict v;
    int64_t place;
    execution_args(x, &d->tensors.args, b->dst.dst, &args);
    enum convc_status st = convc_run(x->kernel, &args);
    if (st) {
        *wrong = true;
        report(b, cx, x->info.plan, "it does not run", convc_last_error());
        return EXIT_FINE;
    }
    enum exit_code code = guarded_take(b->p, &b->dst, b->output.value, f);
    if (code)
        return code;
    judge(b->p, &d->expectation, b->output.value, &x->info, d->exact, &v);
    struct result *r = &b->t->result;
    b->t->telling = fmax(b->t->telling, v.telling);
    r->max_error = isnan(r->max_error) ? v.max_error : fmax(r->max_error, v.max_error);
    r->checksum = result_checksum(b->output.value, b->output.count, b->p->dst_dtype);
    if (v.wrong) {
        *wrong = true;
        report_wrong(b, cx, x->info.plan, d, &v);
    } else if (guarded_broken(&b->dst, &place)) {
        char text[64];
        *wrong = true;
        snprintf(text, sizeof text, "element %" PRId64 " of dst's memory", place);
        report(b, cx, x->info.plan, "it writes outside of its outputs", text);
    }
    return EXIT_FINE;
}

static enum exit_code try_kernel(struct bench *b, convc_context *cx, struct execution *x,
                                 struct failure *f)
{
    bool wrong = false;
    enum exit_code code = EXIT_FINE;
    if (!x->info.plan[0]) /* no algorithm takes it: it is what it would be compared with */
        return EXIT_FINE;
    if (x->source == CONVC_FROM_REFERENCE || !x->info.function) {
        report(b, cx, x->info.plan, "it has no machine code", x->info.reason);
        return EXIT_FINE;
    }
    for (int set = 0; code == EXIT_FINE && !wrong && set < DATA_SETS; set++) {
        const struct data *d = &b->data[set];
        free(x->packed);
        free(x->workspace);
        x->packed = x->workspace = NULL;
        code = execution_pack(x, &d->tensors.args, options_threads(b->t->o), f);
        if (code == EXIT_FINE)
            code = try_data(b, cx, x, d, &wrong, f);
    }
    if (wrong) { /* whatever it wrote must not be taken for the next plan's */
        guarded_free(&b->dst);
        code = guarded_create(b->p, b->skew, &b->dst, f);
    }
    return code;
}

static enum exit_code try_plan(struct bench *b, convc_context *cx, const char *plan,
                               struct failure *f)
{
    struct execution x;
    enum convc_status st;
    enum exit_code code = execution_compile(cx, b->p, plan, &x, &st, f);
    if (code == EXIT_FINE) {
        if (!b->t->result.plan)
            code = result_kernel(&x, &b->t->result, f);
        if (code == EXIT_FINE)
            code = try_kernel(b, cx, &x, f);
    } else if (st != CONVC_ERR_MEMORY && !b->t->o->plan && st != CONVC_ERR_UNSUPPORTED) {
        b->t->refused = true;
        report(b, cx, plan, "it does not compile", f->text);
        *f = (struct failure){ 0 };
        code = EXIT_FINE;
    }
    execution_free(&x);
    return code;
}

static enum exit_code try_all_plans(struct bench *b, convc_context *cx, struct failure *f)
{
    char *text, *rest;
    enum exit_code code = EXIT_FINE;
    enum convc_status st = convc_plans(cx, b->p, &text);
    if (st == CONVC_ERR_UNSUPPORTED && b->p->window)
        return EXIT_FINE; /* there are none */
    if (st)
        return fail_status(f, st);
    for (char *plan = strtok_r(text, "\n", &rest); plan && code == EXIT_FINE;
         plan = strtok_r(NULL, "\n", &rest))
        code = try_plan(b, cx, plan, f);
    convc_text_free(text);
    return code;
}

enum exit_code trial_run(struct trial *t, const struct convc_problem *p, struct failure *f)
{
    /* Tensors begin at every alignment, the same one whenever the problem is repeated. */
    struct bench b = { .t = t, .p = p, .skew = (p->ic + 3 * p->oc + 5 * p->in[CONVC_W]) % 16 };
    enum exit_code code = result_begin(p, &t->result, f);
    if (code == EXIT_FINE)
        code = bench_create(&b, f);
    for (size_t i = 0; code == EXIT_FINE && i < t->cx_count; i++)
        code =
            t->o->all_plans ? try_all_plans(&b, t->cx[i], f) : try_plan(&b, t->cx[i], t->plan, f);
    bench_free(&b);
    return code;
}

enum exit_code trial_told(struct trial *t, const struct convc_problem *p, char **lines,
                          struct failure *f)
{
    size_t size;
    *lines = NULL;
    t->lines = open_memstream(lines, &size);
    enum exit_code code = t->lines ? trial_run(t, p, f) : fail_memory(f);
    if (t->lines && fclose(t->lines) && code == EXIT_FINE)
        code = fail_memory(f);
    t->lines = NULL;
    return code;
}
