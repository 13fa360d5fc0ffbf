#include "runtime/cli/tune_charts.h"

#include "runtime/cli/page.h"

#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- a plane --------------------------------------------------------------------------------- */

static const double width = 360, height = 250, left = 44, right = 10, top = 10, bottom = 38;

/* Both axes run between logarithms of ratios, or x counts. */
struct plane {
    FILE *out;
    double x_low, x_high, y_low, y_high;
    bool x_counts;
};

static double place_x(const struct plane *p, double v)
{
    double part = ((p->x_counts ? v : log(v)) - p->x_low) / (p->x_high - p->x_low);
    return left + fmin(fmax(part, 0), 1) * (width - left - right);
}

static double place_y(const struct plane *p, double v)
{
    double part = (log(v) - p->y_low) / (p->y_high - p->y_low);
    return height - bottom - fmin(fmax(part, 0), 1) * (height - top - bottom);
}

static void begin_plane(const struct plane *p, const char *title)
{
    fprintf(p->out, "<svg viewBox=\"0 0 %g %g\" role=\"img\" aria-label=\"%s\">\n", width, height,
            title);
}

static void draw_line(const struct plane *p, const char *class, double x0, double y0, double x1,
                      double y1)
{
    fprintf(p->out, "<line class=\"%s\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>\n", class,
            x0, y0, x1, y1);
}

static void draw_text(const struct plane *p, double x, double y, const char *anchor,
                      const char *text)
{
    fprintf(p->out, "<text class=\"tick\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">%s</text>\n", x,
            y, anchor, text);
}

/* Ratios at which lines are drawn, as many as stand apart. */
static void draw_ratios(const struct plane *p, bool across)
{
    static const double marks[] = {
        .125, .25, .5, .6, .7, .8, .9, 1, 1.1, 1.25, 1.5, 2, 3, 4, 8, 16
    };
    double last = across ? -1e9 : 1e9;
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
        char text[16];
        double l = log(marks[i]);
        if (l < (across ? p->x_low : p->y_low) || l > (across ? p->x_high : p->y_high))
            continue;
        double at = across ? place_x(p, marks[i]) : place_y(p, marks[i]);
        if (fabs(at - last) < (across ? 34 : 18))
            continue;
        last = at;
        snprintf(text, sizeof text, "%.3g", marks[i]);
        if (across) {
            draw_line(p, "grid", at, top, at, height - bottom);
            draw_text(p, at, height - bottom + 15, "middle", text);
        } else {
            draw_line(p, "grid", left, at, width - right, at);
            draw_text(p, left - 5, at + 4, "end", text);
        }
    }
}

static void draw_dot(const struct plane *p, const struct trial *t, const char *class, double x,
                     double y)
{
    fprintf(p->out, "<circle class=\"%s\" cx=\"%.1f\" cy=\"%.1f\" r=\"%d\" data-tip=\"", class, x,
            y, !strcmp(class, "point") ? 5 : 3);
    html_text(p->out, t->plan);
    fprintf(p->out, "\nmeasured %.3f (%.3f to %.3f), predicted %.3f\"/>\n", t->ratio, t->low,
            t->high, t->predicted);
}

/* Widens [low, high], logarithms, to hold a ratio; what is far off stands at the edge. */
static void hold(double ratio, double *low, double *high)
{
    double l = fmin(fmax(log(ratio), log(.2)), log(8));
    *low = fmin(*low, l);
    *high = fmax(*high, l);
}

/* ---- convergence ----------------------------------------------------------------------------- */

static void draw_steps(const struct plane *p, const struct evidence *e)
{
    fprintf(p->out, "<path class=\"steps\" d=\"M%.1f %.1f", left, place_y(p, 1));
    for (size_t i = 0; i < e->count; i++)
        fprintf(p->out, "H%.1fV%.1f", place_x(p, (double)i + 1), place_y(p, e->best[i]));
    fprintf(p->out, "H%.1f\"/>\n", width - right);
}

