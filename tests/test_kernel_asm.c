/* The machine code of whole networks: loops of multiply-adds keep their registers, and hold as many
 * multiply-adds as the plan's tile promises. Nothing is run, so any machine can tell. */
#include "gen/out/object.h"
#include "gen/plan/choose.h"
#include "gen/plan/nest.h"
#include "gen/spec/spec.h"
#include "tests/support/emitted.h"
#include "tests/support/named.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- assembly -----------------------------------------------------------------------------------
 *
 * A block begins at a label or behind a jump and ends at the next; it is a loop where it jumps to
 * its own label. */

struct block {
    char label[32];
    int fmas, spills;
    bool loop;
    char spill[128]; /* the first */
};

enum { BLOCKS_MAX = 4096 };
struct code {
    struct block block[BLOCKS_MAX];
    int count;
    bool frame;              /* rbp points at the stack, and is no register like others */
    int stores, stores_most; /* of vectors since the last multiply-add */
};

static bool touches_stack(const char *line, bool frame)
{
    return strstr(line, "(%rsp") || (frame && strstr(line, "(%rbp"));
}

static bool has_vector(const char *line)
{
    return strstr(line, "%xmm") || strstr(line, "%ymm") || strstr(line, "%zmm");
}

static bool is_fma(const char *line)
{
    return !strncmp(line, "\tvfmadd", 7) && (strstr(line, "ps\t") || strstr(line, "pd\t"));
}

static bool is_vector_store(const char *line)
{
    const char *from = strchr(line + 1, '\t'), *to = from ? strchr(from, ',') : NULL;
    return !strncmp(line, "\tvmov", 5) && to && strchr(to, '(') && has_vector(from);
}

/* "\tjne\t.LBB0_5" */
static bool jumps_to(const char *line, const char *label)
{
    const char *target = strrchr(line, '\t');
    return target && !strcmp(target + 1, label);
}

static struct block *add_block(struct code *c, const char *label, int size)
{
    assert_true(c->count < BLOCKS_MAX);
    struct block *b = &c->block[c->count++];
    *b = (struct block){ .fmas = 0 };
    snprintf(b->label, sizeof b->label, "%.*s", size, label);
    return b;
}

static void read_line(struct code *c, const char *line)
{
    const char *colon = strchr(line, ':');
    if (line[0] != '\t' && line[0] != '#' && colon)
        add_block(c, line, (int)(colon - line));
    if (line[0] != '\t' || !c->count)
        return;
    c->stores = is_fma(line) ? 0 : c->stores + is_vector_store(line);
    if (c->stores > c->stores_most)
        c->stores_most = c->stores;
    struct block *b = &c->block[c->count - 1];
    if (line[1] == 'j') {
        b->loop = jumps_to(line, b->label);
        add_block(c, "behind a jump", 32);
        return;
    }
    b->fmas += is_fma(line);
    if (!has_vector(line) || !touches_stack(line, c->frame))
        return;
    if (!b->spills++)
        snprintf(b->spill, sizeof b->spill, "%s", line + 1);
}

/* Reads text in place. */
static void read_code(char *text, struct code *c)
{
    char *save = NULL;
    c->count = c->stores = c->stores_most = 0;
    c->frame = strstr(text, "movq\t%rsp, %rbp") != NULL;
    for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
        read_line(c, line);
}

static void emit_code(const struct problem *p, const struct plan *plan, const struct target *t,
                      struct code *c)
{
    struct object object;
    struct diag d = { 0 };
    struct object_request request = {
        .problem = p, .plan = plan, .target = t, .symbol = "kernel", .form = OBJECT_ASM
    };
    if (object_emit(&request, &object, &d) != CONVC_OK)
        fail_msg("%s", d.text);
    read_code(object.bytes, c);
    object_free(&object);
}

/* ---- what is demanded ---------------------------------------------------------------------------
 */

/* Prints what spills; returns how many blocks do. */
static int count_spills(const struct code *c, bool print)
{
    int spilling = 0;
    for (int i = 0; i < c->count; i++) {
        const struct block *b = &c->block[i];
        if (!b->fmas || !b->spills)
            continue;
        spilling++;
        if (print)
            fprintf(stderr, "%s: %d vector spills beside %d FMAs, such as %s\n", b->label,
                    b->spills, b->fmas, b->spill);
    }
    return spilling;
}

/* k-steps that a loop of `fmas` multiply-adds holds of a tile; 0: that is no such loop. Short tiles
 * are unrolled, up to 8 times and 32 multiply-adds. */
static int steps_in(int fmas, int64_t tile)
{
    for (int u = 1; u <= 8; u *= 2) {
        if (fmas == u * tile && (u == 1 || fmas <= 32))
            return u;
    }
    return 0;
}

