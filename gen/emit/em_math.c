/* How the functions are computed, and how well.
 *
 * Everything rests on two pieces that hold for the whole range without a branch:
 *
 *   exp     x = n ln 2 + r, |r| <= ln 2 / 2, and exp r = 1 + r + r^2 q(r)
 *   erfcx   exp(z^2) erfc z = P(z) / Q(z) for z >= 0
 *
 * and on identities which keep small results relatively exact, with e = exp(-|x|):
 *
 *   sigmoid x = (x < 0 ? e : 1) / (1 + e)
 *   silu x    = x / (1 + exp(-x))
 *   gelu x    = max(x, 0) - |x| h(|x|), h(z) = erfc(z / sqrt 2) / 2
 *   tanh |x|  = t / (t + 2), t = exp(2 |x|) - 1 = 2^n (r + r^2 q(r)) + (2^n - 1)
 *   erf x     = x + x p(x^2) for |x| < 0.82, where erfc |x| > 1/4; beyond, 1 - erfc |x| signed
 *
 * All coefficients are minimax fits of the relative error made for this file: values in 60 digits
 * (Taylor series; Lentz's continued fraction for erfcx), weighted least squares with Lawson's
 * weights at Chebyshev nodes (for P/Q linearised after Sanathanan and Koerner), and every
 * coefficient rounded in turn, from the lowest, before the others are fitted again. P and Q have
 * positive coefficients only, so that nothing cancels in them.
 *
 * Worst errors seen, in ulps of the exact value, over the whole range, denormal results included:
 * 8 million random points each, silu and gelu 60 million more for negative x. tests/test_math.c
 * holds the bounds.
 *
 *             bound    f32 with fma, without    f64 with fma, without
 *   exp          1.25       1.02      0.99           1.02      0.98
 *   tanh         3         2.39      2.39           2.55      2.51
 *   erf          2         1.29      1.63           1.33      1.49
 *   sigmoid      3         2.31      2.31           2.36      2.36
 *   silu         3         2.15      2.15           2.01      1.99
 *   gelu        10            -         -           7.91      8.68
 *   hardswish    2.5       1.91      1.91           1.91      1.91
 *
 * The formulas are those of what a layer costs: an activation runs once for each output of a layer
 * that may have no more than some ten multiply-adds for it. So silu is plain where its results are
 * ordinary numbers (below -87 in f32 and -708 in f64 it stays at what it is there, some -1e-36 and
 * -1e-305), and gelu in f32 takes h(z) for 1 / p(z)^8: within 2 epsilons of max(1, |x|), as the
 * formula with an exact erf in f32 is, without being relatively exact where it nears 0.
 *
 * All but exp are within 2 epsilons of max(1, |x|) as well; gelu in f64 has its worst ulps where it
 * nears 0 on the left. At infinity sigmoid is 0 and 1, exp 0 and infinity, tanh and erf -1 and 1;
 * silu and gelu near 0 and infinity; hardswish is NaN (-infinity times 0) and infinity.
 */
#include "gen/emit/em_math.h"

#include "gen/emit/em_float.h"

enum { TERMS_MAX = 12 };

struct polynomial {
    int terms;
    double c[TERMS_MAX]; /* lowest first */
};

/* What differs between f32 and f64. */
struct format {
    int fraction, bias;     /* bits of the fraction; the exponent of 1.0 */
    uint64_t high_half;     /* keeps the bits of x whose square is exact */
    double round;           /* 1.5 * 2^fraction: adding it leaves an integer in the low bits */
    double ln2_high;        /* times any n that occurs here it is exact */
    double ln2_low;         /* ln 2 - ln2_high */
    double exp_max;         /* exp is infinite from here on */
    double exp_min;         /* exp vanishes from here down */
    double normal_max;      /* exp of it, and of its negative, is finite and normal */
    double gelu_max;        /* x erfc(x / sqrt 2) vanishes */
    double tanh_max;        /* tanh is 1 */
    double erf_max;         /* erf is 1 */
    struct polynomial exp;  /* q(r): relative to exp(r) - 1 within 2^-26.1, 2^-55.5 */
    struct polynomial erf;  /* p(x^2): relative to erf within 2^-27.8, 2^-56.0 */
    struct polynomial p, q; /* erfcx on [0, 10.4] within 2^-26.5, on [0, 27.9] within 2^-56.1 */
    struct polynomial tail; /* its -8th power is erfc(z / sqrt 2) / 2 within 2^-24.3; f32 only */
};

