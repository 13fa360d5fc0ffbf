#include "runtime/cli/check_random.h"

#include "runtime/cli/shrink.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { ATTEMPTS = 64, QUESTIONS = 1000 };

/* ---- drawing --------------------------------------------------------------------------------- */

static void draw(uint64_t seed, int64_t i, struct drawn *d)
{
    random_problem(seed, &d->problem);
    if (i % 4 == 3)
        random_functions(seed, &d->problem, &d->texts);
    if (i % 8 >= 6 && !d->problem.window)
        random_constants(seed, &d->problem, d->weights);
}

static size_t word_length(const char *plan)
{
    return strcspn(plan, " \n");
}

/* A line of `plans`, malloc'd: of an algorithm that is drawn first. */
static char *draw_line(const char *plans, uint64_t seed)
{
    const char *begin[16], *end;
    int count = 0;
    struct random r = { seed };
    for (const char *p = plans; *p && count < 16; p += strcspn(p, "\n"), p += *p == '\n') {
        int same = 0;
        while (same < count && (word_length(begin[same]) != word_length(p) ||
                                strncmp(begin[same], p, word_length(p)) != 0))
            same++;
        if (same == count)
            begin[count++] = p;
    }
    if (!count)
        return NULL;
    const char *algorithm = begin[random_below(&r, count)], *line = algorithm;
    int64_t lines = 0;
    for (const char *p = plans; *p; p = end + (*end == '\n')) {
        end = p + strcspn(p, "\n");
        bool same = word_length(p) == word_length(algorithm) &&
                    !strncmp(p, algorithm, word_length(algorithm));
        if (same && random_below(&r, ++lines) == 0)
            line = p;
    }
    return strndup(line, strcspn(line, "\n"));
}

/* A plan for the problem; NULL where it is to be the best one, or there is none. */
static char *draw_plan(const struct drawn *d, uint64_t seed)
{
    char *plans;
    if (random_at(seed, 4) % 2 || convc_plans(d->cx, &d->problem, &plans))
        return NULL;
    char *plan = draw_line(plans, random_at(seed, 5));
    convc_text_free(plans);
    return plan;
}

/* ---- checking -------------------------------------------------------------------------------- */

static struct trial trial_of(const struct random_check *c, convc_context *const *cx,
                             const char *plan)
{
    return (struct trial){ .o = c->o, .cx = cx, .cx_count = 1, .threads = 1, .plan = plan };
}

/* A failure that is to be met again. */
struct hunt {
    const struct random_check *c;
    convc_context *const *cx;
    const char *plan; /* NULL: the best */
    bool refused;
};

/* Does a smaller problem fail in the same way, by the same plan, or by its best one where that plan
 * does not fit? */
static bool fails(void *data, const struct convc_problem *p)
{
    const struct hunt *h = data;
    for (int best = h->plan && !h->refused ? 0 : 1; best < 2; best++) {
        struct failure f = { 0 };
        struct trial t = trial_of(h->c, h->cx, best ? NULL : h->plan);
        char *lines = NULL;
        enum exit_code code = trial_told(&t, p, &lines, &f);
        bool same = code == EXIT_FINE && t.failed && t.refused == h->refused;
        bool fits = !t.refused;
        free(lines);
        result_free(&t.result);
        if (same || (fits && !best))
            return same;
    }
    return false;
}

/* The lines of the least problem that fails as `d` does, in the place of those of `d`. */
static void shrink_drawn(struct random_check *c, struct drawn *d, const char *plan, bool refused,
                         int64_t i)
{
    struct shrink_room *room = malloc(sizeof *room);
    struct hunt h = { c, &d->cx, plan, refused };
    struct convc_problem least;
    if (!room || !fails(&h, &d->problem)) {
        free(room);
        return;
    }
    shrink(&d->problem, fails, &h, QUESTIONS, room, &least);
    for (int best = plan && !refused ? 0 : 1; best < 2; best++) {
        struct failure f = { 0 };
        struct trial t = trial_of(c, &d->cx, best ? NULL : plan);
        char *lines = NULL, *told = NULL;
        enum exit_code code = trial_told(&t, &least, &lines, &f);
        bool same = code == EXIT_FINE && t.failed && t.refused == refused;
        size_t length = lines ? strcspn(lines, "\n") : 0;
        if (same && asprintf(&told, "%.*s; shrunk from --random 1 --first %" PRId64 "\n",
                             (int)length, lines, i) > 0) {
            free(d->lines);
            d->lines = told;
        }
        free(lines);
        result_free(&t.result);
        if (same)
            break;
    }
    free(room);
}

/* Checks what was drawn. *telling: does it count? */
static enum exit_code check(struct random_check *c, uint64_t seed, int64_t i, struct drawn *d,
                            bool *telling, struct failure *f)
{
    char *own = c->o->plan || c->o->all_plans ? NULL : draw_plan(d, seed);
    struct trial t = trial_of(c, &d->cx, own ? own : c->o->plan);
    enum exit_code code = trial_told(&t, &d->problem, &d->lines, f);
    d->failed = t.failed;
    d->result = t.result;
    *telling = t.telling * TELLING >= 1;
    if (code == EXIT_FINE && t.failed && atomic_fetch_sub(&c->shrinks, 1) > 0) {
        const char *plan = t.result.plan && !t.refused ? t.result.plan : own;
        shrink_drawn(c, d, c->o->plan ? c->o->plan : plan, t.refused, i);
    }
    free(own);
    return code;
}

enum exit_code check_drawn(struct random_check *c, int64_t i, struct drawn *d, struct failure *f)
{
    enum exit_code code = EXIT_FINE;
    uint64_t first = random_at((uint64_t)c->o->seed, (uint64_t)i);
    bool telling = false;
    d->dull = 0;
    for (uint64_t attempt = 0; code == EXIT_FINE && attempt < ATTEMPTS; attempt++) {
        uint64_t seed = attempt ? random_at(first, 100 + attempt) : first;
        draw(seed, i, d);
        d->cx = c->cx[random_at(seed, 3) % c->cx_count];
        code = check(c, seed, i, d, &telling, f);
        if (code || d->failed || telling)
            return code;
        drawn_free(d);
        d->dull++;
    }
    return code ? code
                : fail(f, EXIT_SYSTEM, "problem %" PRId64 " of this seed cannot be drawn", i);
}

void drawn_free(struct drawn *d)
{
    free(d->lines);
    d->lines = NULL;
    result_free(&d->result);
}
