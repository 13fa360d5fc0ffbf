#include "tests/support/emitted.h"

#include "runtime/ref.h"
#include "tests/support/element.h"
#include "tests/support/named.h"
#include "tests/support/subject.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct jit *jit;

int emitted_setup(void **state)
{
    struct diag d = { 0 };
    if (machines_find(state) != 0)
        return -1;
    return jit_create(&jit, &d) == CONVC_OK ? 0 : -1;
}

int emitted_teardown(void **state)
{
    jit_destroy(jit);
    return machines_forget(state);
}

/* ---- values ------------------------------------------------------------------------------------
 */

void sample_fill_nan(enum convc_dtype t, void *to, size_t bytes)
{
    for (size_t i = 0; i < bytes / (size_t)dtype_bytes(t); i++)
        element_set(t, to, (int64_t)i, dtype_whole(t) ? dtype_most(t) - 1 : (double)NAN);
}

static void *allocate(enum convc_dtype t, size_t bytes)
{
    void *memory = aligned_alloc(64, (bytes / 64 + 1) * 64);
    assert_non_null(memory);
    sample_fill_nan(t, memory, bytes);
    return memory;
}

/* 0 for half of the elements, else a small whole number; up to 255 of types that have no others. */
static double draw(enum convc_dtype t, struct test_random *r)
{
    uint64_t bits = test_random_bits(r);
    int64_t most = dtype_whole(t) ? 255 : 3;
    double value = (double)((int64_t)((bits >> 8) % (uint64_t)(2 * most + 1)) - most);
    value = bits & 1 ? 0 : value;
    return dtype_whole(t) && dtype_least(t) == 0 ? fabs(value) : value;
}

/* Calls visit(argument, index) for each element of n images of a tensor. */
static void visit_elements(const int64_t stride[5], int64_t n, int64_t c, const int64_t extent[3],
                           void (*visit)(void *argument, int64_t index), void *argument)
{
    const int64_t size[5] = { n, c, extent[0], extent[1], extent[2] };
    int64_t total = n * c * extent[0] * extent[1] * extent[2];
    for (int64_t i = 0; i < total; i++) {
        int64_t index = 0, rest = i;
        for (int axis = 4; axis >= 0; axis--) {
            index += rest % size[axis] * stride[axis];
            rest /= size[axis];
        }
        visit(argument, index);
    }
}

struct filling {
    enum convc_dtype type;
    void *tensor;
    struct test_random *r;
};

static void fill_element(void *argument, int64_t index)
{
    struct filling *f = argument;
    element_set(f->type, f->tensor, index, draw(f->type, f->r));
}

static void *draw_dense(enum convc_dtype t, int64_t count, struct test_random *r)
{
    void *tensor = allocate(t, (size_t)(count * dtype_bytes(t)));
    for (int64_t i = 0; i < count; i++)
        element_set(t, tensor, i, draw(t, r));
    return tensor;
}

static void *draw_strided(enum convc_dtype t, size_t bytes, const int64_t stride[5], int64_t n,
                          int64_t c, const int64_t extent[3], struct test_random *r)
{
    struct filling f = { t, allocate(t, bytes), r };
    visit_elements(stride, n, c, extent, fill_element, &f);
    return f.tensor;
}

void sample_make_exact(struct convc_problem *p)
{
    p->padding_value = rint(2 * p->padding_value);
    if (p->activation == CONVC_ACT_LEAKY_RELU)
        p->activation_args[0] = 0.125;
}

static size_t span_bytes(enum convc_dtype t, const int64_t stride[5], int64_t n, int64_t c,
                         const int64_t extent[3])
{
    return n ? (size_t)(problem_span(stride, n, c, extent) * dtype_bytes(t)) : 0;
}

struct erring {
    struct sample *o;
    const struct layout *plain;
    const struct convc_args *args;
    int64_t next;
};

/* The operations' errors, propagated, and the rounding to the type of dst. */
static void find_error(void *argument, int64_t index)
{
    struct erring *e = argument;
    const struct problem *p = &e->o->problem;
    enum convc_dtype t = p->p.dst_dtype;
    double error = (double)ref_error_at(p, e->plain, e->args, e->o->wei, e->next++);
    double value = fabs(element_get(t, e->o->expected, index));
    if (error > 0)
        error = dtype_whole(t) ? floor(error + 1)
                               : error + value * (t == CONVC_F64 ? DBL_EPSILON : FLT_EPSILON);
    e->o->error[index] = error;
}

