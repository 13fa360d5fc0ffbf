/* The vocabulary of the emitters: every word is compiled for several machines and run. */
#include "gen/emit/border.h"
#include "tests/support/subject.h"
#include "tests/support/support.h"

#include <inttypes.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* ---- a body as a kernel -------------------------------------------------------------------------
 */

/* What a body sees of its call. */
struct io {
    LLVMValueRef src, dst, begin, end;
};

/* Emits something that reads src and writes dst; `what` is the test's. */
typedef void (*body)(struct em *em, const struct io *io, const void *what);

/* The number of basic blocks goes to *blocks, where it is asked for. */
static struct code build(const struct target *t, body emit, const void *what, unsigned *blocks)
{
    struct em em;
    LLVMContextRef context = LLVMContextCreate();
    em_open(&em, context, "body", t);
    LLVMValueRef args = LLVMGetParam(em.function, 0);
    struct io io = { .begin = LLVMGetParam(em.function, 2), .end = LLVMGetParam(em.function, 3) };
    io.src = em_load(&em, em.ptr, em_at_const(&em, args, offsetof(struct convc_args, src)), 8);
    io.dst = em_load(&em, em.ptr, em_at_const(&em, args, offsetof(struct convc_args, dst)), 8);
    emit(&em, &io, what);
    if (blocks)
        *blocks = LLVMCountBasicBlocks(em.function);
    struct code c = code_load(em_close(&em), t, "body");
    LLVMContextDispose(context);
    return c;
}

static void call(const struct code *c, const void *src, void *dst, int64_t begin, int64_t end)
{
    struct convc_args args = { .struct_bytes = sizeof args, .src = src, .dst = dst };
    c->run(&args, 0, begin, end);
}

static void build_and_call(const struct target *t, body emit, const void *what, const void *src,
                           void *dst)
{
    struct code c = build(t, emit, what, NULL);
    call(&c, src, dst, 0, 0);
    code_free(&c);
}

static void store_int(struct em *em, const struct io *io, int64_t at, LLVMValueRef v)
{
    em_store(em, v, em_at_const(em, io->dst, 8 * at), 8);
}

static LLVMValueRef load_int(struct em *em, const struct io *io, int64_t at)
{
    return em_load(em, em->i64, em_at_const(em, io->src, 8 * at), 8);
}

/* ---- loops and branches -------------------------------------------------------------------------
 */

struct range {
    int64_t begin, end;
};
static const struct range ranges[] = { { 0, 0 }, { 0, 1 }, { 0, 2 },  { 3, 4 },  { 3, 3 },
                                       { 2, 9 }, { 7, 3 }, { -5, 2 }, { -1, 0 }, { 0, 100 } };
enum { RANGES = sizeof ranges / sizeof *ranges };

/* dst = turns, sum of the indices */
static void count_turns(struct em *em, const struct io *io, LLVMValueRef begin, LLVMValueRef end)
{
    struct em_var turns = em_var(em, em->i64, "turns"), sum = em_var(em, em->i64, "sum");
    em_set(em, turns, em_int(em, 0));
    em_set(em, sum, em_int(em, 0));
    EM_FOR (em, i, begin, end) {
        em_set(em, turns, em_add(em, em_get(em, turns), em_int(em, 1)));
        em_set(em, sum, em_add(em, em_get(em, sum), i));
    }
    store_int(em, io, 0, em_get(em, turns));
    store_int(em, io, 1, em_get(em, sum));
}

static void known_loop(struct em *em, const struct io *io, const void *what)
{
    const struct range *r = what;
    count_turns(em, io, em_int(em, r->begin), em_int(em, r->end));
}

static void unknown_loop(struct em *em, const struct io *io, const void *what)
{
    (void)what;
    count_turns(em, io, io->begin, io->end);
}

static void assert_turns(const struct range *r, const int64_t got[2])
{
    int64_t turns = r->end > r->begin ? r->end - r->begin : 0;
    assert_int_equal(got[0], turns);
    assert_int_equal(got[1], turns * (r->begin + r->end - 1) / 2);
}

