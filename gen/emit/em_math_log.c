/* The natural logarithm.
 *
 * x = 2^k m with sqrt(1/2) <= m < sqrt 2, and with f = m - 1 and s = f / (2 + f)
 *
 *     log(1 + f) = f - (f^2/2 - s (f^2/2 + s^2 q(s^2)))
 *
 * as in fdlibm's e_log.c (Sun Microsystems, 1993), whose polynomials q are these. Worst errors seen
 * over the whole range, where em_math.h states 2: 0.83 ulps in f32, 0.79 in f64.
 */
#include "gen/emit/em_math.h"

#include "gen/emit/em_float.h"

#include <math.h>

enum { TERMS_MAX = 7 };

struct format {
    int fraction, bias;
    uint64_t sqrt_half;       /* its representation */
    double normal_min;        /* the least number that is not denormal */
    double round;             /* 1.5 * 2^fraction: adding to its representation adds to its value */
    double ln2_high, ln2_low; /* any k times the first is exact */
    int terms;
    double q[TERMS_MAX]; /* lowest first */
};

static const struct format single = {
    .fraction = 23,
    .bias = 127,
    .sqrt_half = 0x3f3504f3,
    .normal_min = 0x1p-126,
    .round = 0x1.8p23,
    .ln2_high = 0x1.62e4p-1,
    .ln2_low = 0x1.7f7d1cf79abcap-20,
    .terms = 4,
    .q = { 0xaaaaaa.0p-24, 0xccce13.0p-25, 0x91e9ee.0p-25, 0xf89e26.0p-26 },
};

static const struct format wide = {
    .fraction = 52,
    .bias = 1023,
    .sqrt_half = 0x3fe6a09e667f3bcd,
    .normal_min = 0x1p-1022,
    .round = 0x1.8p52,
    .ln2_high = 0x1.62e42fefa38p-1,
    .ln2_low = 0x1.ef35793c7673p-45,
    .terms = 7,
    .q = { 6.666666666666735130e-01, 3.999999999940941908e-01, 2.857142874366239149e-01,
           2.222219843214978396e-01, 1.818357216161805012e-01, 1.531383769920937332e-01,
           1.479819860511658591e-01 },
};

/* One logarithm under construction. */
struct log {
    LLVMBuilderRef b;
    const struct format *format;
    struct em_float of;
};

static LLVMValueRef real(const struct log *l, double v)
{
    return em_float_real(&l->of, v);
}

/* k, of a positive normal x, and *m. No conversion of integers, which SSE2 and AVX2 do not have for
 * f64. */
static LLVMValueRef split(const struct log *l, LLVMValueRef x, LLVMValueRef *m)
{
    const struct format *f = l->format;
    LLVMValueRef bits = LLVMBuildBitCast(l->b, x, l->of.bits, "");
    LLVMValueRef digits = em_float_bits(&l->of, (uint64_t)f->fraction), round = real(l, f->round);
    uint64_t one = (uint64_t)f->bias << f->fraction;
    LLVMValueRef shifted = LLVMBuildAdd(l->b, bits, em_float_bits(&l->of, one - f->sqrt_half), "");
    LLVMValueRef k = LLVMBuildLShr(l->b, shifted, digits, "");
    k = LLVMBuildSub(l->b, k, em_float_bits(&l->of, (uint64_t)f->bias), "");
    LLVMValueRef rest = LLVMBuildSub(l->b, bits, LLVMBuildShl(l->b, k, digits, ""), "");
    *m = LLVMBuildBitCast(l->b, rest, l->of.type, "");
    LLVMValueRef sum = LLVMBuildAdd(l->b, LLVMBuildBitCast(l->b, round, l->of.bits, ""), k, "");
    return LLVMBuildFSub(l->b, LLVMBuildBitCast(l->b, sum, l->of.type, ""), round, "");
}

/* log m + k ln 2 */
static LLVMValueRef sum(const struct log *l, LLVMValueRef m, LLVMValueRef k)
{
    const struct format *f = l->format;
    LLVMValueRef part = LLVMBuildFSub(l->b, m, real(l, 1), "");
    LLVMValueRef s = LLVMBuildFDiv(l->b, part, LLVMBuildFAdd(l->b, real(l, 2), part, ""), "");
    LLVMValueRef z = LLVMBuildFMul(l->b, s, s, "");
    LLVMValueRef q = em_float_horner(&l->of, f->q, f->terms, z);
    LLVMValueRef half = LLVMBuildFMul(l->b, LLVMBuildFMul(l->b, part, part, ""), real(l, 0.5), "");
    LLVMValueRef more = LLVMBuildFAdd(l->b, half, LLVMBuildFMul(l->b, z, q, ""), "");
    LLVMValueRef low = em_fma(l->of.em, s, more, LLVMBuildFMul(l->b, k, real(l, f->ln2_low), ""));
    LLVMValueRef log = LLVMBuildFSub(l->b, part, LLVMBuildFSub(l->b, half, low, ""), "");
    return em_fma(l->of.em, k, real(l, f->ln2_high), log);
}

LLVMValueRef em_log(struct em *em, LLVMValueRef x)
{
    struct log l = { .b = em->builder, .of = em_float_of(em, x) };
    const struct format *f = l.format = l.of.wide ? &wide : &single;
    int up = f->fraction + 2; /* makes denormals normal */
    LLVMValueRef m, scaled = LLVMBuildFMul(l.b, x, real(&l, ldexp(1, up)), "");
    LLVMValueRef k = split(&l, em_float_where(&l.of, x, LLVMRealOLT, f->normal_min, scaled, x), &m);
    LLVMValueRef less = LLVMBuildFSub(l.b, k, real(&l, up), "");
    LLVMValueRef y = sum(&l, m, em_float_where(&l.of, x, LLVMRealOLT, f->normal_min, less, k));
    y = em_float_where(&l.of, x, LLVMRealOEQ, (double)INFINITY, x, y);
    y = em_float_where(&l.of, x, LLVMRealOEQ, 0, real(&l, (double)-INFINITY), y);
    return em_float_where(&l.of, x, LLVMRealOGE, 0, y, real(&l, (double)NAN));
}
