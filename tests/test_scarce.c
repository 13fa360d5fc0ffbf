/* Memory that runs out: in every public call every allocation of convc's own fails once, alone and
 * with all behind it, and so do SQLite's. support/walk.h says what must come of it.
 */
#include "tests/support/scarce_ground.h"

#include <convc/tuning.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static struct ground ground_of_all;

/* What takes seconds a call is for it alone. */
static bool long_run(void)
{
    return test_count(100) >= 10000;
}

/* ---- problems and specs ---------------------------------------------------------------------- */

static enum convc_status ask_problem(void *ground, const struct walk *w)
{
    struct ground *g = ground;
    const struct convc_problem *p = g->answer.p;
    int64_t out[3], stride[5], n;
    char name[200];
    enum convc_status st = convc_problem_check(p);
    if (st == CONVC_OK)
        st = convc_problem_output(p, out);
    if (st == CONVC_OK)
        st = convc_problem_src(p, 1, stride, &n);
    if (st == CONVC_OK)
        st = convc_problem_dst(p, 1, stride, &n);
    if (st == CONVC_OK)
        st = convc_problem_wei(p, &n);
    if (st == CONVC_OK)
        st = convc_emit_name(p, "x_", name, sizeof name);
    return st == CONVC_OK ? convc_problem_text(p, &g->text) : st;
}

static void check_text(void *ground, const struct walk *w)
{
    struct ground *g = ground;
    (void)w;
    assert_true(g->text[0] != '\0');
    convc_text_free(g->text);
    g->text = NULL;
}

static enum convc_status load_spec(void *ground, const struct walk *w)
{
    struct ground *g = ground;
    static const char *const defines[] = { "W=9" };
    const struct convc_spec_source source = {
        .struct_bytes = sizeof source,
        .path = w->on[0] == 'r' ? NULL : w->on,
        .text = w->on[0] == 'r' ? w->on : NULL,
        .name = "text",
        .defines = w->on[0] == 'r' ? defines : NULL,
        .define_count = w->on[0] == 'r' ? 1 : 0,
    };
    return convc_spec_load(&source, &g->spec);
}

static void check_spec(void *ground, const struct walk *w)
{
    struct ground *g = ground;
    size_t count = convc_spec_count(g->spec);
    assert_true(count > 0);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(convc_problem_check(convc_spec_problem(g->spec, i)), CONVC_OK);
        (void)convc_spec_weights(g->spec, i);
    }
    assert_int_equal(convc_spec_file(g->spec, 0) != NULL, strstr(w->on, ".lua") != NULL);
    convc_spec_free(g->spec);
}

/* ---- kernels --------------------------------------------------------------------------------- */

static enum convc_status compile(void *ground, const struct walk *w)
{
    struct ground *g = ground;
    return convc_compile(g->cx, g->answer.p, NULL, &g->k);
}

static void check_kernel(void *ground, const struct walk *w)
{
    struct ground *g = ground;
    struct convc_kernel_info info = { .struct_bytes = sizeof info };
    assert_int_equal(convc_kernel_info(g->k, &info), CONVC_OK);
    assert_int_not_equal(info.source, CONVC_FROM_REFERENCE);
    answer_check(&g->answer, g->k);
    convc_kernel_release(g->k);
    g->k = NULL;
}

/* A full cache directory, and a context that has loaded nothing from it. */
static void with_full_cache(void *ground, const struct walk *w)
{
    ground_with_empty_cache(ground, w);
    assert_int_equal(compile(ground, w), CONVC_OK);
    check_kernel(ground, w);
    ground_destroy(ground, w);
    ground_create(ground, 0, NULL);
}

static void with_kernel(void *ground, const struct walk *w)
{
    ground_with_context(ground, w);
    assert_int_equal(compile(ground, w), CONVC_OK);
}

static void without_kernel(void *ground, const struct walk *w)
{
    struct ground *g = ground;
    convc_kernel_release(g->k);
    ground_destroy(ground, w);
}

