/* The functions of em_math hold their bounds: each is compiled for several machines, run, and
 * compared with the C library in long double. CONVC_TEST_SCALE is a percentage of points. */
#include "gen/emit/em_math.h"

#include <convc/kernel.h>

#include <float.h>
#include <llvm-c/Analysis.h>
#include <llvm-c/LLJIT.h>
#include <llvm-c/Target.h>
#include <llvm-c/TargetMachine.h>
#include <llvm-c/Transforms/PassBuilder.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- machines ---------------------------------------------------------------------------------
 */

static bool have_fma, have_avx512;

static bool v3_runs(void)
{
    return __builtin_cpu_supports("avx2") && have_fma && __builtin_cpu_supports("bmi2");
}

enum { MACHINES = 3 };
static struct target machine[MACHINES];
static const char *const machine_name[MACHINES] = { "native", "x86-64-v3", "x86-64" };
static bool machine_runs[MACHINES];

static void machine_set(int i, const char *cpu, const char *features, bool fma, int vector_bytes)
{
    char *triple = LLVMGetDefaultTargetTriple();
    struct target *t = &machine[i];
    snprintf(t->triple, sizeof t->triple, "%s", triple);
    snprintf(t->cpu, sizeof t->cpu, "%s", cpu);
    /* What does not fit is left out; a name cut in half would be refused. */
    if (strlen(features) < sizeof t->features)
        strcpy(t->features, features);
    t->fma = fma;
    t->vector_bytes = vector_bytes;
    LLVMDisposeMessage(triple);
}

static int machines_find(void **state)
{
    (void)state;
    LLVMInitializeX86TargetInfo();
    LLVMInitializeX86Target();
    LLVMInitializeX86TargetMC();
    LLVMInitializeX86AsmPrinter();
    __builtin_cpu_init();
    have_fma = __builtin_cpu_supports("fma");
    have_avx512 = __builtin_cpu_supports("avx512f");
    char *cpu = LLVMGetHostCPUName();
    machine_set(0, cpu, "", have_fma, have_avx512 ? 64 : have_fma ? 32 : 16);
    machine_set(1, "x86-64-v3", "", true, 32);
    machine_set(2, "x86-64", "", false, 16);
    machine_runs[0] = machine_runs[2] = true;
    machine_runs[1] = v3_runs();
    LLVMDisposeMessage(cpu);
    return 0;
}

/* ---- one function as a kernel -----------------------------------------------------------------
 */

enum function { EXP, TANH, ERF, ACTIVATION };

/* dst[i] = f(src[i]) for `lanes` elements a work item; 0 lanes is a scalar. */
struct subject {
    enum function function;
    enum convc_activation activation;
    double args[2];
    bool wide;
    int lanes;
};

static LLVMValueRef apply(struct em *em, const struct subject *s, LLVMValueRef x)
{
    switch (s->function) {
    case EXP: return em_exp(em, x);
    case TANH: return em_tanh(em, x);
    case ERF: return em_erf(em, x);
    case ACTIVATION: break;
    }
    return em_activation(em, s->activation, s->args, x);
}

static LLVMModuleRef subject_emit(LLVMContextRef context, const struct subject *s,
                                  const struct target *t)
{
    struct em em;
    em_open(&em, context, "subject", t);
    LLVMTypeRef element = s->wide ? em.f64 : em.f32;
    LLVMTypeRef type = s->lanes ? em_vector(element, s->lanes) : element;
    int64_t bytes = (s->wide ? 8 : 4) * (s->lanes ? s->lanes : 1);
    LLVMValueRef args = LLVMGetParam(em.function, 0);
    LLVMValueRef src =
        em_load(&em, em.ptr, em_at_const(&em, args, offsetof(struct convc_args, src)), 8);
    LLVMValueRef dst =
        em_load(&em, em.ptr, em_at_const(&em, args, offsetof(struct convc_args, dst)), 8);
    EM_FOR (&em, i, LLVMGetParam(em.function, 2), LLVMGetParam(em.function, 3)) {
        LLVMValueRef at = em_mul(&em, i, bytes);
        LLVMValueRef x = em_load(&em, type, em_at(&em, src, at), s->wide ? 8 : 4);
        em_store(&em, apply(&em, s, x), em_at(&em, dst, at), s->wide ? 8 : 4);
    }
    return em_close(&em);
}

