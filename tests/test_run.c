/* convc_run and convc_pack: what they refuse leaves dst untouched; what they accept is exact,
 * whoever's threads do it. */
#include "tests/support/layer.h"
#include "tests/support/support.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static convc_context *make_context(int32_t threads, convc_parallel_for host, void *pool)
{
    convc_context *cx = NULL;
    const struct convc_context_options opt = { .struct_bytes = sizeof opt,
                                               .threads = threads,
                                               .flags = CONVC_NO_DISK_CACHE,
                                               .parallel_for = host,
                                               .pool = pool };
    if (convc_context_create(&opt, &cx) != CONVC_OK)
        fail_msg("%s", convc_last_error());
    return cx;
}

/* ---- refusals -------------------------------------------------------------------------------- */

static void refused(const convc_kernel *k, const struct convc_args *args, const struct layer *l,
                    const float *before, const char *says)
{
    if (convc_run(k, args) != CONVC_ERR_ARGUMENT)
        fail_msg("accepted: %s", says);
    if (!strstr(convc_last_error(), says))
        fail_msg("\"%s\" does not say \"%s\"", convc_last_error(), says);
    assert_memory_equal(l->dst, before, (size_t)l->dst_elements * sizeof *before);
}

static void what_run_refuses_leaves_dst_untouched(void **state)
{
    (void)state;
    struct layer l;
    convc_context *cx = make_context(1, NULL, NULL);
    layer_make(&l, 16, 16, 5, 6, 2); /* src and dst of one size */
    convc_kernel *k = layer_compile(cx, &l, NULL);
    layer_pack(&l, k);
    size_t bytes = (size_t)l.dst_elements * sizeof(float);
    float *before = malloc(bytes);
    memcpy(before, l.dst, bytes);
    const struct convc_args good = layer_args(&l);
    struct convc_args a;

#define REFUSE(change, says)                                                                       \
    do {                                                                                           \
        a = good;                                                                                  \
        change;                                                                                    \
        refused(k, &a, &l, before, says);                                                          \
    } while (0)
    REFUSE(a.struct_bytes = 8, "struct_bytes=8");
    REFUSE(a.n = -1, "n=-1 is negative");
    REFUSE(a.n = INT64_MAX, "exceed the address space");
    REFUSE(a.src = NULL, "src is missing");
    REFUSE(a.wei = NULL, "wei is missing");
    REFUSE(a.bias = NULL, "bias is missing");
    REFUSE(a.residual = NULL, "residual is missing");
    REFUSE(a.dst = NULL, "dst is missing");
    REFUSE(a.src = (char *)l.src + 1, "is not aligned to 4 bytes");
    REFUSE(a.dst = (char *)l.dst + 2, "is not aligned to 4 bytes");
    REFUSE(a.bias = (char *)l.bias + 3, "is not aligned to 4 bytes");
    REFUSE(a.residual = (char *)l.residual + 1, "is not aligned to 4 bytes");
    REFUSE(a.wei = (char *)l.packed + 4, "is not aligned to 64 bytes");
    REFUSE(a.wei = l.wei, "wei was not written by convc_pack");
    REFUSE(a.src = l.dst, "dst overlaps src");
    REFUSE(a.src = l.dst + 1, "dst overlaps src");
    REFUSE(a.dst = l.src + l.src_elements - 1, "dst overlaps src");
    REFUSE(a.bias = l.dst + 5, "dst overlaps bias");
    REFUSE(a.residual = l.dst + 1, "dst overlaps residual");
    REFUSE(a.dst = (char *)l.packed + 128, "dst overlaps wei");
#undef REFUSE
    assert_int_equal(convc_run(NULL, &good), CONVC_ERR_ARGUMENT);
    assert_int_equal(convc_run(k, NULL), CONVC_ERR_ARGUMENT);
    free(before);
    layer_check(&l, k);
    convc_kernel_release(k);
    convc_context_destroy(cx);
    layer_free(&l);
}