/* Once a kernel is there it is found, asked and run without any memory. */
static enum convc_status use_kernel(void *ground, const struct walk *w)
{
    struct ground *g = ground;
    convc_kernel *same;
    enum convc_status st = convc_compile(g->cx, g->answer.p, NULL, &same);
    if (st != CONVC_OK)
        return st;
    assert_ptr_equal(same, g->k);
    convc_kernel_retain(same);
    convc_kernel_release(same);
    struct convc_context_stats stats = { .struct_bytes = sizeof stats };
    assert_int_equal(convc_context_stats(g->cx, &stats), CONVC_OK);
    assert_true(convc_kernel_items(same, 0, g->answer.n) > 0);
    answer_check(&g->answer, same);
    convc_kernel_release(same);
    assert_string_not_equal(convc_status_string(CONVC_OK), convc_last_error());
    return CONVC_OK;
}

static enum convc_status run_layer(void *ground, const struct walk *w)
{
    struct ground *g = ground;
    convc_layer *layer;
    enum convc_status st = convc_layer_create(g->cx, g->answer.p, g->answer.wei, NULL, &layer);
    if (st != CONVC_OK)
        return st;
    st = convc_layer_wait(layer, 600);
    if (st == CONVC_OK) {
        convc_kernel_retain(g->k = convc_layer_kernel(layer));
        assert_int_equal(convc_layer_state(layer), CONVC_LAYER_READY);
    }
    convc_layer_destroy(layer);
    return st;
}

static void with_layer(void *ground, const struct walk *w)
{
    struct ground *g = ground;
    ground_with_context(g, w);
    assert_int_equal(convc_layer_create(g->cx, g->answer.p, g->answer.wei, NULL, &g->layer),
                     CONVC_OK);
    assert_int_equal(convc_layer_wait(g->layer, 600), CONVC_OK);
}

static void without_layer(void *ground, const struct walk *w)
{
    struct ground *g = ground;
    convc_layer_destroy(g->layer);
    ground_destroy(g, w);
}

static enum convc_status use_layer(void *ground, const struct walk *w)
{
    struct ground *g = ground;
    struct convc_args args = answer_args(&g->answer);
    char workspace[1 << 16] __attribute__((aligned(64)));
    assert_true(convc_layer_workspace_bytes(g->layer, args.n, 0) <= sizeof workspace);
    args.workspace = workspace;
    assert_int_equal(convc_layer_cancel(g->layer), 0);
    return convc_layer_run(g->layer, &args);
}

static enum convc_status refer(void *ground, const struct walk *w)
{
    struct ground *g = ground;
    struct convc_args args = answer_args(&g->answer);
    const int64_t index = 3;
    enum convc_status st = convc_reference(g->answer.p, &args);
    if (st == CONVC_OK)
        st = convc_reference_at(g->answer.p, &args, &index, 1, &g->number);
    if (st == CONVC_OK && g->answer.p->window)
        st = convc_reference_error_at(g->answer.p, &args, &index, 1, &g->number);
    return st;
}

/* ---- texts ----------------------------------------------------------------------------------- */

static enum convc_status list_plans(void *ground, const struct walk *w)
{
    struct ground *g = ground;
    return convc_plans(g->cx, g->answer.p, &g->text);
}

static enum convc_status explain(void *ground, const struct walk *w)
{
    struct ground *g = ground;
    return convc_explain(g->cx, g->answer.p, NULL,
                         CONVC_SHOW_PROBLEM | CONVC_SHOW_PLAN | CONVC_SHOW_IR | CONVC_SHOW_ASM,
                         &g->text);
}

static enum convc_status list_space(void *ground, const struct walk *w)
{
    struct ground *g = ground;
    return convc_tune_space(g->cx, g->answer.p, 0, 2, &g->text);
}

static enum convc_status find_best(void *ground, const struct walk *w)
{
    struct ground *g = ground;
    return convc_tuning_best(g->cx, g->answer.p, &g->text);
}

/* Without memory there may be none. */
static void check_best(void *ground, const struct walk *w)
{
    struct ground *g = ground;
    convc_text_free(g->text);
}

/* ---- the disk cache -------------------------------------------------------------------------- */

static int count_entry(void *data, const struct convc_cache_entry *e)
{
    (void)e;
    ++*(int64_t *)data;
    return 0;
}

static enum convc_status look_at_cache(void *ground, const struct walk *w)
{
    struct ground *g = ground;
    enum convc_status st = convc_cache_visit(g->cx, count_entry, &g->count);
    if (st == CONVC_OK)
        st = convc_cache_prune(g->cx, NULL);
    return st == CONVC_OK ? convc_cache_clear(g->cx, &g->count) : st;
}