static void loops_take_every_turn_once(void **state)
{
    (void)state;
    for (int m = 0; m < machines; m++) {
        struct code unknown = build(&machine[m], unknown_loop, NULL, NULL);
        for (int i = 0; i < RANGES; i++) {
            int64_t got[2] = { -1, -1 };
            build_and_call(&machine[m], known_loop, &ranges[i], NULL, got);
            assert_turns(&ranges[i], got);
            call(&unknown, NULL, got, ranges[i].begin, ranges[i].end);
            assert_turns(&ranges[i], got);
        }
        code_free(&unknown);
    }
}

static void loops_of_one_turn_or_none_make_no_block(void **state)
{
    (void)state;
    for (int i = 0; i < RANGES; i++) {
        unsigned blocks;
        struct code c = build(&machine[0], known_loop, &ranges[i], &blocks);
        bool loop = ranges[i].end - ranges[i].begin > 1;
        assert_int_equal(blocks, loop ? 4 : 2);
        code_free(&c);
    }
}

/* dst[0] = sum of i*j over begin <= i < end, i <= j < 3, without i == 1 */
static void nested(struct em *em, const struct io *io, const void *what)
{
    struct em_var sum = em_var(em, em->i64, "sum");
    (void)what;
    em_set(em, sum, em_int(em, 0));
    EM_FOR (em, i, io->begin, io->end) {
        EM_IF (em, em_not(em, em_equal(em, i, em_int(em, 1)))) {
            EM_FOR (em, j, i, em_int(em, 3)) {
                LLVMValueRef product = LLVMBuildMul(em->builder, i, j, "");
                em_set(em, sum, em_add(em, em_get(em, sum), product));
            }
        }
    }
    store_int(em, io, 0, em_get(em, sum));
}

static void loops_and_branches_nest(void **state)
{
    (void)state;
    for (int m = 0; m < machines; m++) {
        struct code c = build(&machine[m], nested, NULL, NULL);
        for (int64_t end = -2; end < 6; end++) {
            int64_t got = -1, want = 0;
            call(&c, NULL, &got, -2, end);
            for (int64_t i = -2; i < end; i++)
                for (int64_t j = i; j < 3 && i != 1; j++)
                    want += i * j;
            assert_int_equal(got, want);
        }
        code_free(&c);
    }
}

/* dst[0] = 1 where the condition holds */
static void branch(struct em *em, const struct io *io, const void *what)
{
    const bool *fixed = what;
    LLVMValueRef condition = em_less(em, io->begin, io->end);
    if (fixed)
        condition = *fixed ? em_true(em) : em_not(em, em_true(em));
    EM_IF (em, condition) {
        store_int(em, io, 0, em_int(em, 1));
    }
}

static void branches_go_where_the_condition_holds(void **state)
{
    static const bool yes = true, no = false;
    (void)state;
    for (int m = 0; m < machines; m++) {
        int64_t got = 0;
        struct code c = build(&machine[m], branch, NULL, NULL);
        call(&c, NULL, &got, 5, 5);
        assert_int_equal(got, 0);
        call(&c, NULL, &got, -5, 5);
        assert_int_equal(got, 1);
        code_free(&c);
        got = 0;
        build_and_call(&machine[m], branch, &no, NULL, &got);
        assert_int_equal(got, 0);
        build_and_call(&machine[m], branch, &yes, NULL, &got);
        assert_int_equal(got, 1);
    }
}

static void known_conditions_make_no_block(void **state)
{
    static const bool fixed[2] = { false, true };
    unsigned blocks;
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct code c = build(&machine[0], branch, &fixed[i], &blocks);
        assert_int_equal(blocks, 2);
        code_free(&c);
    }
}

/* ---- integers -----------------------------------------------------------------------------------
 */

enum { INTS = 10 };

