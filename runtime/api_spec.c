/* The calls of convc.h that read specs. */
#include "gen/base/memory.h"
#include "gen/spec/spec.h"
#include "runtime/api.h"

#include <convc/convc.h>

#include <string.h>

struct convc_spec {
    struct spec spec;
};

static enum convc_status copy_source(const struct convc_spec_source *from,
                                     struct convc_spec_source *to, struct diag *d)
{
    if (!from)
        return diag_fail(d, CONVC_ERR_ARGUMENT, "the source of the spec is NULL");
    if (api_read("convc_spec_source", from, to, sizeof *to, d) != CONVC_OK)
        return d->status;
    if (to->define_count > 0 && !to->defines)
        return diag_fail(d, CONVC_ERR_ARGUMENT, "defines is NULL where define_count=%zu",
                         to->define_count);
    return CONVC_OK;
}

enum convc_status convc_spec_load(const struct convc_spec_source *source, convc_spec **out)
{
    struct diag d = { 0 };
    struct convc_spec_source given;
    if (!out)
        diag_fail(&d, CONVC_ERR_ARGUMENT, "the place for the spec is NULL");
    if (d.status != CONVC_OK || copy_source(source, &given, &d) != CONVC_OK)
        return api_fail(&d);

    struct spec_source internal = {
        .path = given.path,
        .text = given.text,
        .name = given.name,
        .defines = given.defines,
        .define_count = given.define_count,
        .lib_dir = given.lib_dir,
    };
    convc_spec *spec = memory_take(sizeof *spec);
    if (!spec)
        diag_memory(&d);
    else if (spec_load(&internal, &spec->spec, &d) == CONVC_OK)
        *out = spec;
    else
        memory_free(spec);
    return api_fail(&d);
}

size_t convc_spec_count(const convc_spec *spec)
{
    return spec ? spec->spec.count : 0;
}

const struct convc_problem *convc_spec_problem(const convc_spec *spec, size_t i)
{
    return spec && i < spec->spec.count ? &spec->spec.convs[i].problem : NULL;
}

const double *convc_spec_weights(const convc_spec *spec, size_t i)
{
    return spec && i < spec->spec.count ? spec->spec.convs[i].weights : NULL;
}

const char *convc_spec_file(const convc_spec *spec, size_t i)
{
    const struct spec_file *file = spec ? spec->spec.files : NULL;
    while (file && i-- > 0)
        file = file->next;
    return file ? file->path : NULL;
}

void convc_spec_free(convc_spec *spec)
{
    if (spec)
        spec_free(&spec->spec);
    memory_free(spec);
}
