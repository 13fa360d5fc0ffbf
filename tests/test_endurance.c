/* Many kernels through one process, and many at once: neither its memory maps, of which Linux
 * allows 65530, nor its memory grow with what has been let go.
 *
 * A million, and 30 000 at once: CONVC_TEST_SCALE=100000 (SECURITY.md). */
#include "tests/support/process.h"
#include "tests/support/support.h"

#include <convc/convc.h>

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* ---- kernels -------------------------------------------------------------------------------- */

static convc_context *make_context(size_t max_kernels)
{
    const struct convc_context_options opt = { .struct_bytes = sizeof opt,
                                               .threads = 1,
                                               .flags = CONVC_NO_DISK_CACHE,
                                               .max_kernels = max_kernels };
    convc_context *cx;
    assert_int_equal(convc_context_create(&opt, &cx), CONVC_OK);
    return cx;
}

enum { CHANNELS = 100, PIXELS = 100 };

/* One of a million: 1x1, from and to so many channels, on a row of so many pixels. */
static struct convc_problem problem_of(int64_t i)
{
    struct convc_problem p;
    convc_problem_init(&p);
    p.ic = 1 + i % CHANNELS;
    p.oc = 1 + i / CHANNELS % CHANNELS;
    p.in[CONVC_W] = 1 + i / CHANNELS / CHANNELS % PIXELS;
    return p;
}

static convc_kernel *compile(convc_context *cx, int64_t i)
{
    const struct convc_problem p = problem_of(i);
    struct convc_kernel_info info = { .struct_bytes = sizeof info };
    convc_kernel *k;
    if (convc_compile(cx, &p, NULL, &k) != CONVC_OK)
        fail_msg("kernel %" PRId64 ": %s", i, convc_last_error());
    assert_int_equal(convc_kernel_info(k, &info), CONVC_OK);
    if (!info.function)
        fail_msg("kernel %" PRId64 " is the reference: %s", i, info.reason);
    return k;
}

static _Alignas(64) float src[CHANNELS * PIXELS], dst[CHANNELS * PIXELS], wei[CHANNELS * CHANNELS];
static _Alignas(64) char packed[8 * sizeof wei];

/* Runs it on ones, with weights o % 7: output channel o is ic * (o % 7). */
static void run(const convc_kernel *k, int64_t i)
{
    const struct convc_problem p = problem_of(i);
    const struct convc_args args = {
        .struct_bytes = sizeof args, .src = src, .wei = packed, .dst = dst, .n = 1
    };
    for (int64_t w = 0; w < p.oc * p.ic; w++)
        wei[w] = (float)(w / p.ic % 7);
    assert_true(convc_packed_bytes(k) <= sizeof packed);
    assert_int_equal(convc_workspace_bytes(k, 1, 1), 0);
    assert_int_equal(convc_pack(k, wei, packed), CONVC_OK);
    assert_int_equal(convc_run(k, &args), CONVC_OK);
    for (int64_t o = 0; o < p.oc * p.in[CONVC_W]; o++)
        assert_true(dst[o] == (float)(p.ic * (o % p.oc % 7)));
}

static int setup(void **state)
{
    (void)state;
    for (int i = 0; i < CHANNELS * PIXELS; i++)
        src[i] = 1;
    return 0;
}

/* ---- facts ---------------------------------------------------------------------------------- */

static void what_was_let_go_leaves_nothing(void **state)
{
    (void)state;
    enum { LIVE = 64, WARM = 200 };
    const int64_t total = WARM + test_count(1000), tenth = total / 10;
    int64_t maps = 0, resident = 0;
    convc_context *cx = make_context(LIVE);
    for (int64_t i = 0; i < total; i++) {
        if (i == WARM) {
            maps = process_maps();
            resident = process_resident();
        }
        convc_kernel *k = compile(cx, i);
        run(k, i);
        convc_kernel_release(k);
        if ((i + 1) % tenth == 0)
            printf("%" PRId64 " kernels: %" PRId64 " maps, %" PRId64 " MiB\n", i + 1,
                   process_maps(), process_resident() >> 20);
    }
    assert_true(process_maps() <= maps + 2 * LIVE);
    if (!PROCESS_INSTRUMENTED)
        assert_true(process_resident() <= resident + ((int64_t)16 << 20));
    convc_context_destroy(cx);
}

/* One map each is the most that they can take. Side by side, as memory is handed out, they take a
 * small share of that; how small is up to what else the process maps. */
static void kernels_that_live_at_once_share_maps(void **state)
{
    (void)state;
    enum { MOST = 30000 };
    const int64_t scaled = test_count(100), live = scaled < MOST ? scaled : MOST;
    convc_kernel **k = malloc((size_t)live * sizeof(*k));
    convc_context *cx = make_context(MOST);
    assert_non_null(k);
    int64_t maps = process_maps();
    for (int64_t i = 0; i < live; i++)
        k[i] = compile(cx, i);
    printf("%" PRId64 " at once: %" PRId64 " maps, %" PRId64 " MiB\n", live, process_maps(),
           process_resident() >> 20);
    assert_true(process_maps() <= maps + 64 + live / 4);
    for (int64_t i = 0; i < live; i++) {
        run(k[i], i);
        convc_kernel_release(k[i]);
    }
    convc_context_destroy(cx);
    free(k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_let_go_leaves_nothing),
        cmocka_unit_test(kernels_that_live_at_once_share_maps),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
