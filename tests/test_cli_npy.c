/* .npy files: what NumPy writes is read, what is hostile is refused with a sentence. */
#include "runtime/cli/npy.h"
#include "tests/support/support.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* A file of version 1.0 with this dict and these elements. */
static size_t file_of(unsigned char *file, const char *dict, const void *data, size_t count)
{
    size_t length = strlen(dict);
    memcpy(file, "\x93NUMPY\x01", 8);
    file[8] = (unsigned char)length;
    file[9] = (unsigned char)(length >> 8);
    memcpy(file + 10, dict, length);
    if (count)
        memcpy(file + 10 + length, data, count);
    return 10 + length + count;
}

static void expect_values(const char *dict, const void *data, size_t bytes, const double *want,
                          int64_t count)
{
    unsigned char file[1024];
    struct array a;
    struct failure f = { 0 };
    size_t size = file_of(file, dict, data, bytes);
    if (npy_parse(file, size, "x.npy", &a, &f))
        fail_msg("%s: %s", dict, f.text);
    assert_int_equal(a.count, count);
    for (int64_t i = 0; i < count; i++)
        if (!(a.value[i] == want[i] || (isnan(a.value[i]) && isnan(want[i]))))
            fail_msg("%s: element %d is %g, not %g", dict, (int)i, a.value[i], want[i]);
    array_free(&a);
}

#define HEADER(descr, order, shape)                                                                \
    "{'descr': '" descr "', 'fortran_order': " order ", 'shape': " shape ", }\n"

static void every_number_type_is_read(void **state)
{
    static const double small[] = { 1, -2 }, large[] = { 200, 3 };
    expect_values(HEADER("<f4", "False", "(2,)"), "\0\0\x80\x3f\0\0\0\xc0", 8, small, 2);
    expect_values(HEADER(">f4", "False", "(2,)"), "\x3f\x80\0\0\xc0\0\0\0", 8, small, 2);
    expect_values(HEADER("<f8", "False", "(2,)"), "\0\0\0\0\0\0\xf0\x3f\0\0\0\0\0\0\0\xc0", 16,
                  small, 2);
    expect_values(HEADER(">f8", "False", "(2,)"), "\x3f\xf0\0\0\0\0\0\0\xc0\0\0\0\0\0\0\0", 16,
                  small, 2);
    expect_values(HEADER("<f2", "False", "(2,)"), "\0\x3c\0\xc0", 4, small, 2);
    expect_values(HEADER("|i1", "False", "(2,)"), "\x01\xfe", 2, small, 2);
    expect_values(HEADER("<i2", "False", "(2,)"), "\x01\0\xfe\xff", 4, small, 2);
    expect_values(HEADER(">i4", "False", "(2,)"), "\0\0\0\x01\xff\xff\xff\xfe", 8, small, 2);
    expect_values(HEADER("<i8", "False", "(2,)"),
                  "\x01\0\0\0\0\0\0\0\xfe\xff\xff\xff\xff\xff\xff\xff", 16, small, 2);
    expect_values(HEADER("|u1", "False", "(2,)"), "\xc8\x03", 2, large, 2);
    expect_values(HEADER("<u2", "False", "(2,)"), "\xc8\0\x03\0", 4, large, 2);
}

static void halves_keep_their_small_and_their_special_values(void **state)
{
    static const double want[] = { 0x1p-24, 65504, INFINITY, -INFINITY, NAN, 0x1p-14 };
    expect_values(HEADER("<f2", "False", "(6,)"), "\x01\0\xff\x7b\0\x7c\0\xfc\x01\x7e\0\x04", 12,
                  want, 6);
}

static void fortran_order_is_transposed(void **state)
{
    static const double want[] = { 1, 3, 5, 2, 4, 6 };
    expect_values(HEADER("|u1", "True", "(2, 3)"), "\1\2\3\4\5\6", 6, want, 6);
    expect_values(HEADER("|u1", "False", "(2, 3)"), "\1\3\5\2\4\6", 6, want, 6);
}

static void shapes_are_python_tuples(void **state)
{
    static const double one[] = { 7 };
    expect_values(HEADER("|u1", "False", "()"), "\7", 1, one, 1);
    expect_values(HEADER("|u1", "False", "(1, 1,)"), "\7", 1, one, 1);
    expect_values("{\"shape\":(1,),\"descr\":\"|u1\",\"fortran_order\":False}", "\7", 1, one, 1);
    expect_values(HEADER("|u1", "False", "(3, 0, 2)"), "", 0, one, 0);
}

static void versions_2_and_3_have_a_long_length(void **state)
{
    for (unsigned char version = 2; version <= 3; version++) {
        const char *dict = HEADER("|u1", "False", "(1,)");
        unsigned char file[256];
        struct array a;
        struct failure f = { 0 };
        size_t length = strlen(dict);
        memcpy(file, "\x93NUMPY", 6);
        memcpy(file + 6, (unsigned char[]){ version, 0, (unsigned char)length, 0, 0, 0 }, 6);
        memcpy(file + 12, dict, length);
        file[12 + length] = 9;
        assert_int_equal(npy_parse(file, 13 + length, "x.npy", &a, &f), EXIT_FINE);
        assert_true(a.value[0] == 9);
        array_free(&a);
    }
}