/* ---- static kernels -------------------------------------------------------------------------- */

static const struct convc_emit_options emit_options = { .struct_bytes = sizeof emit_options,
                                                        .target = "znver4,skylake-avx512" };

static enum convc_status emit(void *ground, const struct walk *w)
{
    struct ground *g = ground;
    struct convc_emit_options opt = emit_options;
    opt.form = (enum convc_form)w->form;
    if (opt.form == CONVC_FORM_OBJECT) {
        opt.target = "znver4";
        opt.optimize = long_run() ? CONVC_OPTIMIZE_SIZE : CONVC_OPTIMIZE_SPEED;
    }
    return convc_emit(g->answer.p, 1, &opt, &g->text, &g->size);
}

static enum convc_status emit_twice(void *ground, const struct walk *w)
{
    struct ground *g = ground;
    enum convc_status st = convc_emission_create(g->answer.p, 1, &emit_options, &g->emission);
    if (st != CONVC_OK)
        return st;
    st = convc_emission_file(g->emission, CONVC_FORM_LIBRARY, 0, 0, &g->text, &g->size);
    if (st == CONVC_OK) {
        convc_text_free(g->text);
        st = convc_emission_file(g->emission, CONVC_FORM_OBJECT, 0, 1, &g->text, &g->size);
    }
    convc_emission_destroy(g->emission);
    return st;
}

/* ---- the machine ----------------------------------------------------------------------------- */

static enum convc_status measure_peak(void *ground, const struct walk *w)
{
    struct ground *g = ground;
    return convc_measure_peak(g->cx, CONVC_F32, 1, 0, &g->number);
}

static enum convc_status measure_ceilings(void *ground, const struct walk *w)
{
    struct ground *g = ground;
    struct convc_ceilings c = { .struct_bytes = sizeof c };
    enum convc_status st = convc_measure_ceilings(g->cx, 0, &c);
    return st == CONVC_OK ? convc_calibrate(g->cx, 0, &c) : st;
}

/* Problems for each algorithm, and for each way that a plan is made. */
static const char direct[] = "mb2ic3ih7oc5kh3ph1;bias", winograd[] = "ic16ih12oc16kh3ph1;bias",
                  constant[] = "ic2ih7oc1kh3ph1;weights=1,2,3,4,5,6,7,8,9,9,8,7,6,5,4,3,2,1",
                  stencil[] =
                      "ic1ih9iw40oc1kh3kw3ph1pw1;mode=symmetric;weights=-1,0,1,-2,0,2,-1,0,1",
                  fixed[] = "ic1ih9iw70oc1kh3kw3ph1pw1;mode=symmetric;dtype=u8:f32:u8;"
                            "weights=0.0625,0.125,0.0625,0.125,0.25,0.125,0.0625,0.125,0.0625",
                  window[] = "g3ic3ih8iw20oc3kh2kw2;dtype=u8:f32:u8;"
                             "window=max(min(x(0,0),x(1,1)),min(x(0,1),x(1,0)))",
                  function[] = "ic4ih6oc3kh3ph1;combine=abs(sub(x,w));epilogue=mul(acc,2)";

static const char lua[] =
    "return convc.conv { input = { 1, 2, 5, convc.param('W', 5) }, out_channels = 2, "
    "kernel_size = 3, groups = 2, window = function(x) return convc.max(x(0, 0), x(1, 1)) end }";