/* dst = what each word makes of begin and end, or of two constants */
static void integers(struct em *em, const struct io *io, const void *what)
{
    const struct range *r = what;
    LLVMValueRef a = r ? em_int(em, r->begin) : io->begin, b = r ? em_int(em, r->end) : io->end;
    LLVMValueRef less = em_less(em, a, b), below = em_below(em, a, b);
    LLVMValueRef value[INTS] = {
        em_add(em, a, b),
        em_sub(em, a, b),
        em_mul(em, a, -3),
        em_mul_add(em, b, 5, -7),
        em_min(em, a, b),
        em_max(em, a, b),
        less,
        below,
        em_equal(em, a, b),
        em_and(em, em_not(em, less), below),
    };
    for (int i = 0; i < INTS; i++) {
        LLVMValueRef wide = LLVMBuildZExtOrBitCast(em->builder, value[i], em->i64, "");
        store_int(em, io, i, wide);
    }
}

static void integer_words_compute_what_they_say(void **state)
{
    static const int64_t values[] = { 0, 1, -1, 2, 7, -8, 1000003, -(1LL << 40) };
    enum { VALUES = sizeof values / sizeof *values };
    (void)state;
    for (int i = 0; i < machines * VALUES * VALUES; i++) {
        int64_t a = values[i % VALUES], b = values[i / VALUES % VALUES], got[2][INTS];
        const struct range both = { a, b };
        bool less = a < b, below = (uint64_t)a < (uint64_t)b;
        const int64_t want[INTS] = { a + b,        a - b, -3 * a, 5 * b - 7, less ? a : b,
                                     less ? b : a, less,  below,  a == b,    !less && below };
        struct code c = build(&machine[i / VALUES / VALUES], integers, NULL, NULL);
        call(&c, NULL, got[0], a, b);
        code_free(&c);
        build_and_call(&machine[i / VALUES / VALUES], integers, &both, NULL, got[1]);
        assert_memory_equal(got[0], want, sizeof want);
        assert_memory_equal(got[1], want, sizeof want);
    }
}

/* dst = quotient, rest of begin by *what, or by end */
static void divide(struct em *em, const struct io *io, const void *what)
{
    const int64_t *known = what;
    LLVMValueRef rest;
    LLVMValueRef q = em_divide(em, io->begin, known ? em_int(em, *known) : io->end, &rest);
    store_int(em, io, 0, q);
    store_int(em, io, 1, rest);
}

static void division_gives_quotient_and_rest(void **state)
{
    static const int64_t divisors[] = { 1, 2, 3, 7, 64, 1000003, 1LL << 40 };
    static const int64_t values[] = { 0, 1, 2, 3, 6, 7, 63, 64, 65, 1000002, 1000003, 1LL << 61 };
    (void)state;
    for (int m = 0; m < machines; m++) {
        struct code unknown = build(&machine[m], divide, NULL, NULL);
        for (size_t i = 0; i < sizeof divisors / sizeof *divisors; i++) {
            struct code c = build(&machine[m], divide, &divisors[i], NULL);
            for (size_t k = 0; k < sizeof values / sizeof *values; k++) {
                const int64_t want[2] = { values[k] / divisors[i], values[k] % divisors[i] };
                int64_t got[2];
                call(&c, NULL, got, values[k], 0);
                assert_memory_equal(got, want, sizeof want);
                call(&unknown, NULL, got, values[k], divisors[i]);
                assert_memory_equal(got, want, sizeof want);
            }
            code_free(&c);
        }
        code_free(&unknown);
    }
}

/* ---- lanes --------------------------------------------------------------------------------------
 */

/* One draw: which lanes, where, and what else they hold. Offsets are in elements. */
struct lanes_case {
    bool wide, with_other;
    struct em_lanes on;
    int64_t offset[EM_LANES_MAX];
    int pick[EM_LANES_MAX]; /* of two vectors */
    double other;
};

enum { MEMORY = 128 };

static double memory_get(const void *memory, bool wide, int64_t i)
{
    return wide ? ((const double *)memory)[i] : ((const float *)memory)[i];
}

