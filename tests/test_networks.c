/* The specs of published networks against what was published of them. */
#include "tests/support/loaded.h"
#include "tests/support/support.h"

#include <glob.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* A network by its name, with up to two defines: "H=608 W=608". */
static void load_network(const char *name, const char *defines)
{
    char path[256], first[32], second[32];
    const char *list[2] = { first, second };
    snprintf(path, sizeof path, CONVC_SOURCE_DIR "/specs/networks/%s.lua", name);
    struct spec_source source = { .path = path, .defines = list };
    int count = defines ? sscanf(defines, "%31s %31s", first, second) : 0;
    source.define_count = (size_t)count;
    load(&source);
}

/* The products of one image and the weights, in 10^9 and 10^6, of the convolutions loaded. */
static void count_work(double *products, double *weights)
{
    *products = *weights = 0;
    for (size_t i = 0; i < loaded.count; i++) {
        struct problem p;
        struct diag d = { 0 };
        assert_int_equal(problem_resolve(&loaded.convs[i].problem, &p, &d), CONVC_OK);
        double count =
            (double)p.p.oc * p.icg * p.p.kernel[0] * p.p.kernel[1] * p.p.kernel[2] * 1e-6;
        *weights += count;
        *products += count * p.out[0] * p.out[1] * p.out[2] * 1e-3;
    }
}

static void networks_have_the_published_number_of_products(void **state)
{
    (void)state;
    /* Published are, in 10^9: to four figures, those of torchvision; the others as the comment of
     * the spec says, rounded to their last digit. Most count the last, fully connected layers too:
     * so many 10^6 in `dense`. */
    const double classes = 1000e-6, vgg = (25088.0 * 4096 + 4096 * 4096) * 1e-6 + 4.096;
    const struct {
        const char *name, *defines;
        size_t layers;
        double published, dense, within;
    } networks[] = {
        { "alexnet", NULL, 5, 0.724, (9216.0 * 4096 + 4096 * 4096) * 1e-6 + 4.096, 2e-3 },
        { "alexnet", "ONE_TOWER=1", 5, 0.714, (9216.0 * 4096 + 4096 * 4096) * 1e-6 + 4.096, 2e-3 },
        { "c3d", "T=16", 8, 38.5, 0, 5e-3 },
        { "convnext_tiny", NULL, 58, 4.456, 768 * classes, 2e-3 },
        { "densenet121", NULL, 120, 2.834, 1024 * classes, 2e-3 },
        { "edsr", "H=360 W=640", 36, 316.3, 0, 2e-3 },
        { "efficientdet_d0", NULL, 214, 2.5, 0, 2e-2 },
        { "efficientnet_b0", NULL, 81, 0.386, 1280 * classes, 2e-3 },
        { "googlenet", NULL, 57, 1.502 - 0.034 + 0.118, 1024 * classes, 5e-3 },
        { "inception_v3", NULL, 94, 5.713, 2048 * classes, 2e-3 },
        { "mnasnet", NULL, 52, 0.314, 1280 * classes, 2e-3 },
        { "mobilenet_v1", NULL, 27, 0.569, 1024 * classes, 2e-3 },
        { "mobilenet_v2", NULL, 52, 0.301, 1280 * classes, 2e-3 },
        { "mobilenet_v3_large", NULL, 64, 0.217, 0, 3e-3 },
        { "r3d_18", "T=16", 20, 40.697, 512 * 400e-6, 2e-3 },
        { "regnet_y", NULL, 85, 0.402, 440 * classes, 2e-3 },
        { "regnet_y", "MODEL=800mf", 75, 0.834, 784 * classes, 2e-3 },
        { "regnet_y", "MODEL=1.6gf", 140, 1.612, 888 * classes, 2e-3 },
        { "regnet_y", "MODEL=3.2gf", 110, 3.176, 1512 * classes, 2e-3 },
        { "regnet_y", "MODEL=8gf", 90, 8.473, 2016 * classes, 2e-3 },
        { "resnet18", NULL, 20, 1.814, 512 * classes, 2e-3 },
        { "resnet34", NULL, 36, 3.664, 512 * classes, 2e-3 },
        { "resnet50", NULL, 53, 4.089, 2048 * classes, 2e-3 },
        { "resnet50", "V1=1", 53, 3.86, 2048 * classes, 2e-3 },
        { "resnext50", NULL, 53, 4.23, 2048 * classes, 2e-3 },
        { "shufflenet_v2", NULL, 56, 0.145, 1024 * classes, 4e-3 },
        { "squeezenet1_1", NULL, 26, 0.349, 0, 2e-3 },
        { "srcnn", "H=720 W=1280", 3, 52.7, 0, 2e-3 },
        { "ssd300", NULL, 35, 34.858, 0, 2e-3 },
        { "vgg16", NULL, 13, 15.47, vgg, 2e-3 },
        { "vgg19", NULL, 16, 19.632, vgg, 2e-3 },
        { "wide_resnet50", NULL, 53, 11.398, 2048 * classes, 2e-3 },
        { "xception", NULL, 74, 8.4, 2048 * classes, 6e-3 },
        { "yolov2", "H=608 W=608", 23, 62.94 / 2, 0, 2e-3 },
        { "yolov3", NULL, 75, 65.86 / 2, 0, 2e-3 },
    };
    for (size_t i = 0; i < sizeof networks / sizeof networks[0]; i++) {
        double products, weights;
        load_network(networks[i].name, networks[i].defines);
        count_work(&products, &weights);
        products += networks[i].dense * 1e-3;
        print_message("%-18s %3zu layers, %8.4f GMAC, published %g\n", networks[i].name,
                      loaded.count, products, networks[i].published);
        assert_int_equal(loaded.count, networks[i].layers);
        assert_true(fabs(products / networks[i].published - 1) < networks[i].within);
    }
}

