/* A picture. Under libFuzzer the checksums of its chunks are put right after every mutation, or
 * libpng would look no further than at them. */
#include "runtime/cli/picture.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

void fuzz_one(const uint8_t *bytes, size_t size)
{
    char path[64];
    int file = memfd_create("picture", MFD_CLOEXEC), bits = 0;
    FACT(file >= 0 && write(file, bytes, size) == (ssize_t)size, "no file");
    snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    struct array shape = { 0 }, a = { 0 };
    struct failure f = { 0 };
    enum exit_code known = picture_shape(path, &shape, &f);
    enum exit_code code = picture_read(path, &a, &bits, &f);
    if (code == EXIT_FINE) {
        FACT(known == EXIT_FINE && !memcmp(shape.extent, a.extent, sizeof a.extent), "its shape");
        FACT(bits == 8 || bits == 16, "%d bits", bits);
        for (int64_t i = 0; i < a.count; i++)
            FACT(a.value[i] >= 0 && a.value[i] < 1 << bits, "%g", a.value[i]);
        array_free(&a);
    } else {
        FACT(f.text[0], "a failure without a sentence");
        FACT(code != EXIT_SYSTEM, "%s", f.text); /* it asks for more memory than it can fill */
    }
    close(file);
}

#ifdef CONVC_FUZZ
#include <zlib.h>

size_t LLVMFuzzerMutate(uint8_t *bytes, size_t size, size_t most);
size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t size, size_t most, unsigned seed);

static uint32_t big_endian(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t size, size_t most, unsigned seed)
{
    enum { SIGNATURE = 8, AROUND = 12 };
    size = LLVMFuzzerMutate(bytes, size, most);
    for (size_t at = SIGNATURE; at + AROUND <= size && seed % 8;) {
        size_t length = big_endian(bytes + at);
        if (length > size - at - AROUND)
            break;
        uint8_t *end = bytes + at + 8 + length;
        uint32_t crc = (uint32_t)crc32(0, bytes + at + 4, (uInt)length + 4);
        for (int i = 0; i < 4; i++)
            end[i] = (uint8_t)(crc >> (24 - 8 * i));
        at += length + AROUND;
    }
    return size;
}
#endif
