/* opencv: filters of pictures, every channel by itself, by whichever functions of imgproc compute
 * the same; the fastest of them counts.
 *
 * Its favourite layout is a picture for each channel, channels first; channels last it takes where
 * they all have one filter. Where windows do not reach over an edge of the picture they read what
 * lies beyond the edge of the part that is written, so that no padding costs nothing.
 * Stands on: peer, opencv_filter.
 */
#include "bench/peers/opencv_filter.h"
#include "bench/peers/peer.h"
#include "runtime/cli/element.h"
#include "runtime/cli/race.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How long a function is tried before the fastest is chosen. */
static const double trial_seconds = 0.02;

/* A weight of max-plus from which on a tap is none: no input is as large. */
static const float no_tap = 1e30f;

struct state {
    const struct peer_task *task;
    bool last;     /* channels are last in one picture, else a picture each */
    int64_t count; /* pictures that come out */
    enum opencv_function function;
    struct opencv_filter *filter; /* one each, and its call */
    struct opencv_call **call;
    void *src, *dst; /* elements of their types */
    float *kernels;
};

/* ---- what is computed ------------------------------------------------------------------------ */

static bool is_text(const char *text, const char *what)
{
    return text ? !strcmp(text, what) : !*what;
}

enum family { LINEAR, DILATION, EROSION, WINDOW, NONE };

/* Of max-plus and min-plus those whose weights tell taps from none are dilations and erosions; so
 * are largest and least inputs. What a window of x alone computes shows by its results. */
static enum family family_of(const struct convc_problem *p)
{
    if (!is_text(p->window, ""))
        return WINDOW;
    bool plus = is_text(p->combine, "add(x,w)") || is_text(p->combine, "x");
    bool minus = is_text(p->combine, "sub(x,w)") || is_text(p->combine, "x");
    if (is_text(p->combine, "") && is_text(p->reduce, ""))
        return LINEAR;
    if (is_text(p->reduce, "max") && (plus || minus))
        return DILATION;
    return is_text(p->reduce, "min") && (plus || minus) ? EROSION : NONE;
}

/* The anchor over the pads of an axis, centred where it can be; -1 where outputs reach further than
 * a window whose anchor lies over the picture. */
static int64_t anchor_of(const struct convc_problem *p, int a)
{
    int64_t last = p->dilation[a] * (p->kernel[a] - 1);
    int64_t least = p->pad_begin[a] > 0 ? p->pad_begin[a] : 0;
    int64_t most = p->pad_end[a] > 0 ? last - p->pad_end[a] : last;
    int64_t centre = (last + 1) / 2;
    if (least > most)
        return -1;
    return centre < least ? least : centre > most ? most : centre;
}

static const char *unable(const struct peer_task *t)
{
    const struct convc_problem *p = t->problem;
    if (p->acc_dtype != CONVC_F32)
        return "OpenCV computes in f32 only here";
    if (p->spatial == 3)
        return "OpenCV filters pictures";
    if (p->ic != p->groups)
        return "OpenCV filters every channel by itself";
    for (int a = 0; a < 3; a++)
        if (p->stride[a] != 1)
            return "OpenCV's filters have no stride";
    if (family_of(p) == NONE || !is_text(p->epilogue, "") || (family_of(p) == WINDOW && t->wei))
        return "OpenCV has no such functions";
    if (p->residual || p->activation != CONVC_ACT_NONE)
        return "OpenCV adds no residual and has no activation within a filter";
    if (anchor_of(p, CONVC_H) < 0 || anchor_of(p, CONVC_W) < 0)
        return "OpenCV's filters pad no more than a window less one pixel";
    if (p->padding_mode == CONVC_PAD_CIRCULAR)
        return "OpenCV's filters do not wrap around";
    if (family_of(p) == LINEAR && p->padding_mode <= CONVC_PAD_CONSTANT && !peer_pads_zeros(p))
        return "OpenCV's linear filters pad no constant but zero";
    return NULL;
}

/* ---- filters --------------------------------------------------------------------------------- */

/* A weight as the filter has it; false where it is none of a flat dilation or erosion, in which it
 * is 0 at a tap, and far on the other side elsewhere. */
