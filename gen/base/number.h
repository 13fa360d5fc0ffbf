/* number: arithmetic of whole numbers.
 *
 * Nothing here looks for overflow. Stands on: the C library.
 */
#ifndef GEN_BASE_NUMBER_H
#define GEN_BASE_NUMBER_H

#include <stdint.h>

/* a / b, rounded up, for a >= 0 and b > 0. */
static inline int64_t ceil_div(int64_t a, int64_t b)
{
    return (a + b - 1) / b;
}

/* The greatest common divisor; gcd(a, 0) is a. */
static inline int64_t gcd(int64_t a, int64_t b)
{
    while (b) {
        int64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

#endif
