#include "gen/plan/fixed.h"

#include "gen/base/memory.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BYTE_MOST = 255, SHIFT_MOST = 8 };

/* The kernel, and what of it the whole numbers will really multiply with. */
struct kernel {
    int rows, cols;
    double value[FIXED_TAPS][FIXED_TAPS], made[FIXED_TAPS][FIXED_TAPS];
    int64_t row_step, col_step;
    int form[FIXED_TAPS];      /* of each row; -1: it is 0 */
    double factor[FIXED_TAPS]; /* row = factor * base of its form */
    double base[FIXED_TAPS][FIXED_TAPS];
    double unit[FIXED_TAPS]; /* what 1 in a form is worth, of its base */
    int used[FIXED_TAPS];    /* rows of each form */
};

/* ---- rows that are multiples --------------------------------------------------------------- */

static double magnitude(const double *row, int cols)
{
    double sum = 0;
    for (int c = 0; c < cols; c++)
        sum += fabs(row[c]);
    return sum;
}

static bool is_multiple(const double *row, const double *base, double factor, int cols, double u)
{
    for (int c = 0; c < cols; c++)
        if (fabs(row[c] - factor * base[c]) > u * fabs(row[c]))
            return false;
    return true;
}

/* Bases have magnitudes of 1, and most of them positive. */
static void find_forms(struct kernel *k, double u, struct fixed *f)
{
    for (int r = 0; r < k->rows; r++) {
        double sum = 0, size = magnitude(k->value[r], k->cols);
        for (int c = 0; c < k->cols; c++)
            sum += k->value[r][c];
        size = sum < 0 ? -size : size;
        k->form[r] = -1;
        for (int i = 0; i < f->forms && size != 0 && k->form[r] < 0; i++)
            for (int s = 1; s >= -1 && k->form[r] < 0; s -= 2)
                if (is_multiple(k->value[r], k->base[i], s * size, k->cols, u)) {
                    k->form[r] = i;
                    k->factor[r] = s * size;
                }
        if (k->form[r] < 0 && size != 0) {
            k->form[r] = f->forms;
            k->factor[r] = size;
            for (int c = 0; c < k->cols; c++)
                k->base[f->forms][c] = k->value[r][c] / size;
            f->forms++;
        }
        if (k->form[r] >= 0)
            k->used[k->form[r]]++;
    }
}

/* ---- sums ----------------------------------------------------------------------------------- */

static struct fixed_part *add_part(struct fixed_sum *s, int64_t factor)
{
    struct fixed_part *part = &s->part[s->parts++];
    *part = (struct fixed_part){ .minus = factor < 0, .factor = llabs(factor) };
    return part;
}

static bool holds(const struct fixed_sum *s, double least, double most)
{
    return s->sign ? least >= INT16_MIN && most <= INT16_MAX : least >= 0 && most <= UINT16_MAX;
}

/* ---- forms of weights of 8 bits ------------------------------------------------------------ */

/* Products of bytes with such weights are added up in pairs of neighbours, which must fit 16 bits
 * with a sign. */
static bool weights_fit(const double *w, int cols)
{
    double plus = 0, minus = 0, pair = 0, largest = 0, second = 0;
    for (int c = 0; c < cols; c++) {
        double a = fabs(w[c]);
        plus += w[c] > 0 ? a : 0;
        minus += w[c] < 0 ? a : 0;
        second = a > largest ? largest : fmax(second, a);
        largest = fmax(largest, a);
    }
    pair = largest + second;
    double most = minus > 0 ? INT16_MAX : UINT16_MAX;
    return largest <= INT8_MAX && pair * BYTE_MOST <= INT16_MAX && plus * BYTE_MOST <= most &&
           minus * BYTE_MOST <= -INT16_MIN;
}