static const struct walk rows[] = {
    { "convc_context_create convc_context_destroy convc_context_target convc_cache_directory", NULL,
      0, 100, NULL, ground_make_context, ground_check_context, NULL },
    { "convc_problem_check convc_problem_output convc_problem_src convc_problem_dst "
      "convc_problem_wei convc_problem_text convc_emit_name convc_text_free",
      function, 0, 100, NULL, ask_problem, check_text, NULL },
    { "convc_spec_load convc_spec_count convc_spec_problem convc_spec_weights convc_spec_file "
      "convc_spec_free",
      direct, 0, 100, NULL, load_spec, check_spec, NULL },
    { "convc_spec_load", lua, 0, 3000, NULL, load_spec, check_spec, NULL },
    { "convc_spec_load", CONVC_SOURCE_DIR "/specs/filters/gaussian_u8.lua", 0, 4000, NULL,
      load_spec, check_spec, NULL },
    { "convc_compile", direct, 0, 2000, ground_with_context, compile, check_kernel,
      ground_destroy },
    { "convc_compile", winograd, 0, 2000, ground_with_context, compile, check_kernel,
      ground_destroy },
    { "convc_compile", constant, 0, 2000, ground_with_context, compile, check_kernel,
      ground_destroy },
    { "convc_compile", stencil, 0, 2000, ground_with_context, compile, check_kernel,
      ground_destroy },
    { "convc_compile", fixed, 0, 2000, ground_with_context, compile, check_kernel, ground_destroy },
    { "convc_compile", window, 0, 2000, ground_with_context, compile, check_kernel,
      ground_destroy },
    { "convc_compile", function, 0, 2000, ground_with_context, compile, check_kernel,
      ground_destroy },
    { "convc_compile", direct, 1, 300, ground_with_empty_cache, compile, check_kernel,
      ground_destroy },
    { "convc_compile", direct, 2, 300, with_full_cache, compile, check_kernel, ground_destroy },
    { "convc_compile", direct, 3, 300, ground_with_database, compile, check_kernel,
      ground_destroy },
    { "convc_kernel_retain convc_kernel_release convc_kernel_info convc_kernel_items "
      "convc_packed_bytes convc_pack convc_workspace_bytes convc_run convc_status_string "
      "convc_last_error convc_context_stats",
      direct, 0, 0, with_kernel, use_kernel, NULL, without_kernel },
    { "convc_kernel_info", fixed, 0, 0, with_kernel, use_kernel, NULL, without_kernel },
    { "convc_layer_create convc_layer_wait convc_layer_state convc_layer_kernel "
      "convc_layer_destroy",
      direct, 0, 300, ground_with_context, run_layer, check_kernel, ground_destroy },
    { "convc_layer_run convc_layer_workspace_bytes convc_layer_cancel", direct, 0, 0, with_layer,
      use_layer, NULL, without_layer },
    { "convc_reference convc_reference_at", direct, 0, 0, NULL, refer, NULL, NULL },
    { "convc_reference_error_at", window, 0, 0, NULL, refer, NULL, NULL },
    { "convc_plans", direct, 0, 300, ground_with_context, list_plans, check_text, ground_destroy },
    { "convc_explain", winograd, 0, 300, ground_with_context, explain, check_text, ground_destroy },
    { "convc_tune_space", direct, 0, 300, ground_with_context, list_space, check_text,
      ground_destroy },
    { "convc_cache_visit convc_cache_prune convc_cache_clear", direct, 0, 100, with_full_cache,
      look_at_cache, NULL, ground_destroy },
    { "convc_emit", direct, CONVC_FORM_OBJECT, 300, NULL, emit, check_text, NULL },
    { "convc_emit", direct, CONVC_FORM_ASM, 300, NULL, emit, check_text, NULL },
    { "convc_emit", direct, CONVC_FORM_IR, 300, NULL, emit, check_text, NULL },
    { "convc_emit", direct, CONVC_FORM_BITCODE, 300, NULL, emit, check_text, NULL },
    { "convc_emit", direct, CONVC_FORM_HEADER, 300, NULL, emit, check_text, NULL },
    { "convc_emit", direct, CONVC_FORM_LIBRARY, 300, NULL, emit, check_text, NULL },
    { "convc_emission_create convc_emission_file convc_emission_destroy", stencil, 0, 2000, NULL,
      emit_twice, check_text, NULL },
    { "convc_measure_peak", NULL, 0, 100, ground_with_context, measure_peak, NULL, ground_destroy },
    { "convc_measure_ceilings convc_calibrate", NULL, 0, 100, ground_with_empty_cache,
      measure_ceilings, NULL, ground_destroy },
    { "convc_tune", direct, 0, 1000, ground_with_new_database, ground_tune, NULL, ground_destroy },
    { "convc_tuning_best", direct, 0, 300, ground_with_database, find_best, check_best,
      ground_destroy },
    { "convc_tuning_visit convc_tuning_summaries convc_tuning_merge convc_tuning_export "
      "convc_tuning_import",
      direct, 0, 300, ground_without_other_database, ground_read_database, ground_check_database,
      ground_close_text },
};

