/* The functions of a static kernel: they pack as the library does, to the byte, and run what the
 * kernel computes, in one call or range by range; the kernel is the code that the JIT loads. */
#include "gen/emit/arguments.h"
#include "gen/out/object.h"
#include "gen/plan/choose.h"
#include "gen/plan/pack.h"
#include "runtime/cli/random.h"
#include "tests/support/emitted.h"
#include "tests/support/subject.h"

#include <elf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct jit *jit;

static int setup(void **state)
{
    struct diag d = { 0 };
    return emitted_setup(state) || jit_create(&jit, &d);
}

static int teardown(void **state)
{
    jit_destroy(jit);
    return emitted_teardown(state);
}

/* A static kernel named "conv", and one sample to run it on. */
struct scene {
    const struct emitted *e; /* the same kernel, and what is known of it */
    struct sample sample;
    struct object object;
    void *packed, *dst, *workspace;
};

static void *room(size_t bytes)
{
    void *p = aligned_alloc(64, bytes / 64 * 64 + 64);
    assert_non_null(p);
    memset(p, 0xa5, bytes / 64 * 64 + 64);
    return p;
}

typedef void (*any_function)(void);

/* Calls visit(function, scene) with the function `symbol` of the object. */
static void with(struct scene *s, const char *symbol, void (*visit)(any_function, struct scene *))
{
    struct diag d = { 0 };
    struct jit_code *code;
    convc_kernel_fn f;
    if (jit_load(jit, s->object.bytes, s->object.count, symbol, &code, &f, &d) != CONVC_OK)
        fail_msg("%s: %s", symbol, d.text);
    visit((any_function)f, s);
    jit_unload(jit, code);
}

static void visit_pack(any_function f, struct scene *s)
{
    ((void (*)(const void *, void *))f)(s->sample.wei, s->packed);
    char *want = room(s->e->packed_bytes);
    int64_t bytes = dtype_bytes(s->e->problem.p.wei_dtype);
    struct convc_packed_header h = pack_header(&s->e->layout, bytes);
    memcpy(want, &h, sizeof h);
    plan_pack(&s->e->problem, &s->e->plan, s->e->target, s->sample.wei, want + sizeof h);
    assert_int_equal(h.bytes, s->e->packed_bytes);
    if (memcmp(want, s->packed, s->e->packed_bytes + 1) != 0) {
        emitted_print(&s->e->problem, &s->e->plan, s->e->target);
        fail_msg("packs otherwise");
    }
    free(want);
}

static void visit_items(any_function f, struct scene *s)
{
    for (int64_t n = 0; n < 5; n++) {
        int64_t items = plan_items(&s->e->problem, &s->e->plan, s->e->target, 0, n);
        assert_int_equal(((int64_t(*)(int32_t, int64_t))f)(0, n), items);
        assert_int_equal(((int64_t(*)(int32_t, int64_t))f)(plan_phases(&s->e->plan), n), 0);
    }
}

/* The four shapes of a parameter list, each with what stands behind it. */
#define CALL(f, s, types, ...)                                                                     \
    do {                                                                                           \
        const struct sample *o = &(s)->sample;                                                     \
        const struct convc_problem *c = &o->problem.p;                                             \
        void *d = (s)->dst, *w = (s)->workspace;                                                   \
        const void *p = (s)->packed;                                                               \
        typedef const void *in;                                                                    \
        if (c->bias && c->residual)                                                                \
            ((void (*)(in, in, in, in, void *, void *, int64_t types))f)(                          \
                o->src, p, o->bias, o->residual, d, w, o->n __VA_ARGS__);                          \
        else if (c->bias || c->residual)                                                           \
            ((void (*)(in, in, in, void *, void *, int64_t types))f)(                              \
                o->src, p, c->bias ? o->bias : o->residual, d, w, o->n __VA_ARGS__);               \
        else                                                                                       \
            ((void (*)(in, in, void *, void *, int64_t types))f)(o->src, p, d, w,                  \
                                                                 o->n __VA_ARGS__);                \
    } while (0)
#define RANGE , int32_t, int64_t, int64_t

static void check_output(struct scene *s)
{
    if (sample_agrees(&s->sample, &s->e->plan, s->dst))
        return;
    emitted_print(&s->e->problem, &s->e->plan, s->e->target);
    fail();
}

static void visit_run(any_function f, struct scene *s)
{
    sample_fill_nan(s->e->problem.p.dst_dtype, s->dst, s->sample.dst_bytes);
    CALL(f, s, , );
    check_output(s);
}

static void visit_range(any_function f, struct scene *s)
{
    sample_fill_nan(s->e->problem.p.dst_dtype, s->dst, s->sample.dst_bytes);
    for (int32_t phase = 0; phase < plan_phases(&s->e->plan); phase++) {
        int64_t items = plan_items(&s->e->problem, &s->e->plan, s->e->target, phase, s->sample.n);
        for (int64_t begin = 0; begin < items; begin += 3)
            CALL(f, s, RANGE, , phase, begin, begin + 3 < items ? begin + 3 : items);
    }
    check_output(s);
}

