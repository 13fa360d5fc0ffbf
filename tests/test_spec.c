/* What specs mean: every field, every spelling, names, parameters, modules and weights. */
#include "tests/support/loaded.h"
#include "tests/support/support.h"

#include <convc/convc.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const struct convc_problem *load_text(const char *text)
{
    struct spec_source source = { .text = text, .name = "dir/some file.lua" };
    load(&source);
    return &loaded.convs[0].problem;
}

/* A 2-D convolution with one more field. */
static const struct convc_problem *load_field(const char *field)
{
    char text[512];
    snprintf(
        text, sizeof text,
        "return convc.conv { input = { 1, 4, 11, 17 }, out_channels = 8, kernel_size = 3, %s }",
        field);
    return load_text(text);
}

/* ---- fields ---------------------------------------------------------------------------------- */

static void only_input_channels_and_kernel_must_be_given(void **state)
{
    (void)state;
    const struct convc_problem *p = load_text(
        "return convc.conv { input = { 2, 3, 11, 17 }, out_channels = 8, kernel_size = 5 }");
    struct convc_problem expected;
    problem_init(&expected);
    expected.n = 2, expected.ic = 3, expected.oc = 8;
    expected.in[CONVC_H] = 11, expected.in[CONVC_W] = 17;
    expected.kernel[CONVC_H] = expected.kernel[CONVC_W] = 5;
    strcpy(expected.name, "some_file");
    assert_memory_equal(p, &expected, sizeof expected);
    assert_null(loaded.convs[0].weights);
}

static void every_field_arrives(void **state)
{
    (void)state;
    const struct convc_problem *p =
        load_text("return convc.conv { name = 'A-z0_9.:-', input = { 0, 6, 11, 17 },\n"
                  "out_channels = 8, kernel_size = { 3, 5 }, stride = { 2, 1 }, dilation = 2.0,\n"
                  "groups = 2, padding = { 4, { 5, 6 } }, padding_mode = 'constant',\n"
                  "padding_value = -1.5, flip = true, bias = true, residual = true,\n"
                  "activation = { 'clamp', -1, 6.5 }, layout = 'nchw', dtype = 'f64',\n"
                  "tolerance = 0 }");
    assert_string_equal(p->name, "A-z0_9.:-");
    assert_int_equal(p->spatial, 2);
    assert_true(p->n == 0 && p->ic == 6 && p->oc == 8 && p->groups == 2);
    const int64_t in[3] = { 1, 11, 17 }, kernel[3] = { 1, 3, 5 }, stride[3] = { 1, 2, 1 };
    const int64_t dilation[3] = { 1, 2, 2 }, begin[3] = { 0, 4, 5 }, end[3] = { 0, 4, 6 };
    assert_memory_equal(p->in, in, sizeof in);
    assert_memory_equal(p->kernel, kernel, sizeof kernel);
    assert_memory_equal(p->stride, stride, sizeof stride);
    assert_memory_equal(p->dilation, dilation, sizeof dilation);
    assert_memory_equal(p->pad_begin, begin, sizeof begin);
    assert_memory_equal(p->pad_end, end, sizeof end);
    assert_true(p->padding_mode == CONVC_PAD_CONSTANT && p->padding_value == -1.5);
    assert_true(p->flip == 1 && p->bias == 1 && p->residual == 1);
    assert_true(p->activation == CONVC_ACT_CLAMP && p->activation_args[0] == -1 &&
                p->activation_args[1] == 6.5);
    assert_true(p->layout == CONVC_NCHW && p->tolerance == 0);
    assert_true(p->src_dtype == CONVC_F64 && p->wei_dtype == CONVC_F64 &&
                p->acc_dtype == CONVC_F64 && p->dst_dtype == CONVC_F64);
}

