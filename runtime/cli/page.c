#include "runtime/cli/page.h"

#include <convc/convc.h>

#include <stdbool.h>
#include <string.h>
#include <time.h>

/* The files as bytes: made while building. */
static const char style[] = {
#include "runtime/cli/page.css.inc"
};
static const char script[] = {
#include "runtime/cli/page.js.inc"
};

void html_text(FILE *out, const char *text)
{
    for (const char *p = text; *p; p++) {
        switch (*p) {
        case '&': fputs("&amp;", out); break;
        case '<': fputs("&lt;", out); break;
        case '>': fputs("&gt;", out); break;
        case '"': fputs("&quot;", out); break;
        case '\'': fputs("&#39;", out); break;
        default: putc(*p, out);
        }
    }
}

static void put_machine(FILE *out)
{
    char line[256];
    FILE *info = fopen("/proc/cpuinfo", "r");
    bool found = false;
    while (info && !found && fgets(line, sizeof line, info))
        found = !strncmp(line, "model name", 10) && strchr(line, ':');
    if (info)
        fclose(info);
    line[strcspn(line, "\n")] = 0;
    html_text(out, found ? strchr(line, ':') + 2 : "unknown CPU");
}

void page_begin(const char *title, char *const *argv, int threads, FILE *out)
{
    char date[32] = "";
    time_t now = time(NULL);
    struct tm tm;
    if (gmtime_r(&now, &tm))
        strftime(date, sizeof date, "%Y-%m-%d %H:%M UTC", &tm);
    fprintf(out,
            "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
            "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
            "<title>%s</title>\n<style>\n",
            title);
    fwrite(style, 1, sizeof style, out);
    fprintf(out, "</style></head><body>\n<h1>%s</h1>\n<p class=\"muted\">", title);
    put_machine(out);
    fprintf(out, ", %d thread%s, convc %d.%d.%d, %s</p>\n<p class=\"muted\"><code>%s", threads,
            threads == 1 ? "" : "s", CONVC_VERSION_MAJOR, CONVC_VERSION_MINOR, CONVC_VERSION_PATCH,
            date, title);
    for (char *const *word = argv + 1; *word; word++) {
        putc(' ', out);
        html_text(out, *word);
    }
    fputs("</code></p>\n", out);
}

void page_end(FILE *out)
{
    fputs("<div id=\"tip\" hidden></div>\n<script>\n", out);
    fwrite(script, 1, sizeof script, out);
    fputs("</script>\n</body></html>\n", out);
}
