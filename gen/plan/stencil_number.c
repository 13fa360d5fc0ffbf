/* What a stencil computes in. */
#include "gen/plan/stencil.h"

#include <math.h>

enum { SHIFT_MOST = 8 };

/* The least shift that makes all weights whole numbers; -1: there is none. */
static int find_shift(const struct problem *p)
{
    int shift = 0;
    for (int64_t i = 0; i < p->c.period * p->c.values; i++) {
        while (shift <= SHIFT_MOST &&
               ldexp(p->c.value[i], shift) != rint(ldexp(p->c.value[i], shift)))
            shift++;
        if (shift > SHIFT_MOST)
            return -1;
    }
    return shift;
}

/* All that taps read: elements of the source, and padding. */
static void find_source(const struct problem *p, double *least, double *most)
{
    bool padding = p->p.padding_mode == CONVC_PAD_CONSTANT || p->p.padding_mode == CONVC_PAD_ZEROS;
    double outside = p->p.padding_mode == CONVC_PAD_CONSTANT ? p->p.padding_value : 0;
    *least = dtype_least(p->p.src_dtype);
    *most = dtype_most(p->p.src_dtype);
    if (padding && problem_pads(p)) {
        *least = fmin(*least, outside);
        *most = fmax(*most, outside);
    }
}

/* What the filters come to, before the shift. */
static void find_sums(const struct problem *p, int shift, double *least, double *most)
{
    double low, high;
    find_source(p, &low, &high);
    *least = *most = 0;
    for (int64_t f = 0; f < p->c.period; f++) {
        double sum_least = 0, sum_most = 0;
        for (int64_t i = 0; i < p->c.values; i++) {
            double w = ldexp(p->c.value[f * p->c.values + i], shift);
            sum_least += w < 0 ? w * high : w * low;
            sum_most += w < 0 ? w * low : w * high;
        }
        *least = fmin(*least, sum_least);
        *most = fmax(*most, sum_most);
    }
}

/* Nothing but rounding follows. */
static bool ends_there(const struct problem *p)
{
    return !p->f.epilogue && !p->p.bias && !p->p.residual && p->p.activation <= CONVC_ACT_RELU;
}

static bool only_picks(const struct expr *e)
{
    bool only = true;
    for (int i = 0; i <= e->root; i++) {
        int op = e->node[i].op;
        only = only && (op == EXPR_VAR || op == EXPR_MIN || op == EXPR_MAX);
    }
    return only;
}

/* Windows whose values are elements of the source. */
static struct stencil_number picked_number(const struct problem *p)
{
    struct stencil_number n = { 0 };
    if (!p->f.windowed || !only_picks(&p->f.window))
        return n;
    find_source(p, &n.least, &n.most);
    n.sign = n.least < 0;
    n.narrow = n.least >= INT16_MIN && n.most <= (n.sign ? INT16_MAX : UINT16_MAX);
    return n;
}

static bool is_whole(const struct problem *p)
{
    return p->p.padding_mode != CONVC_PAD_CONSTANT ||
           p->p.padding_value == rint(p->p.padding_value);
}

struct stencil_number stencil_number_of(const struct problem *p)
{
    struct stencil_number n = { 0 };
    int shift = find_shift(p);
    bool sums = p->c.period && !p->f.terms && !p->f.windowed;
    if (!dtype_whole(p->p.src_dtype) || !ends_there(p) || !is_whole(p))
        return n;
    if (!sums || shift < 0)
        return picked_number(p);
    find_sums(p, shift, &n.least, &n.most);
    double half = shift ? ldexp(1, shift - 1) : 0; /* which rounding adds */
    n.shift = shift;
    n.sign = n.least < 0;
    n.narrow = n.least >= INT16_MIN && n.most + half <= (n.sign ? INT16_MAX : UINT16_MAX);
    return n;
}
