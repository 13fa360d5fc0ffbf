#include "gen/plan/isa.h"
#include "gen/plan/target.h"
#include "tests/support/named.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <llvm-c/Core.h>
#include <llvm-c/Target.h>
#include <llvm-c/TargetMachine.h>

static const char *const triples[] = { "x86_64-pc-linux-gnu", "aarch64-unknown-linux-gnu",
                                       "riscv64-unknown-linux-gnu", "wasm32-unknown-wasi" };

static void assert_refused(const char *text, const char *sentence)
{
    struct target t;
    struct diag d = { 0 };
    assert_int_equal(target_parse(text, &t, &d), CONVC_ERR_UNSUPPORTED);
    assert_string_equal(d.text, sentence);
}

/* Calls visit for every CPU of the tables, bare and with each of its architecture's features. */
static void for_every_target(void (*visit)(const char *text))
{
    for (size_t i = 0; i < sizeof triples / sizeof *triples; i++) {
        const struct isa *isa = isa_find(triples[i], strcspn(triples[i], "-"));
        for (int c = 0; c < isa->cpus; c++) {
            char text[256];
            snprintf(text, sizeof text, "%s:%s", triples[i], isa->cpu[c].name);
            visit(text);
            for (int f = 0; f < isa->features; f++) {
                snprintf(text, sizeof text, "%s:%s%c%s", triples[i], isa->cpu[c].name, "+-"[f % 2],
                         isa -> feature[f].name);
                visit(text);
            }
        }
    }
}

static void check_print(const char *text)
{
    struct target t = target_named(text);
    char printed[256];
    target_print(&t, printed, sizeof printed);
    assert_string_equal(printed, text);
    struct target again = target_named(printed);
    assert_memory_equal(&again, &t, sizeof t);
}

static void a_printed_target_reads_back_equal(void **state)
{
    for_every_target(check_print);
    check_print("x86_64-pc-linux-gnu:x86-64+avx2+fma-bmi");
}

static void check_vectors(const char *text)
{
    struct target t = target_named(text);
    assert_true(t.vector_bytes == 4 || t.vector_bytes == 16 || t.vector_bytes == 32 ||
                t.vector_bytes == 64);
    assert_true(t.vector_registers == 16 || t.vector_registers == 32);
    assert_int_equal(target_lanes(&t, 4) * 4, t.vector_bytes);
    assert_int_equal(target_lanes(&t, 8), t.vector_bytes > 8 ? t.vector_bytes / 8 : 1);
    assert_true(t.l1_bytes > 0 && t.l1_ways > 0 && t.l2_bytes >= t.l1_bytes);
}

static void every_target_has_vectors_and_caches(void **state)
{
    for_every_target(check_vectors);
}

static void a_core_fills_the_l3_of_one_complex(void **state)
{
    struct target t = target_named("x86_64-pc-linux-gnu:znver3");
    t.l3_bytes = 8 << 20;
    assert_int_equal(target_l3_of_core(&t), 8 << 20);
    t.l3_bytes = 256 << 20;
    assert_int_equal(target_l3_of_core(&t), 32 << 20);
}

static void levels_of_x86_have_their_vectors(void **state)
{
    static const struct {
        const char *text;
        int bytes, registers;
        bool fma;
    } expected[] = {
        { "x86-64", 16, 16, false },         { "x86-64-v2", 16, 16, false },
        { "sandybridge", 32, 16, false },    { "x86-64-v3", 32, 16, true },
        { "x86-64-v4", 64, 32, true },       { "znver5", 64, 32, true },
        { "znver3", 32, 16, true },          { "x86-64+avx", 32, 16, false },
        { "x86-64+avx512f", 64, 32, true },  /* brings avx2 and fma along */
        { "znver4-avx2", 32, 16, true },     /* takes all of AVX-512 along */
        { "znver4-sse4.1", 16, 16, false },  /* and AVX as well */
        { "skylake-avx512f", 32, 16, true }, /* skylake, less avx512f */
        { "skylake-avx512", 64, 32, true },  /* one name */
        { "x86-64-v3-fma", 32, 16, false },
    };
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        char text[128];
        snprintf(text, sizeof text, "x86_64-pc-linux-gnu:%s", expected[i].text);
        struct target t = target_named(text);
        assert_int_equal(t.vector_bytes, expected[i].bytes);
        assert_int_equal(t.vector_registers, expected[i].registers);
        assert_int_equal(t.fma, expected[i].fma);
        assert_int_equal(t.masks, expected[i].bytes == 64);
    }
}

