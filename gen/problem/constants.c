#include "gen/problem/constants.h"

#include "gen/base/hash.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

/* Of one kernel; INT64_MAX where there are too many to count. */
static int64_t kernel_values(const struct convc_problem *p)
{
    int64_t count = p->ic / p->groups;
    for (int a = 0; a < 3; a++)
        if (__builtin_mul_overflow(count, p->kernel[a], &count))
            return INT64_MAX;
    return count;
}

bool constants_count_fits(const struct convc_problem *p)
{
    int64_t values = kernel_values(p), all;
    return values <= CONSTANTS_MAX && !__builtin_mul_overflow(values, p->oc, &all) &&
           all <= CONSTANTS_WEIGHTS_MAX;
}

/* As the accumulator has it; -0 becomes 0. */
static double rounded(const struct convc_problem *p, double v)
{
    return (p->acc_dtype == CONVC_F64 ? v : (double)(float)v) + 0.0;
}

/* Does kernel o equal kernel o % period everywhere? */
static bool repeats(const struct convc_problem *p, int64_t values, int64_t period)
{
    for (int64_t i = period * values; i < p->oc * values; i++)
        if (rounded(p, p->weights[i]) != rounded(p, p->weights[i - period * values]))
            return false;
    return true;
}

/* The smallest period of the channels; 0 where it has more values than there is room for. */
static int64_t find_period(const struct convc_problem *p, int64_t values)
{
    for (int64_t period = 1; period <= p->oc && period * values <= CONSTANTS_MAX; period++)
        if (p->oc % period == 0 && repeats(p, values, period))
            return period;
    return 0;
}

bool constants_fit(const struct convc_problem *p)
{
    return constants_count_fits(p) && find_period(p, kernel_values(p)) > 0;
}

/* Where value i of a kernel stands in a flipped one. */
static int64_t flipped(const struct convc_problem *p, int64_t i)
{
    int64_t taps = p->kernel[0] * p->kernel[1] * p->kernel[2];
    return i / taps * taps + (taps - 1 - i % taps);
}

static enum convc_status take(const struct convc_problem *p, struct constants *c, struct diag *d)
{
    for (int64_t i = 0; i < c->period * c->values; i++) {
        int64_t kernel = i / c->values * c->values;
        double v = p->weights[p->flip ? kernel + flipped(p, i - kernel) : i];
        if (!isfinite(v))
            return diag_fail(d, CONVC_ERR_ARGUMENT, "weights: %g must be finite", v);
        if (isinf(rounded(p, v)))
            return diag_fail(d, CONVC_ERR_ARGUMENT, "weights: %g does not fit f32", v);
        c->value[i] = rounded(p, v);
    }
    return CONVC_OK;
}

enum convc_status constants_resolve(const struct convc_problem *p, struct constants *c,
                                    struct diag *d)
{
    c->period = c->values = 0;
    if (!p->weights)
        return CONVC_OK;
    if (!constants_count_fits(p))
        return diag_fail(d, CONVC_ERR_UNSUPPORTED,
                         "weights: as constants a kernel has at most %d values, and all channels "
                         "%d; give more at run time",
                         CONSTANTS_MAX, CONSTANTS_WEIGHTS_MAX);
    c->values = kernel_values(p);
    c->period = find_period(p, c->values);
    if (!c->period)
        return diag_fail(d, CONVC_ERR_UNSUPPORTED,
                         "weights: as constants channels have at most %d values before they "
                         "repeat; give more at run time",
                         CONSTANTS_MAX);
    return take(p, c, d);
}

double constants_at(const struct constants *c, int64_t o, int64_t i)
{
    return c->value[o % c->period * c->values + i];
}

void constants_print(const struct constants *c, struct text *t)
{
    int64_t count = c->period * c->values, next;
    if (count)
        text_add(t, ";weights=");
    for (int64_t i = 0; i < count; i = next) {
        for (next = i + 1; next < count && c->value[next] == c->value[i];)
            next++;
        text_add(t, i ? "," : "");
        text_add_real(t, c->value[i]);
        if (next > i + 1)
            text_add(t, "*%" PRId64, next - i);
    }
}

void constants_hash(const struct constants *c, uint64_t hash[2])
{
    static const uint64_t seed[2] = { 0xb492b66fbe98f273, 0x9ae16a3b2f90404f };
    size_t bytes = (size_t)(c->period * c->values) * sizeof *c->value;
    for (int i = 0; bytes && i < 2; i++)
        hash[i] = hash64(c->value, bytes, hash[i] ^ seed[i]) ^ (uint64_t)c->period;
}
