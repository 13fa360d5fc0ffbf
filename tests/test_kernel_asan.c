/* Kernels under LLVM's address sanitizer: every load and store is checked against tensors that are
 * heap blocks of exactly their size. Built only where the program has the sanitizer's run time. */
#include "gen/plan/choose.h"
#include "gen/plan/nest.h"
#include "tests/support/emitted.h"
#include "tests/support/filter.h"
#include "tests/support/subject.h"

#include <inttypes.h>
#include <sanitizer/common_interface_defs.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#ifndef __SANITIZE_ADDRESS__
#error "this test needs -fsanitize=address"
#endif

/* Heap blocks of exactly the size of each tensor. */
struct blocks {
    void *src, *wei, *bias, *residual, *dst;
};

static void *block_of(const void *content, size_t bytes)
{
    void *block = NULL;
    assert_int_equal(posix_memalign(&block, 64, bytes), 0);
    if (content)
        memcpy(block, content, bytes);
    return block;
}

static struct blocks blocks_of(const struct emitted *e, const struct sample *s, size_t dst_bytes)
{
    struct blocks b = { .src = block_of(s->src, s->src_bytes),
                        .wei = block_of(NULL, e->packed_bytes),
                        .bias = block_of(s->bias, s->bias_bytes),
                        .residual = block_of(s->residual, s->dst_bytes),
                        .dst = block_of(NULL, dst_bytes) };
    emitted_pack(e, s->wei, b.wei);
    sample_fill_nan(e->problem.p.dst_dtype, b.dst, dst_bytes);
    return b;
}

static void blocks_free(const struct blocks *b)
{
    void *const owned[] = { b->src, b->wei, b->bias, b->residual, b->dst };
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
        free(owned[i]);
}

static void run_on(const struct emitted *e, const struct sample *s, const struct blocks *b,
                   struct test_random *r)
{
    struct convc_args args = { .struct_bytes = sizeof args,
                               .src = b->src,
                               .wei = b->wei,
                               .bias = b->bias,
                               .residual = b->residual,
                               .dst = b->dst,
                               .n = s->n };
    emitted_run(e, &args, r);
}

/* Checks make code many times longer: prefers plans that write down little. */
enum { EMITTED_MOST = 120, TRIES = 12 };

static bool writes_little(const struct problem *p, const struct plan *plan, const struct target *t)
{
    if (plan_in_code(plan))
        return true;
    if (plan->algorithm == PLAN_WINOGRAD)
        return plan->winograd.m[0] + plan->winograd.m[1] <= 4;
    return nest_emitted(p, &plan->direct, t) <= EMITTED_MOST;
}

/* One of the algorithm that is liked, where there is one; else any. False where there is none, as
 * for some windows. */
static bool draw_plan(const struct problem *p, const struct target *t, enum plan_algorithm liked,
                      struct test_random *r, struct plan *plan)
{
    struct arena a = { 0 };
    struct candidates plans;
    struct diag d = { 0 };
    bool some = choose_plans(&a, p, t, &plans, &d) == CONVC_OK;
    for (int i = 0; some && i < TRIES; i++) {
        int64_t any = test_random_in(r, 0, (int64_t)plans.count - 1);
        *plan = plans.list[i ? any : 0].plan;
        if (writes_little(p, plan, t))
            break;
    }
    for (size_t i = 0; some && plan->algorithm != liked && i < plans.count; i++) {
        if (plans.list[i].plan.algorithm == liked && writes_little(p, &plans.list[i].plan, t))
            *plan = plans.list[i].plan;
    }
    arena_free(&a);
    return some;
}

/* The sanitizer ends the program at the first bad access. */
static const struct emitted *running;
static uint64_t running_seed;

static void print_running(void)
{
    if (!running)
        return;
    fprintf(stderr, "random problem of seed %" PRIu64 "\n", running_seed);
    emitted_print(&running->problem, &running->plan, running->target);
}