static void make_form8(const double *w, const struct kernel *k, struct fixed_sum *s)
{
    *s = (struct fixed_sum){ 0 };
    for (int c = 0; c < k->cols; c++) {
        if (w[c] == 0)
            continue;
        struct fixed_part *part = add_part(s, (int64_t)w[c]);
        part->at[part->count++] = c * k->col_step;
        *(w[c] < 0 ? &s->least : &s->most) += w[c] * BYTE_MOST;
    }
    s->sign = s->least < 0;
}

/* What the largest error is, of bytes, where w * unit stands for the base. */
static double worst(const double *base, const double *w, double unit, int cols)
{
    double plus = 0, minus = 0;
    for (int c = 0; c < cols; c++) {
        double off = base[c] - w[c] * unit;
        *(off < 0 ? &minus : &plus) += fabs(off);
    }
    return BYTE_MOST * fmax(plus, minus);
}

/* The whole numbers nearest to a multiple of the base, of all multiples whose magnitude is within
 * `most` the one that errs least, and of those that err as little the largest. Returns its error.
 */
static double search(const struct kernel *k, int form, int most, double *best)
{
    const double *base = k->base[form];
    double least = INFINITY, w[FIXED_TAPS];
    for (int size = 1; size <= most; size++) {
        for (int c = 0; c < k->cols; c++)
            w[c] = rint(base[c] * size);
        double sum = magnitude(w, k->cols);
        if (sum == 0 || !weights_fit(w, k->cols))
            continue;
        double error = worst(base, w, 1 / sum, k->cols);
        if (error > least + 1e-9)
            continue;
        least = error;
        memcpy(best, w, sizeof w);
    }
    return least;
}

/* Many equal rows are better added up before they are multiplied: where that costs little, forms
 * leave room for it. */
static bool find_form8(struct kernel *k, int form, struct fixed *f)
{
    enum { SIZE_MOST = UINT16_MAX / BYTE_MOST };
    double w[FIXED_TAPS], some[FIXED_TAPS];
    double error = search(k, form, SIZE_MOST, w), little = 1.0 / 64;
    if (!isfinite(error))
        return false;
    if (k->used[form] > 2 && search(k, form, SIZE_MOST / k->used[form], some) < error + little)
        memcpy(w, some, sizeof w);
    make_form8(w, k, &f->form[form]);
    k->unit[form] = 1 / magnitude(w, k->cols);
    return true;
}

/* ---- forms of weights of 16 bits ----------------------------------------------------------- */

/* Columns of equal weights are met with their mean, which of bytes times 256 is exact. */
static bool find_form16(struct kernel *k, int form, struct fixed *f)
{
    struct fixed_sum *s = &f->form[form];
    double plus = 0, scale, *base = k->base[form];
    bool done[FIXED_TAPS] = { false };
    for (int c = 0; c < k->cols; c++) {
        plus += base[c] > 0 ? base[c] : 0;
        s->sign = s->sign || base[c] < 0;
    }
    scale = (s->sign ? 127 : 255) / fmax(plus, 1 - plus);
    for (int c = 0; c < k->cols; c++) {
        if (done[c] || base[c] == 0)
            continue;
        int twin = k->cols - 1;
        while (twin > c && (done[twin] || base[twin] != base[c]))
            twin--;
        double factor = rint(base[c] * scale * 256 * (twin > c ? 2 : 1));
        struct fixed_part *part = add_part(s, (int64_t)factor);
        part->at[part->count++] = c * k->col_step;
        part->mean = twin > c;
        if (part->mean)
            part->at[part->count++] = twin * k->col_step;
        done[c] = done[twin] = true;
        *(factor < 0 ? &s->least : &s->most) += factor * BYTE_MOST / 256;
        *(factor < 0 ? &s->late : &s->early) += factor < 0 ? 1 : -1;
    }
    s->least -= 1; /* what is cut off of the negative ones */
    s->least = s->sign ? s->least : 0;
    k->unit[form] = 1 / scale;
    return holds(s, s->least, s->most);
}

/* ---- sums of rows --------------------------------------------------------------------------- */