static void weights_packed_for_another_layout_are_refused(void **state)
{
    (void)state;
    struct layer l;
    convc_context *cx = make_context(1, NULL, NULL);
    layer_make(&l, 16, 16, 5, 6, 1);
    convc_kernel *k = layer_compile(cx, &l, NULL);
    layer_pack(&l, k);
    size_t bytes = (size_t)l.dst_elements * sizeof(float);
    float *before = malloc(bytes);
    memcpy(before, l.dst, bytes);
    const struct convc_args args = layer_args(&l);
    struct convc_packed_header *h = l.packed;

    h->layout_hash++;
    refused(k, &args, &l, before, "packed for another layout");
    h->layout_hash--;
    h->bytes -= 64;
    refused(k, &args, &l, before, "packed for another layout");
    h->bytes += 64;
    h->magic[7] = '2';
    refused(k, &args, &l, before, "not written by convc_pack");
    h->magic[7] = '1';
    assert_int_equal(convc_run(k, &args), CONVC_OK);
    free(before);
    convc_kernel_release(k);
    convc_context_destroy(cx);
    layer_free(&l);
}

static void scratch_memory_lies_in_no_tensor(void **state)
{
    (void)state;
    struct layer l;
    convc_context *cx = make_context(1, NULL, NULL);
    const struct convc_compile_options opt = { .struct_bytes = sizeof opt,
                                               .plan = "winograd f=2x2 tile=4x1" };
    layer_make(&l, 16, 16, 64, 64, 1);
    convc_kernel *k = layer_compile(cx, &l, &opt);
    layer_pack(&l, k);
    size_t bytes = (size_t)l.dst_elements * sizeof(float);
    float *before = malloc(bytes);
    memcpy(before, l.dst, bytes);
    /* The tensors come to the workspace: where the heap puts them decides nothing then. */
    size_t room = convc_workspace_bytes(k, 1, 0) + bytes + convc_packed_bytes(k) + 64;
    char *workspace = aligned_alloc(64, room / 64 * 64);
    const struct convc_args good = layer_args(&l);
    struct convc_args args = good;
    assert_true(workspace && convc_workspace_bytes(k, 1, 0) > 0);
    refused(k, &args, &l, before, "workspace is missing");
    args.workspace = workspace + 4;
    refused(k, &args, &l, before, "is not aligned to 64 bytes");
    args.workspace = workspace;
    args.src = workspace + 4;
    refused(k, &args, &l, before, "the workspace overlaps src");
    args.src = good.src;
    args.dst = workspace;
    refused(k, &args, &l, before, "the workspace overlaps dst");
    args.dst = good.dst;
    args.bias = workspace + 8;
    refused(k, &args, &l, before, "the workspace overlaps bias");
    args.bias = good.bias;
    args.residual = workspace;
    refused(k, &args, &l, before, "the workspace overlaps the residual");
    args.residual = good.residual;
    memcpy(workspace + 64, l.packed, convc_packed_bytes(k));
    args.wei = workspace + 64;
    refused(k, &args, &l, before, "the workspace overlaps wei");
    args.wei = good.wei;
    assert_int_equal(convc_run(k, &args), CONVC_OK);
    free(workspace);
    free(before);
    convc_kernel_release(k);
    convc_context_destroy(cx);
    layer_free(&l);
}

static void pack_refuses_what_is_missing_or_misaligned(void **state)
{
    (void)state;
    struct layer l;
    convc_context *cx = make_context(1, NULL, NULL);
    layer_make(&l, 4, 4, 3, 3, 1);
    convc_kernel *k = layer_compile(cx, &l, NULL);
    layer_pack(&l, k);
    assert_int_equal(convc_pack(NULL, l.wei, l.packed), CONVC_ERR_ARGUMENT);
    assert_int_equal(convc_pack(k, NULL, l.packed), CONVC_ERR_ARGUMENT);
    assert_int_equal(convc_pack(k, l.wei, NULL), CONVC_ERR_ARGUMENT);
    assert_int_equal(convc_pack(k, (char *)l.wei + 1, l.packed), CONVC_ERR_ARGUMENT);
    assert_int_equal(convc_pack(k, l.wei, (char *)l.packed + 32), CONVC_ERR_ARGUMENT);
    convc_kernel_release(k);
    convc_context_destroy(cx);
    layer_free(&l);
}

/* ---- what is legal --------------------------------------------------------------------------- */

static void a_batch_of_none_does_nothing(void **state)
{
    (void)state;
    struct layer l;
    convc_context *cx = make_context(1, NULL, NULL);
    layer_make(&l, 4, 4, 3, 3, 1);
    convc_kernel *k = layer_compile(cx, &l, NULL);
    const struct convc_args none = { .struct_bytes = sizeof none };
    assert_int_equal(convc_run(k, &none), CONVC_OK);
    assert_int_equal(convc_kernel_items(k, 0, 0), 0);
    assert_int_equal(convc_workspace_bytes(k, 0, 0), 0);
    assert_int_equal(convc_kernel_items(k, 0, INT64_MAX), 0);
    convc_kernel_release(k);
    convc_context_destroy(cx);
    layer_free(&l);
}

