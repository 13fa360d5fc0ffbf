/* Lanes of vectors: what is off touches nothing, what is on lies where it should. */
#include "tests/support/body.h"
#include "tests/support/support.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

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
    body_build_and_call(t, emit, c, src, dst);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lanes_that_are_off_touch_nothing),
        cmocka_unit_test(computed_places_are_gathered),
        cmocka_unit_test(shuffles_pick_from_two_vectors),
    };
    return cmocka_run_group_tests(tests, machines_find, machines_forget);
}
