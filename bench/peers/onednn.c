/* onednn: forward inference with weights, and in its favourite layout source and output too, in the
 * formats that the library asks for (format_tag any); bias, residual and activation as post-ops.
 * Stands on: peer, oneDNN's C API, OpenMP for the number of threads.
 */
#include "bench/peers/peer.h"
#include "runtime/cli/execution.h"

#include <omp.h>
#include <oneapi/dnnl/dnnl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum tensor { SRC, WEI, BIAS, DST, TENSORS };

struct state {
    const struct peer_task *task;
    dnnl_engine_t engine;
    dnnl_stream_t stream;
    dnnl_primitive_desc_t desc;
    dnnl_primitive_t primitive;
    dnnl_memory_t memory[TENSORS];
    dnnl_memory_desc_t plain[TENSORS]; /* dense, N, C, spatial */
    dnnl_exec_arg_t arg[TENSORS];
    int args;
};

static const char *status_text(dnnl_status_t st)
{
    switch (st) {
    case dnnl_out_of_memory: return "out of memory";
    case dnnl_invalid_arguments: return "invalid arguments";
    case dnnl_unimplemented: return "unimplemented";
    case dnnl_iterator_ends: return "no more implementations";
    case dnnl_runtime_error: return "run-time error";
    default: return "failed";
    }
}

/* ---- what is asked for ----------------------------------------------------------------------- */

/* A tensor of rank 2 + axes (weights in groups: 3 + axes) with these leading extents. */
static dnnl_status_t describe(const struct convc_problem *p, const int64_t *lead, int leads,
                              const int64_t extent[3], dnnl_format_tag_t tag,
                              dnnl_memory_desc_t *md)
{
    dnnl_dims_t dims;
    int rank = 0;
    for (int i = 0; i < leads; i++)
        dims[rank++] = lead[i];
    for (int i = 3 - p->spatial; leads > 1 && i < 3; i++)
        dims[rank++] = extent[i];
    return dnnl_memory_desc_init_by_tag(md, rank, dims, dnnl_f32, tag);
}

/* Dense, in the order of the extents. */
static dnnl_format_tag_t plain_tag(int rank)
{
    static const dnnl_format_tag_t tags[] = { dnnl_a,    dnnl_ab,    dnnl_abc,
                                              dnnl_abcd, dnnl_abcde, dnnl_abcdef };
    return tags[rank - 1];
}

static dnnl_format_tag_t spec_tag(const struct convc_problem *p)
{
    static const dnnl_format_tag_t last[] = { dnnl_nwc, dnnl_nhwc, dnnl_ndhwc };
    return p->layout == CONVC_NHWC ? last[p->spatial - 1] : plain_tag(2 + p->spatial);
}

/* All tensors twice: as they come, and as the convolution may have them. */
static dnnl_status_t describe_all(const struct peer_task *t, enum peer_layout layout,
                                  dnnl_memory_desc_t plain[TENSORS],
                                  dnnl_memory_desc_t wanted[TENSORS])
{
    const struct convc_problem *p = t->problem;
    const int64_t src[] = { p->n, p->ic }, dst[] = { p->n, p->oc };
    const int64_t wei[] = { p->groups, p->oc / p->groups, p->ic / p->groups };
    const dnnl_format_tag_t tag = layout == PEER_SPEC ? spec_tag(p) : dnnl_format_tag_any;
    const struct {
        const int64_t *lead;
        int leads;
        const int64_t *extent;
        dnnl_format_tag_t tag;
    } shape[TENSORS] = {
        [SRC] = { src, 2, p->in, tag },
        [WEI] = { wei + (p->groups == 1), 2 + (p->groups > 1), p->kernel, dnnl_format_tag_any },
        [BIAS] = { &p->oc, 1, NULL, dnnl_a },
        [DST] = { dst, 2, t->out, tag },
    };
    dnnl_status_t st = dnnl_success;
    for (int i = 0; st == dnnl_success && i < TENSORS; i++) {
        int rank = shape[i].leads + (i == BIAS ? 0 : p->spatial);
        st =
            describe(p, shape[i].lead, shape[i].leads, shape[i].extent, plain_tag(rank), &plain[i]);
        if (st == dnnl_success)
            st = describe(p, shape[i].lead, shape[i].leads, shape[i].extent, shape[i].tag,
                          &wanted[i]);
    }
    return st;
}