static void must(LLVMErrorRef error)
{
    if (!error)
        return;
    char *text = LLVMGetErrorMessage(error);
    fprintf(stderr, "%s\n", text);
    LLVMDisposeErrorMessage(text);
    fail();
}

static LLVMMemoryBufferRef object_of(LLVMModuleRef module, const struct target *t,
                                     LLVMCodeGenFileType form)
{
    LLVMTargetRef llvm_target;
    LLVMMemoryBufferRef buffer;
    char *text = NULL;
    assert_false(LLVMGetTargetFromTriple(t->triple, &llvm_target, &text));
    LLVMTargetMachineRef tm =
        LLVMCreateTargetMachine(llvm_target, t->triple, t->cpu, t->features, LLVMCodeGenLevelLess,
                                LLVMRelocPIC, LLVMCodeModelSmall);
    LLVMSetTarget(module, t->triple);
    LLVMTargetDataRef layout = LLVMCreateTargetDataLayout(tm);
    LLVMSetModuleDataLayout(module, layout);
    LLVMDisposeTargetData(layout);
    assert_false(LLVMVerifyModule(module, LLVMPrintMessageAction, &text));
    LLVMDisposeMessage(text);
    LLVMPassBuilderOptionsRef options = LLVMCreatePassBuilderOptions();
    must(LLVMRunPasses(module, "mem2reg", tm, options));
    LLVMDisposePassBuilderOptions(options);
    assert_false(LLVMTargetMachineEmitToMemoryBuffer(tm, module, form, &text, &buffer));
    LLVMDisposeTargetMachine(tm);
    LLVMDisposeModule(module);
    return buffer;
}

struct code {
    LLVMOrcLLJITRef jit;
    convc_kernel_fn run;
    int step;
};

static struct code code_make(const struct subject *s, const struct target *t)
{
    struct code c = { .step = s->lanes ? s->lanes : 1 };
    LLVMOrcExecutorAddress address;
    LLVMContextRef context = LLVMContextCreate();
    LLVMMemoryBufferRef object = object_of(subject_emit(context, s, t), t, LLVMObjectFile);
    must(LLVMOrcCreateLLJIT(&c.jit, NULL));
    must(LLVMOrcLLJITAddObjectFile(c.jit, LLVMOrcLLJITGetMainJITDylib(c.jit), object));
    must(LLVMOrcLLJITLookup(c.jit, &address, "subject"));
    c.run = (convc_kernel_fn)(uintptr_t)address;
    LLVMContextDispose(context);
    return c;
}

/* `count` must be a multiple of the lanes. */
static void code_run(const struct code *c, const void *src, void *dst, int64_t count)
{
    struct convc_args args = { .struct_bytes = sizeof args, .src = src, .dst = dst, .n = 1 };
    c->run(&args, 0, 0, count / c->step);
}

static void code_free(struct code *c)
{
    must(LLVMOrcDisposeLLJIT(c->jit));
}

static void subject_run(const struct subject *s, const struct target *t, const void *src, void *dst,
                        int64_t count)
{
    struct code c = code_make(s, t);
    code_run(&c, src, dst, count);
    code_free(&c);
}

/* ---- the exact values -------------------------------------------------------------------------
 */

static long double exact_sigmoid(long double x)
{
    return 1 / (1 + expl(-x));
}

/* At -infinity the limit. */
static long double exact_silu(long double x)
{
    return isinf(x) && x < 0 ? -0.0L : x / (1 + expl(-x));
}

/* x/2 erfc(-x/sqrt 2). The rounding of z = -x/sqrt 2 would count 2 z^2 times in the result, so it
 * is put right to first order: erfc(z + d) = erfc z - 2/sqrt(pi) exp(-z^2) d. */
