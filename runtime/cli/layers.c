#include "runtime/cli/layers.h"

#include "runtime/cli/stream.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum exit_code fail_open(const char *path, enum convc_status st, struct failure *f)
{
    struct stat s;
    enum exit_code code = fail_status(f, st);
    if (st == CONVC_ERR_IO && (access(path, R_OK) || stat(path, &s) || !S_ISREG(s.st_mode)))
        code = EXIT_USAGE;
    return code;
}

enum exit_code context_open(const struct options *o, const char *target, int32_t flags,
                            convc_context **cx, struct failure *f)
{
    struct convc_context_options opt = { .struct_bytes = sizeof opt,
                                         .threads = options_threads(o),
                                         .flags = flags,
                                         .target = target,
                                         .tuning_db = o->db };
    if (o->no_cache)
        opt.flags |= CONVC_NO_DISK_CACHE;
    if (o->random) /* each is asked for once, but while it is shrunk */
        opt.max_kernels = 64;
    enum convc_status st = convc_context_create(&opt, cx);
    if (st && o->db)
        return fail_open(o->db, st, f);
    return st ? fail_status(f, st) : EXIT_FINE;
}

static enum exit_code append(const struct options *o, convc_spec *spec, struct layers *l,
                             struct failure *f)
{
    size_t count = convc_spec_count(spec);
    struct layer *more = realloc(l->layer, (l->count + count) * sizeof *more);
    if (!more)
        return fail_memory(f);
    l->layer = more;
    for (size_t i = 0; i < count; i++) {
        struct layer *layer = &l->layer[l->count++];
        layer->problem = *convc_spec_problem(spec, i);
        layer->weights = convc_spec_weights(spec, i);
        layer->spec = l->spec_count - 1;
        if (!isnan(o->tolerance))
            layer->problem.tolerance = o->tolerance;
    }
    return EXIT_FINE;
}

/* The first 1 MiB, which is more than a spec may have. */
static enum exit_code read_standard_input(struct layers *l, struct failure *f)
{
    unsigned char *bytes;
    size_t size;
    if (l->standard_input)
        return EXIT_FINE;
    enum exit_code code = stream_read("-", (size_t)1 << 20, &bytes, &size, f);
    if (code)
        return code;
    l->standard_input = (char *)bytes;
    if (strlen(l->standard_input) != size)
        return fail(f, EXIT_USAGE, "stdin: byte %zu is 0, which no text has",
                    strlen(l->standard_input) + 1);
    return EXIT_FINE;
}

static enum exit_code load_spec(const struct options *o, const char *path,
                                struct convc_spec_source *source, struct layers *l,
                                struct failure *f)
{
    enum exit_code code = EXIT_FINE;
    source->path = path;
    source->text = source->name = NULL;
    if (!strcmp(path, "-")) {
        code = read_standard_input(l, f);
        source->path = NULL;
        source->text = l->standard_input;
        source->name = "stdin";
    }
    if (code)
        return code;
    enum convc_status st = convc_spec_load(source, &l->spec[l->spec_count]);
    if (st)
        return fail_open(path, st, f);
    return append(o, l->spec[l->spec_count++], l, f);
}

enum exit_code layers_load(const struct options *o, const char *const *define, size_t define_count,
                           struct layers *l, struct failure *f)
{
    size_t all_count = define_count + o->define_count;
    l->spec = calloc(o->word_count + 1, sizeof *l->spec);
    const char **all = calloc(all_count + 1, sizeof *all);
    enum exit_code code = l->spec && all ? EXIT_FINE : fail_memory(f);
    for (size_t i = 0; code == EXIT_FINE && i < all_count; i++)
        all[i] = i < define_count ? define[i] : o->define[i - define_count]; /* the last one wins */

    struct convc_spec_source source = { .struct_bytes = sizeof source,
                                        .defines = all,
                                        .define_count = all_count };
    for (size_t i = 0; code == EXIT_FINE && i < o->word_count; i++)
        code = load_spec(o, o->word[i], &source, l, f);
    free(all);
    return code;
}

void layers_free(struct layers *l)
{
    for (size_t i = 0; i < l->spec_count; i++)
        convc_spec_free(l->spec[i]);
    free(l->spec);
    free(l->layer);
    free(l->standard_input);
    *l = (struct layers){ 0 };
}

enum exit_code layer_blame(const struct options *o, const struct layer *l, enum exit_code code,
                           struct failure *f)
{
    char sentence[sizeof f->text];
    const char *word = o->word[l->spec], *name = l->problem.name;
    if (code == EXIT_FINE)
        return code;
    if (!strcmp(word, "-"))
        word = "stdin";
    strcpy(sentence, f->text);
    if (!name[0] || !strcmp(word, name))
        return fail(f, code, "%.200s: %s", word, sentence);
    return fail(f, code, "%.200s: %s: %s", word, name, sentence);
}

enum exit_code layer_fail(const struct options *o, const struct layer *l, enum convc_status status,
                          const char *sentence, struct failure *f)
{
    return layer_blame(o, l, fail(f, exit_code_of(status), "%s", sentence), f);
}

enum exit_code layer_text(const struct options *o, const struct layer *l, char **text,
                          struct failure *f)
{
    struct convc_problem one = l->problem;
    one.n = 1;
    enum convc_status st = convc_problem_text(&one, text);
    return st ? layer_fail(o, l, st, convc_last_error(), f) : EXIT_FINE;
}
