/* xnnpack: the operator convolution2d_nhwc_f32, with bias and clamping; 1-D as 2-D of height 1.
 *
 * It takes channels last and nothing else.
 * Stands on: peer, XNNPACK, pthreadpool.
 */
#include "bench/peers/peer.h"
#include "runtime/cli/execution.h"

#include <math.h>
#include <pthreadpool.h>
#include <stdio.h>
#include <stdlib.h>
#include <xnnpack.h>

struct state {
    const struct peer_task *task;
    xnn_operator_t op;
    pthreadpool_t pool; /* NULL: the caller's thread alone */
    float *src, *dst;   /* channels last */
};

static const char *status_text(enum xnn_status st)
{
    switch (st) {
    case xnn_status_invalid_parameter: return "invalid parameter";
    case xnn_status_unsupported_parameter: return "unsupported parameter";
    case xnn_status_unsupported_hardware: return "unsupported hardware";
    case xnn_status_out_of_memory: return "out of memory";
    default: return "failed";
    }
}

static const char *unable(const struct convc_problem *p, enum peer_layout layout)
{
    if (p->spatial == 3)
        return "XNNPACK has no 3-D convolution";
    if (p->residual)
        return "XNNPACK adds no residual within a convolution";
    if (p->activation > CONVC_ACT_CLAMP)
        return "XNNPACK clamps and has no other activation within a convolution";
    if (!peer_pads_zeros(p))
        return "XNNPACK pads with zeros only";
    for (int a = 0; a < 3; a++)
        if (p->pad_begin[a] < 0 || p->pad_end[a] < 0)
            return "XNNPACK does not crop";
    if (layout == PEER_SPEC && p->layout != CONVC_NHWC)
        return "XNNPACK takes channels last only";
    return NULL;
}

/* XNN_EXTRA_BYTES may be read past the end. */
static float *allocate(int64_t elements)
{
    size_t bytes = (size_t)elements * sizeof(float) + XNN_EXTRA_BYTES;
    return aligned_alloc(64, (bytes + 63) / 64 * 64);
}

/* [oc][ic/groups][kernel] to [oc][kernel][ic/groups] */
static float *pack_weights(const struct peer_task *t)
{
    const struct convc_problem *p = t->problem;
    float *plain = peer_weights(t), *wei = allocate(peer_wei_elements(t));
    if (plain && wei)
        peer_channels_last(plain, p->oc, p->ic / p->groups, p->kernel[CONVC_H] * p->kernel[CONVC_W],
                           wei);
    free(plain);
    return wei;
}

static enum xnn_status create(struct state *s)
{
    const struct peer_task *t = s->task;
    const struct convc_problem *p = t->problem;
    float low = -INFINITY, high = INFINITY;
    if (p->activation == CONVC_ACT_RELU)
        low = 0;
    if (p->activation == CONVC_ACT_CLAMP) {
        low = (float)p->activation_args[0];
        high = (float)p->activation_args[1];
    }
    float *wei = pack_weights(t);
    if (!wei)
        return xnn_status_out_of_memory;
    enum xnn_status st = xnn_create_convolution2d_nhwc_f32(
        (uint32_t)p->pad_begin[CONVC_H], (uint32_t)p->pad_end[CONVC_W],
        (uint32_t)p->pad_end[CONVC_H], (uint32_t)p->pad_begin[CONVC_W],
        (uint32_t)p->kernel[CONVC_H], (uint32_t)p->kernel[CONVC_W], (uint32_t)p->stride[CONVC_H],
        (uint32_t)p->stride[CONVC_W], (uint32_t)p->dilation[CONVC_H],
        (uint32_t)p->dilation[CONVC_W], (uint32_t)p->groups, (size_t)(p->ic / p->groups),
        (size_t)(p->oc / p->groups), (size_t)p->ic, (size_t)p->oc, wei, t->bias, low, high, 0,
        &s->op);
    free(wei);
    return st;
}

static enum xnn_status place(struct state *s)
{
    const struct peer_task *t = s->task;
    const struct convc_problem *p = t->problem;
    s->src = allocate(peer_src_elements(t));
    s->dst = allocate(peer_dst_elements(t));
    if (!s->src || !s->dst)
        return xnn_status_out_of_memory;
    peer_channels_last(t->src, p->n, p->ic, p->in[CONVC_H] * p->in[CONVC_W], s->src);
    if (t->threads > 1 && !(s->pool = pthreadpool_create((size_t)t->threads)))
        return xnn_status_out_of_memory;
    return xnn_setup_convolution2d_nhwc_f32(s->op, (size_t)p->n, (size_t)p->in[CONVC_H],
                                            (size_t)p->in[CONVC_W], s->src, s->dst, s->pool);
}

static void destroy(struct peer_run *r)
{
    struct state *s = r->state;
    if (!s)
        return;
    if (s->op)
        xnn_delete_operator(s->op);
    if (s->pool)
        pthreadpool_destroy(s->pool);
    free(s->src);
    free(s->dst);
    free(s);
    r->state = NULL;
}

static enum exit_code prepare(const struct peer_task *t, enum peer_layout layout,
                              struct peer_run *r, struct failure *f)
{
    const char *why = unable(t->problem, layout);
    if (why)
        return fail(f, EXIT_USAGE, "%s", why);
    struct state *s = calloc(1, sizeof *s);
    if (!s)
        return fail_memory(f);
    *r = (struct peer_run){ .state = s, .in_spec_layout = t->problem->layout == CONVC_NHWC };
    snprintf(r->layout, sizeof r->layout, "channels last");
    s->task = t;
    enum xnn_status st = xnn_initialize(NULL);
    double begin = seconds_now();
    if (st == xnn_status_success)
        st = create(s);
    r->creation_ms = (seconds_now() - begin) * 1e3;
    if (st == xnn_status_success)
        st = place(s);
    if (st == xnn_status_success)
        return EXIT_FINE;
    destroy(r);
    return fail(f, EXIT_USAGE, "XNNPACK: %s", status_text(st));
}

static enum exit_code run(struct peer_run *r, struct failure *f)
{
    struct state *s = r->state;
    enum xnn_status st = xnn_run_operator(s->op, s->pool);
    return st ? fail(f, EXIT_SYSTEM, "XNNPACK: %s", status_text(st)) : EXIT_FINE;
}

static enum exit_code result(struct peer_run *r, float *out, struct failure *f)
{
    struct state *s = r->state;
    const struct peer_task *t = s->task;
    enum exit_code code = run(r, f);
    if (code == EXIT_FINE)
        peer_channels_first(s->dst, t->problem->n, t->problem->oc, t->out[1] * t->out[2], out);
    return code;
}

const struct peer peer_xnnpack = {
    .name = "xnnpack",
    .prepare = prepare,
    .run = run,
    .result = result,
    .destroy = destroy,
};
