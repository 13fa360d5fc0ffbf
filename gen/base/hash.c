#include "gen/base/hash.h"

#include <string.h>

__extension__ typedef unsigned __int128 uint128;

static uint64_t mix(uint64_t a, uint64_t b)
{
    uint128 p = (uint128)a * b;
    return (uint64_t)p ^ (uint64_t)(p >> 64);
}

static uint64_t read64(const unsigned char *p, size_t count)
{
    uint64_t v = 0;
    memcpy(&v, p, count);
    return v;
}

uint64_t hash64(const void *bytes, size_t count, uint64_t seed)
{
    const uint64_t k0 = 0xa0761d6478bd642f, k1 = 0xe7037ed1a0b428db, k2 = 0x8ebc6af09c88c6e3;
    const unsigned char *p = bytes;
    uint64_t h = seed ^ k0;
    size_t left = count;
    for (; left >= 16; left -= 16, p += 16)
        h = mix(read64(p, 8) ^ k1, read64(p + 8, 8) ^ h);
    size_t low = left < 8 ? left : 8;
    h = mix(read64(p, low) ^ k1, read64(p + low, left - low) ^ h);
    return mix(h ^ k2, (uint64_t)count ^ k1);
}
