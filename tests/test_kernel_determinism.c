/* The same problem on the same numbers gives the same bits: run after run, on one thread and on
 * eight, however its batch and its work are split, from the compiler, from disk, compiled again,
 * and as a static kernel.
 *
 * 10 000 problems: CONVC_TEST_SCALE=33400 (SECURITY.md). */
#include "runtime/cli/execution.h"
#include "runtime/jit.h"
#include "tests/support/filter.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { THREADS_MAX = 8 };

/* ---- the ground ----------------------------------------------------------------------------- */

struct ground {
    struct test_dir dir;
    convc_context *of[THREADS_MAX]; /* of so many threads and one more; they share a directory */
    convc_context *alone;           /* keeps nothing on disk */
    struct jit *jit;                /* of static kernels */
    int64_t kernels;
};

static convc_context *open_context(const char *directory, int threads)
{
    const struct convc_context_options opt = { .struct_bytes = sizeof opt,
                                               .threads = threads,
                                               .cache_dir = directory,
                                               .flags = directory ? 0 : CONVC_NO_DISK_CACHE,
                                               .max_kernels = 1 };
    convc_context *cx = NULL;
    assert_int_equal(convc_context_create(&opt, &cx), CONVC_OK);
    return cx;
}

static int ground_init(void **state)
{
    static struct ground g;
    char directory[600];
    struct diag d = { 0 };
    test_dir_create(&g.dir);
    test_dir_path(&g.dir, "cache", directory, sizeof directory);
    for (int i = 0; i < THREADS_MAX; i++)
        g.of[i] = open_context(directory, i + 1);
    g.alone = open_context(NULL, 1);
    *state = &g;
    return jit_create(&g.jit, &d) != CONVC_OK;
}

static int ground_free(void **state)
{
    struct ground *g = *state;
    for (int i = 0; i < THREADS_MAX; i++)
        convc_context_destroy(g->of[i]);
    convc_context_destroy(g->alone);
    jit_destroy(g->jit);
    test_dir_remove(&g->dir);
    return 0;
}

/* ---- a problem and its results -------------------------------------------------------------- */

struct subject {
    struct ground *g;
    struct convc_problem p;
    uint64_t seed;
    struct filter_room room;
    struct operands operands;
    struct tensors tensors;
    struct guarded dst;
    void *blank, *expected; /* all of dst's memory before a run, and after the first */
    struct test_random r;
};

static size_t memory_of(const struct guarded *g)
{
    return (size_t)(g->elements * g->bytes);
}

static void must(enum exit_code code, const struct failure *f)
{
    if (code != EXIT_FINE)
        fail_msg("%s", f->text);
}

/* A batch of 64 is enough to be split among threads, as a rule. */
static void subject_draw(struct subject *s, struct ground *g, uint64_t seed)
{
    struct failure f;
    s->g = g;
    s->seed = seed;
    s->r = (struct test_random){ seed };
    s->operands = (struct operands){ 0 };
    random_problem(seed, &s->p);
    if (seed % 3 == 0)
        draw_filter(seed / 3, &s->p, &s->room);
    s->p.n = seed % 4 ? test_random_in(&s->r, 1, 3) : 64;
    snprintf(s->p.name, sizeof s->p.name, "subject");
    for (int which = 0; which < OPERANDS; which++) {
        if (operand_wanted(&s->p, which))
            must(operand_fill_real(&s->p, which, seed, &s->operands.array[which], &f), &f);
    }
    must(tensors_place(&s->p, &s->operands, (int64_t)(seed % 16), false, &s->tensors, &f), &f);
    must(guarded_create(&s->p, (int64_t)(seed % 16), &s->dst, &f), &f);
    s->blank = malloc(memory_of(&s->dst));
    s->expected = malloc(memory_of(&s->dst));
    assert_true(s->blank && s->expected);
    memcpy(s->blank, s->dst.base, memory_of(&s->dst));
}

