#include "runtime/cli/tune_report.h"

#include "runtime/cli/blame.h"
#include "runtime/cli/page.h"
#include "runtime/cli/tune_charts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Words that are told of the cost model. */
enum { WORDS_MOST = 24 };

static double ratio_of(const struct evidence *e)
{
    return e->winner ? e->winner->ratio : 1;
}

/* A bar to either side of its mark at 40 %, from half to three times. */
static void put_bar(double gain, const char *class, FILE *out)
{
    double one = 40, l = fmin(fmax(log(gain), -log(2)), log(3));
    double place = l < 0 ? one + l / log(2) * one : one + l / log(3) * (100 - one);
    fprintf(out,
            "<div class=\"track split %s\"><span style=\"left:%.1f%%;width:%.1f%%\"></span></div>",
            class, fmin(place, one), fabs(place - one));
}

/* ---- over all -------------------------------------------------------------------------------- */

static void put_card(const char *figure, const char *text, FILE *out)
{
    fprintf(out, "<div class=\"card\"><h3>%s</h3><p class=\"muted\">%s</p></div>\n", figure, text);
}

static void put_summary(const struct evidence *e, size_t count, FILE *out)
{
    double gain = 0;
    size_t layers = 0, same = 0, measured = 0, failed = 0;
    char figure[64];
    for (size_t i = 0; i < count; i++) {
        gain -= (double)e[i].times * log(ratio_of(&e[i]));
        layers += e[i].times;
        same += !e[i].winner;
        measured += e[i].count;
        failed += e[i].failures;
    }
    fputs("<div class=\"cards\">\n", out);
    snprintf(figure, sizeof figure, "%.3f times as fast", layers ? exp(gain / (double)layers) : 1);
    put_card(figure, "as the cost model's plans: geometric mean over all layers", out);
    snprintf(figure, sizeof figure, "%zu convolution%s", count, count == 1 ? "" : "s");
    put_card(figure, "that differ; equal layers are measured once", out);
    snprintf(figure, sizeof figure, "%zu of %zu", same, count);
    put_card(figure, "keep the cost model's plan: nothing was really faster", out);
    snprintf(figure, sizeof figure, "%zu measurements", measured);
    put_card(figure, "in turns with the cost model's plan", out);
    snprintf(figure, sizeof figure, "%zu plan%s failed", failed, failed == 1 ? "" : "s");
    put_card(figure, "wrong, crashed, hung or refused: none of them wins", out);
    fputs("</div>\n", out);
}

/* ---- the model ------------------------------------------------------------------------------- */

static void put_word(const struct blame *b, FILE *out)
{
    double percent = fabs(b->error - 1) * 100;
    fputs("<span>", out);
    html_text(out, b->word);
    fputs("</span>", out);
    put_bar(b->error, b->error > 1 ? "slow" : "peer1", out);
    fprintf(out,
            "<b%s>%.1f %% %s</b><span class=\"muted\">%lld plan%s, %lld convolution%s</span>\n",
            b->error > 1 ? " class=\"slow\"" : "", percent, b->error > 1 ? "slower" : "faster",
            (long long)b->plans, b->plans == 1 ? "" : "s", (long long)b->problems,
            b->problems == 1 ? "" : "s");
}

static enum convc_status put_blame(const struct evidence *e, size_t count, FILE *out)
{
    struct blame *words;
    size_t n;
    enum convc_status st = blame_words(e, count, &words, &n);
    if (st != CONVC_OK) {
        free(words);
        return st;
    }
    fputs("<h2>Where the cost model is wrong</h2>\n<p class=\"muted\">Plans that have a word, such "
          "as <code>order=weights</code>, are slower or faster by so much than the model thinks, "
          "measured against the other plans of the same convolutions (geometric means); the "
          "gravest come first.</p>\n",
          out);
    if (!n)
        fputs("<p>Too few plans have been measured to tell.</p>\n", out);
    fputs("<div class=\"rows words\">\n", out);
    for (size_t i = 0; i < n && i < WORDS_MOST; i++)
        put_word(&words[i], out);
    fputs("</div>\n", out);
    free(words);
    return CONVC_OK;
}