static const struct format single = {
    .fraction = 23,
    .bias = 127,
    .high_half = 0xfffff000,
    .round = 0x1.8p23,
    .ln2_high = 0x1.62e4p-1,
    .ln2_low = 0x1.7f7d1cf79abcap-20,
    .exp_max = 89,
    .exp_min = -110,
    .normal_max = 87,
    .gelu_max = 14.6,
    .tanh_max = 10,
    .erf_max = 4,
    .exp = { 5, { 0.49999997, 0.166665435, 0.0416674912, 0.0083666034, 0.00138659123 } },
    .erf = { 6,
             { 0.128379166, -0.376126021, 0.112830624, -0.0268171113, 0.00507658254,
               -0.000647186302 } },
    .p = { 5, { 1, 1.23877811, 0.731883049, 0.229307979, 0.0327967331 } },
    .q = { 6, { 1, 2.3671577, 2.40292645, 1.32586956, 0.406463593, 0.0581300221 } },
    .tail = { 9,
              { 1.09050775, 0.108761482, 0.0488239713, 0.00941907894, 0.00100585748, 0.000163839053,
                9.14999255e-05, -1.57160775e-05, 3.03927845e-06 } },
};

static const struct format wide = {
    .fraction = 52,
    .bias = 1023,
    .high_half = 0xfffffffff8000000,
    .round = 0x1.8p52,
    .ln2_high = 0x1.62e42fefa38p-1,
    .ln2_low = 0x1.ef35793c7673p-45,
    .exp_max = 710,
    .exp_min = -760,
    .normal_max = 708,
    .gelu_max = 39,
    .tanh_max = 20,
    .erf_max = 6,
    .exp = { 10,
             { 0x1.0000000000005p-1, 0x1.555555555553dp-3, 0x1.555555555208p-5,
               0x1.1111111118233p-7, 0x1.6c16c17f65147p-10, 0x1.a01a0179aaa3dp-13,
               0x1.a019a5d99cb6fp-16, 0x1.71de7d54a3931p-19, 0x1.28a3726f7dea2p-22,
               0x1.ae7db6f310db5p-26 } },
    .erf = { 11,
             { 0x1.06eba8214db68p-3, -0x1.812746b0379aep-2, 0x1.ce2f21a03ff36p-4,
               -0x1.b82ce3119a329p-6, 0x1.565bcce438e21p-8, -0x1.c02dab237d198p-11,
               0x1.f9a1fa7c7cc9cp-14, -0x1.f4b8906e8091dp-17, 0x1.b8770a72b30f3p-20,
               -0x1.528e63b611343p-23, 0x1.75efaa1ee77d3p-27 } },
    .p = { 11,
           { 0x1p+0, 0x1.2bc1acc3a0695p+1, 0x1.5bfdf33ee63c9p+1, 0x1.02c71e84b4755p+1,
             0x1.0e78ca798f201p+0, 0x1.9d4a9682999cfp-2, 0x1.d2e3f6e81fe15p-4, 0x1.81855cdf6674dp-6,
             0x1.bf11baa80b444p-9, 0x1.4b1121cb4768fp-12, 0x1.e16e5fa924f23p-17 } },
    .q = { 12,
           { 0x1p+0, 0x1.bc306745b544cp+1, 0x1.689a541fe8d58p+2, 0x1.6a55d52871ba8p+2,
             0x1.f5e038b381148p+1, 0x1.f87e6b60cf039p+0, 0x1.78cdb3271e632p-1, 0x1.a3ef821b5137ap-3,
             0x1.57f3842ce2778p-5, 0x1.8d09c29b707cp-8, 0x1.256681f2361e8p-11,
             0x1.aaa8413b8c8bfp-16 } },
};

/* ---- arithmetic on vectors of one type ----------------------------------------------------- */

struct math {
    struct em *em;
    LLVMBuilderRef b;
    const struct format *format;
    struct em_float of;
    LLVMTypeRef type;
};

static struct math math_of(struct em *em, LLVMValueRef x)
{
    struct math m = { .em = em, .b = em->builder, .of = em_float_of(em, x) };
    m.type = m.of.type;
    m.format = m.of.wide ? &wide : &single;
    return m;
}

static LLVMValueRef real(const struct math *m, double v)
{
    return em_float_real(&m->of, v);
}

static LLVMValueRef add(const struct math *m, LLVMValueRef a, LLVMValueRef b)
{
    return LLVMBuildFAdd(m->b, a, b, "");
}

static LLVMValueRef sub(const struct math *m, LLVMValueRef a, LLVMValueRef b)
{
    return LLVMBuildFSub(m->b, a, b, "");
}

static LLVMValueRef mul(const struct math *m, LLVMValueRef a, LLVMValueRef b)
{
    return LLVMBuildFMul(m->b, a, b, "");
}

