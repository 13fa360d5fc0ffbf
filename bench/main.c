/* convc-bench: what `convc bench` hands over to; the one program that links convc's peers. */
#include "bench/huge_pages.h"
#include "bench/print.h"
#include "bench/records.h"
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

/* A file of `write`'s, where there is a path. It is opened before anything is measured, so that a
 * path that cannot be written is known at once, and is there when all of it was written. */
struct product {
    const char *path;
    enum exit_code (*write)(const struct network *net, FILE *out, struct failure *f);
    struct stream_out file;
};

static enum exit_code measure_into(struct product *product, int count, const struct options *o,
                                   struct network *net, struct failure *f)
{
    enum exit_code code = EXIT_FINE;
    int opened = 0;
    for (; code == EXIT_FINE && opened < count; opened++) {
        struct product *p = &product[opened];
        code = p->path ? stream_create(p->path, &p->file, f) : EXIT_FINE;
        if (code)
            p->path = NULL;
    }
    if (code == EXIT_FINE)
        code = measure(o, net, f);
    for (int i = 0; i < opened; i++) {
        struct product *p = &product[i];
        if (p->path && code == EXIT_FINE)
            code = p->write(net, p->file.stream, f);
        if (p->path)
            code = stream_finish(&p->file, code, f);
    }
    return code;
}

static enum exit_code bench(const struct options *o, struct failure *f)
{
    struct network net = { 0 };
    struct product products[] = { { .path = o->report, .write = report_write },
                                  { .path = o->benchmark_out, .write = records_write } };
    enum exit_code code = check_usage(o, f);
    if (code == EXIT_FINE)
        code = network_load(o, &net, f);
    if (code == EXIT_FINE) {
        name_missing(&net.field);
        code = measure_into(products, 2, o, &net, f);
    }
    network_free(&net);
    return code;
}

int main(int argc, char **argv)
{
    struct options o;
    struct failure f = { 0 };
    huge_pages_begin(argv);
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
