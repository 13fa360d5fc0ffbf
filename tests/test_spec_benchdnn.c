/* benchdnn's notation: what its defaults mean, and that every printed line reads back. */
#include "gen/spec/spec.h"
#include "tests/support/support.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void read_line(const char *line, struct problem *p)
{
    struct arena memory = { 0 };
    struct convc_problem from;
    struct diag d = { 0 };
    if (spec_benchdnn(line, &memory, &from, &d) != CONVC_OK ||
        problem_resolve(&from, p, &d) != CONVC_OK)
        fail_msg("%s: %s", line, d.text);
    arena_free(&memory);
}

static void equal_lines_are_equal_problems(const char *a, const char *b)
{
    struct problem p, q;
    struct problem_key kp, kq;
    read_line(a, &p);
    read_line(b, &q);
    problem_key(&p, &kp);
    problem_key(&q, &kq);
    if (memcmp(&kp, &kq, sizeof kp) != 0 || p.p.n != q.p.n)
        fail_msg("%s is not %s", a, b);
}

static void axes_that_are_left_out_are_square(void **state)
{
    (void)state;
    struct problem p;
    equal_lines_are_equal_problems("ic3ih8oc4oh6kh3", "ic3ih8iw8oc4oh6ow6kh3kw3");
    equal_lines_are_equal_problems("ic3ih8oc4oh3kh3sh2ph0dh1",
                                   "ic3ih8iw8oc4oh3ow3kh3kw3sh2sw2ph0pw0"
                                   "dh1dw1");
    equal_lines_are_equal_problems("ic3id8oc4od8kd3pd1",
                                   "ic3id8ih8iw8oc4od8oh8ow8kd3kh3kw3pd1ph1pw1");
    equal_lines_are_equal_problems("ic3id4ih8oc4od2oh6kd3kh3", "ic3id4ih8iw8oc4od2oh6ow6kd3kh3kw3");
    read_line("ic3iw8oc4ow6kw3", &p);
    assert_int_equal(p.p.spatial, 1);
    read_line("ic3ih8oc4oh6kh3", &p);
    assert_int_equal(p.p.spatial, 2);
    read_line("ic3id8oc4od6kd3", &p);
    assert_int_equal(p.p.spatial, 3);
}

static void what_is_left_out_has_benchdnn_defaults(void **state)
{
    (void)state;
    struct problem p;
    read_line("ic3ih8oc4kh3", &p);
    assert_int_equal(p.p.n, 2);
    assert_int_equal(p.p.groups, 1);
    assert_int_equal(p.out[CONVC_H], 6);
    equal_lines_are_equal_problems("ic3ih8oc4kh3", "g1mb2ic3ih8oc4oh6kh3sh1dh0ph0");
    equal_lines_are_equal_problems("g1_mb2_ic3ih8_oc4oh6_kh3", "ic3ih8oc4kh3");
    equal_lines_are_equal_problems("kh3oc4ih8ic3", "ic3ih8oc4kh3");
    equal_lines_are_equal_problems("ic3ih8oc4kh3dh2ph1", "ic3ih8oc4oh4kh3dh2ph1");
}

static void padding(const char *line, int64_t begin, int64_t end, int64_t out)
{
    struct problem p;
    read_line(line, &p);
    if (p.p.pad_begin[2] != begin || p.p.pad_end[2] != end || p.out[2] != out)
        fail_msg("%s: pads %" PRId64 " %" PRId64 ", makes %" PRId64, line, p.p.pad_begin[2],
                 p.p.pad_end[2], p.out[2]);
}

static void the_output_implies_the_padding_at_the_end(void **state)
{
    (void)state;
    padding("ic3iw8oc4ow8kw3pw1", 1, 1, 8);
    padding("ic3iw8oc4ow8kw3", 1, 1, 8); /* half of it at the beginning */
    padding("ic3iw8oc4ow8kw4", 1, 2, 8); /* the odd one at the end */
    padding("ic3iw8oc4ow8kw4pw0", 0, 3, 8);
    padding("ic3iw8oc4ow4kw3pw1", 1, -3, 4); /* crops */
    padding("ic3iw8oc4ow4kw3", 0, -2, 4);
    padding("ic3iw8oc4ow4kw3sw2pw0", 0, 1, 4);
    padding("ic3iw8oc4ow2kw3pw-2", -2, -2, 2);
    padding("ic3iw8oc4kw3pw2", 2, 2, 10);
    padding("ic3iw9oc4kw2sw2", 0, -1, 4); /* canonical: what no tap reads is cropped */
}