static long double exact_gelu(long double x)
{
    const long double root = 0.70710678118654752440L, below = 1.89503255889325707966e-20L;
    if (isinf(x))
        return x > 0 ? x : -0.0L;
    long double z = -x * root;
    long double d = fmal(-x, root, -z) - x * below;
    return x / 2 * (erfcl(z) - 1.12837916709551257390L * expl(-z * z) * d);
}

static long double exact_hardswish(long double x)
{
    return x <= -3 ? -0.0L : x >= 3 ? x : x * (x + 3) / 6;
}

struct claim {
    const char *name;
    enum function function;
    enum convc_activation activation;
    long double (*exact)(long double);
    double ulps;     /* the bound that em_math.h states */
    double absolute; /* another, in epsilons of max(1, |x|) */
};

static const struct claim claims[] = {
    { "exp", EXP, CONVC_ACT_NONE, expl, 2, INFINITY },
    { "tanh", TANH, CONVC_ACT_NONE, tanhl, 3, 2 },
    { "erf", ERF, CONVC_ACT_NONE, erfl, 3, 2 },
    { "sigmoid", ACTIVATION, CONVC_ACT_SIGMOID, exact_sigmoid, 4, 2 },
    { "silu", ACTIVATION, CONVC_ACT_SILU, exact_silu, 5, 2 },
    { "gelu", ACTIVATION, CONVC_ACT_GELU, exact_gelu, 8, 2 },
    { "hardswish", ACTIVATION, CONVC_ACT_HARDSWISH, exact_hardswish, 2.5, 2 },
};
enum { CLAIMS = sizeof claims / sizeof *claims };

/* |got - want| in units of the last place of `want`. What rounds to infinity counts as the power of
 * two after the largest finite number. */
static double ulps_between(bool wide, double got, long double want)
{
    int fraction = wide ? 52 : 23, exponent_min = wide ? -1022 : -126;
    long double top = ldexpl(1, wide ? 1024 : 128);
    if (isnan(want) || isnan(got))
        return isnan(want) && isnan(got) ? 0 : INFINITY;
    long double w = fminl(fmaxl(want, -top), top);
    long double g = fminl(fmaxl((long double)got, -top), top);
    int exponent;
    frexpl(w, &exponent); /* w = [1/2, 1) * 2^exponent */
    if (w == 0 || exponent - 1 < exponent_min)
        exponent = exponent_min + 1;
    return (double)ldexpl(fabsl(g - w), fraction + 1 - exponent);
}

/* ---- points ------------------------------------------------------------------------------------
 */

enum { BLOCK = 1 << 12 };

/* Half are arbitrary representations, so that every exponent has its share, half lie where the
 * functions bend. */
struct points {
    bool wide;
    uint64_t state;
};

