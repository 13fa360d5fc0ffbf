/* compile: static kernels: objects, a header and a library for every spec. */
#include "runtime/cli/command.h"
#include "runtime/cli/depfile.h"
#include "runtime/cli/layers.h"
#include "runtime/cli/parallel.h"
#include "runtime/cli/product.h"
#include "runtime/cli/winners.h"

#include <stdlib.h>
#include <string.h>

/* What --emit can ask for: one file for each convolution, or for each spec. */
static const struct emit_kind {
    const char *word;
    enum convc_form form;
    const char *before, *after; /* around the name of the file */
} kinds[] = {
    { "obj", CONVC_FORM_OBJECT, "", ".o" },    { "asm", CONVC_FORM_ASM, "", ".s" },
    { "ir", CONVC_FORM_IR, "", ".ll" },        { "bc", CONVC_FORM_BITCODE, "", ".bc" },
    { "header", CONVC_FORM_HEADER, "", ".h" }, { "lib", CONVC_FORM_LIBRARY, "lib", ".a" },
};
enum { KINDS = sizeof kinds / sizeof *kinds };

struct compilation {
    const struct options *o;
    struct layers layers;
    struct winners winners;
    bool wanted[KINDS];
    enum convc_optimize optimize;
    struct products products;
};

static enum exit_code read_kinds(struct compilation *c, struct failure *f)
{
    const char *list = c->o->emit ? c->o->emit : "header,lib";
    for (const char *p = list;;) {
        size_t length = strcspn(p, ",");
        int k = 0;
        while (k < KINDS &&
               !(strlen(kinds[k].word) == length && !strncmp(kinds[k].word, p, length)))
            k++;
        if (k == KINDS)
            return fail(f, EXIT_USAGE,
                        "--emit=%s is not a list of obj, asm, ir, bc, header and lib", list);
        c->wanted[k] = true;
        if (!p[length])
            return EXIT_FINE;
        p += length + 1;
    }
}

static enum exit_code read_optimize(struct compilation *c, struct failure *f)
{
    const char *word = c->o->optimize ? c->o->optimize : "speed";
    c->optimize = !strcmp(word, "size") ? CONVC_OPTIMIZE_SIZE : CONVC_OPTIMIZE_SPEED;
    if (!c->optimize && strcmp(word, "speed") != 0)
        return fail(f, EXIT_USAGE, "--optimize=%s is not size or speed", word);
    if (c->optimize && c->o->db)
        return fail(f, EXIT_USAGE, "--optimize size and --db exclude each other: what won is fast");
    return EXIT_FINE;
}

/* ---- products ------------------------------------------------------------------------------- */

/* The problems of a spec or of all, or one of them. */
struct source {
    const struct convc_problem *problem;
    size_t count;
    const char *library;
    convc_emission *emission; /* of all of them */
    size_t index;
};

static enum exit_code emit(struct compilation *c, const struct emit_kind *kind,
                           const struct source *s, int variant, const char *file, struct failure *f)
{
    char *bytes;
    size_t size;
    enum convc_status st =
        convc_emission_file(s->emission, kind->form, s->index, variant, &bytes, &size);
    return st ? fail_status(f, st) : products_add(&c->products, file, bytes, size, f);
}

/* Targets of --target, and "CPU[+feature...]" of target i of them. */
static int count_targets(const struct options *o)
{
    int n = 1;
    for (const char *p = o->target; p && (p = strchr(p, ',')); p++)
        n++;
    return n;
}

/* Of one convolution: of several targets one each, and what picks among them. */
static int count_objects(const struct options *o)
{
    int targets = count_targets(o);
    return targets == 1 ? 1 : targets + 1;
}

static void target_word(const struct options *o, int i, char *to, size_t size)
{
    const char *p = o->target;
    while (i-- > 0)
        p = strchr(p, ',') + 1;
    size_t length = strcspn(p, ",");
    const char *colon = memchr(p, ':', length);
    size_t skip = colon ? (size_t)(colon + 1 - p) : 0;
    snprintf(to, size, "%.*s", (int)(length - skip), p + skip);
}

/* Is the layer compiled with this spec, or with all of them? */
static bool is_part(const struct compilation *c, const struct layer *l, size_t spec)
{
    return c->o->library || l->spec == spec;
}

/* A sentence about one of the convolutions begins with its name, which it has alone. */
static enum exit_code fail_emission(const struct compilation *c, size_t spec, enum convc_status st,
                                    struct failure *f)
{
    const char *said = convc_last_error();
    for (size_t i = 0; i < c->layers.count; i++) {
        const struct layer *l = &c->layers.layer[i];
        size_t n = strlen(l->problem.name);
        if (is_part(c, l, spec) && !strncmp(said, l->problem.name, n) &&
            !strncmp(said + n, ": ", 2))
            return layer_fail(c->o, l, st, said + n + 2, f);
    }
    return fail_status(f, st);
}

