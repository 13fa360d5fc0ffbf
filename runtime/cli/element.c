#include "runtime/cli/element.h"

#include <math.h>
#include <string.h>

/* In the order of enum convc_dtype. */
static const struct {
    const char *name, *descr;
    int64_t bytes;
    bool whole;
    double least, most;
} types[] = {
    { "f32", "<f4", 4, false, 0, 0 },         { "f64", "<f8", 8, false, 0, 0 },
    { "u8", "|u1", 1, true, 0, UINT8_MAX },   { "s16", "<i2", 2, true, INT16_MIN, INT16_MAX },
    { "u16", "<u2", 2, true, 0, UINT16_MAX },
};

int64_t element_bytes(enum convc_dtype t)
{
    return types[t].bytes;
}

const char *element_name(enum convc_dtype t)
{
    return types[t].name;
}

const char *element_descr(enum convc_dtype t)
{
    return types[t].descr;
}

bool element_whole(enum convc_dtype t)
{
    return types[t].whole;
}

double element_least(enum convc_dtype t)
{
    return types[t].least;
}

double element_most(enum convc_dtype t)
{
    return types[t].most;
}

double element_round(enum convc_dtype t, double v)
{
    if (types[t].whole)
        return isnan(v) ? 0 : fmin(fmax(nearbyint(v), types[t].least), types[t].most);
    return t == CONVC_F32 ? (double)(float)v : v;
}

uint64_t element_bits(enum convc_dtype t, double v)
{
    uint64_t bits = 0;
    uint32_t low;
    float single = (float)v;
    switch (t) {
    case CONVC_F32: memcpy(&low, &single, sizeof low); return low;
    case CONVC_F64: memcpy(&bits, &v, sizeof bits); return bits;
    case CONVC_U8: return (uint8_t)element_round(t, v);
    case CONVC_S16: return (uint16_t)(int16_t)element_round(t, v);
    case CONVC_U16: return (uint16_t)element_round(t, v);
    }
    return 0;
}

void element_store(enum convc_dtype t, void *data, int64_t at, double v)
{
    uint64_t bits = element_bits(t, v);
    switch (types[t].bytes) {
    case 1: ((uint8_t *)data)[at] = (uint8_t)bits; break;
    case 2: ((uint16_t *)data)[at] = (uint16_t)bits; break;
    case 4: ((uint32_t *)data)[at] = (uint32_t)bits; break;
    default: ((uint64_t *)data)[at] = bits; break;
    }
}

double element_load(enum convc_dtype t, const void *data, int64_t at)
{
    switch (t) {
    case CONVC_F32: return (double)((const float *)data)[at];
    case CONVC_F64: return ((const double *)data)[at];
    case CONVC_U8: return ((const uint8_t *)data)[at];
    case CONVC_S16: return ((const int16_t *)data)[at];
    case CONVC_U16: return ((const uint16_t *)data)[at];
    }
    return (double)NAN;
}
