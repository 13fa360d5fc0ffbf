/* random: problems and data from a seed, the same on every machine.
 *
 * Numbers are splitmix64 (Steele, Lea, Flood 2014) of seed and counter. Problems lean to where
 * mistakes live: extents of 1, one partial tile, padding at least as large as the kernel, prime
 * sizes, channels around multiples of the vector width, groups of every width, tensors with gaps.
 */
#ifndef CLI_RANDOM_H
#define CLI_RANDOM_H

#include <convc/convc.h>

struct random {
    uint64_t state;
};

/* Number `i` of stream `seed`. */
uint64_t random_at(uint64_t seed, uint64_t i);

uint64_t random_next(struct random *r);
int64_t random_below(struct random *r, int64_t n);
int64_t random_within(struct random *r, int64_t low, int64_t high);

/* Uniform in [-1, 1), a multiple of 2^-52. */
double random_real(uint64_t seed, uint64_t i);

/* 0 for about half of the numbers, else from -most to most. */
double random_sparse(uint64_t seed, uint64_t i, int64_t most);

/* A problem that convc_problem_check accepts, small enough to be checked in milliseconds. */
void random_problem(uint64_t seed, struct convc_problem *p);

/* Texts of functions, and where a problem has them. */
struct random_texts {
    char combine[512], reduce[512], window[4096], epilogue[512], args[128];
};

/* Gives a problem functions instead of products, bias, residual and activation; often a window,
 * where each channel stands alone. */
void random_functions(uint64_t seed, struct convc_problem *p, struct random_texts *texts);

/* Gives a problem constant weights, which stay where `weights` is: dense, sparse, symmetric, of
 * rank 1 or 0, whole or not, one kernel or several. Often each filter sees one channel. */
enum { RANDOM_WEIGHTS = 4096 };
void random_constants(uint64_t seed, struct convc_problem *p, double weights[RANDOM_WEIGHTS]);

#endif
