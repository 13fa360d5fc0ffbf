#include "runtime/cli/inputs.h"

#include "runtime/cli/npy.h"
#include "runtime/cli/picture.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char *layer_name(const struct layer *l)
{
    return l->problem.name[0] ? l->problem.name : "the problem";
}

/* ---- pictures set H, W and C ---------------------------------------------------------------- */

/* How well specs go with a picture. */
enum fit { FIT_NOT_LOADED, FIT_WRONG_SIZE, FIT_WRONG_CHANNELS, FIT_RIGHT };

static enum fit fit_of(const struct layers *l, const struct array *picture)
{
    enum fit fit = FIT_RIGHT;
    for (size_t i = 0; i < l->count; i++) {
        const struct convc_problem *p = &l->layer[i].problem;
        if (p->spatial != 2 || p->in[CONVC_H] != picture->extent[2] ||
            p->in[CONVC_W] != picture->extent[3])
            return FIT_WRONG_SIZE;
        if (p->ic != picture->extent[1])
            fit = FIT_WRONG_CHANNELS;
    }
    return fit;
}

/* Loads the specs anew with the first `count` of H, W and C set, unless the user sets them. */
static enum exit_code load_sized(const struct options *o, const struct array *picture, size_t count,
                                 struct layers *l, struct failure *f)
{
    char text[3][32];
    const char *const define[] = { text[0], text[1], text[2] };
    struct layers sized = { .standard_input = l->standard_input };
    l->standard_input = NULL;
    layers_free(l);
    snprintf(text[0], sizeof text[0], "H=%" PRId64, picture->extent[2]);
    snprintf(text[1], sizeof text[1], "W=%" PRId64, picture->extent[3]);
    snprintf(text[2], sizeof text[2], "C=%" PRId64, picture->extent[1]);
    enum exit_code code = layers_load(o, define, count, &sized, f);
    *l = sized;
    return code;
}

/* A spec may fit as it is, may have H and W, or C too; a parameter that it does not have is an
 * error, so each is tried. */
static enum exit_code load_fitting(const struct options *o, const struct array *picture,
                                   struct layers *l, struct failure *f)
{
    static const size_t defines[] = { 0, 2, 3 };
    struct failure why[3];
    enum fit fit[3], best = FIT_NOT_LOADED;
    size_t best_defines = 0;
    for (int i = 0; i < 3; i++) {
        enum exit_code code = load_sized(o, picture, defines[i], l, &why[i]);
        fit[i] = code ? FIT_NOT_LOADED : fit_of(l, picture);
        if (code == EXIT_SYSTEM)
            *f = why[i];
        if (code == EXIT_SYSTEM || fit[i] == FIT_RIGHT)
            return code;
        if (fit[i] > best) {
            best = fit[i];
            best_defines = defines[i];
        }
    }
    if (best == FIT_NOT_LOADED)
        return fail(f, EXIT_USAGE, "%s", why[0].text);
    if (best == FIT_WRONG_SIZE && fit[1] == FIT_NOT_LOADED)
        return fail(f, EXIT_USAGE, "%s is %" PRId64 " pixels high and %" PRId64 " wide, but: %s",
                    o->input, picture->extent[2], picture->extent[3], why[1].text);
    return load_sized(o, picture, best_defines, l, f); /* its shape will be refused */
}

enum exit_code inputs_layers(const struct options *o, struct layers *l, struct failure *f)
{
    struct array picture = { 0 };
    if (!o->input || !picture_named(o->input))
        return layers_load(o, NULL, 0, l, f);
    enum exit_code code = picture_shape(o->input, &picture, f);
    return code ? code : load_fitting(o, &picture, l, f);
}

/* ---- operands ------------------------------------------------------------------------------- */

static const char *file_of(const struct options *o, const struct convc_problem *p,
                           enum operand which)
{
    switch (which) {
    case OPERAND_SRC: return o->input;
    case OPERAND_WEI: return o->weights;
    case OPERAND_BIAS: return o->bias;
    case OPERAND_RESIDUAL: return o->residual;
    default: break;
    }
    char name[ARG_NAME_BYTES];
    const char *path = NULL;
    size_t n = strlen(operand_name(p, which, name));
    for (size_t i = 0; n && i < o->arg_count; i++) {
        if (!strncmp(o->arg[i], name, n) && o->arg[i][n] == '=')
            path = o->arg[i] + n + 1; /* the last one wins */
    }
    return path;
}

static bool same_shape(const struct array *a, const struct array *b)
{
    return a->rank == b->rank && !memcmp(a->extent, b->extent, (size_t)a->rank * sizeof *a->extent);
}