static void check_plan(const struct problem *p, const struct plan *plan, const struct target *t,
                       struct test_random *r)
{
    struct emitted e;
    struct diag d = { 0 };
    struct scene s = { .e = &e };
    emitted_make(&e, p, plan, t, false);
    sample_draw(&s.sample, &p->p, r);
    e.problem = s.sample.problem;
    const struct object_request request = { .problem = &e.problem,
                                            .plan = plan,
                                            .target = t,
                                            .symbol = "conv_kernel",
                                            .name = "conv",
                                            .local = test_random_in(r, 0, 1),
                                            .small = test_random_in(r, 0, 1),
                                            .form = OBJECT_ELF };
    if (object_emit(&request, &s.object, &d) != CONVC_OK)
        fail_msg("%s", d.text);
    s.packed = room(e.packed_bytes);
    s.dst = room(s.sample.dst_bytes);
    s.workspace = room(plan_workspace_bytes(&e.problem, plan, t));
    with(&s, "conv_pack", visit_pack);
    with(&s, "conv_items", visit_items);
    with(&s, "conv", visit_run);
    with(&s, "conv_range", visit_range);
    free(s.packed);
    free(s.dst);
    free(s.workspace);
    object_free(&s.object);
    sample_free(&s.sample);
    emitted_free(&e);
}

/* One of the plans of a random problem. */
static void they_pack_and_run_as_the_library_does(void **state)
{
    (void)state;
    struct test_random r = { test_seed("entries", 5) };
    for (int64_t i = 0; i < test_count(120); i++) {
        const struct target *t = &machine[i % machines];
        struct convc_problem from;
        struct problem p;
        struct arena a = { 0 };
        struct candidates plans;
        struct diag d = { 0 };
        random_problem(r.state + (uint64_t)i, &from);
        sample_make_exact(&from);
        assert_int_equal(problem_resolve(&from, &p, &d), CONVC_OK);
        assert_int_equal(choose_plans(&a, &p, t, &plans, &d), CONVC_OK);
        int64_t one = test_random_in(&r, 0, (int64_t)plans.count - 1);
        check_plan(&p, &plans.list[one].plan, t, &r);
        arena_free(&a);
    }
}

/* Winograd's are few among random problems. */
static void transformed_weights_are_the_same_bits(void **state)
{
    (void)state;
    static const struct {
        int64_t ic, oc, groups, in, kernel[3];
        int32_t flip;
        enum convc_dtype dtype;
    } list[] = { { 20, 52, 1, 12, { 1, 3, 3 }, 0, CONVC_F32 },
                 { 32, 64, 2, 9, { 1, 3, 3 }, 1, CONVC_F32 },
                 { 17, 130, 1, 13, { 1, 3, 3 }, 0, CONVC_F64 },
                 { 9, 24, 1, 10, { 2, 3, 3 }, 1, CONVC_F32 },
                 { 16, 40, 1, 16, { 1, 1, 5 }, 1, CONVC_F32 } };
    struct test_random r = { 7 };
    int checked = 0;
    for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
        struct convc_problem from;
        struct problem p;
        struct arena a = { 0 };
        struct candidates plans;
        struct diag d = { 0 };
        problem_init(&from);
        from.spatial = 3;
        from.tolerance = 1e-3;
        from.ic = list[i].ic, from.oc = list[i].oc, from.groups = list[i].groups;
        from.src_dtype = from.wei_dtype = from.acc_dtype = from.dst_dtype = list[i].dtype;
        from.flip = list[i].flip;
        for (int k = 0; k < 3; k++)
            from.in[k] = list[i].in, from.kernel[k] = list[i].kernel[k];
        assert_int_equal(problem_resolve(&from, &p, &d), CONVC_OK);
        assert_int_equal(choose_plans(&a, &p, &machine[0], &plans, &d), CONVC_OK);
        for (size_t k = 0, taken = 0; k < plans.count && taken < 4; k++) {
            if (plans.list[k].plan.algorithm != PLAN_WINOGRAD)
                continue;
            check_plan(&p, &plans.list[k].plan, &machine[0], &r);
            taken++;
            checked++;
        }
        arena_free(&a);
    }
    assert_true(checked >= 8);
}

/* ---- the same code as the JIT loads ------------------------------------------------------------
 */

static const Elf64_Shdr *sections_of(const struct object *o, int *count, const char **names)
{
    const Elf64_Ehdr *e = (const Elf64_Ehdr *)o->bytes;
    const Elf64_Shdr *s = (const Elf64_Shdr *)(o->bytes + e->e_shoff);
    *count = e->e_shnum;
    *names = o->bytes + s[e->e_shstrndx].sh_offset;
    return s;
}