static bool entry_of(const struct convc_problem *p, float w, float *entry)
{
    enum family family = family_of(p);
    bool down = (family == DILATION) != is_text(p->combine, "sub(x,w)");
    *entry = family == LINEAR ? w : family == WINDOW || is_text(p->combine, "x") || w == 0;
    return family == LINEAR || *entry == 1 || (down ? w <= -no_tap : w >= no_tap);
}

static int64_t window_of(const struct convc_problem *p, int a)
{
    return p->dilation[a] * (p->kernel[a] - 1) + 1;
}

/* All kernels, zeros between the taps of dilated ones. */
static enum exit_code make_kernels(struct state *s, struct failure *f)
{
    const struct convc_problem *p = s->task->problem;
    int64_t rows = window_of(p, CONVC_H), cols = window_of(p, CONVC_W), kw = p->kernel[CONVC_W];
    int64_t taps = p->kernel[CONVC_H] * kw;
    float *plain = s->task->wei ? peer_weights(s->task) : NULL;
    enum exit_code code = EXIT_FINE;
    s->kernels = calloc((size_t)(p->oc * rows * cols), sizeof *s->kernels);
    if ((s->task->wei && !plain) || !s->kernels)
        code = fail_memory(f);
    for (int64_t i = 0; code == EXIT_FINE && i < p->oc * taps; i++) {
        int64_t row = i / taps * rows + i % taps / kw * p->dilation[CONVC_H];
        float *entry = &s->kernels[row * cols + i % kw * p->dilation[CONVC_W]];
        if (!entry_of(p, plain ? plain[i] : 1, entry))
            code = fail(f, EXIT_USAGE, "OpenCV's dilations and erosions are flat");
    }
    free(plain);
    return code;
}

static enum opencv_border border_of(const struct convc_problem *p)
{
    switch (p->padding_mode) {
    case CONVC_PAD_REFLECT: return OPENCV_REFLECT_101;
    case CONVC_PAD_SYMMETRIC: return OPENCV_REFLECT;
    case CONVC_PAD_REPLICATE: return OPENCV_REPLICATE;
    default: return OPENCV_CONSTANT;
    }
}

static enum opencv_element element_of(enum convc_dtype t)
{
    switch (t) {
    case CONVC_U8: return OPENCV_U8;
    case CONVC_S16: return OPENCV_S16;
    case CONVC_U16: return OPENCV_U16;
    default: return OPENCV_F32;
    }
}

/* The filter of an output channel. */
static struct opencv_filter filter_of(const struct state *s, int64_t channel)
{
    const struct peer_task *t = s->task;
    const struct convc_problem *p = t->problem;
    int64_t taps = window_of(p, CONVC_H) * window_of(p, CONVC_W);
    bool constant = p->padding_mode == CONVC_PAD_CONSTANT;
    return (struct opencv_filter){
        .rows = (int)p->in[CONVC_H],
        .cols = (int)p->in[CONVC_W],
        .channels = s->last ? (int)p->ic : 1,
        .out_rows = (int)t->out[CONVC_H],
        .out_cols = (int)t->out[CONVC_W],
        .row = (int)(anchor_of(p, CONVC_H) - p->pad_begin[CONVC_H]),
        .col = (int)(anchor_of(p, CONVC_W) - p->pad_begin[CONVC_W]),
        .src = element_of(p->src_dtype),
        .dst = element_of(p->dst_dtype),
        .kernel_rows = (int)window_of(p, CONVC_H),
        .kernel_cols = (int)window_of(p, CONVC_W),
        .anchor_row = (int)anchor_of(p, CONVC_H),
        .anchor_col = (int)anchor_of(p, CONVC_W),
        .kernel = s->kernels + channel * taps,
        .border = border_of(p),
        .outside_skipped = p->padding_mode == CONVC_PAD_IDENTITY,
        .outside = constant ? p->padding_value : 0,
        .bias = t->bias ? t->bias[channel] : 0,
    };
}