/* ---- convolutions ---------------------------------------------------------------------------- */

static void put_rank(const struct evidence *e, FILE *out)
{
    if (e->rank)
        fprintf(out, "the model ranks it %zu of %zu", e->rank, e->plans);
    else
        fputs("it is no longer in the space", out);
}

static void put_before_after(const struct evidence *e, FILE *out)
{
    const struct trial *w = e->winner;
    fputs("<div class=\"rows\"><span>before</span><div class=\"track convc\"><span "
          "style=\"width:100%\"></span></div>",
          out);
    if (!w) {
        fputs("<b>1.00x</b></div>\n<p class=\"muted\">Nothing was really faster than the cost "
              "model's plan.</p>\n",
              out);
        return;
    }
    fprintf(out,
            "<b>%.4g ms</b>\n<span>after</span><div class=\"track peer1\"><span "
            "style=\"width:%.1f%%\"></span><i style=\"left:%.1f%%;width:%.1f%%\"></i></div>"
            "<b>%.4g ms</b></div>\n",
            w->base_seconds * 1e3, fmin(w->ratio, 1) * 100, w->low * 100,
            (fmin(w->high, 1) - w->low) * 100, w->seconds * 1e3);
    fprintf(out,
            "<p>%.3f times as fast; with 95 %% confidence the median lies between %.3f and "
            "%.3f. <span class=\"muted\">",
            1 / w->ratio, 1 / w->high, 1 / w->low);
    put_rank(e, out);
    fputs(".</span></p>\n", out);
}

static const char *outcome_name(enum convc_outcome outcome)
{
    switch (outcome) {
    case CONVC_MEASURED: break;
    case CONVC_MEASURED_WRONG: return "wrong";
    case CONVC_MEASURED_CRASHED: return "crashed";
    case CONVC_MEASURED_HUNG: return "hung";
    case CONVC_MEASURED_REFUSED: return "refused";
    }
    return "measured";
}

static void put_failures(const struct evidence *e, FILE *out)
{
    if (!e->failures)
        return;
    fputs("<h4>Failures</h4>\n<ul>", out);
    for (size_t i = 0; i < e->known_count; i++) {
        const struct trial *t = &e->known[i];
        if (t->outcome == CONVC_MEASURED)
            continue;
        fprintf(out, "<li><b class=\"slow\">%s</b> <code>", outcome_name(t->outcome));
        html_text(out, t->plan);
        fputs("</code><br><span class=\"muted\">", out);
        html_text(out, t->note);
        fputs("</span></li>\n", out);
    }
    fputs("</ul>\n", out);
}

static enum convc_status put_charts(const struct evidence *e, FILE *out)
{
    fputs("<div class=\"cards charts\">\n<figure><h4>Convergence</h4>", out);
    draw_convergence(e, out);
    fputs("<figcaption>Time over that of the cost model's plan: every measurement, and the best so "
          "far.</figcaption></figure>\n<figure><h4>Model and measurement</h4>",
          out);
    draw_model(e, out);
    fputs("<figcaption>A dot on the line is a plan of which the model is right; the large one "
          "won.</figcaption></figure>\n</div>\n<h4>Landscape</h4>\n<p class=\"muted\">The "
          "best ratio measured of each tile and layout.</p>\n",
          out);
    return draw_landscape(e, out);
}

static void put_plan(const char *what, const char *plan, FILE *out)
{
    char text[2048];
    snprintf(text, sizeof text, "%.*s", (int)strcspn(plan, "\n"), plan);
    fprintf(out, "<p>%s: <code>", what);
    html_text(out, text);
    fputs("</code></p>\n", out);
}

