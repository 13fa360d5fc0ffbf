#include "bench/report.h"

#include "bench/roofline.h"
#include "runtime/cli/page.h"

#include <math.h>
#include <string.h>

/* Longer bars of networks, in times of convc's, are cut. */
static const double longest_bar = 4;

/* Bars of ratios run from 1/4 to 8, with 1 at 40 %. */
static const double ratio_low = 0.25, ratio_high = 8, ratio_one = 40;

/* ---- peers ----------------------------------------------------------------------------------- */

/* A peer has the same colour in every report. */
static int colour(const struct peer_entry *e)
{
    return (int)(e - peer_entries) % 4;
}

static void put_chip(const char *class, const char *name, FILE *out)
{
    fprintf(out, "<li><i class=\"%s\"></i>%s</li>", class, name);
}

static void put_legend(const struct network *net, FILE *out)
{
    fputs("<ul class=\"chips\">", out);
    put_chip("convc", "convc", out);
    for (int p = 0; p < net->field.count; p++) {
        char class[16];
        snprintf(class, sizeof class, "peer%d", colour(net->field.entry[p]));
        if (field_has(&net->field, p))
            put_chip(class, net->field.entry[p]->name, out);
    }
    put_chip("slow", "convc is slower", out);
    fputs("</ul>\n", out);
    for (int p = 0; p < net->field.count; p++) {
        if (field_has(&net->field, p))
            continue;
        fputs("<p class=\"muted\">", out);
        html_text(out, net->field.missing[p].text);
        fputs("</p>\n", out);
    }
}

/* ---- networks -------------------------------------------------------------------------------- */

static void put_bar(const char *label, const char *class, double percent, FILE *out)
{
    fprintf(out,
            "<span>%s</span><div class=\"track %s\"><span style=\"width:%.1f%%\"></span></div>",
            label, class, percent);
}

/* Times against convc's: a peer that computes a part of the layers is scaled to all of them. */
static void put_network(const struct network *net, size_t spec, FILE *out)
{
    struct total t;
    double longest = 1;
    network_total(net, spec, &t);
    for (int p = 0; p < net->field.count; p++)
        longest = fmax(longest, t.peer[p].layers ? fmin(t.peer[p].ratio, longest_bar) : 0);
    fputs("<div class=\"card\"><h3>", out);
    html_text(out, net->o->word[spec]);
    fprintf(out,
            "</h3><p class=\"muted\">%zu convolution%s, %zu different; %.1f GFLOP/s, %.0f %% of "
            "the FMA peak</p><div class=\"rows\">",
            t.layers, t.layers == 1 ? "" : "s", t.kinds, t.gflops, t.peak_fraction * 100);
    put_bar("convc", "convc", 100 / longest, out);
    fprintf(out, "<b>%.3f ms</b>\n", t.time_ms);
    for (int p = 0; p < net->field.count; p++) {
        const struct peer_total *peer = &t.peer[p];
        char class[16];
        snprintf(class, sizeof class, "peer%d", colour(net->field.entry[p]));
        if (!peer->layers)
            continue;
        put_bar(net->field.entry[p]->name, class, fmin(100 * peer->ratio / longest, 100), out);
        fprintf(out, "<b%s>%.2fx</b>\n", peer->ratio < 1 ? " class=\"slow\"" : "", peer->ratio);
    }
    fputs("</div>", out);
    for (int p = 0; p < net->field.count; p++)
        if (t.peer[p].layers && t.peer[p].layers < t.layers)
            fprintf(out, "<p class=\"muted\">%s computes %zu of the layers.</p>",
                    net->field.entry[p]->name, t.peer[p].layers);
    fputs("</div>\n", out);
}

static void put_networks(const struct network *net, FILE *out)
{
    fputs("<h2>Networks</h2>\n<p class=\"muted\">Time over all convolutions; the figure is the "
          "peer's sum over convc's, above 1 convc is faster.</p>\n",
          out);
    put_legend(net, out);
    fputs("<div class=\"cards\">\n", out);
    for (size_t spec = 0; spec < net->o->word_count; spec++)
        put_network(net, spec, out);
    fputs("</div>\n", out);
}

/* ---- the roofline ---------------------------------------------------------------------------- */

