#include "bench/harness.h"

#include <benchmark/benchmark.h>
#include <cmath>
#include <exception>
#include <sstream>
#include <vector>

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

/* Takes the mean and says nothing. */
class Turn : public benchmark::BenchmarkReporter
{
  public:
    double seconds = NAN;

    bool ReportContext(const Context &) override
    {
        return true;
    }

    void ReportRuns(const std::vector<Run> &runs) override
    {
        for (const Run &run : runs)
            seconds = run.real_accumulated_time / static_cast<double>(run.iterations);
    }
};

/* Whatever BENCHMARK_* in the environment asked for. */
static void forget_environment()
{
    static char program[] = "convc", out[] = "--benchmark_out=", format[] = "--benchmark_format=json",
                list[] = "--benchmark_list_tests=false", warm[] = "--benchmark_min_warmup_time=0",
                counters[] = "--benchmark_perf_counters=",
                mixed[] = "--benchmark_enable_random_interleaving=false";
    static char *argv[] = { program, out, format, list, warm, counters, mixed, nullptr };
    int argc = 7;
    benchmark::Initialize(&argc, argv);
}

double bench_turn(void (*work)(void *argument), void *argument, int64_t iterations)
try {
    static bool forgotten = false;
    if (!forgotten)
        forget_environment();
    forgotten = true;
    Turn turn;
    auto loop = [work, argument](benchmark::State &google) {
        work(argument);
        for (auto unused : google) {
            static_cast<void>(unused);
            work(argument);
        }
    };
    benchmark::RegisterBenchmark("turn", loop)->Iterations(iterations)->Repetitions(1)->UseRealTime();
    benchmark::RunSpecifiedBenchmarks(&turn, "^turn/");
    benchmark::ClearRegisteredBenchmarks();
    return turn.seconds;
} catch (const std::exception &) {
    return NAN;
}

/* Real and processor time are one: turns are timed where nothing else runs. */
static benchmark::BenchmarkReporter::Run as_google(const bench_run &r)
{
    benchmark::BenchmarkReporter::Run run;
    run.run_name.function_name = r.name;
    run.report_label = r.label;
    run.family_index = r.family;
    run.per_family_instance_index = 0;
    run.repetition_index = r.repetition;
    run.repetitions = r.repetitions;
    run.threads = r.threads;
    run.time_unit = benchmark::kMicrosecond;
    run.real_accumulated_time = run.cpu_accumulated_time = r.seconds;
    for (int i = 0; i < r.counters; i++)
        run.counters[r.counter[i].name] = r.counter[i].value;
    return run;
}

bool bench_write_json(const bench_run *run, size_t count, FILE *out)
try {
    std::ostringstream text;
    benchmark::JSONReporter reporter;
    benchmark::BenchmarkReporter::Context::executable_name = "convc-bench";
    benchmark::BenchmarkReporter::Context context;
    reporter.SetOutputStream(&text);
    reporter.SetErrorStream(&text);
    reporter.ReportContext(context);
    for (size_t i = 0; i < count; i++)
        reporter.ReportRuns({ as_google(run[i]) });
    reporter.Finalize();
    fwrite(text.str().data(), 1, text.str().size(), out);
    return true;
} catch (const std::exception &) {
    return false;
}
