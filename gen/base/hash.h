/* hash: 64-bit hashes of bytes, for cache keys and checksums. Not for secrets.
 *
 * Folded 64x64->128 multiplication, the mixing step of wyhash (Wang Yi, 2019).
 * Stands on: the C library.
 */
#ifndef GEN_BASE_HASH_H
#define GEN_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

uint64_t hash64(const void *bytes, size_t count, uint64_t seed);

#endif