static void the_triple_decides_the_architecture(void **state)
{
    assert_int_equal(target_named("arm64-apple-darwin:apple-m1").vector_registers, 32);
    assert_int_equal(target_named("riscv64-linux:sifive-x280").vector_bytes, 64);
    assert_refused("aarch64-linux-gnu:znver5",
                   "target CPU \"znver5\" is none that convc knows of aarch64");
    assert_refused("aarch64-linux-gnu:generic+avx2",
                   "target feature \"+avx2\" is none that convc knows of aarch64");
}

static void what_names_nothing_known_is_refused(void **state)
{
    char text[2000];
    assert_refused("x86_64-linux:", "target CPU \"\" is none that convc knows of x86_64");
    assert_refused("x86_64-linux:x86-64+",
                   "target feature \"+\" is none that convc knows of x86_64");
    assert_refused("x86_64-linux:x86-64+avx2,",
                   "target feature \"+avx2,\" is none that convc knows of x86_64");
    assert_refused("x86_64-linux:znver55", "target CPU \"znver55\" is none that convc knows of "
                                           "x86_64");
    assert_refused(":znver5", "target triple \"\" must be 1 to 63 letters, digits, \"-\", \".\" "
                              "and \"_\"");
    assert_refused("x86_64 linux:znver5", "target triple \"x86_64 linux\" must be 1 to 63 letters, "
                                          "digits, \"-\", \".\" and \"_\"");
    assert_refused("sparc-sun-solaris:ultra",
                   "target triple \"sparc-sun-solaris\" must begin with x86_64, aarch64, arm64, "
                   "riscv64 or wasm32");
    assert_refused("wasm32-unknown-none-elf:generic",
                   "target triple \"wasm32-unknown-none-elf\" asks for objects in elf, which LLVM "
                   "does not write for wasm32");
    assert_refused("riscv64-unknown-linux-macho:generic-rv64",
                   "target triple \"riscv64-unknown-linux-macho\" asks for objects in macho, which "
                   "LLVM does not write for riscv64");

    struct target t;
    struct diag d = { 0 };
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    assert_int_equal(target_parse(text, &t, &d), CONVC_ERR_UNSUPPORTED);
    text[1000] = ':';
    assert_int_equal(target_parse(text, &t, &d), CONVC_ERR_UNSUPPORTED);
    strcpy(text, "x86_64-linux:x86-64");
    for (int i = 0; i < 200; i++)
        strcat(text, "+avx2");
    d = (struct diag){ 0 };
    assert_int_equal(target_parse(text, &t, &d), CONVC_ERR_UNSUPPORTED);
    assert_string_equal(d.text, "target lists more features than fit 511 characters");
}

static void the_host_runs_its_own_target(void **state)
{
    struct target host;
    struct diag d = { 0 };
    target_host(&host);
    assert_int_equal(target_runs_here(&host, &d), CONVC_OK);
    struct target native = target_named("native");
    assert_memory_equal(&native, &host, sizeof host);
    char text[256];
    target_print(&host, text, sizeof text);
    struct target named = target_named(text);
    assert_int_equal(named.vector_bytes, host.vector_bytes);
}

