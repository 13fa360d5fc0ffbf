#include "runtime/cli/npy.h"

#include "runtime/cli/element.h"
#include "runtime/cli/stream.h"

#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* NumPy itself reads no longer header than this without being told to. */
enum { HEADER_MAX = 10000 };

struct element {
    char kind; /* 'f', 'i', 'u', 'b' */
    int bytes;
    bool big_endian;
};

struct header {
    struct element element;
    bool fortran;
    int rank;
    int64_t extent[ARRAY_RANK_MAX];
};

/* ---- the header, a Python dict -------------------------------------------------------------- */

struct reader {
    const char *at, *end;
    const char *name;
    struct failure *f;
};

static enum exit_code refuse(struct reader *r, const char *rule)
{
    return fail(r->f, EXIT_USAGE, "%s: the .npy header %s", r->name, rule);
}

static void skip_space(struct reader *r)
{
    while (r->at < r->end && (*r->at == ' ' || *r->at == '\t' || *r->at == '\n'))
        r->at++;
}

/* Takes one punctuation character, if it is next. */
static bool take(struct reader *r, char c)
{
    skip_space(r);
    if (r->at == r->end || *r->at != c)
        return false;
    r->at++;
    return true;
}

static bool take_word(struct reader *r, const char *word)
{
    size_t length = strlen(word);
    skip_space(r);
    if ((size_t)(r->end - r->at) < length || memcmp(r->at, word, length))
        return false;
    r->at += length;
    return true;
}

/* string = "'" characters "'" | '"' characters '"', without escapes */
static bool read_string(struct reader *r, char *text, size_t size)
{
    skip_space(r);
    if (r->at == r->end || (*r->at != '\'' && *r->at != '"'))
        return false;
    char quote = *r->at++;
    size_t length = 0;
    for (; r->at < r->end && *r->at != quote; r->at++) {
        if (*r->at < ' ' || *r->at > '~' || *r->at == '\\' || length + 1 >= size)
            return false;
        text[length++] = *r->at;
    }
    text[length] = 0;
    return r->at++ < r->end;
}

/* descr = order kind bytes, such as <f4 */
static enum exit_code read_descr(struct reader *r, struct element *e)
{
    static const char *const known[] = { "f2", "f4", "f8", "i1", "i2", "i4",
                                         "i8", "u1", "u2", "u4", "u8", "b1" };
    char text[16];
    if (!read_string(r, text, sizeof text))
        return refuse(r, "has a descr that is no plain type");
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (strlen(text) != 3 || strcmp(text + 1, known[i]) || !strchr("<>|=", text[0]))
            continue;
        *e = (struct element){ text[1], text[2] - '0', text[0] == '>' };
        if (text[0] != '|' || e->bytes == 1)
            return EXIT_FINE;
    }
    return fail(r->f, EXIT_USAGE,
                "%s: descr '%s' is not a real number type of 1 to 8 bytes that convc reads",
                r->name, text);
}

static enum exit_code read_order(struct reader *r, bool *fortran)
{
    *fortran = take_word(r, "True");
    if (!*fortran && !take_word(r, "False"))
        return refuse(r, "has a fortran_order that is neither True nor False");
    return EXIT_FINE;
}

static bool read_extent(struct reader *r, int64_t *out)
{
    const int64_t limit = (int64_t)1 << 48;
    int64_t v = 0;
    skip_space(r);
    const char *begin = r->at;
    for (; r->at < r->end && *r->at >= '0' && *r->at <= '9'; r->at++) {
        v = v * 10 + (*r->at - '0');
        if (v > limit)
            return false;
    }
    *out = v;
    return r->at > begin && (*begin != '0' || r->at == begin + 1);
}

/* shape = "(" ")" | "(" extent "," ")" | "(" extent "," extent ... [","] ")" */
static enum exit_code read_shape(struct reader *r, struct header *h)
{
    const char *const rule = "has a shape that is no tuple of extents from 0 to 2^48";
    h->rank = 0;
    if (!take(r, '('))
        return refuse(r, rule);
    bool comma = true;
    while (!take(r, ')')) {
        if (!comma)
            return refuse(r, rule);
        if (h->rank == ARRAY_RANK_MAX)
            return refuse(r, "has a shape of more than 8 axes");
        if (!read_extent(r, &h->extent[h->rank++]))
            return refuse(r, rule);
        comma = take(r, ',');
    }
    if (h->rank == 1 && !comma)
        return refuse(r, rule); /* (3) is a number in Python */
    if (array_product(h->extent, h->rank) < 0)
        return refuse(r, "has a shape of more than 2^48 elements");
    return EXIT_FINE;
}