/* Rows of the same form and factor as row `r`, from there on. */
static int alike(const struct kernel *k, int r, double u, int rows[FIXED_TAPS])
{
    int count = 0;
    for (int i = r; i < k->rows; i++)
        if (k->form[i] == k->form[r] && fabs(k->factor[i] - k->factor[r]) <= u * fabs(k->factor[r]))
            rows[count++] = i;
    return count;
}

static void add_rows(const struct kernel *k, const int *rows, int count, bool mean, struct fixed *f)
{
    f->of[f->sum.parts] = k->form[rows[0]];
    struct fixed_part *part = add_part(&f->sum, 0);
    part->mean = mean;
    for (int i = 0; i < count; i++)
        part->at[part->count++] = rows[i] * k->row_step;
}

/* Equal rows go together: all of them where their sum fits, else in pairs. */
static void find_parts(const struct kernel *k, double u, struct fixed *f)
{
    bool done[FIXED_TAPS] = { false };
    for (int r = 0; r < k->rows; r++) {
        int rows[FIXED_TAPS] = { 0 };
        if (done[r] || k->form[r] < 0)
            continue;
        const struct fixed_sum *form = &f->form[k->form[r]];
        int count = alike(k, r, u, rows), pairs = form->sign ? 0 : count / 2, i = 0;
        for (int n = 0; n < count; n++)
            done[rows[n]] = true;
        if (f->exact || holds(form, count * form->least, count * form->most)) {
            add_rows(k, rows, count, false, f);
            continue;
        }
        /* The outermost with one another. */
        for (; i < pairs; i++)
            add_rows(k, (const int[2]){ rows[i], rows[count - 1 - i] }, 2, true, f);
        for (; i < count - pairs; i++)
            add_rows(k, &rows[i], 1, false, f);
    }
}

/* The factor of a part: what a form is worth in outputs, times 2^(16 + shift). */
static double part_factor(const struct kernel *k, const struct fixed *f, int i)
{
    const struct fixed_part *part = &f->sum.part[i];
    int row = (int)(part->at[0] / k->row_step);
    double worth = k->factor[row] * k->unit[f->of[i]] * (part->mean ? 2 : 1);
    return rint(ldexp(worth, 16 + f->shift));
}

static bool set_factors(const struct kernel *k, struct fixed *f)
{
    bool fit = true;
    for (int i = 0; i < f->sum.parts; i++) {
        double factor = part_factor(k, f, i);
        fit = fit && fabs(factor) <= (f->form[f->of[i]].sign ? INT16_MAX : UINT16_MAX);
        f->sum.part[i].factor = fit ? (int64_t)fabs(factor) : 0;
        f->sum.part[i].minus = factor < 0;
    }
    return fit;
}

/* What is cut off, in units of the sum; what a form lacks counts by its factor. */
static void find_cut(struct fixed *f)
{
    struct fixed_sum *s = &f->sum;
    s->early = s->late = 0;
    for (int i = 0; i < s->parts; i++) {
        const struct fixed_sum *form = &f->form[f->of[i]];
        const struct fixed_part *part = &s->part[i];
        double factor = ldexp((double)part->factor, -16), count = part->mean ? 1 : part->count;
        double early = factor * count * form->early - 1, late = factor * count * form->late;
        late += part->mean ? factor / 2 : 0;
        s->early += part->minus ? -late : early;
        s->late += part->minus ? -early : late;
    }
}

/* What the whole numbers multiply each tap with. */
static void find_made(struct kernel *k, const struct fixed *f)
{
    memset(k->made, 0, sizeof k->made);
    for (int i = 0; i < f->sum.parts; i++) {
        const struct fixed_part *rows = &f->sum.part[i];
        const struct fixed_sum *form = &f->form[f->of[i]];
        double factor = ldexp((double)rows->factor, -16 - f->shift) * (rows->mean ? 0.5 : 1);
        for (int j = 0; j < form->parts * rows->count; j++) {
            const struct fixed_part *cols = &form->part[j / rows->count];
            double weight = (double)cols->factor * (f->bits == 16 ? 1.0 / 256 : 1);
            weight = factor * weight * (cols->mean ? 0.5 : 1);
            int r = (int)(rows->at[j % rows->count] / k->row_step);
            for (int c = 0; c < cols->count; c++)
                k->made[r][cols->at[c] / k->col_step] +=
                    rows->minus != cols->minus ? -weight : weight;
        }
    }
}

