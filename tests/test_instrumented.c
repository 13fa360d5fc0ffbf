/* Kernels with the address sanitizer's checks inside touch nothing but their tensors.
 *
 * Needs a build with -DCONVC_SANITIZE=address,...: its runtime is what the kernels call. */
#include "gen/out/object.h"
#include "gen/plan/choose.h"
#include "gen/plan/layout.h"
#include "runtime/jit.h"
#include "tests/support/layer.h"
#include "tests/support/support.h"

#include <fcntl.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#if defined(__SANITIZE_ADDRESS__)
enum { INSTRUMENTED = 1 };
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
enum { INSTRUMENTED = 1 };
#else
enum { INSTRUMENTED = 0 };
#endif
#else
enum { INSTRUMENTED = 0 };
#endif

/* ---- the ground ------------------------------------------------------------------------------ */

static struct jit *jit;
static convc_context *packer; /* packs for the layouts that the plans ask for */
static struct target target;

static int setup(void **state)
{
    (void)state;
    struct diag d = { 0 };
    const struct convc_context_options opt = { .struct_bytes = sizeof opt,
                                               .flags = CONVC_NO_DISK_CACHE | CONVC_NO_JIT };
    target_host(&target);
    return INSTRUMENTED &&
           (jit_create(&jit, &d) != CONVC_OK || convc_context_create(&opt, &packer) != CONVC_OK);
}

static int teardown(void **state)
{
    (void)state;
    jit_destroy(jit);
    convc_context_destroy(packer);
    return 0;
}

/* A copy of exactly that size, so that what lies behind it is poisoned. */
static float *exact(const float *from, int64_t elements)
{
    size_t bytes = (size_t)elements * sizeof *from;
    float *copy = malloc(bytes);
    assert_non_null(copy);
    memcpy(copy, from, bytes);
    return copy;
}

/* One plan, compiled with checks, and a kernel that packs for it. */
struct loaded {
    const struct problem *problem;
    const struct plan *plan;
    struct jit_code *code;
    convc_kernel_fn function;
    convc_kernel *kernel;
};

static void load(const struct layer *l, const struct problem *p, const struct plan *plan,
                 struct loaded *out)
{
    struct diag d = { 0 };
    char text[PLAN_TEXT_MAX];
    struct object object;
    const struct object_request request = { .problem = p,
                                            .plan = plan,
                                            .target = &target,
                                            .symbol = "kernel",
                                            .form = OBJECT_ELF,
                                            .instrument = true };
    const struct convc_compile_options opt = { .struct_bytes = sizeof opt, .plan = text };
    *out = (struct loaded){ .problem = p, .plan = plan };
    plan_print(plan, text);
    out->kernel = layer_compile(packer, l, &opt);
    if (object_emit(&request, &object, &d) != CONVC_OK ||
        jit_load(jit, object.bytes, object.count, "kernel", &out->code, &out->function, &d) !=
            CONVC_OK)
        fail_msg("%s: %s", text, d.text);
    object_free(&object);
}

static void unload(struct loaded *k)
{
    jit_unload(jit, k->code);
    convc_kernel_release(k->kernel);
}

/* Runs on tensors of their exact sizes; src and dst may be made shorter by some elements. Equal to
 * what is expected? */
static bool run(const struct loaded *k, struct layer *l, int64_t src_short, int64_t dst_short)
{
    layer_pack(l, k->kernel);
    struct convc_args args = layer_args(l);
    float *src = exact(l->src, l->src_elements - src_short);
    float *dst = exact(l->dst, l->dst_elements - dst_short);
    float *residual = exact(l->residual, l->dst_elements), *bias = exact(l->bias, l->p.oc);
    size_t workspace = plan_workspace_bytes(k->problem, k->plan, &target);
    args.src = src, args.dst = dst, args.residual = residual, args.bias = bias;
    args.workspace = workspace ? aligned_alloc(64, workspace) : NULL;
    for (int32_t phase = 0; phase < plan_phases(k->plan); phase++)
        k->function(&args, phase, 0, plan_items(k->problem, k->plan, &target, phase, l->n));
    bool equal = memcmp(dst, l->expected, (size_t)(l->dst_elements - dst_short) * sizeof *dst) == 0;
    free(src);
    free(dst);
    free(residual);
    free(bias);
    free(args.workspace);
    return equal;
}

/* Runs one plan of a problem: the best, or the one that is compiled the soonest, for checks make
 * code so long that LLVM takes seconds over the others. */