static void names_may_be_quoted(void **state)
{
    (void)state;
    struct arena none = { 0 };
    struct convc_problem p;
    struct diag d = { 0 };
    assert_int_equal(spec_benchdnn("ic3ih8oc4kh3n\"res2a:branch\"", &none, &p, &d), CONVC_OK);
    assert_string_equal(p.name, "res2a:branch");
    assert_int_equal(spec_benchdnn("ic3ih8oc4kh3nconv1;bias", &none, &p, &d), CONVC_OK);
    assert_string_equal(p.name, "conv1");
    assert_int_equal(p.bias, 1);
}

static void bad_lines_get_a_sentence(void **state)
{
    (void)state;
    static const struct {
        const char *line, *sentence;
    } bad[] = {
        { "ic3ih8oc4kh3ix4", "\"ix\" is no key of a benchdnn problem" },
        { "ic3ih8oc4kh3*2", "\"*\" is no key of a benchdnn problem" },
        { "ic3ih8oc4kh3ih4", "ih is given twice" },
        { "ic3ih8oc4kh3ph1ph1", "ph is given twice" },
        { "ic3ih8oc4kh", "kh has no number behind it that fits 64 bits" },
        { "ic3ih-8oc4kh3", "ih has no number behind it that fits 64 bits" },
        { "ic3ih99999999999999999999oc4kh3", "ih has no number behind it that fits 64 bits" },
        { "ih8oc4kh3", "ic must be given" },
        { "ic3ih8kh3", "oc must be given" },
        { "ic3oc4", "ih and kh must be given" },
        { "ic3ih8oc4", "kh must be given, 1 to 2147483647" },
        { "ic3oc4kh3", "ih must be given, 1 to 2147483647" },
        { "ic3ih8iw8oc4kh3", "kw must be given, 1 to 2147483647" },
        { "ic3ih0oc4kh3", "ih must be given, 1 to 2147483647" },
        { "ic3ih8oc4kh3sh0", "sh=0 must be 1 to 2147483647" },
        { "ic3ih8oc4kh3oh0", "oh=0 must be 1 to 2147483647" },
        { "ic3ih8oc4kh3dh2147483647", "dh=2147483647 must be 0 to 2147483646" },
        { "ic3ih8oc4kh3dh9223372036854775807", "dh=9223372036854775807 must be 0 to 2147483646" },
        { "ic3ih8oc4kh3ph9223372036854775807",
          "ph=9223372036854775807 must be -4294967294 to 2147483647" },
        { "ic9223372036854775807ih8oc4kh3",
          "in_channels=9223372036854775807 must be 1 to 2147483647" },
        { "g2ic3ih8oc4kh3", "groups=2 does not divide in_channels=3" },
        { "ic3ih8oc4kh9", "kernel_size=9 with dilation=1 spans 9 along the height, more than the 8 "
                          "of the padded input" },
        { "ic3ih8oc4kh3;", "\"\" is no addition to a benchdnn problem" },
        { "ic3ih8oc4kh3;mode=zero", "\"mode=zero\" is not mode=zeros, constant, reflect, "
                                    "symmetric, replicate, circular or identity" },
        { "ic3ih8oc4kh3;mode=", "\"mode=\" is not mode=zeros, constant, reflect, symmetric, "
                                "replicate, circular or identity" },
        { "ic3ih8oc4kh3;flip=1", "\"flip=1\" is no addition to a benchdnn problem" },
        { "ic3ih8oc4kh3;bias;biased", "\"biased\" is no addition to a benchdnn problem" },
        { "ic3ih8oc4kh3;bias;bias", "the addition bias is given twice" },
        { "ic3ih8oc4kh3;mode=reflect;flip;mode=zeros", "the addition mode is given twice" },
        { "ic3ih8oc4kh3;value=1;mode=constant;value=1;bias", "the addition value is given twice" },
        { "ic3ih8oc4kh3;act=clamp", "\"act=clamp\" is not act=relu, clamp,LOW,HIGH, "
                                    "leaky_relu,SLOPE, sigmoid, tanh, silu, gelu or hardswish" },
        { "ic3ih8oc4kh3;act=clamp,1", "\"act=clamp,1\" is not act=relu, clamp,LOW,HIGH, "
                                      "leaky_relu,SLOPE, sigmoid, tanh, silu, gelu or hardswish" },
        { "ic3ih8oc4kh3;act=relu,1", "\"act=relu,1\" is not act=relu, clamp,LOW,HIGH, "
                                     "leaky_relu,SLOPE, sigmoid, tanh, silu, gelu or hardswish" },
        { "ic3ih8oc4kh3;act=none", "\"act=none\" is not act=relu, clamp,LOW,HIGH, "
                                   "leaky_relu,SLOPE, sigmoid, tanh, silu, gelu or hardswish" },
        { "ic3ih8oc4kh3;dtype=f16",
          "\"dtype=f16\" is not dtype=f32, f64, u8, s16, u16 or SRC:ACC:DST" },
        { "ic3ih8oc4kh3;dtype=u8:f32",
          "\"dtype=u8:f32\" is not dtype=f32, f64, u8, s16, u16 or SRC:ACC:DST" },
        { "ic3ih8oc4kh3;dtype=u8:f32:u8:",
          "\"dtype=u8:f32:u8:\" is not dtype=f32, f64, u8, s16, u16 or SRC:ACC:DST" },
        { "ic3ih8oc4kh3;layout=nchw2", "\"layout=nchw2\" is not layout=nhwc or nchw" },
        { "ic3ih8oc4kh3;tol=x", "\"tol=x\" is not tol=a number" },
        { "ic3ih8oc4kh3;tol=-1", "tolerance=-1 must be finite and not negative" },
        { "ic3ih8oc4kh3;src_strides=1,2",
          "\"src_strides=1,2\" is not src_strides=five whole numbers from 0: n,c,d,h,w" },
        { "ic3ih8oc4kh3;mode=constant;value=1e999", "padding_value=inf must be finite" },
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct arena memory = { 0 };
        struct convc_problem from;
        struct problem p;
        struct diag d = { 0 };
        if (spec_benchdnn(bad[i].line, &memory, &from, &d) == CONVC_OK)
            problem_resolve(&from, &p, &d);
        if (strcmp(d.text, bad[i].sentence) != 0)
            fail_msg("%s: %s", bad[i].line, d.text);
        arena_free(&memory);
    }
}