void draw_convergence(const struct evidence *e, FILE *out)
{
    struct plane p = { out, 0, (double)e->count + 1, log(.9), log(1.15), true };
    char text[32];
    for (size_t i = 0; i < e->count; i++)
        if (e->trial[i].outcome == CONVC_MEASURED)
            hold(e->trial[i].ratio, &p.y_low, &p.y_high);
    p.y_low -= .03, p.y_high += .03;
    begin_plane(&p, "time of every plan measured, in times of the cost model's plan");
    draw_ratios(&p, false);
    draw_line(&p, "one", left, place_y(&p, 1), width - right, place_y(&p, 1));
    for (size_t i = 0; i < e->count; i++) {
        double x = place_x(&p, (double)i + 1);
        if (e->trial[i].outcome == CONVC_MEASURED)
            draw_dot(&p, &e->trial[i], "other", x, place_y(&p, e->trial[i].ratio));
        else
            draw_line(&p, "failure", x, top, x, top + 10);
    }
    draw_steps(&p, e);
    snprintf(text, sizeof text, "%zu", e->count);
    draw_text(&p, place_x(&p, (double)e->count), height - bottom + 15, "end", text);
    draw_text(&p, left, height - bottom + 15, "start", "0");
    draw_text(&p, (left + width - right) / 2, height - 6, "middle", "measurements");
    fputs("</svg>\n", out);
}

/* ---- model against measurement --------------------------------------------------------------- */

void draw_model(const struct evidence *e, FILE *out)
{
    struct plane p = { out, log(.9), log(1.15), log(.9), log(1.15), false };
    for (size_t i = 0; i < e->known_count; i++) {
        if (e->known[i].outcome != CONVC_MEASURED)
            continue;
        hold(e->known[i].predicted, &p.x_low, &p.x_high);
        hold(e->known[i].ratio, &p.y_low, &p.y_high);
    }
    p.x_low -= .03, p.x_high += .03, p.y_low -= .03, p.y_high += .03;
    begin_plane(&p, "measured time against the cost model's prediction");
    draw_ratios(&p, true);
    draw_ratios(&p, false);
    double from = exp(fmax(p.x_low, p.y_low)), to = exp(fmin(p.x_high, p.y_high));
    draw_line(&p, "one", place_x(&p, from), place_y(&p, from), place_x(&p, to), place_y(&p, to));
    for (size_t i = 0; i < e->known_count; i++) {
        const struct trial *t = &e->known[i];
        if (t->outcome == CONVC_MEASURED && t != e->winner)
            draw_dot(&p, t, "other", place_x(&p, t->predicted), place_y(&p, t->ratio));
    }
    if (e->winner)
        draw_dot(&p, e->winner, "point", place_x(&p, e->winner->predicted),
                 place_y(&p, e->winner->ratio));
    draw_text(&p, (left + width - right) / 2, height - 6, "middle", "predicted");
    draw_text(&p, left + 4, top + 12, "start", "measured");
    fputs("</svg>\n", out);
}

/* ---- the landscape --------------------------------------------------------------------------- */

enum { TILES_MOST = 40, OTHERS_MOST = 10, KEY = 96 };

/* A plan's two keys, and its ratio. */
struct cell {
    char tile[KEY], other[KEY];
    const struct trial *trial;
};

/* The words of the second axis: how the computation is laid out, not how it is polished. */
static bool lays_out(const char *word, size_t length)
{
    static const char *const keys[] = { "lanes=", "order=", "f=", "unroll=", "chunk=" };
    if (!memchr(word, '=', length))
        return true;
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (!strncmp(word, keys[i], strlen(keys[i])))
            return true;
    return false;
}

static void add_key(char key[KEY], const char *word, size_t length)
{
    size_t used = strlen(key);
    snprintf(key + used, KEY - used, "%s%.*s", used ? " " : "", (int)length, word);
}

static void read_keys(struct cell *c)
{
    const char *plan = c->trial->plan;
    size_t length;
    for (const char *word; (word = evidence_word(&plan, &length));) {
        if (!strncmp(word, "tile=", 5))
            add_key(c->tile, word + 5, length - 5);
        else if (lays_out(word, length))
            add_key(c->other, word, length);
    }
}