static void put_roofline(const struct network *net, FILE *out)
{
    double cores = options_threads(net->o);
    struct convc_ceilings c = net->ceilings;
    c.l1 *= cores, c.l2 *= cores, c.l3 *= cores, c.memory *= cores;
    fputs("<h2>Roofline</h2>\n<figure><div class=\"wide\">", out);
    roofline_draw(net, &c, 960, 480, out);
    fputs("</div><div class=\"narrow\">", out);
    roofline_draw(net, &c, 360, 400, out);
    fprintf(out,
            "</div><figcaption>A dot is a layer under convc, the ring on its stem the fastest "
            "peer; in another colour where that is ahead. The roof is a loop of multiply-adds, the "
            "slopes "
            "are reads of %s, all measured in this run. A layer counts each of its bytes once and "
            "all taps, those on the padding too: data that lies in a cache already lifts it over "
            "the slope of memory, and skipped padding or fewer multiplications over the roof."
            "</figcaption></figure>\n",
            cores > 1 ? "one core, times the threads" : "one core");
}

/* ---- layers ---------------------------------------------------------------------------------- */

static double ratio_place(double ratio)
{
    double one = log(1 / ratio_low), all = log(ratio_high / ratio_low);
    double part = log(fmin(fmax(ratio, ratio_low), ratio_high) / ratio_low);
    return part < one ? part / one * ratio_one
                      : ratio_one + (part - one) / (all - one) * (100 - ratio_one);
}

static void put_ratio(const struct peer_result *r, FILE *out)
{
    double place = ratio_place(r->best.ratio);
    double left = fmin(place, ratio_one), width = fabs(place - ratio_one);
    bool slow = r->best.ratio < 1;
    fprintf(out, "<span>%s</span><div class=\"track split ", r->entry->name);
    fprintf(out, slow ? "slow" : "peer%d", colour(r->entry));
    fprintf(out, "\"><span style=\"left:%.1f%%;width:%.1f%%\"></span></div>", left, width);
    fprintf(out, "<b%s>%.2fx</b>\n", slow ? " class=\"slow\"" : "", r->best.ratio);
}

static void put_peer_facts(const struct peer_result *r, FILE *out)
{
    fprintf(out, "<p class=\"muted\">%s: ", r->entry->name);
    if (r->reason[0]) {
        html_text(out, r->reason);
    } else {
        fprintf(out, "%.4g ms in ", r->best.time_ms);
        html_text(out, r->layout);
        if (r->apart && !isnan(r->spec.time_ms))
            fprintf(out, "; %.4g ms (%.2fx) in the layout of the spec", r->spec.time_ms,
                    r->spec.ratio);
        fprintf(out, "; made in %.2f ms; median ratio %.3f", r->creation_ms, r->best.median_ratio);
    }
    fputs("</p>\n", out);
}

/* The plan as a loop nest with its cost, as far as the plans that lost. */
static void put_plan_tip(const struct contest *c, FILE *out)
{
    const char *text = c->reason ? c->reason : c->result.plan;
    const char *lost = strstr(text, "considered:");
    char head[2048];
    size_t length = lost ? (size_t)(lost - text) : strlen(text);
    if (length >= sizeof head)
        length = sizeof head - 1;
    while (length && (text[length - 1] == ' ' || text[length - 1] == '\n'))
        length--;
    memcpy(head, text, length);
    head[length] = 0;
    html_text(out, head);
}

static void put_layer(const struct network *net, size_t spec, size_t kind, FILE *out)
{
    const struct contest *c = &net->contest[kind];
    const struct result *r = &c->result;
    fprintf(out, "<details class=\"layer\" id=\"s%zuk%zu\"><summary data-tip=\"", spec, kind);
    put_plan_tip(c, out);
    fputs("\"><div><span class=\"name\">", out);
    html_text(out, r->name);
    fprintf(out,
            "</span> <span class=\"muted\">&times;%zu</span><br><span class=\"muted\">%.4g ms, "
            "%.0f GFLOP/s, %.0f %%, %s</span></div><div class=\"rows\">",
            network_times(net, spec, kind), r->time_ms, r->gflops, r->peak_fraction * 100,
            r->algorithm);
    for (int p = 0; p < c->peers; p++)
        if (!isnan(c->peer[p].best.ratio))
            put_ratio(&c->peer[p], out);
    fputs("</div></summary><div class=\"more\"><p><code>", out);
    html_text(out, r->problem);
    fprintf(out, "</code></p><p class=\"muted\">%s in %.2f ms; error %.1e</p>\n",
            source_name(r->source), r->compile_ms, r->max_error);
    for (int p = 0; p < c->peers; p++)
        if (field_has(&net->field, p))
            put_peer_facts(&c->peer[p], out);
    fputs("<pre>", out);
    html_text(out, c->reason ? c->reason : r->plan);
    fputs("</pre></div></details>\n", out);
}

