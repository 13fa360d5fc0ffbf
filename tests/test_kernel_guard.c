/* Kernels touch nothing outside of their tensors: these lie flush against pages that nobody may
 * touch, at every alignment of an element, and the results are still right. */
#include "gen/plan/choose.h"
#include "runtime/cli/random.h"
#include "tests/support/emitted.h"
#include "tests/support/filter.h"
#include "tests/support/subject.h"

#include <inttypes.h>
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

/* ---- memory between pages that nobody may touch -------------------------------------------------
 */

enum { SRC, WEI, BIAS, RESIDUAL, DST, TENSORS, CAPACITY = 1 << 24, MARGIN = 256 };
enum { ALIGNMENTS = 16 };

static char *region[TENSORS];

static int regions_create(void **state)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    for (int i = 0; i < TENSORS; i++) {
        char *p = mmap(NULL, CAPACITY + 2 * page, PROT_NONE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (p == MAP_FAILED || mprotect(p + page, CAPACITY, PROT_READ | PROT_WRITE) != 0)
            return -1;
        region[i] = p + page;
    }
    return emitted_setup(state);
}

static int regions_free(void **state)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    for (int i = 0; i < TENSORS; i++)
        munmap(region[i] - page, CAPACITY + 2 * page);
    return emitted_teardown(state);
}

/* Where a tensor lies: its last byte before the page behind, or `skip` elements after the page in
 * front. Packed weights keep their 64-byte alignment. */
struct place {
    bool at_end;
    int64_t skip;
    bool apart;    /* each tensor skips another number of elements */
    bool in_place; /* the residual is dst itself */
};

struct stage {
    const struct emitted *kernel;
    const struct sample *sample;
    struct place place;
    char *tensor[TENSORS];
    size_t bytes[TENSORS];
};

static enum convc_dtype type_of(const struct stage *s, int i)
{
    const struct convc_problem *p = &s->kernel->problem.p;
    return i == SRC ? p->src_dtype : i == RESIDUAL || i == DST ? p->dst_dtype : p->acc_dtype;
}

static char *find_place(const struct stage *s, int i)
{
    int64_t elements = (s->place.skip + (s->place.apart ? 5 * i : 0)) % ALIGNMENTS;
    size_t skip = (size_t)(elements * dtype_bytes(type_of(s, i)));
    size_t align = i == WEI ? 64 : 1;
    if (s->place.at_end)
        return region[i] + (CAPACITY - s->bytes[i]) / align * align;
    return region[i] + (i == WEI ? 0 : skip);
}

/* NaN before the tensor and behind it, as far as there is room. */
static void surround(const struct stage *s, int i)
{
    char *begin = s->tensor[i] - MARGIN, *end = s->tensor[i] + s->bytes[i] + MARGIN;
    if (begin < region[i])
        begin = region[i];
    if (end > region[i] + CAPACITY)
        end = region[i] + CAPACITY;
    sample_fill_nan(type_of(s, i), begin, (size_t)(end - begin));
}

static void set_stage(struct stage *s, const struct emitted *e, const struct sample *o,
                      const void *packed, struct place place)
{
    const void *content[TENSORS] = { o->src, packed, o->bias, o->residual, NULL };
    *s = (struct stage){ .kernel = e, .sample = o, .place = place };
    const size_t bytes[TENSORS] = { o->src_bytes, e->packed_bytes, o->bias_bytes, o->dst_bytes,
                                    o->dst_bytes };
    for (int i = 0; i < TENSORS; i++) {
        assert_true(bytes[i] + MARGIN <= CAPACITY);
        s->bytes[i] = bytes[i];
        s->tensor[i] = find_place(s, i);
        surround(s, i);
        if (content[i])
            memcpy(s->tensor[i], content[i], bytes[i]);
    }
    if (place.in_place)
        memcpy(s->tensor[DST], o->residual, o->dst_bytes);
}

/* What lies around dst is as it was. */
static bool surroundings_kept(const struct stage *s)
{
    struct stage fresh = *s;
    char before[MARGIN], after[MARGIN];
    size_t room_before = (size_t)(s->tensor[DST] - region[DST]);
    size_t room_after = CAPACITY - room_before - s->bytes[DST];
    room_before = room_before < MARGIN ? room_before : MARGIN;
    room_after = room_after < MARGIN ? room_after : MARGIN;
    memcpy(before, s->tensor[DST] - room_before, room_before);
    memcpy(after, s->tensor[DST] + s->bytes[DST], room_after);
    surround(&fresh, DST);
    return !memcmp(before, s->tensor[DST] - room_before, room_before) &&
           !memcmp(after, s->tensor[DST] + s->bytes[DST], room_after);
}

