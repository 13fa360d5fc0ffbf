/* Random problems: valid, repeatable, and of every kind that they promise. */
#include "runtime/cli/random.h"

#include "gen/problem/problem.h"
#include "tests/support/support.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { PROBLEMS = 4000 };

static void a_seed_is_a_problem(void **state)
{
    struct convc_problem a, b, c;
    random_problem(42, &a);
    random_problem(42, &b);
    random_problem(43, &c);
    assert_memory_equal(&a, &b, sizeof a);
    assert_memory_not_equal(&a, &c, sizeof a);
}

static void every_problem_is_valid(void **state)
{
    uint64_t seed = test_seed("test_cli_random", 1);
    for (int64_t i = 0; i < test_count(PROBLEMS); i++) {
        struct convc_problem p;
        random_problem(random_at(seed, (uint64_t)i), &p);
        if (convc_problem_check(&p))
            fail_msg("problem %d: %s", (int)i, convc_last_error());
    }
}

/* What `check` prints of a problem must be that problem. */
static void the_text_of_every_problem_is_that_problem(void **state)
{
    uint64_t seed = test_seed("test_cli_random", 1);
    for (int64_t i = 0; i < test_count(PROBLEMS); i++) {
        struct convc_problem p;
        struct convc_spec_source source = { .struct_bytes = sizeof source };
        struct problem drawn, read;
        struct problem_key a, b;
        struct diag d = { 0 };
        convc_spec *spec;
        char *text;
        random_problem(random_at(seed, (uint64_t)i), &p);
        assert_int_equal(convc_problem_text(&p, &text), CONVC_OK);
        source.path = text;
        if (convc_spec_load(&source, &spec))
            fail_msg("%s: %s", text, convc_last_error());
        assert_int_equal(problem_resolve(&p, &drawn, &d), CONVC_OK);
        assert_int_equal(problem_resolve(convc_spec_problem(spec, 0), &read, &d), CONVC_OK);
        problem_key(&drawn, &a);
        problem_key(&read, &b);
        if (memcmp(&a, &b, sizeof a) || drawn.p.n != read.p.n)
            fail_msg("%s is another problem", text);
        convc_spec_free(spec);
        convc_text_free(text);
    }
}

/* Bit i of the result: the problem is of kind i. */
static unsigned long kinds(const struct convc_problem *p)
{
    unsigned long k = 0;
    const int w = CONVC_W;
    int bit = 0;
#define KIND(condition) k |= (unsigned long)(condition) << bit++
    KIND(p->spatial == 1);
    KIND(p->spatial == 2);
    KIND(p->spatial == 3);
    KIND(p->src_dtype == CONVC_F32);
    KIND(p->src_dtype == CONVC_F64);
    KIND(p->src_dtype == CONVC_U8 && p->dst_dtype != CONVC_U8);
    KIND(p->dst_dtype == CONVC_S16);
    KIND(p->dst_dtype == CONVC_U16 && p->acc_dtype == CONVC_F64);
    KIND(p->layout == CONVC_NHWC);
    KIND(p->layout == CONVC_NCHW);
    KIND(p->groups == 1);
    KIND(p->groups > 1 && p->groups == p->ic && p->groups == p->oc);
    KIND(p->groups > 1 && p->groups == p->ic && p->oc > p->groups);
    KIND(p->groups > 1 && p->ic > p->groups && p->oc / p->groups >= 16);
    KIND(p->groups > 1 && p->ic > p->groups && p->oc / p->groups <= 8);
    KIND(p->in[w] == 1 && p->kernel[w] == 1);
    KIND(p->in[w] > 60 && p->kernel[w] > 1);
    KIND(p->pad_begin[w] >= p->kernel[w]);
    KIND(p->pad_begin[w] != p->pad_end[w]);
    KIND(p->pad_begin[w] < 0 || p->pad_end[w] < 0);
    KIND(p->pad_begin[w] > p->in[w]);
    KIND(p->stride[w] > p->kernel[w]);
    KIND(p->dilation[w] > 3);
    KIND(p->flip);
    KIND(p->bias && p->residual);
    KIND(p->n == 0);
    KIND(p->n == 3);
    KIND(p->src_stride[4] != 0);
    KIND(p->dst_stride[4] != 0);
    KIND(p->tolerance == 0);
    KIND(p->tolerance == 1e-5);
    KIND(p->tolerance > 1e-5);
    KIND(p->kernel[1] == 3 && p->kernel[2] == 3 && p->stride[1] * p->stride[2] == 1 &&
         p->dilation[1] * p->dilation[2] == 1 && p->layout == CONVC_NHWC && p->ic >= 16);
    for (int m = 0; m <= CONVC_PAD_IDENTITY; m++)
        KIND((int)p->padding_mode == m && p->pad_begin[w] > 0);
    for (int a = 0; a <= CONVC_ACT_HARDSWISH; a++)
        KIND((int)p->activation == a);
#undef KIND
    return k | 1ul << bit; /* says how many there are */
}

static void every_kind_of_problem_is_drawn(void **state)
{
    unsigned long seen = 0, all = 0;
    for (uint64_t i = 0; i < PROBLEMS; i++) {
        struct convc_problem p;
        random_problem(random_at(1, i), &p);
        seen |= kinds(&p);
    }
    while (all < seen)
        all = all << 1 | 1;
    if (seen != all)
        fail_msg("kinds %lx were never drawn", all & ~seen);
}

static void sparse_numbers_are_small_and_half_zero(void **state)
{
    int zeros = 0;
    for (uint64_t i = 0; i < 10000; i++) {
        double v = random_sparse(7, i, 3);
        assert_true(v == (double)(int)v && v >= -3 && v <= 3);
        zeros += v == 0;
    }
    assert_in_range(zeros, 5200, 6200); /* half, and a seventh of the rest */
}

static void reals_fill_their_interval(void **state)
{
    double low = 1, high = -1, sum = 0;
    for (uint64_t i = 0; i < 10000; i++) {
        double v = random_real(7, i);
        low = v < low ? v : low;
        high = v > high ? v : high;
        sum += v;
    }
    assert_true(low >= -1 && low < -0.99 && high < 1 && high > 0.99);
    assert_true(sum < 300 && sum > -300);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_seed_is_a_problem),
        cmocka_unit_test(every_problem_is_valid),
        cmocka_unit_test(the_text_of_every_problem_is_that_problem),
        cmocka_unit_test(every_kind_of_problem_is_drawn),
        cmocka_unit_test(sparse_numbers_are_small_and_half_zero),
        cmocka_unit_test(reals_fill_their_interval),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
