/* meter: how far something long is, on a terminal's last line.
 *
 * The line is drawn anew over itself, at most ten times a second, and wiped before anything else is
 * printed. Where standard error is no terminal nothing is drawn.
 */
#ifndef CLI_METER_H
#define CLI_METER_H

#include <stdbool.h>

struct meter {
    bool on;
    int columns;  /* of the terminal */
    double drawn; /* when */
};

void meter_begin(struct meter *m);

/* share: of the work, 0 to 1. seconds_left: NAN where unknown. The text is cut to what fits. */
void meter_show(struct meter *m, double share, double seconds_left, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

void meter_wipe(struct meter *m);

#endif
