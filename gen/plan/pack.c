#include "gen/plan/pack.h"

#include <string.h>

struct convc_packed_header pack_header(const struct layout *l, int64_t bytes)
{
    return (struct convc_packed_header){
        .magic = "convcpk1",
        .layout_hash = layout_hash(l),
        .bytes = sizeof(struct convc_packed_header) + (uint64_t)(layout_elements(l) * bytes),
    };
}

/* Channels that are packed together share cache lines of the destination. */
enum { TOGETHER = 32 };

/* The inputs of one tap for `channels` output channels: plain[c*plain_channel + i*plain_step] goes
 * to packed[base[c] + i*step]. */
struct strip {
    int64_t channels, inputs;
    int64_t plain_channel, plain_step;
    int64_t base[TOGETHER], step[TOGETHER];
};

static void pack_strip_f32(const struct strip *s, const float *plain, float *packed)
{
    for (int64_t i = 0; i < s->inputs; i++) {
        for (int64_t c = 0; c < s->channels; c++)
            packed[s->base[c] + i * s->step[c]] = plain[c * s->plain_channel + i * s->plain_step];
    }
}

static void pack_strip_f64(const struct strip *s, const double *plain, double *packed)
{
    for (int64_t i = 0; i < s->inputs; i++) {
        for (int64_t c = 0; c < s->channels; c++)
            packed[s->base[c] + i * s->step[c]] = plain[c * s->plain_channel + i * s->plain_step];
    }
}

/* Where the layout puts tap `tap` of channels [o, o + channels): it is affine in the input. */
static void place_strip(const struct layout *l, int64_t o, const int64_t tap[3], struct strip *s)
{
    for (int64_t c = 0; c < s->channels; c++) {
        s->base[c] = layout_index(l, o + c, 0, tap);
        s->step[c] = l->icg > 1 ? layout_index(l, o + c, 1, tap) - s->base[c] : 0;
    }
}

static void pack_channels(const struct layout *l, int64_t bytes, int64_t o, int64_t channels,
                          const char *plain, char *packed)
{
    const int64_t taps = l->kernel[0] * l->kernel[1] * l->kernel[2];
    struct strip s = {
        .channels = channels, .inputs = l->icg, .plain_channel = l->icg * taps, .plain_step = taps
    };
    for (int64_t t = 0; t < taps; t++) {
        const int64_t tap[3] = { t / (l->kernel[1] * l->kernel[2]), t / l->kernel[2] % l->kernel[1],
                                 t % l->kernel[2] };
        const char *from = plain + (o * s.plain_channel + t) * bytes;
        place_strip(l, o, tap, &s);
        if (bytes == 4)
            pack_strip_f32(&s, (const float *)from, (float *)packed);
        else
            pack_strip_f64(&s, (const double *)from, (double *)packed);
    }
}

void pack_by_layout(const struct layout *l, int64_t bytes, const void *plain, void *packed)
{
    int64_t elements = layout_elements(l);
    if (elements > l->oc * l->icg * l->kernel[0] * l->kernel[1] * l->kernel[2])
        memset(packed, 0, (size_t)(elements * bytes));
    for (int64_t o = 0; o < l->oc; o += TOGETHER) {
        int64_t channels = l->oc - o < TOGETHER ? l->oc - o : TOGETHER;
        pack_channels(l, bytes, o, channels, plain, packed);
    }
}
