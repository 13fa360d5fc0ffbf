/* Kernels for machines that this one is not: random problems, compiled ahead of time, linked with a
 * driver of their own and run under an emulator, give what the reference gives.
 *
 * Needs clang and lld of LLVM 19, qemu-user and node; a machine without them skips what it lacks.
 */
#include "gen/out/object.h"
#include "gen/plan/choose.h"
#include "gen/plan/pack.h"
#include "runtime/cli/random.h"
#include "tests/support/emitted.h"
#include "tests/support/filter.h"
#include "tests/support/named.h"

#include <inttypes.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

static const char support[] = CONVC_SOURCE_DIR "/tests/support";

/* A target, how its programs are built and how they run. */
struct machine_abroad {
    const char *target;
    const char *compiler; /* flags of clang */
    const char *emulator; /* in front of the program */
    const char *needs;    /* a program that must be there */
};

/* ---- the kernels -------------------------------------------------------------------------------
 */

struct cargo {
    struct test_dir dir;
    struct target target;
    int64_t count;
    struct sample *sample;
    struct plan *plan;
    FILE *table, *input, *objects;
};

static FILE *create(const struct test_dir *dir, const char *name)
{
    char path[600];
    FILE *f = fopen(test_dir_path(dir, name, path, sizeof path), "wb");
    assert_non_null(f);
    return f;
}

static void put_object(const struct cargo *c, int64_t i)
{
    char symbol[32], name[32], file[48], path[600];
    struct diag d = { 0 };
    struct object o;
    snprintf(symbol, sizeof symbol, "k%" PRId64 "_kernel", i);
    snprintf(name, sizeof name, "k%" PRId64, i);
    snprintf(file, sizeof file, "%s.o", name);
    const struct object_request r = { .problem = &c->sample[i].problem,
                                      .plan = &c->plan[i],
                                      .target = &c->target,
                                      .symbol = symbol,
                                      .name = name,
                                      .form = OBJECT_ELF };
    if (object_emit(&r, &o, &d) != CONVC_OK) {
        emitted_print(&c->sample[i].problem, &c->plan[i], &c->target);
        fail_msg("%s", d.text);
    }
    test_file_write(test_dir_path(&c->dir, file, path, sizeof path), o.bytes, o.count);
    fprintf(c->objects, "%s\n", path);
    object_free(&o);
}

/* The kernel's line in the driver's table. */
static void put_entry(const struct cargo *c, int64_t i)
{
    const struct sample *s = &c->sample[i];
    const struct problem *p = &s->problem;
    const int64_t *k = p->p.kernel;
    char pack[32];
    struct layout l;
    plan_layout(p, &c->plan[i], &c->target, &l);
    int64_t bytes = dtype_bytes(p->p.wei_dtype);
    snprintf(pack, sizeof pack, problem_packs(p) ? "k%" PRId64 "_pack" : "0", i);
    fprintf(c->table,
            "    { k%" PRId64 "_kernel, %s, k%" PRId64 "_items, %zu, %" PRId64
            ", %zu, %zu, %" PRIu64 ", %zu, %d, %" PRId64 " },\n",
            i, pack, i, s->src_bytes, p->p.oc * p->icg * k[0] * k[1] * k[2] * bytes, s->bias_bytes,
            s->dst_bytes, pack_header(&l, bytes).bytes,
            plan_workspace_bytes(p, &c->plan[i], &c->target), plan_phases(&c->plan[i]), s->n);
    fwrite(s->src, 1, s->src_bytes, c->input);
    fwrite(s->wei, 1, (size_t)(p->p.oc * p->icg * k[0] * k[1] * k[2] * bytes), c->input);
    fwrite(s->bias, 1, s->bias_bytes, c->input);
    fwrite(s->residual, 1, s->dst_bytes, c->input);
    void *dst = malloc(s->dst_bytes + 1);
    assert_non_null(dst);
    sample_fill_nan(p->p.dst_dtype, dst, s->dst_bytes);
    fwrite(dst, 1, s->dst_bytes, c->input);
    free(dst);
}

/* One of a problem's plans: the first of every third, so that what is chosen is met often, of
 * filters one that is for them. Windows may have none. */
static bool pick_plan(struct cargo *c, int64_t i, bool filter, struct test_random *r)
{
    struct arena a = { 0 };
    struct candidates plans;
    struct diag d = { 0 };
    bool some = choose_plans(&a, &c->sample[i].problem, &c->target, &plans, &d) == CONVC_OK;
    assert_true(some || filter);
    size_t one = !some || i % 3 == 0 ? 0 : (size_t)test_random_in(r, 0, (int64_t)plans.count - 1);
    while (some && filter && one < plans.count && !plan_in_code(&plans.list[one].plan))
        one++;
    some = some && one < plans.count;
    if (some)
        c->plan[i] = plans.list[one].plan;
    arena_free(&a);
    return some;
}