static LLVMValueRef divide(const struct math *m, LLVMValueRef a, LLVMValueRef b)
{
    return LLVMBuildFDiv(m->b, a, b, "");
}

static LLVMValueRef select_where(const struct math *m, LLVMValueRef a, LLVMRealPredicate is,
                                 double c, LLVMValueRef yes, LLVMValueRef no)
{
    return em_float_where(&m->of, a, is, c, yes, no);
}

static LLVMValueRef absolute(const struct math *m, LLVMValueRef x)
{
    LLVMTypeRef type = m->type;
    return em_call(m->em, "llvm.fabs", &type, 1, &x, 1);
}

static LLVMValueRef copysign_of(const struct math *m, LLVMValueRef magnitude, LLVMValueRef sign)
{
    LLVMTypeRef type = m->type;
    LLVMValueRef args[2] = { magnitude, sign };
    return em_call(m->em, "llvm.copysign", &type, 1, args, 2);
}

/* At most c, at least c. em_fmin and em_fmax answer their second operand where one is NaN: as
 * written here NaN passes, and each is one instruction of x86. */
static LLVMValueRef at_most(const struct math *m, double c, LLVMValueRef x)
{
    return em_fmin(m->em, real(m, c), x);
}

static LLVMValueRef at_least(const struct math *m, double c, LLVMValueRef x)
{
    return em_fmax(m->em, real(m, c), x);
}

static LLVMValueRef horner(const struct math *m, const struct polynomial *p, LLVMValueRef x)
{
    return em_float_horner(&m->of, p->c, p->terms, x);
}

/* The same in two chains, of the even and of the odd powers: half the roundings on the way, which
 * all count in full where x is large and the highest powers dominate. */
static LLVMValueRef even_odd(const struct math *m, const struct polynomial *p, LLVMValueRef x,
                             LLVMValueRef x_squared)
{
    struct polynomial half[2] = { { 0 }, { 0 } };
    for (int i = 0; i < p->terms; i++)
        half[i % 2].c[half[i % 2].terms++] = p->c[i];
    LLVMValueRef even = horner(m, &half[0], x_squared), odd = horner(m, &half[1], x_squared);
    return em_fma(m->em, odd, x, even);
}

static LLVMValueRef bits_const(const struct math *m, uint64_t v)
{
    return em_float_bits(&m->of, v);
}

static LLVMValueRef as_bits(const struct math *m, LLVMValueRef x)
{
    return LLVMBuildBitCast(m->b, x, m->of.bits, "");
}

/* 2^(exponent - bias) */
static LLVMValueRef power_of_two(const struct math *m, LLVMValueRef exponent)
{
    LLVMValueRef shift = bits_const(m, (uint64_t)m->format->fraction);
    return LLVMBuildBitCast(m->b, LLVMBuildShl(m->b, exponent, shift, ""), m->type, "");
}

/* x^2 as *high + *low, to twice the precision: with a fused multiply-add the rest of the product,
 * without one Dekker's split of x and his two-sum. */
static void square(const struct math *m, LLVMValueRef x, LLVMValueRef *high, LLVMValueRef *low)
{
    if (m->em->target->fma) {
        *high = mul(m, x, x);
        *low = em_fma(m->em, x, x, LLVMBuildFNeg(m->b, *high, ""));
        return;
    }
    LLVMValueRef kept = LLVMBuildAnd(m->b, as_bits(m, x), bits_const(m, m->format->high_half), "");
    LLVMValueRef h = LLVMBuildBitCast(m->b, kept, m->type, "");
    LLVMValueRef hh = mul(m, h, h);
    LLVMValueRef rest = mul(m, sub(m, x, h), add(m, x, h));
    *high = add(m, hh, rest);
    *low = sub(m, rest, sub(m, *high, hh));
}

/* ---- exp ----------------------------------------------------------------------------------- */

/* x = n ln 2 + r; Cody and Waite's two-part ln 2. n comes out of the addition of a number so large
 * that its last bit counts ones: no conversion, which SSE2 and AVX2 do not have for f64. */
struct reduced {
    LLVMValueRef r;
    LLVMValueRef n_bits; /* n, above the representation of `round` */
};

static struct reduced reduce(const struct math *m, LLVMValueRef x)
{
    const struct format *f = m->format;
    LLVMValueRef log2_e = real(m, 0x1.71547652b82fep+0);
    LLVMValueRef t = em_fma(m->em, x, log2_e, real(m, f->round));
    LLVMValueRef n = sub(m, t, real(m, f->round));
    LLVMValueRef r = em_fma(m->em, n, real(m, -f->ln2_high), x);
    return (struct reduced){ em_fma(m->em, n, real(m, -f->ln2_low), r), as_bits(m, t) };
}

