#include "runtime/cli/meter.h"

#include "runtime/cli/execution.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { BAR = 20, COLUMNS_MOST = 250, COLUMNS_USUAL = 80 };

static const double redraw_seconds = 0.1;

void meter_begin(struct meter *m)
{
    struct winsize w;
    const char *kind = getenv("TERM");
    *m = (struct meter){ .on = isatty(2) && (!kind || strcmp(kind, "dumb")),
                         .columns = COLUMNS_USUAL };
    if (!ioctl(2, TIOCGWINSZ, &w) && w.ws_col)
        m->columns = w.ws_col < COLUMNS_MOST ? w.ws_col : COLUMNS_MOST;
}

/* "1:02:03", "2:03", or nothing. */
static void print_time(double seconds, char *to, size_t size)
{
    long s = isfinite(seconds) && seconds < 1e8 ? lround(seconds) : -1;
    if (s < 0)
        snprintf(to, size, "-:--");
    else if (s < 3600)
        snprintf(to, size, "%ld:%02ld", s / 60, s % 60);
    else
        snprintf(to, size, "%ld:%02ld:%02ld", s / 3600, s / 60 % 60, s % 60);
}

void meter_show(struct meter *m, double share, double seconds_left, const char *format, ...)
{
    char bar[BAR + 1], left[32], text[256];
    double now = seconds_now();
    va_list rest;
    if (!m->on || now - m->drawn < redraw_seconds)
        return;
    m->drawn = now;
    int full = (int)(fmin(fmax(share, 0), 1) * BAR);
    for (int i = 0; i < BAR; i++)
        bar[i] = i < full ? '#' : '.';
    bar[BAR] = '\0';
    print_time(seconds_left, left, sizeof left);
    va_start(rest, format);
    vsnprintf(text, sizeof text, format, rest);
    va_end(rest);
    char line[sizeof bar + sizeof left + sizeof text + 16];
    snprintf(line, sizeof line, "[%s] %3.0f%% %s left  %s", bar, 100 * share, left, text);
    fprintf(stderr, "\r%.*s\033[K", m->columns - 1, line);
    fflush(stderr);
}

void meter_wipe(struct meter *m)
{
    if (m->on && m->drawn > 0)
        fputs("\r\033[K", stderr);
    m->drawn = 0;
}