static void input_tells_the_number_of_axes(void **state)
{
    (void)state;
    const struct convc_problem *p =
        load_text("return convc.conv { input = { 1, 2, 9 }, out_channels = 3, kernel_size = 3 }");
    assert_int_equal(p->spatial, 1);
    assert_true(p->in[0] == 1 && p->in[1] == 1 && p->in[2] == 9 && p->kernel[1] == 1);
    p = load_text("return convc.conv { input = { 1, 2, 5, 7, 9 }, out_channels = 3,\n"
                  "kernel_size = { 1, 2, 3 }, padding = { 0, 1, { 2, 3 } } }");
    assert_int_equal(p->spatial, 3);
    assert_true(p->in[0] == 5 && p->in[1] == 7 && p->in[2] == 9);
    assert_true(p->kernel[0] == 1 && p->kernel[1] == 2 && p->kernel[2] == 3);
    assert_true(p->pad_begin[1] == 1 && p->pad_begin[2] == 2 && p->pad_end[2] == 3);
}

static void names_of_values_are_those_of_the_api(void **state)
{
    (void)state;
    static const struct {
        const char *field;
        size_t offset;
        int value;
    } named[] = {
        { "padding_mode = 'zeros'", offsetof(struct convc_problem, padding_mode), 0 },
        { "padding_mode = 'constant'", offsetof(struct convc_problem, padding_mode), 1 },
        { "padding_mode = 'reflect'", offsetof(struct convc_problem, padding_mode), 2 },
        { "padding_mode = 'symmetric'", offsetof(struct convc_problem, padding_mode), 3 },
        { "padding_mode = 'replicate'", offsetof(struct convc_problem, padding_mode), 4 },
        { "padding_mode = 'circular'", offsetof(struct convc_problem, padding_mode), 5 },
        { "padding_mode = 'identity'", offsetof(struct convc_problem, padding_mode), 6 },
        { "activation = 'relu'", offsetof(struct convc_problem, activation), 1 },
        { "activation = { 'relu' }", offsetof(struct convc_problem, activation), 1 },
        { "activation = { 'clamp', 0, 6 }", offsetof(struct convc_problem, activation), 2 },
        { "activation = { 'leaky_relu', 0.01 }", offsetof(struct convc_problem, activation), 3 },
        { "activation = 'sigmoid'", offsetof(struct convc_problem, activation), 4 },
        { "activation = 'tanh'", offsetof(struct convc_problem, activation), 5 },
        { "activation = 'silu'", offsetof(struct convc_problem, activation), 6 },
        { "activation = 'gelu'", offsetof(struct convc_problem, activation), 7 },
        { "activation = 'hardswish'", offsetof(struct convc_problem, activation), 8 },
        { "layout = 'nhwc'", offsetof(struct convc_problem, layout), 0 },
        { "layout = 'nchw'", offsetof(struct convc_problem, layout), 1 },
        { "dtype = 'f32'", offsetof(struct convc_problem, acc_dtype), 0 },
        { "dtype = 'f64'", offsetof(struct convc_problem, acc_dtype), 1 },
        { "dtype = 'u8'", offsetof(struct convc_problem, src_dtype), CONVC_U8 },
        { "dtype = 'u8'", offsetof(struct convc_problem, acc_dtype), CONVC_F32 },
        { "dtype = { src = 'u8', dst = 's16' }", offsetof(struct convc_problem, src_dtype),
          CONVC_U8 },
        { "dtype = { src = 'u8', dst = 's16' }", offsetof(struct convc_problem, dst_dtype),
          CONVC_S16 },
        { "dtype = { src = 'u16', acc = 'f64' }", offsetof(struct convc_problem, dst_dtype),
          CONVC_F64 },
        { "dtype = { src = 'u16', acc = 'f64' }", offsetof(struct convc_problem, wei_dtype),
          CONVC_F64 },
    };
    for (size_t i = 0; i < sizeof named / sizeof named[0]; i++) {
        const struct convc_problem *p = load_field(named[i].field);
        int value;
        memcpy(&value, (const char *)p + named[i].offset, sizeof value);
        if (value != named[i].value)
            fail_msg("%s is %d", named[i].field, value);
    }
}

