#include "runtime/cli/judge.h"

#include "runtime/cli/element.h"
#include "runtime/cli/parallel.h"
#include "runtime/cli/random.h"

#include <float.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- asking the reference ------------------------------------------------------------------- */

typedef enum convc_status (*asked)(const struct convc_problem *p, const struct convc_args *args,
                                   const int64_t *index, size_t count, double *out);

struct question {
    asked about;
    const struct convc_problem *p;
    const struct convc_args *args;
    const int64_t *index;
    double *out;
    pthread_mutex_t lock; /* of code and f */
    enum exit_code code;
    struct failure *f;
};

static void ask_range(void *argument, int64_t begin, int64_t end)
{
    struct question *q = argument;
    struct failure f;
    enum convc_status st =
        q->about(q->p, q->args, q->index + begin, (size_t)(end - begin), q->out + begin);
    if (st == CONVC_OK)
        return;
    enum exit_code code = fail_status(&f, st);
    pthread_mutex_lock(&q->lock);
    q->code = code;
    *q->f = f;
    pthread_mutex_unlock(&q->lock);
}

static double taps(const struct convc_problem *p)
{
    return (double)(p->ic / p->groups) * (double)p->kernel[0] * (double)p->kernel[1] *
           (double)p->kernel[2];
}

static enum exit_code ask(asked about, const struct convc_problem *p, const struct convc_args *args,
                          const int64_t *index, int64_t count, int threads, double *out,
                          struct failure *f)
{
    struct question q = {
        .about = about, .p = p, .args = args, .index = index, .out = out, .f = f
    };
    /* About a millisecond of work at a time. */
    int64_t grain = (int64_t)(200000 / taps(p)) + 1;
    pthread_mutex_init(&q.lock, NULL);
    if (count > 0)
        parallel_ranges(threads, count, grain, ask_range, &q);
    pthread_mutex_destroy(&q.lock);
    return q.code;
}

/* ---- which outputs -------------------------------------------------------------------------- */

/* Writes `count` numbers below `total`, ascending, one from each of as many equal parts. */
static void spread(int64_t count, int64_t total, int64_t base, int64_t *out)
{
    for (int64_t i = 0; i < count; i++) {
        int64_t begin = (int64_t)((double)total / (double)count * (double)i);
        int64_t end =
            i + 1 == count ? total : (int64_t)((double)total / (double)count * (double)(i + 1));
        int64_t width = end > begin ? end - begin : 1;
        out[i] =
            base + begin + (int64_t)(random_at((uint64_t)total, (uint64_t)i) % (uint64_t)width);
    }
}

static enum exit_code choose_outputs(int64_t total, int64_t limit, struct expectation *e,
                                     struct failure *f)
{
    e->count = limit && limit < total ? limit : total;
    e->index = malloc(((size_t)e->count + 1) * sizeof *e->index);
    e->want = malloc(((size_t)e->count + 1) * sizeof *e->want);
    if (!e->index || !e->want)
        return fail_memory(f);
    spread(e->count, total, 0, e->index);
    return EXIT_FINE;
}

/* ---- the scale of each channel -------------------------------------------------------------- */

/* The problem whose output is the sum of the absolute values of its terms, on absolute operands. */
static void absolute_problem(const struct convc_problem *p, struct convc_problem *out)
{
    *out = *p;
    out->activation = CONVC_ACT_NONE;
    out->padding_value = fabs(p->padding_value);
    out->weights = NULL;
}

/* Raises the scales of the channels that index[0..count) lie in. */
static enum exit_code raise_scales(const struct convc_problem *p, const struct tensors *absolute,
                                   const int64_t *index, int64_t count, int threads,
                                   struct expectation *e, struct failure *f)
{
    struct convc_problem sums;
    absolute_problem(p, &sums);
    double *sum = malloc(((size_t)count + 1) * sizeof *sum);
    if (!sum)
        return fail_memory(f);
    enum exit_code code =
        ask(convc_reference_at, &sums, &absolute->args, index, count, threads, sum, f);
    for (int64_t i = 0; code == EXIT_FINE && i < count; i++) {
        double *scale = &e->scale[index[i] / e->plane];
        *scale = fmax(*scale, sum[i]);
    }
    free(sum);
    return code;
}

/* Up to 64 outputs of every channel. */
static enum exit_code probe_channels(const struct convc_problem *p, const struct tensors *absolute,
                                     int64_t channels, int threads, struct expectation *e,
                                     struct failure *f)
{
    int64_t each = e->plane < 64 ? e->plane : 64;
    int64_t *index = malloc(((size_t)(channels * each) + 1) * sizeof *index);
    if (!index)
        return fail_memory(f);
    for (int64_t c = 0; c < channels; c++)
        spread(each, e->plane, c * e->plane, index + c * each);
    enum exit_code code = raise_scales(p, absolute, index, channels * each, threads, e, f);
    free(index);
    return code;
}