/* Are whole numbers all that comes out of this? */
static bool is_whole(const char *text)
{
    static const char *const other[] = { ".",    "div", "exp", "log",  "sigmoid",
                                         "sqrt", "mul", "erf", "tanh", "prod" };
    for (size_t i = 0; text && i < sizeof other / sizeof *other; i++) {
        if (strstr(text, other[i]))
            return false;
    }
    return true;
}

static bool is_exact(const struct convc_problem *p)
{
    return is_whole(p->window) && is_whole(p->combine) && is_whole(p->reduce);
}

/* Powers of two: columns that are multiples of one another are so exactly. */
static void make_exact(double weights[RANDOM_WEIGHTS])
{
    for (int i = 0; i < RANDOM_WEIGHTS; i++) {
        int power;
        double part = frexp(weights[i], &power);
        weights[i] = part == 0 ? 0 : ldexp(copysign(1, part), power);
    }
}

/* Draws problem i, of every fourth a filter, and one of its plans. */
static void draw(struct cargo *c, uint64_t seed, int64_t i)
{
    static struct filter_room room;
    const bool filter = i % 4 == 1;
    struct test_random r = { seed + (uint64_t)i };
    for (uint64_t at = seed + (uint64_t)i;; at += (uint64_t)c->count) {
        struct convc_problem from;
        random_problem(at, &from);
        if (filter)
            draw_filter(at, &from, &room);
        make_exact(room.weights);
        if (!is_exact(&from))
            continue;
        sample_draw(&c->sample[i], &from, &r);
        if (pick_plan(c, i, filter, &r))
            return;
        sample_free(&c->sample[i]);
    }
}

static const char table_head[] =
    "#include <convc/kernel.h>\n"
    "struct foreign_entry {\n"
    "    convc_kernel_fn kernel;\n"
    "    void (*pack)(const void *, void *);\n"
    "    int64_t (*items)(int32_t, int64_t);\n"
    "    int64_t src_bytes, wei_bytes, bias_bytes, dst_bytes, packed_bytes, workspace_bytes;\n"
    "    int32_t phases;\n"
    "    int64_t n;\n"
    "};\n";

static void load_cargo(struct cargo *c, const struct machine_abroad *m, uint64_t seed)
{
    *c = (struct cargo){ .target = target_named(m->target), .count = test_count(300) };
    c->sample = calloc((size_t)c->count, sizeof *c->sample);
    c->plan = calloc((size_t)c->count, sizeof *c->plan);
    assert_true(c->sample && c->plan);
    test_dir_create(&c->dir);
    c->table = create(&c->dir, "table.c");
    c->input = create(&c->dir, "input");
    c->objects = create(&c->dir, "objects");
    fputs(table_head, c->table);
    for (int64_t i = 0; i < c->count; i++)
        fprintf(c->table,
                "void k%" PRId64 "_kernel(const struct convc_args *, int32_t, int64_t, int64_t);\n"
                "void k%" PRId64 "_pack(const void *, void *);\n"
                "int64_t k%" PRId64 "_items(int32_t, int64_t);\n",
                i, i, i);
    fprintf(c->table, "const int foreign_count = %" PRId64 ";\n", c->count);
    fputs("const struct foreign_entry foreign_entries[] = {\n", c->table);
    for (int64_t i = 0; i < c->count; i++) {
        draw(c, seed, i);
        put_object(c, i);
        put_entry(c, i);
    }
    fputs("};\n", c->table);
    assert_int_equal(fclose(c->table) | fclose(c->input) | fclose(c->objects), 0);
}

static void unload_cargo(struct cargo *c)
{
    for (int64_t i = 0; i < c->count; i++)
        sample_free(&c->sample[i]);
    free(c->sample);
    free(c->plan);
    test_dir_remove(&c->dir);
}

/* ---- the run -----------------------------------------------------------------------------------
 */