/* ---- what must be refused ------------------------------------------------------------------- */

static void refuse(const unsigned char *file, size_t size, const char *sentence)
{
    struct array a = { 0 };
    struct failure f = { 0 };
    /* In memory of exactly its size, so that a sanitizer sees reads past its end. */
    unsigned char *exact = malloc(size ? size : 1);
    memcpy(exact, file, size);
    assert_int_equal(npy_parse(exact, size, "x.npy", &a, &f), EXIT_USAGE);
    assert_null(a.value);
    if (!strstr(f.text, sentence) || !strstr(f.text, "x.npy"))
        fail_msg("'%s' does not say '%s'", f.text, sentence);
    free(exact);
}

static void hostile_dicts_are_refused(void **state)
{
    static const struct {
        const char *dict, *sentence;
    } cases[] = {
        { "", "no dict" },
        { "[1, 2]", "no dict" },
        { "{", "no dict" },
        { "{}", "lacks" },
        { "{'descr': '<f4', 'fortran_order': False}", "lacks" },
        { "{'descr': '<f4' 'fortran_order': False, 'shape': ()}", "no dict" },
        { "{'descr': '<f4', 'fortran_order': False, 'shape': (), 'x': 1}", "unknown key 'x'" },
        { "{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': ()}", "twice" },
        { "{'descr': '<f4', 'fortran_order': 0, 'shape': ()}", "neither True nor False" },
        { "{'descr': '|O', 'fortran_order': False, 'shape': ()}", "'|O'" },
        { "{'descr': '<c8', 'fortran_order': False, 'shape': ()}", "'<c8'" },
        { "{'descr': '<f16', 'fortran_order': False, 'shape': ()}", "'<f16'" },
        { "{'descr': '|f4', 'fortran_order': False, 'shape': ()}", "'|f4'" },
        { "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': ()}", "no plain type" },
        { "{'descr': '<f4, 'fortran_order': False, 'shape': ()}", "'<f4, '" },
        { "{'descr': '\\x3cf4', 'fortran_order': False, 'shape': ()}", "no plain type" },
        { "{'descr': '<f4', 'fortran_order': False, 'shape': (3)}", "no tuple" },
        { "{'descr': '<f4', 'fortran_order': False, 'shape': [3]}", "no tuple" },
        { "{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}", "no tuple" },
        { "{'descr': '<f4', 'fortran_order': False, 'shape': (1e3,)}", "no tuple" },
        { "{'descr': '<f4', 'fortran_order': False, 'shape': (03,)}", "no tuple" },
        { "{'descr': '<f4', 'fortran_order': False, 'shape': (,)}", "no tuple" },
        { "{'descr': '<f4', 'fortran_order': False, 'shape': (3,,)}", "no tuple" },
        { "{'descr': '<f4', 'fortran_order': False, 'shape': (3 4)}", "no tuple" },
        { "{'descr': '<f4', 'fortran_order': False, 'shape': (3,", "no tuple" },
        { "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,)}",
          "no tuple" },
        { "{'descr': '<f4', 'fortran_order': False, 'shape': (1,1,1,1,1,1,1,1,1)}", "8 axes" },
        { "{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296)}", "2^48" },
        { "{'descr': '<f4', 'fortran_order': False, 'shape': ()} import os", "behind its dict" },
        { "__import__('os').system('true')", "no dict" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        unsigned char file[512];
        refuse(file, file_of(file, cases[i].dict, "\0\0\0\0", 4), cases[i].sentence);
    }
}

static void elements_must_fill_the_file_exactly(void **state)
{
    unsigned char file[512];
    const char *dict = HEADER("<f4", "False", "(2,)");
    refuse(file, file_of(file, dict, "1234567", 7), "holds 7 bytes");
    refuse(file, file_of(file, dict, "123456789", 9), "holds 9 bytes");
    refuse(file, file_of(file, HEADER("<f4", "False", "(281474976710656,)"), "1234", 4),
           "holds 4 bytes");
}

static void every_cut_of_a_file_is_refused(void **state)
{
    unsigned char file[512];
    size_t size = file_of(file, HEADER("<f4", "False", "(2,)"), "12345678", 8);
    for (size_t cut = 0; cut < size; cut++)
        refuse(file, cut, "x.npy");
}

static void wrong_beginnings_are_refused(void **state)
{
    refuse((const unsigned char *)"PK\3\4 and more of it", 18, "does not begin");
    refuse((const unsigned char *)"\x80\4\x95pickled objects", 18, "does not begin");
    refuse((const unsigned char *)"\x93NUMPY\x04\0\0\0\0\0", 12, "version 4.0");
    refuse((const unsigned char *)"\x93NUMPY\0\0\0\0\0\0", 12, "version 0.0");
    refuse((const unsigned char *)"\x93NUMPY\x02\0\xff\xff\xff\xff", 12, "4294967295 bytes");
    refuse((const unsigned char *)"\x93NUMPY\x01\0\xff\x00", 10, "cut short");
}

/* ---- writing -------------------------------------------------------------------------------- */

static void what_is_written_is_read_again(void **state)
{
    struct test_dir dir;
    char path[600];
    struct failure f = { 0 };
    test_dir_create(&dir);
    test_dir_path(&dir, "a.npy", path, sizeof path);
    for (int dtype = CONVC_F32; dtype <= CONVC_F64; dtype++) {
        double value[] = { 1.5, -2, 0.1, INFINITY, NAN, 0 };
        struct array a = { .rank = 3, .extent = { 1, 2, 3 }, .count = 6, .value = value }, b;
        assert_int_equal(npy_write(path, &a, dtype, &f), EXIT_FINE);
        assert_int_equal(npy_read(path, &b, &f), EXIT_FINE);
        assert_int_equal(b.rank, 3);
        assert_int_equal(b.extent[2], 3);
        assert_true(b.value[0] == 1.5 && b.value[1] == -2 && isnan(b.value[4]));
        assert_true(b.value[2] == (dtype == CONVC_F32 ? (double)0.1f : 0.1));
        array_free(&b);

        size_t size;
        char *bytes = test_file_read(path, &size);
        assert_int_equal(size, 128 + 6 * (dtype == CONVC_F32 ? 4 : 8));
        assert_memory_equal(bytes, "\x93NUMPY\x01", 8);
        free(bytes);
    }
    test_dir_remove(&dir);
}

static void whole_numbers_are_written_as_their_type_has_them(void **state)
{
    static const double wanted[][6] = { { 2, 0, 255, 255, 0, 0 },
                                        { 2, -3, 300, 32767, 0, -32768 },
                                        { 2, 0, 300, 65535, 0, 0 } };
    struct test_dir dir;
    char path[600];
    struct failure f = { 0 };
    test_dir_create(&dir);
    test_dir_path(&dir, "a.npy", path, sizeof path);
    for (int dtype = CONVC_U8; dtype <= CONVC_U16; dtype++) {
        double value[] = { 2.5, -3, 300, INFINITY, NAN, -1e9 };
        struct array a = { .rank = 1, .extent = { 6 }, .count = 6, .value = value }, b;
        size_t size;
        assert_int_equal(npy_write(path, &a, dtype, &f), EXIT_FINE);
        assert_int_equal(npy_read(path, &b, &f), EXIT_FINE);
        assert_memory_equal(b.value, wanted[dtype - CONVC_U8], sizeof value);
        array_free(&b);
        char *bytes = test_file_read(path, &size);
        assert_int_equal(size, 128 + 6 * (dtype == CONVC_U8 ? 1 : 2));
        free(bytes);
    }
    test_dir_remove(&dir);
}

static void a_file_that_cannot_be_written_leaves_nothing(void **state)
{
    double value[] = { 1 };
    struct array a = { .rank = 1, .extent = { 1 }, .count = 1, .value = value };
    struct failure f = { 0 };
    assert_int_equal(npy_write("/no/such/directory/a.npy", &a, CONVC_F32, &f), EXIT_SYSTEM);
    assert_non_null(strstr(f.text, "/no/such/directory/a.npy cannot be written"));
    assert_int_equal(npy_read("/no/such/file.npy", &a, &f), EXIT_USAGE);
}

/* Random damage must end in values or in a sentence, never in a crash. */
static void damaged_files_never_crash(void **state)
{
    struct test_random r = { test_seed("test_cli_npy", 1) };
    for (int64_t round = 0; round < test_count(20000); round++) {
        unsigned char file[512];
        struct array a = { 0 };
        struct failure f = { 0 };
        size_t size =
            file_of(file, HEADER("<f4", "True", "(2, 3)"), "123456781234567812345678", 24);
        for (int64_t i = test_random_in(&r, 1, 4); i > 0; i--)
            file[test_random_in(&r, 0, (int64_t)size - 1)] = (unsigned char)test_random_bits(&r);
        unsigned char *exact = malloc(size);
        memcpy(exact, file, size);
        if (npy_parse(exact, size, "x.npy", &a, &f))
            assert_true(f.text[0]);
        array_free(&a);
        free(exact);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_number_type_is_read),
        cmocka_unit_test(halves_keep_their_small_and_their_special_values),
        cmocka_unit_test(fortran_order_is_transposed),
        cmocka_unit_test(shapes_are_python_tuples),
        cmocka_unit_test(versions_2_and_3_have_a_long_length),
        cmocka_unit_test(hostile_dicts_are_refused),
        cmocka_unit_test(elements_must_fill_the_file_exactly),
        cmocka_unit_test(every_cut_of_a_file_is_refused),
        cmocka_unit_test(wrong_beginnings_are_refused),
        cmocka_unit_test(what_is_written_is_read_again),
        cmocka_unit_test(whole_numbers_are_written_as_their_type_has_them),
        cmocka_unit_test(a_file_that_cannot_be_written_leaves_nothing),
        cmocka_unit_test(damaged_files_never_crash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