static void subject_free(struct subject *s)
{
    operands_free(&s->operands);
    tensors_free(&s->tensors);
    guarded_free(&s->dst);
    free(s->blank);
    free(s->expected);
}

/* What stands in dst's memory must be what the first run left there. */
static void assert_same(struct subject *s, const char *how)
{
    char *text;
    bool same = memcmp(s->dst.base, s->expected, memory_of(&s->dst)) == 0;
    memcpy(s->dst.base, s->blank, memory_of(&s->dst));
    if (same)
        return;
    assert_int_equal(convc_problem_text(&s->p, &text), CONVC_OK);
    fail_msg("%s: other bits than at first: %s # n=%" PRId64 ", seed %" PRIu64, how, text, s->p.n,
             s->seed);
}

/* ---- ways to run ---------------------------------------------------------------------------- */

static void compile(struct subject *s, convc_context *cx, int threads, struct execution *x)
{
    struct failure f;
    enum convc_status st;
    must(execution_compile(cx, &s->p, NULL, x, &st, &f), &f);
    must(execution_pack(x, &s->tensors.args, threads, &f), &f);
}

static struct convc_args args_of(const struct subject *s, const struct execution *x)
{
    struct convc_args args;
    execution_args(x, &s->tensors.args, s->dst.dst, &args);
    return args;
}

static void run(const struct subject *s, const struct execution *x)
{
    struct convc_args args = args_of(s, x);
    if (convc_run(x->kernel, &args) != CONVC_OK)
        fail_msg("%s", convc_last_error());
}

/* The batch in two runs. */
static void run_in_two(struct subject *s, const struct execution *x)
{
    int64_t src[5], dst[5], first = test_random_in(&s->r, 0, s->p.n);
    struct convc_args args = args_of(s, x);
    assert_int_equal(convc_problem_src(&s->p, 1, src, NULL), CONVC_OK);
    assert_int_equal(convc_problem_dst(&s->p, 1, dst, NULL), CONVC_OK);
    int64_t src_bytes = first * src[CONVC_STRIDE_N] * dtype_bytes(s->p.src_dtype);
    int64_t dst_bytes = first * dst[CONVC_STRIDE_N] * s->dst.bytes;
    args.n = first;
    assert_int_equal(convc_run(x->kernel, &args), CONVC_OK);
    args.n = s->p.n - first;
    args.src = (const char *)args.src + src_bytes;
    args.dst = (char *)args.dst + dst_bytes;
    if (args.residual)
        args.residual = (const char *)args.residual + dst_bytes;
    assert_int_equal(convc_run(x->kernel, &args), CONVC_OK);
}

/* Each phase in some parts, as that many threads would share it, in any order. */
static void run_in_parts(struct subject *s, const struct execution *x)
{
    enum { PARTS = 8 };
    struct convc_args args = args_of(s, x);
    for (int32_t phase = 0; phase < x->info.phases; phase++) {
        int64_t at[PARTS + 1] = { 0 }, items = convc_kernel_items(x->kernel, phase, args.n);
        for (int i = 1; i <= PARTS; i++)
            at[i] = i == PARTS ? items : test_random_in(&s->r, at[i - 1], items);
        int64_t turn = test_random_in(&s->r, 0, PARTS - 1);
        for (int i = 0; i < PARTS; i++) {
            int64_t part = (i * 3 + turn) % PARTS;
            if (at[part] < at[part + 1])
                x->info.function(&args, phase, at[part], at[part + 1]);
        }
    }
}

