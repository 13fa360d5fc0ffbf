/* The taps of a window as variables. */
#include "gen/expr/expr.h"

#include <inttypes.h>

int64_t expr_window_taps(const struct expr_window *w)
{
    return w->extent[0] * w->extent[1] * w->extent[2];
}

/* The first coordinate that the window does not reach; as many as there are: none. */
static int outside(const struct expr_window *w, const int64_t *at, int count)
{
    int a = 0;
    while (a < count && at[a] >= 0 && at[a] < w->extent[3 - count + a])
        a++;
    return a;
}

int64_t expr_window_var(const struct expr_window *w, char which, const int64_t *at, int count,
                        struct diag *d)
{
    static const char *const taps[] = { "(i)", "(i,j)", "(d,i,j)" };
    int64_t tap = 0;
    if (count != w->axes) {
        diag_fail(d, CONVC_ERR_SPEC, "%c takes %d coordinate%s, %c%s, not %d", which, w->axes,
                  w->axes > 1 ? "s" : "", which, taps[w->axes - 1], count);
        return -1;
    }
    int a = outside(w, at, count);
    if (a < count) {
        diag_fail(d, CONVC_ERR_SPEC,
                  "coordinate %d of a tap of %c is %" PRId64 ", where the kernel has 0 to %" PRId64,
                  a + 1, which, at[a], w->extent[3 - count + a] - 1);
        return -1;
    }
    for (a = 0; a < count; a++)
        tap = tap * w->extent[3 - count + a] + at[a];
    return which == 'w' ? expr_window_taps(w) + tap : tap;
}

char expr_window_tap(const struct expr_window *w, int64_t var, int64_t at[3])
{
    int64_t taps = expr_window_taps(w), tap = var % taps;
    for (int a = 2; a >= 0; a--) {
        at[a] = tap % w->extent[a];
        tap /= w->extent[a];
    }
    return var < taps ? 'x' : 'w';
}
