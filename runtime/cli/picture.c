#include "runtime/cli/picture.h"

#include "runtime/cli/stream.h"

#include <inttypes.h>
#include <math.h>
#include <png.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

bool picture_named(const char *path)
{
    size_t length = strlen(path);
    return length > 4 && !strcasecmp(path + length - 4, ".png");
}

/* libpng leaves a function by longjmp after it has called on_error. All that must be freed behind
 * a setjmp lives in this structure, which is in memory, not in a register. */
struct codec {
    png_structp png;
    png_infop info;
    png_bytep rows;   /* height rows of row_bytes */
    png_bytepp row;   /* pointers to them */
    const char *path; /* for messages */
    struct failure *f;

    const unsigned char *bytes; /* what is left to read */
    size_t left;
    struct stream_out out;
};

static void on_error(png_structp png, png_const_charp text)
{
    struct codec *c = png_get_error_ptr(png);
    fail(c->f, EXIT_USAGE, "%s: %s", c->path, text);
    png_longjmp(png, 1);
}

static void on_warning(png_structp png, png_const_charp text)
{
    (void)png, (void)text;
}

static void on_read(png_structp png, png_bytep to, size_t count)
{
    struct codec *c = png_get_io_ptr(png);
    if (count > c->left)
        png_error(png, "the PNG file is cut short");
    memcpy(to, c->bytes, count);
    c->bytes += count;
    c->left -= count;
}

/* Deflate makes at most 1032 bytes of one: a header that announces more pixels than the file can
 * hold is not believed. */
static void check_size(struct codec *c, size_t file)
{
    enum { MOST = 1032 };
    size_t height = png_get_image_height(c->png, c->info);
    size_t row_bytes = png_get_rowbytes(c->png, c->info);
    if (row_bytes && height > file * MOST / row_bytes)
        png_error(c->png, "the PNG file is too short for its size in pixels");
}

static bool allocate_rows(struct codec *c, size_t height, size_t row_bytes)
{
    c->rows = malloc(height * row_bytes);
    c->row = malloc(height * sizeof *c->row);
    if (!c->rows || !c->row)
        return false;
    for (size_t y = 0; y < height; y++)
        c->row[y] = c->rows + y * row_bytes;
    return true;
}

static void free_rows(struct codec *c)
{
    free(c->rows);
    free(c->row);
    c->rows = NULL;
    c->row = NULL;
}

/* Any PNG file becomes 1 to 4 channels of 8 or 16 bits. */
static void widen(struct codec *c)
{
    if (png_get_color_type(c->png, c->info) == PNG_COLOR_TYPE_PALETTE)
        png_set_palette_to_rgb(c->png);
    else if (png_get_bit_depth(c->png, c->info) < 8)
        png_set_expand_gray_1_2_4_to_8(c->png);
    if (png_get_valid(c->png, c->info, PNG_INFO_tRNS))
        png_set_tRNS_to_alpha(c->png);
    png_set_interlace_handling(c->png);
    png_read_update_info(c->png, c->info);
}

static void unpack(const struct codec *c, int bits, struct array *a)
{
    int64_t channels = a->extent[1], height = a->extent[2], width = a->extent[3];
    for (int64_t y = 0; y < height; y++) {
        const unsigned char *p = c->row[y];
        for (int64_t x = 0; x < width; x++) {
            for (int64_t i = 0; i < channels; i++) {
                double v = bits == 8 ? p[0] : p[0] << 8 | p[1];
                a->value[(i * height + y) * width + x] = v;
                p += bits / 8;
            }
        }
    }
}

static enum exit_code decode(struct codec *c, bool pixels, struct array *a, int *bits)
{
    const size_t file = c->left;
    if (setjmp(png_jmpbuf(c->png)))
        return EXIT_USAGE;
    /* What is neither size, palette, transparency nor pixels is passed over: libpng would take the
     * memory that such a chunk says it needs. */
    png_set_keep_unknown_chunks(c->png, PNG_HANDLE_CHUNK_NEVER, NULL, -1);
    png_set_read_fn(c->png, c, on_read);
    png_read_info(c->png, c->info);
    check_size(c, file);
    widen(c);
    *bits = png_get_bit_depth(c->png, c->info);
    a->rank = 4;
    a->extent[0] = 1;
    a->extent[1] = png_get_channels(c->png, c->info);
    a->extent[2] = png_get_image_height(c->png, c->info);
    a->extent[3] = png_get_image_width(c->png, c->info);
    if (!pixels)
        return EXIT_FINE;
    if (!allocate_rows(c, (size_t)a->extent[2], png_get_rowbytes(c->png, c->info)))
        return fail_memory(c->f);
    png_read_image(c->png, c->row);
    png_read_end(c->png, NULL);
    return EXIT_FINE;
}