static enum exit_code check_shape(const struct layer *l, enum operand which, const char *path,
                                  const struct array *a, struct failure *f)
{
    struct array wanted = { 0 };
    char is[ARRAY_SHAPE_TEXT], takes[ARRAY_SHAPE_TEXT], name[ARG_NAME_BYTES];
    operand_shape(&l->problem, which, &wanted);
    if (same_shape(a, &wanted))
        return EXIT_FINE;
    array_shape_text(a, is);
    array_shape_text(&wanted, takes);
    if (picture_named(path) && wanted.rank == 4 && a->extent[1] != wanted.extent[1])
        return fail(f, EXIT_USAGE, "%s has %" PRId64 " channels, but the input of %s has %" PRId64,
                    path, a->extent[1], layer_name(l), wanted.extent[1]);
    return fail(f, EXIT_USAGE, "%s has the shape %s, but the %s of %s takes %s", path, is,
                operand_name(&l->problem, which, name), layer_name(l), takes);
}

/* Numbers are never bent to fit. */
static enum exit_code check_type(const struct layer *l, enum operand which, const char *path,
                                 const struct array *a, struct failure *f)
{
    int64_t at;
    char name[ARG_NAME_BYTES];
    if (!operand_misfits(&l->problem, which, a, &at))
        return EXIT_FINE;
    return fail(f, EXIT_USAGE, "%s holds %g, which the %s of %s, of type %s, cannot", path,
                a->value[at], operand_name(&l->problem, which, name), layer_name(l),
                operand_type(&l->problem, which));
}

static enum exit_code read_operand(const struct layer *l, enum operand which, const char *path,
                                   struct array *a, int *bits, struct failure *f)
{
    enum exit_code code;
    char text[ARG_NAME_BYTES];
    const char *name = operand_name(&l->problem, which, text);
    if (!operand_wanted(&l->problem, which))
        return fail(f, EXIT_USAGE, "--%s=%s: %s has no %s", name, path, layer_name(l), name);
    if (which == OPERAND_WEI && l->problem.weights)
        return fail(f, EXIT_USAGE, "--weights=%s: those of %s are constants of the problem", path,
                    layer_name(l));
    if (picture_named(path) && which != OPERAND_SRC)
        return fail(f, EXIT_USAGE, "--%s=%s: only the input can be a picture", name, path);
    if (picture_named(path))
        code = picture_read(path, a, bits, f);
    else
        code = npy_read(path, a, f);
    if (code == EXIT_FINE)
        code = check_shape(l, which, path, a, f);
    return code ? code : check_type(l, which, path, a, f);
}

static enum exit_code constant_weights(const struct layer *l, struct array *a, struct failure *f)
{
    operand_shape(&l->problem, OPERAND_WEI, a);
    enum exit_code code = array_allocate(a, f);
    if (code == EXIT_FINE)
        memcpy(a->value, l->weights, (size_t)a->count * sizeof *a->value);
    return code;
}

/* Every --arg must be one of the layer's. */
static enum exit_code check_args(const struct options *o, const struct layer *l, struct failure *f)
{
    for (size_t i = 0; i < o->arg_count; i++) {
        char name[ARG_NAME_BYTES];
        size_t n = strcspn(o->arg[i], "=");
        bool known = false;
        for (int a = 0; a < ARGS_MAX; a++) {
            operand_name(&l->problem, OPERAND_ARG + a, name);
            known = known || (strlen(name) == n && !strncmp(name, o->arg[i], n));
        }
        if (!known)
            return fail(f, EXIT_USAGE, "--arg %s: %s has no such arg", o->arg[i], layer_name(l));
    }
    return EXIT_FINE;
}

enum exit_code inputs_operands(const struct options *o, const struct layer *l,
                               struct operands *operands, int *bits, struct failure *f)
{
    enum exit_code code = check_args(o, l, f);
    *operands = (struct operands){ 0 };
    *bits = 8;
    for (int which = 0; code == EXIT_FINE && which < OPERANDS; which++) {
        struct array *a = &operands->array[which];
        const char *path = file_of(o, &l->problem, which);
        if (path)
            code = read_operand(l, which, path, a, bits, f);
        else if (!operand_wanted(&l->problem, which))
            continue;
        else if (which == OPERAND_WEI && l->weights)
            code = constant_weights(l, a, f);
        else
            code = operand_fill_real(&l->problem, which, (uint64_t)o->seed, a, f);
    }
    return code;
}

enum exit_code inputs_check_output(const struct options *o, const struct layer *l,
                                   struct failure *f)
{
    struct array shape = { 0 };
    char text[ARRAY_SHAPE_TEXT];
    size_t length = strlen(o->output);
    if (length > 4 && !strcmp(o->output + length - 4, ".npy"))
        return EXIT_FINE;
    if (!picture_named(o->output))
        return fail(f, EXIT_USAGE, "--output=%s ends in neither .npy nor .png", o->output);
    enum exit_code code = output_shape(&l->problem, &shape, f);
    if (code)
        return code;
    array_shape_text(&shape, text);
    if (shape.rank != 4 || shape.extent[0] != 1 || shape.extent[1] > 4)
        return fail(f, EXIT_USAGE,
                    "--output=%s: the output %s of %s is no picture, which is (1, 1 to 4, height, "
                    "width)",
                    o->output, text, layer_name(l));
    return EXIT_FINE;
}
