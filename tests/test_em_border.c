/* The border as kernels compute it is the border of the problem. */
#include "gen/emit/border.h"
#include "tests/support/body.h"
#include "tests/support/support.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

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
    struct code code = body_build(t, emit_border, c, NULL);
    int64_t at[BORDER_LANES], got[2 * BORDER_LANES];
    for (int64_t i = 0; i < 160; i += c->vector ? BORDER_LANES : 1) {
        for (int l = 0; l < BORDER_LANES; l++)
            at[l] = border_position(i + l, &r);
        body_call(&code, at, got, 0, 0);
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
    border_bounds(em, what, CONVC_H, em_load(em, em->i64, io->src, 8), &begin, &end);
    body_store_int(em, io, 0, begin);
    body_store_int(em, io, 1, end);
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
        struct code c = body_build(&machine[i % machines], emit_bounds, &p, NULL);
        for (int64_t o = 0; o < 25; o++) {
            int64_t got[2];
            body_call(&c, &o, got, 0, 0);
            check_bounds(&p, o, got);
        }
        code_free(&c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(borders_fold_as_the_problem_says),
        cmocka_unit_test(bounds_hold_the_taps_inside),
    };
    return cmocka_run_group_tests(tests, machines_find, machines_forget);
}
