/* Constant kernels as programs. */
#include "gen/base/memory.h"
#include "gen/plan/stencil.h"

#include <float.h>
#include <math.h>
#include <string.h>

/* ---- sums ----------------------------------------------------------------------------------- */

/* The terms of one magnitude, added and subtracted; *negative: it is the negative of that. */
static struct stencil_term sum_equal(struct stencil *s, const struct stencil_term *term,
                                     const double *value, int count, bool *negative)
{
    int first = 0;
    while (first < count && value[first] < 0)
        first++;
    *negative = first == count;
    struct stencil_term sum = term[*negative ? 0 : first];
    for (int i = 0; i < count; i++) {
        bool minus = value[i] < 0 && !*negative;
        if (i != (*negative ? 0 : first))
            sum = stencil_make(s, minus ? STENCIL_SUB : STENCIL_ADD, 0, sum, term[i]);
    }
    return sum;
}

/* Moves the terms of the first one's magnitude to the front; returns how many they are. */
static int gather_equal(struct stencil_term *term, double *value, int count)
{
    int equal = 1;
    for (int i = 1; i < count; i++) {
        if (fabs(value[i]) != fabs(value[0]))
            continue;
        struct stencil_term t = term[i];
        double v = value[i];
        memmove(term + equal + 1, term + equal, (size_t)(i - equal) * sizeof *term);
        memmove(value + equal + 1, value + equal, (size_t)(i - equal) * sizeof *value);
        term[equal] = t;
        value[equal++] = v;
    }
    return equal;
}

static struct stencil_term add_group(struct stencil *s, const struct stencil_term *sum,
                                     struct stencil_term group, double factor)
{
    if (!sum && factor == 1)
        return group;
    if (!sum)
        return stencil_make(s, STENCIL_SCALE, factor, group, group);
    if (fabs(factor) == 1)
        return stencil_make(s, factor < 0 ? STENCIL_SUB : STENCIL_ADD, 0, *sum, group);
    return stencil_make(s, STENCIL_FMA, factor, group, *sum);
}

static void move_first(struct stencil_term *term, double *value, int i)
{
    struct stencil_term t = term[i];
    double v = value[i];
    memmove(term + 1, term, (size_t)i * sizeof *term);
    memmove(value + 1, value, (size_t)i * sizeof *value);
    term[0] = t;
    value[0] = v;
}

/* A term of value 1, or else one whose magnitude is not 1, comes first: the sum then begins without
 * a multiplication, or with one that is there anyway. */
static void ones_first(struct stencil_term *term, double *value, int count)
{
    int other = 0;
    for (int i = 0; i < count; i++) {
        if (value[i] == 1) {
            move_first(term, value, i);
            return;
        }
        other = fabs(value[i]) != 1 && fabs(value[other]) == 1 ? i : other;
    }
    if (count)
        move_first(term, value, other);
}

struct stencil_term stencil_sum(struct stencil *s, struct stencil_term *term, double *value,
                                int count)
{
    /* Of many terms neighbours come one after the other, as rows of a tile share them: in another
     * order they would not stay in registers. */
    enum { FOLDED_MOST = 16 };
    struct stencil_term sum;
    bool folded = count <= FOLDED_MOST;
    if (folded)
        ones_first(term, value, count);
    for (int i = 0, equal; i < count; i += equal) {
        bool negative;
        equal = folded ? gather_equal(term + i, value + i, count - i) : 1;
        struct stencil_term group = sum_equal(s, term + i, value + i, equal, &negative);
        double factor = negative ? -fabs(value[i]) : fabs(value[i]);
        sum = add_group(s, i ? &sum : NULL, group, factor);
    }
    return count ? sum : stencil_constant(s, 0);
}

/* ---- columns -------------------------------------------------------------------------------- */

/* A kernel as rows, which are those of all depths, by columns. */
struct matrix {
    const struct problem *p;
    const double *value;
    int rows, cols;
};

static double at(const struct matrix *m, int row, int col)
{
    return m->value[row * m->cols + col];
}

static struct stencil_term tap(struct stencil *s, const struct matrix *m, int row, int64_t col)
{
    const struct convc_problem *p = &m->p->p;
    int64_t kh = p->kernel[CONVC_H];
    const int64_t place[3] = { row / kh * p->dilation[CONVC_D], row % kh * p->dilation[CONVC_H],
                               col * p->dilation[CONVC_W] };
    return stencil_src(s, place);
}

/* Are all values whole numbers of some 2^-shift, so that what is made of them here is exact? */
static bool is_dyadic(const struct matrix *m)
{
    enum { SHIFT = 24 };
    double most = 0, finest = 1;
    for (int i = 0; i < m->rows * m->cols; i++) {
        double v = fabs(m->value[i]);
        most = v > most ? v : most;
        while (finest > ldexp(1, -SHIFT) && fmod(v, finest) != 0)
            finest /= 2;
        if (fmod(v, finest) != 0)
            return false;
    }
    return most <= ldexp(finest, SHIFT);
}

/* Is column b a multiple of column a, whose value in row `pivot` is not 0? Values were rounded, so
 * their ratios are that much off, unless they are dyadic. */
static bool is_multiple(const struct matrix *m, int a, int b, int pivot)
{
    double u = m->p->p.acc_dtype == CONVC_F64 ? DBL_EPSILON : FLT_EPSILON;
    double most = is_dyadic(m) ? 0 : 2 * u;
    for (int r = 0; r < m->rows; r++) {
        double x = at(m, r, a) * at(m, pivot, b), y = at(m, r, b) * at(m, pivot, a);
        if (fabs(x - y) > most * fabs(y))
            return false;
    }
    return at(m, pivot, b) != 0;
}