/* Strides of 0 spread one row of channels over more elements than an int64_t can count. */
static void run_broadcast(int ic)
{
    enum { N = 3 };
    struct convc_problem p;
    convc_kernel *k = NULL;
    convc_context *cx = make_context(1, NULL, NULL);
    convc_problem_init(&p);
    p.ic = ic;
    p.in[CONVC_H] = p.in[CONVC_W] = p.stride[CONVC_H] = p.stride[CONVC_W] = INT32_MAX;
    p.src_stride[CONVC_STRIDE_C] = 1;
    if (convc_compile(cx, &p, NULL, &k) != CONVC_OK)
        fail_msg("%s", convc_last_error());
    float *src = malloc(sizeof *src * (size_t)ic), *wei = malloc(sizeof *wei * (size_t)ic),
          dst[N] = { 0 };
    for (int i = 0; i < ic; i++)
        src[i] = wei[i] = 1;
    void *packed = aligned_alloc(64, (convc_packed_bytes(k) + 63) / 64 * 64);
    assert_int_equal(convc_pack(k, wei, packed), CONVC_OK);
    const struct convc_args args = { sizeof args, .src = src, .wei = packed, .dst = dst, .n = N };
    if (convc_run(k, &args) != CONVC_OK)
        fail_msg("%s", convc_last_error());
    for (int i = 0; i < N; i++)
        assert_true(dst[i] == (float)ic);
    free(src);
    free(wei);
    free(packed);
    convc_kernel_release(k);
    convc_context_destroy(cx);
}

static void a_broadcast_image_may_be_larger_than_memory(void **state)
{
    (void)state;
    run_broadcast(2);    /* an image can be counted, three cannot */
    run_broadcast(1024); /* nor can an image */
}

static void the_residual_may_be_dst_itself(void **state)
{
    (void)state;
    struct layer l;
    convc_context *cx = make_context(1, NULL, NULL);
    layer_make(&l, 7, 9, 5, 6, 2);
    convc_kernel *k = layer_compile(cx, &l, NULL);
    layer_pack(&l, k);
    struct convc_args args = layer_args(&l);
    memcpy(l.dst, l.residual, (size_t)l.dst_elements * sizeof(float));
    args.residual = l.dst;
    assert_int_equal(convc_run(k, &args), CONVC_OK);
    assert_memory_equal(l.dst, l.expected, (size_t)l.dst_elements * sizeof(float));
    convc_kernel_release(k);
    convc_context_destroy(cx);
    layer_free(&l);
}

/* As in a network that concatenates: src is the first channels of a picture, dst the others. */
static void channel_slices_of_one_buffer_are_apart(void **state)
{
    (void)state;
    enum { H = 5, W = 6, IC = 8, OC = 4, PITCH = IC + OC };
    struct convc_problem p;
    struct layer l;
    convc_context *cx = make_context(1, NULL, NULL);
    layer_problem(&p, IC, OC, H, W);
    p.residual = 0;
    const int64_t strides[5] = { H * W * PITCH, 1, H * W * PITCH, W * PITCH, PITCH };
    memcpy(p.src_stride, strides, sizeof strides);
    memcpy(p.dst_stride, strides, sizeof strides);
    layer_init(&l, &p, 1);
    convc_kernel *k = layer_compile(cx, &l, NULL);
    layer_pack(&l, k);
    float *buffer = calloc(H * W * PITCH, sizeof *buffer);
    memcpy(buffer, l.src, (size_t)l.src_elements * sizeof *buffer);
    struct convc_args args = layer_args(&l);
    args.src = buffer;
    args.dst = buffer + IC;
    if (convc_run(k, &args) != CONVC_OK)
        fail_msg("%s", convc_last_error());
    for (int x = 0; x < H * W; x++) {
        assert_memory_equal(buffer + x * PITCH, l.src + x * PITCH, IC * sizeof *buffer);
        assert_memory_equal(buffer + x * PITCH + IC, l.expected + x * PITCH, OC * sizeof *buffer);
    }
    free(buffer);
    convc_kernel_release(k);
    convc_context_destroy(cx);
    layer_free(&l);
}