static enum exit_code read_png(const char *path, bool pixels, struct array *a, int *bits,
                               struct failure *f)
{
    struct codec c = { .path = path, .f = f };
    struct array read = { 0 };
    unsigned char *bytes;
    size_t size;
    enum exit_code code = stream_read(path, SIZE_MAX / 4, &bytes, &size, f);
    if (code)
        return code;
    if (size < 8 || png_sig_cmp(bytes, 0, 8)) {
        free(bytes);
        return fail(f, EXIT_USAGE, "%s is no PNG file", path);
    }
    c.bytes = bytes;
    c.left = size;
    c.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &c, on_error, on_warning);
    c.info = c.png ? png_create_info_struct(c.png) : NULL;
    code = c.info ? decode(&c, pixels, &read, bits) : fail_memory(f);
    if (code == EXIT_FINE && pixels)
        code = array_allocate(&read, f);
    if (code == EXIT_FINE) {
        if (pixels)
            unpack(&c, *bits, &read);
        *a = read;
    }
    png_destroy_read_struct(&c.png, &c.info, NULL);
    free_rows(&c);
    free(bytes);
    return code;
}

enum exit_code picture_read(const char *path, struct array *a, int *bits, struct failure *f)
{
    return read_png(path, true, a, bits, f);
}

enum exit_code picture_shape(const char *path, struct array *a, struct failure *f)
{
    int bits;
    return read_png(path, false, a, &bits, f);
}

static void pack(const struct array *a, int bits, struct codec *c)
{
    int64_t channels = a->extent[1], height = a->extent[2], width = a->extent[3];
    double top = bits == 8 ? 255 : 65535;
    for (int64_t y = 0; y < height; y++) {
        unsigned char *p = c->row[y];
        for (int64_t x = 0; x < width; x++) {
            for (int64_t i = 0; i < channels; i++) {
                double v = nearbyint(a->value[(i * height + y) * width + x]);
                unsigned whole = v > 0 ? (unsigned)(v < top ? v : top) : 0;
                if (bits == 16)
                    *p++ = (unsigned char)(whole >> 8);
                *p++ = (unsigned char)whole;
            }
        }
    }
}

static enum exit_code encode(struct codec *c, const struct array *a, int bits)
{
    static const int types[] = { PNG_COLOR_TYPE_GRAY, PNG_COLOR_TYPE_GRAY_ALPHA, PNG_COLOR_TYPE_RGB,
                                 PNG_COLOR_TYPE_RGB_ALPHA };
    if (setjmp(png_jmpbuf(c->png)))
        return EXIT_SYSTEM;
    png_init_io(c->png, c->out.stream);
    png_set_IHDR(c->png, c->info, (png_uint_32)a->extent[3], (png_uint_32)a->extent[2], bits,
                 types[a->extent[1] - 1], PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
                 PNG_FILTER_TYPE_DEFAULT);
    png_write_info(c->png, c->info);
    png_write_image(c->png, c->row);
    png_write_end(c->png, NULL);
    return EXIT_FINE;
}

enum exit_code picture_write(const char *path, const struct array *a, int bits, struct failure *f)
{
    struct codec c = { .path = path, .f = f };
    char shape[ARRAY_SHAPE_TEXT];
    array_shape_text(a, shape);
    if (a->rank != 4 || a->extent[0] != 1 || a->extent[1] < 1 || a->extent[1] > 4)
        return fail(f, EXIT_USAGE,
                    "%s: an output of shape %s is no picture, which is (1, 1 to 4, height, width)",
                    path, shape);
    if (a->extent[2] > 1000000 || a->extent[3] > 1000000)
        return fail(f, EXIT_USAGE, "%s: an output of shape %s is larger than libpng writes", path,
                    shape);
    if (!allocate_rows(&c, (size_t)a->extent[2],
                       (size_t)(a->extent[1] * a->extent[3] * (bits / 8)))) {
        free_rows(&c);
        return fail_memory(f);
    }
    pack(a, bits, &c);

    enum exit_code code = stream_create(path, &c.out, f);
    if (code == EXIT_FINE) {
        c.png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &c, on_error, on_warning);
        c.info = c.png ? png_create_info_struct(c.png) : NULL;
        code = c.info ? encode(&c, a, bits) : fail_memory(f);
        png_destroy_write_struct(&c.png, &c.info);
        code = stream_finish(&c.out, code, f);
    }
    free_rows(&c);
    return code;
}