static void networks_have_the_published_number_of_parameters(void **state)
{
    (void)state;
    /* In 10^6, from the comment of the spec; biases and normalisation are in the margin. */
    static const struct {
        const char *name, *defines;
        size_t layers;
        double published;
    } networks[] = {
        { "ecapa_tdnn", NULL, 38, 14.7 },
        { "ecapa_tdnn", "C=512", 38, 6.2 },
        { "openpose", NULL, 92, 52.3 },
        { "unet_3d", NULL, 18, 19.069955 },
    };
    for (size_t i = 0; i < sizeof networks / sizeof networks[0]; i++) {
        double products, weights;
        load_network(networks[i].name, networks[i].defines);
        count_work(&products, &weights);
        print_message("%-18s %3zu layers, %8.4f million weights, published %g\n", networks[i].name,
                      loaded.count, weights, networks[i].published);
        assert_int_equal(loaded.count, networks[i].layers);
        assert_true(fabs(weights / networks[i].published - 1) < 2e-2);
    }
}

static void networks_end_in_the_published_size(void **state)
{
    (void)state;
    static const struct {
        const char *name, *defines;
        size_t layers;
        int64_t channels, height, width; /* that the last convolution reads */
    } networks[] = {
        { "unet", "H=572 W=572", 23, 64, 388, 388 }, { "wav2vec2", NULL, 8, 768, 1, 49 },
        { "deepspeech2", NULL, 3, 32, 41, 150 },     { "yolov2", NULL, 23, 1024, 13, 13 },
        { "inception_v3", NULL, 94, 2048, 8, 8 },    { "openpose", "H=368 W=368", 92, 128, 46, 46 },
    };
    for (size_t i = 0; i < sizeof networks / sizeof networks[0]; i++) {
        load_network(networks[i].name, networks[i].defines);
        const struct convc_problem *last = &loaded.convs[loaded.count - 1].problem;
        print_message("%s\n", networks[i].name);
        assert_int_equal(loaded.count, networks[i].layers);
        assert_int_equal(last->ic, networks[i].channels);
        assert_int_equal(last->in[CONVC_H], networks[i].height);
        assert_int_equal(last->in[CONVC_W], networks[i].width);
    }
}