/* n + offset */
static LLVMValueRef reduced_n(const struct math *m, LLVMValueRef n_bits, int offset)
{
    LLVMValueRef round = as_bits(m, real(m, m->format->round));
    LLVMValueRef base = LLVMBuildSub(m->b, round, bits_const(m, (uint64_t)offset), "");
    return LLVMBuildSub(m->b, n_bits, base, "");
}

/* exp(r) - 1 = r + r^2 q(r) */
static LLVMValueRef exp_minus_1(const struct math *m, LLVMValueRef r)
{
    return em_fma(m->em, mul(m, r, r), horner(m, &m->format->exp, r), r);
}

/* m * a * b, where a and b halve the exponent between them: neither overflows or underflows where
 * the product still counts, and multiplying by b last rounds a denormal once. */
struct scaled {
    LLVMValueRef m, a, b;
};

/* exp(x + low) for |x| up to -exp_min and some; low is tiny and may be NULL. */
static struct scaled exp_scaled(const struct math *m, LLVMValueRef x, LLVMValueRef low)
{
    struct reduced by = reduce(m, x);
    LLVMValueRef r = low ? add(m, by.r, low) : by.r;
    LLVMValueRef exponents = reduced_n(m, by.n_bits, 2 * m->format->bias);
    LLVMValueRef half = LLVMBuildLShr(m->b, exponents, bits_const(m, 1), "");
    return (struct scaled){
        .m = add(m, real(m, 1), exp_minus_1(m, r)),
        .a = power_of_two(m, half),
        .b = power_of_two(m, LLVMBuildSub(m->b, exponents, half, "")),
    };
}

static LLVMValueRef unscaled(const struct math *m, struct scaled s)
{
    return mul(m, mul(m, s.m, s.a), s.b);
}

LLVMValueRef em_exp(struct em *em, LLVMValueRef x)
{
    struct math m = math_of(em, x);
    LLVMValueRef within = at_least(&m, m.format->exp_min, at_most(&m, m.format->exp_max, x));
    return unscaled(&m, exp_scaled(&m, within, NULL));
}

/* exp x for |x| up to normal_max: n is added to the exponent. */
static LLVMValueRef exp_normal(const struct math *m, LLVMValueRef x)
{
    struct reduced by = reduce(m, x);
    LLVMValueRef n =
        LLVMBuildShl(m->b, by.n_bits, bits_const(m, (uint64_t)m->format->fraction), "");
    LLVMValueRef one_to_two = as_bits(m, add(m, real(m, 1), exp_minus_1(m, by.r)));
    return LLVMBuildBitCast(m->b, LLVMBuildAdd(m->b, one_to_two, n, ""), m->type, "");
}

LLVMValueRef em_tanh(struct em *em, LLVMValueRef x)
{
    struct math m = math_of(em, x);
    LLVMValueRef magnitude = at_most(&m, m.format->tanh_max, absolute(&m, x));
    struct reduced by = reduce(&m, add(&m, magnitude, magnitude));
    LLVMValueRef power = power_of_two(&m, reduced_n(&m, by.n_bits, m.format->bias));
    LLVMValueRef t = em_fma(em, power, exp_minus_1(&m, by.r), sub(&m, power, real(&m, 1)));
    return copysign_of(&m, divide(&m, t, add(&m, t, real(&m, 2))), x);
}

/* ---- erf ----------------------------------------------------------------------------------- */

/* erfc z for 0 <= z, where high + low is z^2 to twice the precision: an error of one ulp in z^2
 * alone would be one of z^2 ulps in the result. */
static struct scaled erfc_scaled(const struct math *m, LLVMValueRef z, LLVMValueRef high,
                                 LLVMValueRef low)
{
    struct scaled s = exp_scaled(m, LLVMBuildFNeg(m->b, high, ""), LLVMBuildFNeg(m->b, low, ""));
    LLVMValueRef zz = mul(m, z, z);
    LLVMValueRef p = even_odd(m, &m->format->p, z, zz), q = even_odd(m, &m->format->q, z, zz);
    s.m = divide(m, mul(m, s.m, p), q);
    return s;
}

