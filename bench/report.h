/* report: what was measured as one HTML page that needs nothing else.
 *
 * Networks against each peer, a roofline, every layer with its plan and the reason for it, and all
 * numbers as a table. Reads on a phone, in light and in dark, and without its script too, which
 * only opens the layer that a link names and shows a point's figures.
 * Stands on: network, roofline; report.css and report.js, which are in the binary.
 */
#ifndef BENCH_REPORT_H
#define BENCH_REPORT_H

#include "bench/network.h"

#include <stdio.h>

/* The network was measured with its reasons and ceilings. */
enum exit_code report_write(const struct network *net, FILE *out, struct failure *f);

#endif