static int fastest_first(const void *a, const void *b)
{
    double x = ((const struct cell *)a)->trial->ratio, y = ((const struct cell *)b)->trial->ratio;
    return (x > y) - (x < y);
}

static bool on_axis(const char *const axis[], size_t count, const char *key)
{
    for (size_t i = 0; i < count; i++)
        if (!strcmp(axis[i], key))
            return true;
    return false;
}

/* Axes: distinct keys, those of the fastest plans first. */
static size_t add_axis(const char *axis[], size_t count, size_t most, const char *key)
{
    if (count < most && !on_axis(axis, count, key))
        axis[count++] = key;
    return count;
}

/* Faster ones in one colour, slower ones in another, the more the further off. */
static void draw_cell(const struct cell *c, FILE *out)
{
    if (!c) {
        fputs("<td></td>", out);
        return;
    }
    double ratio = c->trial->ratio, far = fmin(fabs(log(ratio)) / log(2), 1);
    fprintf(out, "<td class=\"%s\" style=\"--far:%.0f%%\" data-tip=\"", ratio < 1 ? "won" : "lost",
            far * 70);
    html_text(out, c->trial->plan);
    fprintf(out, "\n%.3f (%.3f to %.3f)\">%.2f</td>", ratio, c->trial->low, c->trial->high, ratio);
}

static const struct cell *find_cell(const struct cell *c, size_t count, const char *tile,
                                    const char *other)
{
    for (size_t i = 0; i < count; i++)
        if (!strcmp(c[i].tile, tile) && !strcmp(c[i].other, other))
            return &c[i];
    return NULL;
}

/* Says what the axes have no room for. */
static void draw_rest(const struct cell *c, size_t count, const char *const tile[], size_t tiles,
                      const char *const other[], size_t others, FILE *out)
{
    size_t rest = 0;
    for (size_t i = 0; i < count; i++)
        rest += !on_axis(tile, tiles, c[i].tile) || !on_axis(other, others, c[i].other);
    if (rest)
        fprintf(out,
                "<p>Of %zu plans, %zu are left out: their tile is not among the %d, or their "
                "layout not among the %d, that have the fastest plans.</p>\n",
                count, rest, TILES_MOST, OTHERS_MOST);
}

static void draw_table(const struct cell *c, size_t count, FILE *out)
{
    const char *tile[TILES_MOST], *other[OTHERS_MOST];
    size_t tiles = 0, others = 0;
    for (size_t i = 0; i < count; i++) {
        tiles = add_axis(tile, tiles, TILES_MOST, c[i].tile);
        others = add_axis(other, others, OTHERS_MOST, c[i].other);
    }
    fputs("<div class=\"scroll\"><table class=\"heat\"><thead><tr><th class=\"l\">tile</th>", out);
    for (size_t j = 0; j < others; j++) {
        fputs("<th>", out);
        html_text(out, other[j]);
        fputs("</th>", out);
    }
    fputs("</tr></thead><tbody>\n", out);
    for (size_t i = 0; i < tiles; i++) {
        fputs("<tr><th class=\"l\">", out);
        html_text(out, tile[i][0] ? tile[i] : "none");
        fputs("</th>", out);
        for (size_t j = 0; j < others; j++)
            draw_cell(find_cell(c, count, tile[i], other[j]), out);
        fputs("</tr>\n", out);
    }
    fputs("</tbody></table></div>\n", out);
    draw_rest(c, count, tile, tiles, other, others, out);
}

enum convc_status draw_landscape(const struct evidence *e, FILE *out)
{
    size_t count = 0;
    struct cell *c = calloc(e->known_count + 1, sizeof *c);
    if (!c)
        return CONVC_ERR_MEMORY;
    for (size_t i = 0; i < e->known_count; i++)
        if (e->known[i].outcome == CONVC_MEASURED)
            c[count++].trial = &e->known[i];
    for (size_t i = 0; i < count; i++)
        read_keys(&c[i]);
    qsort(c, count, sizeof *c, fastest_first);
    draw_table(c, count, out);
    free(c);
    return CONVC_OK;
}