static void networks_take_batch_size_layout_and_type(void **state)
{
    (void)state;
    static const char *const defines[] = { "N=3",         "H=64",      "W=96",
                                           "LAYOUT=nchw", "DTYPE=f64", "RESIDUAL=1" };
    struct spec_source source = { .path = CONVC_SOURCE_DIR "/specs/networks/resnet50.lua",
                                  .defines = defines,
                                  .define_count = sizeof defines / sizeof defines[0] };
    load(&source);
    const struct convc_problem *last = &loaded.convs[loaded.count - 1].problem;
    assert_true(last->n == 3 && last->in[CONVC_H] == 2 && last->in[CONVC_W] == 3);
    assert_true(last->layout == CONVC_NCHW && last->src_dtype == CONVC_F64 && last->residual);
    assert_string_equal(last->name, "layer4.2.conv3");
}

/* Those that wish it. The shortcut must have the shape of the output: its layer says so. */
static void every_network_and_class_takes_the_common_parameters(void **state)
{
    (void)state;
    static const char *const defines[] = { "N=2", "LAYOUT=nchw", "DTYPE=f64", "RESIDUAL=1" };
    static const char *const patterns[] = { "networks", "classes" };
    for (size_t k = 0; k < 2; k++) {
        char pattern[256];
        glob_t files;
        snprintf(pattern, sizeof pattern, CONVC_SOURCE_DIR "/specs/%s/*.lua", patterns[k]);
        assert_int_equal(glob(pattern, 0, NULL, &files), 0);
        for (size_t i = 0; i < files.gl_pathc; i++) {
            struct spec_source source = { .path = files.gl_pathv[i], .defines = defines };
            source.define_count = k == 0 ? 4 : 3;
            load(&source);
            for (size_t c = 0; c < loaded.count; c++) {
                const struct convc_problem *p = &loaded.convs[c].problem;
                assert_true(p->n == 2 && p->layout == CONVC_NCHW && p->acc_dtype == CONVC_F64);
            }
        }
        globfree(&files);
    }
}

/* The classes are for figures of problems, so that none of them may count twice. */
static void classes_hold_distinct_problems(void **state)
{
    (void)state;
    enum { MOST = 1000 };
    static struct problem_key seen[MOST];
    size_t count = 0;
    glob_t files;
    assert_int_equal(glob(CONVC_SOURCE_DIR "/specs/classes/*.lua", 0, NULL, &files), 0);
    for (size_t i = 0; i < files.gl_pathc; i++) {
        struct spec_source source = { .path = files.gl_pathv[i] };
        load(&source);
        for (size_t c = 0; c < loaded.count; c++) {
            struct problem p;
            struct diag d = { 0 };
            assert_true(count < MOST);
            assert_int_equal(problem_resolve(&loaded.convs[c].problem, &p, &d), CONVC_OK);
            problem_key(&p, &seen[count]);
            for (size_t k = 0; k < count; k++)
                if (memcmp(&seen[k], &seen[count], sizeof seen[k]) == 0)
                    fail_msg("%s: %s twice", files.gl_pathv[i], loaded.convs[c].problem.name);
            count++;
        }
    }
    print_message("%zu distinct problems in %zu classes\n", count, files.gl_pathc);
    assert_true(count >= 120);
    globfree(&files);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(networks_have_the_published_number_of_products),
        cmocka_unit_test(networks_have_the_published_number_of_parameters),
        cmocka_unit_test(networks_end_in_the_published_size),
        cmocka_unit_test(networks_take_batch_size_layout_and_type),
        cmocka_unit_test(every_network_and_class_takes_the_common_parameters),
        cmocka_unit_test(classes_hold_distinct_problems),
    };
    return cmocka_run_group_tests(tests, NULL, free_loaded);
}
