/* Functions over vectors: what is emitted computes what the operations say, one rounding each, on
 * every machine; within the errors that em_math states where it takes part. */
#include "gen/emit/em_expr.h"
#include "gen/expr/expr_eval.h"
#include "tests/support/body.h"
#include "tests/support/draw_expr.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { FUNCTIONS = 8, LANES = EM_LANES_MAX, VARS = 3 };

/* Some functions in one kernel, for the price of one compilation. */
struct batch {
    struct expr e[FUNCTIONS];
    int lanes;
    bool wide;
};

/* src: [vars][lanes]; dst: [functions][lanes] */
static void emit_batch(struct em *em, const struct io *io, const void *what)
{
    const struct batch *b = what;
    int64_t bytes = b->wide ? 8 : 4;
    LLVMTypeRef type = em_vector(b->wide ? em->f64 : em->f32, b->lanes);
    LLVMValueRef var[VARS];
    for (int v = 0; v < VARS; v++)
        var[v] = em_load(em, type, em_at_const(em, io->src, v * b->lanes * bytes), (unsigned)bytes);
    for (int i = 0; i < FUNCTIONS; i++) {
        LLVMValueRef y = em_expr(em, &b->e[i], b->e[i].root, type, var);
        em_store(em, y, em_at_const(em, io->dst, i * b->lanes * bytes), (unsigned)bytes);
    }
}

static double get(const void *p, bool wide, int i)
{
    return wide ? ((const double *)p)[i] : (double)((const float *)p)[i];
}

static void put(void *p, bool wide, int i, double v)
{
    if (wide)
        ((double *)p)[i] = v;
    else
        ((float *)p)[i] = (float)v;
}

static bool approximates(const struct expr *e)
{
    bool any = false;
    for (int i = 0; i <= e->root; i++)
        any = any || (e->node[i].op >= EXPR_EXP && e->node[i].op <= EXPR_SIGMOID);
    return any;
}

/* Bit by bit, but for the sign of NaN, where every operation is rounded rightly. */
static bool agrees(const struct expr *e, const double *var, double got, bool wide)
{
    double want = draw_expr_compute(e, var, wide);
    if (!memcmp(&got, &want, sizeof got) || (isnan(got) && isnan(want)))
        return true;
    if (!approximates(e))
        return false;
    struct expr_bounded given[VARS];
    for (int v = 0; v < VARS; v++)
        given[v] = (struct expr_bounded){ var[v], 0 };
    struct expr_bounded b = expr_error(e, given, wide);
    return isinf(b.error) || isnan(b.value) || got == (double)b.value ||
           fabsl(got - b.value) <= b.error;
}

static void check(const struct batch *b, const struct target *t, const char *name,
                  struct test_random *r)
{
    static const double odd[] = { 0, -0.0, INFINITY, -INFINITY, NAN, 1, -2, 1e-40, 100, -0.5 };
    double src[VARS * LANES], dst[FUNCTIONS * LANES];
    for (int i = 0; i < VARS * b->lanes; i++) {
        double unit = (double)test_random_in(r, -1000000, 1000000) * 3e-6;
        put(src, b->wide, i, test_random_in(r, 0, 4) ? unit : odd[test_random_in(r, 0, 9)]);
    }
    body_build_and_call(t, emit_batch, b, src, dst);
    for (int i = 0; i < FUNCTIONS * b->lanes; i++) {
        const struct expr *e = &b->e[i / b->lanes];
        double var[VARS], got = get(dst, b->wide, i);
        for (int v = 0; v < VARS; v++)
            var[v] = get(src, b->wide, v * b->lanes + i % b->lanes);
        if (agrees(e, var, got, b->wide))
            continue;
        struct text text = { 0 };
        expr_print(e, draw_expr_vars, &text);
        fail_msg("%s on %s, f%d: %a, not %a, with %a %a %a", text.data, name, b->wide ? 64 : 32,
                 got, draw_expr_compute(e, var, b->wide), var[0], var[1], var[2]);
    }
}

/* CONVC_TEST_SCALE=2000 makes 10 000 of them. */
static void random_functions_are_emitted_rightly(void **state)
{
    (void)state;
    struct test_random r = { test_seed(__func__, 5) };
    for (int64_t i = 0; i < test_count(64); i++) {
        struct batch b = { .wide = i % 2 };
        int k = (int)(i / 2 % machines);
        b.lanes = machine[k].vector_bytes / (b.wide ? 8 : 4);
        for (int f = 0; f < FUNCTIONS; f++)
            draw_expr(&r, VARS, (int)test_random_in(&r, 1, 14), &b.e[f]);
        check(&b, &machine[k], machine_name[k], &r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_functions_are_emitted_rightly),
    };
    return cmocka_run_group_tests(tests, machines_find, machines_forget);
}
