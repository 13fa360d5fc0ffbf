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
    struct em *em;
    const struct format *format;
    LLVMTypeRef type, bits; /* of values, and of their representations */
};

static struct log log_of(struct em *em, LLVMValueRef x)
{
    struct log l = { .b = em->builder, .em = em, .type = LLVMTypeOf(x) };
    bool vector = LLVMGetTypeKind(l.type) == LLVMVectorTypeKind;
    LLVMTypeRef element = vector ? LLVMGetElementType(l.type) : l.type;
    bool is_wide = LLVMGetTypeKind(element) == LLVMDoubleTypeKind;
    l.format = is_wide ? &wide : &single;
    l.bits = is_wide ? em->i64 : em->i32;
    if (vector)
        l.bits = em_vector(l.bits, (int)LLVMGetVectorSize(l.type));
    return l;
}

static LLVMValueRef real(const struct log *l, double v)
{
    return em_real(l->type, v);
}

static LLVMValueRef bits_const(const struct log *l, uint64_t v)
{
    LLVMValueRef lane[EM_LANES_MAX];
    if (LLVMGetTypeKind(l->bits) != LLVMVectorTypeKind)
        return LLVMConstInt(l->bits, v, 0);
    unsigned n = LLVMGetVectorSize(l->bits);
    for (unsigned i = 0; i < n; i++)
        lane[i] = LLVMConstInt(LLVMGetElementType(l->bits), v, 0);
    return LLVMConstVector(lane, n);
}

static LLVMValueRef where(const struct log *l, LLVMRealPredicate is, LLVMValueRef x, double c,
                          LLVMValueRef yes, LLVMValueRef no)
{
    return LLVMBuildSelect(l->b, LLVMBuildFCmp(l->b, is, x, real(l, c), ""), yes, no, "");
}

/* k, of a positive normal x, and *m. No conversion of integers, which SSE2 and AVX2 do not have for
 * f64. */
static LLVMValueRef split(const struct log *l, LLVMValueRef x, LLVMValueRef *m)
{
    const struct format *f = l->format;
    LLVMValueRef bits = LLVMBuildBitCast(l->b, x, l->bits, "");
    LLVMValueRef digits = bits_const(l, (uint64_t)f->fraction), round = real(l, f->round);
    uint64_t one = (uint64_t)f->bias << f->fraction;
    LLVMValueRef shifted = LLVMBuildAdd(l->b, bits, bits_const(l, one - f->sqrt_half), "");
    LLVMValueRef k = LLVMBuildLShr(l->b, shifted, digits, "");
    k = LLVMBuildSub(l->b, k, bits_const(l, (uint64_t)f->bias), "");
    LLVMValueRef rest = LLVMBuildSub(l->b, bits, LLVMBuildShl(l->b, k, digits, ""), "");
    *m = LLVMBuildBitCast(l->b, rest, l->type, "");
    LLVMValueRef sum = LLVMBuildAdd(l->b, LLVMBuildBitCast(l->b, round, l->bits, ""), k, "");
    return LLVMBuildFSub(l->b, LLVMBuildBitCast(l->b, sum, l->type, ""), round, "");
}

/* log m + k ln 2 */
static LLVMValueRef sum(const struct log *l, LLVMValueRef m, LLVMValueRef k)
{
    const struct format *f = l->format;
    LLVMValueRef part = LLVMBuildFSub(l->b, m, real(l, 1), "");
    LLVMValueRef s = LLVMBuildFDiv(l->b, part, LLVMBuildFAdd(l->b, real(l, 2), part, ""), "");
    LLVMValueRef z = LLVMBuildFMul(l->b, s, s, ""), q = real(l, f->q[f->terms - 1]);
    for (int i = f->terms - 2; i >= 0; i--)
        q = em_fma(l->em, q, z, real(l, f->q[i]));
    LLVMValueRef half = LLVMBuildFMul(l->b, LLVMBuildFMul(l->b, part, part, ""), real(l, 0.5), "");
    LLVMValueRef more = LLVMBuildFAdd(l->b, half, LLVMBuildFMul(l->b, z, q, ""), "");
    LLVMValueRef low = em_fma(l->em, s, more, LLVMBuildFMul(l->b, k, real(l, f->ln2_low), ""));
    LLVMValueRef log = LLVMBuildFSub(l->b, part, LLVMBuildFSub(l->b, half, low, ""), "");
    return em_fma(l->em, k, real(l, f->ln2_high), log);
}

LLVMValueRef em_log(struct em *em, LLVMValueRef x)
{
    struct log l = log_of(em, x);
    const struct format *f = l.format;
    int up = f->fraction + 2; /* makes denormals normal */
    LLVMValueRef m, scaled = LLVMBuildFMul(l.b, x, real(&l, ldexp(1, up)), "");
    LLVMValueRef k = split(&l, where(&l, LLVMRealOLT, x, f->normal_min, scaled, x), &m);
    LLVMValueRef less = LLVMBuildFSub(l.b, k, real(&l, up), "");
    LLVMValueRef y = sum(&l, m, where(&l, LLVMRealOLT, x, f->normal_min, less, k));
    y = where(&l, LLVMRealOEQ, x, (double)INFINITY, x, y);
    y = where(&l, LLVMRealOEQ, x, 0, real(&l, (double)-INFINITY), y);
    return where(&l, LLVMRealOGE, x, 0, y, real(&l, (double)NAN));
}
