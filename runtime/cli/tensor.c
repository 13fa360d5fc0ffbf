#include "runtime/cli/tensor.h"

#include "runtime/cli/element.h"
#include "runtime/cli/random.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { GUARDS = 64 };

/* ---- operands as arrays --------------------------------------------------------------------- */

/* Arg i of "scale:channel,shift:tensor"; NULL where there are fewer. The problem is a good one. */
static const char *find_arg(const struct convc_problem *p, int i)
{
    const char *at = p->args && *p->args ? p->args : NULL;
    for (; at && i > 0; i--)
        at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL;
    return at;
}

static bool arg_is(const struct convc_problem *p, enum operand which, const char *kind)
{
    const char *colon = strchr(find_arg(p, (int)which - OPERAND_ARG), ':');
    return colon && strncmp(colon + 1, kind, strlen(kind)) == 0;
}

const char *operand_name(const struct convc_problem *p, enum operand which,
                         char text[ARG_NAME_BYTES])
{
    static const char *const names[] = { "input", "weights", "bias", "residual" };
    if (which < OPERAND_ARG)
        return names[which];
    const char *arg = find_arg(p, (int)which - OPERAND_ARG);
    snprintf(text, ARG_NAME_BYTES, "%.*s", arg ? (int)strcspn(arg, ":") : 0, arg ? arg : "");
    return text;
}

bool operand_wanted(const struct convc_problem *p, enum operand which)
{
    if (which >= OPERAND_ARG)
        return find_arg(p, (int)which - OPERAND_ARG) != NULL;
    int64_t weights = 1;
    if (which == OPERAND_WEI && p->window && *p->window)
        convc_problem_wei(p, &weights); /* the problem was checked when it was loaded */
    return which == OPERAND_BIAS ? p->bias : which == OPERAND_RESIDUAL ? p->residual : weights > 0;
}

/* Laid out as the output is? */
static bool like_dst(const struct convc_problem *p, enum operand which)
{
    return which == OPERAND_RESIDUAL || (which >= OPERAND_ARG && arg_is(p, which, "tensor"));
}

/* Two extents, then those of the axes in use. */
static void set_shape(const struct convc_problem *p, int64_t first, int64_t second,
                      const int64_t extent[3], struct array *a)
{
    a->rank = 2 + p->spatial;
    a->extent[0] = first;
    a->extent[1] = second;
    for (int i = 0; i < p->spatial; i++)
        a->extent[2 + i] = extent[3 - p->spatial + i];
}

enum exit_code output_shape(const struct convc_problem *p, struct array *a, struct failure *f)
{
    int64_t out[3];
    enum convc_status st = convc_problem_output(p, out);
    if (st)
        return fail_status(f, st);
    set_shape(p, p->n, p->oc, out, a);
    return EXIT_FINE;
}

void operand_shape(const struct convc_problem *p, enum operand which, struct array *a)
{
    struct failure ignored;
    if (which >= OPERAND_ARG && !like_dst(p, which)) {
        a->rank = 1;
        a->extent[0] = arg_is(p, which, "channel") ? p->oc : 1;
        return;
    }
    switch (which) {
    case OPERAND_SRC: set_shape(p, p->n, p->ic, p->in, a); break;
    case OPERAND_WEI: set_shape(p, p->oc, p->ic / p->groups, p->kernel, a); break;
    case OPERAND_BIAS:
        a->rank = 1;
        a->extent[0] = p->oc;
        break;
    default:
        a->rank = 0;
        output_shape(p, a, &ignored); /* the problem was checked when it was loaded */
    }
}

/* Of its elements. */
static enum convc_dtype operand_dtype(const struct convc_problem *p, enum operand which)
{
    return which == OPERAND_SRC ? p->src_dtype : like_dst(p, which) ? p->dst_dtype : p->acc_dtype;
}

/* What the reals of sources are multiplied with, lest all that is stored as whole numbers be 0. */
static double spread(const struct convc_problem *p, enum operand which)
{
    return which == OPERAND_SRC && element_whole(p->dst_dtype) ? 100 : 1;
}

/* Weights that are constants of the problem are there already. */
static enum exit_code fill_constants(const struct convc_problem *p, struct array *a,
                                     struct failure *f)
{
    operand_shape(p, OPERAND_WEI, a);
    enum exit_code code = array_allocate(a, f);
    if (code == EXIT_FINE)
        memcpy(a->value, p->weights, (size_t)a->count * sizeof *a->value);
    return code;
}