static void memory_set(void *memory, bool wide, int64_t i, double v)
{
    if (wide)
        ((double *)memory)[i] = v;
    else
        ((float *)memory)[i] = (float)v;
}

static int64_t lane_bytes(const struct lanes_case *c)
{
    return c->wide ? 8 : 4;
}

static LLVMTypeRef vector_type(struct em *em, const struct lanes_case *c)
{
    return em_vector(c->wide ? em->f64 : em->f32, c->on.count);
}

static LLVMValueRef other_of(struct em *em, const struct lanes_case *c)
{
    return c->with_other ? em_real(vector_type(em, c), c->other) : NULL;
}

static void byte_offsets(const struct lanes_case *c, int64_t offset[EM_LANES_MAX])
{
    for (int l = 0; l < c->on.count; l++)
        offset[l] = c->offset[l] * lane_bytes(c);
}

/* dst: lanes loaded from src, then lanes stored over what dst had, gathered, scattered. */
static void use_lanes(struct em *em, const struct io *io, const void *what)
{
    const struct lanes_case *c = what;
    LLVMTypeRef type = vector_type(em, c);
    int64_t offset[EM_LANES_MAX], bytes = lane_bytes(c), part = MEMORY * bytes;
    byte_offsets(c, offset);
    LLVMValueRef whole = em_load(em, type, io->src, (unsigned)bytes);
    LLVMValueRef loaded = em_load_lanes(em, type, io->src, &c->on, other_of(em, c));
    LLVMValueRef gathered = em_gather(em, type, io->src, offset, &c->on, other_of(em, c));
    em_store(em, loaded, io->dst, (unsigned)bytes);
    em_store_lanes(em, whole, em_at_const(em, io->dst, part), &c->on);
    em_store(em, gathered, em_at_const(em, io->dst, 2 * part), (unsigned)bytes);
    em_scatter(em, whole, em_at_const(em, io->dst, 3 * part), offset, &c->on);
}

static void draw_lanes(struct test_random *r, const struct target *t, struct lanes_case *c)
{
    *c = (struct lanes_case){ .wide = test_random_in(r, 0, 1),
                              .with_other = test_random_in(r, 0, 1) };
    c->other = (double)test_random_in(r, -9, -1);
    int count = target_lanes(t, lane_bytes(c));
    int64_t kind = test_random_in(r, 0, 3);
    c->on = em_lanes_first(count, (int)test_random_in(r, 0, count));
    for (int l = 0; l < count && kind == 0; l++) {
        bool on = test_random_in(r, 0, 1);
        c->on.active += on - c->on.on[l];
        c->on.on[l] = on;
    }
    for (int l = 0; l < count; l++) { /* apart, in any order */
        c->offset[l] = l * 4 + test_random_in(r, 0, 3);
        c->pick[l] = (int)test_random_in(r, 0, 2 * count - 1);
        int k = (int)test_random_in(r, 0, l);
        int64_t swap = c->offset[l];
        c->offset[l] = c->offset[k];
        c->offset[k] = swap;
    }
}

static void check_lanes(const struct lanes_case *c, const void *src, const void *dst)
{
    for (int l = 0; l < c->on.count; l++) {
        double off = c->with_other ? c->other : 0;
        double loaded = c->on.on[l] ? memory_get(src, c->wide, l) : off;
        double gathered = c->on.on[l] ? memory_get(src, c->wide, c->offset[l]) : off;
        double stored = c->on.on[l] ? memory_get(src, c->wide, l) : -1000;
        assert_true(memory_get(dst, c->wide, l) == loaded);
        assert_true(memory_get(dst, c->wide, MEMORY + l) == stored);
        assert_true(memory_get(dst, c->wide, 2 * MEMORY + l) == gathered);
    }
    for (int64_t i = 0; i < MEMORY; i++) {
        double scattered = -1000;
        for (int l = 0; l < c->on.count; l++)
            scattered = c->on.on[l] && c->offset[l] == i ? memory_get(src, c->wide, l) : scattered;
        assert_true(memory_get(dst, c->wide, 3 * MEMORY + i) == scattered);
    }
}

