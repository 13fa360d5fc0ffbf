/* Sizes of static kernels, which are the same on every machine: an object for a direct layer of
 * ResNet-50 stays within 16 KiB, one for a 3x3 filter within 2 KiB where size counts, and no object
 * is larger for that.
 */
#include "tests/support/support.h"

#include <convc/convc.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char *const targets[] = { "x86_64-pc-linux-gnu:x86-64",
                                       "x86_64-pc-linux-gnu:x86-64-v3",
                                       "x86_64-pc-linux-gnu:x86-64-v4",
                                       "aarch64-unknown-linux-gnu:generic",
                                       "aarch64-unknown-linux-gnu:neoverse-v1",
                                       "riscv64-unknown-elf:sifive-u74",
                                       "riscv64-unknown-linux-gnu:generic-rv64+m+a+f+d+c+v" };
enum { TARGETS = sizeof targets / sizeof *targets, KIB = 1024 };

/* `defines`: two that replace the spec's height and width, or NULL. */
static convc_spec *load_sized(const char *path, const char *const *defines)
{
    char whole[512];
    convc_spec *spec;
    snprintf(whole, sizeof whole, CONVC_SOURCE_DIR "/specs/%s", path);
    const struct convc_spec_source source = { .struct_bytes = sizeof source,
                                              .path = whole,
                                              .defines = defines,
                                              .define_count = defines ? 2 : 0 };
    if (convc_spec_load(&source, &spec) != CONVC_OK)
        fail_msg("%s", convc_last_error());
    return spec;
}

static convc_spec *load(const char *path)
{
    return load_sized(path, NULL);
}

/* Bytes of the object file. */
static size_t size_of(const struct convc_problem *p, const char *target, enum convc_optimize what)
{
    const struct convc_emit_options o = { .struct_bytes = sizeof o,
                                          .target = target,
                                          .optimize = what };
    char *bytes;
    size_t size;
    if (convc_emit(p, 1, &o, &bytes, &size) != CONVC_OK)
        fail_msg("%s for %s: %s", p->name, target, convc_last_error());
    convc_text_free(bytes);
    return size;
}

/* Layer i of a network, summed as stated; false where it has been there before, but for its name.
 */
static bool layer(const convc_spec *spec, size_t i, struct convc_problem *p)
{
    *p = *convc_spec_problem(spec, i);
    p->tolerance = 0;
    for (size_t j = 0; j < i; j++) {
        struct convc_problem other = *convc_spec_problem(spec, j);
        memcpy(other.name, p->name, sizeof other.name);
        other.tolerance = 0;
        if (!memcmp(&other, p, sizeof other))
            return false;
    }
    return true;
}

static void direct_layers_of_resnet_50_take_16_kib(void **state)
{
    (void)state;
    convc_spec *spec = load("networks/resnet50.lua");
    struct convc_problem p;
    size_t most = 0, seen = 0, count = (size_t)test_count((int64_t)convc_spec_count(spec));
    for (size_t i = 0; i < count; i++) {
        for (int t = 0; layer(spec, i, &p) && t < TARGETS; t++, seen++) {
            size_t size = size_of(&p, targets[t], CONVC_OPTIMIZE_SPEED);
            most = size > most ? size : most;
            if (size > 16 * KIB)
                fail_msg("%s for %s takes %zu bytes", p.name, targets[t], size);
        }
    }
    print_message("%zu objects of at most %zu bytes\n", seen, most);
    convc_spec_free(spec);
}

static void none_is_larger_where_size_counts(void **state)
{
    (void)state;
    convc_spec *spec = load("networks/resnet50.lua");
    struct convc_problem p;
    size_t speed = 0, size = 0, all = convc_spec_count(spec);
    size_t count = (size_t)test_count((int64_t)all);
    for (size_t i = 0; i < count; i++) {
        for (int t = 1; layer(spec, i, &p) && t < TARGETS; t += 2) {
            p.tolerance = 1e-5;
            size_t fast = size_of(&p, targets[t], CONVC_OPTIMIZE_SPEED);
            size_t small = size_of(&p, targets[t], CONVC_OPTIMIZE_SIZE);
            speed += fast;
            size += small;
            if (small > fast)
                fail_msg("%s for %s takes %zu bytes, not %zu", p.name, targets[t], small, fast);
        }
    }
    print_message("%zu bytes for speed, %zu for size\n", speed, size);
    assert_true(count < all ? size < speed : size * 3 < speed * 2); /* some layers win little */
    convc_spec_free(spec);
}

static void filters_of_3x3_take_2_kib(void **state)
{
    (void)state;
    static const char *const filters[] = { "sobel",  "scharr",  "prewitt", "laplacian",
                                           "emboss", "sharpen", "box",     "edge_detect" };
    static const char *const small[] = { "H=32", "W=32" }, *const tiny[] = { "H=8", "W=8" };
    static const char *const *const sizes[] = { NULL, small, tiny };
    size_t count = (size_t)test_count(sizeof filters / sizeof *filters);
    for (size_t i = 0; i < count; i++) {
        char path[64];
        snprintf(path, sizeof path, "filters/%s.lua", filters[i]);
        for (int s = 0; s < 3; s++) {
            convc_spec *spec = load_sized(path, sizes[s]);
            const struct convc_problem *p = convc_spec_problem(spec, 0);
            for (int t = 0; t < TARGETS; t++) {
                size_t size = size_of(p, targets[t], CONVC_OPTIMIZE_SIZE);
                if (size > 2 * KIB)
                    fail_msg("%s for %s takes %zu bytes", p->name, targets[t], size);
            }
            convc_spec_free(spec);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(direct_layers_of_resnet_50_take_16_kib),
        cmocka_unit_test(none_is_larger_where_size_counts),
        cmocka_unit_test(filters_of_3x3_take_2_kib),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