LLVMValueRef em_erf(struct em *em, LLVMValueRef x)
{
    struct math m = math_of(em, x);
    LLVMValueRef z = at_most(&m, m.format->erf_max, absolute(&m, x));
    LLVMValueRef high, low;
    square(&m, z, &high, &low);
    LLVMValueRef erfc = unscaled(&m, erfc_scaled(&m, z, high, low));
    LLVMValueRef far = copysign_of(&m, sub(&m, real(&m, 1), erfc), x);
    LLVMValueRef near = em_fma(em, x, horner(&m, &m.format->erf, high), x);
    return select_where(&m, z, LLVMRealOLT, 0.82, near, far);
}

/* ---- activations --------------------------------------------------------------------------- */

/* max(x, 0) - less, where 0 takes the sign of x. */
static LLVMValueRef ramp_minus(const struct math *m, LLVMValueRef x, LLVMValueRef less)
{
    return sub(m, at_least(m, 0, x), less);
}

LLVMValueRef em_sigmoid(struct em *em, LLVMValueRef x)
{
    struct math m = math_of(em, x);
    LLVMValueRef magnitude = at_most(&m, -m.format->exp_min, absolute(&m, x));
    LLVMValueRef e = unscaled(&m, exp_scaled(&m, LLVMBuildFNeg(m.b, magnitude, ""), NULL));
    LLVMValueRef over = select_where(&m, x, LLVMRealOLT, 0, e, real(&m, 1));
    return divide(&m, over, add(&m, real(&m, 1), e));
}

static LLVMValueRef silu(struct em *em, LLVMValueRef x)
{
    struct math m = math_of(em, x);
    LLVMValueRef above = at_least(&m, -m.format->normal_max, x);
    LLVMValueRef within = at_most(&m, m.format->normal_max, above);
    LLVMValueRef e = exp_normal(&m, LLVMBuildFNeg(m.b, within, ""));
    return divide(&m, above, add(&m, real(&m, 1), e));
}

/* z h(z), z at least 0, with h to the precision of f32. */
static LLVMValueRef gelu_tail_quick(const struct math *m, LLVMValueRef z)
{
    LLVMValueRef root = horner(m, &m->format->tail, z);
    LLVMValueRef squared = mul(m, root, root), fourth = mul(m, squared, squared);
    return divide(m, z, mul(m, fourth, fourth));
}

/* z h(z), relatively exact. The factor b comes last, so that a result which is normal, or denormal
 * once rounded, is not made from an h that is already denormal. */
static LLVMValueRef gelu_tail(const struct math *m, LLVMValueRef z)
{
    LLVMValueRef half = real(m, 0.5);
    LLVMValueRef high, low;
    square(m, z, &high, &low);
    struct scaled erfc = erfc_scaled(m, mul(m, z, real(m, 0x1.6a09e667f3bcdp-1)),
                                     mul(m, high, half), mul(m, low, half));
    LLVMValueRef share = mul(m, mul(m, erfc.m, half), erfc.a);
    return mul(m, mul(m, z, share), erfc.b);
}

static LLVMValueRef gelu(struct em *em, LLVMValueRef x)
{
    struct math m = math_of(em, x);
    LLVMValueRef z = at_most(&m, m.format->gelu_max, absolute(&m, x));
    return ramp_minus(&m, x, m.format->tail.terms ? gelu_tail_quick(&m, z) : gelu_tail(&m, z));
}

/* From 3 on x itself: x * 6 / 6 would round, or overflow. */
static LLVMValueRef hardswish(struct em *em, LLVMValueRef x)
{
    struct math m = math_of(em, x);
    LLVMValueRef slope = at_least(&m, 0, add(&m, x, real(&m, 3)));
    LLVMValueRef bent = divide(&m, mul(&m, x, slope), real(&m, 6));
    return select_where(&m, x, LLVMRealOGE, 3, x, bent);
}

LLVMValueRef em_activation(struct em *em, enum convc_activation a, const double args[2],
                           LLVMValueRef x)
{
    struct math m = math_of(em, x);
    switch (a) {
    case CONVC_ACT_NONE: return x;
    case CONVC_ACT_RELU: return em_fmax(em, x, real(&m, 0));
    case CONVC_ACT_CLAMP: return em_fmin(em, em_fmax(em, x, real(&m, args[0])), real(&m, args[1]));
    case CONVC_ACT_LEAKY_RELU:
        return select_where(&m, x, LLVMRealOGT, 0, x, mul(&m, real(&m, args[0]), x));
    case CONVC_ACT_SIGMOID: return em_sigmoid(em, x);
    case CONVC_ACT_TANH: return em_tanh(em, x);
    case CONVC_ACT_SILU: return silu(em, x);
    case CONVC_ACT_GELU: return gelu(em, x);
    case CONVC_ACT_HARDSWISH: return hardswish(em, x);
    }
    return x;
}