/* Functions of the user may round, and kernels compute some otherwise than the reference. */
static void find_errors(struct sample *o, const struct layout *plain, const struct convc_args *args)
{
    const struct problem *p = &o->problem;
    size_t count = o->dst_bytes / (size_t)dtype_bytes(p->p.dst_dtype);
    struct erring e = { o, plain, args, 0 };
    if (!functions_any(&p->f))
        return;
    o->error = calloc(count + 1, sizeof *o->error);
    assert_non_null(o->error);
    visit_elements(p->p.dst_stride, o->n, p->p.oc, p->out, find_error, &e);
}

void sample_draw(struct sample *o, const struct convc_problem *from, struct test_random *r)
{
    struct diag d = { 0 };
    struct convc_problem exact = *from;
    sample_make_exact(&exact);
    *o = (struct sample){ .n = from->n };
    if (problem_resolve(&exact, &o->problem, &d) != CONVC_OK)
        fail_msg("%s", d.text);
    const struct problem *p = &o->problem;
    const struct convc_problem *c = &p->p;
    int64_t taps = c->kernel[0] * c->kernel[1] * c->kernel[2];
    o->src_bytes = span_bytes(c->src_dtype, c->src_stride, o->n, c->ic, c->in);
    o->dst_bytes = span_bytes(c->dst_dtype, c->dst_stride, o->n, c->oc, p->out);
    o->bias_bytes = (size_t)(c->oc * dtype_bytes(c->acc_dtype));
    o->src = draw_strided(c->src_dtype, o->src_bytes, c->src_stride, o->n, c->ic, c->in, r);
    o->residual = draw_strided(c->dst_dtype, o->dst_bytes, c->dst_stride, o->n, c->oc, p->out, r);
    o->wei = draw_dense(c->wei_dtype, c->oc * p->icg * taps, r);
    o->bias = draw_dense(c->acc_dtype, c->oc, r);
    o->expected = allocate(c->dst_dtype, o->dst_bytes);

    struct layout plain;
    layout_plain(p, &plain);
    struct convc_args args = { .struct_bytes = sizeof args,
                               .src = o->src,
                               .bias = o->bias,
                               .residual = o->residual,
                               .dst = o->expected,
                               .n = o->n };
    ref_run(p, &plain, &args, o->wei, 0, ref_items(p, o->n));
    find_errors(o, &plain, &args);
}

void sample_free(struct sample *o)
{
    void *const owned[] = { o->src, o->wei, o->bias, o->residual, o->expected, o->error };
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
        free(owned[i]);
}

static bool close_enough(const struct problem *p, double got, double want, double slack)
{
    bool wide = p->p.acc_dtype == CONVC_F64;
    if (got == want || (isnan(got) && isnan(want)) || fabs(got - want) <= slack)
        return true;
    if (p->p.activation < CONVC_ACT_SIGMOID)
        return false;
    /* The most that em_math.h states is 10 ulps; an ulp is at most an epsilon of the value. Silu
     * and gelu are within 2 epsilons of x, which where they are small is at most some 2. */
    double epsilon = wide ? DBL_EPSILON : FLT_EPSILON, least = wide ? DBL_TRUE_MIN : FLT_TRUE_MIN;
    if (dtype_whole(p->p.dst_dtype)) /* of a half, errors as small decide */
        return fabs(got - want) <= 1;
    bool gate = p->p.activation == CONVC_ACT_SILU || p->p.activation == CONVC_ACT_GELU;
    double near = gate ? 4 * epsilon : 11 * least;
    return fabs(got - want) <= 11 * epsilon * fabs(want) + near + slack;
}

/* What transforms may add to an output's error: values are at most 3, or the padding's, no
 * activation is steeper than 1.5, and four numbers are added up. */
static double slack_of(const struct problem *p, const struct plan *plan)
{
    if (plan_plain_sum(plan))
        return 0;
    if (plan_unit_bound(plan, p) > 0)
        return floor(plan_unit_bound(plan, p) + 1);
    double terms = (double)(p->icg * p->p.kernel[0] * p->p.kernel[1] * p->p.kernel[2]);
    double scale = terms * 3 * fmax(3, fabs(p->p.padding_value));
    double epsilon = p->p.acc_dtype == CONVC_F64 ? DBL_EPSILON : FLT_EPSILON;
    return 1.5 * (plan_error_bound(plan, p) * scale + 4 * epsilon * (scale + 6));
}

bool sample_agrees(const struct sample *o, const struct plan *plan, const void *dst)
{
    enum convc_dtype t = o->problem.p.dst_dtype;
    int64_t count = (int64_t)o->dst_bytes / dtype_bytes(t);
    double slack = slack_of(&o->problem, plan);
    for (int64_t i = 0; i < count; i++) {
        double got = element_get(t, dst, i), want = element_get(t, o->expected, i);
        if (close_enough(&o->problem, got, want, slack + (o->error ? o->error[i] : 0)))
            continue;
        fprintf(stderr, "dst[%" PRId64 "] is %.17g, not %.17g\n", i, got, want);
        return false;
    }
    return true;
}

