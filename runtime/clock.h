/* clock: seconds on a clock that only goes forward. Stands on: the C library. */
#ifndef RUNTIME_CLOCK_H
#define RUNTIME_CLOCK_H

double clock_seconds(void);

#endif