/* What rounded weights can do to an output, at most; and the sums that they come to. */
static double find_range(const struct kernel *k, double *least, double *most)
{
    double plus = 0, minus = 0;
    *least = *most = 0;
    for (int r = 0; r < k->rows; r++)
        for (int c = 0; c < k->cols; c++) {
            double off = k->value[r][c] - k->made[r][c];
            *(off < 0 ? &minus : &plus) += BYTE_MOST * fabs(off);
            *(k->made[r][c] < 0 ? least : most) += BYTE_MOST * k->made[r][c];
        }
    return fmax(plus, minus);
}

/* Do 16 bits hold the sums with so many bits behind the point? */
static bool find_shifted(struct kernel *k, struct fixed *f)
{
    struct fixed_sum *s = &f->sum;
    double least, most, half = f->shift ? ldexp(0.5, f->shift) : 0;
    if (!set_factors(k, f))
        return false;
    find_cut(f);
    find_made(k, f);
    double off = find_range(k, &least, &most), centre = rint(-(s->early + s->late) / 2);
    f->bias = (int64_t)(centre + half);
    s->sign = least < 0;
    s->least = ldexp(least, f->shift) + s->early + centre + half;
    s->most = ldexp(most, f->shift) + s->late + centre + half;
    /* A little more than that: halves may be rounded either way. */
    double cut = fmax(fabs(s->early + centre), fabs(s->late + centre));
    f->bound = off + ldexp(cut, -f->shift) + 1e-6;
    return holds(s, s->least, s->most);
}

/* As many bits behind the point as there is room for. */
static const char *find_sum(struct kernel *k, double u, struct fixed *f)
{
    find_parts(k, u, f);
    f->shift = SHIFT_MOST;
    while (f->shift >= 0 && !find_shifted(k, f))
        f->shift--;
    return f->shift < 0 ? "needs sums and factors that 16 bits hold" : NULL;
}

/* ---- kernels of whole numbers --------------------------------------------------------------- */

/* The least shift that makes all values whole; -1: there is none. */
static int find_shift(const struct kernel *k)
{
    int shift = 0;
    for (int i = 0; i < k->rows * k->cols; i++) {
        double v = k->value[i / k->cols][i % k->cols];
        while (shift <= SHIFT_MOST && ldexp(v, shift) != rint(ldexp(v, shift)))
            shift++;
    }
    return shift <= SHIFT_MOST ? shift : -1;
}

static double divisor(const double *row, int cols)
{
    double unit = 0;
    for (int c = 0; c < cols; c++) {
        double a = fabs(row[c]);
        while (a != 0) {
            double rest = fmod(unit, a);
            unit = a;
            a = rest;
        }
    }
    return unit;
}

/* Forms of the rows, divided by what their values have in common. */
static bool find_exact(struct kernel *k, struct fixed *f)
{
    double w[FIXED_TAPS];
    int shift = find_shift(k);
    if (shift < 0)
        return false;
    for (int r = 0; r < k->rows; r++) {
        struct fixed_sum *form = k->form[r] < 0 ? NULL : &f->form[k->form[r]];
        double unit = divisor(k->value[r], k->cols);
        if (!form)
            continue;
        unit = k->factor[r] < 0 ? -unit : unit;
        for (int c = 0; c < k->cols; c++)
            w[c] = k->value[r][c] / unit;
        if (!weights_fit(w, k->cols))
            return false;
        make_form8(w, k, form);
        k->factor[r] = ldexp(unit, shift);
    }
    for (int i = 0; i < k->rows * k->cols; i++) {
        double v = ldexp(k->value[i / k->cols][i % k->cols], shift);
        *(v < 0 ? &f->sum.least : &f->sum.most) += BYTE_MOST * v;
    }
    f->sum.sign = f->sum.least < 0;
    f->shift = shift;
    f->exact = holds(&f->sum, f->sum.least, f->sum.most + (shift ? ldexp(0.5, shift) : 0));
    if (!f->exact)
        return false;
    find_parts(k, 0, f);
    for (int i = 0; i < f->sum.parts; i++) {
        double factor = k->factor[f->sum.part[i].at[0] / k->row_step];
        f->sum.part[i].factor = (int64_t)fabs(factor);
        f->sum.part[i].minus = factor < 0;
    }
    return true;
}