/* ---- kernels -----------------------------------------------------------------------------------
 */

void emitted_print(const struct problem *p, const struct plan *plan, const struct target *t)
{
    char words[PLAN_TEXT_MAX], machine_text[672];
    struct text text = { 0 };
    problem_print(p, &text);
    plan_print(plan, words);
    target_print(t, machine_text, sizeof machine_text);
    fprintf(stderr, "convc check '%s' --plan '%s' --target '%s'  # n=%" PRId64 "\n",
            text.data ? text.data : "?", words, machine_text, p->p.n);
    text_free(&text);
}

void emitted_make(struct emitted *e, const struct problem *p, const struct plan *plan,
                  const struct target *t, bool instrument)
{
    struct diag d = { 0 };
    struct object object;
    *e = (struct emitted){ .problem = *p, .plan = *plan, .target = t };
    plan_layout(p, plan, t, &e->layout);
    e->packed_bytes = sizeof(struct convc_packed_header) +
                      (size_t)(layout_elements(&e->layout) * dtype_bytes(p->p.wei_dtype));
    struct object_request request = { .problem = &e->problem,
                                      .plan = plan,
                                      .target = t,
                                      .symbol = "kernel_under_test",
                                      .form = OBJECT_ELF,
                                      .instrument = instrument };
    if (object_emit(&request, &object, &d) == CONVC_OK)
        jit_load(jit, object.bytes, object.count, request.symbol, &e->code, &e->run, &d);
    object_free(&object);
    if (d.status == CONVC_OK)
        return;
    emitted_print(p, plan, t);
    fail_msg("%s", d.text);
}

void emitted_free(struct emitted *e)
{
    jit_unload(jit, e->code);
}

void emitted_pack(const struct emitted *e, const void *plain, void *packed)
{
    sample_fill_nan(e->problem.p.wei_dtype, packed, sizeof(struct convc_packed_header));
    plan_pack(&e->problem, &e->plan, e->target, plain,
              (char *)packed + sizeof(struct convc_packed_header));
}

/* Items [begin, end) in scratch memory of exactly the size that the plan asks for. */
static void run_part(const struct emitted *e, struct convc_args args, int32_t phase, int64_t begin,
                     int64_t end)
{
    enum { BEHIND = 256, MARK = 0x5a };
    size_t bytes = plan_workspace_bytes(&e->problem, &e->plan, e->target);
    char *scratch = aligned_alloc(64, bytes + BEHIND);
    assert_non_null(scratch);
    sample_fill_nan(e->problem.p.acc_dtype, scratch, bytes);
    memset(scratch + bytes, MARK, BEHIND);
    args.workspace = bytes ? scratch : NULL;
    e->run(&args, phase, begin, end);
    for (int i = 0; i < BEHIND; i++) {
        if (scratch[bytes + (size_t)i] != MARK) {
            emitted_print(&e->problem, &e->plan, e->target);
            fail_msg("writes behind its %zu bytes of scratch memory", bytes);
        }
    }
    free(scratch);
}

void emitted_run(const struct emitted *e, const struct convc_args *args, struct test_random *r)
{
    for (int32_t phase = 0; phase < plan_phases(&e->plan); phase++) {
        int64_t items = plan_items(&e->problem, &e->plan, e->target, phase, args->n);
        int64_t middle = test_random_in(r, 0, items);
        run_part(e, *args, phase, middle, items);
        run_part(e, *args, phase, 0, middle);
    }
}

bool emitted_agrees(const struct emitted *e, const struct sample *o, struct test_random *r)
{
    void *dst = allocate(e->problem.p.dst_dtype, o->dst_bytes);
    void *packed = allocate(e->problem.p.wei_dtype, e->packed_bytes);
    emitted_pack(e, o->wei, packed);
    struct convc_args args = { .struct_bytes = sizeof args,
                               .src = o->src,
                               .wei = packed,
                               .bias = o->bias,
                               .residual = o->residual,
                               .dst = dst,
                               .n = o->n };
    emitted_run(e, &args, r);
    bool agree = sample_agrees(o, &e->plan, dst);
    if (!agree)
        emitted_print(&e->problem, &e->plan, e->target);
    free(dst);
    free(packed);
    return agree;
}

void assert_computes(const struct convc_problem *p, const char *plan, const struct target *t,
                     struct test_random *r)
{
    struct sample s;
    struct emitted e;
    sample_draw(&s, p, r);
    struct plan fitting = plan_fitting(plan, &s.problem, t);
    emitted_make(&e, &s.problem, &fitting, t, false);
    if (!emitted_agrees(&e, &s, r))
        fail_msg("%s", plan);
    emitted_free(&e);
    sample_free(&s);
}