/* ---- padding --------------------------------------------------------------------------------- */

/* The padding of one axis, by the spelling. */
static void pads(const char *spelling, int in, int k, int s, int d, int64_t *begin, int64_t *end)
{
    char text[256];
    snprintf(text, sizeof text,
             "return convc.conv { input = { 1, 1, %d }, out_channels = 1, kernel_size = %d,\n"
             "stride = %d, dilation = %d, padding = '%s' }",
             in, k, s, d, spelling);
    const struct convc_problem *p = load_text(text);
    *begin = p->pad_begin[CONVC_W];
    *end = p->pad_end[CONVC_W];
}

static void same_is_the_least_padding_with_an_output_for_every_stride(void **state)
{
    (void)state;
    for (int in = 1; in <= 9; in++)
        for (int k = 1; k <= 4; k++)
            for (int s = 1; s <= 4; s++)
                for (int d = 1; d <= 2; d++) {
                    /* By trial: pad until there are ceil(in / s) outputs. */
                    int span = d * (k - 1) + 1, total = 0;
                    while (in + total < span || (in + total - span) / s + 1 < (in + s - 1) / s)
                        total++;
                    int64_t begin, end;
                    pads("same", in, k, s, d, &begin, &end);
                    assert_true(begin + end == total && (end == begin || end == begin + 1));
                    pads("same_lower", in, k, s, d, &begin, &end);
                    assert_true(begin + end == total && (begin == end || begin == end + 1));
                    pads("full", in, k, s, d, &begin, &end);
                    assert_true(begin == span - 1 && end == span - 1);
                }
}

static void padding_is_spelled_in_many_ways(void **state)
{
    (void)state;
    static const struct {
        const char *field;
        int64_t pad[4]; /* H begin, end, W begin, end */
    } ways[] = {
        { "padding = 0", { 0, 0, 0, 0 } },
        { "padding = 2", { 2, 2, 2, 2 } },
        { "padding = { 1, 2 }", { 1, 1, 2, 2 } },
        { "padding = { { 1, 2 }, { 3, 4 } }", { 1, 2, 3, 4 } },
        { "padding = { { 1, 2 }, 3 }", { 1, 2, 3, 3 } },
        { "padding = 'valid'", { 0, 0, 0, 0 } },
        { "padding = 'same'", { 1, 1, 1, 1 } },
        { "padding = 'same', kernel_size = { 4, 2 }", { 1, 2, 0, 1 } },
        { "padding = 'same_lower', kernel_size = { 4, 2 }", { 2, 1, 1, 0 } },
        { "padding = 'full', kernel_size = { 4, 2 }", { 3, 3, 1, 1 } },
        { "padding = 'same', stride = 2", { 1, 1, 1, 1 } },
        { "padding = 'same', stride = { 11, 3 }", { 0, 0, 0, 1 } },
        { "padding = 'full', dilation = { 1, 3 }", { 2, 2, 6, 6 } },
    };
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        const struct convc_problem *p = load_field(ways[i].field);
        const int64_t pad[4] = { p->pad_begin[1], p->pad_end[1], p->pad_begin[2], p->pad_end[2] };
        if (memcmp(pad, ways[i].pad, sizeof pad) != 0)
            fail_msg("%s", ways[i].field);
    }
}

/* ---- names ----------------------------------------------------------------------------------- */

#define SMALL "input = { 1, 1, 8, 8 }, out_channels = 1, kernel_size = 1"

