#include "bench/peers/peer.h"

#include <stdlib.h>
#include <string.h>

#ifdef CONVC_PEER_ONEDNN
extern const struct peer peer_onednn;
#define ONEDNN &peer_onednn
#else
#define ONEDNN NULL
#endif

#ifdef CONVC_PEER_XNNPACK
extern const struct peer peer_xnnpack;
#define XNNPACK &peer_xnnpack
#else
#define XNNPACK NULL
#endif

#ifdef CONVC_PEER_OPENBLAS
extern const struct peer peer_openblas;
#define OPENBLAS &peer_openblas
#else
#define OPENBLAS NULL
#endif

#ifdef CONVC_PEER_OPENCV
extern const struct peer peer_opencv;
#define OPENCV &peer_opencv
#else
#define OPENCV NULL
#endif

extern const struct peer peer_memcpy, peer_onnxruntime;

const struct peer_entry peer_entries[] = {
    { "onednn", "oneDNN", ONEDNN },       { "xnnpack", "XNNPACK", XNNPACK },
    { "openblas", "OpenBLAS", OPENBLAS }, { "onnxruntime", "ONNX Runtime", &peer_onnxruntime },
    { "opencv", "OpenCV", OPENCV },       { "memcpy", "memcpy", &peer_memcpy },
};
const int peer_count = sizeof peer_entries / sizeof peer_entries[0];

bool peer_pads_zeros(const struct convc_problem *p)
{
    bool pads = false;
    for (int a = 0; a < 3; a++)
        pads = pads || p->pad_begin[a] > 0 || p->pad_end[a] > 0;
    return !pads || p->padding_mode == CONVC_PAD_ZEROS || p->padding_mode == CONVC_PAD_IDENTITY ||
           (p->padding_mode == CONVC_PAD_CONSTANT && p->padding_value == 0);
}

int64_t peer_src_elements(const struct peer_task *t)
{
    const struct convc_problem *p = t->problem;
    return p->n * p->ic * p->in[0] * p->in[1] * p->in[2];
}

int64_t peer_wei_elements(const struct peer_task *t)
{
    const struct convc_problem *p = t->problem;
    return p->oc * (p->ic / p->groups) * p->kernel[0] * p->kernel[1] * p->kernel[2];
}

int64_t peer_dst_elements(const struct peer_task *t)
{
    return t->problem->n * t->problem->oc * t->out[0] * t->out[1] * t->out[2];
}

float *peer_weights(const struct peer_task *t)
{
    const struct convc_problem *p = t->problem;
    int64_t taps = p->kernel[0] * p->kernel[1] * p->kernel[2], count = peer_wei_elements(t);
    float *wei = malloc((size_t)count * sizeof *wei);
    if (!wei)
        return NULL;
    for (int64_t i = 0; i < count; i++)
        wei[i] = t->wei[p->flip ? i / taps * taps + (taps - 1 - i % taps) : i];
    return wei;
}

void peer_channels_last(const float *in, int64_t n, int64_t c, int64_t x, float *out)
{
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < c; j++)
            for (int64_t k = 0; k < x; k++)
                out[(i * x + k) * c + j] = in[(i * c + j) * x + k];
}

void peer_channels_first(const float *in, int64_t n, int64_t c, int64_t x, float *out)
{
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < c; j++)
            for (int64_t k = 0; k < x; k++)
                out[(i * c + j) * x + k] = in[(i * x + k) * c + j];
}