static dnnl_status_t append_activation(const struct convc_problem *p, dnnl_post_ops_t ops)
{
    const float a = (float)p->activation_args[0], b = (float)p->activation_args[1];
    static const dnnl_alg_kind_t kinds[] = {
        [CONVC_ACT_RELU] = dnnl_eltwise_relu,       [CONVC_ACT_CLAMP] = dnnl_eltwise_clip,
        [CONVC_ACT_LEAKY_RELU] = dnnl_eltwise_relu, [CONVC_ACT_SIGMOID] = dnnl_eltwise_logistic,
        [CONVC_ACT_TANH] = dnnl_eltwise_tanh,       [CONVC_ACT_SILU] = dnnl_eltwise_swish,
        [CONVC_ACT_GELU] = dnnl_eltwise_gelu_erf,   [CONVC_ACT_HARDSWISH] = dnnl_eltwise_hardswish,
    };
    switch (p->activation) {
    case CONVC_ACT_NONE: return dnnl_success;
    case CONVC_ACT_CLAMP:
    case CONVC_ACT_LEAKY_RELU:
        return dnnl_post_ops_append_eltwise(ops, 1, kinds[p->activation], a, b);
    case CONVC_ACT_SILU: return dnnl_post_ops_append_eltwise(ops, 1, dnnl_eltwise_swish, 1, 0);
    default: return dnnl_post_ops_append_eltwise(ops, 1, kinds[p->activation], 0, 0);
    }
}

/* The residual is what the output holds already. */
static dnnl_status_t make_attributes(const struct convc_problem *p, dnnl_primitive_attr_t *attr)
{
    dnnl_post_ops_t ops;
    dnnl_status_t st = dnnl_primitive_attr_create(attr);
    if (st == dnnl_success)
        st = dnnl_post_ops_create(&ops);
    if (st != dnnl_success)
        return st;
    if (p->residual)
        st = dnnl_post_ops_append_sum(ops, 1);
    if (st == dnnl_success)
        st = append_activation(p, ops);
    if (st == dnnl_success)
        st = dnnl_primitive_attr_set_post_ops(*attr, ops);
    dnnl_post_ops_destroy(ops);
    return st;
}

static dnnl_status_t create(struct state *s, enum peer_layout layout)
{
    const struct convc_problem *p = s->task->problem;
    const int first = 3 - p->spatial;
    dnnl_memory_desc_t wanted[TENSORS];
    dnnl_convolution_desc_t conv;
    dnnl_primitive_attr_t attr = NULL;
    dnnl_dims_t stride = { 0 }, dilate = { 0 }, begin = { 0 }, end = { 0 };
    for (int i = 0; i < p->spatial; i++) {
        stride[i] = p->stride[first + i];
        dilate[i] = p->dilation[first + i] - 1;
        begin[i] = p->pad_begin[first + i];
        end[i] = p->pad_end[first + i];
    }
    dnnl_status_t st = describe_all(s->task, layout, s->plain, wanted);
    if (st == dnnl_success)
        st = dnnl_dilated_convolution_forward_desc_init(
            &conv, dnnl_forward_inference, dnnl_convolution_auto, &wanted[SRC], &wanted[WEI],
            p->bias ? &wanted[BIAS] : NULL, &wanted[DST], stride, dilate, begin, end);
    if (st == dnnl_success)
        st = make_attributes(p, &attr);
    if (st == dnnl_success)
        st = dnnl_primitive_desc_create(&s->desc, &conv, attr, s->engine, NULL);
    if (st == dnnl_success)
        st = dnnl_primitive_create(&s->primitive, s->desc);
    if (attr)
        dnnl_primitive_attr_destroy(attr);
    return st;
}