/* Is there a loop of whole steps of this tile? */
static bool has_loop_of(const struct code *c, int64_t tile)
{
    for (int i = 0; i < c->count; i++) {
        if (c->block[i].loop && steps_in(c->block[i].fmas, tile))
            return true;
    }
    return false;
}

static int64_t multiply_adds(const struct nest *n, const struct segment *s,
                             const struct channel_class *channel, int64_t rows)
{
    int64_t vecs = channel->vecs, cols = s->width;
    if (n->plan.lanes == LANES_OW) {
        vecs = (s->width + n->lanes - 1) / n->lanes;
        cols = channel->cols;
    }
    int64_t once = rows * cols * vecs;
    if (n->plan.lanes == LANES_GROUPS)
        once *= n->p->icg;
    return n->plan.taps == TAPS_UNROLL ? once * n->p->p.kernel[CONVC_W] : once;
}

/* Every shape of tile that touches no border has a loop of its own; no loop has more than the
 * widest of them. Returns how many break that. */
static int count_broken_promises(const struct nest *n, const struct code *c)
{
    struct segment segment[SEGMENTS_MAX];
    int segments = nest_segments(n, segment), broken = 0;
    int64_t widest = 0;
    for (int i = 0; i < segments * n->classes * 2; i++) {
        const struct segment *s = &segment[i / 2 / n->classes];
        int64_t rows = i % 2 ? n->rows.narrow : n->rows.wide;
        int64_t tile = multiply_adds(n, s, &n->channel[i / 2 % n->classes], rows);
        widest = tile > widest ? tile : widest;
        if (s->edge || has_loop_of(c, tile))
            continue;
        fprintf(stderr, "no loop has a multiple of the %" PRId64 " FMAs of a tile\n", tile);
        broken++;
    }
    for (int i = 0; i < c->count; i++) {
        const struct block *b = &c->block[i];
        if (!b->loop || b->fmas <= (widest > 32 ? widest : 32))
            continue;
        fprintf(stderr, "%s: a loop of %d FMAs, where tiles have at most %" PRId64 "\n", b->label,
                b->fmas, widest);
        broken++;
    }
    return broken;
}

static bool is_good(const struct problem *p, const struct target *t)
{
    static struct code code;
    struct plan plan;
    struct nest n;
    struct diag d = { 0 };
    assert_int_equal(choose_plan(p, t, &plan, &d), CONVC_OK);
    emit_code(p, &plan, t, &code);
    nest_of(p, &plan.direct, t, &n);
    int bad = count_spills(&code, true) + count_broken_promises(&n, &code);
    if (bad)
        emitted_print(p, &plan, t);
    return !bad;
}

/* ---- networks -----------------------------------------------------------------------------------
 */

/* The problems of a network, each once. */
enum { LAYERS_MAX = 64 };
struct layers {
    struct problem problem[LAYERS_MAX];
    int count;
};

static bool known(const struct layers *l, const struct problem *p)
{
    struct problem_key key, other;
    problem_key(p, &key);
    for (int i = 0; i < l->count; i++) {
        problem_key(&l->problem[i], &other);
        if (!memcmp(&key, &other, sizeof key))
            return true;
    }
    return false;
}

static void read_network(const char *path, struct layers *l)
{
    struct spec spec;
    struct diag d = { 0 };
    struct spec_source source = { .path = path, .lib_dir = CONVC_SOURCE_DIR "/specs/lib" };
    if (spec_load(&source, &spec, &d) != CONVC_OK)
        fail_msg("%s", d.text);
    l->count = 0;
    for (size_t i = 0; i < spec.count; i++) {
        struct problem p;
        spec.convs[i].problem.tolerance = 0; /* direct plans */
        assert_int_equal(problem_resolve(&spec.convs[i].problem, &p, &d), CONVC_OK);
        if (known(l, &p))
            continue;
        assert_true(l->count < LAYERS_MAX);
        l->problem[l->count++] = p;
    }
    spec_free(&spec);
}

#define AVX512 "x86_64-pc-linux-gnu:x86-64-v4"
#define AVX2   "x86_64-pc-linux-gnu:x86-64-v3"

static void check_network(const char *path, int layers, const char *target)
{
    static struct layers l;
    struct target t = target_named(target);
    int bad = 0;
    read_network(path, &l);
    assert_int_equal(l.count, layers);
    for (int i = 0; i < l.count; i++)
        bad += !is_good(&l.problem[i], &t);
    assert_int_equal(bad, 0);
}

