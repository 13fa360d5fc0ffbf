/* print: what was measured, as lines of JSON, as a table, and as totals.
 * Stands on: network, table, json.
 */
#ifndef BENCH_PRINT_H
#define BENCH_PRINT_H

#include "bench/network.h"

#include <stdio.h>

/* One layer as an object on a line of standard output. */
void print_json(const struct network *net, size_t layer);

/* Every kind of layer once, with the number of times that it occurs, and the sums. */
enum exit_code print_table(const struct network *net, struct failure *f);

/* One line for each spec and peer, and for all specs. */
void print_totals(const struct network *net, FILE *out);

#endif
