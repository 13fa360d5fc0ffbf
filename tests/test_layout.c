/* The layout of packed weights: every weight has a slot of its own, where the blocks say. */
#include "gen/plan/choose.h"
#include "gen/plan/layout.h"
#include "runtime/cli/random.h"
#include "tests/support/support.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- every layout of many problems --------------------------------------------------------------
 */

struct visit {
    uint64_t seed;
    const struct problem *p;
    const struct plan *plan; /* NULL: the plain layout */
    const struct target *t;
    const struct layout *l;
};

static void wrong(const struct visit *v, const char *what)
{
    char words[PLAN_TEXT_MAX] = "plain";
    struct text text = { 0 };
    problem_print(v->p, &text);
    if (v->plan)
        plan_print(v->plan, words);
    fprintf(stderr, "seed %" PRIu64 ", %s, %s, %s: %s\n", v->seed, text.data, words, v->t->cpu,
            what);
    text_free(&text);
    fail();
}

#define HOLDS(v, condition) ((condition) ? (void)0 : wrong(v, #condition))

static void visit_problem(uint64_t seed, const struct target *t,
                          void (*check)(const struct visit *))
{
    struct convc_problem from;
    struct problem p;
    struct arena a = { 0 };
    struct candidates plans;
    struct layout l;
    struct diag d = { 0 };
    random_problem(seed, &from);
    assert_int_equal(problem_resolve(&from, &p, &d), CONVC_OK);
    assert_int_equal(choose_plans(&a, &p, t, &plans, &d), CONVC_OK);
    layout_plain(&p, &l);
    check(&(struct visit){ seed, &p, NULL, t, &l });
    for (size_t i = 0; i < plans.count; i++) {
        plan_layout(&p, &plans.list[i].plan, t, &l);
        check(&(struct visit){ seed, &p, &plans.list[i].plan, t, &l });
    }
    arena_free(&a);
}

static void visit_layouts(int64_t count, void (*check)(const struct visit *))
{
    static const char *const names[] = { "x86_64-pc-linux-gnu:x86-64-v4",
                                         "x86_64-pc-linux-gnu:x86-64-v3",
                                         "x86_64-pc-linux-gnu:x86-64" };
    uint64_t seed = test_seed("layout", 40);
    for (int64_t i = 0; i < test_count(count); i++) {
        struct target t;
        struct diag d = { 0 };
        assert_int_equal(target_parse(names[i % 3], &t, &d), CONVC_OK);
        visit_problem(seed + (uint64_t)i, &t, check);
    }
}

/* Calls visit for each weight. */
static void visit_weights(const struct visit *v,
                          void (*visit)(const struct visit *v, int64_t o, int64_t i,
                                        const int64_t tap[3], void *argument),
                          void *argument)
{
    const struct layout *l = v->l;
    int64_t tap[3];
    for (int64_t o = 0; o < l->oc; o++)
        for (int64_t i = 0; i < l->icg; i++)
            for (tap[0] = 0; tap[0] < l->kernel[0]; tap[0]++)
                for (tap[1] = 0; tap[1] < l->kernel[1]; tap[1]++)
                    for (tap[2] = 0; tap[2] < l->kernel[2]; tap[2]++)
                        visit(v, o, i, tap, argument);
}

/* ---- a slot for each ----------------------------------------------------------------------------
 */

static void take_slot(const struct visit *v, int64_t o, int64_t i, const int64_t tap[3],
                      void *argument)
{
    bool *taken = argument;
    int64_t at = layout_index(v->l, o, i, tap);
    HOLDS(v, at >= 0 && at < layout_elements(v->l));
    HOLDS(v, !taken[at]);
    taken[at] = true;
}

static void check_slots(const struct visit *v)
{
    bool *taken = calloc((size_t)layout_elements(v->l), sizeof *taken);
    assert_non_null(taken);
    visit_weights(v, take_slot, taken);
    free(taken);
}

static void every_weight_has_a_slot_of_its_own(void **state)
{
    (void)state;
    visit_layouts(150, check_slots);
}

static void check_plain(const struct visit *v)
{
    if (!v->plan)
        HOLDS(v, layout_elements(v->l) ==
                     v->l->oc * v->l->icg * v->l->kernel[0] * v->l->kernel[1] * v->l->kernel[2]);
}

static void plain_weights_leave_no_holes(void **state)
{
    (void)state;
    visit_layouts(50, check_plain);
}

/* ---- pieces -------------------------------------------------------------------------------------
 */

