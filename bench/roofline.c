#include "bench/roofline.h"

#include "runtime/cli/element.h"
#include "runtime/cli/page.h"

#include <math.h>

double roofline_intensity(const struct convc_problem *p)
{
    int64_t out[3];
    if (convc_problem_output(p, out))
        return 0;
    double dst = (double)p->n * (double)p->oc, src = (double)p->n * (double)p->ic;
    double wei = (double)p->oc * (double)(p->ic / p->groups);
    for (int a = 0; a < 3; a++) {
        dst *= (double)out[a];
        src *= (double)p->in[a];
        wei *= (double)p->kernel[a];
    }
    double bytes = src * (double)element_bytes(p->src_dtype) +
                   wei * (double)element_bytes(p->wei_dtype) +
                   dst * (double)element_bytes(p->dst_dtype) * (p->residual ? 2 : 1);
    return problem_flops(p) / bytes;
}

/* ---- the plane ------------------------------------------------------------------------------- */

struct plane {
    FILE *out;
    double width, height, left, right, top, bottom; /* margins */
    double x_low, x_high, y_low, y_high;            /* logarithms to the base 10 */
};

static double place_x(const struct plane *p, double intensity)
{
    double part = (log10(intensity) - p->x_low) / (p->x_high - p->x_low);
    return p->left + part * (p->width - p->left - p->right);
}

static double place_y(const struct plane *p, double rate)
{
    double part = (log10(rate) - p->y_low) / (p->y_high - p->y_low);
    return p->height - p->bottom - part * (p->height - p->top - p->bottom);
}

static bool has_place(const struct network *net, size_t kind)
{
    const struct contest *c = &net->contest[kind];
    return c->result.gflops > 0 &&
           roofline_intensity(&net->layers.layer[net->first[kind]].problem) > 0;
}

/* Wide enough for every layer and for the corners where L1 and memory meet the roof. */
static void fit(const struct network *net, const struct convc_ceilings *c, double peak,
                struct plane *p)
{
    double x0 = peak / c->l1 / 2.5, x1 = peak / c->memory * 16, y0 = peak / 16, y1 = peak * 1.6;
    for (size_t i = 0; i < net->kinds; i++) {
        if (!has_place(net, i))
            continue;
        double x = roofline_intensity(&net->layers.layer[net->first[i]].problem);
        double y = net->contest[i].result.gflops;
        x0 = fmin(x0, x / 1.5), x1 = fmax(x1, x * 1.5);
        y0 = fmin(y0, y / 1.5), y1 = fmax(y1, y * 1.3);
    }
    p->x_low = log10(x0), p->x_high = log10(x1);
    p->y_low = log10(y0), p->y_high = log10(y1);
}

/* ---- axes and ceilings ----------------------------------------------------------------------- */

/* 1, 2 and 5 of every decade. */
static void draw_grid(const struct plane *p)
{
    static const double steps[] = { 1, 2, 5 };
    for (int decade = -3; decade < 7; decade++) {
        for (int i = 0; i < 3; i++) {
            double v = steps[i] * pow(10, decade), l = log10(v);
            if (l > p->x_low && l < p->x_high) {
                double x = place_x(p, v);
                fprintf(p->out, "<path class=\"grid\" d=\"M%.1f %.1fV%.1f\"/>", x, p->top,
                        p->height - p->bottom);
                fprintf(p->out,
                        "<text class=\"tick\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">", x,
                        p->height - p->bottom + 16);
                fprintf(p->out, "%g</text>\n", v);
            }
            if (l > p->y_low && l < p->y_high) {
                double y = place_y(p, v);
                fprintf(p->out, "<path class=\"grid\" d=\"M%.1f %.1fH%.1f\"/>", p->left, y,
                        p->width - p->right);
                fprintf(p->out, "<text class=\"tick\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\">",
                        p->left - 6, y + 4);
                fprintf(p->out, "%g</text>\n", v);
            }
        }
    }
    fprintf(p->out, "<text class=\"tick\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">",
            (p->left + p->width - p->right) / 2, p->height - 6);
    fputs("operations per byte that must move</text>", p->out);
    fprintf(p->out, "<text class=\"tick\" x=\"4\" y=\"%.1f\">GFLOP/s</text>\n", p->top - 8);
}

