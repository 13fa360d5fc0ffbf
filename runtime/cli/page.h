/* page: what every report has: one file that needs no other, no network and no server. */
#ifndef CLI_PAGE_H
#define CLI_PAGE_H

#include <stdio.h>

/* Up to and with the heading: `title`, the machine, the date and the command, which is the title
 * with argv[1] and what follows. */
void page_begin(const char *title, char *const *argv, int threads, FILE *out);
void page_end(FILE *out);

/* Writes a text so that it reads as itself, in elements and in quoted attributes. */
void html_text(FILE *out, const char *text);

#endif