enum exit_code operand_fill_real(const struct convc_problem *p, enum operand which, uint64_t seed,
                                 struct array *a, struct failure *f)
{
    if (which == OPERAND_WEI && p->weights)
        return fill_constants(p, a, f);
    operand_shape(p, which, a);
    enum exit_code code = array_allocate(a, f);
    enum convc_dtype t = operand_dtype(p, which);
    double least = element_least(t), width = element_most(t) - least + 1;
    for (int64_t i = 0; code == EXIT_FINE && i < a->count; i++) {
        double v = random_real(random_at(seed, which), (uint64_t)i);
        a->value[i] = element_whole(t) ? least + floor((v + 1) / 2 * width) : spread(p, which) * v;
    }
    return code;
}

enum exit_code operand_fill_sparse(const struct convc_problem *p, enum operand which, uint64_t seed,
                                   int64_t most, struct array *a, struct failure *f)
{
    if (which == OPERAND_WEI && p->weights)
        return fill_constants(p, a, f);
    operand_shape(p, which, a);
    enum exit_code code = array_allocate(a, f);
    double least = element_least(operand_dtype(p, which));
    bool positive = element_whole(operand_dtype(p, which)) && least == 0;
    for (int64_t i = 0; code == EXIT_FINE && i < a->count; i++) {
        a->value[i] = random_sparse(random_at(seed, which), (uint64_t)i, most);
        a->value[i] = positive ? fabs(a->value[i]) : a->value[i];
    }
    return code;
}

bool operand_misfits(const struct convc_problem *p, enum operand which, const struct array *a,
                     int64_t *at)
{
    enum convc_dtype t = operand_dtype(p, which);
    for (*at = 0; element_whole(t) && *at < a->count; ++*at) {
        if (element_round(t, a->value[*at]) != a->value[*at])
            return true;
    }
    return false;
}

const char *operand_type(const struct convc_problem *p, enum operand which)
{
    return element_name(operand_dtype(p, which));
}

void operands_free(struct operands *o)
{
    for (int i = 0; i < OPERANDS; i++)
        array_free(&o->array[i]);
}

/* ---- elements ------------------------------------------------------------------------------- */

/* An array's elements in N, C, spatial order, and where each lies in memory. */
struct walk {
    int64_t extent[5], stride[5];
    enum convc_dtype dtype;
};

/* Calls `visit` for every element, in order, with its place in memory. */
static void walk(const struct walk *w, void (*visit)(void *argument, int64_t i, int64_t at),
                 void *argument)
{
    const int64_t *e = w->extent, *s = w->stride;
    int64_t i = 0;
    for (int64_t n = 0; n < e[0]; n++)
        for (int64_t c = 0; c < e[1]; c++)
            for (int64_t d = 0; d < e[2]; d++)
                for (int64_t h = 0; h < e[3]; h++)
                    for (int64_t x = 0; x < e[4]; x++)
                        visit(argument, i++, n * s[0] + c * s[1] + d * s[2] + h * s[3] + x * s[4]);
}

struct move {
    enum convc_dtype dtype;
    bool absolute;
    double *value;
    void *data;
};

static void put_element(void *argument, int64_t i, int64_t at)
{
    struct move *m = argument;
    element_store(m->dtype, m->data, at, m->absolute ? fabs(m->value[i]) : m->value[i]);
}

/* A quiet NaN with a payload that no arithmetic makes; the end of one, where it is a whole number.
 */
static void store_guard(int64_t bytes, void *data, int64_t at)
{
    static const uint8_t wide[8] = { 0xfe, 0x5a, 0xde, 0xc0, 0xeb, 0x0d, 0xfc, 0x7f };
    static const uint8_t narrow[4] = { 0xfe, 0x5a, 0xcc, 0x7f };
    memcpy((char *)data + at * bytes, bytes == 8 ? wide : narrow, (size_t)bytes);
}

static void take_element(void *argument, int64_t i, int64_t at)
{
    struct move *m = argument;
    m->value[i] = element_load(m->dtype, m->data, at);
    store_guard(element_bytes(m->dtype), m->data, at);
}

/* ---- operands in memory --------------------------------------------------------------------- */

/* A 64-byte aligned block of elements, all guards. */
static enum exit_code allocate_guards(int64_t elements, int64_t bytes, void **base,
                                      struct failure *f)
{
    size_t size = ((size_t)(elements * bytes) + 63) / 64 * 64;
    *base = aligned_alloc(64, size ? size : 64);
    if (!*base)
        return fail_memory(f);
    for (int64_t i = 0; i < elements; i++)
        store_guard(bytes, *base, i);
    return EXIT_FINE;
}

static void set_walk(int64_t n, int64_t c, const int64_t extent[3], const int64_t stride[5],
                     enum convc_dtype dtype, struct walk *w)
{
    *w = (struct walk){ .extent = { n, c, extent[0], extent[1], extent[2] }, .dtype = dtype };
    memcpy(w->stride, stride, sizeof w->stride);
}