static void names_come_from_the_file_and_are_unique(void **state)
{
    (void)state;
    load_text("return { convc.conv { " SMALL " }, convc.conv { " SMALL ", name = 'some_file_1' },\n"
              "convc.conv { " SMALL ", name = 'x' }, convc.conv { " SMALL " } }");
    assert_int_equal(loaded.count, 4);
    assert_string_equal(loaded.convs[0].problem.name, "some_file_1_2");
    assert_string_equal(loaded.convs[1].problem.name, "some_file_1");
    assert_string_equal(loaded.convs[2].problem.name, "x");
    assert_string_equal(loaded.convs[3].problem.name, "some_file_4");

    static const char *const files[][2] = {
        { "stem.lua", "stem" },         { "a/b/c.lua", "c" }, { ".hidden.lua", "_hidden" },
        { "x y\"z.lua", "x_y_z" },      { "a/", "spec" },     { "", "spec" },
        { "stem.tar.lua", "stem.tar" }, { ".lua", "_lua" },
    };
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        struct spec_source source = { .text = "return convc.conv { " SMALL " }" };
        source.name = files[i][0];
        load(&source);
        assert_string_equal(loaded.convs[0].problem.name, files[i][1]);
    }
}

/* ---- parameters and modules ------------------------------------------------------------------ */

static void parameters_are_set_by_defines(void **state)
{
    (void)state;
    static const char *const defines[] = { "H=5", "H=7", "W=1e1", "PAD=same", "K=0x3" };
    struct spec_source source = {
        .text = "local k = convc.param('K')\n"
                "return convc.conv { input = { 1, convc.param('C', 2), convc.param('H', 56),\n"
                "convc.param('W', 56) }, out_channels = 1, kernel_size = k,\n"
                "padding = convc.param('PAD', 0) }",
        .defines = defines,
        .define_count = sizeof defines / sizeof defines[0],
    };
    load(&source);
    const struct convc_problem *p = &loaded.convs[0].problem;
    assert_true(p->ic == 2 && p->in[1] == 7 && p->in[2] == 10 && p->kernel[1] == 3);
    assert_true(p->pad_begin[1] == 1);
}

static void modules_are_run_once_and_share_their_value(void **state)
{
    (void)state;
    struct test_dir dir;
    char path[600];
    static const char module[] = "count = (count or 0) + 1\nreturn { n = count }";
    test_dir_create(&dir);
    test_file_write(test_dir_path(&dir, "m.lua", path, sizeof path), module, strlen(module));
    struct spec_source source = { .lib_dir = dir.path };
    source.text = "local a, b = require 'm', require 'm'\nassert(a == b and a.n == 1)\n"
                  "return convc.conv { " SMALL " }";
    load(&source);
    test_dir_remove(&dir);
}

static void modules_are_found_beside_the_spec(void **state)
{
    (void)state;
    struct spec_source source = { .path = CONVC_SOURCE_DIR "/specs/examples/modules.lua" };
    load(&source);
    assert_int_equal(loaded.count, 2);
    assert_int_equal(loaded.convs[1].problem.in[CONVC_H], 16);
    source.path = CONVC_SOURCE_DIR "/specs/lib/net.lua"; /* runs, and has none */
    load(&source);
    assert_int_equal(loaded.count, 0);
}

static void libraries_do_what_they_do_in_lua(void **state)
{
    (void)state;
    load_text(
        "local t = { 5, 3, 9, 1, 7, 2 }\n"
        "table.sort(t)\nassert(table.concat(t, ' ') == '1 2 3 5 7 9')\n"
        "table.sort(t, function(a, b) return a > b end)\nassert(table.concat(t) == '975321')\n"
        "table.insert(t, 4)\ntable.insert(t, 1, 8)\nassert(table.concat(t, ',') == "
        "'8,9,7,5,3,2,1,4')\n"
        "assert(table.remove(t) == 4 and table.remove(t, 1) == 8 and #t == 6)\n"
        "assert(table.remove({}) == nil)\n"
        "assert(table.concat(t, '-', 2, 4) == '7-5-3' and table.concat(t, '-', 3, 2) == '')\n"
        "assert(select('#', table.unpack({ 1, nil, 3 }, 1, 3)) == 3)\n"
        "assert(table.pack(1, nil).n == 2)\n"
        "assert(table.concat(table.move({ 1, 2, 3 }, 1, 3, 2)) == '1123')\n"
        "assert(table.concat(table.move({ 1, 2, 3 }, 2, 3, 1)) == '233')\n"
        "local keys = ''\n"
        "for k, v in pairs { b = 1, a = 2, [2] = 3, [1] = false } do keys = keys .. k end\n"
        "assert(keys == '12ab')\n"
        "assert(string.format('%5.2f|%s|%d|%q', 1 / 3, 'x', 3, 'y') == ' 0.33|x|3|\"y\"')\n"
        "assert(tonumber('0x10') == 16 and tostring(1.5) == '1.5' and type(nil) == 'nil')\n"
        "assert(math.floor(2.5) == 2 and math.tointeger(3.0) == 3)\n"
        "math.randomseed(3)\nlocal r = math.random(1 << 40)\nmath.randomseed(3)\n"
        "assert(r == math.random(1 << 40))\n"
        "return convc.conv { " SMALL " }");
}

