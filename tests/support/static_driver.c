/* Runs one static kernel on tensors from files: what a program does that has nothing but the header
 * and the library. Built as C99 and as C++, with
 *
 *     -DHEADER='"x.h"' -DNAME=conv [-DBIAS] [-DRESIDUAL] [-DCONSTANT]
 *     [-DSRC_TYPE=uint8_t] [-DDST_TYPE=int16_t]
 *
 * and run as `static_driver SRC WEI BIAS RESIDUAL DST`.
 *
 * Files are raw elements. Once in one call and once by ranges, last item first: the results must be
 * the same bits.
 */
#include HEADER

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define JOIN_(a, b)        a##b
#define JOIN(a, b)         JOIN_(a, b)
#define OF(suffix)         JOIN(NAME, suffix)
#define BYTES(count, type) ((size_t)(count) * sizeof(type))
#ifndef SRC_TYPE
#define SRC_TYPE float
#endif
#ifndef DST_TYPE
#define DST_TYPE float
#endif

static void *room(size_t bytes)
{
    char *p = (char *)malloc(bytes + 128);
    if (!p)
        exit(3);
    memset(p, 0x7f, bytes + 128);
    return p + 64 - (size_t)p % 64;
}

static void *read_file(const char *path, size_t bytes)
{
    void *to = room(bytes);
    FILE *f = fopen(path, "rb");
    if (!f || fread(to, 1, bytes, f) != bytes) {
        fprintf(stderr, "%s is not there, or too short\n", path);
        exit(3);
    }
    fclose(f);
    return to;
}

#ifdef CONSTANT
#define PACKED_ARGUMENT
#else
#define PACKED_ARGUMENT packed,
#endif
#ifdef BIAS
#define BIAS_ARGUMENT bias,
#else
#define BIAS_ARGUMENT
#endif
#ifdef RESIDUAL
#define RESIDUAL_ARGUMENT residual,
#else
#define RESIDUAL_ARGUMENT
#endif

int main(int argc, char **argv)
{
    if (argc != 6)
        return 2;
    const size_t out = BYTES(OF(_DST_ELEMENTS), DST_TYPE);
    SRC_TYPE *src = (SRC_TYPE *)read_file(argv[1], BYTES(OF(_SRC_ELEMENTS), SRC_TYPE));
#ifdef BIAS
    float *bias = (float *)read_file(argv[3], BYTES(OF(_CHANNELS), float));
#endif
#ifdef RESIDUAL
    DST_TYPE *residual = (DST_TYPE *)read_file(argv[4], out);
#endif
    DST_TYPE *dst = (DST_TYPE *)room(out), *again = (DST_TYPE *)room(out);
    void *workspace = room(OF(_WORKSPACE_BYTES));
#ifndef CONSTANT
    void *packed = room(OF(_PACKED_BYTES));
    OF(_pack)((const float *)read_file(argv[2], BYTES(OF(_WEIGHTS), float)), packed);
#endif
    NAME(src, PACKED_ARGUMENT BIAS_ARGUMENT RESIDUAL_ARGUMENT dst, workspace, 1);
    for (int32_t phase = 0; phase < OF(_PHASES); phase++)
        for (int64_t i = OF(_items)(phase, 1); i > 0; i--)
            OF(_range)
    (src, PACKED_ARGUMENT BIAS_ARGUMENT RESIDUAL_ARGUMENT again, workspace, 1, phase, i - 1, i);
    if (memcmp(dst, again, out) != 0) {
        fprintf(stderr, "ranges give other results than one call\n");
        return 1;
    }
    FILE *f = fopen(argv[5], "wb");
    return !f || fwrite(dst, 1, out, f) != out || fclose(f) ? 3 : 0;
}
