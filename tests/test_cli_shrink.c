/* Shrinking: what is left of a problem is what its failure needs, and nothing else. */
#include "runtime/cli/shrink.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* A random problem that fails, shrunk; its text is the caller's, for convc_text_free. */
static char *shrunk(shrink_fails fails, void *data, int most)
{
    struct convc_problem p, least;
    struct random_texts texts;
    double weights[RANDOM_WEIGHTS];
    struct shrink_room *room = malloc(sizeof *room);
    char *text = NULL;
    assert_non_null(room);
    for (uint64_t i = 0, found = 0; !found; i++) {
        uint64_t seed = random_at(1, i);
        random_problem(seed, &p);
        if (i % 2)
            random_functions(seed, &p, &texts);
        if (i % 4 >= 2 && !p.window)
            random_constants(seed, &p, weights);
        found = fails(data, &p);
    }
    shrink(&p, fails, data, most, room, &least);
    assert_true(fails(data, &least));
    assert_int_equal(convc_problem_text(&least, &text), CONVC_OK);
    free(room);
    return text;
}

static void assert_shrinks_to(shrink_fails fails, const char *expected)
{
    int asked = 0;
    char *text = shrunk(fails, &asked, 100000);
    assert_string_equal(text, expected);
    convc_text_free(text);
}

/* What is left of a function depends on where it began: so long, and no longer. */
static void assert_shrinks_as_far_as(shrink_fails fails, const char *expected)
{
    int asked = 0;
    char *text = shrunk(fails, &asked, 100000);
    if (strlen(text) > strlen(expected))
        fail_msg("%s is longer than %s", text, expected);
    convc_text_free(text);
}

static bool always(void *data, const struct convc_problem *p)
{
    ++*(int *)data;
    return p->n >= 0;
}

static bool wide(void *data, const struct convc_problem *p)
{
    ++*(int *)data;
    return p->kernel[CONVC_W] >= 3 && p->in[CONVC_W] % 16 == 13 && p->spatial >= 2;
}

static bool grouped(void *data, const struct convc_problem *p)
{
    ++*(int *)data;
    return p->groups > 1 && p->oc / p->groups == 3 && p->layout == CONVC_NCHW;
}

static bool with_square_root(void *data, const struct convc_problem *p)
{
    ++*(int *)data;
    static const char *const roots[] = { "sqrt(x)", "sqrt(w)", "sqrt(abs(x))", "sqrt(abs(w))" };
    for (int i = 0; p->combine && i < 4; i++)
        if (strstr(p->combine, roots[i]))
            return true;
    return false;
}

static bool with_two_taps(void *data, const struct convc_problem *p)
{
    ++*(int *)data;
    return p->window && strstr(p->window, "x(0,1)") && strstr(p->window, "max(");
}

static bool with_a_weight_of_two(void *data, const struct convc_problem *p)
{
    ++*(int *)data;
    int64_t taps = p->kernel[0] * p->kernel[1] * p->kernel[2] * (p->ic / p->groups) * p->oc;
    for (int64_t i = 0; p->weights && i < taps; i++)
        if (p->weights[i] == 2)
            return p->dst_dtype == CONVC_F64;
    return false;
}

static void nothing_is_left_but_what_is_needed(void **state)
{
    (void)state;
    assert_shrinks_to(always, "g1mb1ic1iw1oc1ow1kw1sw1dw0pw0");
    assert_shrinks_to(wide, "g1mb1ic1ih1iw13oc1oh1ow11kh1kw3sh1sw1dh0dw0ph0pw0");
    assert_shrinks_to(grouped, "g2mb1ic2iw1oc6ow1kw1sw1dw0pw0;layout=nchw");
    assert_shrinks_as_far_as(with_square_root, "g1mb1ic1iw1oc1ow1kw1sw1dw0pw0;combine=sqrt(w)");
    assert_shrinks_as_far_as(
        with_two_taps, "g1mb1ic1ih1iw2oc1oh1ow1kh1kw2sh1sw1dh0dw0ph0pw0;window=max(x(0,1),x(0,0))");
    assert_shrinks_to(with_a_weight_of_two, "g1mb1ic1iw1oc1ow1kw1sw1dw0pw0;dtype=f64;weights=2");
}

static void it_ends_where_it_was_told_to(void **state)
{
    (void)state;
    for (int most = 0; most < 40; most += 13) {
        int asked = 0;
        convc_text_free(shrunk(wide, &asked, 0));
        int before = asked;
        asked = 0;
        convc_text_free(shrunk(wide, &asked, most));
        assert_true(asked <= before + most);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_left_but_what_is_needed),
        cmocka_unit_test(it_ends_where_it_was_told_to),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