/* ---- weights --------------------------------------------------------------------------------- */

static void check_weights(const double *expected, size_t count)
{
    assert_non_null(loaded.convs[0].weights);
    for (size_t i = 0; i < count; i++)
        assert_true(loaded.convs[0].weights[i] == expected[i]);
}

static void weights_tell_channels_kernel_and_groups(void **state)
{
    (void)state;
    const struct convc_problem *p =
        load_text("return convc.conv { input = { 1, 3, 9, 9 }, weights = { { 1, 2, 3 }, { 4, 5, 6 "
                  "} }, out_channels = 3, groups = 3, kernel_size = { 2, 3 }, flip = true }");
    assert_true(p->oc == 3 && p->groups == 3 && p->kernel[1] == 2 && p->kernel[2] == 3);
    check_weights((double[]){ 1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5, 6 }, 18);

    p = load_text("return convc.conv { input = { 1, 2, 9 },\n"
                  "weights = { list = { { 1, 2 }, { 3, 4 }, { 5, 6 } } } }");
    assert_true(p->oc == 6 && p->groups == 2 && p->kernel[2] == 2);
    check_weights((double[]){ 1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5, 6 }, 12); /* channel by channel */

    p = load_text("return convc.conv { input = { 1, 4, 9, 9 },\n"
                  "weights = { { { { 1 } }, { { 2 } } }, { { { 3 } }, { { -0.5 } } } } }");
    assert_true(p->oc == 2 && p->groups == 2 && p->kernel[1] == 1 && p->kernel[2] == 1);
    check_weights((double[]){ 1, 2, 3, -0.5 }, 4);

    p = load_text("return convc.conv { input = { 1, 2, 3, 3, 3 }, weights = { { { 1, 2 } } } }");
    assert_true(p->oc == 2 && p->groups == 2 && p->kernel[0] == 1 && p->kernel[2] == 2);
    check_weights((double[]){ 1, 2, 1, 2 }, 4);
}

/* ---- the public calls ------------------------------------------------------------------------ */

static void the_public_calls_give_problems_and_weights(void **state)
{
    (void)state;
    struct convc_spec_source source = { .struct_bytes = sizeof source };
    convc_spec *spec;
    source.text = "return { convc.conv { input = { 1, 1, 8, 8 }, weights = { { 7 } } },\n"
                  "convc.conv { " SMALL " } }";
    source.name = "two.lua";
    assert_int_equal(convc_spec_load(&source, &spec), CONVC_OK);
    assert_int_equal(convc_spec_count(spec), 2);
    assert_string_equal(convc_spec_problem(spec, 0)->name, "two_1");
    assert_true(convc_spec_weights(spec, 0)[0] == 7);
    assert_null(convc_spec_weights(spec, 1));
    assert_null(convc_spec_problem(spec, 2));
    assert_null(convc_spec_weights(spec, 2));
    assert_null(convc_spec_file(spec, 0)); /* a text is no file */
    convc_spec_free(spec);

    source.text = "return 1";
    assert_int_equal(convc_spec_load(&source, &spec), CONVC_ERR_SPEC);
    assert_string_equal(convc_last_error(), "two.lua: returns 1, where a spec returns a "
                                            "convolution or a list of them");
}