static void resnet50_keeps_its_registers_with_avx512(void **state)
{
    (void)state;
    check_network(CONVC_SOURCE_DIR "/specs/networks/resnet50.lua", 24, AVX512);
}

static void resnet50_keeps_its_registers_with_avx2(void **state)
{
    (void)state;
    check_network(CONVC_SOURCE_DIR "/specs/networks/resnet50.lua", 24, AVX2);
}

static void vgg16_keeps_its_registers_with_avx512(void **state)
{
    (void)state;
    check_network(CONVC_SOURCE_DIR "/specs/networks/vgg16.lua", 9, AVX512);
}

static void vgg16_keeps_its_registers_with_avx2(void **state)
{
    (void)state;
    check_network(CONVC_SOURCE_DIR "/specs/networks/vgg16.lua", 9, AVX2);
}

/* ---- windows
 * -------------------------------------------------------------------------------------
 */

static void check_window(const char *shape, const char *tile)
{
    static struct code code;
    struct target t = target_named(AVX2);
    struct problem p = problem_named(shape);
    struct plan plan;
    struct diag d = { 0 };
    char text[PLAN_TEXT_MAX];
    snprintf(text, sizeof text, "direct lanes=groups tile=%s border=peel taps=window", tile);
    assert_int_equal(plan_parse(text, &plan, &d), CONVC_OK);
    emit_code(&p, &plan, &t, &code);
    int spilling = count_spills(&code, true);
    if (spilling)
        emitted_print(&p, &plan, &t);
    assert_int_equal(spilling, 0);
}

/* Rows at the top and the bottom are branches, which what others have read does not outlive. */
static void windows_keep_their_registers_with_avx2(void **state)
{
    (void)state;
    check_window("g64mb1ic64ih28oc64oh28kh3ph1", "2x4x1");
    check_window("g64mb1ic64ih28oc64oh28kh3ph1", "3x3x1");
    check_window("g64mb1ic64ih28oc64oh28kh3ph1", "4x3x1");
    check_window("g64mb1ic64ih28oc64oh28kh5ph2", "2x4x1");
    check_window("g64mb1ic64ih28oc64oh14kh5sh2ph2", "2x3x1");
    check_window("g64mb1ic64ih28oc64oh28kh3ph2dh1", "4x2x1");
    check_window("g64mb1ic64ih28oc64oh28kh3ph1", "2x2x2");
    check_window("g64mb1ic64ih28oc64oh14kh3sh2ph1", "4x3x1");
    check_window("g64mb1ic64ih28oc64oh14kh5sh2ph2", "3x3x1");
}

/* ---- stores
 * --------------------------------------------------------------------------------------
 */

static int stores_in_a_row(const char *shape, const char *text)
{
    static struct code code;
    struct target t = target_named(AVX2);
    struct problem p = problem_named(shape);
    struct plan plan;
    struct diag d = { 0 };
    assert_int_equal(plan_parse(text, &plan, &d), CONVC_OK);
    emit_code(&p, &plan, &t, &code);
    assert_int_equal(count_spills(&code, true), 0);
    return code.stores_most;
}

/* Where a pixel is a single tap, a column of the tile is stored beside the next one's
 * multiply-adds.
 */
static void pointwise_columns_are_stored_one_by_one_with_avx2(void **state)
{
    (void)state;
    assert_int_equal(stores_in_a_row("ic32ih28oc96oh28kh1", "direct lanes=oc tile=1x4x3"), 3);
    assert_int_equal(stores_in_a_row("ic32ih28oc96oh28kh1", "direct lanes=oc tile=1x2x4"), 4);
    assert_int_equal(stores_in_a_row("ic32ih28oc96oh27kh2ph0", "direct lanes=oc tile=1x4x3"), 12);
}

/* ---- Winograd's products
 * -------------------------------------------------------------------------
 */

/* Loops of `fmas` multiply-adds; those that spill count as none. */
static int loops_of(const struct code *c, int64_t fmas)
{
    int loops = 0;
    for (int i = 0; i < c->count; i++) {
        const struct block *b = &c->block[i];
        loops += b->loop && b->fmas == fmas && !b->spills;
    }
    return loops;
}

static void check_products(const char *shape, const char *plan_text, const char *target, int steps,
                           int narrow)
{
    static struct code code;
    struct target t = target_named(target);
    struct convc_problem from;
    struct problem p;
    struct plan plan;
    struct arena none = { 0 };
    struct diag d = { 0 };
    assert_int_equal(spec_benchdnn(shape, &none, &from, &d), CONVC_OK);
    assert_int_equal(problem_resolve(&from, &p, &d), CONVC_OK);
    assert_int_equal(plan_parse(plan_text, &plan, &d), CONVC_OK);
    assert_int_equal(plan_check(&plan, &p, &t, &d), CONVC_OK);
    emit_code(&p, &plan, &t, &code);
    assert_true(loops_of(&code, steps * plan.winograd.rows * plan.winograd.vecs) > 0);
    assert_true(loops_of(&code, (steps > 1 ? steps : 2) * narrow * plan.winograd.vecs) > 0);
}