/* From the lower or left edge up to the roof, with its name along it. */
static void draw_slope(const struct plane *p, const char *name, double bandwidth, double peak)
{
    double x0 = fmax(pow(10, p->x_low), pow(10, p->y_low) / bandwidth), x1 = peak / bandwidth;
    if (x1 <= x0 * 1.05)
        return;
    double ax = place_x(p, x0), ay = place_y(p, x0 * bandwidth);
    double bx = place_x(p, x1), by = place_y(p, peak);
    fprintf(p->out, "<path class=\"slope\" d=\"M%.1f %.1fL%.1f %.1f\"/>", ax, ay, bx, by);
    double at = 8 / hypot(bx - ax, by - ay);
    fprintf(p->out,
            "<text class=\"tick\" transform=\"translate(%.1f %.1f) rotate(%.1f)\" dy=\"-4\">",
            ax + at * (bx - ax), ay + at * (by - ay), atan2(by - ay, bx - ax) * 180 / M_PI);
    fprintf(p->out, "%s %.0f GB/s</text>\n", name, bandwidth);
}

static void draw_ceilings(const struct plane *p, const struct convc_ceilings *c, double peak)
{
    double y = place_y(p, peak), corner = peak / c->l1;
    double x = fmax(place_x(p, corner), p->left);
    fprintf(p->out, "<path class=\"roof\" d=\"M%.1f %.1fH%.1f\"/>", x, y, p->width - p->right);
    fprintf(p->out, "<text x=\"%.1f\" y=\"%.1f\">FMA %.0f GFLOP/s</text>\n", x, y - 7, peak);
    draw_slope(p, "L1", c->l1, peak);
    draw_slope(p, "L2", c->l2, peak);
    draw_slope(p, "L3", c->l3, peak);
    draw_slope(p, "memory", c->memory, peak);
}

/* ---- layers ---------------------------------------------------------------------------------- */

/* The fastest peer; NULL where there is none. */
static const struct peer_result *best_peer(const struct contest *c)
{
    const struct peer_result *best = NULL;
    for (int i = 0; i < c->peers; i++)
        if (!isnan(c->peer[i].best.ratio) && (!best || c->peer[i].best.ratio < best->best.ratio))
            best = &c->peer[i];
    return best;
}

static void put_tip(FILE *out, const struct contest *c, const struct peer_result *best)
{
    html_text(out, c->result.name);
    fprintf(out, ": %.1f GFLOP/s, %.3g ms\n", c->result.gflops, c->result.time_ms);
    if (best)
        fprintf(out, "%.3f x %s\n", best->best.ratio, best->entry->name);
    html_text(out, c->result.plan);
}

static void draw_layer(const struct plane *p, const struct network *net, size_t kind)
{
    const struct contest *c = &net->contest[kind];
    const struct layer *layer = &net->layers.layer[net->first[kind]];
    const struct peer_result *best = best_peer(c);
    double x = place_x(p, roofline_intensity(&layer->problem)), y = place_y(p, c->result.gflops);
    bool behind = best && best->best.ratio < 1;
    fprintf(p->out, "<a href=\"#s%zuk%zu\" data-tip=\"", layer->spec, kind);
    put_tip(p->out, c, best);
    fputs("\">", p->out);
    if (best) {
        double peer_y = place_y(p, c->result.gflops / best->best.ratio);
        if (peer_y < p->height - p->bottom)
            fprintf(p->out,
                    "<path class=\"stem\" d=\"M%.1f %.1fV%.1f\"/>"
                    "<circle class=\"peer\" cx=\"%.1f\" cy=\"%.1f\" r=\"3\"/>",
                    x, y, peer_y, x, peer_y);
    }
    fprintf(p->out, "<circle class=\"point%s\" cx=\"%.1f\" cy=\"%.1f\" r=\"5\"/>",
            behind ? " behind" : "", x, y);
    fprintf(p->out, "<circle class=\"touch\" cx=\"%.1f\" cy=\"%.1f\" r=\"11\"/></a>\n", x, y);
}

void roofline_draw(const struct network *net, const struct convc_ceilings *c, double width,
                   double height, FILE *out)
{
    struct plane p = { .out = out,
                       .width = width,
                       .height = height,
                       .left = 42,
                       .right = 8,
                       .top = 26,
                       .bottom = 40 };
    struct total all;
    network_total(net, SPEC_ALL, &all);
    double peak = all.gflops / all.peak_fraction;
    if (!(peak > 0))
        peak = c->gflops;
    fit(net, c, peak, &p);
    fprintf(out, "<svg viewBox=\"0 0 %.0f %.0f\" role=\"img\" aria-label=\"roofline\">\n", width,
            height);
    draw_grid(&p);
    draw_ceilings(&p, c, peak);
    for (size_t i = 0; i < net->kinds; i++)
        if (has_place(net, i))
            draw_layer(&p, net, i);
    fputs("</svg>\n", out);
}
