/* harness: Google Benchmark behind a C header.
 *
 * Register named functions, then hand over to bench_main, which takes Google Benchmark's options.
 * A function loops while bench_next holds, and says itself how long each round took where only part
 * of it counts.
 */
#ifndef BENCH_HARNESS_H
#define BENCH_HARNESS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

struct bench_state;
typedef void (*bench_fn)(struct bench_state *s, void *argument);

/* Timed from round to round by the harness. */
void bench_register(const char *name, bench_fn run, void *argument);

/* Timed by the function, with bench_round_seconds. */
void bench_register_manual(const char *name, bench_fn run, void *argument);

/* Begins a round; false where there have been enough. */
bool bench_next(struct bench_state *s);
void bench_round_seconds(struct bench_state *s, double seconds);

/* A figure of its own beside the times. */
void bench_counter(struct bench_state *s, const char *name, double value);

/* Ends the benchmark with a reason. */
void bench_fail(struct bench_state *s, const char *why);

/* Runs what is registered; the exit code. Options that are not Google Benchmark's are errors. */
int bench_main(int argc, char **argv);

/* Runs `work` once untimed, then `iterations` times in one go, which Google Benchmark times: the
 * mean in seconds of the real clock. Takes some 3 us beside the work, prints nothing, heeds no
 * option from the environment and forgets what is registered. From one thread, and not inside of
 * bench_main. NAN where memory runs out. */
double bench_turn(void (*work)(void *argument), void *argument, int64_t iterations);

/* ---- what was measured elsewhere, in Google Benchmark's own file format -----------------------
 */

struct bench_counter {
    const char *name;
    double value;
};

/* One repetition of a benchmark. */
struct bench_run {
    const char *name, *label;
    int family; /* counts benchmarks from 0 */
    int repetition, repetitions, threads;
    double seconds;
    const struct bench_counter *counter;
    int counters;
};

/* The JSON that --benchmark_out would have written; false where memory runs out. */
bool bench_write_json(const struct bench_run *run, size_t count, FILE *out);

#ifdef __cplusplus
}
#endif
#endif