static void run_one_plan(const struct convc_problem *c, int64_t n, bool best)
{
    struct diag d = { 0 };
    struct arena a = { 0 };
    struct candidates candidates;
    struct problem p;
    struct layer l;
    struct loaded k;
    layer_init(&l, c, n);
    assert_int_equal(problem_resolve(c, &p, &d), CONVC_OK);
    assert_int_equal(choose_plans(&a, &p, &target, &candidates, &d), CONVC_OK);
    size_t chosen = 0;
    for (size_t i = 1; !best && i < candidates.count; i++) {
        if (candidates.list[i].cost.compile_ms < candidates.list[chosen].cost.compile_ms)
            chosen = i;
    }
    load(&l, &p, &candidates.list[chosen].plan, &k);
    if (!run(&k, &l, 0, 0)) {
        struct text t = { 0 };
        char plan[PLAN_TEXT_MAX];
        problem_print(&p, &t);
        plan_print(k.plan, plan);
        fail_msg("%s under \"%s\"", t.data, plan);
    }
    unload(&k);
    arena_free(&a);
    layer_free(&l);
}

/* ---- facts ----------------------------------------------------------------------------------- */

static void the_best_plan_keeps_to_its_tensors(void **state)
{
    (void)state;
    struct convc_problem p;
    if (!INSTRUMENTED)
        skip();
    layer_problem(&p, 5, 37, 3, 15);
    run_one_plan(&p, 2, true);
    layer_problem(&p, 3, 5, 4, 33);
    p.layout = CONVC_NCHW;
    run_one_plan(&p, 1, true);
}

/* 2-D, small, leaning to the edges; batch up to 3. */
static void draw_problem(struct test_random *r, struct convc_problem *p)
{
    int64_t groups = test_random_in(r, 0, 2) ? 1 : test_random_in(r, 1, 6);
    layer_problem(p, groups * test_random_in(r, 1, 9), groups * test_random_in(r, 1, 20),
                  test_random_in(r, 1, 12), test_random_in(r, 1, 40));
    p->groups = groups;
    p->layout = (enum convc_layout)test_random_in(r, 0, 1);
    p->flip = (int32_t)test_random_in(r, 0, 1);
    p->padding_mode = (enum convc_padding_mode)test_random_in(r, 0, 6);
    p->padding_value = 2;
    for (int a = CONVC_H; a <= CONVC_W; a++) {
        p->kernel[a] = test_random_in(r, 1, 3);
        p->stride[a] = test_random_in(r, 1, 3);
        p->dilation[a] = test_random_in(r, 1, 2);
        p->pad_begin[a] = test_random_in(r, 0, 4);
        p->pad_end[a] = test_random_in(r, 0, 4);
    }
}

static void random_problems_keep_to_their_tensors(void **state)
{
    (void)state;
    if (!INSTRUMENTED)
        skip();
    struct test_random r = { test_seed("test_instrumented", 1) };
    for (int64_t drawn = 0; drawn < test_count(40);) {
        struct convc_problem p;
        draw_problem(&r, &p);
        if (convc_problem_check(&p) != CONVC_OK)
            continue; /* the window is larger than the padded input */
        run_one_plan(&p, test_random_in(&r, 1, 3), false);
        drawn++;
    }
}

/* The checks are alive: a tensor that is too short ends the process. */
static void a_tensor_that_is_too_short_is_caught(void **state)
{
    (void)state;
    if (!INSTRUMENTED)
        skip();
    for (int which = 0; which < 3; which++) {
        struct diag d = { 0 };
        struct convc_problem c;
        struct problem p;
        struct plan plan;
        struct layer l;
        struct loaded k;
        int status;
        layer_problem(&c, 5, 8, 3, 7);
        layer_init(&l, &c, 1);
        assert_int_equal(problem_resolve(&c, &p, &d), CONVC_OK);
        assert_int_equal(choose_plan(&p, &target, &plan, &d), CONVC_OK);
        load(&l, &p, &plan, &k);
        pid_t child = fork();
        if (child == 0) {
            dup2(open("/dev/null", O_WRONLY | O_CLOEXEC), STDERR_FILENO);
            run(&k, &l, which == 1, which == 2);
            _exit(0);
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        bool survived = WIFEXITED(status) && WEXITSTATUS(status) == 0;
        assert_int_equal(survived, which == 0);
        unload(&k);
        layer_free(&l);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_best_plan_keeps_to_its_tensors),
        cmocka_unit_test(random_problems_keep_to_their_tensors),
        cmocka_unit_test(a_tensor_that_is_too_short_is_caught),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