static enum exit_code find_scales(const struct convc_problem *p, const struct operands *o,
                                  bool everywhere, int threads, struct expectation *e,
                                  struct failure *f)
{
    struct tensors absolute;
    int64_t channels = p->n * p->oc;
    e->scale = calloc((size_t)channels + 1, sizeof *e->scale);
    if (!e->scale)
        return fail_memory(f);
    enum exit_code code = tensors_place(p, o, 0, true, &absolute, f);
    if (code == EXIT_FINE && everywhere)
        code = probe_channels(p, &absolute, channels, threads, e, f);
    else if (code == EXIT_FINE)
        code = raise_scales(p, &absolute, e->index, e->count, threads, e, f);
    tensors_free(&absolute);
    return code;
}

/* The errors, and scales, of a problem with functions of the user. */
static enum exit_code find_errors(const struct convc_problem *p, const struct tensors *t,
                                  int threads, struct expectation *e, struct failure *f)
{
    if (convc_reference_error_at(p, &t->args, NULL, 0, NULL) == CONVC_ERR_UNSUPPORTED)
        return EXIT_FINE;
    e->error = malloc(((size_t)e->count + 1) * sizeof *e->error);
    e->scale = calloc((size_t)(p->n * p->oc) + 1, sizeof *e->scale);
    if (!e->error || !e->scale)
        return fail_memory(f);
    for (int64_t i = 0; i < e->count; i++) {
        double *scale = &e->scale[e->index[i] / e->plane];
        *scale = isfinite(e->want[i]) ? fmax(*scale, fabs(e->want[i])) : *scale;
    }
    return ask(convc_reference_error_at, p, &t->args, e->index, e->count, threads, e->error, f);
}

static double largest(const struct array *a)
{
    double most = 0;
    for (int64_t i = 0; i < a->count; i++)
        most = fmax(most, fabs(a->value[i]));
    return most;
}

enum exit_code expectation_create(const struct convc_problem *p, const struct operands *o,
                                  const struct tensors *t, int64_t limit, int threads,
                                  struct expectation *e, struct failure *f)
{
    int64_t out[3];
    *e = (struct expectation){ 0 };
    enum convc_status st = convc_problem_output(p, out);
    if (st)
        return fail_status(f, st);
    e->plane = out[0] * out[1] * out[2];
    e->product = largest(&o->array[OPERAND_SRC]) * largest(&o->array[OPERAND_WEI]);
    enum exit_code code = choose_outputs(p->n * p->oc * e->plane, limit, e, f);
    if (code == EXIT_FINE)
        code = ask(convc_reference_at, p, &t->args, e->index, e->count, threads, e->want, f);
    if (code == EXIT_FINE)
        code = find_errors(p, t, threads, e, f);
    if (code == EXIT_FINE && !e->error)
        code = find_scales(p, o, limit == 0, threads, e, f);
    return code;
}

void expectation_free(struct expectation *e)
{
    free(e->index);
    free(e->want);
    free(e->scale);
    free(e->error);
    *e = (struct expectation){ 0 };
}

/* ---- judging -------------------------------------------------------------------------------- */

/* The steepest slope of the activation: what it can make of an error. */
static double slope(const struct convc_problem *p)
{
    switch (p->activation) {
    case CONVC_ACT_LEAKY_RELU: return fmax(1, fabs(p->activation_args[0]));
    case CONVC_ACT_SILU: return 1.1;
    case CONVC_ACT_GELU: return 1.13;
    case CONVC_ACT_HARDSWISH: return 1.5;
    default: return 1;
    }
}

static bool transcendental(enum convc_activation a)
{
    return a == CONVC_ACT_SIGMOID || a == CONVC_ACT_TANH || a == CONVC_ACT_SILU ||
           a == CONVC_ACT_GELU;
}

static double allowance(const struct convc_problem *p, double error_bound, double scale,
                        double want)
{
    double eps = p->acc_dtype == CONVC_F64 ? DBL_EPSILON / 2 : FLT_EPSILON / 2;
    double bound = slope(p) * error_bound * scale + 4 * eps * fabs(want);
    if (transcendental(p->activation))
        bound += 8 * eps * (1 + fabs(want));
    return bound;
}

/* May sums on the way to an output be larger than the accumulator can hold? Transforms mix up to
 * some hundred terms more into each than the formula has. */
static bool overflows(const struct convc_problem *p, double scale, bool plain_sum)
{
    double most = p->acc_dtype == CONVC_F64 ? DBL_MAX : FLT_MAX;
    return !(scale <= (plain_sum ? most : most / 1024));
}

