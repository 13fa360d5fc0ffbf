#include "runtime/cli/spread.h"

#include "runtime/cli/element.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* A value of a property, and how many problems have it. */
struct spread_row {
    const char *property;
    char value[96];
    int64_t problems;
};

static void add(struct spread *s, const char *property, const char *value)
{
    size_t i = 0;
    while (i < s->count && (s->row[i].property != property || strcmp(s->row[i].value, value)))
        i++;
    if (i == s->count) {
        struct spread_row *more = realloc(s->row, (i + 1) * sizeof *more);
        if (!more) {
            s->failed = true;
            return;
        }
        s->row = more;
        s->row[s->count++] = (struct spread_row){ .property = property };
        snprintf(s->row[i].value, sizeof s->row[i].value, "%s", value);
    }
    s->row[i].problems++;
}

/* ---- properties ------------------------------------------------------------------------------ */

static const char *const property_names[] = { "targets", "algorithms", "types",   "layouts", "axes",
                                              "groups",  "arithmetic", "weights", "borders" };
enum {
    TARGETS,
    ALGORITHMS,
    TYPES,
    LAYOUTS,
    AXES,
    GROUPS,
    ARITHMETIC,
    WEIGHTS,
    BORDERS,
    PROPERTIES
};

static const char *layout_of(const struct convc_problem *p)
{
    bool strided = false;
    for (int i = 0; i < 5; i++)
        strided = strided || p->src_stride[i] || p->dst_stride[i];
    return strided ? "strided" : p->layout == CONVC_NCHW ? "nchw" : "nhwc";
}

static const char *groups_of(const struct convc_problem *p)
{
    return p->groups == 1 ? "dense" : p->groups == p->ic ? "depthwise" : "grouped";
}

static const char *arithmetic_of(const struct convc_problem *p)
{
    return p->window                  ? "windows"
           : p->combine || p->reduce  ? "functions"
           : p->epilogue              ? "sums with an epilogue"
           : p->activation || p->bias ? "sums with bias or activation"
                                      : "sums";
}

static const char *border_of(const struct convc_problem *p)
{
    static const char *const modes[] = { "zeros",     "constant", "reflect", "symmetric",
                                         "replicate", "circular", "identity" };
    bool pads = false;
    for (int a = 0; a < 3; a++)
        pads = pads || p->pad_begin[a] > 0 || p->pad_end[a] > 0;
    return pads ? modes[p->padding_mode] : "none";
}

void spread_add(struct spread *s, const struct convc_problem *p, const struct result *r,
                const char *target)
{
    char types[32];
    snprintf(types, sizeof types, "%s:%s:%s", element_name(p->src_dtype),
             element_name(p->acc_dtype), element_name(p->dst_dtype));
    bool one = p->src_dtype == p->acc_dtype && p->dst_dtype == p->acc_dtype;
    const char *const values[PROPERTIES] = {
        [TARGETS] = target,
        [ALGORITHMS] = r->algorithm,
        [TYPES] = one ? element_name(p->acc_dtype) : types,
        [LAYOUTS] = layout_of(p),
        [AXES] = p->spatial == 1   ? "1"
                 : p->spatial == 2 ? "2"
                                   : "3",
        [GROUPS] = groups_of(p),
        [ARITHMETIC] = arithmetic_of(p),
        [WEIGHTS] = p->weights ? "constant" : "given",
        [BORDERS] = border_of(p),
    };
    for (int i = 0; i < PROPERTIES; i++)
        add(s, property_names[i], values[i]);
}

/* ---- printing -------------------------------------------------------------------------------- */

static int by_problems(const void *a, const void *b)
{
    const struct spread_row *x = a, *y = b;
    if (x->problems != y->problems)
        return x->problems < y->problems ? 1 : -1;
    return strcmp(x->value, y->value);
}

bool spread_print(struct spread *s, FILE *out)
{
    bool fine = !s->failed;
    if (s->count)
        qsort(s->row, s->count, sizeof *s->row, by_problems);
    for (int i = 0; i < PROPERTIES; i++) {
        const char *comma = "";
        fprintf(out, "%s: ", property_names[i]);
        for (size_t j = 0; j < s->count; j++) {
            if (s->row[j].property != property_names[i])
                continue;
            fprintf(out, "%s%s %" PRId64, comma, s->row[j].value, s->row[j].problems);
            comma = ", ";
        }
        fprintf(out, "\n");
    }
    spread_free(s);
    return fine;
}

void spread_free(struct spread *s)
{
    free(s->row);
    *s = (struct spread){ 0 };
}