/* One channel of a piece: all its weights are where the piece says. */
static void check_channel(const struct visit *v, int64_t o, int64_t element, int64_t width)
{
    const struct layout *l = v->l;
    const int64_t *k = l->kernel;
    for (int64_t t = 0; t < k[0] * k[1] * k[2]; t++) {
        int64_t flat = l->flip ? k[0] * k[1] * k[2] - 1 - t : t;
        const int64_t tap[3] = { flat / (k[1] * k[2]), flat / k[2] % k[1], flat % k[2] };
        for (int64_t i = 0; i < l->icg; i++)
            HOLDS(v, layout_index(l, o, i, tap) == element + (t * l->icg + i) * width);
    }
}

static void check_piece(const struct visit *v, const struct layout_piece *piece, char *seen)
{
    int64_t total = 1;
    for (int k = 0; k < PIECE_LOOPS; k++)
        total *= piece->loop[k].count;
    for (int64_t n = 0; n < total; n++) {
        int64_t o = piece->first, element = piece->element, rest = n;
        for (int k = PIECE_LOOPS - 1; k >= 0; k--) {
            o += rest % piece->loop[k].count * piece->loop[k].channels;
            element += rest % piece->loop[k].count * piece->loop[k].elements;
            rest /= piece->loop[k].count;
        }
        HOLDS(v, o >= 0 && o < v->l->oc && !seen[o]);
        seen[o] = 1;
        check_channel(v, o, element, piece->width);
    }
}

static void check_pieces(const struct visit *v)
{
    struct layout_piece list[PIECES_MAX];
    if (!v->plan || v->l->transformed)
        return;
    char *seen = calloc((size_t)v->l->oc, 1);
    assert_non_null(seen);
    int count = layout_pieces(v->l, list);
    HOLDS(v, count >= 1 && count <= PIECES_MAX);
    for (int i = 0; i < count; i++)
        check_piece(v, &list[i], seen);
    HOLDS(v, !memchr(seen, 0, (size_t)v->l->oc));
    free(seen);
}

static void pieces_hold_every_channel_once(void **state)
{
    (void)state;
    visit_layouts(150, check_pieces);
}

/* ---- blocks -------------------------------------------------------------------------------------
 */

static int64_t taps(const struct layout *l)
{
    return l->kernel[0] * l->kernel[1] * l->kernel[2];
}

/* Block of a channel, from what layout.h says and nothing else. */
static int64_t block_of(const struct layout *l, int64_t o)
{
    int64_t group = o / l->ocg, within = o % l->ocg;
    int64_t per_group = (l->ocg - l->dots + l->block - 1) / l->block;
    return l->vector_groups ? group / l->group_block : group * per_group + within / l->block;
}

/* [block][kd][kh][kw][ic][slot], and behind them [group][dot][kd][kh][kw][ic] */
static void weight_is_in_its_block(const struct visit *v, int64_t o, int64_t i,
                                   const int64_t tap[3], void *argument)
{
    const struct layout *l = v->l;
    int64_t stored[3], dot = o % l->ocg - (l->ocg - l->dots);
    (void)argument;
    for (int a = 0; a < 3; a++)
        stored[a] = l->flip ? l->kernel[a] - 1 - tap[a] : tap[a];
    int64_t flat = (stored[0] * l->kernel[1] + stored[1]) * l->kernel[2] + stored[2];
    if (dot >= 0) {
        int64_t channel = o / l->ocg * l->dots + dot;
        HOLDS(v, layout_index(l, o, i, tap) ==
                     layout_dots_offset(l) + (channel * taps(l) + flat) * l->icg + i);
        return;
    }
    int64_t block = block_of(l, o), width = layout_width(l, block);
    int64_t within = layout_index(l, o, i, tap) - layout_block_offset(l, block);
    HOLDS(v, within / width == flat * l->icg + i);
    int64_t slot = within % width, first = o;
    if (l->vector_groups)
        return;
    first = o / l->ocg * l->ocg + o % l->ocg / l->block * l->block;
    HOLDS(v, slot == o - first);
}

static void check_blocks(const struct visit *v)
{
    const struct layout *l = v->l;
    if (!v->plan)
        return;
    int64_t offset = 0;
    for (int64_t b = 0; b < layout_blocks(l); b++) {
        int64_t width = layout_width(l, b);
        HOLDS(v, layout_block_offset(l, b) == offset);
        HOLDS(v, width > 0 && width <= l->block && width % l->unit == 0);
        offset += width * l->icg * taps(l);
    }
    HOLDS(v, offset == layout_dots_offset(l));
    HOLDS(v, offset + l->groups * l->dots * l->icg * taps(l) == layout_elements(l));
    HOLDS(v, layout_block_elements(l) == l->block * l->icg * taps(l));
    visit_weights(v, weight_is_in_its_block, NULL);
}