/* header = "{" "'descr'" ":" descr "," "'fortran_order'" ":" bool "," "'shape'" ":" shape [","]
 * "}", the keys in any order */
static enum exit_code read_header(struct reader *r, struct header *h)
{
    enum { DESCR = 1, ORDER = 2, SHAPE = 4 };
    int seen = 0;
    bool comma = true;
    if (!take(r, '{'))
        return refuse(r, "is no dict");
    while (!take(r, '}')) {
        char key[32];
        if (!comma || !read_string(r, key, sizeof key) || !take(r, ':'))
            return refuse(r, "is no dict of 'key': value");
        int bit = !strcmp(key, "descr")           ? DESCR
                  : !strcmp(key, "fortran_order") ? ORDER
                  : !strcmp(key, "shape")         ? SHAPE
                                                  : 0;
        if (!bit)
            return fail(r->f, EXIT_USAGE, "%s: the .npy header has an unknown key '%s'", r->name,
                        key);
        if (seen & bit)
            return fail(r->f, EXIT_USAGE, "%s: the .npy header has the key '%s' twice", r->name,
                        key);
        seen |= bit;
        enum exit_code code = bit == DESCR   ? read_descr(r, &h->element)
                              : bit == ORDER ? read_order(r, &h->fortran)
                                             : read_shape(r, h);
        if (code)
            return code;
        comma = take(r, ',');
    }
    skip_space(r);
    if (r->at != r->end)
        return refuse(r, "has something behind its dict");
    if (seen != (DESCR | ORDER | SHAPE))
        return refuse(r, "lacks one of descr, fortran_order and shape");
    return EXIT_FINE;
}

/* ---- the elements --------------------------------------------------------------------------- */

static double half_value(uint64_t bits)
{
    int exponent = (int)(bits >> 10 & 31);
    double fraction = (double)(bits & 1023);
    double v = exponent == 31  ? (fraction != 0 ? (double)NAN : (double)INFINITY)
               : exponent == 0 ? ldexp(fraction, -24)
                               : ldexp(fraction + 1024, exponent - 25);
    return bits >> 15 ? -v : v;
}

static double element_value(const struct element *e, const unsigned char *p)
{
    uint64_t bits = 0;
    for (int i = 0; i < e->bytes; i++)
        bits |= (uint64_t)p[e->big_endian ? e->bytes - 1 - i : i] << (8 * i);
    switch (e->kind) {
    case 'u': return (double)bits;
    case 'b': return bits != 0;
    case 'i': {
        uint64_t sign = (uint64_t)1 << (8 * e->bytes - 1);
        uint64_t wide = (bits ^ sign) - sign; /* sign-extends */
        return wide >> 63 ? -(double)(~wide + 1) : (double)wide;
    }
    default: break;
    }
    if (e->bytes == 2)
        return half_value(bits);
    if (e->bytes == 4) {
        uint32_t low = (uint32_t)bits;
        float v;
        memcpy(&v, &low, sizeof v);
        return (double)v;
    }
    double v;
    memcpy(&v, &bits, sizeof v);
    return v;
}

/* In C order the elements follow one another; in Fortran order the first axis is the fastest. */
static void read_elements(const struct header *h, const unsigned char *data, struct array *a)
{
    int64_t index[ARRAY_RANK_MAX] = { 0 }, stride[ARRAY_RANK_MAX];
    int64_t step = 1;
    for (int i = 0; i < h->rank; i++) {
        int axis = h->fortran ? i : h->rank - 1 - i;
        stride[axis] = step;
        step *= h->extent[axis];
    }
    for (int64_t at = 0, i = 0; i < a->count; i++) {
        a->value[i] = element_value(&h->element, data + at * h->element.bytes);
        for (int axis = h->rank - 1; axis >= 0; axis--) {
            at += stride[axis];
            if (++index[axis] < h->extent[axis])
                break;
            at -= stride[axis] * h->extent[axis];
            index[axis] = 0;
        }
    }
}

/* ---- whole files ---------------------------------------------------------------------------- */