static void the_files_that_were_read_are_told(void **state)
{
    (void)state;
    struct convc_spec_source source = { .struct_bytes = sizeof source };
    convc_spec *spec;
    source.path = CONVC_SOURCE_DIR "/specs/networks/mobilenet_v2.lua"; /* requires two modules */
    assert_int_equal(convc_spec_load(&source, &spec), CONVC_OK);
    assert_string_equal(convc_spec_file(spec, 0), source.path);
    for (size_t i = 1; i < 3; i++) {
        const char *path = convc_spec_file(spec, i);
        assert_non_null(path);
        assert_non_null(strstr(path, "/lib/"));
        assert_int_equal(access(path, R_OK), 0);
    }
    assert_string_not_equal(convc_spec_file(spec, 1), convc_spec_file(spec, 2));
    assert_null(convc_spec_file(spec, 3));
    assert_null(convc_spec_file(NULL, 0));
    convc_spec_free(spec);
}

static void the_public_calls_check_their_arguments(void **state)
{
    (void)state;
    convc_spec *spec = NULL;
    struct convc_spec_source source = { .struct_bytes = sizeof source };
    assert_int_equal(convc_spec_load(NULL, &spec), CONVC_ERR_ARGUMENT);
    assert_int_equal(convc_spec_load(&source, NULL), CONVC_ERR_ARGUMENT);
    assert_int_equal(convc_spec_load(&source, &spec), CONVC_ERR_ARGUMENT);
    source.path = "ic3ih8oc4kh3";
    source.define_count = 1;
    assert_int_equal(convc_spec_load(&source, &spec), CONVC_ERR_ARGUMENT);
    source.struct_bytes = offsetof(struct convc_spec_source, defines); /* an older caller's */
    assert_int_equal(convc_spec_load(&source, &spec), CONVC_OK);
    convc_spec_free(spec);
    source.struct_bytes = 0;
    assert_int_equal(convc_spec_load(&source, &spec), CONVC_ERR_ARGUMENT);
    assert_int_equal(convc_spec_count(NULL), 0);
    assert_null(convc_spec_problem(NULL, 0));
    convc_spec_free(NULL);
}

static void a_dash_is_standard_input(void **state)
{
    (void)state;
    static const char text[] = "return convc.conv { " SMALL " }";
    int ends[2], kept = dup(STDIN_FILENO);
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], text, strlen(text)), (ssize_t)strlen(text));
    close(ends[1]);
    dup2(ends[0], STDIN_FILENO);
    close(ends[0]);
    struct spec_source source = { .path = "-" };
    load(&source);
    dup2(kept, STDIN_FILENO);
    close(kept);
    assert_string_equal(loaded.convs[0].problem.name, "stdin");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_input_channels_and_kernel_must_be_given),
        cmocka_unit_test(every_field_arrives),
        cmocka_unit_test(input_tells_the_number_of_axes),
        cmocka_unit_test(names_of_values_are_those_of_the_api),
        cmocka_unit_test(same_is_the_least_padding_with_an_output_for_every_stride),
        cmocka_unit_test(padding_is_spelled_in_many_ways),
        cmocka_unit_test(names_come_from_the_file_and_are_unique),
        cmocka_unit_test(parameters_are_set_by_defines),
        cmocka_unit_test(modules_are_run_once_and_share_their_value),
        cmocka_unit_test(modules_are_found_beside_the_spec),
        cmocka_unit_test(libraries_do_what_they_do_in_lua),
        cmocka_unit_test(weights_tell_channels_kernel_and_groups),
        cmocka_unit_test(the_public_calls_give_problems_and_weights),
        cmocka_unit_test(the_files_that_were_read_are_told),
        cmocka_unit_test(the_public_calls_check_their_arguments),
        cmocka_unit_test(a_dash_is_standard_input),
    };
    return cmocka_run_group_tests(tests, NULL, free_loaded);
}
