/* records: what was measured, in Google Benchmark's file format, for its compare.py.
 *
 * A layer of a spec is a benchmark, "resnet50/layer1.0.conv1", and every round of its race one
 * repetition, so that compare.py can tell whether two builds differ; our figures, those of the
 * peers among them, are its counters and the plan is its label.
 * Stands on: network, harness.
 */
#ifndef BENCH_RECORDS_H
#define BENCH_RECORDS_H

#include "bench/network.h"

#include <stdio.h>

enum exit_code records_write(const struct network *net, FILE *out, struct failure *f);

#endif