/* Calls NAME(src, [packed,] [bias,] [residual,] dst, workspace, n). */
static void call_static(const struct subject *s, const struct execution *x,
                        convc_kernel_fn function)
{
    struct convc_args args = args_of(s, x);
    uintptr_t v[7];
    int count = 0;
    v[count++] = (uintptr_t)args.src;
    if (convc_packed_bytes(x->kernel))
        v[count++] = (uintptr_t)args.wei;
    if (s->p.bias)
        v[count++] = (uintptr_t)args.bias;
    if (s->p.residual)
        v[count++] = (uintptr_t)args.residual;
    v[count++] = (uintptr_t)args.dst;
    v[count++] = (uintptr_t)args.workspace;
    v[count++] = (uintptr_t)args.n;
    typedef uintptr_t u;
    void (*f)(void) = (void (*)(void))function;
    switch (count) {
    case 4: ((void (*)(u, u, u, u))f)(v[0], v[1], v[2], v[3]); break;
    case 5: ((void (*)(u, u, u, u, u))f)(v[0], v[1], v[2], v[3], v[4]); break;
    case 6: ((void (*)(u, u, u, u, u, u))f)(v[0], v[1], v[2], v[3], v[4], v[5]); break;
    default: ((void (*)(u, u, u, u, u, u, u))f)(v[0], v[1], v[2], v[3], v[4], v[5], v[6]); break;
    }
}

static void run_static(const struct subject *s, const struct execution *x)
{
    struct diag d = { 0 };
    char *object;
    size_t count;
    struct jit_code *code;
    convc_kernel_fn function;
    if (convc_emit(&s->p, 1, NULL, &object, &count) != CONVC_OK)
        fail_msg("%s", convc_last_error());
    if (jit_load(s->g->jit, object, count, s->p.name, &code, &function, &d) != CONVC_OK)
        fail_msg("%s", d.text);
    convc_text_free(object);
    call_static(s, x, function);
    jit_unload(s->g->jit, code);
}

/* ---- facts ---------------------------------------------------------------------------------- */

static void check_threads(struct subject *s)
{
    for (int i = 0; i < THREADS_MAX; i++) {
        struct execution x;
        char how[64];
        compile(s, s->g->of[i], i + 1, &x);
        assert_int_equal(x.source, i ? CONVC_FROM_DISK : CONVC_FROM_MEMORY);
        snprintf(how, sizeof how, "%d threads", i + 1);
        run(s, &x);
        assert_same(s, how);
        execution_free(&x);
    }
}

static void check_fresh(struct subject *s)
{
    struct execution x;
    compile(s, s->g->alone, 1, &x);
    assert_int_equal(x.source, CONVC_FROM_COMPILER);
    run(s, &x);
    assert_same(s, "compiled again");
    run_in_two(s, &x);
    assert_same(s, "the batch in two");
    run_in_parts(s, &x);
    assert_same(s, "in parts");
    run_static(s, &x);
    assert_same(s, "a static kernel");
    execution_free(&x);
}

/* Windows that no algorithm takes are the reference's. */
static void check(struct ground *g, uint64_t seed)
{
    static struct subject s;
    struct execution x;
    subject_draw(&s, g, seed);
    compile(&s, g->of[0], 1, &x);
    if (x.info.function) {
        g->kernels++;
        run(&s, &x);
        memcpy(s.expected, s.dst.base, memory_of(&s.dst));
        assert_true(memcmp(s.expected, s.blank, memory_of(&s.dst)) != 0 || !s.p.n);
        memcpy(s.dst.base, s.blank, memory_of(&s.dst));
        run(&s, &x);
        assert_same(&s, "run again");
        check_threads(&s);
        check_fresh(&s);
    }
    execution_free(&x);
    subject_free(&s);
}

static void the_same_bits_whatever_the_way(void **state)
{
    struct ground *g = *state;
    uint64_t seed = test_seed("kernel_determinism", 90000);
    int64_t count = test_count(30);
    for (int64_t i = 0; i < count; i++)
        check(g, seed + (uint64_t)i);
    printf("%" PRId64 " problems, %" PRId64 " of them kernels\n", count, g->kernels);
    assert_true(g->kernels > count / 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_bits_whatever_the_way),
    };
    return cmocka_run_group_tests(tests, ground_init, ground_free);
}