static uint64_t random_bits(struct points *p)
{
    uint64_t z = p->state += 0x9e3779b97f4a7c15; /* splitmix64 */
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

static double point(struct points *p)
{
    uint64_t bits = random_bits(p), kind = random_bits(p) % 8;
    double unit = (double)(bits >> 11) * 0x1p-53 * 2 - 1;
    double reach[8] = { 0, 0, 0, p->wide ? 760 : 110, p->wide ? 40 : 15, 6, 1.5, 1 };
    double x = unit * reach[kind];
    if (kind >= 3)
        return p->wide ? x : (double)(float)x;
    if (p->wide) {
        memcpy(&x, &bits, sizeof x);
        return x;
    }
    uint32_t narrow = (uint32_t)(bits >> 32);
    float f;
    memcpy(&f, &narrow, sizeof f);
    return (double)f;
}

static double element(const void *p, bool wide, int64_t i)
{
    return wide ? ((const double *)p)[i] : (double)((const float *)p)[i];
}

static void element_set(void *p, bool wide, int64_t i, double v)
{
    if (wide)
        ((double *)p)[i] = v;
    else
        ((float *)p)[i] = (float)v;
}

static int64_t scaled_count(int64_t count)
{
    const char *percent = getenv("CONVC_TEST_SCALE");
    int64_t n = percent ? count * atoll(percent) / 100 : count;
    return n < 1 ? 1 : n;
}

/* ---- the tests --------------------------------------------------------------------------------
 */

static struct subject subject_of(const struct claim *c, bool wide, int lanes)
{
    return (struct subject){ c->function, c->activation, { 0 }, wide, lanes };
}

struct worst {
    double ulps, x, got, absolute;
};

static void worst_add(struct worst *w, bool wide, double x, double got, long double want)
{
    double ulps = ulps_between(wide, got, want);
    double epsilons =
        (double)(fabsl(got - want) / fmaxl(1, fabsl(x)) / (wide ? DBL_EPSILON : FLT_EPSILON));
    if (epsilons > w->absolute)
        w->absolute = epsilons;
    if (ulps > w->ulps)
        *w = (struct worst){ ulps, x, got, w->absolute };
}

static void claim_check(const struct claim *c, bool wide)
{
    static double src[BLOCK], dst[MACHINES][BLOCK];
    struct code code[MACHINES];
    struct worst worst[MACHINES] = { 0 };
    for (int k = 0; k < MACHINES; k++) {
        struct subject s = subject_of(c, wide, machine[k].vector_bytes / (wide ? 8 : 4));
        if (machine_runs[k])
            code[k] = code_make(&s, &machine[k]);
    }
    struct points points = { wide, 1 };
    for (int64_t block = 0; block < scaled_count(256); block++) {
        for (int i = 0; i < BLOCK; i++)
            element_set(src, wide, i, point(&points));
        for (int k = 0; k < MACHINES; k++)
            if (machine_runs[k])
                code_run(&code[k], src, dst[k], BLOCK);
        for (int i = 0; i < BLOCK; i++) {
            double x = element(src, wide, i);
            long double want = c->exact((long double)x);
            for (int k = 0; k < MACHINES; k++) {
                if (!machine_runs[k])
                    continue;
                double got = element(dst[k], wide, i);
                worst_add(&worst[k], wide, x, got, want);
            }
        }
    }
    for (int k = 0; k < MACHINES; k++) {
        if (!machine_runs[k])
            continue;
        printf("%-9s f%d %-9s %.3f ulps at %a, which gives %a; %.3f epsilons\n", c->name,
               wide ? 64 : 32, machine_name[k], worst[k].ulps, worst[k].x, worst[k].got,
               worst[k].absolute);
        code_free(&code[k]);
    }
    for (int k = 0; k < MACHINES; k++) {
        assert_true(worst[k].ulps <= c->ulps);
        assert_true(worst[k].absolute <= c->absolute);
    }
}

static void functions_hold_their_bounds_in_f32(void **state)
{
    (void)state;
    for (int i = 0; i < CLAIMS; i++)
        claim_check(&claims[i], false);
}

static void functions_hold_their_bounds_in_f64(void **state)
{
    (void)state;
    for (int i = 0; i < CLAIMS; i++)
        claim_check(&claims[i], true);
}

/* ---- values that are exact --------------------------------------------------------------------
 */

struct pair {
    double x, y;
};

static bool same(double a, double b)
{
    return isnan(a) ? isnan(b) : a == b && !signbit(a) == !signbit(b);
}

/* f(x) is y, the sign of zero included, in f32 and f64 on every machine; y is rounded first. */
static void pairs_hold(struct subject s, const struct pair *pairs, int count)
{
    double src[64] = { 0 }, dst[64] = { 0 };
    assert_true(count <= 64);
    for (int run = 0; run < 2 * MACHINES; run++) {
        int k = run / 2;
        s.wide = run % 2;
        s.lanes = machine[k].vector_bytes / (s.wide ? 8 : 4);
        if (!machine_runs[k])
            continue;
        for (int i = 0; i < count; i++)
            element_set(src, s.wide, i, pairs[i].x);
        subject_run(&s, &machine[k], src, dst, 64);
        for (int i = 0; i < count; i++) {
            double got = element(dst, s.wide, i);
            double want = s.wide ? pairs[i].y : (double)(float)pairs[i].y;
            if (!same(got, want))
                fail_msg("function %d, activation %d, f%d, %s: %a gives %a, not %a", s.function,
                         s.activation, s.wide ? 64 : 32, machine_name[k], pairs[i].x, got, want);
        }
    }
}

#define PAIRS_HOLD(pairs, ...)                                                                     \
    pairs_hold((struct subject){ __VA_ARGS__ }, pairs, (int)(sizeof pairs / sizeof *pairs))

/* The smallest numbers of f32: exact in f64 too. */
#define TINY 0x1p-149
#define BIG  0x1.fffffep127

static void exp_of_the_edges_is_exact(void **state)
{
    (void)state;
    const struct pair p[] = {
        { 0.0, 1 },         { -0.0, 1 },  { INFINITY, INFINITY },
        { -INFINITY, 0 },   { NAN, NAN }, { BIG, INFINITY },
        { -BIG, 0 },        { TINY, 1 },  { -TINY, 1 },
        { 1000, INFINITY }, { -1000, 0 }, { -0x1p-60, 1 },
    };
    PAIRS_HOLD(p, .function = EXP);
}

static void odd_functions_keep_zeros_and_saturate(void **state)
{
    (void)state;
    const struct pair p[] = {
        { 0.0, 0.0 }, { -0.0, -0.0 }, { INFINITY, 1 }, { -INFINITY, -1 }, { NAN, NAN },
        { BIG, 1 },   { -BIG, -1 },   { 50, 1 },       { -50, -1 },
    };
    const struct pair tiny[] = { { TINY, TINY }, { -TINY, -TINY }, { 5 * TINY, 5 * TINY } };
    PAIRS_HOLD(p, .function = TANH);
    PAIRS_HOLD(p, .function = ERF);
    PAIRS_HOLD(tiny, .function = TANH);
}

static void sigmoid_runs_from_0_to_1(void **state)
{
    (void)state;
    const struct pair p[] = {
        { 0.0, 0.5 }, { -0.0, 0.5 }, { INFINITY, 1 }, { -INFINITY, 0 }, { NAN, NAN },
        { BIG, 1 },   { -BIG, 0 },   { TINY, 0.5 },   { -TINY, 0.5 },   { -1000, 0 },
    };
    PAIRS_HOLD(p, .function = ACTIVATION, .activation = CONVC_ACT_SIGMOID);
}

static void gates_take_their_limits_at_infinity(void **state)
{
    (void)state;
    const struct pair p[] = {
        { 0.0, 0.0 },       { -0.0, -0.0 },       { INFINITY, INFINITY }, { -INFINITY, -0.0 },
        { NAN, NAN },       { BIG, BIG },         { -BIG, -0.0 },         { -2000, -0.0 },
        { 2 * TINY, TINY }, { -2 * TINY, -TINY },
    };
    PAIRS_HOLD(p, .function = ACTIVATION, .activation = CONVC_ACT_SILU);
    PAIRS_HOLD(p, .function = ACTIVATION, .activation = CONVC_ACT_GELU);
    PAIRS_HOLD(p, .function = ACTIVATION, .activation = CONVC_ACT_HARDSWISH);
}

static void hardswish_of_integers_is_rounded_once(void **state)
{
    (void)state;
    const struct pair p[] = {
        { -4, -0.0 },   { -3, -0.0 },    { -2, -2.0 / 6 }, { -1, -2.0 / 6 }, { 0, 0 },
        { 1, 4.0 / 6 }, { 2, 10.0 / 6 }, { 3, 3 },         { 4, 4 },         { 7, 7 },
    };
    PAIRS_HOLD(p, .function = ACTIVATION, .activation = CONVC_ACT_HARDSWISH);
}

static void relus_choose_by_greater(void **state)
{
    (void)state;
    const struct pair relu[] = {
        { 1, 1 },         { -1, 0 },      { 0.0, 0.0 },
        { -0.0, 0.0 },    { NAN, 0 },     { INFINITY, INFINITY },
        { -INFINITY, 0 }, { TINY, TINY }, { -TINY, 0 },
    };
    const struct pair leaky[] = {
        { 1, 1 },
        { -4, -1 },
        { 0.0, 0.0 },
        { -0.0, -0.0 },
        { NAN, NAN },
        { INFINITY, INFINITY },
        { -INFINITY, -INFINITY },
    };
    const struct pair none[] = { { 1, 1 }, { NAN, NAN }, { -0.0, -0.0 }, { -INFINITY, -INFINITY } };
    PAIRS_HOLD(relu, .function = ACTIVATION, .activation = CONVC_ACT_RELU);
    PAIRS_HOLD(leaky, .function = ACTIVATION, .activation = CONVC_ACT_LEAKY_RELU, .args = { 0.25 });
    PAIRS_HOLD(none, .function = ACTIVATION, .activation = CONVC_ACT_NONE);
}

static void clamp_rounds_its_ends_to_the_element(void **state)
{
    (void)state;
    const struct pair p[] = {
        { 1, 1 },     { -1, 0.1 },       { 7, 6.3 },         { 0.0, 0.1 },
        { NAN, 0.1 }, { INFINITY, 6.3 }, { -INFINITY, 0.1 }, { 3, 3 },
    };
    PAIRS_HOLD(p, .function = ACTIVATION, .activation = CONVC_ACT_CLAMP, .args = { 0.1, 6.3 });
}

/* ---- what the code is -------------------------------------------------------------------------
 */

static void lanes_do_not_change_results(void **state)
{
    (void)state;
    enum { COUNT = 3 * 64 * 8 };
    static const int lanes[] = { 0, 1, 2, 3, 4, 8, 16, 64 };
    static double src[COUNT], first[COUNT], dst[COUNT];
    for (int run = 0; run < 2 * CLAIMS; run++) {
        bool wide = run % 2;
        struct points points = { wide, 2 };
        for (int i = 0; i < COUNT; i++)
            element_set(src, wide, i, point(&points));
        for (size_t l = 0; l < sizeof lanes / sizeof *lanes; l++) {
            struct subject s = subject_of(&claims[run / 2], wide, lanes[l]);
            subject_run(&s, &machine[0], src, l ? dst : first, COUNT);
            for (int i = 0; l && i < COUNT; i++)
                assert_true(same(element(first, wide, i), element(dst, wide, i)));
        }
    }
}

static void code_calls_nothing(void **state)
{
    (void)state;
    for (int run = 0; run < 2 * CLAIMS * MACHINES; run++) {
        const struct target *t = &machine[run / 2 % MACHINES];
        struct subject s = subject_of(&claims[run / 2 / MACHINES], run % 2, 8);
        LLVMContextRef context = LLVMContextCreate();
        LLVMMemoryBufferRef assembly = object_of(subject_emit(context, &s, t), t, LLVMAssemblyFile);
        const char *text = LLVMGetBufferStart(assembly);
        assert_non_null(strstr(text, "subject:"));
        assert_null(strstr(text, "\tcall"));
        assert_null(strstr(text, "@PLT"));
        LLVMDisposeMemoryBuffer(assembly);
        LLVMContextDispose(context);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(functions_hold_their_bounds_in_f32),
        cmocka_unit_test(functions_hold_their_bounds_in_f64),
        cmocka_unit_test(exp_of_the_edges_is_exact),
        cmocka_unit_test(odd_functions_keep_zeros_and_saturate),
        cmocka_unit_test(sigmoid_runs_from_0_to_1),
        cmocka_unit_test(gates_take_their_limits_at_infinity),
        cmocka_unit_test(hardswish_of_integers_is_rounded_once),
        cmocka_unit_test(relus_choose_by_greater),
        cmocka_unit_test(clamp_rounds_its_ends_to_the_element),
        cmocka_unit_test(lanes_do_not_change_results),
        cmocka_unit_test(code_calls_nothing),
    };
    return cmocka_run_group_tests(tests, machines_find, NULL);
}
