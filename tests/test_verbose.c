/* CONVC_VERBOSE: a line for everything that was asked for, which a reader of CSV understands, and
 * nothing where nothing was asked for. Each fact in a child, which reads the environment anew. */
#include "tests/support/layer.h"
#include "tests/support/support.h"

#include <convc/layer.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* ---- the ground ------------------------------------------------------------------------------ */

enum { SAID_MAX = 1 << 20, FIELDS = 10, LINES = 4096 };

/* What a child said on standard error, NUL-terminated, with CONVC_VERBOSE as given. */
static char *run_child(const char *verbose, const char *timestamps, void (*body)(void))
{
    char *said = calloc(1, SAID_MAX);
    size_t count = 0;
    int status, end[2];
    assert_int_equal(pipe(end), 0);
    pid_t child = fork();
    if (child == 0) {
        alarm(120);
        dup2(end[1], 2);
        close(end[0]);
        setenv("CONVC_VERBOSE", verbose, 1);
        setenv("CONVC_VERBOSE_TIME", timestamps, 1);
        body();
        _exit(0);
    }
    close(end[1]);
    for (ssize_t n; (n = read(end[0], said + count, SAID_MAX - 1 - count)) > 0;)
        count += (size_t)n;
    close(end[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    return said;
}

/* One line, its fields freed of their quotes, in place. */
struct line {
    int fields;
    char *field[FIELDS + 2];
};

static char *read_field(char *from, char **next)
{
    bool quoted = *from == '"';
    char *to = from, *at = from + quoted;
    for (; *at && (quoted || (*at != ',' && *at != '\n')); at++) {
        if (quoted && *at == '"' && at[1] != '"')
            break;
        at += quoted && *at == '"';
        *to++ = *at;
    }
    at += quoted;
    *next = at;
    return to;
}

static int read_lines(char *said, struct line *line)
{
    int count = 0;
    for (char *at = said; *at && count < LINES; count++) {
        struct line *l = &line[count];
        for (l->fields = 0;;) {
            char *next;
            l->field[l->fields++] = at;
            char *end = read_field(at, &next), after = *next;
            *end = '\0';
            at = next + (after != '\0');
            if (after != ',' || l->fields == FIELDS + 2)
                break;
        }
    }
    return count;
}

/* Lines of a stage; every line must be ours, and have the fields that the template promises. */
static int count_stage(const struct line *line, int count, const char *stage)
{
    int found = 0;
    for (int i = 0; i < count; i++) {
        assert_string_equal(line[i].field[0], "convc_verbose");
        assert_string_equal(line[i].field[1], "v1");
        if (strcmp(line[i].field[2], "info") != 0)
            assert_int_equal(line[i].fields, FIELDS);
        found += !strcmp(line[i].field[2], stage);
    }
    return found;
}

static const struct line *find_stage(const struct line *line, int count, const char *stage)
{
    for (int i = 0; i < count; i++) {
        if (!strcmp(line[i].field[2], stage))
            return &line[i];
    }
    fail_msg("there is no line of %s", stage);
    return NULL;
}

static convc_context *make_context(void)
{
    convc_context *cx = NULL;
    const struct convc_context_options opt = { .struct_bytes = sizeof opt,
                                               .threads = 1,
                                               .flags = CONVC_NO_DISK_CACHE };
    if (convc_context_create(&opt, &cx) != CONVC_OK)
        _exit(1);
    return cx;
}

/* One problem with a function, whose text has commas: made, found, run twice; and one refusal. */
static void work(void)
{
    struct layer l;
    struct convc_problem p;
    convc_context *cx = make_context();
    layer_problem(&p, 3, 4, 5, 6);
    p.bias = p.residual = 0;
    p.combine = "abs(sub(x,w))";
    layer_init(&l, &p, 2);
    for (int i = 0; i < 2; i++) {
        convc_kernel *k = layer_compile(cx, &l, NULL);
        layer_check(&l, k);
        convc_kernel_release(k);
    }
    p.groups = 2;
    if (convc_problem_check(&p) == CONVC_OK)
        _exit(1);
}

/* ---- facts ----------------------------------------------------------------------------------- */

static void each_stage_has_its_lines(void **state)
{
    (void)state;
    static struct line line[LINES];
    char *said = run_child("all", "0", work);
    int count = read_lines(said, line);
    assert_int_equal(count_stage(line, count, "info"), 3);
    assert_int_equal(count_stage(line, count, "dispatch"), 1);
    assert_int_equal(count_stage(line, count, "compile"), 2);
    assert_int_equal(count_stage(line, count, "exec"), 2);
    assert_int_equal(count_stage(line, count, "check"), 1);
    const struct line *exec = find_stage(line, count, "exec");
    assert_string_equal(exec->field[3], "kernel");
    assert_string_equal(exec->field[4], "direct");
    assert_int_equal(strncmp(exec->field[5], "direct ", 7), 0);
    assert_string_equal(exec->field[6], "2");
    assert_string_equal(exec->field[7], "");
    assert_non_null(strstr(exec->field[8], "combine=abs(sub(x,w))"));
    assert_true(strtod(exec->field[9], NULL) > 0);
    const struct line *made = find_stage(line, count, "compile");
    assert_string_equal(made->field[3], "compiled");
    assert_string_equal(made[1].field[2], "exec"); /* in the order of what happened */
    assert_string_equal(find_stage(line, count, "dispatch")->field[3], "modelled");
    const struct line *check = find_stage(line, count, "check");
    assert_string_equal(check->field[3], "bad shape");
    assert_non_null(strstr(check->field[7], "groups=2"));
    free(said);
}

static void only_what_is_asked_for_is_told(void **state)
{
    (void)state;
    static struct line line[LINES];
    static const char *const stage[] = { "check", "dispatch", "compile", "exec" };
    for (int i = 0; i < 4; i++) {
        char *said = run_child(stage[i], "0", work);
        int count = read_lines(said, line);
        for (int j = 0; j < 4; j++)
            assert_int_equal(count_stage(line, count, stage[j]) > 0, i == j);
        free(said);
    }
    for (int i = 0; i < 3; i++) {
        static const char *const silent[] = { "", "none", "0" };
        char *said = run_child(silent[i], "0", work);
        assert_string_equal(said, "");
        free(said);
    }
}

static void words_add_up_and_strange_ones_are_named(void **state)
{
    (void)state;
    static struct line line[LINES];
    char *said = run_child("exec,nonsense,compile", "0", work);
    assert_non_null(strstr(said, "CONVC_VERBOSE: \"nonsense\" is no word that it knows\n"));
    int count = read_lines(said, line);
    assert_int_equal(count_stage(line, count, "compile"), 2);
    assert_int_equal(count_stage(line, count, "exec"), 2);
    assert_int_equal(count_stage(line, count, "check"), 0);
    free(said);
}

static void timestamps_go_behind_the_version(void **state)
{
    (void)state;
    char *said = run_child("exec", "1", work), *at = said;
    double before = 0;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(strncmp(at, "convc_verbose,v1,", 17), 0);
        double ms = strtod(at + 17, NULL);
        assert_true(ms >= before && ms > 1.6e12);
        before = ms;
        at = strchr(at, '\n') + 1;
    }
    free(said);
}

/* A layer that finds what convc_compile made. */
static void work_in_a_layer(void)
{
    struct layer l;
    convc_layer *layer;
    convc_context *cx = make_context();
    layer_make(&l, 3, 4, 5, 6, 1);
    convc_kernel_release(layer_compile(cx, &l, NULL));
    if (convc_layer_create(cx, &l.p, l.wei, NULL, &layer) != CONVC_OK)
        _exit(1);
}

static void what_a_layer_finds_is_told(void **state)
{
    (void)state;
    static struct line line[LINES];
    char *said = run_child("compile", "0", work_in_a_layer);
    int count = read_lines(said, line);
    assert_int_equal(count_stage(line, count, "compile"), 2);
    assert_string_equal(line[count - 1].field[3], "memory");
    free(said);
}

static void *run_often(void *kernel)
{
    struct layer l;
    layer_make(&l, 3, 4, 5, 6, 1);
    for (int i = 0; i < 50; i++)
        layer_check(&l, kernel);
    layer_free(&l);
    return NULL;
}

static void work_in_threads(void)
{
    pthread_t thread[8];
    struct layer l;
    layer_make(&l, 3, 4, 5, 6, 1);
    convc_kernel *k = layer_compile(make_context(), &l, NULL);
    for (int i = 0; i < 8; i++) {
        if (pthread_create(&thread[i], NULL, run_often, k) != 0)
            _exit(1);
    }
    for (int i = 0; i < 8; i++)
        pthread_join(thread[i], NULL);
}

static void lines_of_many_threads_do_not_mix(void **state)
{
    (void)state;
    static struct line line[LINES];
    char *said = run_child("exec", "0", work_in_threads);
    int count = read_lines(said, line);
    assert_int_equal(count_stage(line, count, "exec"), 400);
    free(said);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_stage_has_its_lines),
        cmocka_unit_test(only_what_is_asked_for_is_told),
        cmocka_unit_test(words_add_up_and_strange_ones_are_named),
        cmocka_unit_test(timestamps_go_behind_the_version),
        cmocka_unit_test(what_a_layer_finds_is_told),
        cmocka_unit_test(lines_of_many_threads_do_not_mix),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