/* Finds the header's text; *data is where the elements begin. */
static enum exit_code find_header(const unsigned char *bytes, size_t size, struct reader *r,
                                  size_t *data)
{
    if (size < 10 || memcmp(bytes, "\x93NUMPY", 6))
        return fail(r->f, EXIT_USAGE, "%s is no .npy file: it does not begin with \\x93NUMPY",
                    r->name);
    int major = bytes[6], minor = bytes[7];
    if (major < 1 || major > 3 || minor != 0)
        return fail(r->f, EXIT_USAGE, "%s: .npy version %d.%d is none of 1.0, 2.0 and 3.0", r->name,
                    major, minor);
    size_t begin = major == 1 ? 10 : 12;
    if (size < begin)
        return refuse(r, "is cut short");
    uint32_t length = bytes[8] | (uint32_t)bytes[9] << 8;
    if (major > 1)
        length |= (uint32_t)bytes[10] << 16 | (uint32_t)bytes[11] << 24;
    if (length > HEADER_MAX)
        return fail(r->f, EXIT_USAGE, "%s: the .npy header is %" PRIu32 " bytes long, more than %d",
                    r->name, length, HEADER_MAX);
    if (length > size - begin)
        return refuse(r, "is cut short");
    r->at = (const char *)bytes + begin;
    r->end = r->at + length;
    *data = begin + length;
    return EXIT_FINE;
}

enum exit_code npy_parse(const unsigned char *bytes, size_t size, const char *name, struct array *a,
                         struct failure *f)
{
    struct reader r = { .name = name, .f = f };
    struct header h = { 0 };
    size_t data = 0;
    enum exit_code code = find_header(bytes, size, &r, &data);
    if (code == EXIT_FINE)
        code = read_header(&r, &h);
    if (code)
        return code;

    struct array read = { .rank = h.rank };
    memcpy(read.extent, h.extent, sizeof read.extent);
    uint64_t expected = (uint64_t)array_product(h.extent, h.rank) * (uint64_t)h.element.bytes;
    if (size - data != expected)
        return fail(f, EXIT_USAGE, "%s holds %zu bytes of elements, but its header says %" PRIu64,
                    name, size - data, expected);
    code = array_allocate(&read, f);
    if (code)
        return code;
    read_elements(&h, bytes + data, &read);
    *a = read;
    return EXIT_FINE;
}

enum exit_code npy_read(const char *path, struct array *a, struct failure *f)
{
    unsigned char *bytes;
    size_t size;
    enum exit_code code = stream_read(path, SIZE_MAX / 4, &bytes, &size, f);
    if (code == EXIT_FINE)
        code = npy_parse(bytes, size, path, a, f);
    free(bytes);
    return code;
}

static void put_little_endian(unsigned char *p, uint64_t bits, int bytes)
{
    for (int i = 0; i < bytes; i++)
        p[i] = (unsigned char)(bits >> (8 * i));
}

static void write_elements(FILE *out, const struct array *a, enum convc_dtype dtype)
{
    unsigned char block[8 * 512];
    int bytes = (int)element_bytes(dtype);
    for (int64_t i = 0; i < a->count;) {
        int n = 0;
        for (; n < 512 && i < a->count; n++, i++)
            put_little_endian(block + n * bytes, element_bits(dtype, a->value[i]), bytes);
        fwrite(block, (size_t)bytes, (size_t)n, out);
    }
}

enum exit_code npy_write(const char *path, const struct array *a, enum convc_dtype dtype,
                         struct failure *f)
{
    char shape[ARRAY_SHAPE_TEXT], dict[ARRAY_SHAPE_TEXT + 100];
    array_shape_text(a, shape);
    snprintf(dict, sizeof dict, "{'descr': '%s', 'fortran_order': False, 'shape': %s, }",
             element_descr(dtype), shape);
    int length = (int)((10 + strlen(dict) + 1 + 63) / 64 * 64 - 10); /* elements at 64 bytes */
    unsigned char head[10] = "\x93NUMPY\x01";
    put_little_endian(head + 8, (uint64_t)length, 2);

    struct stream_out out;
    enum exit_code code = stream_create(path, &out, f);
    if (code)
        return code;
    fwrite(head, 1, sizeof head, out.stream);
    fprintf(out.stream, "%-*s\n", length - 1, dict);
    write_elements(out.stream, a, dtype);
    return stream_finish(&out, code, f);
}