/* May one picture have all channels? */
static bool one_filter(const struct state *s)
{
    const struct convc_problem *p = s->task->problem;
    int64_t taps = window_of(p, CONVC_H) * window_of(p, CONVC_W);
    bool same = p->oc == p->ic && p->ic <= 4;
    for (int64_t c = 1; same && c < p->oc; c++) {
        same = !memcmp(s->kernels, s->kernels + c * taps, (size_t)taps * sizeof *s->kernels);
        same = same && (!s->task->bias || s->task->bias[c] == s->task->bias[0]);
    }
    return same;
}

/* ---- runs ------------------------------------------------------------------------------------ */

static void *allocate(int64_t elements, enum convc_dtype t)
{
    return aligned_alloc(64, (size_t)(elements * element_bytes(t) + 63) / 64 * 64 + 64);
}

static enum exit_code run_all(void *state, struct failure *f)
{
    struct state *s = state;
    for (int64_t i = 0; i < s->count; i++)
        if (!opencv_call_run(s->call[i]))
            return fail(f, EXIT_SYSTEM, "OpenCV: %s failed", opencv_function_name(s->function));
    return EXIT_FINE;
}

static enum exit_code run(struct peer_run *r, struct failure *f)
{
    return run_all(r->state, f);
}

static void destroy_calls(struct state *s)
{
    for (int64_t i = 0; s->call && i < s->count; i++) {
        opencv_call_destroy(s->call[i]);
        s->call[i] = NULL;
    }
}

/* Calls of this function for all pictures; false where it does not compute one of them. */
static bool create_calls(struct state *s, enum opencv_function function)
{
    const struct convc_problem *p = s->task->problem;
    int64_t channels = s->last ? p->ic : 1, outs = s->last ? 1 : p->oc;
    int64_t in = p->in[CONVC_H] * p->in[CONVC_W] * channels * element_bytes(p->src_dtype);
    int64_t out = s->task->out[CONVC_H] * s->task->out[CONVC_W] * channels;
    unsigned char *src = s->src, *dst = s->dst;
    out *= element_bytes(p->dst_dtype);
    s->function = function;
    for (int64_t i = 0; i < s->count; i++) {
        int64_t from = s->last ? i : i / p->oc * p->ic + i % p->oc / (p->oc / p->groups);
        s->filter[i] = filter_of(s, i % outs);
        s->call[i] = opencv_call_create(function, &s->filter[i], src + from * in, dst + i * out);
        if (!s->call[i]) {
            destroy_calls(s);
            return false;
        }
    }
    return true;
}

/* Outputs of the last run, in N, C, spatial order. */
static enum exit_code read_outputs(const struct state *s, float *out, struct failure *f)
{
    const struct peer_task *t = s->task;
    int64_t count = peer_dst_elements(t);
    float *as_it_lies = allocate(count, CONVC_F32);
    if (!as_it_lies)
        return fail_memory(f);
    for (int64_t i = 0; i < count; i++)
        as_it_lies[i] = (float)element_load(t->problem->dst_dtype, s->dst, i);
    if (s->last)
        peer_channels_first(as_it_lies, t->problem->n, t->problem->oc, t->out[1] * t->out[2], out);
    else
        memcpy(out, as_it_lies, (size_t)count * sizeof *out);
    free(as_it_lies);
    return EXIT_FINE;
}

/* Of a window: is it what this function computes? They all choose one of their inputs. */
static bool is_wanted(const struct state *s)
{
    int64_t count = peer_dst_elements(s->task);
    struct failure f;
    float *out = allocate(count, CONVC_F32);
    bool same = out && read_outputs(s, out, &f) == EXIT_FINE;
    for (int64_t i = 0; same && i < count; i++)
        same = (double)out[i] == s->task->want[i];
    free(out);
    return same;
}

static enum exit_code choose(struct state *s, struct failure *f)
{
    static const enum opencv_function first[] = { OPENCV_FILTER_2D, OPENCV_DILATE, OPENCV_ERODE,
                                                  OPENCV_DILATE };
    static const enum opencv_function last[] = { OPENCV_SOBEL, OPENCV_DILATE, OPENCV_ERODE,
                                                 OPENCV_MEDIAN_BLUR };
    enum family family = family_of(s->task->problem);
    enum opencv_function best = first[family];
    double least = INFINITY, seconds;
    for (int i = first[family]; i <= (int)last[family]; i++) {
        if (!create_calls(s, (enum opencv_function)i))
            continue;
        bool runs = !race_turn(run_all, s, trial_seconds, &seconds, f);
        if (runs && seconds < least && (family != WINDOW || is_wanted(s))) {
            least = seconds;
            best = (enum opencv_function)i;
        }
        destroy_calls(s);
    }
    if (isinf(least) || !create_calls(s, best))
        return fail(f, EXIT_USAGE, "OpenCV: no function takes this filter");
    f->text[0] = '\0';
    return EXIT_FINE;
}

