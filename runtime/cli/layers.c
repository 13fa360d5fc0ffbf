#include "runtime/cli/layers.h"

#include "runtime/cli/file.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum exit_code context_open(const struct options *o, const char *target, int32_t flags,
                            convc_context **cx, struct failure *f)
{
    struct convc_context_options opt = {
        .struct_bytes = sizeof opt, .threads = options_threads(o), .flags = flags, .target = target
    };
    if (o->no_cache)
        opt.flags |= CONVC_NO_DISK_CACHE;
    enum convc_status st = convc_context_create(&opt, cx);
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
        if (!isnan(o->tolerance))
            layer->problem.tolerance = o->tolerance;
    }
    return EXIT_FINE;
}

/* A spec that is not there is a slip of the user's, not a failure of the system. */
static enum exit_code load_failed(const char *path, enum convc_status st, struct failure *f)
{
    enum exit_code code = fail_status(f, st);
    if (st == CONVC_ERR_IO && strcmp(path, "-") && access(path, R_OK))
        code = EXIT_USAGE;
    return code;
}

enum exit_code layers_load(const struct options *o, const char *const *define, size_t define_count,
                           struct layers *l, struct failure *f)
{
    *l = (struct layers){ 0 };
    l->spec = calloc(o->word_count + 1, sizeof *l->spec);
    const char **all = calloc(o->define_count + define_count + 1, sizeof *all);
    enum exit_code code = l->spec && all ? EXIT_FINE : fail_memory(f);
    if (code == EXIT_FINE) {
        memcpy(all, define, define_count * sizeof *all);
        if (o->define_count)
            memcpy(all + define_count, o->define, o->define_count * sizeof *all);
    }
    for (size_t i = 0; code == EXIT_FINE && i < o->word_count; i++) {
        struct convc_spec_source source = { .struct_bytes = sizeof source,
                                            .path = o->word[i],
                                            .defines = all,
                                            .define_count = o->define_count + define_count };
        enum convc_status st = convc_spec_load(&source, &l->spec[l->spec_count]);
        if (st) {
            code = load_failed(o->word[i], st, f);
            break;
        }
        code = append(o, l->spec[l->spec_count++], l, f);
    }
    free(all);
    return code;
}

void layers_free(struct layers *l)
{
    for (size_t i = 0; i < l->spec_count; i++)
        convc_spec_free(l->spec[i]);
    free(l->spec);
    free(l->layer);
    *l = (struct layers){ 0 };
}