/* Every third one is a filter or a window. Returns the algorithm, -1 where none takes it. */
static int check_problem(uint64_t seed, const struct target *t)
{
    static struct filter_room room;
    struct test_random r = { seed };
    struct convc_problem p;
    struct sample s;
    struct emitted e;
    struct plan plan;
    enum plan_algorithm liked = (enum plan_algorithm)(seed % PLAN_ALGORITHMS);
    random_problem(seed, &p);
    if (liked == PLAN_FIXED)
        draw_bytes(seed, &p, room.weights);
    else if (seed % 3 == 0)
        draw_filter(seed / 3, &p, &room);
    sample_draw(&s, &p, &r);
    if (!draw_plan(&s.problem, t, liked, &r, &plan)) {
        sample_free(&s);
        return -1;
    }
    emitted_make(&e, &s.problem, &plan, t, true);
    struct blocks b = blocks_of(&e, &s, s.dst_bytes);
    running = &e;
    running_seed = seed;
    run_on(&e, &s, &b, &r);
    if (!sample_agrees(&s, &plan, b.dst)) {
        print_running();
        fail();
    }
    running = NULL;
    blocks_free(&b);
    emitted_free(&e);
    sample_free(&s);
    return (int)plan.algorithm;
}

static void no_kernel_leaves_its_tensors(void **state)
{
    uint64_t seed = test_seed("kernel_asan", 300);
    int64_t count = test_count(2500); /* the sanitizer's build runs at 5 percent */
    int seen[PLAN_ALGORITHMS + 1] = { 0 };
    (void)state;
    __sanitizer_set_death_callback(print_running);
    for (int64_t i = 0; i < count; i++)
        seen[1 + check_problem(seed + (uint64_t)i, &machine[i % machines])]++;
    for (int i = 0; i < PLAN_ALGORITHMS; i++)
        print_message("%s: %d kernels\n", plan_algorithm_name(i), seen[1 + i]);
    for (int i = 0; i < PLAN_ALGORITHMS; i++)
        assert_true(seen[1 + i] > 0);
}

/* ---- the sanitizer is awake ---------------------------------------------------------------------
 */

enum { REPORT_MAX = 65536 };

/* What a child prints on stderr that runs the kernel on a dst that is `less` bytes too short; its
 * exit status. */
static int run_in_child(const struct emitted *e, const struct sample *s, size_t less,
                        char report[REPORT_MAX])
{
    int ends[2], status;
    size_t count = 0;
    ssize_t got;
    fflush(NULL);
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct test_random r = { 1 };
        dup2(ends[1], STDERR_FILENO);
        close(ends[0]);
        struct blocks b = blocks_of(e, s, s->dst_bytes - less);
        run_on(e, s, &b, &r);
        _exit(0);
    }
    close(ends[1]);
    while ((got = read(ends[0], report + count, REPORT_MAX - 1 - count)) > 0)
        count += (size_t)got;
    report[count] = '\0';
    close(ends[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

static void a_dst_one_element_short_is_reported(void **state)
{
    static char report[REPORT_MAX];
    struct test_random r = { 1 };
    struct convc_problem p;
    struct sample s;
    struct plan plan;
    struct emitted e;
    struct diag d = { 0 };
    (void)state;
    problem_init(&p);
    p.n = 1;
    p.ic = 5;
    p.oc = 19;
    p.in[CONVC_H] = p.in[CONVC_W] = 7;
    p.kernel[CONVC_H] = p.kernel[CONVC_W] = 3;
    sample_draw(&s, &p, &r);
    for (int i = 0; i < machines; i++) {
        assert_int_equal(choose_plan(&s.problem, &machine[i], &plan, &d), CONVC_OK);
        emitted_make(&e, &s.problem, &plan, &machine[i], true);
        int status = run_in_child(&e, &s, 0, report);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
        status = run_in_child(&e, &s, 4, report);
        assert_false(WIFEXITED(status) && WEXITSTATUS(status) == 0);
        assert_non_null(strstr(report, "AddressSanitizer: heap-buffer-overflow"));
        assert_non_null(strstr(report, "WRITE of size"));
        emitted_free(&e);
    }
    sample_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_dst_one_element_short_is_reported),
        cmocka_unit_test(no_kernel_leaves_its_tensors),
    };
    return cmocka_run_group_tests(tests, emitted_setup, emitted_teardown);
}
