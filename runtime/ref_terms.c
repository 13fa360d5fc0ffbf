#include "runtime/ref_terms.h"

#include "runtime/ref.h"

#include <float.h>
#include <math.h>

static bool is_wide(const struct problem *p)
{
    return p->p.acc_dtype == CONVC_F64;
}

static enum reduction reduction_of(const struct problem *p)
{
    return p->f.terms ? p->f.reduce : REDUCE_SUM;
}

void terms_begin(const struct problem *p, struct terms *acc)
{
    long double init = p->f.terms ? p->f.init : 0;
    *acc = (struct terms){ .value = init, .total = fabsl(init), .count = 1, .whole = true };
    acc->grown = fmaxl(1, fabsl(init));
    acc->shrunk = 1;
    acc->whole = isinf(init) || init * 64 == rintl(init * 64);
}

/* ---- values -------------------------------------------------------------------------------- */

void terms_add(const struct problem *p, struct terms *acc, long double x, long double w)
{
    const struct functions *f = &p->f;
    long double t = expr_eval(&f->combine, (long double[]){ x, w });
    switch (f->reduce) {
    case REDUCE_SUM: acc->value += t; break;
    case REDUCE_MAX: acc->value = acc->value > t ? acc->value : t; break;
    case REDUCE_MIN: acc->value = acc->value < t ? acc->value : t; break;
    case REDUCE_PROD: acc->value *= t; break;
    case REDUCE_FOLD: acc->value = expr_eval(&f->fold, (long double[]){ acc->value, t }); break;
    }
}

/* ---- errors -------------------------------------------------------------------------------- */

/* A product of two elements may be rounded, or not where it is fused. */
static struct expr_bounded term_of(const struct problem *p, long double x, long double w)
{
    const struct expr_bounded var[2] = { { x, 0 }, { w, 0 } };
    if (p->f.terms)
        return expr_error(&p->f.combine, var, is_wide(p));
    return (struct expr_bounded){ x * w, expr_rounded_error(x * w, 0, is_wide(p)) };
}

static void add_to_sum(struct terms *acc, struct expr_bounded t)
{
    acc->value += t.value;
    acc->error += t.error;
    acc->total += fabsl(t.value) + t.error;
    acc->whole = acc->whole && t.value * 64 == rintl(t.value * 64);
}

static void add_to_product(struct terms *acc, struct expr_bounded t)
{
    long double most = fabsl(t.value) + t.error;
    acc->value *= t.value;
    acc->error += t.error;
    acc->total *= most;
    acc->grown *= fmaxl(1, most);
    if (t.value != 0 || t.error != 0)
        acc->shrunk *= fminl(1, fabsl(fabsl(t.value) - t.error));
    acc->whole = acc->whole && t.value == rintl(t.value);
}

void terms_add_error(const struct problem *p, struct terms *acc, long double x, long double w)
{
    struct expr_bounded t = term_of(p, x, w);
    acc->count++;
    if (isnan(t.value) || isnan(t.error))
        acc->error = INFINITY;
    switch (reduction_of(p)) {
    case REDUCE_SUM: add_to_sum(acc, t); break;
    case REDUCE_PROD: add_to_product(acc, t); break;
    case REDUCE_MAX:
        acc->value = acc->value > t.value ? acc->value : t.value;
        acc->error = fmaxl(acc->error, t.error);
        break;
    case REDUCE_MIN:
        acc->value = acc->value < t.value ? acc->value : t.value;
        acc->error = fmaxl(acc->error, t.error);
        break;
    case REDUCE_FOLD: {
        const struct expr_bounded var[2] = { { acc->value, acc->error }, t };
        struct expr_bounded next = expr_error(&p->f.fold, var, is_wide(p));
        acc->value = next.value;
        acc->error = isnan(next.value) || isinf(acc->error) ? INFINITY : next.error;
        break;
    }
    }
}

static long double sum_error(const struct terms *acc, bool wide, long double gamma)
{
    long double most = wide ? 0x1p53L : 0x1p24L, largest = wide ? DBL_MAX : FLT_MAX;
    if (acc->error == 0 && acc->whole && acc->total * 64 < most)
        return 0;
    return acc->total > largest ? INFINITY : acc->error + gamma * acc->total;
}

/* Factors in any order neither overflow nor lose their digits on the way. */
static long double product_error(const struct terms *acc, bool wide, long double gamma)
{
    long double most = wide ? 0x1p53L : 0x1p24L, least = wide ? 0x1p-1022L : 0x1p-126L;
    if (acc->error == 0 && acc->whole && acc->grown < most)
        return 0;
    if (acc->grown > (wide ? (long double)DBL_MAX : (long double)FLT_MAX) || acc->shrunk < least)
        return INFINITY;
    return acc->total - fabsl(acc->value) + gamma * acc->total + least;
}

struct expr_bounded terms_end(const struct problem *p, const struct terms *acc)
{
    bool wide = is_wide(p);
    long double u = wide ? 0x1p-53L : 0x1p-24L, n = (long double)acc->count + 1;
    long double gamma = n * u < 0.5L ? n * u / (1 - n * u) : 1;
    struct expr_bounded out = { acc->value, acc->error };
    if (reduction_of(p) == REDUCE_SUM)
        out.error = sum_error(acc, wide, gamma);
    if (reduction_of(p) == REDUCE_PROD)
        out.error = product_error(acc, wide, gamma);
    return out;
}

/* ---- what follows -------------------------------------------------------------------------- */

/* The steepest slope of the activation: what it can make of an error. */
static long double slope(const struct convc_problem *p)
{
    switch (p->activation) {
    case CONVC_ACT_LEAKY_RELU: return fmaxl(1, fabsl(p->activation_args[0]));
    case CONVC_ACT_SILU: return 1.1L;
    case CONVC_ACT_GELU: return 1.13L;
    case CONVC_ACT_HARDSWISH: return 1.5L;
    default: return 1;
    }
}

struct expr_bounded terms_activate(const struct problem *p, struct expr_bounded acc,
                                   long double bias, long double residual)
{
    bool wide = is_wide(p);
    long double u = wide ? 0x1p-53L : 0x1p-24L, added[2] = { bias, residual };
    for (int i = 0; i < 2; i++) {
        acc.value += added[i];
        if (added[i] != 0)
            acc.error = expr_rounded_error(acc.value, acc.error, wide);
    }
    struct expr_bounded out = { .error = slope(&p->p) * acc.error };
    out.value = ref_activation(p->p.activation, p->p.activation_args, acc.value);
    if (p->p.activation == CONVC_ACT_LEAKY_RELU)
        out.error = expr_rounded_error(out.value, out.error, wide);
    if (p->p.activation > CONVC_ACT_LEAKY_RELU)
        out.error += 12 * u * (1 + fabsl(out.value) + fabsl(acc.value));
    return out;
}