static int column_taps(const struct matrix *m, int col)
{
    int taps = 0;
    for (int r = 0; r < m->rows; r++)
        taps += at(m, r, col) != 0;
    return taps;
}

/* The row of a column's largest value. */
static int pivot_row(const struct matrix *m, int col)
{
    int best = 0;
    for (int r = 1; r < m->rows; r++)
        if (fabs(at(m, r, col)) > fabs(at(m, best, col)))
            best = r;
    return best;
}

/* The greatest common divisor of dyadic numbers, with the sign of the largest; of others the
 * largest. So a column of dyadic numbers, divided by it, is one of whole numbers, and one of its
 * values, or more, needs no multiplication. */
static double unit_of(const struct matrix *m, int col)
{
    int pivot = pivot_row(m, col);
    if (!is_dyadic(m))
        return at(m, pivot, col);
    double unit = 0;
    for (int r = 0; r < m->rows; r++) {
        double a = fabs(at(m, r, col));
        while (a != 0) {
            double rest = fmod(unit, a);
            unit = a;
            a = rest;
        }
    }
    return at(m, pivot, col) < 0 ? -unit : unit;
}

/* Sums of its products with whole numbers round nothing: see the reference's errors. */
static bool is_short(double value)
{
    return value * 64 == rint(value * 64);
}

/* Column `col` as `factor` times its quotients by `unit`: do weights that are short stay products
 * of such? What is exact with them is demanded exactly, whatever the kernel's other weights are. */
static bool stays_short(const struct matrix *m, int pivot_col, int col, double unit, double factor)
{
    for (int r = 0; r < m->rows; r++) {
        double weight = at(m, r, col), quotient = at(m, r, pivot_col) / unit;
        bool same = is_short(quotient) && is_short(factor) && quotient * factor == weight;
        if (weight != 0 && is_short(weight) && !same)
            return false;
    }
    return true;
}

/* The vertical form of a column, divided by its unit. */
static struct stencil_term vertical(struct stencil *s, const struct matrix *m, int col, double unit)
{
    struct stencil_term *term = memory_take((size_t)m->rows * sizeof *term);
    double *value = memory_take((size_t)m->rows * sizeof *value);
    int count = 0;
    for (int r = 0; term && value && r < m->rows; r++) {
        if (at(m, r, col) == 0)
            continue;
        term[count] = tap(s, m, r, 0);
        value[count++] = at(m, r, col) / unit;
    }
    s->full = s->full || !term || !value;
    struct stencil_term sum =
        s->full ? (struct stencil_term){ 0 } : stencil_sum(s, term, value, count);
    memory_free(term);
    memory_free(value);
    return sum;
}

/* The terms of a sum under construction. */
struct terms {
    struct stencil_term *term;
    double *value;
    int count;
};

static void add_term(struct terms *t, struct stencil_term term, double value)
{
    t->term[t->count] = term;
    t->value[t->count++] = value;
}

/* Adds column `col`, and those after it that are multiples of it; marks them as done. */
static void add_columns(struct stencil *s, const struct matrix *m, int col, bool *done,
                        struct terms *t)
{
    double unit = unit_of(m, col), factor[CONSTANTS_MAX];
    int pivot = pivot_row(m, col), like = 0, which[CONSTANTS_MAX];
    bool dyadic = is_dyadic(m), exact = true;
    for (int c = col; c < m->cols; c++) {
        if (done[c] || !is_multiple(m, col, c, pivot))
            continue;
        which[like] = c;
        factor[like] = at(m, pivot, c) / (at(m, pivot, col) / unit);
        exact = exact && (dyadic || stays_short(m, col, c, unit, factor[like]));
        done[c] = true;
        like++;
    }
    if (like == 1 || column_taps(m, col) == 1 || !exact) {
        for (int i = 0; i < like; i++)
            for (int r = 0; r < m->rows; r++)
                if (at(m, r, which[i]) != 0)
                    add_term(t, tap(s, m, r, which[i]), at(m, r, which[i]));
        return;
    }
    struct stencil_term form = vertical(s, m, col, unit);
    s->form[form.form].column = like > 1;
    for (int i = 0; i < like; i++) {
        struct stencil_term here = form;
        here.at[2] += which[i] * m->p->p.dilation[CONVC_W];
        add_term(t, here, factor[i]);
    }
}

struct stencil_term stencil_kernel(struct stencil *s, const struct problem *p, const double *kernel)
{
    const int64_t *k = p->p.kernel;
    struct matrix m = { p, kernel, (int)(k[0] * k[1]), (int)k[2] };
    bool done[CONSTANTS_MAX] = { false };
    struct terms t = { memory_take(CONSTANTS_MAX * sizeof *t.term),
                       memory_take(CONSTANTS_MAX * sizeof *t.value), 0 };
    s->full = s->full || !t.term || !t.value;
    for (int c = 0; !s->full && c < m.cols; c++)
        if (!done[c] && column_taps(&m, c) > 0)
            add_columns(s, &m, c, done, &t);
    struct stencil_term sum = { 0 };
    if (!s->full)
        sum = stencil_sum(s, t.term, t.value, t.count);
    memory_free(t.term);
    memory_free(t.value);
    return sum;
}