static const Elf64_Shdr *find_section(const struct object *o, const char *name)
{
    const char *names;
    int count;
    const Elf64_Shdr *s = sections_of(o, &count, &names);
    for (int i = 0; i < count; i++)
        if (!strcmp(names + s[i].sh_name, name))
            return &s[i];
    return NULL;
}

/* The first `size` bytes of a section, with 0 where the linker will write. */
static char *normal(const struct object *o, const Elf64_Shdr *s, size_t size)
{
    char relocations[64];
    const char *names;
    int count;
    char *bytes = malloc(size + 1);
    assert_non_null(bytes);
    memcpy(bytes, o->bytes + s->sh_offset, size);
    sections_of(o, &count, &names);
    snprintf(relocations, sizeof relocations, ".rela%s", names + s->sh_name);
    const Elf64_Shdr *r = find_section(o, relocations);
    for (size_t i = 0; r && i < r->sh_size / sizeof(Elf64_Rela); i++) {
        const Elf64_Rela *one = (const Elf64_Rela *)(o->bytes + r->sh_offset) + i;
        size_t width = ELF64_R_TYPE(one->r_info) == R_X86_64_64 ? 8 : 4;
        if (one->r_offset + width <= size)
            memset(bytes + one->r_offset, 0, width);
    }
    return bytes;
}

/* Every section of code or constants of `alone` stands at the beginning of one of `all`. */
static void assert_begins_with(const struct object *all, const struct object *alone)
{
    const char *names;
    int count, compared = 0;
    const Elf64_Shdr *s = sections_of(alone, &count, &names);
    for (int i = 0; i < count; i++) {
        const char *name = names + s[i].sh_name;
        if ((strcmp(name, ".text") != 0 && strncmp(name, ".rodata", 7) != 0) || !s[i].sh_size)
            continue;
        const Elf64_Shdr *other = find_section(all, name);
        assert_non_null(other);
        assert_true(other->sh_size >= s[i].sh_size);
        char *a = normal(alone, &s[i], s[i].sh_size), *b = normal(all, other, s[i].sh_size);
        assert_memory_equal(a, b, s[i].sh_size);
        free(a);
        free(b);
        compared++;
    }
    assert_true(compared > 0);
}

static void static_kernels_are_what_the_jit_loads(void **state)
{
    (void)state;
    uint64_t seed = test_seed("static code", 77);
    for (int64_t i = 0; i < test_count(200); i++) {
        struct convc_problem from;
        struct problem p;
        struct plan plan;
        struct diag d = { 0 };
        struct object alone, all;
        random_problem(seed + (uint64_t)i, &from);
        assert_int_equal(problem_resolve(&from, &p, &d), CONVC_OK);
        assert_int_equal(choose_plan(&p, &machine[0], &plan, &d), CONVC_OK);
        struct object_request r = { .problem = &p,
                                    .plan = &plan,
                                    .target = &machine[0],
                                    .symbol = "convc_0123",
                                    .form = OBJECT_ELF };
        assert_int_equal(object_emit(&r, &alone, &d), CONVC_OK);
        r.symbol = "conv_kernel";
        r.name = "conv";
        r.hidden = i % 2;
        r.local = i % 3 == 0;
        assert_int_equal(object_emit(&r, &all, &d), CONVC_OK);
        assert_begins_with(&all, &alone);
        object_free(&alone);
        object_free(&all);
    }
}

/* Of a target like this machine, fields lie where the compiler puts them. */
static void arguments_lie_where_c_puts_them(void **state)
{
    (void)state;
    const struct target *t = &machine[0];
    assert_int_equal(t->pointer_bytes, sizeof(void *));
    assert_int_equal(arguments_offset(t, ARGUMENTS_SRC), offsetof(struct convc_args, src));
    assert_int_equal(arguments_offset(t, ARGUMENTS_WEI), offsetof(struct convc_args, wei));
    assert_int_equal(arguments_offset(t, ARGUMENTS_BIAS), offsetof(struct convc_args, bias));
    assert_int_equal(arguments_offset(t, ARGUMENTS_RESIDUAL),
                     offsetof(struct convc_args, residual));
    assert_int_equal(arguments_offset(t, ARGUMENTS_DST), offsetof(struct convc_args, dst));
    assert_int_equal(arguments_offset(t, ARGUMENTS_WORKSPACE),
                     offsetof(struct convc_args, workspace));
    assert_int_equal(arguments_offset(t, ARGUMENTS_N), offsetof(struct convc_args, n));
    assert_int_equal(arguments_offset(t, ARGUMENTS_USER), offsetof(struct convc_args, user));
    assert_int_equal(arguments_offset(t, ARGUMENTS_RESERVED),
                     offsetof(struct convc_args, reserved));
    assert_int_equal(arguments_offset(t, ARGUMENTS_FIELDS), sizeof(struct convc_args));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(they_pack_and_run_as_the_library_does),
        cmocka_unit_test(transformed_weights_are_the_same_bits),
        cmocka_unit_test(static_kernels_are_what_the_jit_loads),
        cmocka_unit_test(arguments_lie_where_c_puts_them),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