/* ---- the whole ------------------------------------------------------------------------------ */

static const char *unfit(const struct problem *p)
{
    const struct convc_problem *c = &p->p;
    bool whole = c->padding_value == rint(c->padding_value);
    if (p->f.terms || p->f.windowed || p->f.epilogue || p->c.period != 1 || p->icg != 1)
        return "needs sums of products with constant weights, the same for every channel";
    if (p->ocg != 1 || c->src_dtype != CONVC_U8 || c->dst_dtype == CONVC_F32 ||
        c->dst_dtype == CONVC_F64)
        return "needs one filter over bytes, and whole numbers for a result";
    if (c->bias || c->residual || c->activation > CONVC_ACT_RELU)
        return "rounds what is summed, and knows nothing else to follow but relu";
    if (c->stride[CONVC_H] != 1 || c->stride[CONVC_W] != 1 || c->in[CONVC_D] != 1 ||
        c->kernel[CONVC_D] != 1 || p->out[CONVC_D] != 1)
        return "needs rows and columns alone, and strides of 1";
    if (c->kernel[CONVC_H] > FIXED_TAPS || c->kernel[CONVC_W] > FIXED_TAPS)
        return "needs a kernel within 32x32";
    if (c->padding_mode == CONVC_PAD_CONSTANT &&
        (!whole || c->padding_value < 0 || c->padding_value > BYTE_MOST))
        return "needs padding that a byte holds";
    return NULL;
}

static bool read_kernel(const struct problem *p, struct kernel *k)
{
    bool any = false;
    *k = (struct kernel){ .rows = (int)p->p.kernel[CONVC_H], .cols = (int)p->p.kernel[CONVC_W] };
    k->row_step = p->p.dilation[CONVC_H];
    k->col_step = p->p.dilation[CONVC_W];
    for (int i = 0; i < k->rows * k->cols; i++) {
        k->value[i / k->cols][i % k->cols] = constants_at(&p->c, 0, i);
        any = any || constants_at(&p->c, 0, i) != 0;
    }
    return any;
}

static const char *find(struct kernel *k, double u, int bits, struct fixed *f)
{
    *f = (struct fixed){ .bits = bits };
    find_forms(k, u, f);
    if (find_exact(k, f))
        return bits == 8 ? NULL : "of 16 bits is for weights that are not exact in 8";
    f->sum = (struct fixed_sum){ 0 };
    memset(f->form, 0, sizeof f->form);
    f->shift = 0;
    for (int i = 0; i < f->forms; i++)
        if (!(bits == 8 ? find_form8(k, i, f) : find_form16(k, i, f)))
            return "needs weights that are large enough beside one another";
    return find_sum(k, u, f);
}

const char *fixed_unfit(const struct problem *p, int bits, struct fixed *f)
{
    const char *why = unfit(p);
    struct kernel *k = why ? NULL : memory_take(sizeof *k);
    if (why || !k)
        return why ? why : "needs memory";
    double u = 2 * (p->p.acc_dtype == CONVC_F64 ? DBL_EPSILON : (double)FLT_EPSILON);
    why = read_kernel(p, k) ? find(k, u, bits, f) : "needs a weight that is not 0";
    memory_free(k);
    return why;
}