static enum exit_code dst_walk(const struct convc_problem *p, struct walk *w, int64_t *elements,
                               struct failure *f)
{
    int64_t out[3], stride[5];
    enum convc_status st = convc_problem_output(p, out);
    if (st == CONVC_OK)
        st = convc_problem_dst(p, p->n, stride, elements);
    if (st)
        return fail_status(f, st);
    set_walk(p->n, p->oc, out, stride, p->dst_dtype, w);
    return EXIT_FINE;
}

static enum exit_code operand_walk(const struct convc_problem *p, enum operand which,
                                   struct walk *w, int64_t *elements, struct failure *f)
{
    int64_t stride[5];
    struct array shape = { 0 };
    enum convc_status st;
    if (like_dst(p, which))
        return dst_walk(p, w, elements, f);
    if (which == OPERAND_SRC) {
        st = convc_problem_src(p, p->n, stride, elements);
        if (st)
            return fail_status(f, st);
        set_walk(p->n, p->ic, p->in, stride, p->src_dtype, w);
        return EXIT_FINE;
    }
    /* The others are dense in the order of their arrays. */
    operand_shape(p, which, &shape);
    *elements = array_product(shape.extent, shape.rank);
    if (*elements < 0)
        return fail_memory(f);
    set_walk(1, 1, (int64_t[]){ 1, 1, *elements }, (int64_t[]){ 0, 0, 0, 0, 1 }, p->acc_dtype, w);
    return EXIT_FINE;
}

static enum exit_code place(const struct convc_problem *p, enum operand which,
                            const struct array *a, int64_t skew, bool absolute, void **base,
                            const void **data, struct failure *f)
{
    struct walk w = { 0 };
    int64_t elements = 0;
    enum exit_code code = operand_walk(p, which, &w, &elements, f);
    if (code == EXIT_FINE)
        code = allocate_guards(elements + skew, element_bytes(w.dtype), base, f);
    if (code)
        return code;
    struct move m = { w.dtype, absolute, a->value, (char *)*base + skew * element_bytes(w.dtype) };
    walk(&w, put_element, &m);
    *data = m.data;
    return EXIT_FINE;
}

enum exit_code tensors_place(const struct convc_problem *p, const struct operands *o, int64_t skew,
                             bool absolute, struct tensors *t, struct failure *f)
{
    const void *data[OPERANDS] = { 0 };
    *t = (struct tensors){ 0 };
    for (int i = 0; i < OPERANDS; i++) {
        if (!operand_wanted(p, i))
            continue;
        enum exit_code code = place(p, i, &o->array[i], skew, absolute, &t->base[i], &data[i], f);
        if (code)
            return code;
    }
    t->args = (struct convc_args){ .struct_bytes = sizeof t->args,
                                   .src = data[OPERAND_SRC],
                                   .wei = data[OPERAND_WEI],
                                   .bias = data[OPERAND_BIAS],
                                   .residual = data[OPERAND_RESIDUAL],
                                   .n = p->n };
    if (p->args && *p->args)
        t->args.user = t->user;
    for (int i = 0; i < ARGS_MAX; i++)
        t->user[i] = data[OPERAND_ARG + i];
    return EXIT_FINE;
}

void tensors_free(struct tensors *t)
{
    for (int i = 0; i < OPERANDS; i++)
        free(t->base[i]);
    *t = (struct tensors){ 0 };
}

/* ---- the destination ------------------------------------------------------------------------ */

enum exit_code guarded_create(const struct convc_problem *p, int64_t skew, struct guarded *g,
                              struct failure *f)
{
    struct walk w = { 0 };
    int64_t elements = 0;
    *g = (struct guarded){ 0 };
    enum exit_code code = dst_walk(p, &w, &elements, f);
    if (code)
        return code;
    g->bytes = element_bytes(w.dtype);
    g->before = GUARDS + skew;
    g->elements = g->before + elements + GUARDS;
    code = allocate_guards(g->elements, g->bytes, &g->base, f);
    if (code == EXIT_FINE)
        g->dst = (char *)g->base + g->before * g->bytes;
    return code;
}

void guarded_free(struct guarded *g)
{
    free(g->base);
    *g = (struct guarded){ 0 };
}

enum exit_code guarded_take(const struct convc_problem *p, struct guarded *g, double *value,
                            struct failure *f)
{
    struct walk w = { 0 };
    int64_t elements = 0;
    enum exit_code code = dst_walk(p, &w, &elements, f);
    if (code)
        return code;
    struct move m = { w.dtype, false, value, g->dst };
    walk(&w, take_element, &m);
    return EXIT_FINE;
}

bool guarded_broken(const struct guarded *g, int64_t *place_out)
{
    uint64_t guard;
    store_guard(g->bytes, &guard, 0);
    for (int64_t i = 0; i < g->elements; i++) {
        if (memcmp((const char *)g->base + i * g->bytes, &guard, (size_t)g->bytes)) {
            *place_out = i - g->before;
            return true;
        }
    }
    return false;
}