static void command(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void command(const char *format, ...)
{
    char line[2000];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    if (system(line) != 0)
        fail_msg("%s", line);
}

static bool is_there(const char *program)
{
    char line[200];
    snprintf(line, sizeof line, "command -v %s >/dev/null", program);
    return system(line) == 0;
}

static void build_and_run(const struct cargo *c, const struct machine_abroad *m)
{
    const char *dir = c->dir.path;
    command("clang-19 -std=c11 -O1 -ffreestanding -nostdlib -fno-stack-protector -fuse-ld=lld "
            "-I%s/runtime/include %s %s/foreign_driver.c %s/table.c @%s/objects -o %s/program",
            CONVC_SOURCE_DIR, m->compiler, support, dir, dir, dir);
    command("%s %s/program <%s/input >%s/output", m->emulator, dir, dir, dir);
}

static void compare(const struct cargo *c)
{
    char path[600];
    size_t bytes, at = 0;
    char *output = test_file_read(test_dir_path(&c->dir, "output", path, sizeof path), &bytes);
    int64_t wrong = 0;
    assert_non_null(output);
    for (int64_t i = 0; i < c->count; i++) {
        const struct sample *s = &c->sample[i];
        assert_true(at + s->dst_bytes <= bytes);
        void *dst = aligned_alloc(64, (s->dst_bytes + 64) / 64 * 64);
        assert_non_null(dst);
        memcpy(dst, output + at, s->dst_bytes);
        if (!sample_agrees(s, &c->plan[i], dst)) {
            emitted_print(&s->problem, &c->plan[i], &c->target);
            wrong++;
        }
        free(dst);
        at += s->dst_bytes;
    }
    assert_int_equal(at, bytes);
    free(output);
    assert_int_equal(wrong, 0);
}

static void check(const struct machine_abroad *m)
{
    struct cargo c;
    if (!is_there("clang-19") || !is_there("ld.lld-19") || !is_there(m->needs)) {
        print_message("clang-19, lld-19 or %s is not here\n", m->needs);
        skip();
    }
    load_cargo(&c, m, test_seed(m->target, 900));
    build_and_run(&c, m);
    compare(&c);
    unload_cargo(&c);
}

static void neon(void **state)
{
    (void)state;
    check(&(struct machine_abroad){ "aarch64-unknown-linux-gnu:generic",
                                    "--target=aarch64-unknown-linux-gnu -static",
                                    "qemu-aarch64 -cpu cortex-a72", "qemu-aarch64" });
}

static void sve_256(void **state)
{
    (void)state;
    check(&(struct machine_abroad){ "aarch64-unknown-linux-gnu:generic+sve+sve256",
                                    "--target=aarch64-unknown-linux-gnu -static",
                                    "qemu-aarch64 -cpu max,sve-default-vector-length=32",
                                    "qemu-aarch64" });
}

static void sve_512(void **state)
{
    (void)state;
    check(&(struct machine_abroad){ "aarch64-unknown-linux-gnu:generic+sve+sve512",
                                    "--target=aarch64-unknown-linux-gnu -static",
                                    "qemu-aarch64 -cpu max,sve-default-vector-length=64",
                                    "qemu-aarch64" });
}

static void riscv_scalar(void **state)
{
    (void)state;
    check(&(struct machine_abroad){ "riscv64-unknown-linux-gnu:generic-rv64+m+a+f+d+c",
                                    "--target=riscv64-unknown-linux-gnu -march=rv64gc -mabi=lp64d "
                                    "-mno-relax -static",
                                    "qemu-riscv64 -cpu rv64,v=false", "qemu-riscv64" });
}

static void rvv_128(void **state)
{
    (void)state;
    check(&(struct machine_abroad){ "riscv64-unknown-linux-gnu:generic-rv64+m+a+f+d+c+v",
                                    "--target=riscv64-unknown-linux-gnu -march=rv64gcv -mabi=lp64d "
                                    "-mno-relax -static",
                                    "qemu-riscv64 -cpu rv64,v=true,vlen=128", "qemu-riscv64" });
}

static void rvv_256(void **state)
{
    (void)state;
    check(&(struct machine_abroad){
        "riscv64-unknown-linux-gnu:generic-rv64+m+a+f+d+c+v+zvl256b",
        "--target=riscv64-unknown-linux-gnu -march=rv64gcv -mabi=lp64d -mno-relax -static",
        "qemu-riscv64 -cpu rv64,v=true,vlen=256", "qemu-riscv64" });
}

static void wasm(void **state)
{
    (void)state;
    char emulator[600];
    snprintf(emulator, sizeof emulator, "node %s/foreign_host.mjs", support);
    check(&(struct machine_abroad){ "wasm32-unknown-unknown:generic+simd128",
                                    "--target=wasm32-unknown-unknown -msimd128 -Wl,--no-entry",
                                    emulator, "node" });
}

static void wasm_scalar(void **state)
{
    (void)state;
    char emulator[600];
    snprintf(emulator, sizeof emulator, "node %s/foreign_host.mjs", support);
    check(&(struct machine_abroad){ "wasm32-unknown-unknown:generic",
                                    "--target=wasm32-unknown-unknown -Wl,--no-entry", emulator,
                                    "node" });
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(neon),         cmocka_unit_test(sve_256),     cmocka_unit_test(sve_512),
        cmocka_unit_test(rvv_128),      cmocka_unit_test(rvv_256),     cmocka_unit_test(wasm),
        cmocka_unit_test(riscv_scalar), cmocka_unit_test(wasm_scalar),
    };
    return cmocka_run_group_tests(tests, emitted_setup, emitted_teardown);
}