static enum convc_status put_convolution(const struct evidence *e, size_t index, FILE *out)
{
    enum convc_status st = CONVC_OK;
    double gain = 1 / ratio_of(e);
    fprintf(out, "<details class=\"layer\" id=\"c%zu\"%s><summary><div><span class=\"name\">",
            index, index ? "" : " open");
    html_text(out, e->name);
    fprintf(out,
            "</span> <span class=\"muted\">&times;%zu</span><br><span class=\"muted\">%zu "
            "measurements, %zu plans</span></div><div class=\"rows\"><span>gain</span>",
            e->times, e->count, e->plans);
    put_bar(gain, "peer1", out);
    fprintf(out, "<b>%.3fx</b></div></summary><div class=\"more\"><p><code>", gain);
    html_text(out, e->problem);
    fputs("</code></p>\n", out);
    if (!e->count) {
        fputs("<p>Nothing has been measured.</p>\n", out);
    } else {
        put_before_after(e, out);
        put_plan("before", e->base, out);
        if (e->winner)
            put_plan("after", e->winner->plan, out);
        st = put_charts(e, out);
        put_failures(e, out);
    }
    fputs("</div></details>\n", out);
    return st;
}

/* ---- numbers --------------------------------------------------------------------------------- */

static void put_row(const struct evidence *e, FILE *out)
{
    const struct trial *w = e->winner;
    fputs("<tr><td class=\"l\">", out);
    html_text(out, e->name);
    fprintf(out, "</td><td>%zu</td><td>%zu</td><td>%zu</td><td>%zu</td>", e->times, e->plans,
            e->count, e->failures);
    if (w)
        fprintf(out, "<td>%zu</td><td>%.4g</td><td>%.4g</td><td>%.3f</td><td>%.3f to %.3f</td>",
                e->rank, w->base_seconds * 1e3, w->seconds * 1e3, 1 / w->ratio, 1 / w->high,
                1 / w->low);
    else
        fputs("<td>1</td><td>&ndash;</td><td>&ndash;</td><td>1</td><td>&ndash;</td>", out);
    fputs("<td class=\"l\">", out);
    char plan[2048];
    snprintf(plan, sizeof plan, "%.*s", (int)strcspn(w ? w->plan : e->base, "\n"),
             w ? w->plan : e->base);
    html_text(out, plan);
    fputs("</td></tr>\n", out);
}

static void put_numbers(const struct evidence *e, size_t count, FILE *out)
{
    fputs("<h2>Numbers</h2>\n<div class=\"scroll\"><table><thead><tr><th class=\"l\">layer</th>"
          "<th>times</th><th>plans</th><th>measured</th><th>failed</th><th>model's rank</th>"
          "<th>before, ms</th><th>after, ms</th><th>gain</th><th>95 %</th><th class=\"l\">plan</th>"
          "</tr></thead><tbody>\n",
          out);
    for (size_t i = 0; i < count; i++)
        put_row(&e[i], out);
    fputs(
        "</tbody></table></div>\n<p class=\"muted\">A ratio is the median over rounds, in each of "
        "which the plan and the cost model's take a turn of about a millisecond; its interval "
        "is that of the order statistics. A plan has won where the whole interval is "
        "below 1. Times are medians of their own, and the machine's pace moves between "
        "turns: what was compared side by side is the ratio.</p>\n",
        out);
}

enum exit_code tune_report_write(const struct options *o, const struct evidence *e, size_t count,
                                 FILE *out, struct failure *f)
{
    page_begin("convc tune", o->argv, 1, out);
    put_summary(e, count, out);
    enum convc_status st = put_blame(e, count, out);
    fputs("<h2>Convolutions</h2>\n<p class=\"muted\">A bar to the right of its mark: a faster plan "
          "was found.</p>\n",
          out);
    for (size_t i = 0; st == CONVC_OK && i < count; i++)
        st = put_convolution(&e[i], i, out);
    put_numbers(e, count, out);
    page_end(out);
    return st ? fail_memory(f) : EXIT_FINE;
}