/* ---- memory ---------------------------------------------------------------------------------- */

static dnnl_status_t reorder(struct state *s, dnnl_memory_t from, dnnl_memory_t to)
{
    const dnnl_memory_desc_t *from_md, *to_md;
    dnnl_primitive_desc_t desc = NULL;
    dnnl_primitive_t primitive = NULL;
    dnnl_memory_get_memory_desc(from, &from_md);
    dnnl_memory_get_memory_desc(to, &to_md);
    dnnl_status_t st =
        dnnl_reorder_primitive_desc_create(&desc, from_md, s->engine, to_md, s->engine, NULL);
    if (st == dnnl_success)
        st = dnnl_primitive_create(&primitive, desc);
    const dnnl_exec_arg_t args[] = { { DNNL_ARG_FROM, from }, { DNNL_ARG_TO, to } };
    if (st == dnnl_success)
        st = dnnl_primitive_execute(primitive, s->stream, 2, args);
    if (st == dnnl_success)
        st = dnnl_stream_wait(s->stream);
    if (primitive)
        dnnl_primitive_destroy(primitive);
    if (desc)
        dnnl_primitive_desc_destroy(desc);
    return st;
}

/* Between a plain array and a tensor of the convolution. */
static dnnl_status_t move(struct state *s, enum tensor which, float *array, bool out)
{
    dnnl_memory_t plain;
    dnnl_status_t st = dnnl_memory_create(&plain, &s->plain[which], s->engine, array);
    if (st != dnnl_success)
        return st;
    if (out)
        st = reorder(s, s->memory[which], plain);
    else
        st = reorder(s, plain, s->memory[which]);
    dnnl_memory_destroy(plain);
    return st;
}

static dnnl_status_t place_all(struct state *s)
{
    static const dnnl_query_t query[] = { dnnl_query_src_md, dnnl_query_weights_md,
                                          dnnl_query_weights_md, dnnl_query_dst_md };
    static const int args[] = { DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_BIAS, DNNL_ARG_DST };
    const struct peer_task *t = s->task;
    float *wei = peer_weights(t);
    float *array[TENSORS] = { (float *)t->src, wei, (float *)t->bias, NULL };
    dnnl_status_t st = wei ? dnnl_success : dnnl_out_of_memory;
    for (int i = 0; st == dnnl_success && i < TENSORS; i++) {
        if (i == BIAS && !t->bias)
            continue;
        const dnnl_memory_desc_t *md = dnnl_primitive_desc_query_md(s->desc, query[i], i == BIAS);
        st = dnnl_memory_create(&s->memory[i], md, s->engine, DNNL_MEMORY_ALLOCATE);
        if (st == dnnl_success && array[i])
            st = move(s, i, array[i], false);
        s->arg[s->args++] = (dnnl_exec_arg_t){ args[i], s->memory[i] };
    }
    free(wei);
    return st;
}

/* ---- the peer -------------------------------------------------------------------------------- */

static void destroy(struct peer_run *r)
{
    struct state *s = r->state;
    if (!s)
        return;
    for (int i = 0; i < TENSORS; i++)
        if (s->memory[i])
            dnnl_memory_destroy(s->memory[i]);
    if (s->primitive)
        dnnl_primitive_destroy(s->primitive);
    if (s->desc)
        dnnl_primitive_desc_destroy(s->desc);
    if (s->stream)
        dnnl_stream_destroy(s->stream);
    if (s->engine)
        dnnl_engine_destroy(s->engine);
    free(s);
    r->state = NULL;
}

