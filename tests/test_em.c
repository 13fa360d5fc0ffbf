/* The vocabulary of the emitters: control, integers and reals are compiled for several machines and
 * run. */
#include "tests/support/body.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

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
    body_store_int(em, io, 0, em_get(em, turns));
    body_store_int(em, io, 1, em_get(em, sum));
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
        struct code unknown = body_build(&machine[m], unknown_loop, NULL, NULL);
        for (int i = 0; i < RANGES; i++) {
            int64_t got[2] = { -1, -1 };
            body_build_and_call(&machine[m], known_loop, &ranges[i], NULL, got);
            assert_turns(&ranges[i], got);
            body_call(&unknown, NULL, got, ranges[i].begin, ranges[i].end);
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
        struct code c = body_build(&machine[0], known_loop, &ranges[i], &blocks);
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
    body_store_int(em, io, 0, em_get(em, sum));
}

static void loops_and_branches_nest(void **state)
{
    (void)state;
    for (int m = 0; m < machines; m++) {
        struct code c = body_build(&machine[m], nested, NULL, NULL);
        for (int64_t end = -2; end < 6; end++) {
            int64_t got = -1, want = 0;
            body_call(&c, NULL, &got, -2, end);
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
        body_store_int(em, io, 0, em_int(em, 1));
    }
}

static void branches_go_where_the_condition_holds(void **state)
{
    static const bool yes = true, no = false;
    (void)state;
    for (int m = 0; m < machines; m++) {
        int64_t got = 0;
        struct code c = body_build(&machine[m], branch, NULL, NULL);
        body_call(&c, NULL, &got, 5, 5);
        assert_int_equal(got, 0);
        body_call(&c, NULL, &got, -5, 5);
        assert_int_equal(got, 1);
        code_free(&c);
        got = 0;
        body_build_and_call(&machine[m], branch, &no, NULL, &got);
        assert_int_equal(got, 0);
        body_build_and_call(&machine[m], branch, &yes, NULL, &got);
        assert_int_equal(got, 1);
    }
}

static void known_conditions_make_no_block(void **state)
{
    static const bool fixed[2] = { false, true };
    unsigned blocks;
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct code c = body_build(&machine[0], branch, &fixed[i], &blocks);
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
        body_store_int(em, io, i, wide);
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
        struct code c = body_build(&machine[i / VALUES / VALUES], integers, NULL, NULL);
        body_call(&c, NULL, got[0], a, b);
        code_free(&c);
        body_build_and_call(&machine[i / VALUES / VALUES], integers, &both, NULL, got[1]);
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
    body_store_int(em, io, 0, q);
    body_store_int(em, io, 1, rest);
}

static void division_gives_quotient_and_rest(void **state)
{
    static const int64_t divisors[] = { 1, 2, 3, 7, 64, 1000003, 1LL << 40 };
    static const int64_t values[] = { 0, 1, 2, 3, 6, 7, 63, 64, 65, 1000002, 1000003, 1LL << 61 };
    (void)state;
    for (int m = 0; m < machines; m++) {
        struct code unknown = body_build(&machine[m], divide, NULL, NULL);
        for (size_t i = 0; i < sizeof divisors / sizeof *divisors; i++) {
            struct code c = body_build(&machine[m], divide, &divisors[i], NULL);
            for (size_t k = 0; k < sizeof values / sizeof *values; k++) {
                const int64_t want[2] = { values[k] / divisors[i], values[k] % divisors[i] };
                int64_t got[2];
                body_call(&c, NULL, got, values[k], 0);
                assert_memory_equal(got, want, sizeof want);
                body_call(&unknown, NULL, got, values[k], divisors[i]);
                assert_memory_equal(got, want, sizeof want);
            }
            code_free(&c);
        }
        code_free(&unknown);
    }
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
        struct code code = body_build(&machine[m], reals, NULL, NULL);
        for (int i = 0; i < VALUES * VALUES; i++) {
            double a = values[i % VALUES], b = values[i / VALUES], got[4];
            body_call(&code, (const double[3]){ a, b, -1 }, got, 0, 0);
            volatile double product = a * b;
            assert_real(got[0], machine[m].fma ? fma(a, b, -1) : product - 1);
            assert_real(got[1], a > b ? a : b);
            assert_real(got[2], a < b ? a : b);
            assert_real(got[3], 0.1);
        }
        code_free(&code);
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
        cmocka_unit_test(reals_compare_as_c_does),
    };
    return cmocka_run_group_tests(tests, machines_find, machines_forget);
}