/* Problems are those of the row; a spec is loaded by the row itself. */
static void every_call_lives_without_memory(void **state)
{
    const char *only = getenv("CONVC_TEST_ONLY");
    struct ground *g = &ground_of_all;
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct walk *w = &rows[i];
        if ((only && !strstr(w->names, only)) || (w->call == measure_ceilings && !long_run()))
            continue;
        answer_init(&g->answer, w->on && w->call != load_spec ? w->on : direct);
        walk(w, g);
        answer_free(&g->answer);
    }
}

/* The first and the last have nothing to do with memory. */
static bool walked(const char *name)
{
    size_t length = strlen(name);
    static const char *const others[] = { "convc_problem_init", "convc_set_allocator",
                                          "convc_llvm_fault" };
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        if (!strcmp(name, others[i]))
            return true;
    }
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        for (const char *at = rows[i].names; (at = strstr(at, name)); at += length) {
            if (at[length] == '\0' || at[length] == ' ')
                return true;
        }
    }
    return false;
}

/* The name in front of the first '(' behind "CONVC_API". */
static void no_public_call_is_forgotten(void **state)
{
    static const char *const headers[] = { "convc", "tuning", "layer" };
    int64_t found = 0;
    (void)state;
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++) {
        char path[300], name[100];
        snprintf(path, sizeof path, "%s/runtime/include/convc/%s.h", CONVC_SOURCE_DIR, headers[i]);
        char *text = test_file_read(path, NULL);
        assert_non_null(text);
        for (const char *at = text; (at = strstr(at, "\nCONVC_API ")); at++) {
            const char *end = strchr(at, '('), *begin = end;
            while (begin[-1] == '_' || (begin[-1] >= 'a' && begin[-1] <= 'z'))
                begin--;
            snprintf(name, sizeof name, "%.*s", (int)(end - begin), begin);
            if (!walked(name))
                fail_msg("%s is in no row", name);
            found++;
        }
        free(text);
    }
    assert_true(found > 50);
}

static void the_allocator_is_settled_by_the_first_allocation(void **state)
{
    struct convc_allocator a = { .struct_bytes = sizeof a };
    (void)state;
    assert_int_equal(convc_set_allocator(&a), CONVC_ERR_ARGUMENT);
    assert_string_equal(convc_last_error(),
                        "convc_allocator: allocate, reallocate and release must be given");
    assert_int_equal(convc_set_allocator(NULL), CONVC_ERR_ARGUMENT);
    assert_non_null(strstr(convc_last_error(), "before any other call"));
}

/* A database with a measurement in it, and LLVM's target machines for other CPUs in the places
 * where they are kept, so that each compile makes one. */
static int ground_init(void **state)
{
    static const char *const other[] = { "haswell", "skylake", "znver1", "znver2" };
    struct ground *g = &ground_of_all;
    char *text;
    size_t size;
    (void)state;
    setenv("FAKE_MILLISECONDS", "0", 1);
    test_dir_create(&g->dir);
    test_dir_path(&g->dir, "cache", g->cache, sizeof g->cache);
    test_dir_path(&g->dir, "db", g->db, sizeof g->db);
    test_dir_path(&g->dir, "other", g->other_db, sizeof g->other_db);
    answer_init(&g->answer, direct);
    ground_create(g, CONVC_NO_DISK_CACHE | CONVC_NEW_TUNING_DB, g->db);
    assert_int_equal(ground_tune(g, NULL), CONVC_OK);
    ground_destroy(g, NULL);
    for (int i = 0; i < 4; i++) {
        const struct convc_emit_options opt = { .struct_bytes = sizeof opt, .target = other[i] };
        assert_int_equal(convc_emit(g->answer.p, 1, &opt, &text, &size), CONVC_OK);
        convc_text_free(text);
    }
    answer_free(&g->answer);
    return 0;
}

static int ground_free(void **state)
{
    (void)state;
    test_dir_remove(&ground_of_all.dir);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_public_call_is_forgotten),
        cmocka_unit_test(the_allocator_is_settled_by_the_first_allocation),
        cmocka_unit_test_teardown(every_call_lives_without_memory, walk_stopped),
    };
    scarce_install();
    return cmocka_run_group_tests(tests, ground_init, ground_free);
}