static void put_layers(const struct network *net, FILE *out)
{
    for (size_t spec = 0; spec < net->o->word_count; spec++) {
        fputs("<h2>", out);
        html_text(out, net->o->word[spec]);
        fputs("</h2>\n<p class=\"muted\">A bar to the right of its mark: convc is faster, from 1/4 "
              "to 8 times. A layer opens to its plan, and to why it has that plan.</p>\n",
              out);
        for (size_t kind = 0; kind < net->kinds; kind++)
            if (network_times(net, spec, kind))
                put_layer(net, spec, kind, out);
    }
}

/* ---- numbers --------------------------------------------------------------------------------- */

static void put_cell(const char *format, double value, const char *class, FILE *out)
{
    fprintf(out, "<td%s>", class);
    if (isnan(value))
        fputs("&ndash;", out);
    else
        fprintf(out, format, value);
    fputs("</td>", out);
}

static void put_row(const struct network *net, size_t kind, FILE *out)
{
    const struct contest *c = &net->contest[kind];
    const struct result *r = &c->result;
    fputs("<tr><td class=\"l\">", out);
    html_text(out, r->name);
    fprintf(out, "</td><td>%zu</td>", network_times(net, SPEC_ALL, kind));
    put_cell("%.4g", r->time_ms, "", out);
    put_cell("%.1f", r->gflops, "", out);
    put_cell("%.1f", r->peak_fraction * 100, "", out);
    put_cell("%.1e", r->max_error, "", out);
    put_cell("%.2f", r->compile_ms, "", out);
    for (int p = 0; p < c->peers; p++) {
        const struct peer_result *peer = &c->peer[p];
        if (!field_has(&net->field, p))
            continue;
        put_cell("%.4g", peer->best.time_ms, "", out);
        put_cell("%.3f", peer->best.ratio, peer->best.ratio < 1 ? " class=\"slow\"" : "", out);
        put_cell("%.3f", peer->spec.ratio, "", out);
    }
    fputs("<td class=\"l\">", out);
    html_text(out, r->plan);
    fputs("</td></tr>\n", out);
}

static void put_numbers(const struct network *net, FILE *out)
{
    const struct convc_ceilings *c = &net->ceilings;
    fputs("<h2>Numbers</h2>\n<div class=\"scroll\"><table><thead><tr><th class=\"l\">layer</th>"
          "<th>times</th><th>ms</th><th>GFLOP/s</th><th>% of peak</th><th>error</th>"
          "<th>compile ms</th>",
          out);
    for (int p = 0; p < net->field.count; p++)
        if (field_has(&net->field, p))
            fprintf(out, "<th>%s ms</th><th>ratio</th><th>in spec layout</th>",
                    net->field.entry[p]->name);
    fputs("<th class=\"l\">plan</th></tr></thead><tbody>\n", out);
    for (size_t kind = 0; kind < net->kinds; kind++)
        put_row(net, kind, out);
    fputs("</tbody></table></div>\n<p class=\"muted\">", out);
    fprintf(out,
            "One core: multiply-adds %.1f GFLOP/s; reads of L1 %.0f, L2 %.0f, L3 %.0f, memory "
            "%.0f GB/s. ",
            c->gflops, c->l1, c->l2, c->l3, c->memory);
    fputs("A time is the fastest run of ten turns, in which convc and the peers take each other's "
          "place; a ratio is a peer's time over convc's.</p>\n",
          out);
}

enum exit_code report_write(const struct network *net, FILE *out, struct failure *f)
{
    page_begin("convc bench", net->o->argv, options_threads(net->o), out);
    put_networks(net, out);
    put_roofline(net, out);
    put_layers(net, out);
    put_numbers(net, out);
    page_end(out);
    return EXIT_FINE;
}