/* ---- preparation ----------------------------------------------------------------------------- */

static void destroy(struct peer_run *r)
{
    struct state *s = r->state;
    if (!s)
        return;
    destroy_calls(s);
    free(s->filter);
    free(s->call);
    free(s->src);
    free(s->dst);
    free(s->kernels);
    free(s);
    r->state = NULL;
}

/* The source as elements of its type, in the layout. */
static enum exit_code place_source(struct state *s, struct failure *f)
{
    const struct peer_task *t = s->task;
    const struct convc_problem *p = t->problem;
    int64_t count = peer_src_elements(t);
    float *last = s->last ? allocate(count, CONVC_F32) : NULL;
    if (s->last && !last)
        return fail_memory(f);
    if (s->last)
        peer_channels_last(t->src, p->n, p->ic, p->in[CONVC_H] * p->in[CONVC_W], last);
    for (int64_t i = 0; i < count; i++)
        element_store(p->src_dtype, s->src, i, (double)(s->last ? last : t->src)[i]);
    free(last);
    return EXIT_FINE;
}

static enum exit_code place(struct state *s, struct failure *f)
{
    const struct peer_task *t = s->task;
    const struct convc_problem *p = t->problem;
    s->count = p->n * (s->last ? 1 : p->oc);
    s->filter = calloc((size_t)s->count, sizeof *s->filter);
    s->call = calloc((size_t)s->count, sizeof(struct opencv_call *));
    s->src = allocate(peer_src_elements(t), p->src_dtype);
    s->dst = allocate(peer_dst_elements(t), p->dst_dtype);
    if (!s->filter || !s->call || !s->src || !s->dst)
        return fail_memory(f);
    return place_source(s, f);
}

/* Channels last is a layout of its own where there are several. */
static enum exit_code lay_out(struct state *s, enum peer_layout layout, struct failure *f)
{
    const struct convc_problem *p = s->task->problem;
    s->last = layout == PEER_SPEC && p->layout == CONVC_NHWC && p->oc > 1;
    if (s->last && !one_filter(s))
        return fail(f, EXIT_USAGE, "OpenCV has one filter for up to four channels of a picture");
    return EXIT_FINE;
}

static enum exit_code prepare(const struct peer_task *t, enum peer_layout layout,
                              struct peer_run *r, struct failure *f)
{
    const struct convc_problem *p = t->problem;
    const char *why = unable(t);
    if (why)
        return fail(f, EXIT_USAGE, "%s", why);
    struct state *s = calloc(1, sizeof *s);
    if (!s)
        return fail_memory(f);
    *r = (struct peer_run){ .state = s };
    s->task = t;
    opencv_threads(t->threads);
    enum exit_code code = make_kernels(s, f);
    if (code == EXIT_FINE)
        code = lay_out(s, layout, f);
    if (code == EXIT_FINE)
        code = place(s, f);
    if (code == EXIT_FINE)
        code = choose(s, f);
    if (code) {
        destroy(r);
        return code;
    }
    r->in_spec_layout = s->last || p->layout == CONVC_NCHW || (p->ic == 1 && p->oc == 1);
    snprintf(r->layout, sizeof r->layout, "%s, %s", opencv_function_name(s->function),
             s->last ? "channels last" : "a picture a channel");
    return EXIT_FINE;
}

static enum exit_code result(struct peer_run *r, float *out, struct failure *f)
{
    enum exit_code code = run(r, f);
    return code ? code : read_outputs(r->state, out, f);
}

const struct peer peer_opencv = {
    .name = "opencv",
    .says_itself = true,
    .prepare = prepare,
    .run = run,
    .result = result,
    .destroy = destroy,
};