static void blocks_follow_each_other(void **state)
{
    (void)state;
    visit_layouts(150, check_blocks);
}

/* Vectors of weights are loaded whole and aligned: with lanes of channels, a slot's distance from
 * the first of its vector is its lane. */
static void check_lanes(const struct visit *v)
{
    const struct layout *l = v->l;
    int lanes = target_lanes(v->t, dtype_bytes(v->p->p.wei_dtype));
    if (!v->plan || v->plan->direct.lanes == LANES_OW)
        return;
    for (int64_t b = 0; b < layout_blocks(l); b++)
        HOLDS(v, layout_block_offset(l, b) % lanes == 0 && layout_width(l, b) % lanes == 0);
    for (int64_t o = 0; o < l->oc && l->vector_groups; o++) {
        int64_t slot = layout_index(l, o, 0, (const int64_t[3]){ 0, 0, 0 });
        HOLDS(v,
              slot % lanes == o / l->ocg % l->group_block % l->vector_groups * l->ocg + o % l->ocg);
    }
}

static void vectors_of_weights_are_aligned(void **state)
{
    (void)state;
    visit_layouts(150, check_lanes);
}

/* ---- the hash -----------------------------------------------------------------------------------
 */

/* Does every weight lie at the same place in both? */
static bool same_places(const struct layout *a, const struct layout *b)
{
    if (layout_elements(a) != layout_elements(b))
        return false;
    int64_t tap[3];
    for (int64_t o = 0; o < a->oc; o++)
        for (int64_t i = 0; i < a->icg; i++)
            for (tap[0] = 0; tap[0] < a->kernel[0]; tap[0]++)
                for (tap[1] = 0; tap[1] < a->kernel[1]; tap[1]++)
                    for (tap[2] = 0; tap[2] < a->kernel[2]; tap[2]++)
                        if (layout_index(a, o, i, tap) != layout_index(b, o, i, tap))
                            return false;
    return true;
}

enum { KEPT = 64 };
static struct layout kept[KEPT];
static int kept_count;
static uint64_t kept_seed;

/* Compares with the other layouts of the same problem. */
static void check_hash(const struct visit *v)
{
    if (!v->plan || kept_seed != v->seed)
        kept_count = 0;
    kept_seed = v->seed;
    for (int i = 0; i < kept_count; i++) {
        if (!same_places(&kept[i], v->l))
            HOLDS(v, layout_hash(&kept[i]) != layout_hash(v->l));
        if (!memcmp(&kept[i], v->l, sizeof *v->l))
            HOLDS(v, layout_hash(&kept[i]) == layout_hash(v->l));
    }
    if (kept_count < KEPT)
        kept[kept_count++] = *v->l;
}

static void layouts_that_differ_hash_apart(void **state)
{
    (void)state;
    visit_layouts(60, check_hash);
}

/* Any field tells layouts apart, so that weights of one problem are never read as another's. */
static void every_field_is_in_the_hash(void **state)
{
    const struct layout l = { .oc = 32,
                              .icg = 4,
                              .ocg = 4,
                              .groups = 8,
                              .kernel = { 1, 2, 3 },
                              .block = 32,
                              .unit = 16,
                              .group_block = 8,
                              .vector_groups = 4,
                              .lanes = 16 };
    struct layout other[14];
    (void)state;
    for (int i = 0; i < 14; i++)
        other[i] = l;
    other[0].plain = true;
    other[1].flip = true;
    int64_t *const field[12] = { &other[2].oc,
                                 &other[3].icg,
                                 &other[4].ocg,
                                 &other[5].groups,
                                 &other[6].kernel[0],
                                 &other[7].kernel[1],
                                 &other[8].kernel[2],
                                 &other[9].block,
                                 &other[10].unit,
                                 &other[11].group_block,
                                 &other[12].vector_groups,
                                 &other[13].lanes };
    for (int i = 0; i < 12; i++)
        (*field[i])++;
    for (int i = 0; i < 14; i++)
        assert_int_not_equal(layout_hash(&l), layout_hash(&other[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_weight_has_a_slot_of_its_own),
        cmocka_unit_test(plain_weights_leave_no_holes),
        cmocka_unit_test(pieces_hold_every_channel_once),
        cmocka_unit_test(blocks_follow_each_other),
        cmocka_unit_test(vectors_of_weights_are_aligned),
        cmocka_unit_test(layouts_that_differ_hash_apart),
        cmocka_unit_test(every_field_is_in_the_hash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