static void run_lanes(const struct target *t, const struct lanes_case *c, body emit,
                      void (*check)(const struct lanes_case *, const void *src, const void *dst))
{
    double src[MEMORY], dst[4 * MEMORY];
    for (int i = 0; i < MEMORY; i++)
        memory_set(src, c->wide, i, i + 1);
    for (int i = 0; i < 4 * MEMORY; i++)
        memory_set(dst, c->wide, i, -1000);
    build_and_call(t, emit, c, src, dst);
    check(c, src, dst);
}

static void draw_and_run_lanes(const char *name, body emit,
                               void (*check)(const struct lanes_case *, const void *, const void *))
{
    uint64_t seed = test_seed(name, 77);
    struct test_random r = { seed };
    int64_t count = test_count(150);
    for (int64_t i = 0; i < count; i++) {
        struct lanes_case c;
        draw_lanes(&r, &machine[i % machines], &c);
        run_lanes(&machine[i % machines], &c, emit, check);
    }
}

static void lanes_that_are_off_touch_nothing(void **state)
{
    (void)state;
    draw_and_run_lanes("em", use_lanes, check_lanes);
}

/* dst: gathered at offsets that the kernel computes, where they are not negative. */
static void gather_computed(struct em *em, const struct io *io, const void *what)
{
    const struct lanes_case *c = what;
    LLVMValueRef offset[EM_LANES_MAX], zero[EM_LANES_MAX];
    for (int l = 0; l < c->on.count; l++) {
        offset[l] = em_int(em, c->on.on[l] ? c->offset[l] * lane_bytes(c) : -1);
        zero[l] = em_int(em, 0);
    }
    LLVMValueRef base = em_splat(em, io->begin, c->on.count);
    LLVMValueRef at =
        LLVMBuildAdd(em->builder, base, LLVMConstVector(offset, (unsigned)c->on.count), "");
    LLVMValueRef none = LLVMConstVector(zero, (unsigned)c->on.count);
    LLVMValueRef on = LLVMBuildICmp(em->builder, LLVMIntSGE, at, none, "");
    LLVMValueRef v = em_gather_at(em, vector_type(em, c), io->src, at, on, other_of(em, c));
    em_store(em, v, io->dst, (unsigned)lane_bytes(c));
}

static void check_gathered(const struct lanes_case *c, const void *src, const void *dst)
{
    for (int l = 0; l < c->on.count; l++) {
        double off = c->with_other ? c->other : 0;
        double want = c->on.on[l] ? memory_get(src, c->wide, c->offset[l]) : off;
        assert_true(memory_get(dst, c->wide, l) == want);
    }
}

static void computed_places_are_gathered(void **state)
{
    (void)state;
    draw_and_run_lanes("em", gather_computed, check_gathered);
}

/* dst: lanes picked from two vectors; the first element everywhere. */
static void shuffle(struct em *em, const struct io *io, const void *what)
{
    const struct lanes_case *c = what;
    LLVMTypeRef type = vector_type(em, c);
    int64_t bytes = lane_bytes(c);
    unsigned align = (unsigned)bytes;
    LLVMValueRef a = em_load(em, type, io->src, align);
    LLVMValueRef b = em_load(em, type, em_at_const(em, io->src, c->on.count * bytes), align);
    LLVMValueRef one = em_load(em, LLVMGetElementType(type), io->src, align);
    em_store(em, em_shuffle(em, a, b, c->pick, c->on.count), io->dst, align);
    em_store(em, em_splat(em, one, c->on.count), em_at_const(em, io->dst, MEMORY * bytes), align);
}

static void check_shuffled(const struct lanes_case *c, const void *src, const void *dst)
{
    for (int l = 0; l < c->on.count; l++) {
        assert_true(memory_get(dst, c->wide, l) == memory_get(src, c->wide, c->pick[l]));
        assert_true(memory_get(dst, c->wide, MEMORY + l) == memory_get(src, c->wide, 0));
    }
}