/* ---- round trip ------------------------------------------------------------------------------ */

static double random_real(struct test_random *r)
{
    double x = (double)test_random_in(r, -1000000, 1000000);
    return test_random_in(r, 0, 1) ? x / 16 : x / 7e9;
}

static void draw_axis(struct test_random *r, struct convc_problem *p, int a)
{
    p->in[a] = test_random_in(r, 1, 40);
    p->kernel[a] = test_random_in(r, 1, 5);
    p->stride[a] = test_random_in(r, 1, 4);
    p->dilation[a] = test_random_in(r, 1, 3);
    p->pad_begin[a] = test_random_in(r, -3, 9);
    p->pad_end[a] = test_random_in(r, -3, 9);
}

/* Strides of one's own: dense in the layout, with room between the pixels of either tensor. */
static void draw_strides(struct test_random *r, struct convc_problem *p)
{
    struct problem dense;
    struct diag d = { 0 };
    if (problem_resolve(p, &dense, &d) != CONVC_OK)
        return;
    int64_t spread = test_random_in(r, 1, 3), wide = test_random_in(r, 1, 3);
    for (int i = 0; i < 5; i++) {
        p->src_stride[i] = dense.p.src_stride[i] * spread;
        p->dst_stride[i] = dense.p.dst_stride[i] * wide;
    }
}

static void draw(struct test_random *r, struct convc_problem *p)
{
    problem_init(p);
    p->spatial = (int32_t)test_random_in(r, 1, 3);
    p->n = test_random_in(r, 0, 3);
    p->groups = test_random_in(r, 1, 4);
    p->ic = p->groups * test_random_in(r, 1, 5);
    p->oc = p->groups * test_random_in(r, 1, 5);
    for (int a = 3 - p->spatial; a < 3; a++)
        draw_axis(r, p, a);
    p->padding_mode = (enum convc_padding_mode)test_random_in(r, 0, CONVC_PAD_IDENTITY);
    p->padding_value = random_real(r);
    p->flip = (int32_t)test_random_in(r, 0, 1);
    p->bias = (int32_t)test_random_in(r, 0, 1);
    p->residual = (int32_t)test_random_in(r, 0, 1);
    p->activation = (enum convc_activation)test_random_in(r, 0, CONVC_ACT_HARDSWISH);
    p->activation_args[0] = random_real(r);
    p->activation_args[1] = p->activation_args[0] + (double)test_random_in(r, 0, 9);
    p->layout = (enum convc_layout)test_random_in(r, 0, 1);
    dtype_everywhere(p, (enum convc_dtype)test_random_in(r, CONVC_F32, CONVC_U16));
    if (test_random_in(r, 0, 3) == 0)
        p->dst_dtype = (enum convc_dtype)test_random_in(r, CONVC_U8, CONVC_U16);
    if (test_random_in(r, 0, 1))
        p->tolerance = (double)test_random_in(r, 0, 9) * 1.1e-7;
    if (test_random_in(r, 0, 3) == 0)
        draw_strides(r, p);
}

