/* bench_choice: how far the plan that the cost model chooses is from the best that there is.
 *
 *     bench_choice [-D NAME=VALUE] SPEC...        one thread; every plan of every distinct
 * convolution
 *
 * All plans that convc_plans lists are timed in turns, the worse half falling out again and again;
 * what is left is timed pair by pair against the chosen plan. A line per convolution:
 *
 *     chosen/best  plans  name  chosen plan -> best plan, where they differ
 *
 * and at the end how many convolutions are within 7 % of their best.
 */
#include <convc/convc.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* One pass over a contender takes at least this long; a duel has this many passes of each side. */
static const double pass_seconds = 1e-3;
enum { DUEL_PASSES = 31, FINALISTS = 3, CONTENDERS_MAX = 512 };

struct contender {
    const char *plan;
    convc_kernel *kernel;
    void *packed, *workspace;
    double best; /* seconds of a run */
};

struct subject {
    convc_context *cx;
    struct convc_problem problem;
    struct convc_args args;
    void *src, *wei, *bias, *residual, *dst;
    struct contender list[CONTENDERS_MAX];
    size_t count;
};

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void stop(const char *what)
{
    fprintf(stderr, "bench_choice: %s: %s\n", what, convc_last_error());
    exit(3);
}

/* ---- tensors --------------------------------------------------------------------------------- */

static void *filled(const struct convc_problem *p, int64_t elements)
{
    size_t bytes = (size_t)elements * (p->src_dtype == CONVC_F64 ? 8 : 4);
    void *t = aligned_alloc(64, (bytes + 127) / 64 * 64);
    if (!t)
        stop("out of memory");
    for (int64_t i = 0; i < elements; i++) {
        double v = (double)(i * 7919 % 1009) / 1009 - 0.5;
        if (p->src_dtype == CONVC_F64)
            ((double *)t)[i] = v;
        else
            ((float *)t)[i] = (float)v;
    }
    return t;
}

static void make_tensors(struct subject *s)
{
    const struct convc_problem *p = &s->problem;
    int64_t src, dst, wei;
    if (convc_problem_src(p, 1, NULL, &src) || convc_problem_dst(p, 1, NULL, &dst) ||
        convc_problem_wei(p, &wei))
        stop("problem");
    s->src = filled(p, src);
    s->dst = filled(p, dst);
    s->residual = filled(p, dst);
    s->wei = filled(p, wei);
    s->bias = filled(p, p->oc);
    s->args = (struct convc_args){ sizeof s->args, .src = s->src, .dst = s->dst, .n = 1 };
    s->args.bias = s->bias;
    s->args.residual = s->residual;
}

static void free_tensors(struct subject *s)
{
    free(s->src);
    free(s->dst);
    free(s->residual);
    free(s->wei);
    free(s->bias);
}

/* ---- contenders ------------------------------------------------------------------------------ */

static void *lines(size_t bytes)
{
    return bytes ? aligned_alloc(64, (bytes + 63) / 64 * 64) : NULL;
}

static void enter(struct subject *s, const char *plan)
{
    const struct convc_compile_options opt = { .struct_bytes = sizeof opt, .plan = plan };
    struct contender *c = &s->list[s->count];
    *c = (struct contender){ .plan = plan, .best = INFINITY };
    if (s->count == CONTENDERS_MAX)
        return;
    if (convc_compile(s->cx, &s->problem, &opt, &c->kernel))
        stop(plan);
    c->packed = lines(convc_packed_bytes(c->kernel));
    c->workspace = lines(convc_workspace_bytes(c->kernel, 1, 1));
    if (!c->packed || convc_pack(c->kernel, s->wei, c->packed))
        stop(plan);
    s->count++;
}

static void leave(struct contender *c)
{
    convc_kernel_release(c->kernel);
    free(c->packed);
    free(c->workspace);
}

/* Seconds of a run, the mean over a pass. */
static double pass(struct subject *s, struct contender *c)
{
    double start = now(), seconds;
    int64_t runs = 0;
    s->args.wei = c->packed;
    s->args.workspace = c->workspace;
    do {
        if (convc_run(c->kernel, &s->args))
            stop(c->plan);
        runs++;
        seconds = now() - start;
    } while (seconds < pass_seconds);
    return seconds / (double)runs;
}

static int faster(const void *a, const void *b)
{
    const struct contender *x = a, *y = b;
    return (x->best > y->best) - (x->best < y->best);
}