static void shuffles_pick_from_two_vectors(void **state)
{
    (void)state;
    draw_and_run_lanes("em", shuffle, check_shuffled);
}

/* ---- reals --------------------------------------------------------------------------------------
 */

/* dst = a*b + c, max(a, b), min(a, b), a constant */
static void reals(struct em *em, const struct io *io, const void *what)
{
    LLVMValueRef v[3];
    (void)what;
    for (int i = 0; i < 3; i++)
        v[i] = em_load(em, em->f64, em_at_const(em, io->src, 8 * i), 8);
    em_store(em, em_fma(em, v[0], v[1], v[2]), io->dst, 8);
    em_store(em, em_fmax(em, v[0], v[1]), em_at_const(em, io->dst, 8), 8);
    em_store(em, em_fmin(em, v[0], v[1]), em_at_const(em, io->dst, 16), 8);
    em_store(em, em_real(em->f64, 0.1), em_at_const(em, io->dst, 24), 8);
}

/* Equal bits: the sign of a zero counts. */
static void assert_real(double got, double want)
{
    if (!isnan(got) || !isnan(want))
        assert_memory_equal(&got, &want, sizeof got);
}

static void reals_compare_as_c_does(void **state)
{
    static const double values[] = { 0, -0.0, 1, -2, 1 + 0x1p-30, INFINITY, -INFINITY, NAN };
    enum { VALUES = sizeof values / sizeof *values };
    (void)state;
    for (int m = 0; m < machines; m++) {
        struct code code = build(&machine[m], reals, NULL, NULL);
        for (int i = 0; i < VALUES * VALUES; i++) {
            double a = values[i % VALUES], b = values[i / VALUES], got[4];
            call(&code, (const double[3]){ a, b, -1 }, got, 0, 0);
            volatile double product = a * b;
            assert_real(got[0], machine[m].fma ? fma(a, b, -1) : product - 1);
            assert_real(got[1], a > b ? a : b);
            assert_real(got[2], a < b ? a : b);
            assert_real(got[3], 0.1);
        }
        code_free(&code);
    }
}

/* ---- borders ------------------------------------------------------------------------------------
 */

enum { BORDER_LANES = 16 };

struct border_case {
    enum convc_padding_mode mode;
    int64_t n;
    bool vector;
};

/* dst = places, then 1 where they are inside */
static void emit_border(struct em *em, const struct io *io, const void *what)
{
    const struct border_case *c = what;
    LLVMTypeRef type = c->vector ? em_vector(em->i64, BORDER_LANES) : em->i64;
    LLVMValueRef at = em_load(em, type, io->src, 8);
    struct border b = border_emit(em, c->mode, at, c->n);
    em_store(em, b.index, io->dst, 8);
    LLVMValueRef inside = LLVMBuildZExt(em->builder, b.inside, type, "");
    em_store(em, inside, em_at_const(em, io->dst, 8 * BORDER_LANES), 8);
}

static void check_border(const struct border_case *c, const int64_t *at, const int64_t *got)
{
    for (int l = 0; l < (c->vector ? BORDER_LANES : 1); l++) {
        int64_t want = problem_border(c->mode, at[l], c->n);
        bool good = want < 0 ? !got[BORDER_LANES + l] && got[l] >= 0 && got[l] < c->n
                             : got[BORDER_LANES + l] == 1 && got[l] == want;
        if (!good)
            fail_msg("mode %s, %" PRId64 " of %" PRId64 ": %" PRId64 ", not %" PRId64,
                     padding_mode_name(c->mode), at[l], c->n, got[l], want);
    }
}

/* Around the input, and as far out as a problem can reach. */
static int64_t border_position(int64_t i, struct test_random *r)
{
    static const int64_t far = 1LL << 62;
    return i < 80 ? i - 40 : test_random_in(r, -far >> i % 40, far >> i % 40);
}

