#include "tests/support/walk.h"

#include "tests/support/support.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* One go: what fails, and where we are, for messages. */
struct go {
    const struct walk *w;
    void *ground;
    enum scarce_side side;
    int64_t n; /* 0: nothing fails */
    bool on;
};

static const struct go *under_way; /* NULL: none */

int walk_stopped(void **state)
{
    const struct go *g = under_way;
    (void)state;
    if (g)
        print_error("%s, on %s: where allocation %lld of %s failed%s\n", g->w->names,
                    g->w->on ? g->w->on : "nothing", (long long)g->n,
                    g->side == SCARCE_CONVC ? "convc" : "SQLite", g->on ? ", and all behind" : "");
    return 0;
}

static void call_in_plenty(const struct go *g)
{
    enum convc_status st = g->w->call(g->ground, g->w);
    if (st != CONVC_OK)
        fail_msg("with enough memory: %d, %s", (int)st, convc_last_error());
    if (g->w->check)
        g->w->check(g->ground, g->w);
}

/* Allocations that the call made until it returned. */
static int64_t run(const struct go *g)
{
    const struct walk *w = g->w;
    int64_t live[SCARCE_SIDES];
    if (w->before)
        w->before(g->ground, w);
    for (int side = 0; side < SCARCE_SIDES; side++)
        live[side] = scarce_live((enum scarce_side)side);
    scarce_arm(g->side, g->n, g->on);
    enum convc_status st = w->call(g->ground, w);
    int64_t taken = scarce_disarm(g->side);
    bool failed = g->n && taken >= g->n;
    if (st != CONVC_OK && !(failed && st == CONVC_ERR_MEMORY))
        fail_msg("%d, %s", (int)st, convc_last_error());
    if (st != CONVC_OK && strcmp(convc_last_error(), "out of memory") != 0 &&
        !strstr(convc_last_error(), ": out of memory"))
        fail_msg("out of memory says \"%s\"", convc_last_error());
    if (st != CONVC_OK && !w->after && scarce_live(SCARCE_CONVC) != live[SCARCE_CONVC])
        fail_msg("%lld blocks are left",
                 (long long)(scarce_live(SCARCE_CONVC) - live[SCARCE_CONVC]));
    if (st == CONVC_OK && w->check)
        w->check(g->ground, w);
    call_in_plenty(g);
    if (w->after)
        w->after(g->ground, w);
    return taken;
}

/* The same with what lived before and after compared. */
static int64_t go(const struct go *g)
{
    int64_t live[SCARCE_SIDES];
    for (int side = 0; side < SCARCE_SIDES; side++)
        live[side] = scarce_live((enum scarce_side)side);
    int64_t taken = run(g);
    for (int i = 0; i < 5000 && scarce_live(SCARCE_CONVC) != live[SCARCE_CONVC]; i++)
        usleep(1000); /* a thread of convc's may be about to end */
    for (int side = 0; side < SCARCE_SIDES; side++) {
        int64_t more = scarce_live((enum scarce_side)side) - live[side];
        if (more)
            fail_msg("%lld blocks of %s are left in the end", (long long)more,
                     side == SCARCE_CONVC ? "convc" : "SQLite");
    }
    return taken;
}

/* The first allocations all fail in turn, of many more some: all under a CONVC_TEST_SCALE of 30000.
 */
static int64_t next(int64_t n, int64_t total)
{
    int64_t most = test_count(10);
    return n < 6 ? n + 1 : n + total / most + 1;
}

void walk(const struct walk *w, void *ground)
{
    static struct go g; /* walk_stopped reads it when this function is gone */
    g = (struct go){ .w = w, .ground = ground };
    under_way = &g;
    int64_t total[SCARCE_SIDES], goes = 0;
    run(&g); /* what stays for good is made now */
    for (int side = 0; side < SCARCE_SIDES; side++) {
        g.side = (enum scarce_side)side;
        g.n = 0;
        total[side] = go(&g);
        for (g.on = false;; g.on = true) {
            for (g.n = 1; go(&g) >= g.n; g.n = next(g.n, total[side]))
                goes++;
            if (g.on)
                break;
        }
        g.on = false;
    }
    print_message("%.60s%s%.60s: %lld allocations, %lld of SQLite; %lld goes\n", w->names,
                  w->on ? ", " : "", w->on ? w->on : "", (long long)total[SCARCE_CONVC],
                  (long long)total[SCARCE_SQLITE], (long long)goes);
    if ((total[SCARCE_CONVC] > 0) != (w->most > 0) || total[SCARCE_CONVC] > w->most)
        fail_msg("%lld allocations, not up to %lld", (long long)total[SCARCE_CONVC],
                 (long long)w->most);
    under_way = NULL;
}
