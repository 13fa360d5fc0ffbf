#include "gen/emit/winograd_transform.h"

int winograd_phases(const struct winograd_axis *a)
{
    return a->n == 1 ? 1 : a->pairs + 2;
}

int winograd_phase_point(const struct winograd_axis *a, int phase, int *count)
{
    bool pair = phase > 0 && phase <= a->pairs;
    *count = pair ? 2 : 1;
    return phase == 0 ? 0 : 2 * phase - 1;
}

bool winograd_phase_reads(const struct winograd_axis *a, int phase, int i)
{
    if (a->n == 1)
        return true;
    if (phase == 0)
        return i % 2 == 0;
    if (phase > a->pairs)
        return i % 2 == 1;
    return i > 0 && i < a->n - 1;
}

/* a*x + sum */
static LLVMValueRef add_times(struct em *em, double a, LLVMValueRef x, LLVMValueRef sum)
{
    if (a == 1)
        return LLVMBuildFAdd(em->builder, sum, x, "");
    if (a == -1)
        return LLVMBuildFSub(em->builder, sum, x, "");
    return em_fma(em, em_real(LLVMTypeOf(x), a), x, sum);
}

static LLVMValueRef times(struct em *em, double a, LLVMValueRef x)
{
    return a == 1 ? x : LLVMBuildFMul(em->builder, em_real(LLVMTypeOf(x), a), x, "");
}

/* c[0]*d[0] + c[1]*d[2] + ...: a polynomial in x^2, whose leading coefficient is 1. */
static LLVMValueRef even_sum(struct em *em, const double *c, int degree, const LLVMValueRef *d)
{
    LLVMValueRef sum = d[2 * degree];
    for (int i = degree - 1; i >= 0; i--)
        sum = add_times(em, c[i], d[2 * i], sum);
    return sum;
}

void winograd_input_phase(struct em *em, const struct winograd_axis *a, int phase,
                          const LLVMValueRef *d, LLVMValueRef out[2])
{
    if (a->n == 1) {
        out[0] = d[0];
    } else if (phase == 0 || phase > a->pairs) {
        out[0] = even_sum(em, a->all, a->pairs, phase ? d + 1 : d);
    } else {
        int k = phase - 1;
        LLVMValueRef even = even_sum(em, a->others[k], a->pairs - 1, d + 2);
        LLVMValueRef odd = even_sum(em, a->others[k], a->pairs - 1, d + 1);
        out[0] = add_times(em, a->point[k], odd, even);
        out[1] = add_times(em, -a->point[k], odd, even);
    }
}

void winograd_input_axis(struct em *em, const struct winograd_axis *a, const LLVMValueRef *d,
                         LLVMValueRef *out)
{
    for (int phase = 0; phase < winograd_phases(a); phase++) {
        int count, point = winograd_phase_point(a, phase, &count);
        winograd_input_phase(em, a, phase, d, out + point);
    }
}

/* Row i of A^T m from the sums (i even) or differences (i odd) of the pairs. */
static LLVMValueRef output_row(struct em *em, const struct winograd_axis *a, int i,
                               const LLVMValueRef *part, const LLVMValueRef *m)
{
    LLVMValueRef sum = NULL;
    if (i == 0)
        sum = m[0];
    if (i == a->m - 1)
        sum = sum ? LLVMBuildFAdd(em->builder, sum, m[a->n - 1], "") : m[a->n - 1];
    for (int k = 0; k < a->pairs; k++) {
        double c = a->scale[k];
        for (int e = 0; e < i; e++)
            c *= a->point[k];
        double whole = (double)(int64_t)(c * 1024 + 0.5) / 1024; /* sqrt(2)*sqrt(2) is 2 */
        if (c - whole < 1e-12 && whole - c < 1e-12)
            c = whole;
        sum = sum ? add_times(em, c, part[k], sum) : times(em, c, part[k]);
    }
    return sum;
}

void winograd_output_axis(struct em *em, const struct winograd_axis *a, int begin, int step,
                          const LLVMValueRef *m, LLVMValueRef *out)
{
    LLVMValueRef sum[WINOGRAD_PAIRS], difference[WINOGRAD_PAIRS];
    if (a->n == 1) {
        out[0] = m[0];
        return;
    }
    for (int k = 0; k < a->pairs; k++) {
        LLVMValueRef plus = m[1 + 2 * k], minus = m[2 + 2 * k];
        if (step == 1 || begin == 0)
            sum[k] = LLVMBuildFAdd(em->builder, plus, minus, "");
        if (step == 1 || begin == 1)
            difference[k] = LLVMBuildFSub(em->builder, plus, minus, "");
    }
    for (int i = begin; i < a->m; i += step)
        out[i] = output_row(em, a, i, i % 2 ? difference : sum, m);
}
