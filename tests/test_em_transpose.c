/* A square of vectors turned over in registers: every element lies where it should. */
#include "gen/emit/em_transpose.h"
#include "tests/support/body.h"
#include "tests/support/support.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* Vectors beyond `rows` are none. */
struct square {
    bool wide;
    int lanes, rows;
};

static void transpose(struct em *em, const struct io *io, const void *what)
{
    const struct square *s = what;
    LLVMTypeRef type = em_vector(s->wide ? em->f64 : em->f32, s->lanes);
    int64_t bytes = s->wide ? 8 : 4, vector_bytes = s->lanes * bytes;
    LLVMValueRef row[EM_LANES_MAX] = { 0 };
    for (int i = 0; i < s->rows; i++)
        row[i] = em_load(em, type, em_at_const(em, io->src, i * vector_bytes), (unsigned)bytes);
    em_transpose(em, type, row);
    for (int i = 0; i < s->lanes; i++)
        em_store(em, row[i], em_at_const(em, io->dst, i * vector_bytes), (unsigned)bytes);
}

static double get(const void *memory, bool wide, int i)
{
    return wide ? ((const double *)memory)[i] : ((const float *)memory)[i];
}

static void check_square(const struct target *t, const struct square *s)
{
    double src[EM_LANES_MAX * EM_LANES_MAX], dst[EM_LANES_MAX * EM_LANES_MAX];
    for (int i = 0; i < s->lanes * s->lanes; i++) {
        if (s->wide)
            src[i] = i;
        else
            ((float *)src)[i] = (float)i;
    }
    body_build_and_call(t, transpose, s, src, dst);
    for (int i = 0; i < s->rows; i++) {
        for (int l = 0; l < s->lanes; l++)
            assert_true(get(dst, s->wide, l * s->lanes + i) == i * s->lanes + l);
    }
}

static void lane_l_of_row_i_becomes_lane_i_of_row_l(void **state)
{
    (void)state;
    for (int m = 0; m < machines; m++) {
        for (int wide = 0; wide < 2; wide++) {
            struct square s = { .wide = wide, .lanes = target_lanes(&machine[m], wide ? 8 : 4) };
            for (s.rows = 1; s.rows <= s.lanes; s.rows++)
                check_square(&machine[m], &s);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lane_l_of_row_i_becomes_lane_i_of_row_l),
    };
    return cmocka_run_group_tests(tests, machines_find, machines_forget);
}
