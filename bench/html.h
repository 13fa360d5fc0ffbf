/* html: text that stands in a page. */
#ifndef BENCH_HTML_H
#define BENCH_HTML_H

#include <stdio.h>

/* Writes a text so that it reads as itself, in elements and in quoted attributes. */
void html_text(FILE *out, const char *text);

#endif