/* |got - want|; 0 where both are the same infinity or NaN. */
static double distance(double got, double want)
{
    if (got == want || (isnan(got) && isnan(want)))
        return 0;
    double d = fabs(got - want);
    return isnan(d) ? INFINITY : d;
}

/* What output i may be off, as the operations of the problem's functions have it. */
static double error_of(const struct convc_problem *p, const struct expectation *e, int64_t i)
{
    double error = e->error[i];
    if (error > 0 && p->acc_dtype == CONVC_F64)
        error += DBL_EPSILON * fabs(e->want[i]);
    return error;
}

/* How far output y is off. Of whole numbers all are right that are stored of something within
 * `bound` of w. */
static double off_by(const struct convc_problem *p, double y, double w, double bound)
{
    enum convc_dtype t = p->dst_dtype;
    bool whole =
        element_whole(t) && element_round(t, w - bound) <= y && y <= element_round(t, w + bound);
    return whole || y == element_round(t, w) ? 0 : distance(y, w);
}

void judge(const struct convc_problem *p, const struct expectation *e, const double *got,
           const struct convc_kernel_info *info, bool exact_data, struct verdict *v)
{
    bool exact = exact_data && info->plain_sum;
    int64_t telling = 0;
    *v = (struct verdict){ .exact = exact };
    for (int64_t i = 0; i < e->count; i++) {
        double y = got[e->index[i]], w = e->want[i], scale = e->scale[e->index[i] / e->plane];
        if (!info->plain_sum)
            scale = fmax(scale, e->product);
        double bound = exact ? 0 : allowance(p, info->error_bound, scale, w) + info->unit_bound;
        if (e->error) {
            bound = error_of(p, e, i);
            exact = bound == 0;
        } else if (overflows(p, scale, info->plain_sum)) {
            bound = INFINITY;
        }
        double off = isfinite(bound) ? off_by(p, y, w, bound) : 0;
        telling += isfinite(bound) && off_by(p, 0, w, bound) > bound;
        if (off > 0)
            v->max_error = fmax(v->max_error, scale > 0 ? off / scale : INFINITY);
        if (off > bound && !v->wrong) {
            v->wrong = true;
            v->index = e->index[i];
            v->got = y;
            v->want = exact ? element_round(p->dst_dtype, w) : w;
            v->bound = bound;
            v->exact = exact;
        }
    }
    v->telling = e->count ? (double)telling / (double)e->count : 0;
}

void verdict_text(const struct verdict *v, const struct array *outputs, char text[VERDICT_TEXT])
{
    struct array at = { .rank = outputs->rank };
    char place[ARRAY_SHAPE_TEXT];
    int64_t rest = v->index;
    for (int axis = at.rank - 1; axis >= 0; axis--) {
        at.extent[axis] = rest % outputs->extent[axis];
        rest /= outputs->extent[axis];
    }
    array_shape_text(&at, place);
    int n = snprintf(text, VERDICT_TEXT, "output %s is %.17g, not %.17g", place, v->got, v->want);
    if (v->exact)
        snprintf(text + n, (size_t)(VERDICT_TEXT - n), " exactly");
    else
        snprintf(text + n, (size_t)(VERDICT_TEXT - n), " within %.3g", v->bound);
}

static bool dyadic(double v)
{
    return fabs(v) <= 64 && v * 64 == nearbyint(v * 64);
}

/* The largest weight; 0 where constants are no whole numbers. */
static double largest_weight(const struct convc_problem *p, int64_t most)
{
    if (!p->weights)
        return (double)most;
    double largest_one = 1;
    for (int64_t i = 0; i < p->oc * (int64_t)taps(p); i++) {
        if (p->weights[i] != rint(p->weights[i]))
            return 0;
        largest_one = fmax(largest_one, fabs(p->weights[i]));
    }
    return largest_one;
}

bool judge_exact(const struct convc_problem *p, int64_t most)
{
    /* All sums are multiples of 1/64, or 1/4096 behind a slope, and stay below 2^24 of those; and a
     * padding value takes the place of a source, whose largest is `most`. */
    double largest = largest_weight(p, most) * (taps(p) + 2);
    double unit = 1;
    if (p->padding_mode == CONVC_PAD_CONSTANT) {
        if (!dyadic(p->padding_value))
            return false;
        largest *= fmax((double)most, fabs(p->padding_value));
        unit *= 64;
    } else {
        largest *= (double)most;
    }
    if (p->activation == CONVC_ACT_LEAKY_RELU) {
        if (!dyadic(p->activation_args[0]))
            return false;
        unit *= 64;
    }
    return p->activation <= CONVC_ACT_LEAKY_RELU && largest > 0 && largest * unit < 0x1p24;
}