static enum exit_code open_emission(struct compilation *c, struct source *s, size_t spec,
                                    struct failure *f)
{
    const struct options *o = c->o;
    char **plans;
    enum exit_code code = winners_plans(&c->winners, s->problem, s->count, &plans, f);
    const struct convc_emit_options options = { .struct_bytes = sizeof options,
                                                .target = o->target,
                                                .plan = o->plan,
                                                .prefix = o->prefix,
                                                .library = s->library,
                                                .hidden = o->hidden,
                                                .optimize = c->optimize,
                                                .plans = (const char *const *)plans };
    enum convc_status st =
        code ? CONVC_OK : convc_emission_create(s->problem, s->count, &options, &s->emission);
    if (st)
        code = fail_emission(c, spec, st, f);
    winners_free_plans(&c->winners, plans, s->count);
    return code;
}

/* An emission's objects as one range. */
struct objects {
    convc_emission *emission;
    int each; /* of one convolution */
};

static void make_range(void *argument, int64_t begin, int64_t end)
{
    const struct objects *all = argument;
    for (int64_t i = begin; i < end; i++) {
        char *bytes;
        size_t size;
        if (!convc_emission_file(all->emission, CONVC_FORM_OBJECT, (size_t)(i / all->each),
                                 (int32_t)(i % all->each), &bytes, &size))
            convc_text_free(bytes);
    }
}

/* On all threads; the emission keeps them. What fails is told where it is asked for again. */
static void make_objects(struct compilation *c, const struct source *s)
{
    struct objects all = { s->emission, count_objects(c->o) };
    bool wanted = false;
    for (int k = 0; k < KINDS; k++)
        wanted = wanted || (c->wanted[k] && (kinds[k].form == CONVC_FORM_OBJECT ||
                                             kinds[k].form == CONVC_FORM_LIBRARY));
    int64_t items = wanted ? (int64_t)s->count * all.each : 0;
    parallel_ranges(options_threads(c->o), items, 1, make_range, &all);
}

/* One kind of file of one convolution. */
static enum exit_code emit_kind(struct compilation *c, const struct emit_kind *kind,
                                const struct source *s, const char *name, struct failure *f)
{
    int targets = count_targets(c->o), all = count_objects(c->o);
    enum exit_code code = EXIT_FINE;
    for (int v = 0; code == EXIT_FINE && v < all; v++) {
        char file[800], target[600];
        if (targets == 1 || v == targets) {
            snprintf(file, sizeof file, "%s%s", name, kind->after);
        } else {
            target_word(c->o, v, target, sizeof target);
            snprintf(file, sizeof file, "%s.%s%s", name, target, kind->after);
        }
        code = emit(c, kind, s, v, file, f);
    }
    return code;
}

static enum exit_code emit_one(struct compilation *c, const struct source *s, struct failure *f)
{
    char name[160];
    enum convc_status st = convc_emit_name(s->problem, c->o->prefix, name, sizeof name);
    enum exit_code code = st ? fail_status(f, st) : EXIT_FINE;
    for (int k = 0; code == EXIT_FINE && k < KINDS; k++)
        if (c->wanted[k] && kinds[k].form < CONVC_FORM_HEADER)
            code = emit_kind(c, &kinds[k], s, name, f);
    return code;
}

/* What there is once for a spec: header and library, and of several targets what asks the CPU. */
static enum exit_code emit_whole(struct compilation *c, const struct source *s, struct failure *f)
{
    enum exit_code code = EXIT_FINE;
    int targets = count_targets(c->o);
    char file[160];
    for (int k = 0; code == EXIT_FINE && k < KINDS; k++) {
        const struct emit_kind *kind = &kinds[k];
        if (!c->wanted[k])
            continue;
        if (kind->form >= CONVC_FORM_HEADER) {
            snprintf(file, sizeof file, "%s%s%s", kind->before, s->library, kind->after);
            code = emit(c, kind, s, 0, file, f);
        } else if (targets > 1) {
            snprintf(file, sizeof file, "%s_target%s", s->library, kind->after);
            code = emit(c, kind, s, targets + 1, file, f);
        }
    }
    return code;
}

/* "dir/stem.lua" is "stem". */
static void stem_of(const char *word, char *stem, size_t size)
{
    const char *slash = strrchr(word, '/');
    const char *file = slash ? slash + 1 : word;
    size_t n = strlen(file);
    if (n > 4 && !strcmp(file + n - 4, ".lua"))
        n -= 4;
    snprintf(stem, size, "%.*s", n < size - 1 ? (int)n : (int)size - 1, file);
    if (!strcmp(stem, "-"))
        snprintf(stem, size, "stdin");
}

