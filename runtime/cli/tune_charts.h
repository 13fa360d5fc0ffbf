/* tune_charts: what was measured of one convolution, as pictures in a page. */
#ifndef CLI_TUNE_CHARTS_H
#define CLI_TUNE_CHARTS_H

#include "runtime/cli/evidence.h"

/* The best so far over the measurements, and every measurement. */
void draw_convergence(const struct evidence *e, FILE *out);

/* Measured against predicted, a dot for each plan. */
void draw_model(const struct evidence *e, FILE *out);

/* The shapes of tiles against the other words that matter most: the best ratio of each pair. */
enum convc_status draw_landscape(const struct evidence *e, FILE *out);

#endif