static void every_printed_line_reads_back_to_the_same_problem(void **state)
{
    (void)state;
    struct test_random r = { test_seed("spec_benchdnn", 1) };
    int64_t legal = 0, wanted = test_count(20000);
    while (legal < wanted) {
        struct convc_problem from;
        struct problem p, q;
        struct problem_key kp, kq;
        struct diag d = { 0 };
        struct text t = { 0 };
        draw(&r, &from);
        if (problem_resolve(&from, &p, &d) != CONVC_OK)
            continue;
        problem_print(&p, &t);
        assert_non_null(t.data);
        read_line(t.data, &q);
        problem_key(&p, &kp);
        problem_key(&q, &kq);
        if (memcmp(&kp, &kq, sizeof kp) != 0 || q.p.n != p.p.n || q.p.spatial != p.p.spatial)
            fail_msg("%s does not read back", t.data);
        text_free(&t);
        legal++;
    }
    print_message("%" PRId64 " problems\n", legal);
}

/* ---- where a spec is expected ---------------------------------------------------------------- */

static void a_path_that_is_no_file_may_be_a_problem(void **state)
{
    (void)state;
    struct spec_source source = { .path = "g32ic128ih56oc128oh56kh3ph1" };
    struct spec spec;
    struct diag d = { 0 };
    assert_int_equal(spec_load(&source, &spec, &d), CONVC_OK);
    assert_int_equal(spec.count, 1);
    assert_int_equal(spec.convs[0].problem.groups, 32);
    assert_string_equal(spec.convs[0].problem.name, "g32ic128ih56oc128oh56kh3ph1");
    assert_null(spec.convs[0].weights);
    spec_free(&spec);

    source.path = "ic3ih8oc4kx3";
    assert_int_equal(spec_load(&source, &spec, &d), CONVC_ERR_SPEC);
    assert_string_equal(d.text, "ic3ih8oc4kx3: \"kx\" is no key of a benchdnn problem");
}

static void lua_that_begins_like_a_problem_is_lua(void **state)
{
    (void)state;
    static const char *const texts[] = { "ic3 = 5", "ic3=5", "g1 'x'", "ic3, oc4 = 1, 2", "g1()" };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        assert_false(spec_benchdnn_looks(texts[i]));
    assert_false(spec_benchdnn_looks("ic3.lua"));
    assert_true(spec_benchdnn_looks("ic3ih8oc4kx3n\"a.b/c=\";tol=0.5 # remark\n x"));
}

static void a_sentence_moves_no_terminal(void **state)
{
    (void)state;
    struct arena memory = { 0 };
    struct convc_problem p;
    struct diag d = { 0 };
    assert_int_equal(spec_benchdnn("ic3ih8oc4kh3;act=\x1b[2J\nfine", &memory, &p, &d),
                     CONVC_ERR_SPEC);
    assert_memory_equal(d.text, "\"act=?[2J fine\" is not", 22);
    assert_null(strpbrk(d.text, "\x1b\n"));
    arena_free(&memory);
}

static void what_stands_behind_a_problem_must_be_a_remark(void **state)
{
    (void)state;
    struct spec_source source = { .text = "ic3ih8oc4kh3 # remark\nic3ih8oc4kh3 ph1" };
    struct spec spec;
    struct diag d = { 0 };
    assert_int_equal(spec_load(&source, &spec, &d), CONVC_ERR_SPEC);
    assert_string_equal(d.text, "spec:2: \" \" is no key of a benchdnn problem");
}

static void a_text_may_be_a_list_of_problems(void **state)
{
    (void)state;
    struct spec_source source = { .text = "# two of ResNet-50's\n\n"
                                          "ic64ih56oc64oh56kh3ph1n\"res2\"\r\n"
                                          "  ic64ih56oc64oh56kh3ph1n\"res2\"  # again\n"
                                          "ic64ih56oc256oh56kh1ph0\n" };
    struct spec spec;
    struct diag d = { 0 };
    assert_int_equal(spec_load(&source, &spec, &d), CONVC_OK);
    assert_int_equal(spec.count, 3);
    assert_string_equal(spec.convs[0].problem.name, "res2");
    assert_string_equal(spec.convs[1].problem.name, "res2_2");
    assert_string_equal(spec.convs[2].problem.name, "ic64ih56oc256oh56kh1ph0");
    spec_free(&spec);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(axes_that_are_left_out_are_square),
        cmocka_unit_test(what_is_left_out_has_benchdnn_defaults),
        cmocka_unit_test(the_output_implies_the_padding_at_the_end),
        cmocka_unit_test(names_may_be_quoted),
        cmocka_unit_test(bad_lines_get_a_sentence),
        cmocka_unit_test(every_printed_line_reads_back_to_the_same_problem),
        cmocka_unit_test(a_path_that_is_no_file_may_be_a_problem),
        cmocka_unit_test(lua_that_begins_like_a_problem_is_lua),
        cmocka_unit_test(a_sentence_moves_no_terminal),
        cmocka_unit_test(what_stands_behind_a_problem_must_be_a_remark),
        cmocka_unit_test(a_text_may_be_a_list_of_problems),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
