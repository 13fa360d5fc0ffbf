#include "tests/support/element.h"

#include <math.h>

double element_get(enum convc_dtype t, const void *tensor, int64_t i)
{
    switch (t) {
    case CONVC_F32: return (double)((const float *)tensor)[i];
    case CONVC_F64: return ((const double *)tensor)[i];
    case CONVC_U8: return ((const uint8_t *)tensor)[i];
    case CONVC_S16: return ((const int16_t *)tensor)[i];
    case CONVC_U16: return ((const uint16_t *)tensor)[i];
    }
    return (double)NAN;
}

void element_set(enum convc_dtype t, void *tensor, int64_t i, double value)
{
    switch (t) {
    case CONVC_F32: ((float *)tensor)[i] = (float)value; break;
    case CONVC_F64: ((double *)tensor)[i] = value; break;
    case CONVC_U8: ((uint8_t *)tensor)[i] = (uint8_t)value; break;
    case CONVC_S16: ((int16_t *)tensor)[i] = (int16_t)value; break;
    case CONVC_U16: ((uint16_t *)tensor)[i] = (uint16_t)value; break;
    }
}
