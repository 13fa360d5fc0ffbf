#include "gen/problem/problem.h"

#include "gen/problem/strides.h"

#include <inttypes.h>
#include <string.h>

/* "ih56iw56" for prefix "i". */
static void print_axes(const struct problem *p, const char *prefix, const int64_t value[3],
                       int64_t minus, struct text *t)
{
    for (int a = 3 - p->p.spatial; a < 3; a++)
        text_add(t, "%s%c%" PRId64, prefix, "dhw"[a], value[a] - minus);
}

static void print_strides(const struct tensor *tensor, const int64_t stride[5], struct text *t)
{
    int64_t usual[5];
    strides_dense(tensor, usual);
    if (memcmp(usual, stride, sizeof usual) == 0)
        return;
    text_add(t, ";%s_strides=%" PRId64 ",%" PRId64 ",%" PRId64 ",%" PRId64 ",%" PRId64,
             tensor->name, stride[0], stride[1], stride[2], stride[3], stride[4]);
}

static void print_dtypes(const struct convc_problem *p, struct text *t)
{
    bool same = p->src_dtype == p->acc_dtype && p->dst_dtype == p->acc_dtype;
    if (!same)
        text_add(t, ";dtype=%s:%s:%s", dtype_name(p->src_dtype), dtype_name(p->acc_dtype),
                 dtype_name(p->dst_dtype));
    else if (p->acc_dtype != CONVC_F32)
        text_add(t, ";dtype=%s", dtype_name(p->acc_dtype));
}

/* Taps that are left out are so in words, too: with functions, zeros may mean something else. */
static void print_additions(const struct problem *problem, struct text *t)
{
    const struct convc_problem *p = &problem->p;
    bool skips = problem->f.terms && p->padding_mode == CONVC_PAD_ZEROS && problem_pads(problem);
    if (skips)
        text_add(t, ";mode=identity");
    else if (p->padding_mode != CONVC_PAD_ZEROS)
        text_add(t, ";mode=%s", padding_mode_name(p->padding_mode));
    if (p->padding_mode == CONVC_PAD_CONSTANT) {
        text_add(t, ";value=");
        text_add_real(t, p->padding_value);
    }
    text_add(t, "%s%s%s", p->flip ? ";flip" : "", p->bias ? ";bias" : "",
             p->residual ? ";residual" : "");
    if (p->activation != CONVC_ACT_NONE)
        text_add(t, ";act=%s", activation_name(p->activation));
    int args = p->activation == CONVC_ACT_CLAMP ? 2 : p->activation == CONVC_ACT_LEAKY_RELU;
    for (int i = 0; i < args; i++) {
        text_append(t, ",", 1);
        text_add_real(t, p->activation_args[i]);
    }
    print_dtypes(p, t);
    if (p->layout != CONVC_NHWC)
        text_add(t, ";layout=nchw");
    struct convc_problem usual;
    problem_init(&usual);
    if (p->tolerance != usual.tolerance) {
        text_add(t, ";tol=");
        text_add_real(t, p->tolerance);
    }
    constants_print(&problem->c, t);
    functions_print(&problem->f, t);
}

void problem_print(const struct problem *problem, struct text *t)
{
    const struct convc_problem *p = &problem->p;
    text_add(t, "g%" PRId64 "mb%" PRId64 "ic%" PRId64, p->groups, p->n, p->ic);
    print_axes(problem, "i", p->in, 0, t);
    text_add(t, "oc%" PRId64, p->oc);
    print_axes(problem, "o", problem->out, 0, t);
    print_axes(problem, "k", p->kernel, 0, t);
    print_axes(problem, "s", p->stride, 0, t);
    print_axes(problem, "d", p->dilation, 1, t);
    print_axes(problem, "p", p->pad_begin, 0, t);
    print_additions(problem, t);
    struct tensor src = tensor_src(problem), dst = tensor_dst(problem);
    print_strides(&src, p->src_stride, t);
    print_strides(&dst, p->dst_stride, t);
}