/* Rounds of passes, after each of which the worse half falls out. */
static void halve(struct subject *s)
{
    for (int passes = 2; s->count > FINALISTS; passes *= 2) {
        for (int i = 0; i < passes; i++) {
            for (size_t j = 0; j < s->count; j++)
                s->list[j].best = fmin(s->list[j].best, pass(s, &s->list[j]));
        }
        qsort(s->list, s->count, sizeof *s->list, faster);
        size_t keep = (s->count + 1) / 2;
        while (s->count > keep)
            leave(&s->list[--s->count]);
    }
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Median over pairs of passes of a's time by b's. */
static double duel(struct subject *s, struct contender *a, struct contender *b)
{
    double ratio[DUEL_PASSES];
    for (int i = 0; i < DUEL_PASSES; i++) {
        double first = pass(s, i & 1 ? b : a), second = pass(s, i & 1 ? a : b);
        ratio[i] = i & 1 ? second / first : first / second;
    }
    qsort(ratio, DUEL_PASSES, sizeof *ratio, ascending);
    return ratio[DUEL_PASSES / 2];
}

/* ---- a convolution --------------------------------------------------------------------------- */

/* Time of the chosen plan by that of the best. */
static double judge(convc_context *cx, const struct convc_problem *p)
{
    static struct subject s;
    struct contender chosen;
    char *text = NULL, *save = NULL;
    s = (struct subject){ .cx = cx, .problem = *p };
    make_tensors(&s);
    if (convc_plans(cx, p, &text))
        stop(p->name);
    for (char *plan = strtok_r(text, "\n", &save); plan; plan = strtok_r(NULL, "\n", &save))
        enter(&s, plan);
    size_t plans = s.count;
    enter(&s, s.list[0].plan);
    chosen = s.list[--s.count];
    halve(&s);
    double worst = 1;
    const char *best = chosen.plan;
    for (size_t i = 0; i < s.count; i++) {
        double ratio = strcmp(s.list[i].plan, chosen.plan) ? duel(&s, &chosen, &s.list[i]) : 1;
        if (ratio > worst)
            best = s.list[i].plan;
        worst = fmax(worst, ratio);
    }
    printf("%6.3f %4zu  %-24s %s", worst, plans, p->name, chosen.plan);
    printf(best == chosen.plan ? "\n" : " -> %s\n", best);
    fflush(stdout);
    leave(&chosen);
    while (s.count)
        leave(&s.list[--s.count]);
    free_tensors(&s);
    free(text);
    return worst;
}

static bool seen_before(const convc_spec *spec, size_t i)
{
    struct convc_problem p = *convc_spec_problem(spec, i);
    p.name[0] = '\0';
    for (size_t j = 0; j < i; j++) {
        struct convc_problem q = *convc_spec_problem(spec, j);
        q.name[0] = '\0';
        if (!memcmp(&p, &q, sizeof p))
            return true;
    }
    return false;
}

/* Every distinct convolution of a spec; `within` of `all` so far. */
static void judge_spec(convc_context *cx, const struct convc_spec_source *source, int *within,
                       int *all)
{
    convc_spec *spec;
    if (convc_spec_load(source, &spec))
        stop(source->path);
    for (size_t i = 0; i < convc_spec_count(spec); i++) {
        if (seen_before(spec, i))
            continue;
        *within += judge(cx, convc_spec_problem(spec, i)) <= 1.07;
        ++*all;
    }
    convc_spec_free(spec);
}

int main(int argc, char **argv)
{
    const struct convc_context_options opt = { .struct_bytes = sizeof opt, .threads = 1 };
    const char *define[16];
    size_t defines = 0;
    convc_context *cx;
    int within = 0, all = 0;
    if (argc < 2) {
        fprintf(stderr, "usage: bench_choice [-D NAME=VALUE] SPEC...\n");
        return 2;
    }
    if (convc_context_create(&opt, &cx))
        stop("context");
    for (int a = 1; a < argc; a++) {
        struct convc_spec_source source = { .struct_bytes = sizeof source, .path = argv[a] };
        if (!strcmp(argv[a], "-D") && a + 1 < argc && defines < 16) {
            define[defines++] = argv[++a];
            continue;
        }
        source.defines = define;
        source.define_count = defines;
        judge_spec(cx, &source, &within, &all);
    }
    printf("%d of %d within 7 %% of their best\n", within, all);
    convc_context_destroy(cx);
    return 0;
}