/* All files of one word of the command line, or of all words under the name of --library. */
static enum exit_code emit_spec(struct compilation *c, size_t spec, struct failure *f)
{
    const char *library = c->o->library;
    char stem[64];
    struct convc_problem *p = calloc(c->layers.count + 1, sizeof *p);
    struct source all = { .problem = p, .library = library ? library : stem };
    enum exit_code code = p ? EXIT_FINE : fail_memory(f);
    for (size_t i = 0; code == EXIT_FINE && i < c->layers.count; i++)
        if (is_part(c, &c->layers.layer[i], spec))
            p[all.count++] = c->layers.layer[i].problem;
    stem_of(c->o->word[spec], stem, sizeof stem);
    if (code == EXIT_FINE)
        code = open_emission(c, &all, spec, f);
    if (code == EXIT_FINE)
        make_objects(c, &all);
    if (code == EXIT_FINE)
        code = emit_whole(c, &all, f);
    for (size_t i = 0; code == EXIT_FINE && i < all.count; i++) {
        const struct source one = { &p[i], 1, all.library, all.emission, i };
        code = emit_one(c, &one, f);
    }
    convc_emission_destroy(all.emission);
    free(p);
    return code;
}

/* ---- the command ---------------------------------------------------------------------------- */

static enum exit_code check_library(const struct options *o, struct failure *f)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                  "0123456789_.+-";
    const char *name = o->library;
    size_t length = name ? strlen(name) : 1;
    bool right = !name || (length > 0 && length <= 64 && strspn(name, allowed) == length &&
                           name[0] != '.' && name[0] != '-');
    return right ? EXIT_FINE
                 : fail(f, EXIT_USAGE,
                        "--library=%.80s is not 1 to 64 letters, digits, _, ., + and -, "
                        "beginning with none of . and -",
                        name);
}

static enum exit_code check_source(const struct compilation *c, const char *file, struct failure *f)
{
    const char *depfile = c->o->depfile;
    if (depfile && stream_same(depfile, file))
        return fail(f, EXIT_USAGE, "--depfile=%s is one of the files that are read", depfile);
    for (size_t p = 0; p < c->products.count; p++)
        if (stream_same(c->products.list[p].path, file))
            return fail(f, EXIT_USAGE, "%s would replace a file that is read",
                        c->products.list[p].path);
    return EXIT_FINE;
}

/* What was read is not written over. */
static enum exit_code check_sources(const struct compilation *c, struct failure *f)
{
    const char *file;
    enum exit_code code = c->o->db ? check_source(c, c->o->db, f) : EXIT_FINE;
    for (size_t s = 0; code == EXIT_FINE && s < c->layers.spec_count; s++)
        for (size_t i = 0; code == EXIT_FINE && (file = convc_spec_file(c->layers.spec[s], i)); i++)
            code = check_source(c, file, f);
    return code;
}

static enum exit_code write_all(struct compilation *c, struct failure *f)
{
    struct stream_out depfile = { 0 };
    enum exit_code code = check_sources(c, f);
    if (code == EXIT_FINE)
        code = products_stage(&c->products, f);
    if (code == EXIT_FINE && c->o->depfile)
        code = depfile_stage(c->o->depfile, &c->products, &c->layers, c->o->db, &depfile, f);
    code = products_finish(&c->products, code, f);
    code = stream_finish(&depfile, code, f);
    for (size_t i = 0; code == EXIT_FINE && !c->o->quiet && i < c->products.count; i++)
        printf("%s\n", c->products.list[i].path);
    return code;
}

enum exit_code cmd_compile(const struct options *o, struct failure *f)
{
    struct compilation c = { .o = o, .products = { .directory = o->directory } };
    if (!o->word_count)
        return fail(f, EXIT_USAGE, "compile needs a spec; see convc compile --help");
    if (!o->directory || !o->directory[0])
        return fail(f, EXIT_USAGE, "compile needs a directory: -o DIR");
    if (o->depfile && !o->depfile[0])
        return fail(f, EXIT_USAGE, "--depfile needs the name of a file");
    enum exit_code code = read_kinds(&c, f);
    if (code == EXIT_FINE)
        code = check_library(o, f);
    if (code == EXIT_FINE)
        code = read_optimize(&c, f);
    if (code == EXIT_FINE)
        code = layers_load(o, NULL, 0, &c.layers, f);
    if (code == EXIT_FINE)
        code = winners_open(o, &c.winners, f);
    for (size_t i = 0; code == EXIT_FINE && i < (o->library ? 1 : o->word_count); i++)
        code = emit_spec(&c, i, f);
    if (code == EXIT_FINE)
        code = write_all(&c, f);
    products_free(&c.products);
    layers_free(&c.layers);
    winners_close(&c.winners);
    return code;
}