static void packed_bytes_depend_on_the_weights_alone(void **state)
{
    (void)state;
    struct layer l;
    convc_context *cx = make_context(1, NULL, NULL);
    layer_make(&l, 5, 37, 4, 4, 1); /* the last block has holes */
    convc_kernel *k = layer_compile(cx, &l, NULL);
    layer_pack(&l, k);
    size_t bytes = convc_packed_bytes(k);
    char *again = aligned_alloc(64, (bytes + 63) / 64 * 64);
    memset(again, 0xff, bytes);
    assert_int_equal(convc_pack(k, l.wei, again), CONVC_OK);
    assert_memory_equal(again, l.packed, bytes);
    free(again);
    convc_kernel_release(k);
    convc_context_destroy(cx);
    layer_free(&l);
}

/* ---- threads --------------------------------------------------------------------------------- */

/* The host's loop, backwards, in the caller's thread. */
static void backwards(void *calls, void (*task)(void *argument, size_t i), void *argument,
                      size_t count)
{
    ++*(int *)calls;
    while (count-- > 0)
        task(argument, count);
}

static void any_threads_give_the_same_result(void **state)
{
    (void)state;
    struct layer l;
    int calls = 0;
    layer_make(&l, 32, 48, 29, 31, 3); /* enough work to be split */
    for (int threads = 1; threads <= 4; threads++) {
        convc_context *cx = make_context(threads, threads == 4 ? backwards : NULL, &calls);
        convc_kernel *k = layer_compile(cx, &l, NULL);
        memset(l.dst, 0, (size_t)l.dst_elements * sizeof(float));
        layer_check(&l, k);
        convc_kernel_release(k);
        convc_context_destroy(cx);
    }
    assert_int_equal(calls, 1);
    layer_free(&l);
}

static void small_work_stays_with_the_caller(void **state)
{
    (void)state;
    struct layer l;
    int calls = 0;
    convc_context *cx = make_context(4, backwards, &calls);
    layer_make(&l, 8, 8, 4, 4, 5);
    convc_kernel *k = layer_compile(cx, &l, NULL);
    assert_true(convc_kernel_items(k, 0, l.n) > 1); /* it could be split */
    layer_check(&l, k);
    assert_int_equal(calls, 0);
    convc_kernel_release(k);
    convc_context_destroy(cx);
    layer_free(&l);
}

static void any_split_of_the_items_gives_the_same_result(void **state)
{
    (void)state;
    struct layer l;
    struct test_random r = { test_seed("test_run", 1) };
    convc_context *cx = make_context(1, NULL, NULL);
    layer_make(&l, 6, 40, 9, 11, 2);
    convc_kernel *k = layer_compile(cx, &l, NULL);
    struct convc_kernel_info info = { .struct_bytes = sizeof info };
    assert_int_equal(convc_kernel_info(k, &info), CONVC_OK);
    assert_non_null(info.function);
    layer_pack(&l, k);
    const struct convc_args args = layer_args(&l);
    for (int64_t trial = 0; trial < test_count(50); trial++) {
        memset(l.dst, 0, (size_t)l.dst_elements * sizeof(float));
        for (int32_t phase = 0; phase < info.phases; phase++) {
            int64_t items = convc_kernel_items(k, phase, l.n), begin = 0;
            assert_int_equal(items, l.n * convc_kernel_items(k, phase, 1));
            while (begin < items) {
                int64_t end = test_random_in(&r, begin, items);
                info.function(&args, phase, begin, end);
                begin = end;
            }
        }
        assert_memory_equal(l.dst, l.expected, (size_t)l.dst_elements * sizeof(float));
    }
    assert_int_equal(convc_kernel_items(k, info.phases, l.n), 0);
    convc_kernel_release(k);
    convc_context_destroy(cx);
    layer_free(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_run_refuses_leaves_dst_untouched),
        cmocka_unit_test(weights_packed_for_another_layout_are_refused),
        cmocka_unit_test(scratch_memory_lies_in_no_tensor),
        cmocka_unit_test(pack_refuses_what_is_missing_or_misaligned),
        cmocka_unit_test(a_batch_of_none_does_nothing),
        cmocka_unit_test(a_broadcast_image_may_be_larger_than_memory),
        cmocka_unit_test(the_residual_may_be_dst_itself),
        cmocka_unit_test(channel_slices_of_one_buffer_are_apart),
        cmocka_unit_test(packed_bytes_depend_on_the_weights_alone),
        cmocka_unit_test(any_threads_give_the_same_result),
        cmocka_unit_test(small_work_stays_with_the_caller),
        cmocka_unit_test(any_split_of_the_items_gives_the_same_result),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
