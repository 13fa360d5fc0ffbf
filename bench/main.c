/* convc-bench: what `convc bench` hands over to; the one program that links convc's peers. */
#include "bench/print.h"
#include "bench/report.h"
#include "runtime/cli/stream.h"

static enum exit_code check_usage(const struct options *o, struct failure *f)
{
    if (!o->word_count)
        return fail(f, EXIT_USAGE, "bench needs a spec; see convc bench --help");
    for (const char *p = o->target ? o->target : ""; *p; p++)
        if (*p == ',')
            return fail(f, EXIT_USAGE, "--target=%s: bench takes one target", o->target);
    return EXIT_FINE;
}

static void name_missing(const struct field *field)
{
    for (int i = 0; i < field->count; i++)
        if (!field_has(field, i))
            fprintf(stderr, "convc: %s\n", field->missing[i].text);
}

static enum exit_code measure(const struct options *o, struct network *net, struct failure *f)
{
    enum exit_code code = network_measure(net, o->json ? print_json : NULL, f);
    if (code == EXIT_FINE && !o->json)
        code = print_table(net, f);
    if (code == EXIT_FINE)
        print_totals(net, o->json ? stderr : stdout);
    return code;
}

/* Files are opened before anything is measured: a path that cannot be written is known at once. */
static enum exit_code measure_into_files(const struct options *o, struct network *net,
                                         struct failure *f)
{
    struct stream_out report = { 0 };
    enum exit_code code = o->report ? stream_create(o->report, &report, f) : EXIT_FINE;
    if (code)
        return code;
    code = measure(o, net, f);
    if (code == EXIT_FINE && o->report)
        report_write(net, report.stream);
    return o->report ? stream_finish(&report, code, f) : code;
}

static enum exit_code bench(const struct options *o, struct failure *f)
{
    struct network net = { 0 };
    enum exit_code code = check_usage(o, f);
    if (code == EXIT_FINE)
        code = network_load(o, &net, f);
    if (code == EXIT_FINE) {
        name_missing(&net.field);
        code = measure_into_files(o, &net, f);
    }
    network_free(&net);
    return code;
}

int main(int argc, char **argv)
{
    struct options o;
    struct failure f = { 0 };
    argv[0] = "bench"; /* as it is called, for messages */
    enum exit_code code = options_read(COMMAND_BENCH, argc, argv, &o, &f);
    if (code == EXIT_FINE && o.help)
        options_help(COMMAND_BENCH);
    else if (code == EXIT_FINE)
        code = bench(&o, &f);
    options_free(&o);
    if ((fflush(stdout) || ferror(stdout)) && code < EXIT_USAGE)
        code = fail(&f, EXIT_SYSTEM, "standard output cannot be written");
    if (f.text[0])
        fprintf(stderr, "convc: %s\n", f.text);
    return code;
}