/* ---- runs --------------------------------------------------------------------------------------
 */

static sigjmp_buf caught;
static const volatile char *volatile touched;

static void on_fault(int signal_number, siginfo_t *info, void *context)
{
    (void)signal_number, (void)context;
    touched = info->si_addr;
    siglongjmp(caught, 1);
}

static void catch_faults(struct sigaction old[2])
{
    struct sigaction action = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO };
    sigaction(SIGSEGV, &action, &old[0]);
    sigaction(SIGBUS, &action, &old[1]);
}

static void release_faults(const struct sigaction old[2])
{
    sigaction(SIGSEGV, &old[0], NULL);
    sigaction(SIGBUS, &old[1], NULL);
}

static const char *const tensor_name[TENSORS] = { "src", "wei", "bias", "residual", "dst" };

/* Says which tensor the kernel left, and where. */
static void print_fault(const struct stage *s)
{
    for (int i = 0; i < TENSORS; i++) {
        if (touched >= region[i] - 4096 && touched < region[i] + CAPACITY + 4096)
            fprintf(stderr, "touches byte %td of %s, which has %zu\n", touched - s->tensor[i],
                    tensor_name[i], s->bytes[i]);
    }
}

/* Does the kernel run without a fault? */
static bool runs(const struct stage *s, struct test_random *r)
{
    const struct convc_problem *p = &s->kernel->problem.p;
    struct convc_args args = { .struct_bytes = sizeof args, .n = s->sample->n };
    struct sigaction old[2];
    args.src = s->tensor[SRC];
    args.wei = s->tensor[WEI];
    args.bias = p->bias ? s->tensor[BIAS] : NULL;
    args.residual = s->place.in_place ? s->tensor[DST] : p->residual ? s->tensor[RESIDUAL] : NULL;
    args.dst = s->tensor[DST];
    catch_faults(old);
    volatile bool fault = sigsetjmp(caught, 1) != 0;
    if (!fault)
        emitted_run(s->kernel, &args, r);
    release_faults(old);
    return !fault;
}

static void check_place(const struct emitted *e, const struct sample *o, const void *packed,
                        struct place place, uint64_t seed, struct test_random *r)
{
    struct stage s;
    set_stage(&s, e, o, packed, place);
    bool whole = runs(&s, r);
    if (!whole)
        print_fault(&s);
    if (whole && sample_agrees(o, &e->plan, s.tensor[DST]) && surroundings_kept(&s))
        return;
    emitted_print(&e->problem, &e->plan, e->target);
    fail_msg("random problem of seed %" PRIu64 ", tensors %s, %" PRId64 " elements in%s%s", seed,
             place.at_end ? "at the end of a page" : "at the beginning of a page", place.skip,
             place.apart ? ", each elsewhere" : "", place.in_place ? ", residual in place" : "");
}

/* What kernels there were, of all tests together. */
static struct {
    int algorithm[PLAN_ALGORITHMS], axes[4], src[5], dst[5], depthwise;
} seen;

static void count_seen(const struct problem *p, const struct plan *plan)
{
    int axes = p->p.in[CONVC_D] > 1 ? 3 : p->p.in[CONVC_H] > 1 ? 2 : 1;
    seen.algorithm[plan->algorithm]++;
    seen.axes[axes]++;
    seen.src[p->p.src_dtype]++;
    seen.dst[p->p.dst_dtype]++;
    seen.depthwise += p->p.groups > 1 && p->icg == 1;
}

static void check_plan(const struct sample *o, const struct plan *plan, const struct target *t,
                       uint64_t seed, struct test_random *r)
{
    static _Alignas(64) char packed[CAPACITY];
    struct emitted e;
    emitted_make(&e, &o->problem, plan, t, false);
    assert_true(e.packed_bytes <= sizeof packed);
    emitted_pack(&e, o->wei, packed);
    count_seen(&o->problem, plan);
    check_place(&e, o, packed, (struct place){ .at_end = true }, seed, r);
    for (int64_t skip = 0; skip < ALIGNMENTS; skip++) {
        bool apart = (seed + (uint64_t)skip) % 2;
        check_place(&e, o, packed, (struct place){ .skip = skip, .apart = apart }, seed, r);
    }
    if (o->problem.p.residual)
        check_place(&e, o, packed, (struct place){ .in_place = true }, seed, r);
    emitted_free(&e);
}

/* Of a problem's plans: the one that would be chosen, all, those that are for filters, or those
 * that are for bytes. */
enum which { CHOSEN, ALL, STENCILS, BYTES };