static void run_border(const struct target *t, const struct border_case *c)
{
    struct test_random r = { 3 };
    struct code code = build(t, emit_border, c, NULL);
    int64_t at[BORDER_LANES], got[2 * BORDER_LANES];
    for (int64_t i = 0; i < 160; i += c->vector ? BORDER_LANES : 1) {
        for (int l = 0; l < BORDER_LANES; l++)
            at[l] = border_position(i + l, &r);
        call(&code, at, got, 0, 0);
        check_border(c, at, got);
    }
    code_free(&code);
}

static void borders_fold_as_the_problem_says(void **state)
{
    static const int64_t extents[] = { 1, 2, 3, 5, 8, 1000003 };
    (void)state;
    for (int mode = 0; mode <= CONVC_PAD_IDENTITY; mode++)
        for (size_t i = 0; i < sizeof extents / sizeof *extents; i++)
            for (int m = 0; m < machines; m++)
                for (int vector = 0; vector < 2; vector++)
                    run_border(&machine[m], &(struct border_case){ (enum convc_padding_mode)mode,
                                                                   extents[i], vector });
}

/* dst = first tap inside, and the one behind the last */
static void emit_bounds(struct em *em, const struct io *io, const void *what)
{
    LLVMValueRef begin, end;
    border_bounds(em, what, CONVC_H, load_int(em, io, 0), &begin, &end);
    store_int(em, io, 0, begin);
    store_int(em, io, 1, end);
}

static void check_bounds(const struct convc_problem *p, int64_t o, const int64_t got[2])
{
    int64_t first = o * p->stride[CONVC_H] - p->pad_begin[CONVC_H];
    for (int64_t k = 0; k < p->kernel[CONVC_H]; k++) {
        int64_t at = first + k * p->dilation[CONVC_H];
        bool inside = at >= 0 && at < p->in[CONVC_H];
        if (inside != (k >= got[0] && k < got[1]))
            fail_msg("tap %" PRId64 " of output %" PRId64 ": [%" PRId64 ", %" PRId64 ")", k, o,
                     got[0], got[1]);
    }
    assert_true(got[0] >= 0 && got[1] <= p->kernel[CONVC_H]);
}

static void bounds_hold_the_taps_inside(void **state)
{
    struct test_random r = { test_seed("em", 5) };
    (void)state;
    for (int64_t i = 0; i < test_count(150); i++) {
        struct convc_problem p = { .spatial = 2 };
        p.in[CONVC_H] = test_random_in(&r, 1, 9);
        p.kernel[CONVC_H] = test_random_in(&r, 1, 7);
        p.stride[CONVC_H] = test_random_in(&r, 1, 4);
        p.dilation[CONVC_H] = test_random_in(&r, 1, 5);
        p.pad_begin[CONVC_H] = test_random_in(&r, -3, 20);
        struct code c = build(&machine[i % machines], emit_bounds, &p, NULL);
        for (int64_t o = 0; o < 25; o++) {
            int64_t got[2];
            call(&c, &o, got, 0, 0);
            check_bounds(&p, o, got);
        }
        code_free(&c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loops_take_every_turn_once),
        cmocka_unit_test(loops_of_one_turn_or_none_make_no_block),
        cmocka_unit_test(loops_and_branches_nest),
        cmocka_unit_test(branches_go_where_the_condition_holds),
        cmocka_unit_test(known_conditions_make_no_block),
        cmocka_unit_test(integer_words_compute_what_they_say),
        cmocka_unit_test(division_gives_quotient_and_rest),
        cmocka_unit_test(lanes_that_are_off_touch_nothing),
        cmocka_unit_test(computed_places_are_gathered),
        cmocka_unit_test(shuffles_pick_from_two_vectors),
        cmocka_unit_test(reals_compare_as_c_does),
        cmocka_unit_test(borders_fold_as_the_problem_says),
        cmocka_unit_test(bounds_hold_the_taps_inside),
    };
    return cmocka_run_group_tests(tests, machines_find, machines_forget);
}
