#include "bench/harness.h"

#include <benchmark/benchmark.h>

struct bench_state {
    benchmark::State &google;
};

static benchmark::internal::Benchmark *add(const char *name, bench_fn run, void *argument)
{
    return benchmark::RegisterBenchmark(name, [run, argument](benchmark::State &google) {
        bench_state s{ google };
        run(&s, argument);
    });
}

void bench_register(const char *name, bench_fn run, void *argument)
{
    add(name, run, argument);
}

void bench_register_manual(const char *name, bench_fn run, void *argument)
{
    add(name, run, argument)->UseManualTime();
}

bool bench_next(bench_state *s)
{
    return s->google.KeepRunning();
}

void bench_round_seconds(bench_state *s, double seconds)
{
    s->google.SetIterationTime(seconds);
}

void bench_counter(bench_state *s, const char *name, double value)
{
    s->google.counters[name] = value;
}

void bench_fail(bench_state *s, const char *why)
{
    s->google.SkipWithError(why);
}

int bench_main(int argc, char **argv)
{
    benchmark::Initialize(&argc, argv);
    if (benchmark::ReportUnrecognizedArguments(argc, argv))
        return 2;
    benchmark::RunSpecifiedBenchmarks();
    benchmark::Shutdown();
    return 0;
}