/* 49 tiles are three panels of 12 and one of 13. */
static void winograd_products_keep_their_registers(void **state)
{
    const char *shape = "g1mb1ic64ih28iw28oc96oh28ow28kh3kw3ph1pw1";
    (void)state;
    check_products(shape, "winograd f=4x4 tile=13x2 prefetch=weights", AVX512, 4, 12);
    check_products(shape, "winograd f=2x2 tile=13x2 block=27 prefetch=weights", AVX512, 4, 12);
    check_products(shape, "winograd f=4x4 tile=9x3", AVX512, 1, 8);
    check_products(shape, "winograd f=4x4 tile=6x2 prefetch=weights", AVX2, 4, 5);
}

/* ---- the demands can be missed ------------------------------------------------------------------
 */

static void a_tile_without_room_is_seen_to_spill(void **state)
{
    static struct code code;
    struct convc_problem from;
    struct problem p;
    struct plan plan;
    struct nest n;
    struct arena none = { 0 };
    struct diag d = { 0 };
    struct target t = target_named(AVX2);
    (void)state;
    assert_int_equal(spec_benchdnn("g1mb1ic64ih28iw28oc64oh28ow28kh1kw1", &none, &from, &d),
                     CONVC_OK);
    assert_int_equal(problem_resolve(&from, &p, &d), CONVC_OK);
    assert_int_equal(plan_parse("direct lanes=oc tile=1x14x4 border=none", &plan, &d), CONVC_OK);
    emit_code(&p, &plan, &t, &code);
    assert_true(count_spills(&code, false) > 0);

    assert_int_equal(plan_parse("direct lanes=oc tile=1x4x2 border=none", &plan, &d), CONVC_OK);
    emit_code(&p, &plan, &t, &code);
    assert_int_equal(count_spills(&code, false), 0);
    nest_of(&p, &plan.direct, &t, &n);
    assert_int_equal(count_broken_promises(&n, &code), 0);
    plan.direct.cols = 7;
    nest_of(&p, &plan.direct, &t, &n);
    assert_int_not_equal(count_broken_promises(&n, &code), 0);
}

static void stack_and_pointers_are_told_apart(void **state)
{
    static struct code code;
    char text[] = "kernel:\n"
                  "\tpushq\t%rbp\n"
                  ".LBB0_1:\n"
                  "\tvmovups\t(%rbp), %zmm0\n"
                  "\tvfmadd231ps\t(%rax){1to16}, %zmm1, %zmm2\n"
                  "\tvfmadd231ps\t64(%rsp), %zmm1, %zmm2\n"
                  "\tvfmadd231ss\t(%rax), %xmm1, %xmm2\n"
                  "\tmovq\t%rax, 8(%rsp)\n"
                  "\tjne\t.LBB0_1\n"
                  "\tvmovups\t%xmm0, (%rsp)\n"
                  ".LBB0_12:\n"
                  "\tvfmadd231pd\t(%rax), %ymm1, %ymm2\n"
                  "\tjne\t.LBB0_1\n";
    (void)state;
    read_code(text, &code);
    assert_int_equal(code.count, 5);
    assert_int_equal(code.block[1].fmas, 2);
    assert_int_equal(code.block[1].spills, 1);
    assert_true(code.block[1].loop);
    assert_int_equal(code.block[2].fmas, 0);
    assert_int_equal(code.block[2].spills, 1);
    assert_false(code.block[2].loop);
    assert_int_equal(code.block[3].fmas, 1);
    assert_int_equal(code.block[3].spills, 0);
    assert_false(code.block[3].loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stack_and_pointers_are_told_apart),
        cmocka_unit_test(a_tile_without_room_is_seen_to_spill),
        cmocka_unit_test(resnet50_keeps_its_registers_with_avx512),
        cmocka_unit_test(resnet50_keeps_its_registers_with_avx2),
        cmocka_unit_test(vgg16_keeps_its_registers_with_avx512),
        cmocka_unit_test(vgg16_keeps_its_registers_with_avx2),
        cmocka_unit_test(windows_keep_their_registers_with_avx2),
        cmocka_unit_test(pointwise_columns_are_stored_one_by_one_with_avx2),
        cmocka_unit_test(winograd_products_keep_their_registers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