static bool is_one_of(enum which which, const struct candidates *plans, size_t i)
{
    switch (which) {
    case CHOSEN: return i == 0;
    case ALL: return true;
    case STENCILS: return plan_in_code(&plans->list[i].plan);
    default: return plans->list[i].plan.algorithm == PLAN_FIXED;
    }
}

/* Returns how many plans there were. */
static int check_problem(uint64_t seed, const struct target *t, enum which which,
                         struct test_random *r)
{
    int checked = 0;
    static struct filter_room room;
    struct convc_problem p;
    struct sample o;
    struct arena a = { 0 };
    struct candidates plans;
    struct diag d = { 0 };
    random_problem(seed, &p);
    if (which == STENCILS)
        draw_filter(seed, &p, &room);
    if (which == BYTES)
        draw_bytes(seed, &p, room.weights);
    sample_draw(&o, &p, r);
    bool some = choose_plans(&a, &o.problem, t, &plans, &d) == CONVC_OK;
    if (!some && which != STENCILS) /* windows may have none */
        fail_msg("%s", d.text);
    for (size_t i = 0; some && i < plans.count; i++) {
        if (!is_one_of(which, &plans, i))
            continue;
        check_plan(&o, &plans.list[i].plan, t, seed, r);
        checked++;
    }
    arena_free(&a);
    sample_free(&o);
    return checked;
}

/* So many problems of one kind, each for the next machine. Returns how many plans there were. */
static int64_t check_problems(int64_t count, enum which which)
{
    uint64_t seed = test_seed("kernel_guard", 7000) + (uint64_t)which * 1000000;
    struct test_random r = { seed };
    int64_t checked = 0;
    for (int64_t i = 0; i < count; i++)
        checked += check_problem(seed + (uint64_t)i, &machine[i % machines], which, &r);
    print_message("%" PRId64 " kernels\n", checked);
    return checked;
}

/* ---- tests -------------------------------------------------------------------------------------
 */

static void chosen_plans_stay_within_their_tensors(void **state)
{
    (void)state;
    check_problems(test_count(2000), CHOSEN);
}

static void every_plan_stays_within_its_tensors(void **state)
{
    (void)state;
    check_problems(test_count(10), ALL);
}

static void stencils_stay_within_their_tensors(void **state)
{
    int64_t count = test_count(60);
    (void)state;
    assert_true(check_problems(count, STENCILS) > count);
}

static void filters_over_bytes_stay_within_their_tensors(void **state)
{
    int64_t count = test_count(60);
    (void)state;
    assert_true(check_problems(count, BYTES) > count / 4);
}

/* Fewer problems than all have not all of it. */
static void every_kind_was_among_them(void **state)
{
    (void)state;
    for (int i = 0; i < PLAN_ALGORITHMS; i++)
        print_message("%s: %d kernels\n", plan_algorithm_name(i), seen.algorithm[i]);
    for (enum convc_dtype t = CONVC_F32; t <= CONVC_U16; t++)
        print_message("%s: src of %d, dst of %d\n", dtype_name(t), seen.src[t], seen.dst[t]);
    print_message("axes: %d, %d, %d; depthwise: %d\n", seen.axes[1], seen.axes[2], seen.axes[3],
                  seen.depthwise);
    if (test_count(100) < 100)
        skip();
    for (int i = 0; i < PLAN_ALGORITHMS; i++)
        assert_true(seen.algorithm[i] > 0);
    for (enum convc_dtype t = CONVC_F32; t <= CONVC_U16; t++)
        assert_true(seen.src[t] > 0 && seen.dst[t] > 0);
    assert_true(seen.axes[1] && seen.axes[2] && seen.axes[3] && seen.depthwise);
}

static bool faults(volatile const char *at)
{
    struct sigaction old[2];
    catch_faults(old);
    bool fault = sigsetjmp(caught, 1) != 0;
    if (!fault)
        (void)*at;
    release_faults(old);
    return fault && touched == at;
}

/* A fault would be seen: the bytes before the first and behind the last are guarded. */
static void bytes_beyond_are_guarded(void **state)
{
    (void)state;
    for (int i = 0; i < TENSORS; i++) {
        assert_true(faults(region[i] - 1));
        assert_true(faults(region[i] + CAPACITY));
        assert_false(faults(region[i]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_beyond_are_guarded),
        cmocka_unit_test(chosen_plans_stay_within_their_tensors),
        cmocka_unit_test(every_plan_stays_within_its_tensors),
        cmocka_unit_test(stencils_stay_within_their_tensors),
        cmocka_unit_test(filters_over_bytes_stay_within_their_tensors),
        cmocka_unit_test(every_kind_was_among_them),
    };
    return cmocka_run_group_tests(tests, regions_create, regions_free);
}