#if defined(__x86_64__)
static void a_level_runs_here_where_the_compiler_says_so_too(void **state)
{
    struct diag d = { 0 };
    struct target t = target_named("x86-64");
    assert_int_equal(target_runs_here(&t, &d), CONVC_OK);
    t = target_named("x86-64-v3");
    assert_int_equal(target_runs_here(&t, &d) == CONVC_OK, __builtin_cpu_supports("avx2") &&
                                                               __builtin_cpu_supports("fma") &&
                                                               __builtin_cpu_supports("bmi2"));
    d = (struct diag){ 0 };
    t = target_named("x86-64-v4");
    assert_int_equal(target_runs_here(&t, &d) == CONVC_OK,
                     __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
                         __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq"));
}
#endif

static void a_feature_that_the_machine_lacks_is_named(void **state)
{
    const struct isa *isa = isa_host();
    uint64_t features = isa_host_features();
    for (int f = 0; f < isa->features; f++) {
        char text[128];
        snprintf(text, sizeof text, "%s+%s", isa->cpu[0].name, isa->feature[f].name);
        struct target t = target_named(text);
        struct diag d = { 0 };
        bool needs_more = isa->feature[f].needs & ~features;
        bool has = features >> f & 1;
        assert_int_equal(target_runs_here(&t, &d) == CONVC_OK, has && !needs_more);
        if (!has && !needs_more) {
            char sentence[256];
            snprintf(sentence, sizeof sentence, "target %s needs %s, which this machine lacks",
                     text, isa->feature[f].name);
            assert_string_equal(d.text, sentence);
        }
    }
}

static void another_architecture_does_not_run_here(void **state)
{
    struct diag d = { 0 };
    struct target t = target_named("wasm32-unknown-wasi:generic");
    assert_int_equal(target_runs_here(&t, &d), CONVC_ERR_UNSUPPORTED);
    assert_non_null(strstr(d.text, "target wasm32-unknown-wasi:generic is not for this machine"));
}

/* LLVM reports names that it does not know on standard error only. */
static void make_machine(const char *text)
{
    struct target t = target_named(text);
    LLVMTargetRef target;
    char *error = NULL;
    if (LLVMGetTargetFromTriple(t.triple, &target, &error)) {
        fprintf(stderr, "%s: %s\n", text, error);
        LLVMDisposeMessage(error);
        return;
    }
    char features[TARGET_FEATURES_MAX];
    target_llvm_features(&t, features);
    LLVMTargetMachineRef machine =
        LLVMCreateTargetMachine(target, t.triple, t.cpu, features, LLVMCodeGenLevelDefault,
                                LLVMRelocPIC, LLVMCodeModelDefault);
    if (!machine)
        fprintf(stderr, "%s: no machine\n", text);
    LLVMDisposeTargetMachine(machine);
}

static void llvm_knows_every_cpu_and_feature(void **state)
{
    LLVMInitializeAllTargetInfos();
    LLVMInitializeAllTargets();
    LLVMInitializeAllTargetMCs();
    FILE *said = tmpfile();
    assert_non_null(said);
    int standard_error = dup(STDERR_FILENO);
    dup2(fileno(said), STDERR_FILENO);
    for_every_target(make_machine);
    fflush(stderr);
    dup2(standard_error, STDERR_FILENO);
    close(standard_error);

    char first[256] = "";
    rewind(said);
    size_t count = fread(first, 1, sizeof first - 1, said);
    fclose(said);
    if (count > 0)
        fail_msg("%s", first);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_printed_target_reads_back_equal),
        cmocka_unit_test(every_target_has_vectors_and_caches),
        cmocka_unit_test(a_core_fills_the_l3_of_one_complex),
        cmocka_unit_test(levels_of_x86_have_their_vectors),
        cmocka_unit_test(the_triple_decides_the_architecture),
        cmocka_unit_test(what_names_nothing_known_is_refused),
        cmocka_unit_test(the_host_runs_its_own_target),
#if defined(__x86_64__)
        cmocka_unit_test(a_level_runs_here_where_the_compiler_says_so_too),
#endif
        cmocka_unit_test(a_feature_that_the_machine_lacks_is_named),
        cmocka_unit_test(another_architecture_does_not_run_here),
        cmocka_unit_test(llvm_knows_every_cpu_and_feature),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