static bool lies_in(const struct state *s, enum tensor which, dnnl_format_tag_t tag)
{
    const dnnl_memory_desc_t *md;
    dnnl_memory_desc_t tagged;
    return dnnl_memory_get_memory_desc(s->memory[which], &md) == dnnl_success &&
           dnnl_memory_desc_init_by_tag(&tagged, md->ndims, md->dims, dnnl_f32, tag) ==
               dnnl_success &&
           dnnl_memory_desc_equal(md, &tagged);
}

/* The layouts' names, and the implementation's. */
static void tell_layout(const struct state *s, struct peer_run *r)
{
    const struct convc_problem *p = s->task->problem;
    const char *kernel = "";
    bool first[2], last[2];
    const char *name[2];
    dnnl_primitive_desc_query(s->desc, dnnl_query_impl_info_str, 0, &kernel);
    for (int i = 0; i < 2; i++) {
        enum tensor which = i ? DST : SRC;
        struct convc_problem q = *p;
        q.layout = CONVC_NHWC;
        last[i] = lies_in(s, which, spec_tag(&q));
        q.layout = CONVC_NCHW;
        first[i] = lies_in(s, which, spec_tag(&q));
        name[i] = last[i] ? "channels last" : first[i] ? "channels first" : "blocked";
    }
    r->in_spec_layout = p->layout == CONVC_NHWC ? last[0] && last[1] : first[0] && first[1];
    if (!strcmp(name[0], name[1]))
        snprintf(r->layout, sizeof r->layout, "%s, %s", name[0], kernel);
    else
        snprintf(r->layout, sizeof r->layout, "%s to %s, %s", name[0], name[1], kernel);
}

static enum exit_code prepare(const struct peer_task *t, enum peer_layout layout,
                              struct peer_run *r, struct failure *f)
{
    if (!peer_pads_zeros(t->problem))
        return fail(f, EXIT_USAGE, "oneDNN pads with zeros only");
    struct state *s = calloc(1, sizeof *s);
    if (!s)
        return fail_memory(f);
    *r = (struct peer_run){ .state = s };
    s->task = t;
    omp_set_num_threads(t->threads);
    double begin = seconds_now();
    dnnl_status_t st = dnnl_engine_create(&s->engine, dnnl_cpu, 0);
    if (st == dnnl_success)
        st = dnnl_stream_create(&s->stream, s->engine, dnnl_stream_default_flags);
    if (st == dnnl_success)
        st = create(s, layout);
    r->creation_ms = (seconds_now() - begin) * 1e3;
    if (st == dnnl_success)
        st = place_all(s);
    if (st != dnnl_success) {
        destroy(r);
        return fail(f, EXIT_USAGE, "oneDNN: %s", status_text(st));
    }
    tell_layout(s, r);
    return EXIT_FINE;
}

static enum exit_code run(struct peer_run *r, struct failure *f)
{
    struct state *s = r->state;
    dnnl_status_t st = dnnl_primitive_execute(s->primitive, s->stream, s->args, s->arg);
    if (st == dnnl_success)
        st = dnnl_stream_wait(s->stream);
    return st ? fail(f, EXIT_SYSTEM, "oneDNN: %s", status_text(st)) : EXIT_FINE;
}

static enum exit_code result(struct peer_run *r, float *out, struct failure *f)
{
    struct state *s = r->state;
    dnnl_status_t st = dnnl_success;
    if (s->task->residual)
        st = move(s, DST, (float *)s->task->residual, false);
    if (st != dnnl_success)
        return fail(f, EXIT_SYSTEM, "oneDNN: %s", status_text(st));
    enum exit_code code = run(r, f);
    if (code == EXIT_FINE && (st = move(s, DST, out, true)) != dnnl_success)
        code = fail(f, EXIT_SYSTEM, "oneDNN: %s", status_text(st));
    return code;
}

const struct peer peer_onednn = {
    .name = "onednn",
    .prepare = prepare,
    .run = run,
    .result = result,
    .destroy = destroy,
};
